"""Stores to measure with, logged through the real API without fsync: about a millisecond a run."""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path

import tracker
from tests.bench.measure import settings
from tracker import fluent

MODELS = ("mlp", "svm", "forest", "boosting", "linear")


def make_store(root: Path, runs: int, *, params: int = 10, metrics: int = 5, steps: int = 20) -> None:
    """Log runs into one experiment of a store; called again for the same store it adds more."""
    chance = random.Random(runs)
    with settings(TRACKER_FSYNC="never"):
        fluent.reset()
        tracker.set_tracking_uri(root)
        tracker.set_experiment("sweep", goal={"metric-0": "minimize"})
        for number in range(runs):
            _log_run(chance, number, params, metrics, steps)
        fluent.reset()


def _log_run(chance: random.Random, number: int, params: int, metrics: int, steps: int) -> None:
    with tracker.start_run(tags={"seed": number % 10, "host": "any"}):
        values: dict[str, object] = {"model": MODELS[number % len(MODELS)], "lr": 10 ** chance.uniform(-5, -1)}
        values |= {f"param-{index}": chance.randrange(2 << index) for index in range(params - len(values))}
        tracker.log_params(values)
        heights = [chance.random() for _ in range(metrics)]
        for step in range(steps):
            decay = math.exp(-3 * step / steps)
            tracker.log_metrics({f"metric-{i}": height * decay + 0.01 for i, height in enumerate(heights)}, step=step)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("runs", type=int)
    for option, default in (("params", 10), ("metrics", 5), ("steps", 20)):
        parser.add_argument(f"--{option}", type=int, default=default)
    chosen = vars(parser.parse_args())
    make_store(chosen.pop("store"), chosen.pop("runs"), **chosen)
