"""What MLflow has no words for, as tags that an export writes and an import reads again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from tracker.foreign.records import ForeignRun
from tracker.schema import Goal

STATUS_TAG = "tracker.status"
"""STALE, which is KILLED to MLflow."""
ENDED_BY_TAG = "tracker.ended_by"
"""The signal or exception that ended a run."""
NAMES_TAG = "tracker.names"
"""JSON: for metrics, params and tags the name that was logged, by the one that MLflow takes."""
GOAL_TAG = "tracker.goal"
"""JSON: the goals of an experiment that has several."""
STAGE_TAG = "tracker.stage"
"""The stage of a version that is in none of MLflow's four."""
METRIC_TAG = "mlflow.experiment.primaryMetric.name"
GREATER_TAG = "mlflow.experiment.primaryMetric.greaterIsBetter"

_GOALS: dict[str, Goal] = {"true": "maximize", "false": "minimize"}
_T = TypeVar("_T")


def take_goal(tags: dict[str, str]) -> dict[str, Goal]:
    """The goals that the tags of an experiment tell, which then are no tags any more."""
    several = _decoded(tags.get(GOAL_TAG, ""), dict[str, Goal])
    metric, goal = tags.get(METRIC_TAG), _GOALS.get(tags.get(GREATER_TAG, "").lower())
    found = several or ({metric: goal} if metric and goal else {})
    for tag in (METRIC_TAG, GREATER_TAG, GOAL_TAG) if found else ():
        tags.pop(tag, None)
    return found


def restored(run: ForeignRun) -> ForeignRun:
    """The run with the names, the status and the ending that it had before an export."""
    if not run.tags.keys() & {STATUS_TAG, ENDED_BY_TAG, NAMES_TAG}:
        return run
    tags = dict(run.tags)
    status, ended_by = tags.pop(STATUS_TAG, ""), tags.pop(ENDED_BY_TAG, None)
    names = _decoded(tags.pop(NAMES_TAG, ""), dict[str, dict[str, str]]) or {}
    return msgspec.structs.replace(
        run,
        status="STALE" if (status, run.status) == ("STALE", "KILLED") else run.status,
        ended_by=ended_by or run.ended_by,
        tags=_renamed(tags, names.get("tags", {})),
        params=_renamed(run.params, names.get("params", {})),
        series=_renamed(run.series, names.get("metrics", {})),
    )


def _renamed(values: Mapping[str, _T], names: Mapping[str, str]) -> dict[str, _T]:
    free = {written: name for written, name in names.items() if name not in values}
    return {free.get(key, key): value for key, value in values.items()}


def _decoded(text: str, kind: type[_T]) -> _T | None:
    """What a tag says; None for one that somebody else wrote."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
