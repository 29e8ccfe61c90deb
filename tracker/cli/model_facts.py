"""What `tracker models inspect` prints of a model: one screen for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from tracker.cli.show import GAP, print_section
from tracker.cli.table import Column, cell, print_table
from tracker.cli.text import size
from tracker.models.inspection import ModelFacts
from tracker.models.pickles import COMPUTED, PickleImport, dangerous

SHOWN_EXAMPLE = 300
"""Characters of an input example."""
SHOWN_DIGEST = 16


def facts_data(uri: str, facts: ModelFacts) -> dict[str, Any]:
    """Everything that is known of a model, as plain values."""
    plain: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(facts, signature=None, example=None))
    signature = facts.signature and {
        part: json.loads(text) for part, text in facts.signature.to_dict().items() if text is not None
    }
    imports = [{"name": name, "suspicious": is_suspicious(name)} for name in facts.imports]
    return {"uri": uri, **plain, "signature": signature, "example": facts.example, "imports": imports}


def is_suspicious(name: str) -> bool:
    """Whether an import of a pickle reaches the system, files, the network or the interpreter."""
    module, _, attribute = name.rpartition(".")
    return COMPUTED in name or bool(dangerous([PickleImport(module, attribute)]))


def print_facts(console: Console, uri: str, facts: ModelFacts) -> None:
    """All sections that have something in them."""
    for line in _head(uri, facts):
        console.print(line, soft_wrap=True)
    if facts.signature is not None:
        for title in ("inputs", "outputs"):
            print_section(console, title.capitalize(), _columns(getattr(facts.signature, title)))
        print_section(console, "Params", [_param(spec) for spec in facts.signature.params or ()])
    print_section(console, "Input example", _example(facts))
    print_section(console, "Requirements", facts.requirements)
    print_section(console, "Types that the file names", facts.types)
    _print_imports(console, facts.imports)
    _print_files(console, facts)
    print_section(console, "Problems", facts.problems)


def _head(uri: str, facts: ModelFacts) -> Iterator[Text]:
    flavors = [*facts.flavors, *(["python_function"] if facts.has_pyfunc else [])]
    yield Text.assemble(cell(uri, "bold"), GAP, cell(", ".join(flavors)))
    word, style = ("safe to load", "green") if facts.safe else ("can run code when it is loaded", "yellow")
    yield Text.assemble(cell(facts.format), ": ", cell(word, style))
    yield cell(facts.meaning)
    if facts.digest:
        yield cell(facts.digest)
    python = f"Python {facts.python}" if facts.python else ""
    saved = f"saved {facts.created} UTC" if facts.created else ""
    run = f"run {facts.run_id}" if facts.run_id else ""
    told = [part for part in (saved, python, run, size(facts.size)) if part]
    yield cell(GAP.join(told))
    if facts.metadata:
        yield cell(f"metadata {json.dumps(facts.metadata, ensure_ascii=False)}")


def _columns(schema: Any) -> list[str]:
    if schema is None:
        return []
    names = [str(name) for name in schema.input_names()]
    width = max(map(len, names))
    return [
        f"{name:<{width}}{GAP}{_type(spec)}{'' if spec.required else ', optional'}"
        for name, spec in zip(names, schema.inputs, strict=True)
    ]


def _type(spec: Any) -> str:
    return f"{spec.dtype_name} {spec.shape}" if hasattr(spec, "dtype_name") else repr(spec.type)


def _param(spec: Any) -> str:
    return f"{spec.name}{GAP}{spec.dtype!r}, {spec.default!r} by default"


def _example(facts: ModelFacts) -> list[str]:
    if facts.example_problem:
        return [facts.example_problem]
    if facts.example is None:
        return []
    text = json.dumps(facts.example, ensure_ascii=False)
    return [text if len(text) <= SHOWN_EXAMPLE else f"{text[:SHOWN_EXAMPLE]}…"]


def _print_imports(console: Console, imports: Sequence[str]) -> None:
    """The suspicious ones first, each marked by a sign and a word, not by its colour alone."""
    marked = [name for name in imports if is_suspicious(name)]
    if not imports:
        return
    console.print(Text("\nWhat loading it imports", style="bold"))
    for name in marked:
        console.print(cell(f"! {name}{GAP}reaches beyond the model: look at where this file is from", "yellow"))
    for name in imports:
        if name not in marked:
            console.print(cell(f"{GAP}{name}"))


def _print_files(console: Console, facts: ModelFacts) -> None:
    if not facts.files:
        return
    console.print()
    paths = sorted(facts.files)
    entries = [facts.files[path] for path in paths]
    print_table(
        console,
        [
            Column("File", [cell(f"{GAP}{path}") for path in paths]),
            Column("size", [cell(size(entry.bytes)) for entry in entries], right=True),
            Column("sha256", [cell(entry.sha256[:SHOWN_DIGEST]) for entry in entries], rank=1),
        ],
        hint="--json has whole digests.",
    )
