"""Rows of CSV and JSON lines, one after the other, however damaged the file is."""

from __future__ import annotations

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

import msgspec

from tracker import _io, codec
from tracker.exceptions import InvalidValueError
from tracker.foreign.damage import Tell
from tracker.logs import MAX_LINE

Row = dict[str, Any]
"""Cells by column: texts of CSV, any plain value of JSON."""
MAX_COLUMNS = 10_000
_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")
"""What no line of a table has, but other files do."""
_DECIMAL = re.compile(r"\s*[+-]?\d+(,\d+)?([eE][+-]?\d+)?\s*|\s*", re.ASCII)
"""A number with a comma, or nothing."""
_NO_DECIMALS = frozenset(("nan", "na", "n/a", "null", "none", "inf", "-inf"))
"""Cells that tell nothing of how a column writes its numbers."""
_MAX_RETRIES = 100
"""How often lines are read again that a stray quote had swallowed."""


def read_rows(path: Path, tell: Tell, *, json_lines: bool) -> Iterator[tuple[int, Row]]:
    """Each row with the number of its line. What cannot be read is told."""
    tabs = path.suffix.lower() == ".tsv"
    try:
        commas = set() if json_lines or tabs else _comma_columns(path)
        with _io.open_regular(path) as reader:
            lines, row = _Lines(reader, tell), None
            for row in _json_rows(lines, tell) if json_lines else _csv_rows(lines, tell, tabs=tabs):
                for name in commas & row[1].keys() if commas else ():
                    row[1][name] = row[1][name].replace(",", ".")
                yield row
            if row is None and not lines.refused:
                tell("holds no rows")
    except OSError as error:
        tell(f"cannot be read: {error.strerror or error}")


def _comma_columns(path: Path) -> set[str]:
    """The columns of a file with semicolons that write their numbers with commas."""
    with _io.open_regular(path) as reader:
        lines = _Lines(reader, lambda *_: None)
        first = lines.peek()
        if _NO_TEXT.search(first) or _delimiter(first) != ";":
            return set()
        could: set[str] | None = None
        found: set[str] = set()
        for _, row in _csv_rows(lines, lambda *_: None, tabs=False):
            could = set(row) if could is None else could
            wrong = {name for name in could & row.keys() if not _DECIMAL.fullmatch(row[name])}
            could -= {name for name in wrong if row[name].strip().lower() not in _NO_DECIMALS}
            if not could:
                return set()
            found |= {name for name in could & row.keys() if "," in row[name]}
        return found & (could or set())


class _Lines:
    """The lines of a file as text, with their ends; those that a row took can be read again."""

    def __init__(self, reader: BufferedReader, tell: Tell) -> None:
        self._reader, self._tell = reader, tell
        self._again: deque[str] = deque()
        self.number = 0
        """Of the line that was read last."""
        self.taken: list[str] = []
        """The lines of the row that is being read."""
        self.refused = False
        """Whether it was told why nothing of the file is read."""
        self._is_utf8 = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
            self.number += 1
        else:
            line = self._read()
        self.taken.append(line)
        return line

    def _read(self) -> str:
        while True:
            data = b"" if self.refused else self._reader.readline(MAX_LINE)
            if not data:
                raise StopIteration
            self.number += 1
            if self.number == 1:
                if data.startswith((*_OTHER_BOMS, _GZIP)):
                    is_packed = data.startswith(_GZIP)
                    self.refuse(
                        "holds no rows: it is packed. Unpack it" if is_packed else "is UTF-16. Save it as UTF-8"
                    )
                    raise StopIteration
                data = data.removeprefix(_BOM)
            if len(data) < MAX_LINE or data.endswith(b"\n"):
                return self._text(data)
            self._tell(f"is longer than {MAX_LINE:,} bytes, and left out", self.number)
            while data and not data.endswith(b"\n"):
                data = self._reader.readline(MAX_LINE)

    def refuse(self, why: str) -> None:
        """Tell, once, why nothing is read."""
        if not self.refused:
            self._tell(why, *([1] if self.number else []))
        self.refused = True

    def _text(self, data: bytes) -> str:
        """A line as UTF-8; one that is not as Windows would write it, so that its names and numbers survive."""
        try:
            return data.decode()
        except UnicodeDecodeError:
            text = data.decode("latin-1")
            if self.number == 1 and _NO_TEXT.search(text):
                return text  # no table in any encoding
            if self._is_utf8:
                self._tell("is not UTF-8; save it as UTF-8. Until then it is read as Windows-1252", self.number)
            self._is_utf8 = False
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            return data.decode("latin-1")

    def peek(self) -> str:
        """The next line, which stays there; an empty text at the end."""
        line = next(self, "")
        if line:
            self._again.appendleft(line)
            self.number -= 1
        return line

    def give_back(self) -> None:
        """Have all lines of this row but the first read again."""
        again = self.taken[1:]
        self._again.extendleft(reversed(again))
        self.number -= len(again)


def _csv_rows(lines: _Lines, tell: Tell, *, tabs: bool) -> Iterator[tuple[int, Row]]:
    first = lines.peek()
    if _NO_TEXT.search(first):
        lines.number = 1
        lines.refuse("is no header of a table, and the file holds no rows")
        return
    records = _records(lines, tell, "\t" if tabs else _delimiter(first))
    _, given = next(records, (0, []))
    if not given or len(given) > MAX_COLUMNS:
        if given or not first:
            lines.refuse("has more columns than a table of runs" if given else "is empty")
        return
    header = _header(given, tell)
    for number, cells in records:
        if len(cells) == len(header):
            if cells != given:
                yield number, dict(zip(header, cells, strict=True))
        elif len(cells) > len(header) and not any(cells[len(header) :]):
            yield number, dict(zip(header, cells, strict=False))
        elif any(cells):
            tell(f"has {len(cells)} cells where the header has {len(header)}, and is left out", number)


def _delimiter(first: str) -> str:
    counts = {mark: first.count(mark) for mark in ",\t;"}
    return max(counts, key=lambda mark: counts[mark])


def _records(lines: _Lines, tell: Tell, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of cells. Where a stray quote swallowed lines, these are read again without the line that has it."""
    reader, retries, width = csv.reader(lines, delimiter=delimiter, strict=True), 0, 0
    while True:
        number, lines.taken, wrong = lines.number + 1, [], ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells, wrong = _loose(lines.taken, delimiter), str(error)
        width = width or len(cells)
        if len(lines.taken) > 1 and retries < _MAX_RETRIES and (wrong or len(cells) != width):
            retries += 1
            tell("has a quote that is not closed, and is left out", number)
            lines.give_back()
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
        elif wrong and not cells:
            tell(f"cannot be read: {wrong}", number)
        else:
            if not lines.taken[-1].endswith(("\n", "\r")):
                tell("is the last line and has no end, so its last value may be cut off", number)
            yield number, cells


def _loose(taken: list[str], delimiter: str) -> list[str]:
    """The cells of a line with text behind a closing quote; none where that is not what is wrong."""
    if len(taken) > 1 or taken[-1].count('"') % 2:
        return []
    try:
        return next(csv.reader(taken, delimiter=delimiter))
    except csv.Error:
        return []


def _header(cells: list[str], tell: Tell) -> list[str]:
    """Names of columns, each once: the second `loss` is `loss.1`, as pandas has it."""
    found: dict[str, None] = {}
    for index, cell in enumerate(cells):
        name = cell.strip() or f"Unnamed: {index}"
        free, number = name, 0
        while free in found:
            number += 1
            free = f"{name}.{number}"
        if number and cell.strip():
            tell(f"has two columns {name!r:.60}; the second one is read as {free!r:.60}", 1)
        found[free] = None
    return list(found)


def _json_rows(lines: _Lines, tell: Tell) -> Iterator[tuple[int, Row]]:
    decode: Callable[[str], object] = msgspec.json.Decoder().decode
    any_line = False
    for line in lines:
        lines.taken.clear()
        any_line = True
        if not line.strip():
            continue
        try:
            try:
                found = decode(line)
            except (msgspec.DecodeError, UnicodeEncodeError):
                found = json.loads(line)  # takes NaN and Infinity, as Python writes them
            if not isinstance(found, dict):
                raise ValueError("it is no object")
            yield lines.number, dict(codec.flatten(found)) if _is_nested(found) else found
        except (ValueError, RecursionError, InvalidValueError) as error:
            torn = "" if line.endswith("\n") else "is incomplete, and "
            tell(f"{torn}is no row: {error}", lines.number)
    if not any_line:
        lines.refuse("is empty")


def _is_nested(row: Row) -> bool:
    return any(type(value) is dict for value in row.values())
