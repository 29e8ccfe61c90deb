"""SQLite databases of other trackers, read without a trace: no file is made or changed, no lock outlives a query."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tracker import _io
from tracker.exceptions import StoreError
from tracker.logs import MAX_PROBLEMS, Problem
from tracker.names import is_text

HEADER = b"SQLite format 3\0"
MAX_CELL = 1 << 26
"""Bytes of the largest value that is read from a database."""
MAX_TEXT = 4_000_000
"""Characters of the largest text that is taken over."""
MAX_CHECKED = 1 << 27
"""Bytes of the largest database that is checked as a whole, which locks it for two seconds or so."""
LOCK_SECONDS = 3.0
"""How long to wait for another process that has locked the database."""
BATCH = 1000
"""Rows that one query returns; between two queries others can write."""
_WAL_VERSION = 2
_GLANCE = 4 << 20
_CHUNK = 500
_TRIES = 3
_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal ends that names another file, which a rollback would open and may delete."""

_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What a query raises; the second where a damaged name stands in the message of an error."""

Row = tuple[Any, ...]


def has_tables(path: Path, wanted: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a file is an SQLite database with these tables and columns, as far as a glance tells."""
    places = [_beside(path, "-wal")]  # content that has not been written back yet
    try:
        with _io.open_regular(path) as file:
            if file.read(len(HEADER)) != HEADER:
                return False
        with contextlib.closing(_connect(path, "mode=ro&immutable=1")) as connection:
            if all(set(columns) <= _columns(connection, table) for table, columns in wanted.items()):
                return True
    except OSError:
        return False
    except (*_ERRORS, ValueError):
        places.append(path)
    return _mention(places, wanted)


def is_damaged(path: Path) -> bool:
    """Whether a file is an SQLite database that does not even say what is in it."""
    try:
        with _io.open_regular(path) as file:
            if file.read(len(HEADER)) != HEADER:
                return False
        with contextlib.closing(_connect(path, "mode=ro&immutable=1")) as connection:
            connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    except (*_ERRORS, ValueError):
        return True
    except OSError:
        pass
    return False


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")}


def _mention(places: Iterable[Path], wanted: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the definitions of tables stand somewhere in files, be they damaged."""
    text = b""
    for place in places:
        with contextlib.suppress(OSError), _io.open_regular(place) as file:
            text += file.read(_GLANCE)
    starts = ("CREATE TABLE {} ", "CREATE TABLE {}(", 'CREATE TABLE "{}"')
    columns = {column for names in wanted.values() for column in names}
    return all(column.encode() in text for column in columns) and all(
        any(start.format(name).encode() in text for start in starts) for name in wanted
    )


class Database:
    """A database that is only read. What cannot be read of it becomes a problem, and the rest is read."""

    def __init__(self, path: Path, root: Path) -> None:
        """Open a file; raises StoreError when another process keeps it locked."""
        self.path, self.name = path, path.relative_to(root).as_posix()
        self._problems: list[Problem] = []
        self._told: Counter[str] = Counter()
        self._aside: tempfile.TemporaryDirectory[str] | None = None
        self._before: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None
        self.tables: dict[str, list[str]] = {}
        """The columns of each table."""
        self.is_sound = True
        """Whether indexes can be believed."""
        try:
            self._connection = self._open()
            self.tables = self._schema()
            self._check()
        except OSError as error:
            self.tell("", f"cannot be read: {error.strerror or error}")
        except _ERRORS as error:
            self.tell("", f"cannot be read: {self._reason(error)}")

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
        if self._before not in (None, _signature(self.path)):
            self.tell("", "was written to while it was read; import it again when that has ended")

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
            found.extend(self._connection.execute(sql, values))
        except _ERRORS as error:
            if "decode" in str(error) and self._connection.text_factory is str:
                self._connection.text_factory = _lenient
                return self._fetch(sql, *values)
            return found, self._reason(error)
        return found, None

    # Opening

    def _open(self) -> sqlite3.Connection:
        """A connection of the kind that leaves no trace.

        A database in WAL mode needs files beside it while it is open, and an interrupted change has to be rolled back
        first: both happen in a copy.
        """
        with _io.open_regular(self.path) as file:
            head = file.read(100)
        strange = [end for end in ("-wal", "-journal") if _is_strange(_beside(self.path, end))]
        if strange:
            self.tell("", f"is read without {self.path.name}{strange[0]}, which is a link or no file")
            return _connect(self.path, "mode=ro&immutable=1")
        if _size(_beside(self.path, "-wal")):
            return self._copy("-wal")
        if len(head) > 18 and head[18] == _WAL_VERSION:
            self._before = _signature(self.path)
            return _connect(self.path, "mode=ro&immutable=1")
        connection = _connect(self.path, "mode=ro")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except _ERRORS as error:
            if _name(error) != "SQLITE_READONLY_ROLLBACK":
                self._reason(error)
                return connection
        else:
            return connection
        connection.close()
        return self._rolled_back()

    def _rolled_back(self) -> sqlite3.Connection:
        with _io.open_regular(_beside(self.path, "-journal")) as file:
            file.seek(max(file.seek(0, os.SEEK_END) - len(_SUPER_JOURNAL), 0))
            names_another_file = file.read() == _SUPER_JOURNAL
        if names_another_file:
            self.tell("", "has an interrupted change in it that is not undone: its journal names other files")
            return _connect(self.path, "mode=ro&immutable=1")
        return self._copy("-journal")

    def _copy(self, suffix: str) -> sqlite3.Connection:
        """A connection to a copy of the database and its log or journal, which SQLite may change."""
        self._aside = tempfile.TemporaryDirectory(prefix="tracker-", ignore_cleanup_errors=True)
        target = Path(self._aside.name) / "copy.db"
        with _io.explained(f"copy {self.path.name} aside to", target):
            for _ in range(_TRIES):
                before = _signature(self.path)
                for end in (suffix, ""):
                    with contextlib.suppress(FileNotFoundError), _io.open_regular(_beside(self.path, end)) as reader:
                        _io.copy_file(reader, _beside(target, end), durable=False)
                if before == _signature(self.path):
                    break
            else:
                self.tell("", "was written to while it was read; import it again when that has ended")
        return _connect(target, "mode=rw")

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
        """Have SQLite look for damage that queries would not come upon, unless that took long."""
        if self._connection is not None and _size(self.path) <= MAX_CHECKED:
            found, error = self._fetch("PRAGMA integrity_check(1)")
            finding = error or next((str(row[0]) for row in found), "ok")
            if finding != "ok":
                self.is_sound = False
                self.tell("", f"does not pass SQLite's own check: {' '.join(finding.split()):.150}")

    def _reason(self, error: Exception) -> str:
        """What to tell of an error. Raises StoreError for a lock: nothing can be read, and all of it later."""
        if _name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreError(
                f"{self.path} is locked by another process, which writes to it. Wait until that has ended, or stop it, "
                "and try again: what was imported stays."
            ) from error
        return "a name in it is damaged" if isinstance(error, UnicodeDecodeError) else str(error)


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


def _connect(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}",
        uri=True,
        timeout=LOCK_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _size(path: Path) -> int:
    """Bytes of a regular file; 0 where none is."""
    try:
        with _io.open_regular(path) as file:
            return file.seek(0, os.SEEK_END)
    except OSError:
        return 0


def _is_strange(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and not path.is_file())


def _signature(path: Path) -> tuple[int, int]:
    """Changes when a file is written to."""
    try:
        info = path.lstat()
    except OSError:
        return (0, 0)
    return (info.st_mtime_ns, info.st_size)


def _quoted(name: str) -> str:
    return name if name == "rowid" else f'"{name}"'  # in quotes it would be a text where no such column is


def _name(error: Exception) -> str:
    return str(getattr(error, "sqlite_errorname", ""))


def _lenient(data: bytes) -> str:
    """Text that is not UTF-8 stays recognisable as such."""
    return data.decode("utf-8", "surrogateescape")
