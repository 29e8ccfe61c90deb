"""Which experiments and runs of a store are exported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tracker import layout, names, reader
from tracker.query import compile_query
from tracker.reader import ReadRun, ReadStore
from tracker.schema import ExperimentFile
from tracker.search import FoundRun


class Place(Struct, frozen=True):
    """An experiment, and those of its runs that are exported."""

    slug: str
    file: ExperimentFile
    deleted: bool
    """All of it lies in the trash."""
    runs: tuple[FoundRun, ...]
    """Deleted ones last."""


class Choice(Struct, frozen=True):
    """What is exported of a store."""

    store: ReadStore
    all: tuple[Place, ...]
    """Everything that could be."""
    places: tuple[Place, ...]
    """What was chosen of it."""
    everything: bool
    """No experiment was named and no query given."""

    def runs(self) -> Iterator[FoundRun]:
        """The runs that were chosen."""
        for place in self.places:
            yield from place.runs


def choose(root: Path, query: str = "", experiments: Sequence[str] = (), *, deleted: bool = False) -> Choice:
    """The runs that match a query, of the named experiments or of all; with `deleted` those in the trash too.

    Raises QueryError, NotFoundError for an unknown experiment, NotAStoreError and NewerSchemaError.
    """
    matches = compile_query(query)
    store = reader.read_store(root)
    named = {store.experiment_named(name).slug for name in experiments}
    places = tuple(_places(store, deleted))
    everything = not named and not query.strip()
    chosen = []
    for place in places:
        runs = place.runs if not query.strip() else tuple(filter(matches, place.runs))
        if everything or (place.slug in named if named else runs):
            chosen.append(msgspec.structs.replace(place, runs=runs))
    return Choice(store, places, tuple(chosen), everything)


def _places(store: ReadStore, deleted: bool) -> Iterator[Place]:
    trash: dict[str, list[ReadRun]] = {}
    for run in reader.read_trash(store.root) if deleted else ():
        trash.setdefault(run.slug, []).append(run)
    for one in store.experiments:
        runs = (*_found(one.runs, one.file, "active"), *_found(trash.pop(one.slug, []), one.file, "deleted"))
        yield Place(one.slug, one.file, False, runs)
    known = {one.slug for one in store.experiments}
    for slug in filter(names.is_slug, reader.folders(store.root / layout.TRASH) if deleted else ()):
        if slug not in known:
            file = _trashed_file(store.root, slug)
            yield Place(slug, file, True, tuple(_found(trash.get(slug, []), file, "deleted")))


def _found(runs: Iterable[ReadRun], file: ExperimentFile, stage: str) -> Iterator[FoundRun]:
    return (FoundRun(run.file, file, run, stage) for run in runs)


def _trashed_file(root: Path, slug: str) -> ExperimentFile:
    try:
        return reader.read_experiment_file(root / layout.TRASH / slug)
    except (OSError, ValueError):
        return ExperimentFile(id="", name=slug)
