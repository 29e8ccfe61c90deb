"""`mlflow/` of a run: what MLflow's client knows of the models that the run logged.

Their folders lie among the artifacts, under the names that models of tracker get. Files here are changed while holding
a claim on the folder, so that several processes may tell of one model.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from tracker import _clock, _io, codec, layout, names
from tracker.exceptions import NotFoundError
from tracker.mlflow_plugin.finding import Finder
from tracker.registry.claims import claim
from tracker.schema import SCHEMA, LoggedModelFile, ModelLinksFile

MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
MAX_FILE = 1 << 26
"""Bytes of the largest file that is read."""
_T = TypeVar("_T", bound=msgspec.Struct)


class ModelFiles:
    """The logged models of a store."""

    def __init__(self, root: Path) -> None:
        self._finder = Finder(root)
        self._known: dict[str, Path] = {}
        """Runs of the models that were looked for before."""

    def find(self, model_id: str) -> tuple[Path, LoggedModelFile]:
        """The folder of the run of a model, and its file; NotFoundError when there is none."""
        known = self._known.get(model_id)
        for run_folder in itertools.chain([known] if known else (), self._runs_with(model_id)):
            found = _read(layout.logged_model_file(run_folder, model_id), LoggedModelFile)
            if found is not None:
                self._known[model_id] = run_folder
                return run_folder, found
        raise NotFoundError(f"Model '{model_id}' not found")

    def create(self, run_folder: Path, file: LoggedModelFile) -> LoggedModelFile:
        """Keep a new model of a run, with an empty folder among its artifacts."""
        with _io.explained("make a model in", run_folder):
            made = msgspec.structs.replace(file, path=_reserve(run_folder, file.name))
            _io.make_folder(layout.mlflow_folder(run_folder), inside=run_folder)
            _write(layout.logged_model_file(run_folder, made.model_id), made)
        self._known[made.model_id] = run_folder
        return made

    def change(self, model_id: str, change: Callable[[LoggedModelFile], LoggedModelFile]) -> LoggedModelFile:
        """Change the file of a model that is not deleted."""
        run_folder, _ = self.find(model_id)
        folder = layout.mlflow_folder(run_folder)
        with _io.explained("change a model in", folder), claim(folder):
            _, found = self.find(model_id)
            if found.deleted:
                raise NotFoundError(f"Model '{model_id}' not found")
            changed = msgspec.structs.replace(change(found), updated=_clock.now_ms())
            _write(layout.logged_model_file(run_folder, model_id), changed)
        return changed

    def _runs_with(self, model_id: str) -> Iterator[Path]:
        if not MODEL_ID.fullmatch(model_id):
            return
        for experiment in self._finder.experiments():
            for run_folder in self._finder.run_folders(experiment):
                if layout.logged_model_file(run_folder, model_id).is_file():
                    yield run_folder


def models_of(run_folder: Path) -> list[LoggedModelFile]:
    """The models of a run that are not deleted, by the time at which they were made."""
    folder = layout.mlflow_folder(run_folder)
    if not _io.is_folder(folder):
        return []
    ids = (path.stem for path in sorted(folder.glob("m-*.json")) if MODEL_ID.fullmatch(path.stem))
    read = (_read(layout.logged_model_file(run_folder, model_id), LoggedModelFile) for model_id in ids)
    return sorted((found for found in read if found and not found.deleted), key=lambda found: found.created)


def links_of(run_folder: Path) -> ModelLinksFile:
    """The models that a run used and made."""
    folder = layout.mlflow_folder(run_folder)
    return _read(folder / layout.MODEL_LINKS_FILE, ModelLinksFile) or ModelLinksFile(SCHEMA)


def add_links(run_folder: Path, inputs: list[str], outputs: dict[str, int]) -> None:
    """Note models that a run used, and those that it made."""
    folder = layout.mlflow_folder(run_folder)
    with _io.explained("note models in", folder):
        _io.make_folder(folder, inside=run_folder)
        with claim(folder):
            old = links_of(run_folder)
            made = {model_id: step for model_id, step in outputs.items() if model_id not in old.outputs}
            new = ModelLinksFile(SCHEMA, list(dict.fromkeys([*old.inputs, *inputs])), {**old.outputs, **made})
            if new != old:
                _write(folder / layout.MODEL_LINKS_FILE, new)


def _reserve(run_folder: Path, name: str) -> str:
    """An empty folder among the artifacts: `model`, or `model-2` and so on where the name is taken."""
    artifacts = run_folder / layout.ARTIFACTS
    _io.make_folder(artifacts, inside=run_folder)
    wanted = names.check_artifact_path(name, "The name of a model").as_posix()
    for number in itertools.count(1):
        path = wanted if number == 1 else f"{wanted}-{number}"
        with contextlib.suppress(FileExistsError):
            _io.create_folder(artifacts / path)
            return path
    raise AssertionError("unreachable: some number is free")


def _read(path: Path, kind: type[_T]) -> _T | None:
    """A file of ours; None where it is missing or cannot be read."""
    try:
        found = msgspec.json.decode(_io.read_file(path, limit=MAX_FILE), type=kind)
    except (OSError, RecursionError, UnicodeDecodeError, msgspec.MsgspecError):
        return None
    return None if isinstance(found, LoggedModelFile) and not _is_sound(found) else found


def _is_sound(file: LoggedModelFile) -> bool:
    """Whether the path stays inside the artifacts, and the values of the metrics are numbers."""
    try:
        names.check_artifact_path(file.path)
        for point in file.metrics:
            codec.read_number(point.value)
    except ValueError:
        return False
    return True


def _write(path: Path, value: msgspec.Struct) -> None:
    _io.replace_file(path, codec.json_file(value), durable=False)
