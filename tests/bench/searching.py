"""`search_runs` over many runs, with the index and without, beside parsing their `run.json` files alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tracker import search
from tracker.index import index_file

from .listing import PARSING, parsing
from .measure import Figure, least, settings
from .place import Place
from .sizes import Size

QUERY = "metrics.`metric-1` < 0.2 and params.model != 'svm'"


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """Seconds a search, pandas imported before."""
    store = place.store(size.many)
    with settings(TRACKER_CACHE=str(place.folder / "cache")):
        rivals: dict[str, Callable[[], object]] = {
            "parse": parsing(store),
            "cold": lambda: _cold(store),
            "warm": lambda: search.search_runs(store),
            "list": lambda: search.search_runs(store, output_format="list"),
            "query": lambda: search.search_runs(store, filter_string=QUERY, order_by=["metrics.`metric-0`"]),
        }
        times = least(rivals, size.repeats)
    runs = f"{size.many:,} runs"
    yield Figure(f"search_runs over {runs}, index", times["warm"], "s", times["parse"], PARSING, 0.25)
    yield Figure(f"search_runs over {runs}, no index", times["cold"], "s", times["parse"], PARSING, 1.5)
    yield Figure(f"search_runs over {runs}, index, as a list", times["list"], "s", times["parse"], PARSING)
    yield Figure(f"search_runs over {runs}, index, query and order", times["query"], "s", times["parse"], PARSING)


def _cold(store: Path) -> None:
    index_file(store).unlink(missing_ok=True)
    search.search_runs(store)
