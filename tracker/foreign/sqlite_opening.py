"""SQLite databases opened without a trace: none of their files is made or changed."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tracker import _io
from tracker.exceptions import StoreError

HEADER = b"SQLite format 3\0"
MAX_CELL = 1 << 26
"""Bytes of the largest value that is read from a database."""
LOCK_SECONDS = 3.0
"""How long to wait for another process that has locked the database."""
ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What a query raises; the second where a damaged name stands in the message of an error."""
_WAL_VERSION = 2
_GLANCE = 4 << 20
_TRIES = 3
_UNLOCKED = "mode=ro&immutable=1"
_CHANGED = "was written to while it was read; import it again when that has ended"
_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal ends that names another file, which a rollback would open and may delete."""
_PRAGMAS = (
    "trusted_schema = OFF",
    "query_only = ON",
    "cell_size_check = ON",
    "mmap_size = 0",  # a file that becomes shorter would end the process
    "ignore_check_constraints = ON",
)
Tell = Callable[[str], None]


def has_tables(path: Path, wanted: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a file is an SQLite database with these tables and columns, as far as a glance tells."""
    places = [_beside(path, "-wal")]  # content that has not been written back yet
    try:
        with _io.open_regular(path) as file:
            if file.read(len(HEADER)) != HEADER:
                return False
        with contextlib.closing(_connect(path, _UNLOCKED)) as connection:
            if all(set(columns) <= _columns(connection, table) for table, columns in wanted.items()):
                return True
    except OSError:
        return False
    except (*ERRORS, ValueError):
        places.append(path)
    return _mention(places, wanted)


def is_damaged(path: Path) -> bool:
    """Whether a file is an SQLite database that does not even say what is in it."""
    try:
        with _io.open_regular(path) as file:
            if file.read(len(HEADER)) != HEADER:
                return False
        with contextlib.closing(_connect(path, _UNLOCKED)) as connection:
            connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    except (*ERRORS, ValueError):
        return True
    except OSError:
        pass
    return False


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')}


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


class Opened:
    """A database that is open for reading.

    One in WAL mode needs files beside it while it is open, and an interrupted change has to be rolled back first: both
    happen in a copy.
    """

    def __init__(self, path: Path, tell: Tell) -> None:
        """Open a file. Raises OSError or one of ERRORS when it cannot be read, StoreError when it is kept locked."""
        self._path, self._tell = path, tell
        self._aside: tempfile.TemporaryDirectory[str] | None = None
        self._before: tuple[int, int] | None = None
        self.connection = self._connect()

    def tell_if_changed(self) -> None:
        """Say that another process wrote to the database while it was read without locks."""
        if self._before not in (None, _signature(self._path)):
            self._tell(_CHANGED)

    def _connect(self) -> sqlite3.Connection:
        """A connection of the kind that leaves no trace."""
        with _io.open_regular(self._path) as file:
            head = file.read(100)
        strange = [end for end in ("-wal", "-journal") if _is_strange(_beside(self._path, end))]
        if strange:
            self._tell(f"is read without {self._path.name}{strange[0]}, which is a link or no file")
            return _connect(self._path, _UNLOCKED)
        if size_of(_beside(self._path, "-wal")):
            return self._copy("-wal")
        if len(head) > 18 and head[18] == _WAL_VERSION:
            self._before = _signature(self._path)
            return _connect(self._path, _UNLOCKED)
        connection = _connect(self._path, "mode=ro")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except ERRORS as error:
            if _name(error) != "SQLITE_READONLY_ROLLBACK":
                reason_of(error, self._path)
                return connection
        else:
            return connection
        connection.close()
        return self._rolled_back()

    def _rolled_back(self) -> sqlite3.Connection:
        with _io.open_regular(_beside(self._path, "-journal")) as file:
            file.seek(max(file.seek(0, os.SEEK_END) - len(_SUPER_JOURNAL), 0))
            names_another_file = file.read() == _SUPER_JOURNAL
        if names_another_file:
            self._tell("has an interrupted change in it that is not undone: its journal names other files")
            return _connect(self._path, _UNLOCKED)
        return self._copy("-journal")

    def _copy(self, suffix: str) -> sqlite3.Connection:
        """A connection to a copy of the database and its log or journal, which SQLite may change."""
        self._aside = tempfile.TemporaryDirectory(prefix="tracker-", ignore_cleanup_errors=True)
        target = Path(self._aside.name) / "copy.db"
        with _io.explained(f"copy {self._path.name} aside to", target):
            for _ in range(_TRIES):
                before = _signature(self._path)
                for end in (suffix, ""):
                    with contextlib.suppress(FileNotFoundError), _io.open_regular(_beside(self._path, end)) as reader:
                        _io.copy_file(reader, _beside(target, end), durable=False)
                if before == _signature(self._path):
                    break
            else:
                self._tell(_CHANGED)
        return _connect(target, "mode=rw")


def reason_of(error: Exception, path: Path) -> str:
    """What to tell of an error. Raises StoreError for a lock: nothing can be read now, and all of it later."""
    if _name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        raise StoreError(
            f"{path} is locked by another process, which writes to it. Wait until that has ended, or stop it, "
            "and try again: what was imported stays."
        ) from error
    return "a name in it is damaged" if isinstance(error, UnicodeDecodeError) else str(error)


def size_of(path: Path) -> int:
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
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _name(error: Exception) -> str:
    return str(getattr(error, "sqlite_errorname", ""))
