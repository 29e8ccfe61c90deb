"""Rows and points as CSV and JSON, written one after the other."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from tracker.codec import json_text
from tracker.exporting.rows import Kind, Row
from tracker.summary import Series

_QUOTED = re.compile(r'[",\r\n]|^\s|\s$')
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
Write = Callable[[bytes], object]
"""Takes the next bytes of the file."""


class TableWriter(Protocol):
    """Writes a table piece by piece; `close` completes it."""

    def add_row(self, row: Row) -> None: ...

    def add_points(self, run_id: str, metric: str, series: Series) -> None: ...

    def close(self) -> None: ...


class CsvWriter:
    """UTF-8, a line of names, commas, and quotes where they are needed. What is missing is an empty cell.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, unless `exact` is set.
    """

    def __init__(self, write: Write, columns: Mapping[str, Kind], *, exact: bool = False) -> None:
        self._write, self._columns, self._exact = write, columns, exact
        write((",".join(map(_quoted, columns)) + "\n").encode(errors="replace"))

    def add_row(self, row: Row) -> None:
        """Write a row."""
        cells = [self._cell(row[name], kind) if name in row else "" for name, kind in self._columns.items()]
        self._write((",".join(cells) + "\n").encode(errors="replace"))

    def add_points(self, run_id: str, metric: str, series: Series) -> None:
        """Write the points of a metric."""
        prefix = f"{self._cell(run_id, 'text')},{self._cell(metric, 'text')}"
        points = zip(series.steps, series.times, series.values, strict=True)
        lines = [f"{prefix},{step},{iso(time)},{_number(value)}\n" for step, time, value in points]
        self._write("".join(lines).encode(errors="replace"))

    def close(self) -> None:
        """Nothing comes after the last row."""

    def _cell(self, value: object, kind: Kind) -> str:
        if isinstance(value, str):
            return _quoted(value if self._exact else _guarded(value))
        if kind == "time" and isinstance(value, int):
            return iso(value)
        return _number(value)


def _guarded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _quoted(text: str) -> str:
    if not _QUOTED.search(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _number(value: object) -> str:
    return repr(value) if not isinstance(value, float) or value - value == 0 else str(strict(value))


class JsonWriter:
    """Strict JSON: an array of objects, or with `lines` an object a line. What is missing is left out."""

    def __init__(self, write: Write, columns: Mapping[str, Kind], *, lines: bool = False, ascii_only: bool = False):
        self._write, self._columns, self._lines = write, columns, lines
        self._ascii, self._any = ascii_only, False

    def add_row(self, row: Row) -> None:
        """Write a row."""
        shown = {name: self._value(row[name], kind) for name, kind in self._columns.items() if name in row}
        self._add(json_text(shown))

    def add_points(self, run_id: str, metric: str, series: Series) -> None:
        """Write the points of a metric."""
        prefix = json_text({"run_id": run_id, "metric": metric})[:-1]
        for step, time, value in zip(series.steps, series.times, series.values, strict=True):
            finite = type(value) is float and value - value == 0
            shown = repr(value) if finite else json_text(strict(value))
            self._add(f'{prefix},"step":{step},"time":"{iso(time)}","value":{shown}}}')

    def close(self) -> None:
        """Complete the array."""
        if not self._lines:
            self._write(b"\n]\n" if self._any else b"[]\n")

    def _add(self, text: str) -> None:
        before = "" if self._lines else ",\n" if self._any else "[\n"
        after = "\n" if self._lines else ""
        self._any = True
        whole = f"{before}{text}{after}"
        self._write(_escaped(whole).encode("ascii") if self._ascii else whole.encode(errors="replace"))

    def _value(self, value: object, kind: Kind) -> object:
        if kind == "time" and isinstance(value, int):
            return iso(value)
        return strict(value)


def _escaped(text: str) -> str:
    """JSON with escapes in place of all that is not ASCII, which only strings can hold."""
    if text.isascii():
        return text
    units = text.encode("utf-16-be", errors="replace")
    codes = [units[i] << 8 | units[i + 1] for i in range(0, len(units), 2)]
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)


def strict(value: object) -> object:
    """A number that is not finite as text, in JSON's spelling elsewhere in our files."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def iso(milliseconds: int) -> str:
    """A time as ISO 8601 in UTC, to the millisecond."""
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
