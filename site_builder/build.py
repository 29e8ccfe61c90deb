"""Store to site: the main path, a stage a line."""

from __future__ import annotations

import contextlib
import gc
import heapq
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from site_builder.assembly import Assembly, Progress
from site_builder.authored import Authored, read_authored
from site_builder.model import Site
from site_builder.output import check_store, commit, open_target, staging
from tracker.exceptions import SiteError
from tracker.foreign.opening import Opened, Source, opened
from tracker.foreign.table_columns import ColumnMap
from tracker.logs import Problem
from tracker.reader import read_store
from tracker.registry.faults import read_checked_registry

Stores = Path | str | Sequence[Path | str]
"""One store, or several that become one site."""
TITLE = "Experiment log"


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did."""

    out: Path
    pages: int
    """HTML pages of the site."""
    written: int
    """Files that this build wrote."""
    removed: int
    """Files that are gone."""
    bytes: int
    """Size of the whole site."""
    largest: tuple[tuple[str, int], ...]
    """Path and size of the five largest files."""
    problems: tuple[Problem, ...]
    """What could not be read or shown; the site's problems page lists it."""
    seconds: float
    sources: tuple[Source, ...] = ()
    """Stores of other trackers, or several, that were read."""


def build(
    stores: Stores,
    out: Path | str,
    *,
    kind: str | None = None,
    columns: ColumnMap | None = None,
    title: str | None = None,
    pages: Path | str | None = None,
    force: bool = False,
    full: bool = False,
    progress: Progress | None = None,
) -> BuildResult:
    """Make the site of a store, or bring it up to date: only what changed is written.

    A store of another tracker, named by its kind where that is not seen, and several stores become one first, in the
    cache folder; `columns` say what those of a table are. `pages` is a folder of Markdown pages, by default `pages` in
    the store. `force` allows a folder that holds something else; `full` makes every page again. `progress` is told how
    many of how many runs are done. Raises SiteError when the site cannot be written, and what `read_store` raises; the
    site is then as it was.

    >>> build("mlruns", "site").pages
    12
    """
    started = time.perf_counter()
    target = open_target(Path(out), force=force)
    with opened(paths_of(stores), kind, columns, progress) as source:
        site = read_site(source, title)
        check_store(target, site.store.file.id, force=force)
        authored = read_pages(source, pages)
        with frozen(), staging(target) as stage:
            assembly = Assembly(site, authored, target, stage, full=full)
            assembly.add_all(progress)
            written, removed = len(stage.files), 0
            if assembly.changed:
                removed = commit(stage, target, assembly.manifest)
    return result_of(Path(out), assembly, written, removed, time.perf_counter() - started, source.sources)


def paths_of(stores: Stores) -> list[Path]:
    """One store or several, as paths."""
    return [Path(stores)] if isinstance(stores, Path | str) else list(map(Path, stores))


def read_site(source: Opened, title: str | None) -> Site:
    """A store as a site; the title is the given one, else that of the store."""
    found = read_store(source.root)
    if source.problems:
        found = msgspec.structs.replace(found, problems=(*source.problems, *found.problems))
    kinds = tuple(dict.fromkeys(one.kind for one in source.sources))
    return Site(found, title or found.file.title or TITLE, read_checked_registry(source.root), kinds)


def read_pages(source: Opened, pages: Path | str | None) -> Authored:
    """The authored pages; SiteError when a folder was named that is not there."""
    if pages is None:
        if source.pages.is_symlink():
            return Authored(problems=((".", "is a link, which is not followed; name its target with --pages"),))
        return read_authored(source.pages)
    if not Path(pages).is_dir():
        raise SiteError(f"There is no folder of pages at {pages}. Check --pages.")
    return read_authored(Path(pages))


@contextlib.contextmanager
def frozen() -> Iterator[None]:
    """What was read stays to the end, so the garbage collector need not look at it again and again."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def result_of(
    out: Path, assembly: Assembly, written: int, removed: int, seconds: float, sources: tuple[Source, ...]
) -> BuildResult:
    """The figures of a build."""
    sizes = [pair for unit in assembly.units.values() for pair in unit.files.items()]
    return BuildResult(
        out=out,
        pages=sum(path.endswith(".html") for path, _ in sizes),
        written=written,
        removed=removed,
        bytes=sum(size for _, size in sizes),
        largest=tuple(heapq.nlargest(5, sizes, key=lambda pair: pair[1])),
        problems=tuple(assembly.problems),
        seconds=seconds,
        sources=sources,
    )
