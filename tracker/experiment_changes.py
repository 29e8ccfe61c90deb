"""What is rarely done to an experiment: another name, a tag removed, into the trash and back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from tracker import _io, layout, names, reader, settings
from tracker.exceptions import AlreadyExistsError, InvalidValueError, NotFoundError, StoreError, did_you_mean
from tracker.schema import ExperimentFile
from tracker.store import Store
from tracker.yaml_files import MAX_YAML, edit_yaml, read_yaml

DEFAULT_ID = "0"


def rename_experiment(store: Store, slug: str, name: str) -> None:
    """Give an experiment another name; its folder stays. AlreadyExistsError when the name is taken."""
    old, data = _read(store, slug)
    if old.id == DEFAULT_ID or name == settings.DEFAULT_EXPERIMENT:
        raise InvalidValueError(f"The experiment {settings.DEFAULT_EXPERIMENT} keeps its name, and no other gets it.")
    if store.find_experiment(names.check_name(name, "An experiment name")):
        raise AlreadyExistsError(f"There is an experiment {name!r} already.")
    _write(store, slug, edit_yaml(data, msgspec.structs.replace(old, name=name), {"name": name}))


def delete_experiment_tag(store: Store, slug: str, key: str) -> None:
    """Remove a tag of an experiment; NotFoundError when it has none of this name."""
    old, data = _read(store, slug)
    if key not in old.tags:
        raise NotFoundError(f"The experiment {old.name!r} has no tag {key!r}.{did_you_mean(key, old.tags)}")
    tags = {name: value for name, value in old.tags.items() if name != key}
    _write(store, slug, edit_yaml(data, msgspec.structs.replace(old, tags=tags), {"tags": tags}))


def trash_experiment(store: Store, slug: str, trash_run: Callable[[str], None]) -> None:
    """Move an experiment with all that lies in its folder to the trash; `trash_run` moves one run.

    What was stopped in between is an experiment with fewer runs, and can be done again.
    """
    file, data = _read(store, slug)
    if file.id == DEFAULT_ID:
        raise InvalidValueError(
            f"The experiment {settings.DEFAULT_EXPERIMENT} is always there. Delete its runs, or move its folder away."
        )
    folder, target = layout.experiment(store.root, slug), store.root / layout.TRASH / slug
    with _io.explained("delete the experiment in", folder):
        _io.make_folder(target, inside=store.root)
        _io.replace_file(layout.trashed_experiment_file(store.root, slug), data, durable=store.durable)
        runs = layout.runs(store.root, slug)
        for run_id in filter(names.is_run_id, reader.folders(runs)):
            trash_run(run_id)
        for place in (runs, folder):
            _move_all(place, target, but=(layout.RUNS, layout.EXPERIMENT_FILE))
        with contextlib.suppress(OSError):  # what came meanwhile stays
            runs.rmdir()
        _io.discard(folder / layout.EXPERIMENT_FILE)
        with contextlib.suppress(OSError):
            folder.rmdir()


def restore_experiment(store: Store, slug: str) -> None:
    """Bring a deleted experiment back from the trash, with all of its runs; NotFoundError when it is not there."""
    trashed = layout.trashed_experiment_file(store.root, slug)
    folder = layout.experiment(store.root, slug)
    if not trashed.is_file():
        raise NotFoundError(f"There is no experiment in {trashed.parent}.")
    if os.path.lexists(folder / layout.EXPERIMENT_FILE):
        raise AlreadyExistsError(f"{folder} is there already, so {trashed.parent} is not restored.")
    with _io.explained("restore the experiment to", folder):
        _io.make_folder(folder / layout.RUNS, inside=store.root)
        data = _io.read_file(trashed, limit=MAX_YAML)
        _io.create_file(folder / layout.EXPERIMENT_FILE, data, durable=store.durable)
        for run_id in filter(names.is_run_id, reader.folders(trashed.parent)):
            store.restore_run(run_id)
        _io.discard(trashed)
        _move_all(trashed.parent, folder)
        with contextlib.suppress(OSError):
            trashed.parent.rmdir()


def deleted_experiments(store: Store) -> list[tuple[str, ExperimentFile]]:
    """The experiments in the trash, by folder; those that are back are none."""
    found = []
    for slug in filter(names.is_slug, reader.folders(store.root / layout.TRASH)):
        if not os.path.lexists(layout.experiment(store.root, slug) / layout.EXPERIMENT_FILE):
            with contextlib.suppress(OSError, ValueError):
                found.append((slug, reader.read_experiment_file(store.root / layout.TRASH / slug)))
    return found


def _move_all(source: Path, folder: Path, but: Collection[str] = ()) -> None:
    """Move what lies in one folder to another, under its own name if that is free; what cannot be moved stays, and so
    does what a process is just making."""
    with contextlib.suppress(OSError):
        for name in os.listdir(source):  # noqa: PTH208 (names are what is asked for)
            if name not in but and not name.startswith(layout.ASIDE):
                target = folder / name
                if os.path.lexists(target):
                    target = folder / f"{names.new_id()}-{name}"
                with contextlib.suppress(OSError):
                    (source / name).rename(target)


def _read(store: Store, slug: str) -> tuple[ExperimentFile, bytes]:
    path = layout.experiment(store.root, slug) / layout.EXPERIMENT_FILE
    with _io.explained("read", path):
        data = _io.read_file(path, limit=MAX_YAML)
    try:
        return read_yaml(ExperimentFile, data), data
    except ValueError as error:
        raise StoreError(f"{path} cannot be read: {error}. Mend it first.") from None


def _write(store: Store, slug: str, data: bytes) -> None:
    path = layout.experiment(store.root, slug) / layout.EXPERIMENT_FILE
    with _io.explained("write", path):
        _io.replace_file(path, data, durable=store.durable)
