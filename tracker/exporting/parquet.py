"""Rows and points as Parquet, in row groups, by pyarrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import IO, Any

from tracker.codec import param_text
from tracker.exceptions import MissingPackageError
from tracker.exporting.rows import POINTS, Kind, Row
from tracker.summary import Series

MAX_POINTS = 1 << 18
"""Points of a row group."""
MAX_CELLS = 1 << 20
"""Cells of a row group of runs."""


class ParquetWriter:
    """Typed columns; nothing but one row group is kept in memory. Raises MissingPackageError without pyarrow."""

    def __init__(self, stream: IO[bytes], columns: Mapping[str, Kind]) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise MissingPackageError("Writing Parquet", "parquet") from None
        self._arrow, self._columns = pyarrow, columns
        self._types = {name: _arrow_type(pyarrow, kind) for name, kind in columns.items()}
        self._schema = pyarrow.schema(list(self._types.items()))
        self._writer = parquet.ParquetWriter(stream, self._schema)
        self._rows: list[Row] = []
        self._max_rows = max(100, MAX_CELLS // len(columns))
        self._series: list[tuple[str, str, Series]] = []
        self._points = 0

    def add_row(self, row: Row) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) >= self._max_rows:
            self._flush()

    def add_points(self, run_id: str, metric: str, series: Series) -> None:
        """Add the points of a metric."""
        self._series.append((run_id, metric, series))
        self._points += len(series)
        if self._points >= MAX_POINTS:
            self._flush()

    def close(self) -> None:
        """Write the last row group and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            arrays = [
                self._arrow.array([_as_kind(row.get(name), kind) for row in self._rows], self._types[name])
                for name, kind in self._columns.items()
            ]
            self._writer.write_batch(self._arrow.record_batch(arrays, schema=self._schema))
            self._rows = []
        if self._series:
            arrays = [self._column(get, self._types[name]) for name, get in _GETTERS.items()]
            self._writer.write_batch(self._arrow.record_batch(arrays, schema=self._schema))
            self._series, self._points = [], 0

    def _column(self, get: Callable[[str, str, Series], Any], kind: Any) -> Any:
        """A column of points: a text that is the same for a series, or a list of numbers."""
        parts = []
        for run_id, metric, series in self._series:
            value = get(run_id, metric, series)
            if isinstance(value, str):
                parts.append(self._arrow.repeat(self._arrow.scalar(value, kind), len(series)))
            else:
                parts.append(self._arrow.array(value, kind))
        return self._arrow.concat_arrays(parts)


_GETTERS: dict[str, Callable[[str, str, Series], Any]] = dict(
    zip(
        POINTS,
        (
            lambda run_id, metric, series: run_id,
            lambda run_id, metric, series: metric,
            lambda run_id, metric, series: series.steps,
            lambda run_id, metric, series: series.times,
            lambda run_id, metric, series: list(map(float, series.values)),
        ),
        strict=True,
    )
)


def _arrow_type(arrow: Any, kind: Kind) -> Any:
    if kind == "time":
        return arrow.timestamp("ms", tz="UTC")
    types = {"text": arrow.string, "bool": arrow.bool_, "integer": arrow.int64, "long": arrow.int64}
    return types.get(kind, arrow.float64)()


def _as_kind(value: Any, kind: Kind) -> object:
    if value is None:
        return None
    if kind == "number":
        return float(value)
    return param_text(value) if kind == "text" and not isinstance(value, str) else value
