"""The reader's index: what the last listing of a store found, so that the next one opens only what changed.

It lies in the user's cache folder, never in the store, and can be deleted at any time. It is believed for a run while
the sizes and times of its files are what they were.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from tracker import __version__, _io, layout, settings
from tracker.logs import Problem
from tracker.schema import RunFile

FORMAT = 1
MAX_INDEX = 2 << 30

Signature = tuple[int, ...]


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One run as it was read."""

    signature: Signature
    digest: str
    file: RunFile
    problems: tuple[Problem, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether its files alone decide what it is: the status of others depends on the hour and on processes."""
        return self.file.status not in ("RUNNING", "STALE")

    def is_current(self, folder: str) -> bool:
        """Whether the files of the run are as they were when it was read."""
        return self.is_settled and self.signature == signature(folder) and not self._grew(folder)

    def _grew(self, folder: str) -> bool:
        """Whether a log without a last record has become longer."""
        growing = [(name, log.bytes) for name, log in self.file.logs.items() if not log.closed]
        return any(_stat(f"{folder}/{layout.LOG}/{name}")[1] != size for name, size in growing)


def signature(folder: str) -> Signature:
    """Size and times that change when the run does: of run.json and of the folder of its logs."""
    return (*_stat(f"{folder}/{layout.RUN_FILE}"), _stat(f"{folder}/{layout.LOG}")[0])


def _stat(path: str) -> tuple[int, int, int]:
    try:
        info = os.lstat(path)
    except OSError:
        return (0, 0, 0)
    return (info.st_mtime_ns, info.st_size, info.st_ino)


class _File(msgspec.Struct):
    format: int
    version: str
    root: str
    runs: dict[str, dict[str, Entry]]


_decoder = msgspec.msgpack.Decoder(_File)


class Index:
    """Entries by experiment slug and run id."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Entry]] = {}
        self.changed = False

    @classmethod
    def load(cls, root: Path) -> Index:
        """The index of a store; an empty one when there is none that can be used."""
        index = cls()
        with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError, RecursionError):
            file = _decoder.decode(_io.read_file(index_file(root), limit=MAX_INDEX))
            if (file.format, file.version, file.root) == (FORMAT, __version__, os.path.realpath(root)):
                index.runs = file.runs
        return index

    def save(self, root: Path) -> None:
        """Keep the index for the next time; without a word where that is not possible."""
        if not self.changed:
            return
        file = _File(FORMAT, __version__, os.path.realpath(root), self.runs)
        with contextlib.suppress(OSError):
            path = index_file(root)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _io.replace_file(path, _encode(file), durable=False)
            self.changed = False


def _encode(file: _File) -> bytes:
    """The index as bytes; without runs that have a param beyond 64 bits, which the encoding cannot hold."""
    try:
        return msgspec.msgpack.encode(file)
    except OverflowError:
        fitting = {
            slug: {run: entry for run, entry in runs.items() if _fits(entry)} for slug, runs in file.runs.items()
        }
        return msgspec.msgpack.encode(_File(file.format, file.version, file.root, fitting))


def _fits(entry: Entry) -> bool:
    with contextlib.suppress(OverflowError):
        return bool(msgspec.msgpack.encode(entry))
    return False


def index_file(root: Path) -> Path:
    """Where the index of a store lies."""
    name = hashlib.sha256(os.path.realpath(root).encode()).hexdigest()[:24]
    return settings.cache_folder() / "index" / f"{name}.msgpack"
