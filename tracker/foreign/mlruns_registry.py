"""The registry of an `mlruns` folder, and the models that MLflow 3 keeps beside its runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tracker import _io, layout
from tracker.foreign.mlruns_files import Fields, Files, time_of
from tracker.foreign.records import ForeignModel, ForeignVersion, iso
from tracker.schema import Change, RegisteredModelFile, VersionFile

_PROMPT = "mlflow.prompt.is_prompt"
_DELETED = "Deleted_Internal"
"""MLflow's name for the stage of a version that was deleted."""
_VERSION = re.compile(r"version-([1-9][0-9]{0,8})")
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


def logged_models(files: Files, experiment: Path) -> dict[str, list[tuple[str, Path]]]:
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


def registered_models(files: Files) -> Iterator[ForeignModel]:
    """Everything below `models/`, with versions in order."""
    places = Places(files.root)
    for folder in files.folders(files.root / "models"):
        facts = files.fields(folder, "name", name=folder.name) or {}
        tags = files.texts(folder / "tags")
        if _PROMPT in tags:
            files.problem(folder, "is a prompt and no model, and is not imported")
            continue
        aliases = {alias: text.strip() for alias, text in files.texts(folder / "aliases").items()}
        name, created = facts.get("name") or folder.name, iso(time_of(facts.get("creation_timestamp")))
        file = RegisteredModelFile(name, facts.get("description", ""), tags, aliases, created=created)
        yield ForeignModel(file, tuple(_versions(files, folder, places)))


def _versions(files: Files, folder: Path, places: Places) -> Iterator[ForeignVersion]:
    found = [(match, path) for path in files.folders(folder) if (match := _VERSION.fullmatch(path.name))]
    for number, path in sorted((int(match[1]), path) for match, path in found):
        facts = files.fields(path, "version", version=str(number))
        if facts is None:
            continue
        created = time_of(facts.get("creation_timestamp")) or 0
        changed = max(created, time_of(facts.get("last_updated_timestamp")) or 0)
        stage = facts.get("current_stage") or "None"
        history = [Change(iso(created), "registered", to=str(number))]
        deleted = stage == _DELETED
        if deleted:
            history.append(Change(iso(changed), "deleted"))
            stage = "None"
        elif stage != "None":
            history.append(Change(iso(changed), "stage", "None", stage))
        file = VersionFile(
            version=number,
            path="",
            digest="",
            source=facts.get("source", ""),
            run_id=facts.get("run_id", ""),
            stage=stage,
            description=facts.get("description", ""),
            tags=files.texts(path / "tags"),
            created=iso(created),
            deleted=deleted,
            history=history,
        )
        yield ForeignVersion(file, places.of(facts))


class Places:
    """Finds the folders of models that versions name by URIs of any machine."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._find = cache(self._look)
        self._experiments = [
            folder
            for base in (root, root / ".trash")
            if _io.is_folder(base)
            for folder in sorted(base.iterdir())
            if _io.is_folder(folder)
        ]

    def of(self, facts: Fields) -> Path | None:
        """The folder of a version inside the store; None where it is not there."""
        uris = [facts.get(key, "").replace("\\", "/") for key in ("storage_location", "source")]
        for uri in uris:
            parts = uri.split("/")
            for index, part in enumerate(parts):
                is_model = _MODEL_ID.fullmatch(part)
                if not is_model and (not part or part != facts.get("run_id")):
                    continue
                below = [] if is_model else parts[index + 1 :]
                if below and below[0] != layout.ARTIFACTS:
                    below.insert(0, layout.ARTIFACTS)  # a runs:/ URI
                base = self._find(part, bool(is_model))
                if base is not None and (folder := _below(base, below or [layout.ARTIFACTS])) is not None:
                    return folder
        return None

    def _look(self, name: str, is_model: bool) -> Path | None:
        """The folder of a run or of a logged model."""
        wanted = ["models", name] if is_model else [name]
        return next((found for place in self._experiments if (found := _below(place, wanted)) is not None), None)


def _below(folder: Path, parts: list[str]) -> Path | None:
    """A folder below another, without links on the way."""
    for part in filter(None, parts):
        folder /= part
        if part in (".", "..") or not _io.is_folder(folder):
            return None
    return folder
