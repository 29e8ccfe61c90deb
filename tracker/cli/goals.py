"""Which metrics matter, and which run is best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tracker.query import RunSubject
from tracker.schema import Goal, RunFile
from tracker.summary import best_of, goal_of


class Best(NamedTuple):
    """The best value of a metric among runs."""

    metric: str
    goal: Goal
    value: float
    step: int
    run: RunFile


def goal_metrics(subjects: Sequence[RunSubject]) -> list[tuple[str, Goal]]:
    """Metrics with a goal, in the order of the site: declared ones as they were declared, then those of most runs, of
    equals those of validation."""
    counts: Counter[tuple[str, Goal]] = Counter()
    declared = {metric: None for _, experiment in subjects for metric in experiment.goal}
    for run, experiment in subjects:
        for metric in run.metrics:
            if goal := goal_of(metric, experiment.goal):
                counts[metric, goal] += 1
    order = list(declared)

    def rank(key: tuple[str, Goal]) -> tuple[int, int, bool, str]:
        metric = key[0]
        place = order.index(metric) if metric in declared else len(order)
        return place, -counts[key], "val" not in metric.lower(), metric

    return sorted(counts, key=rank)


def best_run(subjects: Iterable[RunSubject], metric: str, goal: Goal) -> Best | None:
    """The run that came farthest along the goal; the earliest of several that did."""
    found = [
        Best(metric, goal, *best, run)
        for run, _ in subjects
        if metric in run.metrics and (best := best_of(run.metrics[metric], goal))
    ]
    sign = 1 if goal == "minimize" else -1
    return min(found, key=lambda best: (sign * best.value, best.run.start_time), default=None)
