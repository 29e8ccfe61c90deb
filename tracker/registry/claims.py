"""The right to change the files of a folder, held by one process at a time.

It is a file that is made exclusively and removed afterwards. Nothing waits for a process that is gone: whoever wants
the folder next clears its claim away. Clearing needs a claim of its own, on the name of the one that is cleared, so
that never two processes take the same claim for dead and one of them removes its successor.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from tracker import _io, layout, names
from tracker import process as processes
from tracker.exceptions import StoreError
from tracker.schema import Process

NAME = f"{layout.ASIDE}claim"
PATIENCE = 60.0
"""Seconds that a claim is waited for; one of another machine that stays for so long counts as left behind."""
_LONGEST_PAUSE = 0.02
_MAX_CLAIM = 10_000


class _Claim(Struct, frozen=True):
    id: str
    process: Process


class HeldClaim(Struct, frozen=True):
    """A claim of this process."""

    path: Path
    id: str

    def check(self) -> None:
        """StoreError when another process has taken the claim over, since this one was stopped for so long."""
        held = _read(self.path)
        if held is None or held.id != self.id:
            raise StoreError(f"{self.path.parent} was changed by another process meanwhile. Try again.")


@contextlib.contextmanager
def claim(folder: Path, name: str = NAME) -> Iterator[HeldClaim]:
    """Hold a folder while its files are read and changed.

    Raises FileNotFoundError when there is no such folder, StoreError when a living process holds it for too long.
    """
    held = _take(folder / name)
    try:
        yield held
    finally:
        found = _read(held.path)
        if found is not None and found.id == held.id:
            _io.discard(held.path)


def _take(path: Path) -> HeldClaim:
    mine = _Claim(names.new_id(), processes.this_process())
    seen, since, pause = "", time.monotonic(), 0.0005
    while True:
        if not os.path.lexists(path):
            with contextlib.suppress(FileExistsError):
                _io.create_file(path, msgspec.json.encode(mine), durable=False)
                return HeldClaim(path, mine.id)
        other = _read(path)
        key = "" if other is None else other.id
        if key != seen:
            seen, since = key, time.monotonic()
        waited = time.monotonic() - since > PATIENCE
        if path.exists() and _is_left(other, waited):
            _clear(path, key)
        elif waited:
            raise StoreError(_refusal(path, other))
        else:
            time.sleep(random.uniform(0, pause))
            pause = min(_LONGEST_PAUSE, pause * 2)


def _is_left(other: _Claim | None, waited: bool) -> bool:
    """Whether the process of a claim is gone; where that cannot be known, time decides."""
    if other is None or other.process.machine != processes.machine_key():
        return waited
    return not _lives(other.process)


def _lives(process: Process) -> bool:
    started = processes.process_start(process.pid)
    return started is not None and (not started or not process.started or started == process.started)


def _clear(path: Path, key: str) -> None:
    with claim(path.parent, f"{layout.ASIDE}{key or 'nobody'}-gone"):
        found = _read(path)
        if (found.id if found else "") == key:
            _io.discard(path)


def _read(path: Path) -> _Claim | None:
    try:
        found = msgspec.json.decode(_io.read_file(path, limit=_MAX_CLAIM), type=_Claim)
    except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return found if names.is_run_id(found.id) else None


def _refusal(path: Path, other: _Claim | None) -> str:
    who = f"the process {other.process.pid}" if other else "another process"
    return (
        f"{path.parent} has been held by {who} for {PATIENCE:.0f} s. Try again when it has ended; "
        f"if no process uses the folder, remove {path}."
    )
