"""SQLite databases of other trackers: their rows, as far as they can be read. No lock outlives a query."""

from __future__ import annotations

import sqlite3
import time
import weakref
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tracker.foreign.sqlite_opening import ERRORS, Opened, reason_of, size_of
from tracker.logs import MAX_PROBLEMS, Problem
from tracker.names import is_text

MAX_TEXT = 4_000_000
"""Characters of the largest text that is taken over."""
MAX_CHECKED = 1 << 27
"""Bytes of the largest database that is checked as a whole, which locks it for two seconds or so."""
CHECK_SECONDS = 20.0
"""How long that check may take."""
BATCH = 1000
"""Rows that one query returns; between two queries others can write."""
MAX_ANSWER = 1 << 28
"""Bytes and letters in the rows of one query, where a damaged database could say the same again and again."""
_CHUNK = 500
_INTERRUPTED = "interrupted"
"""What SQLite says of a query that was ended."""
Row = tuple[Any, ...]


class Database:
    """A database that is only read. What cannot be read of it becomes a problem, and the rest is read."""

    def __init__(self, path: Path, root: Path) -> None:
        """Open a file; raises StoreError when another process keeps it locked."""
        self.path, self.name = path, path.relative_to(root).as_posix()
        self._problems: list[Problem] = []
        self._told: Counter[str] = Counter()
        self._connection: sqlite3.Connection | None = None
        self._is_small = False
        self.tables: dict[str, list[str]] = {}
        """The columns of each table."""
        self.is_sound = True
        """Whether indexes can be believed."""
        try:
            self._opened = Opened(path, partial(self.tell, ""))
            self._connection = self._opened.connection
            weakref.finalize(self, self._connection.close)
            self.tables = self._schema()
            self._check()
        except OSError as error:
            self.tell("", f"cannot be read: {error.strerror or error}")
        except ERRORS as error:
            self.tell("", f"cannot be read: {reason_of(error, path)}")

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        more = ((place, count - MAX_PROBLEMS) for place, count in self._told.items() if count > MAX_PROBLEMS)
        return [*self._problems, *(Problem(place, None, f"has {count:,} more problems") for place, count in more)]

    def tell(self, table: str, message: str, run_id: str | None = None) -> None:
        """Note what is wrong with a table, once, and of one table only the first ones."""
        problem = Problem(f"{self.name}/{table}" if table else self.name, None, message, run_id)
        if problem in self._problems:
            return
        self._told[problem.path] += 1
        if self._told[problem.path] <= MAX_PROBLEMS:
            self._problems.append(problem)

    def damaged(self, table: str, reason: str) -> None:
        """Note that rows of a table are missing."""
        self.tell(table, f"cannot be read as a whole: {reason}")

    def tell_if_changed(self) -> None:
        """Note that another process wrote to the database while it was read without locks."""
        if self._connection is not None:
            self._opened.tell_if_changed()

    # Rows

    def rows(self, table: str, *columns: str) -> Iterator[Row]:
        """All rows; behind damage it goes on with the next ones that can be read. Columns that are missing are None."""
        last = -1
        while table in self.tables:
            found, error = self._fetch(f"{self._ordered(table, *columns)} LIMIT {BATCH}", last)
            for row in found:
                yield row[1:]
            reached = max((row[0] for row in found), default=last)
            if error is not None:
                self.damaged(table, error)
                reached = reached if reached > last else self._behind(table, last)
            elif len(found) < BATCH:
                return
            if reached <= last:
                self.damaged(table, "its rows are in no order, or end too early")
                return
            last = reached

    def _behind(self, table: str, last: int) -> int:
        """After which row number rows can be read again, where the next one cannot; `last` where that is none."""
        step, sql = 1, f"{self._ordered(table)} LIMIT 1"
        while self._fetch(sql, last + step)[1] is not None:
            step *= 2
            if last + step >= 1 << 62:
                return last
        low = step // 2
        while step - low > 1:
            middle = (low + step) // 2
            low, step = (low, middle) if self._fetch(sql, last + middle)[1] is None else (middle, step)
        return last + step

    def rowids(self, table: str, column: str) -> dict[Any, array[int]]:
        """Where the rows with each value of a column are."""
        found: dict[Any, array[int]] = {}
        for value, rowid in self.rows(table, column, "rowid"):
            found.setdefault(value, array("q")).append(rowid)
        return found

    def at(self, table: str, rowids: array[int], *columns: str) -> Iterator[Row]:
        """Rows by number; one that cannot be read is left out."""
        for start in range(0, len(rowids), _CHUNK):
            chunk = rowids[start : start + _CHUNK]
            found, error = self._at(table, chunk, columns)
            if error is None:
                yield from found
                continue
            for one in chunk:
                found, error = self._at(table, array("q", [one]), columns)
                yield from found[:1]
                if error is not None:
                    self.damaged(table, error)

    def _at(self, table: str, rowids: array[int], columns: tuple[str, ...]) -> tuple[list[Row], str | None]:
        places = ",".join("?" * len(rowids))
        return self._fetch(f"{self._select(table, *columns)} WHERE rowid IN ({places})", *rowids)

    def where(self, table: str, column: str, value: object, *columns: str) -> tuple[list[Row], str | None]:
        """The rows with a value, and what hindered reading all of them."""
        if column not in self.tables.get(table, ()):
            return [], None
        return self._fetch(f'{self._select(table, *columns)} WHERE "{column}" = ?', value)

    def is_indexed(self, table: str, column: str) -> bool:
        """Whether rows are found by a column without looking at all of them."""
        if column not in self.tables.get(table, ()):
            return False
        plan, error = self._fetch(f'EXPLAIN QUERY PLAN SELECT * FROM "{table}" WHERE "{column}" = ?', "")
        return error is None and any(str(row[-1]).startswith("SEARCH") for row in plan)

    def count(self, table: str) -> int:
        """How many rows there are; 0 where that cannot be told."""
        found, _ = self._fetch(f'SELECT count(*) FROM "{table}"') if table in self.tables else ([], None)
        return int(found[0][0]) if found else 0

    def _ordered(self, table: str, *columns: str) -> str:
        return f"{self._select(table, 'rowid', *columns)} WHERE rowid > ? ORDER BY rowid"

    def _select(self, table: str, *columns: str) -> str:
        known = {"rowid", *self.tables[table]}
        names = ", ".join(_quoted(name) if name in known else "NULL" for name in columns)
        return f"SELECT {names} FROM {_quoted(table)}"

    def _fetch(self, sql: str, *values: object) -> tuple[list[Row], str | None]:
        """All rows of a query up to the first that cannot be read, and why not."""
        found: list[Row] = []
        if self._connection is None:
            return found, None
        try:
            rows = self._connection.execute(sql, values)
            found.extend(rows if self._is_small else _bounded(rows))
        except ERRORS as error:
            if "decode" in str(error) and self._connection.text_factory is str:
                self._connection.text_factory = _lenient
                return self._fetch(sql, *values)
            return found, reason_of(error, self.path)
        return found, None

    def _schema(self) -> dict[str, list[str]]:
        """Ordinary tables and their stored columns: views, virtual tables and generated columns would run code."""
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        names, error = self._fetch(sql)
        if error is not None and self._connection is not None:
            self.damaged("", error)
            self._connection.execute("PRAGMA writable_schema = ON")  # makes SQLite skip what it does not understand
            names, _ = self._fetch(sql)
        found = {}
        for (name,) in names:
            if isinstance(name, str) and '"' not in name:
                columns, _ = self._fetch(f'PRAGMA table_info("{name}")')
                found[name] = [column[1] for column in columns if isinstance(column[1], str) and '"' not in column[1]]
        return found

    def _check(self) -> None:
        """Have SQLite look for damage that queries would not come upon, unless that takes long."""
        if self._connection is None or size_of(self.path) > MAX_CHECKED:
            return
        end = time.monotonic() + CHECK_SECONDS
        self._connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        found, error = self._fetch("PRAGMA integrity_check(1)")
        self._connection.set_progress_handler(None, 0)
        if error == _INTERRUPTED:
            return  # it takes too long, which says nothing of the database
        finding = error or next((str(row[0]) for row in found), "ok")
        self.is_sound = self._is_small = finding == "ok"
        if not self.is_sound:
            self.tell("", f"does not pass SQLite's own check: {' '.join(finding.split()):.150}")


class Lookup:
    """Finds the rows of a table by the value of a column, with or without an index, and around damage.

    Of no database there are none.
    """

    def __init__(self, database: Database | None, table: str, column: str, *columns: str) -> None:
        self._database, self._table, self._column, self._columns = database, table, column, columns
        self._places: dict[Any, array[int]] | None = None
        self._by_index = database is not None and database.is_sound and database.is_indexed(table, column)

    def of(self, value: str | int) -> list[Row]:
        """All rows with a value that can be read."""
        if self._database is None:
            return []
        if self._by_index:
            rows, error = self._database.where(self._table, self._column, value, *self._columns)
            if error is None:
                return rows
            self._database.damaged(self._table, error)
            self._by_index = False
        if self._places is None:
            self._places = self._database.rowids(self._table, self._column)
        places = self._places.get(value)
        return list(self._database.at(self._table, places, *self._columns)) if places else []


def text_in(value: object) -> str | None:
    """The text of a value; None for what is none that our files can hold."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT and "\0" not in value and is_text(value) else None
    return str(value) if isinstance(value, int | float) else None


def _bounded(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows as long as they fit the memory."""
    size = 0
    for row in rows:
        size += sum(len(cell) for cell in row if isinstance(cell, str | bytes))
        if size > MAX_ANSWER:
            raise sqlite3.DataError(f"more than {MAX_ANSWER:,} bytes in a few rows")
        yield row


def _quoted(name: str) -> str:
    return name if name == "rowid" else f'"{name}"'  # in quotes it would be a text where no such column is


def _lenient(data: bytes) -> str:
    """Text that is not UTF-8 stays recognisable as such."""
    return data.decode("utf-8", "surrogateescape")
