"""MLflow's file store (`mlruns`), as MLflow 1, 2 and 3 write it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracker import _io, layout
from tracker.foreign.mlruns_files import META, Fields, Files, fields_in, time_of
from tracker.foreign.mlruns_registry import logged_models, registered_models
from tracker.foreign.mlruns_tags import restored, take_goal
from tracker.foreign.records import Dataset, ForeignExperiment, ForeignModel, ForeignRun, derived_id, typed
from tracker.logs import Problem
from tracker.names import is_run_id
from tracker.schema import Source, Status
from tracker.snapshot import NOTE_TAG, PARENT_TAG, RUN_NAME_TAG
from tracker.summary import Series

MAX_METRIC = 1 << 30
"""Bytes of the largest file of a metric that is read."""
TRASH = ".trash"
REGISTRY = "models"
RESERVED = {"tags", "datasets", "traces", "models"}
"""Folders of an experiment that are no runs."""
_ELSEWHERE = {"mlflow.user", "mlflow.source.name", RUN_NAME_TAG, PARENT_TAG}
"""Tags that stand elsewhere in our files, or that name a person."""

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


def is_mlruns(folder: Path) -> bool:
    """Whether a folder holds experiments of MLflow's, or its registry."""
    if fields_in(folder / META):
        return False  # an experiment or a run
    files = Files(folder)
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
        self.root = root
        self._files = Files(root)
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
        meta = meta or {}
        tags = self._files.texts(folder / "tags")
        series = dict(self._series(folder))
        start = time_of(meta.get("start_time")) or min((min(one.times) for one in series.values()), default=0)
        artifacts, elsewhere = _artifacts(folder, meta)
        found = ForeignRun(
            run_id=_run_id(experiment, folder.name),
            experiment=experiment,
            name=tags.get(RUN_NAME_TAG) or meta.get("run_name") or meta.get("name") or folder.name[:8],
            status=_STATUS.get(meta.get("status", ""), "FINISHED" if meta.get("end_time") else "KILLED"),
            start_time=start,
            end_time=time_of(meta.get("end_time")),
            parent=_run_id(experiment, tags[PARENT_TAG].strip()) if tags.get(PARENT_TAG) else None,
            params={key: typed(text) for key, text in self._files.texts(folder / "params").items()},
            tags={key: text for key, text in tags.items() if key not in _ELSEWHERE},
            series=series,
            datasets=tuple(self._datasets(folder)),
            source=_source(tags),
            artifacts=artifacts,
            artifacts_elsewhere=elsewhere,
            models=_named(models, artifacts),
            deleted=deleted or meta.get("lifecycle_stage") == "deleted",
            place=folder.relative_to(self.root).as_posix(),
        )
        return restored(found)

    def _series(self, folder: Path) -> Iterator[tuple[str, Series]]:
        for key, path in self._files.keyed(folder / "metrics"):
            points = self._files.points(path, limit=MAX_METRIC)
            if points:
                steps, times, values = (list(column) for column in zip(*points, strict=True))
                yield key, Series(steps, values, times)

    def _datasets(self, folder: Path) -> Iterator[Dataset]:
        for place in self._files.folders(folder / "inputs"):
            link = self._files.fields(place, "source_id", "tags") or {}
            if link.get("source_type") != "DATASET" or not is_run_id(link.get("source_id", "")):
                continue
            meta = self._files.fields(folder.parent / "datasets" / link["source_id"], "digest", "source_type")
            if meta and meta.get("name"):
                facts = (meta.get(field, "") for field in ("source", "schema", "profile"))
                yield Dataset(meta["name"], meta.get("digest", ""), _context(link), *facts)


def _run_id(experiment: str, name: str) -> str:
    """The id of a run; MLflow takes other words for ids than we do."""
    return name if is_run_id(name) else derived_id("mlruns", experiment, name)


def _artifacts(folder: Path, meta: Fields) -> tuple[Path | None, str]:
    """The artifacts beside the run, whatever machine the URI is of; else where the URI leads."""
    beside = folder / layout.ARTIFACTS
    if _io.is_folder(beside):
        return beside, ""
    uri = meta.get("artifact_uri", "")
    return None, uri if "://" in uri and not uri.startswith("file:") else ""


def _named(models: list[tuple[str, Path]], artifacts: Path | None) -> dict[str, Path]:
    """Models by the name that each gets among the artifacts: `model`, then `model-2`."""
    found: dict[str, Path] = {}
    for name, folder in models:
        free, number = name, 1
        while free in found or (artifacts is not None and (artifacts / free).exists()):
            number += 1
            free = f"{name}-{number}"
        found[free] = folder
    return found


def _context(link: Fields) -> str:
    lines = dict(line.partition("=")[::2] for line in link.get("tags", "").splitlines())
    return lines.get("mlflow.data.context", "")


def _source(tags: Fields) -> Source | None:
    """What the run's tags say of its code; of a path only the name, for the rest may name its owner."""
    script = tags.get("mlflow.source.name", "").replace("\\", "/").rpartition("/")[2]
    commit, branch = tags.get("mlflow.source.git.commit"), tags.get("mlflow.source.git.branch")
    return Source(script or None, commit, branch) if script or commit else None
