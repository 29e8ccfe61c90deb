"""Trackio's folder: a database for each project, lines that wait for one, media and artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker.exceptions import InvalidValueError
from tracker.foreign.files import Files
from tracker.foreign.records import ForeignExperiment, ForeignModel, ForeignRun
from tracker.foreign.sqlite_opening import has_tables, is_damaged
from tracker.foreign.text_files import experiment_key
from tracker.foreign.trackio_inbox import has_inbox, project_key, read_inbox
from tracker.foreign.trackio_project import KIND, Project
from tracker.logs import Problem

ENDING = ".db"
TABLES = {"metrics": ("run_name", "step", "timestamp", "metrics")}
"""What every version has."""
_REGISTRY = "registry-"
"""How the names of databases begin that hold no runs."""


def is_trackio(path: Path) -> bool:
    """Whether a file is the database of a project, or a folder holds some, or lines that wait for one."""
    if path.is_dir():
        return any(True for _ in _databases(Files(path))) or has_inbox(path)
    return has_tables(path, TABLES)


def _databases(files: Files) -> Iterator[Path]:
    for entry in files.entries(files.root):
        path = files.root / entry.name
        if path.suffix == ENDING and not path.name.startswith(_REGISTRY) and has_tables(path, TABLES):
            yield path


class TrackioStore:
    """One project or all projects of a folder, opened for reading."""

    kind = "Trackio"

    def __init__(self, path: Path) -> None:
        """Open it; raises InvalidValueError for what is none, StoreError for a database that is kept locked."""
        if not is_trackio(path) and not is_damaged(path):
            raise InvalidValueError(f"{path} is no database of Trackio's, and no folder with some.")
        is_folder = path.is_dir()
        self.root = path if is_folder else path.parent
        self.source = path
        self._files = Files(self.root)
        waiting: dict[str, list[dict[str, Any]]] = {}
        for record in read_inbox(self._files):
            waiting.setdefault(project_key(record["project"]), []).append(record)
        files = {found.stem: found for found in (_databases(self._files) if is_folder else [path])}
        keys = sorted(files.keys() | waiting.keys()) if is_folder else [path.stem]
        self._projects = [Project(key, self.root, files.get(key), waiting.get(key, [])) for key in keys]
        if is_folder:
            self._tell_of_others(files)

    def _tell_of_others(self, files: dict[str, Path]) -> None:
        """Name what looks like a project and is not read."""
        for path in (self.root / entry.name for entry in Files(self.root).entries(self.root)):
            if path.suffix == ENDING and path.stem not in files and not path.name.startswith(_REGISTRY):
                self._files.problem(path, "is no database of a project, or a link, and is not read")
            elif path.suffix == ".parquet" and not any(path.stem.startswith(key) for key in files):
                self._files.problem(path, "has no database beside it, and is not read")

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return [*self._files.problems, *(problem for project in self._projects for problem in project.problems)]

    def experiments(self) -> Iterator[ForeignExperiment]:
        """Each project is one."""
        for project in self._projects:
            yield ForeignExperiment(experiment_key(KIND, project.key), project.key)

    def count(self) -> int:
        """Runs of all projects."""
        return sum(len(project.names) for project in self._projects)

    def runs(self) -> Iterator[ForeignRun]:
        """All runs, project by project."""
        for project in self._projects:
            yield from project.runs()

    def models(self) -> Iterator[ForeignModel]:
        """None: artifacts stay with their runs."""
        return iter(())
