"""Building sites: cold, again without a change and with one run more, beside bare files and beside plain MkDocs."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator

from tracker import layout

from .measure import Figure, Usage, cpu_of, run_python, settings, size_of
from .place import Place
from .sizes import Size
from .stores import make_store

REPEATS = 2
PLAIN = 1_000


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """CPU seconds of whole processes, their imports included; memory at its peak."""
    built = {runs: _Built(place, runs) for runs in size.builds}
    for one in built.values():
        yield from one.cold()
    yield from _page_figures(built)
    largest = built[max(built)]
    yield from largest.again()
    yield from largest.with_one_more()
    yield from _plain(place, built[min(PLAIN, max(built))])


class _Built:
    """A store and its site."""

    def __init__(self, place: Place, runs: int) -> None:
        self.runs = runs
        self.store = place.store(runs)
        self._folder = place.folder / str(runs)
        self._site = self._folder / "site"
        self.best = Usage(0.0, 0.0, 0)
        """Of the cold builds, the one with the least CPU time."""

    def cold(self) -> Iterator[Figure]:
        """Without a site, an index or anything else that an earlier build left."""
        turns = []
        for _ in range(REPEATS):
            shutil.rmtree(self._folder, ignore_errors=True)
            turns.append(self._build())
        self.best = min(turns, key=lambda usage: usage.cpu)
        bare = self._bare()
        budget = 6.0 if self.runs == 10_000 else None
        yield Figure(f"cold build of {self.runs:,} runs", self.best.cpu, "s", bare, "bare reads and writes", budget)
        yield Figure("... of it outside the kernel", self.best.user, "s")
        yield Figure("... peak memory", self.best.peak / 1e6, "MB")
        yield Figure("... size of the site", size_of(self._site) / 1e6, "MB")

    def again(self) -> Iterator[Figure]:
        """Nothing changed."""
        seconds = min(self._build().cpu for _ in range(3))
        yield Figure(f"build again, {self.runs:,} runs, nothing new", seconds, "s", budget=0.3)

    def with_one_more(self) -> Iterator[Figure]:
        """One run is added; it is taken away again afterwards."""
        folder = layout.runs(self.store, "sweep")
        seconds = []
        for _ in range(3):
            before = set(folder.iterdir())
            make_store(self.store, 1)
            seconds.append(self._build().cpu)
            for added in set(folder.iterdir()) - before:
                shutil.rmtree(added)
            self._build()
        yield Figure(f"build again, {self.runs:,} runs and one more", min(seconds), "s", budget=1.0)

    def _build(self) -> Usage:
        with settings(TRACKER_CACHE=str(self._folder / "cache")):
            return run_python("-m", "tracker.cli", "build", self.store, "--out", self._site)

    def _bare(self) -> float:
        """Seconds to read every file of the runs and to write the bytes of the site."""
        contents = {path.relative_to(self._site): path.read_bytes() for path in self._site.rglob("*") if path.is_file()}
        inputs = [path for path in layout.runs(self.store, "sweep").rglob("*") if path.is_file()]
        folders = sorted({path.parent for path in contents})
        copy = self._folder / "copy"

        def bare() -> None:
            for path in inputs:
                path.read_bytes()
            for folder in folders:
                os.makedirs(copy / folder, exist_ok=True)  # noqa: PTH103
            for path, data in contents.items():
                (copy / path).write_bytes(data)

        seconds = cpu_of(bare)
        shutil.rmtree(copy)
        return seconds


def _page_figures(built: dict[int, _Built]) -> Iterator[Figure]:
    """What one more page costs, between each two sizes: the same everywhere when the build is linear."""
    ordered = sorted(built)
    for few, many in itertools.pairwise(ordered):
        milli = (built[many].best.cpu - built[few].best.cpu) / (many - few) * 1000
        yield Figure(f"a run page with its data, {few:,} to {many:,} runs", milli, "ms", budget=0.5)


def _plain(place: Place, ours: _Built) -> Iterator[Figure]:
    docs = place.folder / "plain"
    written = run_python("-m", "tests.bench.plain", ours.store, docs)
    rendered = run_python("-m", "mkdocs", "build", "-q", "-f", docs / "mkdocs.yml")
    seconds, peak = written.cpu + rendered.cpu, max(written.peak, rendered.peak)
    yield Figure(f"plain MkDocs, {ours.runs:,} runs", seconds, "s", ours.best.cpu, "tracker build")
    yield Figure("... peak memory", peak / 1e6, "MB", ours.best.peak / 1e6, "tracker build")
    yield Figure("... size of the site", size_of(docs / "site") / 1e6, "MB")
