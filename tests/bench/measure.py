"""CPU time of calls and of child processes: user and system, least of several, the rivals taking turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A parent's memory counts as its child's peak, so a small process starts the one to be measured.
_LAUNCHER = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=2).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([code, used.ru_utime, used.ru_stime, used.ru_maxrss * unit]))
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number, beside what bounds it."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    """What the machine can do, or a peer, in the same unit; measured in the same run."""
    limit_is: str = ""
    budget: float | None = None
    """The most that the design allows, in the same unit."""

    @property
    def ratio(self) -> float | None:
        """Measured by limit."""
        return self.value / self.limit if self.limit else None

    @property
    def kept(self) -> bool | None:
        """Whether the budget is kept; None without one."""
        return None if self.budget is None else self.value <= self.budget


@dataclass(frozen=True, slots=True)
class Usage:
    """What a child process used, its own children included."""

    user: float
    """Seconds in its own code."""
    system: float
    """Seconds in the kernel, which depend on the file system and on what else goes on."""
    peak: int
    """Bytes of the largest resident set."""

    @property
    def cpu(self) -> float:
        """Seconds of both."""
        return self.user + self.system


def cpu_of(call: Callable[[], object]) -> float:
    """CPU seconds of one call in this process, all its threads."""
    begin = time.process_time()
    call()
    return time.process_time() - begin


def least(rivals: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Least CPU seconds of each of several calls that take turns, after a turn to warm up."""
    turns = [{name: cpu_of(call) for name, call in rivals.items()} for _ in range(repeats + 1)]
    return {name: min(turn[name] for turn in turns[1:]) for name in rivals}


def run_child(*command: str | Path) -> Usage:
    """Run a command from the root of the repository; CalledProcessError with its words when it fails."""
    launched = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *map(str, command)]
    done = subprocess.run(launched, cwd=ROOT, capture_output=True, text=True, check=True)
    code, user, system, peak = json.loads(done.stdout)
    if code:
        raise subprocess.CalledProcessError(code, launched[5:], stderr=done.stderr)
    return Usage(user, system, peak)


def run_python(*arguments: str | Path) -> Usage:
    """Run the Python of this process in a new one."""
    return run_child(sys.executable, *arguments)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(entry.stat().st_size for entry in folder.rglob("*") if entry.is_file())


@contextmanager
def settings(**variables: str) -> Iterator[None]:
    """Environment variables for the length of a block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
