"""Runs as rows of a table: which columns there are, of what type, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from tracker.codec import Param
from tracker.entities import run_tags
from tracker.schema import MetricSummary
from tracker.search import FoundRun
from tracker.snapshot import PARENT_TAG, RUN_NAME_TAG
from tracker.summary import best_of, goal_of

Kind = Literal["text", "bool", "integer", "long", "number", "time"]
"""What a column holds; `long` are integers that no float tells apart. Times are UTC milliseconds."""
Row = dict[str, object]
"""The values of a run by column; a column that it has no value for is missing."""

FIXED: dict[str, Kind] = {
    "run_id": "text",
    "experiment": "text",
    "name": "text",
    "status": "text",
    "start_time": "time",
    "end_time": "time",
    "duration_seconds": "number",
    "parent": "text",
}
"""The columns that every table of runs has."""
POINTS: dict[str, Kind] = {"run_id": "text", "metric": "text", "step": "integer", "time": "time", "value": "number"}
"""The columns of a table of points."""
_EXACT = 1 << 53
_LONG = 1 << 63
_ELSEWHERE = {RUN_NAME_TAG, PARENT_TAG}


def columns_of(runs: Iterable[FoundRun], *, summary: bool) -> dict[str, Kind]:
    """The columns of a table of runs: the fixed ones, then params, metrics and tags by name."""
    params: dict[str, Kind | None] = {}
    metrics: set[str] = set()
    tags: set[str] = set()
    for run in runs:
        for key, value in run.file.params.items():
            params[key] = _merged(params.get(key), _kind(value))
        metrics.update(run.file.metrics)
        tags.update(_tags(run))
    columns = dict(FIXED)
    columns |= {f"params.{key}": params[key] or "text" for key in sorted(params)}
    for key in sorted(metrics):
        columns[f"metrics.{key}"] = "number"
        if summary:
            columns |= {f"{name}(metrics.{key})": kind for name, kind in _SUMMARY.items()}
    columns |= {f"tags.{key}": "text" for key in sorted(tags)}
    return columns


def row_of(run: FoundRun, *, summary: bool) -> Row:
    """A run as a row."""
    file = run.file
    row: Row = {
        "run_id": file.run_id,
        "experiment": run.experiment.name,
        "name": file.name,
        "status": file.status,
        "start_time": file.start_time,
    }
    if file.end_time is not None:
        row["end_time"] = file.end_time
        row["duration_seconds"] = max(0, file.end_time - file.start_time) / 1000
    if file.parent:
        row["parent"] = file.parent
    for key, value in file.params.items():
        row[f"params.{key}"] = value
    for key, metric in file.metrics.items():
        row[f"metrics.{key}"] = metric.last
        if summary:
            row.update(_folds(key, metric, run))
    for key, text in _tags(run).items():
        row[f"tags.{key}"] = text
    return row


def _tags(run: FoundRun) -> dict[str, str]:
    """The tags as MLflow scripts see them, without those that have a column of their own."""
    return {key: text for key, text in run_tags(run.read).items() if key not in _ELSEWHERE}


_SUMMARY: dict[str, Kind] = {
    "last_step": "integer",
    "best": "number",
    "best_step": "integer",
    "min": "number",
    "min_step": "integer",
    "max": "number",
    "max_step": "integer",
    "first": "number",
    "first_step": "integer",
    "mean": "number",
    "count": "integer",
}
"""What a summary tells of each metric, named as in queries."""


def _folds(key: str, metric: MetricSummary, run: FoundRun) -> Iterator[tuple[str, object]]:
    best, best_step = best_of(metric, goal_of(key, run.experiment.goal)) or (None, None)
    for name in _SUMMARY:
        value = {"best": best, "best_step": best_step}.get(name) if "best" in name else getattr(metric, name)
        if value is not None:
            yield f"{name}(metrics.{key})", value


def _kind(value: Param) -> Kind | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, float):
        return "number"
    if isinstance(value, int):
        return "integer" if abs(value) <= _EXACT else "long" if -_LONG <= value < _LONG else "text"
    return "text"


def _merged(one: Kind | None, other: Kind | None) -> Kind | None:
    """The narrowest type that holds the values of both exactly."""
    if one is None or other is None or one == other:
        return one or other
    pair = {one, other}
    if pair == {"integer", "number"}:
        return "number"
    return "long" if pair == {"integer", "long"} else "text"
