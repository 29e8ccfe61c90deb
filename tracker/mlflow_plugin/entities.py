"""Experiments, runs and registered models as MLflow's client has them."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable
from typing import Any

from mlflow.entities import Experiment, ExperimentTag, Metric, Param, Run, RunData, RunInfo, RunInputs, RunTag
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from mlflow.entities.model_registry.registered_model_alias import RegisteredModelAlias

from tracker import codec, layout
from tracker.entities import make_experiment, run_tags
from tracker.mlflow_plugin import places
from tracker.mlflow_plugin.finding import FoundExperiment, FoundRun
from tracker.reader import ReadExperiment
from tracker.registry import entities as registered

_STATUS = {"STALE": "KILLED"}
"""MLflow has no word for a run that stopped reporting."""
_RUN_INFO = inspect.signature(RunInfo.__init__).parameters
_RUN = inspect.signature(Run.__init__).parameters
_VERSION = inspect.signature(ModelVersion.__init__).parameters
_MS_OF_ID = 100_000
"""How many ids of experiments there are in a millisecond."""


class ReadBack(str):
    """The id of a run in a metric that was read here.

    MLflow reads the points of a run and hands them back with the id of a model, to say that they are the model's too.
    By this it is known that the run has them already.
    """

    __slots__ = ()


def experiment_of(found: FoundExperiment) -> Any:
    """An experiment of MLflow's."""
    ours = make_experiment(ReadExperiment(found.slug, found.folder, found.file))
    created = _precise(ours.creation_time, ours.experiment_id)
    return Experiment(
        experiment_id=ours.experiment_id,
        name=ours.name,
        artifact_location=places.uri_of(found.folder),
        lifecycle_stage=found.stage,
        tags=[ExperimentTag(key, value) for key, value in ours.tags.items()],
        creation_time=created,
        last_update_time=created,
    )


def _precise(created: int | None, experiment_id: str) -> int | None:
    """The time to the millisecond, where the id has it, so that experiments of one second keep their order."""
    with contextlib.suppress(ValueError):
        milliseconds = int(experiment_id) // _MS_OF_ID
        if created is not None and milliseconds // 1000 == created // 1000:
            return milliseconds
    return created


def run_info_of(found: FoundRun) -> Any:
    """What MLflow knows of a run beside what it logged."""
    file = found.read.file
    old = {"run_uuid": file.run_id} if "run_uuid" in _RUN_INFO else {}
    return RunInfo(
        **old,
        run_id=file.run_id,
        experiment_id=found.experiment_id,
        user_id="",
        status=_STATUS.get(file.status, file.status),
        start_time=file.start_time,
        end_time=file.end_time,
        lifecycle_stage=found.stage,
        artifact_uri=places.uri_of(found.read.folder / layout.ARTIFACTS),
        run_name=file.name,
    )


def run_of(found: FoundRun, inputs: Any = None, outputs: Any = None) -> Any:
    """A run of MLflow's; of each metric it has the latest point."""
    file = found.read.file
    metrics = [
        Metric(key, float(metric.last), metric.last_time, metric.last_step) for key, metric in file.metrics.items()
    ]
    params = [Param(key, codec.param_text(value)) for key, value in file.params.items()]
    tags = [RunTag(key, value) for key, value in run_tags(found.read).items()]
    data = RunData(metrics, params, tags)
    made = {"run_outputs": outputs} if "run_outputs" in _RUN else {}
    return Run(run_info_of(found), data, run_inputs=inputs or RunInputs([]), **made)


def version_of(ours: registered.ModelVersion, model_id: str | None) -> Any:
    """A version of a registered model of MLflow's."""
    logged = {"model_id": model_id} if "model_id" in _VERSION else {}
    return ModelVersion(
        name=ours.name,
        version=int(ours.version),
        creation_timestamp=ours.creation_timestamp or 0,
        last_updated_timestamp=ours.last_updated_timestamp,
        description=ours.description or None,
        user_id=ours.user_id or None,
        current_stage=ours.current_stage,
        source=ours.source,
        run_id=ours.run_id or None,
        status=ours.status,
        tags=[ModelVersionTag(key, value) for key, value in ours.tags.items()],
        aliases=list(ours.aliases),
        **logged,
    )


def registered_model_of(ours: registered.RegisteredModel, latest: Iterable[Any]) -> Any:
    """A registered model of MLflow's."""
    return RegisteredModel(
        name=ours.name,
        creation_timestamp=ours.creation_timestamp,
        last_updated_timestamp=ours.last_updated_timestamp,
        description=ours.description or None,
        latest_versions=list(latest),
        tags=[RegisteredModelTag(key, value) for key, value in ours.tags.items()],
        aliases=[RegisteredModelAlias(alias, int(version)) for alias, version in ours.aliases.items()],
    )
