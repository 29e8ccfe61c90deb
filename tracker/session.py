"""The one home of global state: the store, the experiment and the open runs of this process.

Each thread has open runs of its own; a thread without one logs to the run of the main thread, or to the one that was
started last.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tracker import _clock, capture, codec, names, process, reader, settings
from tracker import run as runs
from tracker.endings import Endings
from tracker.exceptions import InvalidValueError, RunStateError
from tracker.run import ActiveRun
from tracker.schema import SCHEMA, RunFile
from tracker.snapshot import NOTE_TAG, PARENT_TAG, RUN_NAME_TAG
from tracker.store import Store


MAX_KEPT = 100
"""Runs that clients write to and that hold a file open; the others open one when they are written to."""


class Session:
    """What the process has chosen and opened."""

    def __init__(self) -> None:
        self._endings = Endings(self.end_all)
        self._forget()

    def _forget(self) -> None:
        self._root: Path | None = None
        self._site: str | None = None
        self._store: Store | None = None
        self._experiment: reader.ReadExperiment | None = None
        self._open_runs: list[ActiveRun] = []
        self._kept: dict[str, ActiveRun] = {}
        self._main_stack: list[ActiveRun] = []
        self._threads = threading.local()
        self.last_run_id: str | None = None
        """The run that is active or was the last one to be."""

    def reset(self) -> None:
        """Forget everything; open runs are ended first. For tests."""
        self.end_all("FINISHED", None)
        self._forget()
        capture.capture.cache_clear()

    # Store and experiment

    def use_store(self, uri: str | os.PathLike[str]) -> None:
        """Choose the store by a path, a `file:` URI or, to load models only, the address of a published site."""
        text = os.fspath(uri)
        self._site = text if _is_site(text) else None
        self._root = None if self._site else names.folder_of(uri)
        self._store = self._experiment = None

    @property
    def site(self) -> str | None:
        """The published site that was chosen, or that TRACKER_URI names, in place of a store."""
        named = settings.tracking_uri() or ""
        return self._site or (named if self._root is None and _is_site(named) else None)

    @property
    def root(self) -> Path:
        """The folder of the store: as chosen, else as TRACKER_URI names it, else `./runs`.

        InvalidValueError when a published site was chosen: models load from there, and that is all.
        """
        if self.site:
            raise InvalidValueError(
                f"{self.site} is an address of the web. models:/ URIs load from a site that is published there, and "
                "that is all: tracker logs to a folder and needs no server. Name one, such as ./runs, with "
                "set_tracking_uri()."
            )
        return self._root or names.folder_of(settings.tracking_uri() or settings.DEFAULT_STORE)

    @property
    def is_chosen(self) -> bool:
        """Whether `use_store` was called."""
        return bool(self._root or self._site)

    def is_store(self, uri: str | os.PathLike[str]) -> bool:
        """Whether a URI names the store or site in use."""
        text = os.fspath(uri)
        return text == self.site if _is_site(text) or self.site else names.folder_of(uri) == self.root

    def store(self) -> Store:
        """The store, made when it is missing."""
        if self._store is None or self._store.root != self.root:
            self._store = Store.open(self.root)
            self._experiment = None
        return self._store

    def look(self) -> Store:
        """The store for reading: nothing is made, so a missing one is an empty one."""
        return Store(self.root)

    def use_experiment(self, experiment: reader.ReadExperiment) -> None:
        """Choose the experiment for the runs to come."""
        self._experiment = experiment

    def experiment(self) -> reader.ReadExperiment:
        """The chosen experiment; without a choice the one that TRACKER_EXPERIMENT names, or Default."""
        store = self.store()
        if self._experiment is None:
            self._experiment = store.experiment_for(_default_experiment())
        return self._experiment

    def find_experiment(self) -> reader.ReadExperiment | None:
        """The same for reading: None when it was not made yet."""
        if self._experiment is not None and self._store is not None and self._store.root == self.root:
            return self._experiment
        return self.look().find_experiment(_default_experiment())

    # Runs

    def current(self) -> ActiveRun | None:
        """The run that this thread logs to, or None."""
        for stack in (self._stack(), self._main_stack, self._open_runs):
            while stack and stack[-1].ended:
                stack.pop()  # another thread ended it
            if stack:
                return stack[-1]
        return None

    def _stack(self) -> list[ActiveRun]:
        """The open runs of this thread, the innermost last."""
        if threading.current_thread() is threading.main_thread():
            return self._main_stack
        try:
            found: list[ActiveRun] = self._threads.stack
        except AttributeError:
            found = self._threads.stack = []
        return found

    def start(
        self,
        *,
        run_id: str | None = None,
        experiment_id: str | None = None,
        run_name: str | None = None,
        nested: bool = False,
        parent_run_id: str | None = None,
        tags: Mapping[str, object] | None = None,
        description: str | None = None,
    ) -> ActiveRun:
        """Start a run, or resume the one with `run_id`, and make it the current one of this thread."""
        stack = self._stack()
        if stack and stack[-1].started_here and not nested:
            raise RunStateError(
                f"The run {stack[-1].run_id} is active already. End it with end_run(), or start this one inside it "
                "with start_run(nested=True)."
            )
        self._endings.install()
        texts = texts_of(tags, description)
        resumed = run_id or self._run_id_from_environment()
        if resumed:
            run = self._resume(resumed, run_name, texts)
        else:
            parent = parent_run_id or texts.get(PARENT_TAG) or (self._current_id() if nested else None)
            run = self._create(experiment_id, run_name, parent, texts)
        stack.append(run)
        self._open_runs.append(run)
        self.last_run_id = run.run_id
        return run

    def _create(
        self, experiment_id: str | None, run_name: str | None, parent: str | None, tags: dict[str, str]
    ) -> ActiveRun:
        store = self.store()
        experiment = store.experiment_by_id(experiment_id) if experiment_id else self.experiment()
        return make_run(store, experiment, run_name=run_name, parent=parent, tags=tags)

    def _resume(self, run_id: str, run_name: str | None, tags: dict[str, str]) -> ActiveRun:
        if any(run.run_id == run_id for run in self._open_runs if run.started_here):
            raise RunStateError(f"The run {run_id} is active in this process already.")
        if run_name:
            tags = {**tags, RUN_NAME_TAG: names.check_name(run_name, "A run name")}
        kept = self._kept.pop(run_id, None)
        if kept is not None and kept.joined:
            kept.detach()
            kept = None
        run = kept or runs.open_existing(self.store(), run_id)
        run.set_tags(tags)
        return run

    def _run_id_from_environment(self) -> str | None:
        """TRACKER_RUN_ID counts for the first run only, so that the ones after it are new."""
        return None if self._open_runs or self.last_run_id else settings.run_id()

    def _current_id(self) -> str | None:
        current = self.current()
        return current.run_id if current else None

    def is_open(self, run_id: str) -> bool:
        """Whether the run is open in this process."""
        return any(run.run_id == run_id for run in self._open_runs)

    @contextmanager
    def run_of(self, run_id: str | None) -> Iterator[ActiveRun]:
        """The current run (started when there is none), or for the length of the block another one of the store."""
        if run_id is None:
            yield self.current() or self.start()
            return
        found = next((run for run in self._open_runs if run.run_id == run_id), None)
        if found is not None:
            yield found
            return
        run = runs.open_existing(self.store(), run_id, edit=True)
        try:
            yield run
        finally:
            run.detach()

    # Runs that clients write to by their ids, whatever the store; they are nobody's current run

    def keep(self, run: ActiveRun) -> ActiveRun:
        """Keep a run open for the next call that names it; it ends with the process, if nobody ends it before."""
        self._endings.install()
        kept = self._kept.setdefault(run.run_id, run)
        if kept is not run:
            run.detach()  # another thread was faster
        for other in list(self._kept.values())[:-MAX_KEPT]:
            other.rest()
        return kept

    def kept_run(self, store: Store, run_id: str) -> ActiveRun:
        """A run of a store to write to, opened if it is not open here already."""
        found = next((run for run in self._open_runs if run.run_id == run_id), None) or self._kept.get(run_id)
        return found or self.keep(runs.open_existing(store, run_id, edit=True))

    def end_run(self, store: Store, run_id: str, status: str, time: int | None = None) -> None:
        """End a run of a store, whoever began it."""
        active = next((run for run in self._open_runs if run.run_id == run_id), None)
        if active is not None:
            self.leave(active, status, None)
            return
        runs.check_end_status(status)
        kept = self._kept.pop(run_id, None)
        if kept is not None and not kept.joined:
            kept.end(status, time=time)
            return
        if kept is not None:
            kept.detach()
        runs.end_existing(store, run_id, status, time)

    def leave(self, run: ActiveRun, status: str, by: str | None) -> None:
        """End a run, and the runs that were opened inside it and forgotten.

        A run that cannot be ended, because the disk is full, stays the current one; ending it can be tried again.
        """
        runs.check_end_status(status)
        stack = next((stack for stack in (self._stack(), self._main_stack) if run in stack), [run])
        while stack[-1] is not run:
            self.leave(stack[-1], status, by)
        run.end(status, by)
        stack.remove(run)
        if run in self._open_runs:
            self._open_runs.remove(run)
            self.last_run_id = run.run_id

    def end_all(self, status: str, by: str | None) -> None:
        """End what is open, innermost first; also called when the process ends."""
        for run in [*reversed(self._open_runs), *self._kept.values()]:
            try:
                if self._kept.pop(run.run_id, None):
                    run.end(status, by)
                else:
                    self.leave(run, status, by)
            except Exception as error:
                print(f"tracker: the run {run.run_id} could not be ended: {error}", file=sys.stderr)


def make_run(
    store: Store,
    experiment: reader.ReadExperiment,
    *,
    run_name: str | None,
    parent: str | None,
    tags: dict[str, str],
    start_time: int | None = None,
) -> ActiveRun:
    """Make a run of an experiment. Where it began at another time, nothing is known of what it ran in."""
    source, environment = capture.capture() if start_time is None else (None, None)
    file = RunFile(
        schema=SCHEMA,
        run_id=names.new_id(),
        name=names.check_name(run_name, "A run name") if run_name else names.new_run_name(),
        experiment_id=experiment.file.id,
        status="RUNNING",
        start_time=_clock.now_ms() if start_time is None else codec.as_time(start_time),
        parent=names.check_run_id(parent) if parent else None,
        source=source,
        process=process.this_process(),
        tags=tags,
    )
    return runs.open_new(store, experiment.slug, file, environment)


def _is_site(uri: str) -> bool:
    return uri.lower().startswith(("http://", "https://"))


def _default_experiment() -> str:
    return settings.experiment_name() or settings.DEFAULT_EXPERIMENT


def texts_of(tags: Mapping[str, object] | None, description: str | None = None) -> dict[str, str]:
    """Tags with checked names and their values as text; a description is the tag that MLflow keeps it in."""
    found = {
        names.check_name(key, "A tag name"): codec.check_value(key, str(value)) for key, value in (tags or {}).items()
    }
    return {**found, NOTE_TAG: codec.check_value("description", description)} if description else found


session = Session()
