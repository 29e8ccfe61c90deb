"""What a site is built of: a store of ours as it lies, or a mirror of other and of several stores."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tracker import _io, layout
from tracker.exceptions import NotAStoreError
from tracker.logs import Problem

if TYPE_CHECKING:
    from tracker.foreign.table_columns import ColumnMap

PAGES = "pages"
"""Folder of a store with pages that people wrote."""
USUAL = ("mlruns", "mlflow.db", "lightning_logs", "wandb", "dvclive")
"""What other trackers call their stores."""


class Source(Struct, frozen=True):
    """A store that was read."""

    kind: str
    """What it is, in words."""
    path: Path


class Opened(Struct, frozen=True):
    """A store of ours that can be read."""

    root: Path
    pages: Path
    """Where its authored pages lie, if there are any."""
    problems: tuple[Problem, ...] = ()
    """What could not be brought into it."""
    sources: tuple[Source, ...] = ()
    """What it was made of; empty for a store of ours as it lies."""


@contextlib.contextmanager
def opened(
    sources: Sequence[Path],
    kind: str | None = None,
    columns: ColumnMap | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Opened]:
    """The store that the sources are, or were made into; it stays as it is inside the block.

    Raises what `open_foreign` and `mirrored` raise, for what is no store of a known kind.
    """
    if len(sources) == 1 and kind is None and not columns and not _is_foreign(sources[0]):
        yield Opened(sources[0], sources[0] / PAGES)
        return
    from tracker.foreign.kinds import open_foreign
    from tracker.foreign.mirror import mirrored
    from tracker.foreign.own import OwnStore
    from tracker.foreign.traces import traces_of

    paths = list(dict.fromkeys(source.resolve() for source in sources))
    traces = traces_of(paths, kind, columns)  # before anything is read, so that later changes are seen the next time
    stores = [open_foreign(path, kind, columns=columns) for path in paths]
    own = (store.root / PAGES for store in stores if isinstance(store, OwnStore))
    with mirrored(stores, traces, progress) as found:
        pages = next((pages for pages in own if _io.is_folder(pages)), found.root / PAGES)
        yield Opened(found.root, pages, found.problems, tuple(Source(one.kind, one.source) for one in stores))


def is_own(folder: Path) -> bool:
    """Whether a folder is a store of ours."""
    return _io.is_file(layout.store_file(folder)) or _io.is_folder(layout.experiments(folder))


def _is_foreign(source: Path) -> bool:
    """Whether a source is there and no store of ours; NotAStoreError where another tracker's lies beside it."""
    if source.exists():
        return not is_own(source)
    beside = next((name for name in USUAL if (source.parent / name).exists()), None)
    if beside:
        raise NotAStoreError(f"There is no store at {source}. To build {beside}, name it: tracker build {beside}")
    return False
