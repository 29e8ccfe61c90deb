"""A store of ours as a source, so that several can become one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracker import _io, layout
from tracker.entities import time_of
from tracker.exceptions import TrackerError
from tracker.foreign.records import ForeignExperiment, ForeignModel, ForeignRun, ForeignVersion
from tracker.logs import Problem
from tracker.reader import ReadRun, load_environment, read_history, read_store, read_trash
from tracker.registry.reading import ReadModel, ReadVersion, read_registry


class OwnStore:
    """A store of ours, opened for reading. Raises NewerSchemaError for one of a newer tracker."""

    kind = "a tracker store"

    def __init__(self, root: Path) -> None:
        self.root = self.source = root
        self._store = read_store(root)
        self.title = self._store.file.title
        self.problems = list(self._store.problems)
        ids = [experiment.file.id for experiment in self._store.experiments]
        self._keys = {
            one.slug: one.file.id if ids.count(one.file.id) == 1 and one.file.id else one.slug
            for one in self._store.experiments
        }

    def experiments(self) -> Iterator[ForeignExperiment]:
        """All experiments but those in the trash, whose names only their runs tell."""
        for one in self._store.experiments:
            file = one.file
            yield ForeignExperiment(
                self._keys[one.slug], file.name, file.description, file.tags, file.goal, time_of(file.created) or 0
            )

    def count(self) -> int:
        """The runs that are not deleted."""
        return sum(len(one.runs) for one in self._store.experiments)

    def runs(self) -> Iterator[ForeignRun]:
        """All runs, deleted ones too."""
        for run in self._store.runs():
            yield self._run(run, deleted=False)
        for run in read_trash(self.root):
            if run.slug in self._keys:
                yield self._run(run, deleted=True)

    def _run(self, run: ReadRun, *, deleted: bool) -> ForeignRun:
        file, folder = run.file, run.folder
        place = folder.relative_to(self.root).as_posix()
        try:
            environment = load_environment(folder)
        except (OSError, ValueError) as error:
            environment = None
            self.problems.append(Problem(f"{place}/{layout.ENVIRONMENT_FILE}", None, f"cannot be read: {error}"))
        artifacts = folder / layout.ARTIFACTS
        return ForeignRun(
            run_id=file.run_id,
            experiment=self._keys[run.slug],
            name=file.name,
            status=file.status,
            start_time=file.start_time,
            end_time=file.end_time,
            parent=file.parent,
            params=file.params,
            tags=file.tags,
            series=read_history(folder).series,
            source=file.source,
            environment=environment,
            ended_by=file.ended_by,
            artifacts=artifacts if _io.is_folder(artifacts) else None,
            deleted=deleted,
            place=place,
        )

    def models(self) -> Iterator[ForeignModel]:
        """The registry with its whole history."""
        registry = read_registry(self.root)
        self.problems += registry.problems
        for model in registry.models:
            yield ForeignModel(model.file, tuple(self._version(model, version) for version in model.versions))

    def _version(self, model: ReadModel, version: ReadVersion) -> ForeignVersion:
        try:
            folder = version.folder
        except TrackerError as error:
            self.problems.append(Problem(model.folder.relative_to(self.root).as_posix(), None, error.message))
            return ForeignVersion(version.file, None)
        return ForeignVersion(version.file, folder if _io.is_folder(folder) else None)
