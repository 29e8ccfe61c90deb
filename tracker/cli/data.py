"""Runs as plain values for `--json`; a number that is not finite is a text, as in every file of ours."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import click
import msgspec

from tracker.query import RunSubject
from tracker.schema import Goal, MetricSummary, RunFile
from tracker.summary import best_of, goal_of


def print_json(value: object) -> None:
    """Strict JSON on stdout, in ASCII, so that no text of a run can move the cursor."""
    click.echo(json.dumps(strict(value), indent=2, allow_nan=False))


def strict(value: object) -> object:
    """The same value without NaN and infinities."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: strict(item) for key, item in value.items()}
    return [strict(item) for item in value] if isinstance(value, list | tuple) else value


def run_data(subject: RunSubject) -> dict[str, Any]:
    """Everything that the snapshot of a run tells. Times are UTC milliseconds."""
    file, experiment = subject
    return {
        "run_id": file.run_id,
        "name": file.name,
        "experiment": experiment.name,
        "status": file.status,
        "ended_by": file.ended_by,
        "start_time": file.start_time,
        "end_time": file.end_time,
        "duration": duration_of(file),
        "parent": file.parent,
        "source": msgspec.to_builtins(file.source),
        "params": file.params,
        "metrics": {key: metric_data(metric, goal_of(key, experiment.goal)) for key, metric in file.metrics.items()},
        "tags": file.tags,
    }


def metric_data(metric: MetricSummary, goal: Goal | None) -> dict[str, Any]:
    """A metric's summary, with its goal and its best value."""
    best, best_step = best_of(metric, goal) or (None, None)
    return {"goal": goal, "best": best, "best_step": best_step, **msgspec.structs.asdict(metric)}


def duration_of(run: RunFile) -> int | None:
    """Milliseconds from start to end; None while it runs."""
    return None if run.end_time is None else max(0, run.end_time - run.start_time)
