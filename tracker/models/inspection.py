"""What a model is, said by its files. Nothing is loaded, and no content makes it raise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tracker import _io
from tracker.exceptions import TrackerError
from tracker.models import digests
from tracker.models.formats import PICKLES, Format, format_of
from tracker.models.mlmodel import PYFUNC, Model
from tracker.schema import ManifestEntry

MAX_TEXT = 8 * 1024 * 1024
"""Bytes of the largest example or list of requirements that is read."""
MAX_PICKLE = 256 * 1024 * 1024
"""Bytes of the largest data file that is looked into."""
_T = TypeVar("_T")


class ModelFacts(msgspec.Struct, frozen=True):
    """A model's folder in a few facts."""

    flavors: tuple[str, ...] = ()
    """Beside python_function."""
    format: str = "unknown"
    """How the model is stored: cloudpickle, skops, onnx, ..."""
    safe: bool = False
    """Loading runs no code of the file."""
    meaning: str = ""
    """What the format means for safety, in a sentence."""
    has_pyfunc: bool = False
    """Whether `tracker.pyfunc.load_model` can load it."""
    signature: Any = None
    """A ModelSignature, or None where the model has none."""
    example: Any = None
    """The input example as it stands in its JSON file; None without one."""
    example_type: str = ""
    """dataframe, ndarray or json_object."""
    example_problem: str = ""
    requirements: tuple[str, ...] = ()
    """Lines of requirements.txt."""
    python: str = ""
    """Version of Python that saved it."""
    digest: str = ""
    """`sha256:` and 64 hex digits over all files; empty when they cannot be hashed."""
    files: dict[str, ManifestEntry] = {}
    """By path relative to the folder, as the manifest has them; hashed now where there is none."""
    size: int = 0
    """Bytes of all files."""
    created: str = ""
    """UTC, as the MLmodel file has it."""
    run_id: str = ""
    metadata: dict[str, Any] = {}
    imports: tuple[str, ...] = ()
    """What unpickling would import, such as `numpy.ndarray`; empty for other formats."""
    types: tuple[str, ...] = ()
    """The types that a skops file names."""
    problems: tuple[str, ...] = ()
    """What could not be read, each with its path."""


def inspect_folder(folder: Path, *, look_inside: bool = False, verify: bool = False) -> ModelFacts:
    """The facts of a model's folder.

    `look_inside` lists imports and types, which reads the data file; `verify` compares all files with the manifest.
    """
    problems: list[str] = []
    model = _tried(lambda: Model.load(folder), Model({}), problems)
    stored = (
        format_of(model) if model.flavors else Format("unknown", False, "The folder holds no model that can be read.")
    )
    pyfunc = model.flavors.get(PYFUNC, {})
    manifest = _tried(lambda: digests.read_manifest(folder) or digests.make_manifest(folder), None, problems)
    if verify and manifest is not None:
        _tried(lambda: digests.verify(folder, manifest), None, problems)
    files = {} if manifest is None else manifest.files
    info = model.saved_input_example_info or {}
    example, example_problem = _example(folder, info)
    inside = _inside(folder, model, stored, problems) if look_inside else ((), ())
    return ModelFacts(
        flavors=model.own_flavors,
        format=stored.name,
        safe=stored.safe,
        meaning=stored.meaning,
        has_pyfunc=bool(pyfunc),
        signature=_tried(lambda: model.signature, None, problems),
        example=example,
        example_type=str(info.get("type", "")),
        example_problem=example_problem,
        requirements=_requirements(folder, files, problems),
        python=str(pyfunc.get("python_version", "")),
        digest="" if manifest is None else manifest.digest,
        files=files,
        size=sum(entry.bytes for entry in files.values()),
        created=model.utc_time_created,
        run_id=model.run_id or "",
        metadata=model.metadata or {},
        imports=inside[0],
        types=inside[1],
        problems=tuple(problems),
    )


def data_file(model: Model) -> str:
    """The file that holds the model itself, relative to its folder; empty where the flavor keeps several."""
    pyfunc = model.flavors.get(PYFUNC, {})
    named = [model.flavors[name] for name in model.own_flavors]
    if isinstance(folder := model.flavors.get("pytorch", {}).get("model_data"), str):
        return f"{folder}/model.pth"
    for facts in [*named, pyfunc]:
        for key in ("pickled_model", "data", "model_path", "python_model"):
            if isinstance(facts.get(key), str):
                return str(facts[key])
    return ""


def _tried(read: Callable[[], _T], default: _T, problems: list[str]) -> _T:
    try:
        return read()
    except (TrackerError, OSError) as error:
        problems.append(str(error))
        return default


def _example(folder: Path, info: dict[str, Any]) -> tuple[Any, str]:
    name = info.get("artifact_path")
    if not isinstance(name, str):
        return None, ""
    if "/" in name or name.startswith("."):
        return None, f"The path of the input example is not one in the model's folder: {name!r:.100}"
    try:
        return json.loads(_io.read_file(folder / name, limit=MAX_TEXT)), ""
    except (OSError, ValueError, RecursionError) as error:
        return None, f"{folder / name} cannot be read: {error}"


def _requirements(folder: Path, files: dict[str, ManifestEntry], problems: list[str]) -> tuple[str, ...]:
    if "requirements.txt" not in files:
        return ()
    try:
        text = _io.read_file(folder / "requirements.txt", limit=MAX_TEXT).decode(errors="replace")
    except OSError as error:
        problems.append(f"{folder / 'requirements.txt'} cannot be read: {error.strerror}.")
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _inside(folder: Path, model: Model, stored: Format, problems: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Imports of a pickle, types of a skops file."""
    from tracker.models import pickles, skops_files

    name = data_file(model)
    if not name or stored.name not in (*PICKLES, "skops"):
        return (), ()
    try:
        digests.hash_file(folder, name)
        data = _io.read_file(folder / name, limit=MAX_PICKLE)
        if stored.name == "skops":
            return (), tuple(skops_files.types_in(data))
        found = {f"{item.module}.{item.name}" for item in pickles.imports_of(data)}
        return tuple(sorted(found)), ()
    except (TrackerError, OSError) as error:
        problems.append(f"{folder / name}: {error}")
        return (), ()
