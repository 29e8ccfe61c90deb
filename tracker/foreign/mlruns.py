"""MLflow's file store (`mlruns`), as MLflow 1, 2 and 3 write it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracker import _io, layout
from tracker.foreign.impersonal import remote
from tracker.foreign.mlflow_terms import CONTEXT_TAG, Fields, make_run, series_of, time_of
from tracker.foreign.mlruns_files import META, TRASH, MlrunsFiles, fields_in
from tracker.foreign.mlruns_registry import logged_models, registered_models
from tracker.foreign.mlruns_tags import take_goal
from tracker.foreign.records import Dataset, ForeignExperiment, ForeignModel, ForeignRun
from tracker.logs import Problem
from tracker.names import is_run_id
from tracker.snapshot import NOTE_TAG
from tracker.summary import Series

MAX_METRIC = 1 << 30
"""Bytes of the largest file of a metric that is read."""
REGISTRY = "models"
RESERVED = {"tags", "datasets", "traces", "models"}
"""Folders of an experiment that are no runs."""


def is_mlruns(folder: Path) -> bool:
    """Whether a folder holds experiments of MLflow's, or its registry."""
    if fields_in(folder / META):
        return False  # an experiment or a run
    files = MlrunsFiles(folder)
    experiments = files.folders(folder) + files.folders(folder / TRASH)
    if any(_says(experiment, "experiment_id") for experiment in experiments):
        return True
    runs = (run for experiment in experiments for run in files.folders(experiment))
    return any(_says(run, "run_id", "run_uuid") for run in runs)


def _says(folder: Path, *fields: str) -> bool:
    """Whether a folder's meta.yaml has one of these fields."""
    return not fields_in(folder / META).isdisjoint(fields)


class MlrunsStore:
    """A folder of MLflow's, opened for reading."""

    kind = "MLflow files"

    def __init__(self, root: Path) -> None:
        self.root = self.source = root
        self._files = MlrunsFiles(root)
        self._folders = [
            (folder, base != root)
            for base in (root, root / TRASH)
            for folder in self._files.folders(base)
            if folder.name != REGISTRY
        ]
        self._runs = [(folder, self._run_folders(folder), deleted) for folder, deleted in self._folders]

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return self._files.problems

    def experiments(self) -> Iterator[ForeignExperiment]:
        """All experiments; one whose meta.yaml is gone is named after its folder."""
        for folder, runs, deleted in self._runs:
            meta = self._files.fields(folder, "experiment_id", "name", experiment_id=folder.name)
            if meta is None and not runs:
                continue
            meta = meta or {}
            tags = self._files.texts(folder / "tags")
            yield ForeignExperiment(
                key=folder.name,
                name=meta.get("name") or f"experiment {folder.name}",
                description=tags.pop(NOTE_TAG, ""),
                goal=take_goal(tags),
                tags=tags,
                created=time_of(meta.get("creation_time")) or 0,
                deleted=deleted or meta.get("lifecycle_stage") == "deleted",
            )

    def count(self) -> int:
        """Folders that look like runs."""
        return sum(len(runs) for _, runs, _ in self._runs)

    def runs(self) -> Iterator[ForeignRun]:
        """All runs, those of deleted experiments too."""
        for folder, runs, deleted in self._runs:
            models = logged_models(self._files, folder)
            for run in runs:
                found = self._run(run, folder.name, deleted, models.get(run.name, []))
                if found is not None:
                    yield found

    def models(self) -> Iterator[ForeignModel]:
        """The registry below `models/`."""
        return registered_models(self._files)

    # Runs

    def _run_folders(self, experiment: Path) -> list[Path]:
        return [folder for folder in self._files.folders(experiment) if folder.name not in RESERVED]

    def _run(self, folder: Path, experiment: str, deleted: bool, models: list[tuple[str, Path]]) -> ForeignRun | None:
        meta = self._files.fields(folder, "status", "user_id", run_id=folder.name, run_uuid=folder.name)
        if meta is None and not any(_io.is_folder(folder / part) for part in ("metrics", "params", "tags")):
            self._files.problem(folder, "is no run: it has no meta.yaml, params, metrics or tags")
            return None
        artifacts, elsewhere = _artifacts(folder, meta or {})
        return make_run(
            experiment,
            folder.name,
            meta or {},
            params=self._files.texts(folder / "params"),
            tags=self._files.texts(folder / "tags"),
            series=dict(self._series(folder)),
            datasets=self._datasets(folder),
            artifacts=artifacts,
            elsewhere=elsewhere,
            models=models,
            deleted=deleted,
            place=folder.relative_to(self.root).as_posix(),
        )

    def _series(self, folder: Path) -> Iterator[tuple[str, Series]]:
        for key, path in self._files.keyed(folder / "metrics"):
            points = self._files.points(path, limit=MAX_METRIC)
            if points:
                yield key, series_of(points)

    def _datasets(self, folder: Path) -> Iterator[Dataset]:
        for place in self._files.folders(folder / "inputs"):
            link = self._files.fields(place, "source_id", "tags") or {}
            if link.get("source_type") != "DATASET" or not is_run_id(link.get("source_id", "")):
                continue
            meta = self._files.fields(folder.parent / "datasets" / link["source_id"], "digest", "source_type")
            if meta and meta.get("name"):
                facts = (meta.get(field, "") for field in ("source", "schema", "profile"))
                yield Dataset(meta["name"], meta.get("digest", ""), _context(link), *facts)


def _artifacts(folder: Path, meta: Fields) -> tuple[Path | None, str]:
    """The artifacts beside the run, whatever machine the URI is of; else where the URI leads."""
    beside = folder / layout.ARTIFACTS
    if _io.is_folder(beside):
        return beside, ""
    return None, remote(meta.get("artifact_uri", ""))


def _context(link: Fields) -> str:
    lines = dict(line.partition("=")[::2] for line in link.get("tags", "").splitlines())
    return lines.get(CONTEXT_TAG, "")
