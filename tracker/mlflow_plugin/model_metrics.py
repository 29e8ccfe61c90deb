"""Metrics of a logged model: the latest point of each, for each data set that it was measured on."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from tracker import codec
from tracker.mlflow_plugin.model_files import ModelFiles
from tracker.schema import LoggedModelFile, LoggedModelPoint


def add_metrics(models: ModelFiles, run_id: str, metrics: Iterable[Any]) -> None:
    """Keep points of MLflow's that belong to models, which a run measured."""
    by_model: defaultdict[str, list[LoggedModelPoint]] = defaultdict(list)
    for metric in metrics:
        by_model[metric.model_id].append(_point(run_id, metric))
    for model_id, points in by_model.items():
        models.change(model_id, lambda file, points=points: _with(file, points))  # type: ignore[misc]


def _point(run_id: str, metric: Any) -> LoggedModelPoint:
    return LoggedModelPoint(
        key=metric.key,
        value=msgspec.json.decode(codec.metric_text(metric.key, metric.value)),
        step=codec.as_integer(metric.step, "A step"),
        time=codec.as_time(metric.timestamp),
        run_id=run_id,
        dataset=metric.dataset_name or "",
        digest=metric.dataset_digest or "",
    )


def _with(file: LoggedModelFile, points: list[LoggedModelPoint]) -> LoggedModelFile:
    """The file with the latest of the points of each kind, by step, time and value as in a run."""
    latest = {_kind(point): point for point in file.metrics}
    for point in points:
        before = latest.get(_kind(point))
        if before is None or _place(before) <= _place(point):
            latest[_kind(point)] = point
    return msgspec.structs.replace(file, metrics=list(latest.values()))


def _kind(point: LoggedModelPoint) -> tuple[str, str, str]:
    return point.key, point.dataset, point.digest


def _place(point: LoggedModelPoint) -> tuple[int, int, float]:
    value = float(point.value)
    return point.step, point.time, -math.inf if math.isnan(value) else value
