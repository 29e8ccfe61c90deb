"""The part of the tracking store for what a run logs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mlflow.entities import Metric as MlflowMetric
from mlflow.store.entities.paged_list import PagedList

from tracker import entities, reader
from tracker.exceptions import InvalidNameError, InvalidValueError, NotFoundError
from tracker.foreign.records import typed
from tracker.mlflow_plugin.datasets import add_datasets
from tracker.mlflow_plugin.entities import ReadBack
from tracker.mlflow_plugin.finding import Finder
from tracker.mlflow_plugin.model_files import ModelFiles, add_links
from tracker.mlflow_plugin.model_metrics import add_metrics
from tracker.run import ActiveRun
from tracker.session import session as current

_LOGGED_MODELS = "mlflow.log-model.history"
"""The tag in which MLflow 2 keeps what models a run logged."""


class Writing:
    """Metrics, params, tags and inputs of runs."""

    root: Path
    finder: Finder
    models: ModelFiles

    def log_metric(self, run_id: str, metric: Any) -> None:
        """Log one point of a metric."""
        if getattr(metric, "model_id", None) is None:
            self._run(run_id).log_metric(metric.key, metric.value, metric.step, metric.timestamp)
        else:
            self.log_batch(run_id, [metric], [], [])

    def log_param(self, run_id: str, param: Any) -> None:
        """Log a param; MLflow gives texts, and what is written like a number becomes one."""
        self._run(run_id).log_params({param.key: _param(param.value)})

    def set_tag(self, run_id: str, tag: Any) -> None:
        """Set a tag."""
        self._run(run_id).set_tag(tag.key, _text(tag.value))

    def delete_tag(self, run_id: str, key: str) -> None:
        """Delete a tag; MLflow's error RESOURCE_DOES_NOT_EXIST when the run has none of this name."""
        self._run(run_id).delete_tag(key)

    def log_batch(self, run_id: str, metrics: Sequence[Any], params: Sequence[Any], tags: Sequence[Any]) -> None:
        """Log metrics, params and tags in one write: all of them, or none when one is refused."""
        run = self._run(run_id)
        given: dict[str, Any] = {}
        for param in params:
            if given.setdefault(param.key, param.value) != param.value:
                raise InvalidValueError(f"Duplicate parameter keys have been submitted: {param.key!r}.")
        run.log_batch(
            _points(run_id, metrics),
            {key: _param(value) for key, value in given.items()},
            {tag.key: _text(tag.value) for tag in tags},
        )
        of_models = [metric for metric in metrics if getattr(metric, "model_id", None) is not None]
        if of_models:
            add_metrics(self.models, run_id, of_models)

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Any:
        """Every point of a metric, by step and time; of a metric that the run does not have there are none."""
        if page_token is not None:
            raise InvalidValueError("All points come at once, so there is no page_token.")
        series = reader.read_history(self.finder.run_folder(run_id)).series.get(metric_key)
        if series is None:
            return PagedList([], None)
        points = zip(series.values, series.times, series.steps, strict=True)
        extra = {"run_id": ReadBack(run_id)} if _TELLS_RUN else {}
        return PagedList([MlflowMetric(metric_key, value, time, step, **extra) for value, time, step in points], None)

    # Inputs and outputs

    def log_inputs(self, run_id: str, datasets: list[Any] | None = None, models: list[Any] | None = None) -> None:
        """Note the data sets and models that a run uses."""
        run = self._run(run_id)
        if datasets:
            add_datasets(run, datasets)
        if models:
            add_links(run.folder, [model.model_id for model in models], {})

    def log_outputs(self, run_id: str, models: list[Any]) -> None:
        """Note the models that a run made."""
        run = self._run(run_id)
        if models:
            add_links(run.folder, [], {model.model_id: model.step for model in models})

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        """Note a model in the tag that MLflow 2 keeps for it."""
        run = self._run(run_id)
        before = run.data.tags.get(_LOGGED_MODELS)
        run.set_tag(_LOGGED_MODELS, json.dumps([*(json.loads(before) if before else []), mlflow_model.get_tags_dict()]))

    def _run(self, run_id: str) -> ActiveRun:
        """The run to write to: one log of this process stays open for it."""
        try:
            return current.kept_run(self.root, run_id)
        except (NotFoundError, InvalidNameError):
            self.finder.check_active(run_id)  # says whether it is deleted
            raise


_TELLS_RUN = "run_id" in MlflowMetric.__init__.__code__.co_varnames


def _points(run_id: str, metrics: Iterable[Any]) -> list[entities.Metric]:
    """The points that are new to the run: MLflow gives one again for each model that it belongs to."""
    points: dict[tuple[Any, ...], entities.Metric] = {}
    for number, metric in enumerate(metrics):
        point = entities.Metric(metric.key, metric.value, metric.timestamp, metric.step)
        if getattr(metric, "model_id", None) is None:
            points[(number,)] = point
        elif not (isinstance(metric.run_id, ReadBack) and metric.run_id == run_id):
            points.setdefault((point.key, point.step, point.timestamp, repr(point.value)), point)
    return list(points.values())


def _param(value: object) -> object:
    text = _text(value)
    return typed(text)


def _text(value: object) -> str:
    return "" if value is None else str(value)
