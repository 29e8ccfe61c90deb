"""The site's data: `data/v1/*.js`, as docs/site-data.md describes them.

Names that came from a run are values, never keys, so that no name can stand for a property of the browser's objects.
Metrics carry six significant digits; params are exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any

import msgspec

from site_builder.model import SiteExperiment, SiteRun
from tracker.schema import MetricSummary
from tracker.summary import Series

SCHEMA = 1
ROWS = 2000
"""Runs in one chunk of an experiment."""
STATUS_LETTERS = {"RUNNING": "R", "FINISHED": "F", "FAILED": "X", "KILLED": "K", "STALE": "S"}

_SUMMARY_FIELDS = ("count", "last", "last_step", "min", "min_step", "max", "max_step", "first", "mean")
_SUMMARY = attrgetter(*_SUMMARY_FIELDS)
_COLUMN_FIELDS = ("last", "last_step", "min", "max", "first", "mean", "spark")
_COLUMNS = attrgetter(*_COLUMN_FIELDS)
_NO_METRIC = (None, None, None, None, None, None, "")
_VALUES = {"last", "min", "max", "first", "mean"}
_NONFINITE = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}


def wrapped(key: str, content: bytes) -> bytes:
    """JSON as a classic script of three lines."""
    return b"tracker(%b,\n%b\n)\n" % (msgspec.json.encode(key), content)


def hashed_name(stem: str, content: bytes) -> str:
    """`data/v1/<stem>.<hash>.js`: the name changes with the content, so it may be cached for ever."""
    return f"data/v1/{stem}.{short_hash(content)}.js"


def short_hash(content: bytes) -> str:
    """Ten hex digits."""
    return hashlib.blake2b(content, digest_size=5).hexdigest()


def numbers(values: Iterable[float | None]) -> msgspec.Raw:
    """An array of metric values as JSON: None is null, what is not finite is a text."""
    try:
        text = ",".join(map("%.6g".__mod__, values))
    except TypeError:
        text = "n"
    if "n" in text:
        text = ",".join(map(_number, values))
    return msgspec.Raw(f"[{text}]".encode())


def _number(value: float | None) -> str:
    if value is None:
        return "null"
    text = f"{value:.6g}"
    return _NONFINITE.get(text, text)


# Experiments


def experiment_parts(runs: Sequence[SiteRun]) -> list[Sequence[SiteRun]]:
    """The runs in chunks, newest first. The newest chunk is the one that is not full, so a new run changes it alone."""
    first = len(runs) % ROWS
    bounds = [0, *range(first or ROWS, len(runs) + 1, ROWS)]
    return [runs[start:end] for start, end in pairwise(bounds)]


def experiment_chunk(experiment: SiteExperiment, runs: Sequence[SiteRun]) -> bytes:
    """Params, tags and summaries of metrics of some runs, column by column."""
    files = [run.file for run in runs]
    return msgspec.json.encode(
        {
            "schema": SCHEMA,
            "rows": len(runs),
            "experiment": {
                "name": experiment.name,
                "href": experiment.href,
                "primary": experiment.primary,
            },
            "id": [run.id for run in runs],
            "name": [file.name for file in files],
            "status": [STATUS_LETTERS[file.status] for file in files],
            "start": [file.start_time for file in files],
            "duration": [run.duration for run in runs],
            "parent": [run.parent_id for run in runs],
            "chunk": [run.version for run in runs],
            "params": _columns([file.params for file in files]),
            "metrics": _metric_columns(experiment, [file.metrics for file in files]),
            "tags": _columns([file.tags for file in files]),
        }
    )


_MISSING = object()
_NAN = float("nan")
"""One for all, since a dictionary takes each for another."""


def _columns(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = sorted({key for row in rows for key in row})
    return [_column(key, [row.get(key, _MISSING) for row in rows]) for key in keys]


def _column(key: str, values: list[Any]) -> dict[str, Any]:
    """Values in a row each, or codes into a list of the different ones where they repeat."""
    values = [_NAN if value != value else value for value in values]
    codes: dict[tuple[type, Any], int] = {}
    coded = [-1 if value is _MISSING else codes.setdefault((type(value), value), len(codes)) for value in values]
    if len(codes) * 2 <= len(values):
        return {"key": key, "dict": [_json_value(value) for _, value in codes], "codes": coded}
    return {"key": key, "values": [None if value is _MISSING else _json_value(value) for value in values]}


def _json_value(value: Any) -> Any:
    """A param as JSON: a logged null differs from a missing one, and what is not finite is a text."""
    if value is None:
        return {"none": True}
    if type(value) is float and (value != value or value in (float("inf"), float("-inf"))):
        return msgspec.Raw(_number(value).encode())
    if type(value) is int and abs(value) >= 1 << 63:
        return float(value) if abs(value) < 1 << 1000 else str(value)
    return value


def _metric_columns(experiment: SiteExperiment, rows: Sequence[dict[str, MetricSummary]]) -> list[dict[str, Any]]:
    keys = sorted({key for row in rows for key in row})
    return [_metric_column(key, experiment, [row.get(key) for row in rows]) for key in keys]


def _metric_column(key: str, experiment: SiteExperiment, found: Sequence[MetricSummary | None]) -> dict[str, Any]:
    best = [(experiment.best(key, metric) if metric else None) or (None, None) for metric in found]
    columns = zip(*[_COLUMNS(metric) if metric else _NO_METRIC for metric in found], strict=True)
    return {
        "key": key,
        "goal": experiment.goal(key),
        "best": numbers([value for value, _ in best]),
        "best_step": [step for _, step in best],
        **{
            field: numbers(column) if field in _VALUES else column
            for field, column in zip(_COLUMN_FIELDS, columns, strict=True)
        },
    }


def run_chunk(run: SiteRun, samples: Mapping[str, Series], full: str | None) -> bytes:
    """Everything that a run's page draws: summaries, and samples of its series."""
    file = run.file
    start = file.start_time
    return msgspec.json.encode(
        {
            "schema": SCHEMA,
            "id": run.id,
            "name": file.name,
            "status": file.status,
            "start": start,
            "end": file.end_time,
            "parent": run.parent_id,
            "experiment": {"name": run.experiment.name, "href": run.experiment.href},
            "params": {"key": list(file.params), "value": [_json_value(value) for value in file.params.values()]},
            "tags": {"key": list(file.tags), "value": list(file.tags.values())},
            "metrics": _summaries(run.experiment, file.metrics),
            "series": [_series(key, file.metrics.get(key), found, start) for key, found in samples.items()],
            "full": full,
        }
    )


def _summaries(experiment: SiteExperiment, metrics: dict[str, MetricSummary]) -> dict[str, Any]:
    found = sorted(metrics.items())
    columns = zip(*[_SUMMARY(metric) for _, metric in found], strict=True) if found else ((),) * len(_SUMMARY_FIELDS)
    best = [experiment.best(key, metric) or (None, None) for key, metric in found]
    return {
        "key": [key for key, _ in found],
        "goal": [experiment.goal(key) for key, _ in found],
        "best": numbers([value for value, _ in best]),
        "best_step": [step for _, step in best],
        **{
            field: numbers(column) if field in _VALUES else column
            for field, column in zip(_SUMMARY_FIELDS, columns, strict=True)
        },
    }


def _series(key: str, metric: MetricSummary | None, series: Series, start: int) -> dict[str, Any]:
    return {
        "metric": key,
        "total": metric.count if metric else len(series),
        "step": series.steps,
        "time": [time - start for time in series.times],
        "value": numbers(series.values),
    }
