"""Experiments and runs of a store, those in the trash too, since MLflow shows what is deleted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from tracker import _io, experiment_changes, layout, names, reader, settings
from tracker.entities import LifecycleStage, ViewType
from tracker.exceptions import InvalidValueError, NotFoundError, RunStateError
from tracker.reader import ReadExperiment, ReadRun
from tracker.schema import ExperimentFile
from tracker.store import Store

HOLDS_TAG = "tracker.holds"
"""`model`: the run was made for a model that MLflow's client logged outside of any run."""


class FoundExperiment(Struct, frozen=True):
    """An experiment and where it lies."""

    file: ExperimentFile
    slug: str
    folder: Path
    stage: str = LifecycleStage.ACTIVE


class FoundRun(Struct, frozen=True):
    """A run and the id of its experiment."""

    read: ReadRun
    experiment_id: str
    stage: str = LifecycleStage.ACTIVE


class Finder:
    """Looks things up in a store; nothing is made, but for `Default` where something is added to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._store = Store(root)

    # Experiments

    def experiments(self, view_type: int = ViewType.ALL) -> Iterator[FoundExperiment]:
        """The experiments of a store. `Default` is always among those in use, as MLflow has it."""
        if view_type != ViewType.DELETED_ONLY:
            found = [FoundExperiment(each.file, each.slug, each.folder) for each in self._store.experiments()]
            yield from found
            if not any(each.file.id == experiment_changes.DEFAULT_ID for each in found):
                yield self._default()
        if view_type != ViewType.ACTIVE_ONLY:
            for slug, file in experiment_changes.deleted_experiments(self._store):
                yield FoundExperiment(file, slug, self.root / layout.TRASH / slug, LifecycleStage.DELETED)

    def experiment(self, experiment_id: str) -> FoundExperiment:
        """An experiment by its id; NotFoundError when there is none."""
        wanted = str(experiment_id)
        for found in self.experiments():
            if found.file.id == wanted:
                return found
        raise NotFoundError(f"No Experiment with id={wanted} exists in {self.root}.")

    def experiment_in_use(self, experiment_id: str) -> ReadExperiment:
        """One to add to or to change, so `Default` is made when it is missing; RunStateError for a deleted one."""
        found = self.experiment(experiment_id)
        if found.stage != LifecycleStage.ACTIVE:
            raise RunStateError(f"The experiment {experiment_id} must be in the 'active' lifecycle_stage.")
        if found.folder.exists():
            return ReadExperiment(found.slug, found.folder, found.file)
        return Store.open(self.root).experiment_for(found.file.name)

    def named(self, name: str) -> FoundExperiment | None:
        """An experiment by its name, or None; one that is in use before one that is deleted."""
        return next((found for found in self.experiments() if found.file.name == name), None)

    def _default(self) -> FoundExperiment:
        name = settings.DEFAULT_EXPERIMENT
        slug = names.slug_of(name)
        file = ExperimentFile(experiment_changes.DEFAULT_ID, name)
        return FoundExperiment(file, slug, layout.experiment(self.root, slug))

    # Runs

    def run(self, run_id: str) -> FoundRun:
        """A run by its id; NotFoundError when there is none."""
        folder = self.run_folder(run_id)
        if self.is_trashed(folder):
            slug = folder.parent.name
            return FoundRun(reader.read_run_in(folder, slug), self._id_of_trash(slug), LifecycleStage.DELETED)
        read = reader.read_run_in(folder, folder.parent.parent.name)
        return FoundRun(read, self._id_of(folder.parent.parent, read))

    def is_trashed(self, run_folder: Path) -> bool:
        """Whether a run of this store is deleted."""
        return run_folder.is_relative_to(self.root / layout.TRASH)

    def run_folder(self, run_id: str) -> Path:
        """Where a run lies, in the trash too; NotFoundError when there is none."""
        if isinstance(run_id, str) and names.is_run_id(run_id):
            for base, suffix in ((layout.experiments(self.root), layout.RUNS), (self.root / layout.TRASH, "")):
                for slug in reader.folders(base):
                    folder = base / slug / suffix / run_id
                    if _io.is_folder(folder) and _io.is_folder(folder.parent):
                        return folder
        raise NotFoundError(f"Run '{run_id}' not found in {self.root}.")

    def check_active(self, run_id: str) -> None:
        """InvalidValueError for a deleted run, NotFoundError where there is none."""
        if self.is_trashed(self.run_folder(run_id)):
            raise InvalidValueError(f"The run {run_id} must be in 'active' lifecycle_stage, but it is deleted.")

    def runs(self, experiment_ids: list[str], view_type: int) -> Iterator[FoundRun]:
        """The runs of some experiments, but for those that only hold a model; ids without an experiment have none."""
        wanted = {str(each) for each in experiment_ids}
        for found in self._all_runs(view_type):
            if found.experiment_id in wanted and HOLDS_TAG not in found.read.file.tags:
                yield found

    def _all_runs(self, view_type: int) -> Iterator[FoundRun]:
        if not layout.experiments(self.root).is_dir():
            return
        if view_type != ViewType.DELETED_ONLY:
            for experiment in reader.read_store(self.root).experiments:
                for run in experiment.runs:
                    yield FoundRun(run, experiment.file.id)
        if view_type != ViewType.ACTIVE_ONLY:
            ids: dict[str, str] = {}
            for run in reader.read_trash(self.root):
                if run.slug not in ids:
                    ids[run.slug] = self._id_of_trash(run.slug)
                yield FoundRun(run, ids[run.slug], LifecycleStage.DELETED)

    def run_folders(self, experiment: FoundExperiment) -> Iterator[Path]:
        """The folders of the runs of an experiment, the deleted ones after the others."""
        for base in (layout.runs(self.root, experiment.slug), self.root / layout.TRASH / experiment.slug):
            for run_id in filter(names.is_run_id, reader.folders(base)):
                yield base / run_id

    def experiment_of(self, run_folder: Path) -> str:
        """The id of the experiment of a run."""
        if self.is_trashed(run_folder):
            return self._id_of_trash(run_folder.parent.name)
        return self._id_of(run_folder.parent.parent, None)

    def _id_of(self, folder: Path, run: ReadRun | None) -> str:
        try:
            return reader.read_experiment_file(folder).id
        except (OSError, ValueError):
            return run.file.experiment_id if run else folder.name

    def _id_of_trash(self, slug: str) -> str:
        active = layout.experiment(self.root, slug)
        if os.path.lexists(active / layout.EXPERIMENT_FILE):
            return self._id_of(active, None)
        return self._id_of(self.root / layout.TRASH / slug, None)
