"""The YAML files of a store, which people edit: read forgivingly, and changed without touching what they wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import yaml

MAX_YAML = 8 * 1024 * 1024
"""Bytes of the largest YAML file that is read."""

_MAX_DEPTH = 20
_ODD_BREAK = re.compile("[\x85\u2028\u2029]")
_NAMELESS = re.compile(r'in "<(?:byte|unicode) string>", ')
"""Where PyYAML names the file, which is none to it."""
_CONFLICT = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
_T = TypeVar("_T")
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_BaseDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_PlainLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """What is wrong with a text, and in which line."""

    def __init__(self, error: Exception, prefix: str = "") -> None:
        super().__init__(prefix + " ".join(_NAMELESS.sub("in ", str(error)).split()))
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        self.line: int | None = None if mark is None else mark.line + 1
        self.reason = str(self)
        """The same without lines and columns."""
        if isinstance(error, yaml.MarkedYAMLError):
            self.reason = prefix + " ".join(" ".join(filter(None, (error.context, error.problem))).split())


def read_yaml(kind: type[_T], data: bytes) -> _T:
    """A struct from YAML; YamlError says what is wrong.

    Every scalar is the text that people typed, `yes` and 2026-11-23 too, and an empty field counts as missing.
    Aliases and deep nesting are refused: they can blow a file up, or end the process inside the parser.
    """
    try:
        value = _first_document(iter(yaml.parse(data, Loader=_Loader)))
        if isinstance(value, dict):
            value = {key: entry for key, entry in value.items() if entry != ""}
        return msgspec.convert(value, kind, strict=False)
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        conflict = "it has the marks of a conflict in git: " if _CONFLICT.search(data) else ""
        raise YamlError(error, conflict) from error


def read_plain_yaml(data: bytes) -> object:
    """Lists, dicts and scalars with their YAML types; YamlError for anything else, tags of Python above all."""
    try:
        events = list(yaml.parse(data, Loader=_Loader))
        if any(isinstance(event, yaml.AliasEvent) for event in events):
            raise yaml.YAMLError("aliases are not read")
        _check_depth(events)
        return yaml.load(data, Loader=_PlainLoader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise YamlError(error) from error


def _check_depth(events: list[Any]) -> None:
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError(f"nested deeper than {_MAX_DEPTH} levels")


def yaml_bytes(value: object) -> bytes:
    """A struct or plain value as YAML that reads well in a diff."""
    plain = msgspec.to_builtins(value)
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100).encode()


class _Dumper(_BaseDumper):  # type: ignore[misc]
    """Several lines as a block, which people can edit."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """A scalar in the style that brings the text back exactly: some line breaks of Unicode need an escape."""
        style = '"' if _ODD_BREAK.search(text) else "|" if "\n" in text else None
        node: yaml.ScalarNode = self.represent_scalar("tag:yaml.org,2002:str", text, style)
        return node


_Dumper.add_representer(str, _Dumper.represent_text)


def edit_yaml(
    data: bytes,
    new: msgspec.Struct,
    fields: Mapping[str, object],
    *,
    appended: Mapping[str, Sequence[object]] | None = None,
    last: str = "",
) -> bytes:
    """The file with some fields set, so that it reads as `new`; its other lines, comments too, stay as they are.

    `appended` are items that come after those that lists of the file have already. New fields are put at the end, or
    before the field `last`.
    """
    lines = data.decode().splitlines(keepends=True)
    for key, value in fields.items():
        _set_field(lines, key, yaml_bytes({key: value}).decode(), last)
    for key, items in (appended or {}).items():
        _append_items(lines, key, items)
    edited = "".join(lines).encode()
    try:
        return edited if read_yaml(type(new), edited) == new else yaml_bytes(new)
    except ValueError:
        return yaml_bytes(new)  # it was written in a way that lines do not tell


def _set_field(lines: list[str], key: str, block: str, last: str = "") -> None:
    """Put a block in place of a top-level field and the lines that belong to it, or at the end."""
    start, end = _field(lines, key)
    if start == len(lines) and last:
        start = end = _field(lines, last)[0]
    lines[start:end] = [block]


def _append_items(lines: list[str], key: str, items: Sequence[object]) -> None:
    """Put items of a list behind those of a top-level field, as far to the right as they are."""
    start, end = _field(lines, key)
    first = next((line for line in lines[start + 1 : end] if line.lstrip().startswith("- ")), None)
    block = yaml_bytes({key: list(items)}).decode().splitlines(keepends=True)
    if first is None:
        _set_field(lines, key, "".join(block))
        return
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    indent = first[: len(first) - len(first.lstrip())]
    lines[end:end] = [indent + line if line.strip() else line for line in block[1:]]


def _field(lines: list[str], key: str) -> tuple[int, int]:
    """Where a top-level field begins, and where the lines that belong to it end; at the end when it is missing."""
    start = next((i for i, line in enumerate(lines) if re.match(rf"(['\"]?){key}\1\s*:", line)), len(lines))
    if start == len(lines):
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        return start, start
    end = start + 1
    while end < len(lines) and (lines[end][0] in "# \t\r\n" or lines[end].startswith("- ")):
        end += 1
    while end > start + 1 and (lines[end - 1].startswith("#") or not lines[end - 1].strip()):
        end -= 1
    return start, end


def _first_document(events: Iterator[Any]) -> object:
    values = [_value(event, events, 0) for event in events if isinstance(event, yaml.NodeEvent)]
    if len(values) > 1:
        raise yaml.YAMLError("more than one document")
    return values[0] if values else None


def _value(event: Any, events: Iterator[Any], depth: int) -> object:
    if depth > _MAX_DEPTH:
        raise yaml.YAMLError(f"nested deeper than {_MAX_DEPTH} levels")
    if isinstance(event, yaml.ScalarEvent):
        return event.value
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(item, events, depth + 1) for item in _until(yaml.SequenceEndEvent, events)]
    if isinstance(event, yaml.MappingStartEvent):
        keys = _until(yaml.MappingEndEvent, events)
        return {_key(key): _value(next(events), events, depth + 1) for key in keys}
    raise yaml.YAMLError("aliases are not read")


def _until(end: type[Any], events: Iterator[Any]) -> Iterator[Any]:
    while not isinstance(event := next(events), end):
        yield event


def _key(event: Any) -> str:
    if isinstance(event, yaml.ScalarEvent):
        return str(event.value)
    raise yaml.YAMLError("a key is no text")
