"""The registry of a database of MLflow's, and the models that MLflow 3 logs beside runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracker.foreign.impersonal import remote
from tracker.foreign.mlflow_db_folders import Folders
from tracker.foreign.mlflow_terms import PROMPT_TAG, Fields, make_version, model_folder, time_of
from tracker.foreign.records import ForeignModel, ForeignVersion, iso
from tracker.foreign.sqlite_files import Database, Lookup, text_in
from tracker.schema import RegisteredModelFile

_VERSION_FACTS = {
    "creation_timestamp": "creation_time",
    "last_updated_timestamp": "last_updated_time",
    "description": "description",
    "current_stage": "current_stage",
    "source": "source",
    "run_id": "run_id",
    "storage_location": "storage_location",
}
"""Fields of a version as files name them, and their columns."""
_NEWEST = 10**9
_Key = tuple[str, str]
"""Workspace and name of a model; older databases have no workspaces."""


def logged_models(database: Database, folders: Folders) -> dict[str, list[tuple[str, Path]]]:
    """Names and folders of the models that MLflow 3 logged, by run, the oldest first."""
    found = []
    columns = ("model_id", "source_run_id", "name", "artifact_location", "experiment_id", "creation_timestamp_ms")
    for row in database.rows("logged_models", *columns):
        model, run, name, uri, experiment, created = (text_in(cell) or "" for cell in row)
        folder = folders.of_model(uri, model, experiment) if model else None
        if folder is None:
            if not remote(uri):
                folders.missing(uri, run or model, is_certain=True)
        elif run:
            found.append((time_of(created) or 0, model, run, name or "model", folder))
        else:
            database.tell("logged_models", f"{model:.60} belongs to no run; it is imported where it is registered")
    by_run: dict[str, list[tuple[str, Path]]] = {}
    for _, _, run, name, folder in sorted(found):
        by_run.setdefault(run, []).append((name, folder))
    return by_run


def registered_models(database: Database, folders: Folders) -> Iterator[ForeignModel]:
    """All registered models with their versions in order."""
    tags = _grouped(database, "registered_model_tags", "key", "value")
    aliases = _grouped(database, "registered_model_aliases", "alias", "version")
    versions = _versions(database, folders)
    names: set[str] = set()
    for row in database.rows("registered_models", "workspace", "name", "description", "creation_time"):
        workspace, name, description, created = (text_in(cell) or "" for cell in row)
        if not name:
            database.tell("registered_models", f"has a name that is none: {row[1]!r:.60}")
            continue
        key = (workspace, name)
        if PROMPT_TAG in tags.get(key, {}):
            database.tell("registered_models", f"{name:.60} is a prompt and no model, and is not imported")
            continue
        if name in names:  # each workspace has its own names
            name = f"{name} ({workspace})"
        names.add(name)
        file = RegisteredModelFile(
            name, description, tags.get(key, {}), aliases.get(key, {}), created=iso(time_of(created))
        )
        found = sorted(versions.get(key, []), key=lambda version: version.file.version)
        yield ForeignModel(file, tuple(found))


def _versions(database: Database, folders: Folders) -> dict[_Key, list[ForeignVersion]]:
    """The versions of all models."""
    tags: dict[tuple[_Key, int], Fields] = {}
    for row in database.rows("model_version_tags", "workspace", "name", "version", "key", "value"):
        workspace, name, _, key, value = (text_in(cell) or "" for cell in row)
        if isinstance(row[2], int) and key:
            tags.setdefault(((workspace, name), row[2]), {})[key] = value
    find = _Find(database, folders)
    found: dict[_Key, list[ForeignVersion]] = {}
    for number, *cells in database.rows("model_versions", "version", "workspace", "name", *_VERSION_FACTS.values()):
        workspace, name, *texts = (text_in(cell) or "" for cell in cells)
        if not isinstance(number, int) or not 0 < number < _NEWEST:
            database.tell("model_versions", f"{name:.60} has a version that is none: {number!r:.60}")
            continue
        facts = dict(zip(_VERSION_FACTS, texts, strict=True))
        version = make_version(number, facts, tags.get(((workspace, name), number), {}), model_folder(facts, find))
        found.setdefault((workspace, name), []).append(version)
    return found


def _grouped(database: Database, table: str, key: str, value: str) -> dict[_Key, Fields]:
    """Tags or aliases by model."""
    found: dict[_Key, Fields] = {}
    for row in database.rows(table, "workspace", "name", key, value):
        workspace, name, first, second = (text_in("" if cell is None else cell) for cell in row)
        if not first or second is None:
            database.tell(table, f"{row[2]!r:.60} of {name or ''!r:.60} is no text or too long, and is left out")
        else:
            found.setdefault((workspace or "", name or ""), {})[first] = second
    return found


class _Find:
    """Finds the folders of runs and logged models by their ids."""

    def __init__(self, database: Database, folders: Folders) -> None:
        self._runs = Lookup(database, "runs", "run_uuid", "artifact_uri", "experiment_id")
        self._models = Lookup(database, "logged_models", "model_id", "artifact_location", "experiment_id")
        self._folders = folders

    def __call__(self, key: str, is_model: bool) -> Path | None:
        """The folder that holds the artifacts of a run or model."""
        for row in (self._models if is_model else self._runs).of(key):
            uri, experiment = (text_in(cell) or "" for cell in row)
            of = self._folders.of_model if is_model else self._folders.of_run
            if (folder := of(uri, key, experiment)) is not None:
                return folder.parent
        return None
