"""The registry of an `mlruns` folder, and the models that MLflow 3 keeps beside its runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tracker import _io, layout
from tracker.foreign.files import Files
from tracker.foreign.mlflow_terms import PROMPT_TAG, make_version, model_folder, time_of
from tracker.foreign.mlruns_files import TRASH, MlrunsFiles
from tracker.foreign.places import below
from tracker.foreign.records import ForeignModel, ForeignVersion, iso
from tracker.schema import RegisteredModelFile

_VERSION = re.compile(r"version-([1-9][0-9]{0,8})")


def logged_models(files: MlrunsFiles, experiment: Path) -> dict[str, list[tuple[str, Path]]]:
    """Names and folders of the models that MLflow 3 logged, by run, the oldest first."""
    found = []
    for folder in files.folders(experiment / "models"):
        facts = files.fields(folder, "status", model_id=folder.name)
        artifacts = folder / layout.ARTIFACTS
        if facts is None or not _io.is_folder(artifacts):
            continue
        if facts.get("source_run_id"):
            found.append((time_of(facts.get("creation_timestamp")) or 0, folder.name, facts, artifacts))
        else:
            files.problem(folder, "belongs to no run; it is imported where it is registered")
    by_run: dict[str, list[tuple[str, Path]]] = {}
    for _, _, facts, artifacts in sorted(found, key=lambda model: model[:2]):
        by_run.setdefault(facts["source_run_id"], []).append((facts.get("name") or "model", artifacts))
    return by_run


def registered_models(files: MlrunsFiles) -> Iterator[ForeignModel]:
    """Everything below `models/`, with versions in order."""
    places = Places(files)
    for folder in files.folders(files.root / "models"):
        facts = files.fields(folder, "name", name=folder.name) or {}
        tags = files.texts(folder / "tags")
        if PROMPT_TAG in tags:
            files.problem(folder, "is a prompt and no model, and is not imported")
            continue
        aliases = {alias: text.strip() for alias, text in files.texts(folder / "aliases").items()}
        name, created = facts.get("name") or folder.name, iso(time_of(facts.get("creation_timestamp")))
        file = RegisteredModelFile(name, facts.get("description", ""), tags, aliases, created=created)
        yield ForeignModel(file, tuple(_versions(files, folder, places)))


def _versions(files: MlrunsFiles, folder: Path, places: Places) -> Iterator[ForeignVersion]:
    found = [(match, path) for path in files.folders(folder) if (match := _VERSION.fullmatch(path.name))]
    for number, path in sorted((int(match[1]), path) for match, path in found):
        facts = files.fields(path, "version", version=str(number))
        if facts is None:
            continue
        yield make_version(number, facts, files.texts(path / "tags"), model_folder(facts, places.find))


class Places:
    """Finds the folders of runs and of logged models."""

    def __init__(self, files: MlrunsFiles) -> None:
        self.find = cache(self._look)
        """By its id, and whether it is a model; None for what is not there."""
        quiet, root = Files(files.root), files.root  # what is wrong with them was told when runs were read
        self._experiments = [folder for base in (root, root / TRASH) for folder in quiet.folders(base)]

    def _look(self, name: str, is_model: bool) -> Path | None:
        """The folder of a run or of a logged model."""
        wanted = ["models", name] if is_model else [name]
        return next((found for place in self._experiments if (found := below(place, wanted)) is not None), None)
