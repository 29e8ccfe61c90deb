"""One append-only log file: what a call returned for is with the operating system.

A writer belongs to one process and one run. Its threads share it under a lock; a forked child starts a file of its own.
After a failed write it never appends behind a torn line: it goes on in a new file that says which one it continues.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import warnings
from collections import deque
from pathlib import Path
from typing import Literal

import msgspec

from tracker import _clock, _io, codec, layout, names, process, settings
from tracker.exceptions import RunStateError

Role = Literal["owner", "joined"]

QUEUE_BYTES = 64 * 1024 * 1024
"""How much a writer with on_error="warn" keeps in memory while the disk refuses."""


class LogWriter:
    """Appends records to a file under `log/` of a run folder; the file appears with the first record."""

    def __init__(self, run_folder: Path, role: Role) -> None:
        self._folder = run_folder
        self.role: Role = role
        """"owner" or "joined"; a forked child has joined."""
        self._on_error = settings.on_error()
        self._fsync = settings.fsync()
        self._always = self._fsync == "always"
        self._fd = -1
        self._path = run_folder
        self._id = ""
        self._closed = False
        self._dirty = False
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._dropped = 0
        self._reset_locks()

    def open(self) -> None:
        """Create the file now, rather than with the first record."""
        with self.lock:
            self._ensure_open()

    @property
    def closed(self) -> bool:
        """Whether its last record is written."""
        return self._closed

    def append(self, data: bytes) -> None:
        """Write whole lines. Returns when the operating system has them; raises StorageError otherwise."""
        with self.lock:
            if self._fd < 0 or self._queue:
                self._append_slowly(data)
                return
            try:
                count = _io.append(self._fd, self._path, data)
            except OSError as error:
                self._failed(data, 0, error)
                return
            if count != len(data):
                self._failed(data, count, _short_write())
                return
            self._dirty = True
            if self._always:
                _io.sync(self._fd, self._path)

    def close(self, status: str, signal: str | None = None) -> None:
        """Write the last record and bring the file to the disk. Closing twice is fine."""
        with self.lock:
            if self._closed:
                return
            fields: dict[str, object] = {"end": status, "time": _clock.now_ms()}
            if signal:
                fields["signal"] = signal
            try:
                self._append_slowly(codec.line(**fields))
                self._tell_losses()
                if self._fsync != "never":
                    with _io.explained("bring to the disk", self._path), self._sync_lock:
                        _io.sync(self._fd, self._path)
            finally:
                self._closed = True
                self._release()

    def beat(self) -> None:
        """Show that the process lives; bring what was written since the last beat to the disk."""
        with self._sync_lock, contextlib.suppress(OSError):
            if self._fd < 0:
                return
            if self._dirty and self._fsync in ("interval", "always"):
                self._dirty = False
                _io.sync(self._fd, self._path)
            _io.touch(self._fd, self._path)

    def renew_after_fork(self) -> None:
        """In a forked child: leave the parent's file alone and start another one with the first record."""
        self._reset_locks()
        if self._fd >= 0:
            _io.close(self._fd)
        self._fd = -1
        self._id = ""
        self.role = "joined"
        self._queue.clear()
        self._queued = 0

    def _reset_locks(self) -> None:
        self.lock = threading.RLock()
        """Held for each write; reentrant, since a signal may end the run in the middle of one."""
        self._sync_lock = threading.RLock()

    def _append_slowly(self, data: bytes) -> None:
        """The way with a queue, a file to open, or both."""
        if self._closed:
            raise RunStateError(
                f"The run in {self._folder} is closed. Resume it with start_run(run_id={self._folder.name!r})."
            )
        self._queue.append(data)
        self._queued += len(data)
        try:
            self._drain()
        except OSError as error:
            if self._on_error == "raise":
                self._forget(data)
                raise _io.storage_error("write to", self._path, error) from error
            self._warn(error)

    def _drain(self) -> None:
        self._ensure_open()
        while self._queue:
            data = self._queue[0]
            try:
                count = _io.append(self._fd, self._path, data)
                if count != len(data):
                    self._keep_rest(data, count)
                    raise _short_write()
            except OSError:
                self._release()
                raise
            self._queue.popleft()
            self._queued -= len(data)
            self._dirty = True

    def _keep_rest(self, data: bytes, count: int) -> None:
        """Of a batch that was cut short, whole lines are written; only the others wait."""
        whole = data[:count].rfind(b"\n") + 1
        self._queue[0] = data[whole:]
        self._queued -= whole

    def _failed(self, data: bytes, count: int, error: OSError) -> None:
        self._release()
        if self._on_error == "raise":
            raise _io.storage_error("write to", self._path, error) from error
        rest = data[data[:count].rfind(b"\n") + 1 :]
        self._queue.append(rest)
        self._queued += len(rest)
        self._warn(error)

    def _forget(self, data: bytes) -> None:
        """Nothing that was refused with an error is written later."""
        self._queued -= len(self._queue.pop())

    def _warn(self, error: OSError) -> None:
        while self._queued > QUEUE_BYTES and len(self._queue) > 1:
            self._queued -= len(self._queue.popleft())
            self._dropped += 1
        warnings.warn(
            f"{_io.storage_error('write to', self._path, error)} {len(self._queue):,} records wait in memory.",
            stacklevel=4,
        )

    def _tell_losses(self) -> None:
        lost = self._dropped + len(self._queue)
        if lost:
            print(f"tracker: {lost:,} records of the run in {self._folder} are LOST: disk full.", file=sys.stderr)

    def _ensure_open(self) -> None:
        if self._fd >= 0:
            return
        writer = names.new_id()
        path = layout.log_file(self._folder, writer)
        header = codec.line(**_header(writer, self.role, continues=self._id))
        fd = _io.open_log(path)
        try:
            if _io.append(fd, path, header) != len(header):
                raise _short_write()
        except OSError:
            _io.close(fd)
            _io.discard(path)
            raise
        self._fd, self._path, self._id = fd, path, writer
        _open_writers.add(self)
        _heart.start()

    def _release(self) -> None:
        _open_writers.discard(self)
        with self._sync_lock:
            if self._fd >= 0:
                _io.close(self._fd)
            self._fd = -1


def _short_write() -> OSError:
    return OSError(errno.ENOSPC, "the disk took only a part of the bytes")


def _header(writer: str, role: str, *, continues: str) -> dict[str, object]:
    fields: dict[str, object] = {
        "writer": writer,
        "role": role,
        "process": msgspec.to_builtins(process.this_process()),
        "time": _clock.now_ms(),
    }
    if continues:
        fields["continues"] = continues
    return fields


class _Heart(threading.Thread):
    """Beats for all open writers of the process."""

    def __init__(self) -> None:
        super().__init__(name="tracker-heart", daemon=True)

    def run(self) -> None:
        stop = threading.Event()
        while not stop.wait(settings.HEARTBEAT_SECONDS):
            for writer in list(_open_writers):
                writer.beat()


class _HeartKeeper:
    """Starts the thread once in a process, and again in a forked child."""

    def __init__(self) -> None:
        self._pid = 0

    def start(self) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            _Heart().start()


_open_writers: set[LogWriter] = set()
_heart = _HeartKeeper()


def _renew_all() -> None:
    inherited = list(_open_writers)
    _open_writers.clear()
    for writer in inherited:
        writer.renew_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
