"""Runs and experiments as MLflow scripts see them.

Made from what the reader gives; reading any of them touches no file again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tracker import codec
from tracker.schema import MetricSummary
from tracker.snapshot import NOTE_TAG, PARENT_TAG, RUN_NAME_TAG

if TYPE_CHECKING:
    from tracker.reader import ReadExperiment, ReadRun


class RunStatus:
    """The states of a run. STALE is ours: it stopped reporting on another machine."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    STALE = "STALE"


class ViewType:
    """Which runs or experiments a search covers."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3


class LifecycleStage:
    """Whether something is in use or in the trash."""

    ACTIVE = "active"
    DELETED = "deleted"


class Metric(Struct, frozen=True):
    """One point of a metric."""

    key: str
    value: float
    timestamp: int
    """UTC milliseconds."""
    step: int = 0


class FileInfo(Struct, frozen=True):
    """A file or folder of artifacts."""

    path: str
    """Relative to the artifacts of the run, or to the model."""
    is_dir: bool
    file_size: int | None
    """Bytes; None for a folder."""


class Param(Struct, frozen=True):
    """A param, its value as text."""

    key: str
    value: str


class RunTag(Struct, frozen=True):
    """A tag of a run."""

    key: str
    value: str


class Experiment(Struct, frozen=True):
    """An experiment."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str = LifecycleStage.ACTIVE
    tags: dict[str, str] = {}
    creation_time: int | None = None
    """UTC milliseconds."""
    last_update_time: int | None = None
    description: str = ""
    goal: dict[str, str] = {}
    """maximize or minimize by metric, as declared."""


class RunInfo(Struct, frozen=True):
    """Identity and state of a run."""

    run_id: str
    experiment_id: str
    run_name: str
    status: str
    start_time: int
    """UTC milliseconds."""
    end_time: int | None
    """None while it runs."""
    artifact_uri: str
    lifecycle_stage: str = LifecycleStage.ACTIVE
    user_id: str = ""
    """Always empty: the user is not captured."""

    @property
    def run_uuid(self) -> str:
        """Old name of `run_id`."""
        return self.run_id


class RunData(Struct, frozen=True):
    """What a run logged, in MLflow's forms."""

    metrics: dict[str, float]
    """The latest value of each metric."""
    params: dict[str, str]
    """Params as text."""
    tags: dict[str, str]


class Run(Struct, frozen=True):
    """A run: MLflow's `info` and `data`, and beside them the typed `params` and the summaries of the `metrics`.

    >>> run = tracker.get_run(run_id)
    >>> run.info.status, run.data.params["lr"], run.params["lr"], run.metrics["loss"].min
    ('FINISHED', '0.1', 0.1, 0.023)
    """

    info: RunInfo
    data: RunData
    params: dict[str, codec.Param] = {}
    metrics: dict[str, MetricSummary] = {}

    def to_dictionary(self) -> dict[str, object]:
        """Plain dictionaries of info and data."""
        info = {name: getattr(self.info, name) for name in self.info.__struct_fields__}
        data = {"metrics": self.data.metrics, "params": self.data.params, "tags": self.data.tags}
        return {"info": info, "data": data}


def make_run(run: ReadRun, experiment_id: str, lifecycle_stage: str = LifecycleStage.ACTIVE) -> Run:
    """A Run from what the reader gave."""
    file = run.file
    info = RunInfo(
        run_id=file.run_id,
        experiment_id=experiment_id,
        run_name=file.name,
        status=file.status,
        start_time=file.start_time,
        end_time=file.end_time,
        artifact_uri=run.artifact_uri,
        lifecycle_stage=lifecycle_stage,
    )
    data = RunData(
        metrics={key: metric.last for key, metric in file.metrics.items()},
        params={key: codec.param_text(value) for key, value in file.params.items()},
        tags=run_tags(run),
    )
    return Run(info, data, dict(file.params), dict(file.metrics))


def run_tags(run: ReadRun) -> dict[str, str]:
    """The tags of a run, with those of MLflow's that stand elsewhere in our files."""
    file = run.file
    tags = {**file.tags, RUN_NAME_TAG: file.name}
    if file.parent:
        tags[PARENT_TAG] = file.parent
    if file.source and file.source.script:
        tags["mlflow.source.name"] = file.source.script
    if file.source and file.source.commit:
        tags["mlflow.source.git.commit"] = file.source.commit
    return tags


def make_experiment(experiment: ReadExperiment) -> Experiment:
    """An Experiment from what the reader gave."""
    file = experiment.file
    created = time_of(file.created)
    tags = {**file.tags, NOTE_TAG: file.description} if file.description else dict(file.tags)
    return Experiment(
        experiment_id=file.id,
        name=file.name,
        artifact_location=str(experiment.folder),
        tags=tags,
        creation_time=created,
        last_update_time=created,
        description=file.description,
        goal={**file.goal},
    )


def time_of(text: str) -> int | None:
    """UTC milliseconds of an ISO date as it stands in a file, or None."""
    import datetime

    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return round(moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp() * 1000)
