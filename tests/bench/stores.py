"""Stores to measure with, logged through the real API without fsync: about a millisecond a run."""

from __future__ import annotations

import contextlib
import functools
import math
import random
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import tracker
from tracker import capture, fluent
from tracker.reader import Environment
from tracker.schema import Source

from .measure import settings

MODELS = ("mlp", "svm", "forest", "boosting", "linear")
PACKAGES = 60

ENVIRONMENT = Environment(
    python="3.11.7",
    platform="Linux x86_64",
    command=["train.py", "--lr", "0.1"],
    packages={f"package-{number}": f"1.{number}.0" for number in range(PACKAGES)},
    cpu="A processor of some kind (2 cores)",
)
SOURCE = Source("train.py", "0123456789abcdef0123456789abcdef01234567", "main", False, "https://example.org/a/b")


@contextlib.contextmanager
def store_at(root: Path) -> Iterator[None]:
    """Log to a store without fsync and, so that figures compare, with the same source and environment everywhere."""
    same = mock.patch.object(capture, "capture", functools.cache(lambda: (SOURCE, ENVIRONMENT)))
    with settings(TRACKER_FSYNC="never"), same:
        fluent.reset()
        tracker.set_tracking_uri(root)
        yield
        fluent.reset()


def make_store(root: Path, runs: int, *, params: int = 10, metrics: int = 5, steps: int = 20) -> None:
    """Log runs into one experiment of a store; called again for the same store it adds more."""
    chance = random.Random(runs)
    with store_at(root):
        tracker.set_experiment("sweep", goal={"metric-0": "minimize"})
        for number in range(runs):
            _log_run(chance, number, params, metrics, steps)


def _log_run(chance: random.Random, number: int, params: int, metrics: int, steps: int) -> None:
    with tracker.start_run(tags={"seed": number % 10, "data": "v1"}):
        values: dict[str, object] = {"model": MODELS[number % len(MODELS)], "lr": 10 ** chance.uniform(-5, -1)}
        values |= {f"param-{index}": chance.randrange(2 << index) for index in range(params - len(values))}
        tracker.log_params(values)
        heights = [chance.random() for _ in range(metrics)]
        for step in range(steps):
            decay = math.exp(-3 * step / steps)
            tracker.log_metrics({f"metric-{i}": height * decay + 0.01 for i, height in enumerate(heights)}, step=step)
