"""A whole run without fsync, beside the same files written with the bare calls of the operating system."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import tracker
from tracker import layout

from .measure import Figure, least
from .place import Place
from .sizes import Size
from .stores import store_at

POINTS = 100


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """Milliseconds a run: start, 10 params, 100 points, 2 tags, end."""
    with store_at(place.folder / "runs"):
        copies = _Copies(_log_run(), place.folder / "copies")
        seconds = least(
            {
                "tracker": lambda: [_log_run() for _ in range(size.rounds)],
                "bare": lambda: [copies.write() for _ in range(size.rounds)],
            },
            size.repeats,
        )
    milli = {name: value / size.rounds * 1000 for name, value in seconds.items()}
    yield Figure("a run, no fsync", milli["tracker"], "ms", milli["bare"], "bare files, same bytes", 1.5)


def _log_run() -> Path:
    """Log a run; returns its folder."""
    with tracker.start_run() as run:
        for index in range(10):
            tracker.log_param(f"param-{index}", index / 7)
        for step in range(POINTS):
            tracker.log_metric("loss", 1 / (step + 3.7), step=step)
        tracker.set_tag("data", "v1")
        tracker.set_tag("seed", 7)
    return run.folder


class _Copies:
    """Writes the files of a run again and again: the same folders, the same bytes, the same number of writes."""

    def __init__(self, run: Path, target: Path) -> None:
        self._target = target
        self._numbers = itertools.count()
        self._snapshot = (run / layout.RUN_FILE).read_bytes()
        self._identity = self._snapshot[: len(self._snapshot) // 2]
        self._environment = (run / layout.ENVIRONMENT_FILE).read_bytes()
        self._lines = next((run / layout.LOG).iterdir()).read_bytes().splitlines(keepends=True)
        target.mkdir()

    def write(self) -> None:
        """One more copy: built aside, renamed, its log line by line, the snapshot in place of the identity."""
        final = f"{self._target}/{next(self._numbers)}"
        aside = f"{final}.new"
        os.makedirs(f"{aside}/log")  # noqa: PTH103
        _write(f"{aside}/run.json", [self._identity])
        _write(f"{aside}/environment.json", [self._environment])
        os.rename(aside, final)  # noqa: PTH104
        _write(f"{final}/log/1.jsonl", self._lines)
        _write(f"{final}/run.new", [self._snapshot])
        os.replace(f"{final}/run.new", f"{final}/run.json")  # noqa: PTH105


def _write(path: str, parts: list[bytes]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
    for part in parts:
        os.write(fd, part)
    os.close(fd)
