"""Which tracker wrote a folder or file."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import Struct

from tracker import names
from tracker.exceptions import InvalidValueError, NotAStoreError, NotFoundError, did_you_mean
from tracker.foreign.dvclive import DvcliveStore, is_dvclive
from tracker.foreign.mlflow_db import MlflowDbStore, is_mlflow_db
from tracker.foreign.mlruns import MlrunsStore, is_mlruns
from tracker.foreign.mlruns_files import META, fields_in
from tracker.foreign.opening import is_own
from tracker.foreign.own import OwnStore
from tracker.foreign.records import ForeignStore
from tracker.foreign.sacred import SacredStore, is_sacred
from tracker.foreign.sqlite_opening import is_damaged
from tracker.foreign.table_columns import ColumnMap
from tracker.foreign.tables import TABLES, TableStore, is_table
from tracker.foreign.tensorboard import TensorboardStore, is_tensorboard
from tracker.foreign.trackio import TrackioStore, is_trackio
from tracker.foreign.wandb_runs import WandbStore, is_wandb
from tracker.reader import folders

FOLDER, FILE = "folder", "file"
_LOOKED_AT = 100


class Kind(Struct, frozen=True):
    """A kind of store that can be read."""

    what: str
    """What it is, for people."""
    detect: Callable[[Path], bool]
    """Whether a file or folder looks like one; quick, and never raises."""
    open: Callable[..., ForeignStore]
    """Open a file or folder of a form that fits; never raises for what is in it."""
    forms: tuple[str, ...] = (FOLDER,)
    """What it can be."""
    maps: bool = False
    """Whether `open` takes `columns`, which say what the columns of a table mean."""


_BOTH = (FOLDER, FILE)
KINDS = {
    "tracker": Kind("a store of tracker", is_own, OwnStore),
    "mlruns": Kind("the mlruns folder of MLflow 1, 2 or 3", is_mlruns, MlrunsStore),
    "mlflow-db": Kind("the SQLite database of MLflow 1, 2 or 3", is_mlflow_db, MlflowDbStore, (FILE,)),
    "trackio": Kind("the folder of Trackio, or the database of one of its projects", is_trackio, TrackioStore, _BOTH),
    "wandb": Kind("a wandb folder, a run in it or its .wandb file", is_wandb, WandbStore, _BOTH),
    "sacred": Kind("the folder of Sacred's FileStorageObserver", is_sacred, SacredStore),
    "dvclive": Kind("a folder of DVCLive, or one with some in it", is_dvclive, DvcliveStore),
    "tensorboard": Kind("TensorBoard's event files, or a folder of them", is_tensorboard, TensorboardStore, _BOTH),
    **{kind: Kind(what, is_table(kind), partial(TableStore, kind=kind), _BOTH, True) for kind, what in TABLES},
}
"""By the name that `--from` takes."""
_ROOTS = ("tracker", "mlruns", "mlflow-db", "wandb")
"""Kinds that are seen from what lies in the folder itself."""
_SEARCHING = ("trackio", "sacred", "dvclive", "tensorboard")
"""Kinds that are looked for in folders below, where stores of other kinds may lie too."""


def open_foreign(
    path: str | os.PathLike[str], kind: str | None = None, *, columns: ColumnMap | None = None
) -> ForeignStore:
    """Open a store of another tracker for reading; its kind is detected when it is not named.

    `columns` say what the columns of a table mean, by role: `{"step": "epoch", "params": ["lr", "batch_size"]}`.
    Raises NotFoundError for a path that is not there, NotAStoreError for one of no known kind, and InvalidValueError
    for a kind that there is not, for a file where it is a folder, and for a role or column that does not exist.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidValueError(f"{kind!r:.60} is no kind of store.{did_you_mean(kind, KINDS)} {_known()}")
    place = names.source_of(path)
    if not os.path.lexists(place):
        raise NotFoundError(f"There is nothing at {place}.{did_you_mean(place.name, folders(place.parent))}")
    place = place.resolve()
    if kind is not None:
        return _open(place, kind, columns)
    found = _detected(place)
    if found is None:
        raise NotAStoreError(f"{place} is {_what_it_is(place)} {_known()}")
    return _open(place, found, columns)


def kind_of(place: Path) -> str:
    """What a file or folder is, for people; "" for what is no store of a known kind.

    Raises NotAStoreError for a folder that holds stores of several.
    """
    found = _detected(place)
    return KINDS[found].what if found else ""


def _detected(place: Path) -> str | None:
    """The kind of a path; NotAStoreError for a folder that holds stores of several."""
    found = next((name for name, known in KINDS.items() if _fits(known, place)), None)
    if found not in _SEARCHING or not place.is_dir():
        return found
    others = [name for name in _SEARCHING if name != found and _fits(KINDS[name], place)]
    below = [name for name in (*folders(place), *_files(place)) if _is_root(place / name)]
    if others or below:
        what = ", ".join([f"{KINDS[name].what} (--from {name})" for name in (found, *others)] + below)
        raise NotAStoreError(f"{place} holds stores of several kinds: {what}. Name one of them, or several.")
    return found


def _is_root(place: Path) -> bool:
    """Whether a file or folder is a store itself, rather than one that may hold some."""
    return any(_fits(KINDS[name], place) for name in _ROOTS)


def _fits(kind: Kind, place: Path) -> bool:
    return (FOLDER if place.is_dir() else FILE) in kind.forms and kind.detect(place)


def _open(place: Path, kind: str, columns: ColumnMap | None) -> ForeignStore:
    form = FOLDER if place.is_dir() else FILE
    known = KINDS[kind]
    if form not in known.forms:
        raise InvalidValueError(f"{place} is a {form}, where {known.what} was expected.")
    if not columns:
        return known.open(place)
    if not known.maps:
        tables = " and ".join(name for name, kind in KINDS.items() if kind.maps)
        raise InvalidValueError(f"{place} is read as {known.what}, which has no columns to map; {tables} have.")
    return known.open(place, columns=columns)


def _what_it_is(place: Path) -> str:
    """What a path of no known kind is, with what to name instead."""
    if fields_in(place / META):
        return f"a part of an mlruns folder. Name the whole: {_parent_of_meta(place)}."
    if not os.access(place, os.R_OK):
        return "not to be read: permission is missing."
    beside = next((file for file in _files(place.parent) if KINDS["mlflow-db"].detect(place.parent / file)), None)
    if place.is_dir() and beside:
        return f"no store, but maybe the artifacts of {place.parent / beside}: name that."
    if is_damaged(place):
        return "a damaged SQLite database: say what wrote it with --from, and what is left of it is read."
    for name in (*folders(place), *_files(place)):
        if any(_fits(kind, place / name) for kind in KINDS.values()):
            return f"no store of a known kind, but {place / name} is one: name that."
    if place.is_file():
        return "no store of a known kind; a table of runs is read with --from csv or --from jsonl."
    return "no store of a known kind."


def _files(place: Path) -> list[str]:
    """The first files in a folder."""
    try:
        with os.scandir(place) as entries:
            return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))[:_LOOKED_AT]
    except OSError:
        return []


def _parent_of_meta(place: Path) -> Path:
    while fields_in(place / META) and place != place.parent:
        place = place.parent
    return place


def _known() -> str:
    return "Kinds: " + "; ".join(f"{name} ({kind.what})" for name, kind in KINDS.items()) + "."
