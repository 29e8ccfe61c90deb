"""Runs and experiments of a store as MLflow scripts see them: one, or those that match a query, in order."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from tracker import codec, entities, reader
from tracker.exceptions import InvalidValueError, MissingPackageError, NotFoundError, did_you_mean
from tracker.query import (
    EXPERIMENTS,
    MISSING,
    RUNS,
    ExperimentSource,
    Order,
    RunLike,
    RunSource,
    as_number,
    compile_experiment_query,
    compile_query,
    parse_order,
)
from tracker.schema import ExperimentFile, RunFile

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")
R = TypeVar("R", bound=RunLike)


class FoundRun(Struct, frozen=True, gc=False):
    """A run, its experiment and where it lies."""

    file: RunFile
    experiment: ExperimentFile
    read: reader.ReadRun
    stage: str
    """active or deleted."""


def get_run(root: Path, run_id: str) -> entities.Run:
    """A run of a store by its id; NotFoundError when there is none."""
    found = reader.read_run(root, run_id)
    return entities.make_run(found, _experiment_id(found))


def get_parent_run(root: Path, run_id: str) -> entities.Run | None:
    """The run that a nested run was started in, or None."""
    parent = reader.read_run(root, run_id).file.parent
    return get_run(root, parent) if parent else None


def _experiment_id(run: reader.ReadRun) -> str:
    with suppress(OSError, ValueError):
        return reader.read_experiment_file(run.folder.parent.parent).id
    return run.file.experiment_id


def get_metric_history(root: Path, run_id: str, key: str) -> list[entities.Metric]:
    """Every point of a metric, by step and then time; NotFoundError when the run did not log it."""
    history = reader.read_history(reader.find_run(root, run_id))
    series = history.series.get(key)
    if series is None:
        raise NotFoundError(f"The run {run_id} has no metric {key!r}.{did_you_mean(key, history.series)}")
    points = zip(series.values, series.times, series.steps, strict=True)
    return [entities.Metric(key, value, time, step) for value, time, step in points]


def search_runs(
    root: Path | str,
    *,
    experiment_ids: Sequence[str] | None = None,
    filter_string: str = "",
    run_view_type: int = entities.ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: Sequence[str] | None = None,
    output_format: str = "pandas",
    experiment_names: Sequence[str] | None = None,
) -> pandas.DataFrame | list[entities.Run]:
    """Runs that match a query, newest first unless `order_by` says otherwise; of all experiments unless some are named.

    Raises QueryError, NotFoundError for an unknown experiment, InvalidValueError for other arguments,
    MissingPackageError without pandas.
    """
    if experiment_ids and experiment_names:
        raise InvalidValueError("Give search_runs() experiment_ids or experiment_names, not both.")
    if output_format not in ("pandas", "list"):
        raise InvalidValueError(f'output_format is {output_format!r}, which is neither "pandas" nor "list".')
    matches = compile_query(filter_string)
    orders = [parse_order(item) for item in _as_list(order_by)]
    candidates = _find_runs(Path(root), [*_as_list(experiment_ids), *_as_list(experiment_names)], run_view_type)
    found = _sort_runs(filter(matches, candidates), orders)[: _limit(max_results)]
    if output_format == "pandas":
        return make_frame(found)
    return [entities.make_run(run.read, run.experiment.id, run.stage) for run in found]


def search_experiments(
    root: Path | str,
    *,
    view_type: int = entities.ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str = "",
    order_by: Sequence[str] | None = None,
) -> list[entities.Experiment]:
    """Experiments that match a query, newest first unless `order_by` says otherwise. None of them is ever deleted."""
    matches = compile_experiment_query(filter_string)
    orders = [parse_order(item, EXPERIMENTS) for item in _as_list(order_by)]
    if view_type == entities.ViewType.DELETED_ONLY:
        return []
    found = filter(matches, map(entities.make_experiment, reader.read_store(root).experiments))
    newest_first = sorted(found, key=lambda experiment: (-(experiment.creation_time or 0), experiment.name))
    return arrange(newest_first, orders, _experiment_key)[: None if max_results is None else _limit(max_results)]


def sort_runs(runs: Iterable[R], order_by: Sequence[str] = ()) -> list[R]:
    """Runs by each item of `order_by` in turn, then newest first. What is missing or NaN comes last either way."""
    return _sort_runs(runs, [parse_order(item) for item in order_by])


# Finding


def _find_runs(root: Path, experiments: Sequence[str], view_type: int) -> Iterator[FoundRun]:
    store = reader.read_store(root)
    chosen = [store.experiment_named(str(name)) for name in experiments] if experiments else store.experiments
    if view_type != entities.ViewType.DELETED_ONLY:
        for experiment in chosen:
            for run in experiment.runs:
                yield FoundRun(run.file, experiment.file, run, entities.LifecycleStage.ACTIVE)
    if view_type != entities.ViewType.ACTIVE_ONLY:
        known = {experiment.slug: experiment.file for experiment in chosen}
        for run in reader.read_trash(root):
            if run.slug in known:
                yield FoundRun(run.file, known[run.slug], run, entities.LifecycleStage.DELETED)


def _as_list(items: Sequence[str] | None) -> list[str]:
    return [items] if isinstance(items, str) else list(items or ())


def _limit(max_results: int) -> int:
    if max_results < 0:
        raise InvalidValueError(f"max_results must be 0 or more, but it is {max_results}.")
    return max_results


# Order


def _sort_runs(runs: Iterable[R], orders: Sequence[Order]) -> list[R]:
    newest_first = sorted(runs, key=lambda run: (run.file.start_time, run.file.run_id), reverse=True)
    return arrange(newest_first, orders, _run_key)


def _run_key(order: Order) -> Callable[[Any], object]:
    get = RunSource().getter(order.field)
    if RUNS.kind(order.field) != "typed":
        return get

    def key(run: RunLike) -> object:
        value = get(run)
        number = as_number(value)
        return value if number is None else number

    return key


def _experiment_key(order: Order) -> Callable[[Any], object]:
    return ExperimentSource().getter(order.field)


def arrange(things: list[T], orders: Sequence[Order], key_of: Callable[[Order], Callable[[Any], object]]) -> list[T]:
    """Things by each order in turn; those that are equal stay as they were. What is missing or NaN comes last."""
    for order in reversed(orders):
        things = _by_value(things, key_of(order), order.descending)
    return things


def _by_value(things: list[T], get: Callable[[T], object], descending: bool) -> list[T]:
    """Numbers before text and truth values, and at the end, whatever the direction, what is missing, null or NaN."""
    numbers: list[tuple[Any, T]] = []
    texts: list[tuple[Any, T]] = []
    rest: list[T] = []
    for thing in things:
        value = get(thing)
        if value is MISSING or value is None or value != value:
            rest.append(thing)
        elif isinstance(value, str | bool):
            texts.append((str(value), thing))
        else:
            numbers.append((value, thing))
    for group in (numbers, texts):
        group.sort(key=lambda pair: pair[0], reverse=descending)
    return [thing for _, thing in numbers + texts] + rest


# DataFrame


def make_frame(runs: Sequence[FoundRun]) -> pandas.DataFrame:
    """One row a run, with MLflow's columns. Raises MissingPackageError without pandas."""
    try:
        import pandas as pd
    except ImportError:
        raise MissingPackageError('A DataFrame (rather than output_format="list")', "pandas") from None

    def times(name: str) -> Any:
        return pd.to_datetime(list(map(attrgetter(name), files)), unit="ms", utc=True, errors="coerce")

    files = [run.file for run in runs]
    columns: dict[str, Any] = {
        "run_id": [file.run_id for file in files],
        "experiment_id": [run.experiment.id for run in runs],
        "status": [file.status for file in files],
        "artifact_uri": [run.read.artifact_uri for run in runs],
        "start_time": times("start_time"),
        "end_time": times("end_time"),
    }
    columns |= _spread("metrics", (_last_values(file) for file in files), len(files), math.nan)
    columns |= _spread("params", (file.params for file in files), len(files), None, codec.param_text)
    columns |= _spread("tags", (entities.run_tags(run.read) for run in runs), len(files), None)
    return pd.DataFrame(columns)


def _last_values(file: RunFile) -> dict[str, float]:
    return {key: float(metric.last) for key, metric in file.metrics.items()}


def _spread(
    family: str,
    rows: Iterable[Mapping[str, Any]],
    length: int,
    missing: object,
    text: Callable[[Any], str] | None = None,
) -> dict[str, list[object]]:
    """A column for each key, in the order in which the keys first come up; the work grows with what was logged."""
    columns: dict[str, list[object]] = defaultdict(lambda: [missing] * length)
    for index, row in enumerate(rows):
        for key, value in row.items():
            columns[key][index] = text(value) if text and type(value) is not str else value
    return {f"{family}.{key}": column for key, column in columns.items()}
