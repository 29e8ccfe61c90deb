"""A store opened for writing: experiments, run folders and the trash. Needs no lock, whoever else writes."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from tracker import _clock, _io, codec, layout, names, reader, settings
from tracker.exceptions import (
    AlreadyExistsError,
    InvalidValueError,
    NotAStoreError,
    NotFoundError,
    StoreError,
    did_you_mean,
)
from tracker.reader import Environment
from tracker.schema import SCHEMA, ExperimentFile, Goal, RunFile, StoreFile
from tracker.yaml_files import MAX_YAML, edit_yaml, yaml_bytes


class Store:
    """The folder that runs are written to.

    >>> store = Store.open("runs")
    >>> slug = store.experiment_for("digits sweep").slug
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.durable = settings.fsync() != "never"

    @classmethod
    def open(cls, root: Path | str) -> Store:
        """Open a store, or make one in a folder that is missing or empty.

        Raises NotAStoreError for a folder that holds something else, NewerSchemaError for a newer store and
        StorageError where it cannot be written.
        """
        store = cls(Path(root).absolute())
        with _io.explained("open a store in", store.root):
            if not layout.store_file(store.root).exists():
                store._create()
            reader.read_store_file(store.root)
        return store

    def _create(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise NotAStoreError(f"{self.root} is a file. Name a folder for the store.")
        _io.make_folder(self.root, inside=self.root)
        strangers = [path.name for path in self.root.iterdir() if not path.name.startswith(".")]
        if strangers and not layout.experiments(self.root).is_dir() and layout.STORE_FILE not in strangers:
            raise NotAStoreError(
                f"{self.root} is not empty and no store (it holds {strangers[0]!r}). "
                "Name an empty folder or one that does not exist yet."
            )
        with contextlib.suppress(FileExistsError):
            self._create_yaml(layout.store_file(self.root), StoreFile(SCHEMA, created=_today(), id=names.new_id()))

    def experiments(self) -> Iterator[reader.ReadExperiment]:
        """Experiments whose file can be read, without their runs."""
        for slug in reader.folders(layout.experiments(self.root)):
            with contextlib.suppress(OSError, ValueError):  # the problems page of the site names it
                yield self._read(slug)

    def find_experiment(self, name: str) -> reader.ReadExperiment | None:
        """The experiment of this name, or None."""
        likely = self._at(names.slug_of(names.check_name(name, "An experiment name")))
        if likely is not None and likely.file.name == name:
            return likely
        return next((found for found in self.experiments() if found.file.name == name), None)

    def experiment_by_id(self, experiment_id: str) -> reader.ReadExperiment:
        """The experiment of this id (or slug); NotFoundError otherwise."""
        found = list(self.experiments())
        for experiment in found:
            if experiment_id in (experiment.file.id, experiment.slug):
                return experiment
        known = [experiment.file.id for experiment in found]
        raise NotFoundError(
            f"There is no experiment with the id {experiment_id!r} in {self.root}.{did_you_mean(experiment_id, known)}"
        )

    def experiment_for(self, name: str) -> reader.ReadExperiment:
        """The experiment of this name, made when it is missing; many processes may ask at once."""
        return self.find_experiment(name) or self._create_experiment(ExperimentFile(id="", name=name))

    def create_experiment(self, file: ExperimentFile) -> reader.ReadExperiment:
        """Make an experiment; AlreadyExistsError when the name is taken. An id or time of its own is kept."""
        if self.find_experiment(file.name):
            raise AlreadyExistsError(f"There is an experiment {file.name!r} already. set_experiment() uses it.")
        return self._create_experiment(file)

    def add_experiment(self, file: ExperimentFile) -> reader.ReadExperiment:
        """Make an experiment with a name of which the caller knows that it is free: nothing is looked through."""
        return self._create_experiment(file)

    def _create_experiment(self, file: ExperimentFile) -> reader.ReadExperiment:
        default = file.name == settings.DEFAULT_EXPERIMENT
        new_id = "0" if default else file.id or names.new_experiment_id()
        file = msgspec.structs.replace(file, id=new_id, created=file.created or _today())
        for slug in slugs_of(file.name):
            folder = layout.experiment(self.root, slug)
            if not os.path.lexists(folder) and self._make_experiment(folder, file):
                return reader.ReadExperiment(slug, folder, file)
            taken = self._at(slug)
            if taken is not None and taken.file.name == file.name:
                return taken
        raise AlreadyExistsError(f"No folder is free for an experiment {file.name!r}.")

    def _make_experiment(self, folder: Path, file: ExperimentFile) -> bool:
        """Make the folder of an experiment; False when another process was first."""
        with _io.explained("make an experiment in", folder):
            try:
                with built_aside(folder, durable=self.durable) as aside:
                    _io.make_folder(aside / layout.RUNS, inside=self.root)
                    self._create_yaml(aside / layout.EXPERIMENT_FILE, file)
            except FileExistsError:
                return False
            if self.durable:
                _io.sync_folder(self.root)
        return True

    def _at(self, slug: str) -> reader.ReadExperiment | None:
        """The experiment in a folder; None when there is none, StoreError when its file is damaged."""
        folder = layout.experiment(self.root, slug)
        try:
            return self._read(slug) if _io.is_folder(folder) and _io.is_folder(folder.parent) else None
        except OSError:
            return None
        except ValueError as error:
            raise StoreError(f"{folder / layout.EXPERIMENT_FILE} cannot be read: {error}. Mend or remove it.") from None

    def _read(self, slug: str) -> reader.ReadExperiment:
        folder = layout.experiment(self.root, slug)
        return reader.ReadExperiment(slug, folder, reader.read_experiment_file(folder))

    def describe_experiment(
        self,
        slug: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        goal: Mapping[str, Goal] | None = None,
    ) -> reader.ReadExperiment:
        """Add to `experiment.yaml`: tags are set; a description or goal that stands there already is kept, for
        people edit this file. Only the fields that change are rewritten."""
        found = self._at(slug)
        if found is None:
            raise NotFoundError(f"There is no experiment in {layout.experiment(self.root, slug)} any more.")
        old = found.file
        new = msgspec.structs.replace(
            old,
            description=old.description or description or "",
            tags={**old.tags, **(tags or {})},
            goal={**(goal or {}), **old.goal},
        )
        changes = {key: value for key, value in _fields(new).items() if value != _fields(old)[key]}
        if changes:
            path = found.folder / layout.EXPERIMENT_FILE
            with _io.explained("write", path):
                data = _io.read_file(path, limit=MAX_YAML)
                _io.replace_file(path, edit_yaml(data, new, changes), durable=self.durable)
        return msgspec.structs.replace(found, file=new)

    def create_run(self, slug: str, file: RunFile, environment: Environment | None) -> Path:
        """Make the folder of a run; it appears whole, under its final name."""
        folder = layout.run(self.root, slug, file.run_id)
        with _io.explained("make a run in", folder), built_aside(folder, durable=False) as aside:
            _io.make_folder(aside / layout.LOG, inside=self.root)
            _io.replace_file(aside / layout.RUN_FILE, codec.run_file_bytes(file), durable=False)
            if environment is not None:
                _io.replace_file(aside / layout.ENVIRONMENT_FILE, codec.json_file(environment), durable=False)
        return folder

    def trash_run(self, run_id: str) -> None:
        """Move a run to the trash; NotFoundError when there is none."""
        folder = reader.find_run(self.root, run_id)
        target = layout.trashed_run(self.root, folder.parent.parent.name, run_id)
        with _io.explained("delete the run in", folder):
            _io.make_folder(target.parent, inside=self.root)
            _io.move_folder(folder, target, durable=self.durable)

    def deleted_experiment_for(self, file: ExperimentFile) -> str:
        """The folder in the trash for the runs of a deleted experiment; its file waits there to be restored too."""
        found = self.find_experiment(file.name)
        if found is not None:
            return found.slug
        for slug in slugs_of(file.name):
            folder = self.root / layout.TRASH / slug
            if os.path.lexists(layout.experiment(self.root, slug)):
                continue
            if not os.path.lexists(folder / layout.EXPERIMENT_FILE):
                with _io.explained("make an experiment in", folder), contextlib.suppress(FileExistsError):
                    _io.make_folder(folder, inside=self.root)
                    self._create_yaml(folder / layout.EXPERIMENT_FILE, file)
            with contextlib.suppress(OSError, ValueError):
                if reader.read_experiment_file(folder).name == file.name:
                    return slug
        raise AlreadyExistsError(f"No folder is free in the trash for an experiment {file.name!r}.")

    def restore_run(self, run_id: str) -> None:
        """Move a run from the trash back to its experiment; NotFoundError when it is not there."""
        names.check_run_id(run_id)
        for slug in reader.folders(self.root / layout.TRASH):
            folder = layout.trashed_run(self.root, slug, run_id)
            if _io.is_folder(folder):
                target = layout.run(self.root, slug, run_id)
                with _io.explained("restore the run to", target):
                    _io.make_folder(target.parent, inside=self.root)
                    self._restore_experiment(slug)
                    _io.move_folder(folder, target, durable=self.durable)
                return
        raise NotFoundError(f"There is no run {run_id} in the trash of {self.root}.")

    def _restore_experiment(self, slug: str) -> None:
        """Bring the file of a deleted experiment back with the first of its runs."""
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            data = _io.read_file(self.root / layout.TRASH / slug / layout.EXPERIMENT_FILE, limit=MAX_YAML)
            path = layout.experiment(self.root, slug) / layout.EXPERIMENT_FILE
            _io.create_file(path, data, durable=self.durable)

    def _create_yaml(self, path: Path, value: msgspec.Struct) -> None:
        _io.create_file(path, yaml_bytes(value), durable=self.durable)


@contextlib.contextmanager
def built_aside(folder: Path, *, durable: bool) -> Iterator[Path]:
    """A folder to fill, which then appears whole under its name, or not at all; FileExistsError when it is taken."""
    aside = folder.with_name(f"{layout.ASIDE}{names.new_id()}")
    try:
        yield aside
        _io.move_folder(aside, folder, durable=durable)
    except BaseException:
        _io.remove_tree(aside)
        raise


def check_goal(goal: Mapping[str, str] | None) -> dict[str, Goal]:
    """Goals by metric; InvalidValueError for another word than maximize or minimize."""
    checked: dict[str, Goal] = {}
    for metric, word in (goal or {}).items():
        if word not in ("maximize", "minimize"):
            raise InvalidValueError(f"The goal of {metric!r} is {word!r}; it can be maximize or minimize.")
        checked[names.check_name(metric, "A metric name")] = word  # type: ignore[assignment]
    return checked


def slugs_of(name: str) -> Iterator[str]:
    """Where an experiment may lie, the same list for every process that makes it."""
    slug = names.slug_of(name)
    yield slug
    for number in range(2, 10_000):
        yield f"{slug}-{number}"


def _fields(file: ExperimentFile) -> dict[str, object]:
    return {"description": file.description, "tags": file.tags, "goal": file.goal}


def _today() -> str:
    now = datetime.datetime.fromtimestamp(_clock.now_ms() / 1000, datetime.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
