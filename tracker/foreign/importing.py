"""Stores of other trackers become stores of ours. Done again, an import adds what is new."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tracker import _io, layout, names
from tracker.exceptions import InvalidNameError, InvalidValueError, StorageError
from tracker.foreign.kinds import open_foreign
from tracker.foreign.placing import PLACINGS, ArtifactMode, Placing, UnreadableError
from tracker.foreign.records import ForeignExperiment, ForeignRun, ForeignStore, iso
from tracker.foreign.registry_files import RegistryImport
from tracker.foreign.run_files import RunFiles, make_files
from tracker.logs import Problem
from tracker.masking import as_text
from tracker.reader import ReadExperiment, folders
from tracker.schema import ExperimentFile
from tracker.store import Store, built_aside


class Progress(Protocol):
    """Told how many of how many runs are done, and which comes next."""

    def __call__(self, done: int, total: int, label: str = "") -> None: ...


class ImportReport(Struct, frozen=True):
    """What an import found and did."""

    kind: str
    """What the source is."""
    source: str
    store: str
    experiments: int = 0
    runs_new: int = 0
    runs_updated: int = 0
    """Runs that were imported before and have changed since."""
    runs_unchanged: int = 0
    points: int = 0
    """Points of metrics in all runs of the source."""
    artifacts: int = 0
    """Files of new and updated runs."""
    models: int = 0
    """Registered models of the source."""
    versions_new: int = 0
    versions_unchanged: int = 0
    seconds: float = 0
    problems: tuple[Problem, ...] = ()
    """What could not be read or taken over; paths are relative to the source."""


class _Place(Struct, frozen=True):
    """Where the runs of an experiment go."""

    slug: str
    experiment_id: str
    deleted: bool


def import_store(
    source: ForeignStore | Path | str,
    store: Store | Path | str,
    *,
    artifacts: ArtifactMode = "copy",
    progress: Progress | None = None,
) -> ImportReport:
    """Add everything in a store of another tracker to a store of ours, which is made when it is missing.

    `artifacts` are copied, linked (hard links, where both are on one disk) or left where they are.
    Damage in the source is a problem in the report, never an exception. Raises InvalidValueError for what is no
    store of a known kind, NotAStoreError for a target that holds something else, StorageError when the disk is full.

    >>> report = import_store("mlruns", "runs")
    >>> report.runs_new, report.problems
    (3, ())
    """
    began = time.monotonic()
    foreign = open_foreign(source) if isinstance(source, str | Path) else source
    target = store if isinstance(store, Store) else _open_target(store, foreign)
    work = Import(foreign, Target(target), artifacts, PLACINGS[artifacts])
    for experiment in foreign.experiments():
        work.add_experiment(experiment)
    total = foreign.count()
    for done, run in enumerate(foreign.runs()):
        if progress:
            progress(done, total, run.name)
        work.add_run(run)
    registry = RegistryImport(target, foreign.root, work.imported, PLACINGS[artifacts], work.tell)
    for model in foreign.models():
        registry.add_model(model)
    if not registry.counts["models"]:
        work.tell_if_empty()
    if progress:
        progress(total, total)
    return work.report(registry.counts, time.monotonic() - began)


def _open_target(store: Path | str, foreign: ForeignStore) -> Store:
    if Path(store).resolve().is_relative_to(foreign.source):
        raise InvalidValueError(f"{store} lies in the source of the import, which is only read. Name another folder.")
    return Store.open(store)


class Target:
    """The store that sources are brought into, and what is known to be in it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.experiments = {experiment.file.name: experiment for experiment in store.experiments()}
        self.ids = {"0", *(experiment.file.id for experiment in self.experiments.values())}
        """Ids of experiments that are taken."""
        self.known = dict(_known_runs(store.root))
        """Where the runs lie that were there before."""
        self.seen: dict[str, str] = {}
        """Runs that were brought, and where each came from."""


class Import:
    """What the import of one source has done so far."""

    def __init__(
        self, foreign: ForeignStore, target: Target, mode: ArtifactMode, placing: Placing, label: str = ""
    ) -> None:
        self._foreign, self._target, self._mode, self._placing = foreign, target, mode, placing
        self.label = label
        """What stands before the paths of problems."""
        self._places: dict[str, _Place] = {}
        self.problems: list[Problem] = []
        self._counts: Counter[str] = Counter()
        self._runs = 0
        self.imported: dict[Path, Path] = {}
        """Folders of artifacts and models in the source, and where each lies in the store."""

    def tell(self, place: str, reason: str, run_id: str | None = None) -> None:
        """Note a problem."""
        self.problems.append(self.problem(place, reason, run_id))

    def problem(self, place: str, reason: str, run_id: str | None = None) -> Problem:
        """What is wrong with a place in the source, with no path of this machine in the reason."""
        for root in (self._foreign.root, self._target.store.root):
            reason = reason.replace(f"{root}{os.sep}", "")
        return Problem(as_text(f"{self.label}{place}"), None, as_text(reason), run_id)

    def add_experiment(self, experiment: ForeignExperiment) -> None:
        """Find or make the experiment of this name."""
        name = experiment.name
        try:
            names.check_name(name, "An experiment name")
        except InvalidNameError as error:
            self.tell(experiment.key, error.message)
            name = f"experiment {experiment.key}"
        experiment_id = self._new_experiment_id(name) if experiment.key in self._target.ids else experiment.key
        file = ExperimentFile(
            experiment_id,
            name,
            experiment.description,
            dict(experiment.tags),
            dict(experiment.goal),
            created=iso(experiment.created),
        )
        self._counts["experiments"] += 1
        if experiment.deleted:
            slug = self._target.store.deleted_experiment_for(file)
            self._places[experiment.key] = _Place(slug, experiment_id or experiment.key, True)
            return
        found = self._experiment_for(file)
        self._target.ids.add(found.file.id)
        self._places[experiment.key] = _Place(found.slug, found.file.id, False)

    def _new_experiment_id(self, name: str) -> str:
        """An id for an experiment whose own is taken; an empty one lets the store choose."""
        return ""

    def _experiment_for(self, file: ExperimentFile) -> ReadExperiment:
        """The experiment of this name, made when it is missing; one that is there gets the tags that it lacks."""
        found = self._target.experiments.get(file.name)
        if found is None:
            found = self._target.experiments[file.name] = self._target.store.add_experiment(file)
        else:
            new = {key: value for key, value in file.tags.items() if key not in found.file.tags}
            self._target.store.describe_experiment(found.slug, description=file.description, tags=new, goal=file.goal)
        return found

    def add_run(self, run: ForeignRun) -> None:
        """Write a run that is new, or bring one that was imported before up to date."""
        self._runs += 1
        if run.run_id in self._target.seen:
            self.tell(run.place, f"has the id of {self._target.seen[run.run_id]}, and is left out", run.run_id)
            return
        self._target.seen[run.run_id] = f"{self.label}{run.place}"
        tell = partial(self.tell, run_id=run.run_id)
        files = make_files(run, self._place(run.experiment).experiment_id, self._mode, tell)
        self._counts["points"] += sum(map(len, run.series.values()))
        try:
            folder = self._bring_run(run, files)
        except UnreadableError as error:
            tell(run.place, f"is not imported: {error}")
            return
        if folder is not None:
            self._remember(run, folder)

    def _bring_run(self, run: ForeignRun, files: RunFiles) -> Path | None:
        """Bring a run into the store; None where its id is taken by another."""
        folder = self._target.known.get(run.run_id)
        if folder is None:
            try:
                return self._write(run, files)
            except StorageError as error:
                if error.errno != errno.EEXIST:
                    raise
                folder = self._folder_of(run)  # another import was first
        if not (folder / layout.LOG / files.log_name).exists():
            self.tell(run.place, "has the id of another run of the store, and is not imported", run.run_id)
            return None
        if files.stands_in(folder):
            self._counts["runs_unchanged"] += 1
        else:
            with _io.explained("import the run into", folder):
                files.update(folder, placing=self._placing, durable=self._target.store.durable)
            self._counts["runs_updated"] += 1
            self._counts["artifacts"] += len(files.artifacts)
        return folder

    def _place(self, key: str) -> _Place:
        if key not in self._places:
            self.add_experiment(ForeignExperiment(key, f"experiment {key}"))
        return self._places[key]

    def _write(self, run: ForeignRun, files: RunFiles) -> Path:
        folder = self._folder_of(run)
        with _io.explained("import the run into", folder), self._aside(folder) as aside:
            files.write(aside, self._placing)
            if self._target.store.durable:
                _io.sync_tree(aside)
        self._counts["runs_new"] += 1
        self._counts["artifacts"] += len(files.artifacts)
        return folder

    def _folder_of(self, run: ForeignRun) -> Path:
        place = self._place(run.experiment)
        where = layout.trashed_run if run.deleted or place.deleted else layout.run
        return where(self._target.store.root, place.slug, run.run_id)

    @contextlib.contextmanager
    def _aside(self, folder: Path) -> Iterator[Path]:
        _io.make_folder(folder.parent, inside=self._target.store.root)
        with built_aside(folder, durable=False) as aside:
            yield aside

    def _remember(self, run: ForeignRun, folder: Path) -> None:
        """Where its artifacts are now, for the registry, which takes no models from the trash."""
        if self._mode == "leave" or not folder.is_relative_to(layout.experiments(self._target.store.root)):
            return
        if run.artifacts:
            self.imported[run.artifacts] = folder / layout.ARTIFACTS
        for name, model in run.models.items():
            self.imported[model] = folder / layout.ARTIFACTS / name

    def tell_if_empty(self) -> None:
        """A source without a run may be one of another kind."""
        if not self._runs and not self._foreign.problems:
            self.tell(".", f"holds no runs of {self._foreign.kind}")

    def report(self, registry: Counter[str], seconds: float) -> ImportReport:
        """What was done."""
        counts = {**self._counts, **registry}
        problems = (*self._foreign.problems, *self.problems)
        source, store = str(self._foreign.source), str(self._target.store.root)
        return ImportReport(self._foreign.kind, source, store, **counts, seconds=seconds, problems=problems)


def _known_runs(root: Path) -> Iterator[tuple[str, Path]]:
    """Folders of all runs of a store by id, deleted ones first."""
    for slug in folders(root / layout.TRASH):
        for run_id in folders(root / layout.TRASH / slug):
            yield run_id, layout.trashed_run(root, slug, run_id)
    for slug in folders(layout.experiments(root)):
        for run_id in folders(layout.runs(root, slug)):
            yield run_id, layout.run(root, slug, run_id)
