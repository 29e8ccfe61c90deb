"""Writing a store and reading it back, beside parsing its `run.json` files alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tracker import codec, layout, reader

from .measure import Figure, cpu_of, least, settings
from .place import Place
from .sizes import Size
from .stores import make_store

PARSING = "parsing the run files"


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """Seconds to write and list a store."""
    store = place.folder / "listed"
    make_store(store, 1)  # what a process asks once, it asks here
    seconds = cpu_of(lambda: make_store(store, size.runs))
    yield Figure(f"write {size.runs:,} runs", seconds, "s")
    with settings(TRACKER_CACHE=str(place.folder / "cache")):
        times = least({"parse": parsing(store), "cold": _cold(store), "warm": _warm(store)}, size.repeats)
    yield Figure(f"list {size.runs:,} runs, no index", times["cold"], "s", times["parse"], PARSING)
    yield Figure(f"list {size.runs:,} runs, index", times["warm"], "s", times["parse"], PARSING)


def parsing(store: Path) -> Callable[[], object]:
    """Parses every run.json into its struct."""
    paths = list(layout.experiments(store).glob(f"*/{layout.RUNS}/*/{layout.RUN_FILE}"))
    return lambda: [codec.run_decoder.decode(path.read_bytes()) for path in paths]


def _cold(store: Path) -> Callable[[], object]:
    return lambda: reader.read_store(store, cache=False)


def _warm(store: Path) -> Callable[[], object]:
    return lambda: reader.read_store(store)
