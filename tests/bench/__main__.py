"""Runs the benchmarks: `python -m tests.bench [part ...] [--json FILE]`."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import report, sizes
from .measure import Figure, settings
from .place import Place

PARTS = ("imports", "calls", "runs", "listing", "searching", "points", "models", "foreign", "builds", "browser")


def main(arguments: Sequence[str]) -> int:
    """Measure the parts that were asked for; returns how many budgets are missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="CPU time beside what bounds it.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"all, or some of {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    parser.add_argument("--stores", type=Path, metavar="FOLDER", help="keep the stores here, for the next time")
    parser.add_argument("--tiny", action="store_true", help="run through everything quickly; the figures mean nothing")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder:
        size = sizes.TINY if chosen.tiny else sizes.FULL
        found = measure(chosen.parts or PARTS, size, (chosen.stores or Path(folder)).absolute())
    if chosen.json:
        report.write_json(chosen.json, found)
    return sum(figure.kept is False for figures in found.values() for figure in figures)


def measure(parts: Sequence[str], size: sizes.Size, stores: Path) -> dict[str, list[Figure]]:
    """Print a table for each part as it is done."""
    found: dict[str, list[Figure]] = {}
    for name in parts:
        before = report.load()
        with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder, settings(TRACKER_CACHE=f"{folder}/cache"):
            part = importlib.import_module(f".{name}", __package__)
            found[name] = list(part.measure(size, Place(Path(folder), stores)))
        print(f"\n{name} (load average {before} before, {report.load()} after)\n", flush=True)
        print(report.table(found[name]), flush=True)
    return found


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
