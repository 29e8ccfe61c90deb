"""What it costs to import tracker and to start its command, beside Python that does nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from .measure import Figure, run_python
from .place import Place
from .sizes import Size

COMMANDS = {
    "python": ("-c", "pass"),
    "import tracker": ("-c", "import tracker"),
    "import tracker, ready to log": ("-c", "from tracker import log_metric"),
    "tracker --version": ("-m", "tracker.cli", "--version"),
}

BEYOND = 60
"""Milliseconds that importing may take beyond Python's own start."""


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """Medians of children that take turns."""
    turns = [{name: run_python(*command).cpu for name, command in COMMANDS.items()} for _ in range(size.starts)]
    medians = {name: statistics.median(turn[name] for turn in turns) * 1000 for name in COMMANDS}
    base = medians.pop("python")
    for name, value in medians.items():
        yield Figure(name, value, "ms", base, "python -c pass", BEYOND + base if name == "import tracker" else None)
