"""The registry of an `mlruns` folder, and the models that MLflow 3 keeps beside its runs."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tracker import _io
from tracker.foreign.records import ForeignModel, ForeignVersion
from tracker.schema import Change, RegisteredModelFile, VersionFile

Meta = Callable[[Path], dict[str, str] | None]
Texts = Callable[[Path], dict[str, str]]
_VERSION = re.compile(r"version-(\d+)")
_MODEL_URI = re.compile(r"models:/(m-[0-9a-f]{32})")


def logged_models(experiment: Path, meta: Meta) -> Iterator[tuple[str, str, Path]]:
    """Id of the run, name and folder of each model that MLflow 3 logged, the oldest first."""
    base = experiment / "models"
    found = []
    for folder in sorted(base.iterdir()) if _io.is_folder(base) else []:
        facts = meta(folder) if _io.is_folder(folder) else None
        if facts and facts.get("source_run_id") and _io.is_folder(folder / "artifacts"):
            found.append((facts.get("creation_timestamp", ""), facts["source_run_id"], facts.get("name", ""), folder))
    return ((run, name or "model", folder / "artifacts") for _, run, name, folder in sorted(found))


def registered_models(root: Path, meta: Meta, texts: Texts) -> Iterator[ForeignModel]:
    """Everything below `models/`, with versions in order."""
    base = root / "models"
    for folder in sorted(base.iterdir()) if _io.is_folder(base) else []:
        facts = meta(folder) if _io.is_folder(folder) else None
        if facts is None:
            continue
        aliases = texts(folder / "aliases")
        file = RegisteredModelFile(
            name=facts.get("name") or folder.name,
            description=facts.get("description", ""),
            tags=texts(folder / "tags"),
            aliases={alias: text.strip() for alias, text in aliases.items()},
            created=iso(facts.get("creation_timestamp", "")),
        )
        yield ForeignModel(file, tuple(_versions(root, folder, meta, texts)))


def _versions(root: Path, folder: Path, meta: Meta, texts: Texts) -> Iterator[ForeignVersion]:
    numbered = [(int(match[1]), path) for path in folder.iterdir() if (match := _VERSION.fullmatch(path.name))]
    for number, path in sorted(numbered):
        facts = meta(path)
        if facts is None:
            continue
        created = iso(facts.get("creation_timestamp", ""))
        stage = facts.get("current_stage") or "None"
        history = [Change(created, "registered")]
        if stage != "None":
            history.append(Change(iso(facts.get("last_updated_timestamp", "")), "stage", "None", stage))
        file = VersionFile(
            version=number,
            path="",
            digest="",
            source=facts.get("source", ""),
            run_id=facts.get("run_id", ""),
            stage=stage,
            description=facts.get("description", ""),
            tags=texts(path / "tags"),
            created=created,
            history=history,
        )
        yield ForeignVersion(file, _folder_of(root, facts))


def _folder_of(root: Path, facts: dict[str, str]) -> Path | None:
    """The files of a version inside the store, whatever machine its URI names."""
    for key in ("storage_location", "source"):
        uri = facts.get(key, "")
        named = _MODEL_URI.search(uri)
        if named:
            return next((path / "artifacts" for path in root.glob(f"*/models/{named[1]}")), None)
        parts = uri.replace("\\", "/").split("/")
        if facts.get("run_id") in parts:
            below = parts[parts.index(facts["run_id"]) + 1 :]
            for run in root.glob(f"*/{facts['run_id']}"):
                folder = run.joinpath(*below)
                if ".." not in below and _io.is_folder(folder):
                    return folder
    return None


def iso(milliseconds: str) -> str:
    """A time as our registry writes it, or an empty text."""
    try:
        moment = datetime.datetime.fromtimestamp(int(milliseconds) / 1000, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
