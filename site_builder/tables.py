"""The runs tables that stand in pages: which columns, which rows, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from site_builder.model import SiteExperiment, SiteRun
from site_builder.views import Column, RunsTable, TableRow

ROWS = 50
"""Runs in a page; the browser part shows all of them."""
METRICS, PARAMS, TAGS = 6, 8, 2
"""Columns of each kind, at most."""

_SYSTEM_TAGS = ("mlflow.", "tracker.")
_DEEPEST = 20
_MISSING = object()


def runs_table(runs: Sequence[SiteRun], experiments: Sequence[SiteExperiment]) -> RunsTable:
    """The newest families of runs with the columns that tell them apart, metrics with a goal first."""
    columns = _choose_columns(runs, experiments)
    rows = tuple(_row(run, depth, columns) for run, depth in islice(families(runs), ROWS))
    return RunsTable(tuple(columns), rows, len(runs))


def families(runs: Sequence[SiteRun]) -> Iterator[tuple[SiteRun, int]]:
    """Runs and their depths: each run is followed by its children. Runs that are each other's parents come last."""
    here = {run.id for run in runs}
    shown: set[str] = set()

    def walk(run: SiteRun, depth: int) -> Iterator[tuple[SiteRun, int]]:
        if run.id in shown or run.id not in here:
            return
        shown.add(run.id)
        yield run, depth
        if depth < _DEEPEST:
            for child in run.children:
                yield from walk(child, depth + 1)

    for run in runs:
        if run.parent_id not in here:
            yield from walk(run, 0)
    for run in runs:
        yield from walk(run, 0)


def is_own_tag(key: str) -> bool:
    """Whether a person chose the tag, rather than a library."""
    return not key.startswith(_SYSTEM_TAGS)


def _choose_columns(runs: Sequence[SiteRun], experiments: Sequence[SiteExperiment]) -> list[Column]:
    counts: Counter[str] = Counter()
    for experiment in experiments:
        counts.update(experiment.metric_counts)
    metrics = _metric_columns(counts, experiments)
    params = [
        Column("param", key, numeric=all_numbers)
        for key, all_numbers in islice(_varying(runs, lambda run: run.file.params), PARAMS)
    ]
    tags = [Column("tag", key) for key, _ in _varying(runs, lambda run: run.file.tags) if is_own_tag(key)]
    return [*metrics, *params, *tags[:TAGS]]


def _metric_columns(counts: Counter[str], experiments: Sequence[SiteExperiment]) -> list[Column]:
    ranked: dict[str, str | None] = {}
    for experiment in experiments:
        for key in experiment.ranked(experiment.metric_counts):
            ranked.setdefault(key, experiment.goal(key))
    first = ranked if len(experiments) == 1 else sorted(ranked, key=counts.__getitem__, reverse=True)
    others = [key for key, _ in counts.most_common() if key not in ranked]
    chosen = [*first, *others][:METRICS]
    return [Column("metric", key, goal=ranked.get(key), numeric=True) for key in chosen]


def _varying(runs: Iterable[SiteRun], items: Callable[[SiteRun], Mapping[str, Any]]) -> Iterator[tuple[str, bool]]:
    """Keys whose values differ between runs, in the order in which they were first seen; and if all are numbers."""
    first: dict[str, Any] = {}
    varies: set[str] = set()
    texts: set[str] = set()
    counts: Counter[str] = Counter()
    total = 0
    for run in runs:
        total += 1
        found = items(run)
        counts.update(found.keys())
        for key, value in found.items():
            if first.setdefault(key, value) != value:
                varies.add(key)
            if type(value) not in (int, float):
                texts.add(key)
    return ((key, key not in texts) for key in first if key in varies or counts[key] < total)


def _row(run: SiteRun, depth: int, columns: Sequence[Column]) -> TableRow:
    cells = tuple(_cell(run, column) for column in columns)
    return TableRow(run.link, depth, run.file.start_time, run.duration, cells)


def _cell(run: SiteRun, column: Column) -> object:
    if column.kind == "metric":
        return shown_value(run, column.key)
    return (run.file.params if column.kind == "param" else run.file.tags).get(column.key)


def shown_value(run: SiteRun, metric: str) -> float | None:
    """The best value of a metric where it has a direction, else the last one; None where the run has it not."""
    found = run.file.metrics.get(metric)
    if found is None:
        return None
    best = run.experiment.best(metric, found)
    return best[0] if best else found.last


def last_value(run: SiteRun, metric: str) -> float | None:
    """The last value of a metric: that of a model which was logged when its training was over."""
    found = run.file.metrics.get(metric)
    return found.last if found else None
