"""Which process this is, and whether another one still lives."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from tracker.schema import Process

_process: Process | None = None


def this_process() -> Process:
    """The identity of this process, asked once."""
    global _process
    if _process is None or _process.pid != os.getpid():
        _process = Process(pid=os.getpid(), machine=machine_key(), started=process_start(os.getpid()) or 0)
    return _process


def machine_key() -> str:
    """A hash that is the same for processes that see each other's ids: same boot, same namespace."""
    parts = [_read_text("/proc/sys/kernel/random/boot_id")]
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115
    if not parts[0]:
        import platform

        parts.append(platform.node())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def process_start(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; 0 where the system does not tell, None when it is gone."""
    if not Path("/proc/self/stat").exists():
        return _exists(pid)
    text = _read_text(f"/proc/{pid}/stat")
    if not text:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def _exists(pid: int) -> int | None:
    if os.name == "nt":
        return 0  # os.kill would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return 0


def _read_text(path: str) -> str:
    with contextlib.suppress(OSError), open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123
        return file.read().strip()
    return ""
