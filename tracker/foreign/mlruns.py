"""MLflow's file store (`mlruns`), as MLflow 1, 2 and 3 write it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker import _io
from tracker.foreign.records import Dataset, ForeignExperiment, ForeignModel, ForeignRun, derived_id, typed
from tracker.logs import Problem
from tracker.schema import MAX_TIME, Source, Status
from tracker.snapshot import NOTE_TAG, PARENT_TAG, RUN_NAME_TAG
from tracker.summary import Series
from tracker.yaml_files import MAX_YAML, read_plain_yaml

MAX_TEXT = 1_000_000
"""Bytes of the largest param or tag that is read."""
MAX_METRIC = 1 << 30
"""Bytes of the largest file of a metric that is read."""
META = "meta.yaml"
TRASH = ".trash"
MODELS = "models"
_PRIVATE = {"mlflow.user", "mlflow.source.name", RUN_NAME_TAG, PARENT_TAG}
"""Tags that stand elsewhere in our files, or that name a person."""
RESERVED = {"tags", "datasets", "traces", "models"}
"""Folders of an experiment that are no runs."""
MAX_DEPTH = 20

_STATUS: dict[str, Status] = {
    "1": "RUNNING",
    "2": "RUNNING",
    "3": "FINISHED",
    "4": "FAILED",
    "5": "KILLED",
    "RUNNING": "RUNNING",
    "SCHEDULED": "RUNNING",
    "FINISHED": "FINISHED",
    "FAILED": "FAILED",
    "KILLED": "KILLED",
}
_PLAIN_LINE = re.compile(r"([A-Za-z_]\w*):(?: (?:'((?:[^']|'')*)'|([\w./+-][^'\"#:{}\[\],&*]*(?::[^\s'\"#]+)*)))?")
_RUN_ID = re.compile(r"[0-9a-f]{32}")


class MlrunsStore:
    """A folder of MLflow's, opened for reading."""

    kind = "MLflow files"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self._folders = list(self._find_experiments())

    def experiments(self) -> Iterator[ForeignExperiment]:
        """All experiments; one whose meta.yaml is gone is named after its folder."""
        for folder, deleted in self._folders:
            yield self._experiment(folder, deleted)

    def count(self) -> int:
        """Folders that look like runs."""
        return sum(1 for folder, _ in self._folders for _ in self._run_folders(folder))

    def runs(self) -> Iterator[ForeignRun]:
        """All runs, those of deleted experiments too."""
        for folder, deleted in self._folders:
            for run in self._run_folders(folder):
                found = self._run(run, folder.name, deleted)
                if found is not None:
                    yield found

    def models(self) -> Iterator[ForeignModel]:
        """The registry below `models/`."""
        return iter(())

    # Experiments

    def _find_experiments(self) -> Iterator[tuple[Path, bool]]:
        for base, deleted in ((self.root, False), (self.root / TRASH, True)):
            for entry in self._entries(base):
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and entry.name != MODELS:
                    yield base / entry.name, deleted

    def _experiment(self, folder: Path, deleted: bool) -> ForeignExperiment:
        meta = self._meta(folder) or {}
        tags = self._texts(folder / "tags")
        return ForeignExperiment(
            key=folder.name,
            name=meta.get("name") or f"experiment {folder.name}",
            description=tags.pop(NOTE_TAG, ""),
            tags=tags,
            created=_time(meta.get("creation_time")) or 0,
            deleted=deleted or meta.get("lifecycle_stage") == "deleted",
        )

    # Runs

    def _run_folders(self, experiment: Path) -> Iterator[Path]:
        for entry in self._entries(experiment):
            if entry.is_dir(follow_symlinks=False) and entry.name not in RESERVED and not entry.name.startswith("."):
                yield experiment / entry.name

    def _run(self, folder: Path, experiment: str, deleted: bool) -> ForeignRun | None:
        meta = self._meta(folder)
        if meta is None and not any(_io.is_folder(folder / part) for part in ("metrics", "params", "tags")):
            self._problem(folder, "is no run: it has no meta.yaml, params, metrics or tags")
            return None
        meta = meta or {}
        tags = self._texts(folder / "tags")
        series = {key: found for key, path in self._files(folder / "metrics") if (found := self._series(path))}
        start = _time(meta.get("start_time")) or min((min(one.times) for one in series.values()), default=0)
        run_id = folder.name if _RUN_ID.fullmatch(folder.name) else derived_id("mlruns", experiment, folder.name)
        artifacts, elsewhere = self._artifacts(folder, meta.get("artifact_uri", ""))
        return ForeignRun(
            run_id=run_id,
            experiment=experiment,
            name=tags.get(RUN_NAME_TAG) or meta.get("run_name") or meta.get("name") or folder.name[:8],
            status=_STATUS.get(meta.get("status", ""), "FINISHED" if meta.get("end_time") else "KILLED"),
            start_time=start,
            end_time=_time(meta.get("end_time")),
            parent=tags.get(PARENT_TAG),
            params={key: typed(text) for key, text in self._texts(folder / "params").items()},
            tags={key: text for key, text in tags.items() if key not in _PRIVATE},
            series=series,
            datasets=tuple(self._datasets(folder)),
            source=_source(tags),
            artifacts=artifacts,
            artifacts_elsewhere=elsewhere,
            deleted=deleted or meta.get("lifecycle_stage") == "deleted",
        )

    def _artifacts(self, folder: Path, uri: str) -> tuple[Path | None, str]:
        """The artifacts beside the run, whatever machine the URI is of; else where the URI leads."""
        beside = folder / "artifacts"
        if _io.is_folder(beside):
            return beside, ""
        return None, uri if "://" in uri and not uri.startswith("file:") else ""

    def _series(self, path: Path) -> Series | None:
        """The points of a metric, in MLflow's order, each once."""
        try:
            data = _io.read_file(path, limit=MAX_METRIC)
        except OSError as error:
            self._problem(path, error.strerror or str(error))
            return None
        points: dict[tuple[int, int, float], None] = {}
        for number, line in enumerate(data.splitlines(), 1):
            point = _point(line)
            if point is not None:
                points[point] = None  # log_model writes the same point again
            elif line.strip():
                self._problem(path, f"is no point of a metric: {line[:60]!r}", number)
        if not points:
            return None
        series = Series([point[0] for point in points], [point[2] for point in points], [point[1] for point in points])
        series.sort()
        return series

    def _datasets(self, folder: Path) -> Iterator[Dataset]:
        for entry in self._entries(folder / "inputs"):
            link = self._meta(folder / "inputs" / entry.name) or {}
            if link.get("source_type") != "DATASET" or not _RUN_ID.fullmatch(link.get("source_id", "")):
                continue
            meta = self._meta(folder.parent / "datasets" / link["source_id"])
            if meta:
                yield Dataset(meta.get("name", ""), meta.get("digest", ""), _context(link), meta.get("source", ""))

    # Files

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        """What lies in a folder, by name; nothing where none is, and no link is followed."""
        try:
            if not _io.is_folder(folder):
                return []
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._problem(folder, f"cannot be listed: {error.strerror}")
            return []

    def _files(self, folder: Path, prefix: str = "") -> Iterator[tuple[str, Path]]:
        """Keys and files: a key with a slash is a file in a folder."""
        for entry in self._entries(folder):
            if entry.is_dir(follow_symlinks=False) and prefix.count("/") < MAX_DEPTH:
                yield from self._files(folder / entry.name, f"{prefix}{entry.name}/")
            elif entry.is_symlink():
                self._problem(folder / entry.name, "is a link, and links are not followed")
            else:
                yield prefix + entry.name, folder / entry.name

    def _texts(self, folder: Path) -> dict[str, str]:
        """Params or tags: a file each."""
        found = {}
        for key, path in self._files(folder):
            try:
                found[key] = _io.read_file(path, limit=MAX_TEXT).decode()
            except (OSError, UnicodeDecodeError) as error:
                self._problem(path, str(error))
        return found

    def _meta(self, folder: Path) -> dict[str, str] | None:
        """The fields of a meta.yaml as text; None where it is missing or damaged, which is told."""
        path = folder / META
        try:
            data = _io.read_file(path, limit=MAX_YAML)
            return _plain_fields(data.decode()) or _yaml_fields(data)
        except FileNotFoundError:
            self._problem(path, "is missing")
        except (OSError, ValueError) as error:
            self._problem(path, f"cannot be read: {error}")
        return None

    def _problem(self, path: Path, message: str, line: int | None = None) -> None:
        self.problems.append(Problem(path.relative_to(self.root).as_posix(), line, message))


def _plain_fields(text: str) -> dict[str, str]:
    """The fields of a file where each line is a key and a plain scalar, as nearly all are; else nothing.

    A YAML parser takes thirty times as long, and there is one such file for every run.
    """
    found = {}
    for line in text.splitlines():
        match = _PLAIN_LINE.fullmatch(line)
        if match is None:
            return {}
        key, quoted, plain = match.groups()
        found[key] = quoted.replace("''", "'") if quoted is not None else (plain or "").strip()
    return {key: "" if value in ("null", "~") else value for key, value in found.items()}


def _yaml_fields(data: bytes) -> dict[str, str]:
    value = read_plain_yaml(data)
    if not isinstance(value, dict) or not value:
        raise ValueError("it holds no fields")
    return {str(key): _text(entry) for key, entry in value.items()}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}={entry}" for key, entry in value.items())
    return "" if value is None else str(value)


def _context(link: dict[str, str]) -> str:
    lines = dict(line.partition("=")[::2] for line in link.get("tags", "").splitlines())
    return lines.get("mlflow.data.context", "")


def _time(text: str | None) -> int | None:
    """UTC milliseconds, or None for what is no time."""
    try:
        value = int(text or "")
    except ValueError:
        return None
    return value if 0 <= value <= MAX_TIME else None


def _source(tags: dict[str, str]) -> Source | None:
    """What the run's tags say of its code; of a path only the name, for the rest may name its owner."""
    script = tags.get("mlflow.source.name", "").replace("\\", "/").rpartition("/")[2]
    commit, branch = tags.get("mlflow.source.git.commit"), tags.get("mlflow.source.git.branch")
    return Source(script or None, commit, branch) if script or commit else None


def _point(line: bytes) -> tuple[int, int, float] | None:
    """Step, time and value of a line of two to six fields; None for what is no point."""
    fields = line.split()
    try:
        time, value = int(float(fields[0])), float(fields[1])
        step = int(fields[2]) if len(fields) > 2 else 0
    except (ValueError, IndexError, OverflowError):
        return None
    return (step, time, value) if 0 <= time <= MAX_TIME and abs(step) < 1 << 63 else None
