"""Stores of other trackers become stores of ours. Done again, an import adds what is new."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tracker import _io, layout, names
from tracker.exceptions import InvalidNameError, InvalidValueError
from tracker.foreign.kinds import open_foreign
from tracker.foreign.records import ForeignExperiment, ForeignRun, ForeignStore, iso
from tracker.foreign.registry_files import RegistryImport
from tracker.foreign.run_files import ArtifactMode, RunFiles, UnreadableError, make_files
from tracker.logs import Problem
from tracker.reader import folders
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
    work = _Import(foreign, target, artifacts)
    for experiment in foreign.experiments():
        work.add_experiment(experiment)
    total = foreign.count()
    for done, run in enumerate(foreign.runs()):
        if progress:
            progress(done, total, run.name)
        work.add_run(run)
    registry = RegistryImport(target, foreign.root, work.imported, link=artifacts == "link", tell=work.tell)
    for model in foreign.models():
        registry.add_model(model)
    if progress:
        progress(total, total)
    return work.report(registry.counts, time.monotonic() - began)


def _open_target(store: Path | str, foreign: ForeignStore) -> Store:
    is_file = getattr(foreign, "file", None) is not None  # its folder holds other things too, this store maybe
    if not is_file and Path(store).resolve().is_relative_to(foreign.root):
        raise InvalidValueError(f"{store} lies in the source of the import, which is only read. Name another folder.")
    return Store.open(store)


class _Import:
    """What one import has done so far."""

    def __init__(self, foreign: ForeignStore, store: Store, mode: ArtifactMode) -> None:
        self._foreign, self._store, self._mode = foreign, store, mode
        self._places: dict[str, _Place] = {}
        self._experiments = {experiment.file.name: experiment for experiment in store.experiments()}
        self._ids = {"0", *(experiment.file.id for experiment in self._experiments.values())}
        self._known = dict(_known_runs(store.root))
        self._seen: dict[str, str] = {}
        self._problems: list[Problem] = []
        self._counts: Counter[str] = Counter()
        self.imported: dict[Path, Path] = {}
        """Folders of artifacts and models in the source, and where each lies in the store."""

    def tell(self, place: str, reason: str, run_id: str | None = None) -> None:
        """Note a problem."""
        self._problems.append(Problem(place, None, reason, run_id))

    def add_experiment(self, experiment: ForeignExperiment) -> None:
        """Find or make the experiment of this name."""
        name = experiment.name
        try:
            names.check_name(name, "An experiment name")
        except InvalidNameError as error:
            self.tell(experiment.key, error.message)
            name = f"experiment {experiment.key}"
        experiment_id = "" if experiment.key in self._ids else experiment.key
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
            slug = self._store.deleted_experiment_for(file)
            self._places[experiment.key] = _Place(slug, experiment_id or experiment.key, True)
            return
        found = self._experiments.get(name)
        if found is None:
            found = self._experiments[name] = self._store.add_experiment(file)
            self._ids.add(found.file.id)
        else:
            new = {key: value for key, value in file.tags.items() if key not in found.file.tags}
            self._store.describe_experiment(found.slug, description=file.description, tags=new)
        self._places[experiment.key] = _Place(found.slug, found.file.id, False)

    def add_run(self, run: ForeignRun) -> None:
        """Write a run that is new, or bring one that was imported before up to date."""
        if run.run_id in self._seen:
            self.tell(run.place, f"has the id of {self._seen[run.run_id]}, which was imported", run.run_id)
            return
        self._seen[run.run_id] = run.place
        tell = partial(self.tell, run_id=run.run_id)
        files = make_files(run, self._place(run.experiment).experiment_id, self._mode, tell)
        folder = self._known.get(run.run_id)
        self._counts["points"] += sum(map(len, run.series.values()))
        try:
            if folder is None:
                folder = self._write(run, files)
            elif not (folder / layout.LOG / files.log_name).exists():
                self.tell(run.place, "has the id of another run of the store, and is not imported", run.run_id)
                return
            elif files.stands_in(folder):
                self._counts["runs_unchanged"] += 1
            else:
                with _io.explained("import the run into", folder):
                    files.update(folder, link=self._mode == "link", durable=self._store.durable)
                self._counts["runs_updated"] += 1
                self._counts["artifacts"] += len(files.artifacts)
        except UnreadableError as error:
            self.tell(run.place, f"is not imported: {error}", run.run_id)
            return
        self._remember(run, folder)

    def _place(self, key: str) -> _Place:
        if key not in self._places:
            self.add_experiment(ForeignExperiment(key, f"experiment {key}"))
        return self._places[key]

    def _write(self, run: ForeignRun, files: RunFiles) -> Path:
        place = self._place(run.experiment)
        where = layout.trashed_run if run.deleted or place.deleted else layout.run
        folder = where(self._store.root, place.slug, run.run_id)
        with _io.explained("import the run into", folder), self._aside(folder) as aside:
            files.write(aside, link=self._mode == "link")
            if self._store.durable:
                _io.sync_tree(aside)
        self._counts["runs_new"] += 1
        self._counts["artifacts"] += len(files.artifacts)
        return folder

    @contextlib.contextmanager
    def _aside(self, folder: Path) -> Iterator[Path]:
        _io.make_folder(folder.parent, inside=self._store.root)
        with built_aside(folder, durable=False) as aside:
            yield aside

    def _remember(self, run: ForeignRun, folder: Path) -> None:
        """Where its artifacts are now, for the registry, which takes no models from the trash."""
        if self._mode == "leave" or not folder.is_relative_to(layout.experiments(self._store.root)):
            return
        if run.artifacts:
            self.imported[run.artifacts] = folder / layout.ARTIFACTS
        for name, model in run.models.items():
            self.imported[model] = folder / layout.ARTIFACTS / name

    def report(self, registry: Counter[str], seconds: float) -> ImportReport:
        """What was done."""
        counts = {**self._counts, **registry}
        problems = (*self._foreign.problems, *self._problems)
        source = str(getattr(self._foreign, "file", None) or self._foreign.root)
        store = str(self._store.root)
        return ImportReport(self._foreign.kind, source, store, **counts, seconds=seconds, problems=problems)


def _known_runs(root: Path) -> Iterator[tuple[str, Path]]:
    """Folders of all runs of a store by id, deleted ones first."""
    for slug in folders(root / layout.TRASH):
        for run_id in folders(root / layout.TRASH / slug):
            yield run_id, layout.trashed_run(root, slug, run_id)
    for slug in folders(layout.experiments(root)):
        for run_id in folders(layout.runs(root, slug)):
            yield run_id, layout.run(root, slug, run_id)
