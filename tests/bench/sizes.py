"""How much each part measures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Counts for all parts; the figures are only worth something with FULL."""

    repeats: int
    starts: int
    """Child processes for each import time."""
    calls: int
    """Log calls in one round."""
    rounds: int
    """Whole runs in one round."""
    runs: int
    """In the store that is written and listed."""
    many: int
    """In the store that is searched, built and browsed."""
    points: int
    """In the run with a long series."""
    builds: tuple[int, ...]
    """Runs in the stores that are built."""


FULL = Size(
    repeats=7,
    starts=15,
    calls=20_000,
    rounds=100,
    runs=1_000,
    many=10_000,
    points=1_000_000,
    builds=(100, 1_000, 10_000),
)
TINY = Size(repeats=1, starts=1, calls=20, rounds=2, runs=3, many=5, points=1_000, builds=(2, 4))
