"""From the rows of a table to runs: rows are gathered by run, then each column of a run becomes what it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from tracker import codec
from tracker.exceptions import InvalidValueError
from tracker.foreign.damage import Tell
from tracker.foreign.impersonal import remote, short
from tracker.foreign.table_columns import INDEX, Columns, without_prefix
from tracker.foreign.table_rows import Row
from tracker.foreign.text_files import iso_time, number_in, number_of, whole
from tracker.logs import MAX_PROBLEMS
from tracker.masking import as_text
from tracker.names import is_run_id, is_text
from tracker.schema import MAX_TIME, Status
from tracker.summary import Series, goal_of

MISSING = frozenset(("", "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None"))
"""Cells of CSV without a value, as pandas reads and writes them."""
OBJECTIVES = frozenset(("value", "objective", "result", "target"))
"""What a search calls the number that it optimises."""
_OBJECTIVE = re.compile(r"values_\d+")
"""What Optuna calls one of several."""
_STATUS: dict[str, Status] = {
    "finished": "FINISHED",
    "complete": "FINISHED",
    "completed": "FINISHED",
    "success": "FINISHED",
    "failed": "FAILED",
    "fail": "FAILED",
    "killed": "KILLED",
    "pruned": "KILLED",
    "interrupted": "KILLED",
    "running": "RUNNING",
    "scheduled": "RUNNING",
    "stale": "STALE",
}
_PLACES = {"mlflow.source.name": short, "mlflow.source.git.repoURL": remote}
"""Tags with places, and what of these is kept."""
_WORDS = {"true": True, "false": False}
_EARLIEST = 1e8
"""Seconds since 1970 below which a number is no time but a duration."""
_UNITS = ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3), (1e20, 1e-6))
"""Up to which number a time has which factor to milliseconds: seconds, milliseconds, micro- and nanoseconds."""
_UNSET: Any = object()


class TableRun(Struct):
    """A run out of a table."""

    name: str
    key: tuple[str, ...]
    """What tells it from the other runs of the table: experiment and run."""
    experiment: str
    """A text that is empty where the table does not say."""
    params: dict[str, codec.Param] = {}
    tags: dict[str, str] = {}
    series: dict[str, Series] = {}
    start: int | None = None
    """UTC milliseconds; None where no row has a time."""
    end: int | None = None
    status: Status | None = None
    parent: str | None = None


class _Column(Struct):
    """What one run has in one column."""

    series: Series
    first: Any = _UNSET
    """The first value, of whatever kind."""
    varies: int = 0
    """The line where another value stands; 0 while there is none."""
    texts: list[tuple[int, Any]] = []
    """The first values that are no numbers, with their lines."""
    text_count: int = 0

    def add(self, cell: Any, value: float | None, line: int) -> None:
        """Note a value; `value` is the number that it is."""
        if self.first is _UNSET:
            self.first = cell
        elif not self.varies and cell != self.first and not (value != value and value is not None):
            self.varies = line
        if value is None:
            self.text_count += 1
            if self.text_count <= MAX_PROBLEMS:
                self.texts.append((line, cell))


class _Gathered(Struct):
    """The rows of one run so far."""

    name: str
    experiment: str
    columns: dict[str, _Column] = {}
    long: dict[str, Series] = {}
    """Metrics that a column names."""
    rows: int = 0
    start: int | None = None
    """Of the times of its rows."""
    end: int | None = None
    began: int | None = None
    """As a column of starts says."""
    ended: int | None = None
    status: Status | None = None
    parent: str | None = None


class Gatherer:
    """Takes the rows of one table, and gives its runs."""

    def __init__(self, columns: Columns, tell: Tell, name: str, changed: int, *, typed: bool) -> None:
        self._columns, self._tell, self._name, self._changed, self._typed = columns, tell, name, changed, typed
        self._runs: dict[tuple[str, ...], _Gathered] = {}
        self._numbers: dict[str, int] = {}
        """How often the name of a run came up, where each row is one."""
        self._number = _json_number if typed else _csv_number
        single = (columns.run, columns.name, columns.experiment, columns.step, columns.time, columns.start, columns.end)
        self._renamed = False
        self._skipped = {*columns.ignore, *(one for one in (*single, columns.metric, columns.value) if one)}

    def take(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Add all rows."""
        columns, step_column = self._columns, self._columns.step
        rows_are_runs = columns.rows_are_runs or columns.single
        for line, row in rows:
            run = self._run_of(row, line)
            if run is None:
                continue
            step: int | None = run.rows
            if step_column is not None and not rows_are_runs:
                step = whole(row.get(step_column))
                if step is None:
                    self._tell(f"has no whole step in {step_column!r:.60}, and is left out", line)
                    continue
            time = self._time_of(run, row, line)
            run.rows += 1
            if columns.status is not None:
                run.status = _STATUS.get(_text(row.get(columns.status)).lower(), run.status)
            if columns.parent is not None and is_run_id(parent := _text(row.get(columns.parent))):
                run.parent = parent
            self._add(run, row, line, step or 0, time)

    def _add(self, run: _Gathered, row: Row, line: int, step: int, time: int) -> None:
        number, skipped, found = self._number, self._skipped, run.columns
        for name, cell in row.items():
            if name in skipped or cell is None or cell == "":
                continue
            value = number(cell)
            if value is None and type(cell) is str and cell in MISSING and not self._typed:
                continue
            column = found.get(name)
            if column is None:
                column = found[name] = _Column(Series())
            if value is None or not column.varies:
                column.add(cell, value, line)
            if value is not None:
                series = column.series
                series.steps.append(step)
                series.values.append(value)
                series.times.append(time)
        if self._columns.metric is not None:
            self._add_long(run, row, line, step, time)

    def _add_long(self, run: _Gathered, row: Row, line: int, step: int, time: int) -> None:
        """The point of a row that names its metric."""
        name, cell = row.get(self._columns.metric or ""), row.get(self._columns.value or "")
        if cell is None or cell == "":
            return
        value = self._number(cell)
        if not isinstance(name, str) or not name or value is None:
            self._tell(f"is no point of a metric: {name!r:.60}, {cell!r:.60}", line)
            return
        series = run.long.setdefault(name, Series())
        series.steps.append(len(series) if self._columns.step is None else step)
        series.values.append(value)
        series.times.append(time)

    def _run_of(self, row: Row, line: int) -> _Gathered | None:
        columns = self._columns
        if columns.run is None:
            name = f"{self._name} {len(self._runs) + 1}" if columns.rows_are_runs else self._name
        else:
            name = _text(row.get(columns.run))
            if columns.single and not name:
                name = f"{self._name} {len(self._runs) + 1}"
            if not name or not is_text(name):
                self._tell(f"has no run in {columns.run!r:.60}, and is left out", line)
                return None
        experiment = as_text(_text(row.get(columns.experiment))) if columns.experiment else ""
        if columns.single:
            name = self._free(experiment, name, line)
        key = (experiment, name)
        run = self._runs.get(key)
        if run is None:
            shown = _text(row.get(columns.name)) if columns.name else ""
            run = self._runs[key] = _Gathered(shown or name, experiment)
        return run

    def _free(self, experiment: str, name: str, line: int) -> str:
        """The name of a run, with a number where a row before has it."""
        free = name
        while (experiment, free) in self._runs:
            number = self._numbers[name] = self._numbers.get(name, 1) + 1
            free = f"{name}-{number}"
        if free != name and not self._renamed:
            self._renamed = True
            self._tell(
                f"names run {name!r:.60} again; its row is the run {free!r:.60}, and others likewise. "
                "--map step=COLUMN says that rows are points of a run, --map run=COLUMN what tells runs apart",
                line,
            )
        return free

    def _time_of(self, run: _Gathered, row: Row, line: int) -> int:
        """The time of the points in a row."""
        columns = self._columns
        began, ended = self._moment(columns.start, row, line), self._moment(columns.end, row, line)
        if began is not None:
            run.began = began if run.began is None else min(run.began, began)
        if ended is not None:
            run.ended = ended if run.ended is None else max(run.ended, ended)
        if columns.time is not None:
            return self._time(run, row.get(columns.time), line)
        return next((time for time in (ended, began) if time is not None), self._changed)

    def _moment(self, column: str | None, row: Row, line: int) -> int | None:
        cell = None if column is None else row.get(column)
        time = time_of(cell)
        if time is None and _text(cell) not in MISSING | {"NaT"}:
            self._tell(f"has no time in {column!r:.60}: {cell!r:.60}", line)
        return time

    def _time(self, run: _Gathered, cell: Any, line: int) -> int:
        time = time_of(cell)
        if time is None:
            if cell not in (None, ""):
                self._tell(f"has no time in {self._columns.time!r:.60}: {cell!r:.60}", line)
            return self._changed if run.end is None else run.end
        run.start = time if run.start is None else min(run.start, time)
        run.end = time if run.end is None else max(run.end, time)
        return time

    # Runs

    def runs(self) -> Iterator[TableRun]:
        """All runs, in the order of their first rows."""
        single = self._columns.rows_are_runs or self._columns.single or self._has_single_rows()
        for key, gathered in self._runs.items():
            run = TableRun(gathered.name, key, gathered.experiment, status=gathered.status, parent=gathered.parent)
            run.start = gathered.start if gathered.began is None else gathered.began
            run.end = gathered.end if gathered.ended is None else gathered.ended
            for name, series in gathered.long.items():
                series.sort()
                run.series[name] = series
            for name, column in gathered.columns.items():
                self._settle(run, name, column, single=single)
            gathered.columns, gathered.long = {}, {}
            yield run

    def _has_single_rows(self) -> bool:
        """Whether each run has one row, and the table is not the beginning of the log of one run."""
        columns = self._columns
        several = len(self._runs) > 1 or columns.step in (None, INDEX)
        return columns.run is not None and several and all(run.rows < 2 for run in self._runs.values())

    def _settle(self, run: TableRun, name: str, column: _Column, *, single: bool) -> None:
        """Make a param, tag or metric of a column."""
        columns = self._columns
        if (name == columns.status and run.status is not None) or (name == columns.parent and run.parent is not None):
            return
        if name in columns.metrics:
            self._as_metric(run, without_prefix(name), column)
        elif name in columns.params or name in columns.tags:
            if column.varies:
                self._tell(f"column {name!r:.60} changes within run {run.name!r:.60}; the first is kept", column.varies)
            self._as_fact(run, name, column.first, is_tag=name in columns.tags)
        elif len(column.series) and self._is_metric(name, single):
            self._as_metric(run, name, column)
        elif not column.varies:
            self._as_fact(run, name, column.first, is_tag=False)
        elif not len(column.series):
            self._tell(
                f"column {name!r:.60} has texts that change within run {run.name!r:.60}, and is left out; "
                f"--map ignore={name:.60} says that it may be",
                column.varies,
            )

    def _is_metric(self, name: str, single: bool) -> bool:
        """Whether a column of numbers is a metric: where each row is a run, only one that is known as such."""
        if self._columns.chosen or self._columns.metric is not None:
            return False
        return (
            not single
            or name.lower() in OBJECTIVES
            or _OBJECTIVE.fullmatch(name) is not None
            or goal_of(name, {}) is not None
        )

    def _as_metric(self, run: TableRun, name: str, column: _Column) -> None:
        for line, text in column.texts:
            self._tell(f"{text!r:.60} in column {name!r:.60} is no number", line)
        if column.text_count > len(column.texts):
            self._tell(f"column {name!r:.60} has {column.text_count - len(column.texts):,} more that are no numbers")
        if len(column.series):
            column.series.sort()
            run.series[name] = column.series

    def _as_fact(self, run: TableRun, name: str, value: Any, *, is_tag: bool) -> None:
        key = without_prefix(name)
        if is_tag and key in _PLACES:
            value = _PLACES[key](_text(value))
        try:
            if is_tag:
                run.tags[key] = codec.check_value(key, _text(value) if _text(value) else codec.json_text(value))
            else:
                run.params[key] = codec.param_value(key, value if self._typed else _param(value))
        except (InvalidValueError, ValueError, RecursionError) as error:
            self._tell(f"column {name!r:.60} of run {run.name!r:.60} is left out: {error}")


def time_of(cell: object) -> int | None:
    """UTC milliseconds of seconds, milliseconds, microseconds or nanoseconds since 1970, or of ISO 8601."""
    number = number_in(cell) if isinstance(cell, str) else number_of(cell)
    if number is None:
        return iso_time(cell)
    if not number >= _EARLIEST:
        return None
    for limit, factor in _UNITS:
        if number < limit:
            found = int(number * factor)
            return found if found <= MAX_TIME else None
    return None


def _json_number(cell: Any) -> float | None:
    return None if cell is True or cell is False else number_of(cell)


def _csv_number(cell: Any) -> float | None:
    return number_in(cell)


def _param(text: str) -> codec.Param:
    """A param out of a text: the number or bool that it is."""
    number = number_in(text)
    if number is not None:
        return int(text) if text.strip().lstrip("+-").isdigit() and len(text) < 400 else number
    return _WORDS.get(text.lower(), text)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return "" if value is None or isinstance(value, list | dict) else str(value)
