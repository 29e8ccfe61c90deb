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
from collections import deque
from pathlib import Path
from typing import Literal

import msgspec

from tracker import _clock, _io, codec, layout, names, process, settings
from tracker.exceptions import RunStateError
from tracker.warning import warn

Role = Literal["owner", "joined"]

QUEUE_BYTES = 64 * 1024 * 1024
"""How much a writer with on_error="warn" keeps in memory while the disk refuses."""


class LogWriter:
    """Appends records to a file under `log/` of a run folder; the file appears with the first record."""

    def __init__(self, run_folder: Path, role: Role) -> None:
        self._folder = run_folder
        self.role: Role = role
        """"owner" or "joined"; a forked child has joined."""
        self.forgiving = settings.on_error() == "warn"
        """Whether what the disk refuses is a warning, and kept in memory for later."""
        self._fsync = settings.fsync()
        self._always = self._fsync == "always"
        self._fd = -1
        self._path = run_folder
        self._id = ""
        self._closed = False
        self._resting = False
        self._dirty = False
        self._empty_queue()
        self._reset_locks()

    def open(self) -> None:
        """Create the file now, rather than with the first record."""
        with self.lock:
            self._ensure_open()

    @property
    def begun(self) -> bool:
        """Whether a record was written; in a forked child that logged nothing there was none."""
        return bool(self._id)

    def append(self, data: bytes) -> None:
        """Write whole lines. Returns when the operating system has them; raises StorageError otherwise."""
        with self.lock:
            if self._fd < 0 or self._queue:
                self._append_slowly(data)
                return
            count = 0
            try:
                count = _io.append(self._fd, self._path, data)
                if count != len(data):
                    raise _short_write()
                if self._always:
                    _io.sync(self._fd, self._path)
            except OSError as error:
                self._refused(data, count, error)
            self._dirty = True

    def close(self, status: str, signal: str | None = None, time: int | None = None) -> None:
        """Write the last record and bring the file to the disk. Closing twice is fine, and so is trying again."""
        with self.lock:
            if self._closed:
                return
            if self.begun or self._queue:
                fields: dict[str, object] = {"end": status, "time": _clock.now_ms() if time is None else time}
                self.append(codec.line(**fields, **({"signal": signal} if signal else {})))
                self._tell_losses()
                self._sync_at_end()
            self.abandon()

    def rest(self) -> None:
        """Close the file until the next record."""
        self.beat()
        with self.lock:
            if self._fd >= 0:
                self._release()
                self._resting = True

    def abandon(self) -> None:
        """Write no more, with or without a last record."""
        with self.lock:
            self._closed = True
            self._resting = False
            self._release()
            _living.discard(self)

    def lose(self, what: str, error: OSError) -> None:
        """Warn that something is not kept; it is counted among the losses."""
        self._lost += 1
        self._reason = error
        warn(f"{what} is lost: {error}")

    def beat(self) -> None:
        """Show that the process lives; bring what was written since the last beat to the disk."""
        if self._queue:
            with self.lock:
                if not self._closed:
                    self._drain()
        with self._sync_lock, contextlib.suppress(OSError):
            if self._fd < 0 and not self._resting:
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
        self._resting = False
        self.role = "joined"
        self._empty_queue()

    def _reset_locks(self) -> None:
        self.lock = threading.RLock()
        """Held for each write; reentrant, since a signal may end the run in the middle of one."""
        self._sync_lock = threading.RLock()

    def _empty_queue(self) -> None:
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._lost = 0
        self._reason = _short_write()

    def _append_slowly(self, data: bytes) -> None:
        """The way with a file to open or a queue."""
        if self._closed:
            raise RunStateError(
                f"The run in {self._folder} is closed. Resume it with start_run(run_id={self._folder.name!r})."
            )
        if self._queue:
            self._enqueue(data)
            self._drain()
            return
        try:
            self._ensure_open()
        except OSError as error:
            self._refused(data, 0, error)
        else:
            self.append(data)

    def _refused(self, data: bytes, count: int, error: OSError) -> None:
        """After an error: nothing of a refused call stays, unless the lines are kept for later."""
        if not self.forgiving:
            _io.cut_back(self._fd, self._path, count)
            self._release()
            raise _io.storage_error("write to", self._path, error) from error
        self._release()
        self._enqueue(data[_whole_lines(data, count) :])
        self._reason = error
        warn(f"{_io.storage_error('write to', self._path, error)} Records wait in memory until it can be written.")

    def _enqueue(self, data: bytes) -> None:
        if data:
            self._queue.append(data)
            self._queued += len(data)
        while self._queued > QUEUE_BYTES and len(self._queue) > 1:
            dropped = self._queue.popleft()
            self._queued -= len(dropped)
            self._lost += dropped.count(b"\n")

    def _drain(self) -> None:
        """Write what waits, as far as the disk takes it."""
        try:
            self._ensure_open()
            while self._queue:
                data = self._queue[0]
                count = _io.append(self._fd, self._path, data)
                self._dirty = True
                whole = _whole_lines(data, count)
                self._queued -= whole
                if count != len(data):
                    self._queue[0] = data[whole:]
                    raise _short_write()
                self._queue.popleft()
        except OSError as error:
            self._reason = error
            self._release()

    def _tell_losses(self) -> None:
        lost = self._lost + sum(data.count(b"\n") for data in self._queue)
        if lost:
            print(f"tracker: {lost:,} records of the run in {self._folder} are LOST: {self._reason}.", file=sys.stderr)

    def _sync_at_end(self) -> None:
        if self._fsync != "never" and self._fd >= 0:
            with _io.explained("bring to the disk", self._path), self._sync_lock:
                _io.sync(self._fd, self._path)

    def _ensure_open(self) -> None:
        if self._fd >= 0:
            return
        if self._resting:
            self._fd, self._resting = _io.reopen_log(self._path), False
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
        _living.add(self)
        _heart.start()

    def _release(self) -> None:
        with self._sync_lock:
            if self._fd >= 0:
                _io.close(self._fd)
            self._fd = -1


def _whole_lines(data: bytes, count: int) -> int:
    """Bytes of the whole lines among the first `count`."""
    return data[:count].rfind(b"\n") + 1


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


class _Heart:
    """Beats for all living writers, from a thread that steps aside while the process forks: a fork copies one thread
    only, and Python warns of the others."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """In a forked child: there is no thread yet."""
        self._guard = threading.RLock()
        """Reentrant, since a signal may end a run, and so open a log, while the thread is started."""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread unless it runs; at the very end of a process there is none any more."""
        with self._guard, contextlib.suppress(RuntimeError):
            if self._thread is None or not self._thread.is_alive() or self._stop.is_set():
                self._stop = threading.Event()
                self._thread = threading.Thread(target=self._run, args=[self._stop], name="tracker-heart", daemon=True)
                self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(settings.HEARTBEAT_SECONDS):
            for living in list(_living):
                living.beat()

    def pause(self) -> None:
        """Before a fork: let the thread end, unless the disk holds it up."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join(1.0)

    def resume(self) -> None:
        """After a fork, in the parent."""
        if self._thread is not None:
            self.start()


_living: set[LogWriter] = set()
"""Writers that were opened and are not closed."""
_heart = _Heart()


def _renew_all() -> None:
    _heart.forget()
    for writer in list(_living):
        writer.renew_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_heart.pause, after_in_parent=_heart.resume, after_in_child=_renew_all)
