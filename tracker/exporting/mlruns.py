"""A store as a folder of files that MLflow 2 and 3 open: `mlruns`. Done again, an export adds what is new."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tracker import _io, codec, layout, names, settings
from tracker.entities import time_of
from tracker.experiment_changes import DEFAULT_ID
from tracker.exporting.choosing import Choice, Place, choose
from tracker.exporting.names import Names, tell_changed
from tracker.exporting.registry_files import MODELS, RegistryExport
from tracker.exporting.run_files import AllNames, RunExport, write_texts
from tracker.exporting.target import Target, digest_of, read_state
from tracker.exporting.telling import Problems
from tracker.exporting.yaml_text import meta_yaml
from tracker.foreign.mlruns_files import META, TRASH
from tracker.foreign.mlruns_tags import GOAL_TAG, GREATER_TAG, METRIC_TAG
from tracker.foreign.placing import ArtifactMode
from tracker.logs import Problem
from tracker.schema import ExperimentFile
from tracker.search import FoundRun
from tracker.snapshot import NOTE_TAG

if TYPE_CHECKING:
    from tracker.foreign.importing import Progress

_ID = re.compile("0|[1-9][0-9]{0,17}")
"""What MLflow takes for an id: it opens other ones too, but leaves them out when it moves its files to a database."""


class ExportReport(Struct, frozen=True):
    """What an export found and did."""

    store: str
    out: str
    experiments: int = 0
    runs_new: int = 0
    runs_updated: int = 0
    """Runs that were exported before and have changed since."""
    runs_unchanged: int = 0
    points: int = 0
    """Points of metrics that were written."""
    artifacts: int = 0
    """Files that were copied or linked."""
    models: int = 0
    """Registered models."""
    versions: int = 0
    """Versions of these that are not deleted."""
    seconds: float = 0
    problems: tuple[Problem, ...] = ()
    """What could not be written as it is; paths are relative to the store."""


def export_mlflow(
    store: Path | str,
    out: Path | str,
    *,
    query: str = "",
    experiments: Sequence[str] = (),
    artifacts: ArtifactMode = "copy",
    progress: Progress | None = None,
) -> ExportReport:
    """Write a store, or the runs that match a query, to a folder that MLflow 2 and 3 open as their own.

    `out` is made when it is missing; one that an earlier export of this store made is brought up to date, and nothing
    in it is removed. `experiments` are names. `artifacts` are copied, linked (hard links, where both are on one disk)
    or left in the store, where MLflow reads them then.

    Damage in the store is a problem in the report, never an exception. Raises QueryError, NotFoundError for an unknown
    experiment, NotAStoreError, InvalidValueError for an `out` that holds something else, StorageError when the disk is
    full.

    >>> report = export_mlflow("runs", "mlruns")
    >>> report.runs_new, report.problems
    (3, ())
    """
    began = time.monotonic()
    root = names.folder_of(store)
    choice = choose(root, query, experiments, deleted=True)
    target = Target(out, root, choice.store.file.id)
    with _io.explained("export to", target.root):
        work = _Export(choice, target, artifacts)
        work.write_runs(progress)
        work.write_registry()
        target.clean()
    return work.report(time.monotonic() - began)


class _Export:
    """What one export has done so far."""

    def __init__(self, choice: Choice, target: Target, mode: ArtifactMode) -> None:
        self._choice, self._target, self._mode = choice, target, mode
        self._problems = Problems(choice.store.root)
        self._counts: Counter[str] = Counter()
        self._artifacts: dict[str, Path] = {}
        for problem in choice.store.problems:
            if problem.run_id is None:
                self._problems.add(problem)
        runs = [run.file for place in choice.all for run in place.runs]
        self._names = AllNames(
            metrics=Names(file.metrics for file in runs),
            params=Names(file.params for file in runs),
            tags=Names(file.tags for file in runs),
        )
        self._runs = RunExport(target, self._names, mode, self._problems)
        self._tags = Names(place.file.tags for place in choice.all)
        self._tell_changed_names()
        self._ids = dict(self._experiment_ids())

    def _tell_changed_names(self) -> None:
        tell = partial(self._problems.tell, layout.EXPERIMENTS)
        files = [run.file for run in self._choice.runs()]
        tell_changed("metric", self._names.metrics, (file.metrics for file in files), tell)
        tell_changed("param", self._names.params, (file.params for file in files), tell)
        tell_changed("tag", self._names.tags, (file.tags for file in files), tell)
        tell_changed("tag", self._tags, (place.file.tags for place in self._choice.places), tell)

    # Experiments and runs

    def _experiment_ids(self) -> Iterator[tuple[str, str]]:
        """The id of each experiment to MLflow, by slug: its own, where MLflow takes it and no other one has it."""
        taken: set[str] = set()
        others: list[Place] = []
        for place in sorted(self._choice.all, key=lambda place: place.file.name != settings.DEFAULT_EXPERIMENT):
            own = _own_id(place)
            if not _ID.fullmatch(own) or own in taken:
                others.append(place)
                continue
            taken.add(own)
            yield place.slug, own
        seen: set[str] = set()
        for place in others:  # when all own ids are known, so that none of them moves
            own = _own_id(place)
            is_known = not own or own in seen or own in taken
            new = _new_id(f"slug:{place.slug}" if is_known else f"id:{own}", taken)
            seen.add(own)
            taken.add(new)
            if own:
                reason = f"the id {own!r:.70} is taken or none to MLflow; it gets {new}"
                self._problems.tell(layout.experiment(self._choice.store.root, place.slug), reason)
            yield place.slug, new

    def write_runs(self, progress: Progress | None) -> None:
        """Write the experiments with their runs, and MLflow's default experiment in any case."""
        total, done = sum(len(place.runs) for place in self._choice.places), 0
        default = ExperimentFile(DEFAULT_ID, settings.DEFAULT_EXPERIMENT)
        if not any(self._ids[place.slug] == DEFAULT_ID for place in self._choice.places) and not _io.is_folder(
            self._target.root / DEFAULT_ID
        ):
            self._write_experiment(self._target.root / DEFAULT_ID, default, deleted=False)
        for place in self._choice.places:
            folder, lies_in = self._folders(place)
            self._write_experiment(lies_in, place.file, deleted=place.deleted)
            self._counts["experiments"] += 1
            for run in place.runs:
                if progress:
                    progress(done, total, run.file.name)
                self._write_run(run, folder, lies_in)
                done += 1
        if progress:
            progress(total, total)

    def _folders(self, place: Place) -> tuple[Path, Path]:
        """The folder of an experiment, and where it lies; one that was deleted or restored since is moved."""
        folder = self._target.root / self._ids[place.slug]
        trashed = self._target.root / TRASH / folder.name
        lies_in, elsewhere = (trashed, folder) if place.deleted else (folder, trashed)
        if _io.is_folder(elsewhere) and not os.path.lexists(lies_in):
            _io.make_folder(lies_in.parent, inside=self._target.root)
            _io.move_folder(elsewhere, lies_in, durable=False)
        return folder, lies_in

    def _write_experiment(self, folder: Path, file: ExperimentFile, *, deleted: bool) -> None:
        created = time_of(file.created) or 0
        home = self._target.root / folder.name
        meta: dict[str, str | int | None] = {
            "artifact_location": home.as_uri(),
            "creation_time": created,
            "experiment_id": folder.name,
            "last_update_time": created,
            "lifecycle_stage": "deleted" if deleted else "active",
            "name": file.name,
        }
        tags = self._experiment_tags(file)
        digest = digest_of(meta, sorted(tags.items()))
        if read_state(folder) == [digest]:
            return
        _io.make_folder(folder, inside=self._target.root)
        self._target.write(folder / META, meta_yaml(meta))
        aside = self._target.aside()
        write_texts(aside / "tags", tags, Path(layout.EXPERIMENTS), self._problems.tell)
        old = self._target.put(aside / "tags", folder / "tags")
        if old is not None:
            _io.remove_tree(old)
        self._target.write_state(folder, digest)

    def _experiment_tags(self, file: ExperimentFile) -> Mapping[str, str]:
        tags = dict(self._tags.apply(file.tags))
        if file.description:
            tags[NOTE_TAG] = file.description
        for metric, goal in list(file.goal.items())[:1]:
            tags[METRIC_TAG] = self._names.metrics.of(metric)
            tags[GREATER_TAG] = str(goal == "maximize")
        if len(file.goal) > 1:
            tags[GOAL_TAG] = codec.json_text(file.goal)
        return tags

    def _write_run(self, run: FoundRun, folder: Path, lies_in: Path) -> None:
        run_id = run.file.run_id
        for problem in run.read.problems:
            self._problems.add(problem, run_id)
        if run_id in self._artifacts or not names.is_run_id(run_id):
            self._problems.tell(run.read.folder, "has the id of another run, or none, and is left out", run_id)
            return
        self._artifacts[run_id] = self._runs.artifacts_of(run, folder)
        written = self._runs.write(run, folder, lies_in)
        self._counts[f"runs_{written.change}"] += 1
        self._counts["points"] += written.points
        self._counts["artifacts"] += written.artifacts

    def write_registry(self) -> None:
        """Write the registered models; versions of runs that an earlier export wrote stay in them."""
        for place in () if self._choice.everything else self._choice.all:
            folder = self._target.root / self._ids[place.slug]
            for run in place.runs:
                if run.file.run_id not in self._artifacts and _io.is_folder(folder / run.file.run_id):
                    self._artifacts[run.file.run_id] = self._runs.artifacts_of(run, folder)
        registry = RegistryExport(self._choice.store.root, self._target, self._artifacts, self._mode, self._problems)
        registry.write(everything=self._choice.everything, models=self._target.root / DEFAULT_ID / MODELS)
        self._counts.update(registry.counts)

    def report(self, seconds: float) -> ExportReport:
        """What was done."""
        counts: dict[str, Any] = dict(self._counts)
        root, out = str(self._choice.store.root), str(self._target.root)
        return ExportReport(root, out, **counts, seconds=seconds, problems=self._problems.all())


def _own_id(place: Place) -> str:
    return DEFAULT_ID if place.file.name == settings.DEFAULT_EXPERIMENT else place.file.id


def _new_id(of: str, taken: Container[str]) -> str:
    """18 digits that are the same whenever the same experiment is exported, and that no other one has."""
    for number in count():
        digest = hashlib.sha256(f"{of}:{number}".encode(errors="surrogatepass")).hexdigest()
        new = str(10**17 + int(digest, 16) % (9 * 10**17))
        if new not in taken:
            return new
    raise AssertionError
