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
    """Metrics with a goal: declared ones as they were declared, then guessed ones, those of most runs first."""
    counts: Counter[tuple[str, Goal]] = Counter()
    declared = {metric: None for _, experiment in subjects for metric in experiment.goal}
    for run, experiment in subjects:
        for metric in run.metrics:
            if goal := goal_of(metric, experiment.goal):
                counts[metric, goal] += 1
    order = list(declared)
    return sorted(counts, key=lambda key: (order.index(key[0]) if key[0] in declared else len(order), -counts[key]))


def best_run(subjects: Iterable[RunSubject], metric: str, goal: Goal) -> Best | None:
    """The run that came farthest along the goal; the earliest of several that did."""
    found = [
        Best(metric, goal, *best, run)
        for run, _ in subjects
        if metric in run.metrics and (best := best_of(run.metrics[metric], goal))
    ]
    sign = 1 if goal == "minimize" else -1
    return min(found, key=lambda best: (sign * best.value, best.run.start_time), default=None)
