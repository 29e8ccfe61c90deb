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

MAX_AWAKE = 100
"""Runs that clients write to and that hold a file open; the others open theirs when they are written to."""


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
        self._kept: dict[tuple[Path, str], ActiveRun] = {}
        self._awake: dict[tuple[Path, str], ActiveRun] = {}
        """Those of the kept runs that were written to last; they may hold a file open."""
        self.ended_with_process: set[tuple[Path, str]] = set()
        """Kept runs that nobody had ended when the process did."""
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
        """Choose the store by a path or URI or, to load models only, the address of a published site."""
        place = place_of(uri)
        self._site = place if names.is_site(place) else None
        self._root = None if self._site else Path(place)
        self._store = self._experiment = None

    @property
    def site(self) -> str | None:
        """The published site that was chosen, or that TRACKER_URI names, in place of a store."""
        named = settings.tracking_uri() or ""
        return self._site or (named if self._root is None and names.is_site(named) else None)

    @property
    def uri(self) -> str:
        """The folder of the store, or the address of the site."""
        return self.site or str(self._root or place_of(settings.tracking_uri() or settings.DEFAULT_STORE))

    @property
    def root(self) -> Path:
        """The folder of the store: as chosen, else as TRACKER_URI names it, else `./runs`.

        InvalidValueError when a published site was chosen: models load from there, and that is all.
        """
        return self._root or root_of(self.uri)

    @property
    def is_chosen(self) -> bool:
        """Whether `use_store` was called."""
        return bool(self._root or self._site)

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
        store = self.store()
        run = self._take_kept(store.root, run_id) or runs.open_existing(store, run_id)
        run.set_tags(tags)
        return run

    def _run_id_from_environment(self) -> str | None:
        """TRACKER_RUN_ID counts for the first run only, so that the ones after it are new."""
        return None if self._open_runs or self.last_run_id else settings.run_id()

    def _current_id(self) -> str | None:
        current = self.current()
        return current.run_id if current else None

    @contextmanager
    def run_of(self, run_id: str | None) -> Iterator[ActiveRun]:
        """The current run (started when there is none), or another one of the store."""
        yield (self.current() or self.start()) if run_id is None else self.kept_run(self.root, run_id)

    # Runs that clients write to by their ids, in any store; they are nobody's current run

    def keep(self, run: ActiveRun) -> ActiveRun:
        """Keep a run open for the next call that names it; it ends with the process, if nobody ends it before."""
        self._endings.install()
        kept = self._kept.setdefault((run.store.root, run.run_id), run)
        if kept is not run:
            run.detach()  # another thread was faster
        return self._wake(kept)

    def _wake(self, run: ActiveRun) -> ActiveRun:
        """Let a run hold a file open, and the one that was written to longest ago rest."""
        key = (run.store.root, run.run_id)
        self._awake.pop(key, None)
        self._awake[key] = run
        if len(self._awake) > MAX_AWAKE:
            for oldest in list(self._awake)[:-MAX_AWAKE]:
                if other := self._awake.pop(oldest, None):
                    other.rest()
        return run

    def kept_run(self, root: Path, run_id: str) -> ActiveRun:
        """A run of a store to write to, opened if it is not open here already."""
        if active := self._active(root, run_id):
            return active
        kept = self._kept.get((root, run_id))
        return self._wake(kept) if kept else self.keep(runs.open_existing(Store.open(root), run_id, edit=True))

    def resume_kept(self, root: Path, run_id: str) -> None:
        """Let a run go on that has ended."""
        if self._active(root, run_id) is None and self._take_kept(root, run_id) is None:
            self.keep(runs.open_existing(Store.open(root), run_id))

    def end_run(self, root: Path, run_id: str, status: str, time: int | None = None) -> None:
        """End a run of a store, whoever began it."""
        runs.check_end_status(status)
        active = self._active(root, run_id)
        if active is not None:
            self.leave(active, status, None, time=time)
            return
        kept = self._kept.get((root, run_id))
        if kept and not kept.joined:
            kept.end(status, time=time)  # if it cannot be ended it stays, and ending it can be tried again
        if self._take_kept(root, run_id) is None:
            runs.end_existing(Store.open(root), run_id, status, time)

    def trash_run(self, root: Path, run_id: str) -> None:
        """Move a run to the trash; RunStateError while it is active here."""
        if self._active(root, run_id) is not None:
            raise RunStateError(f"The run {run_id} is active. End it before you delete it.")
        if kept := self._take_kept(root, run_id):
            kept.end("KILLED")
        Store.open(root).trash_run(run_id)

    def _active(self, root: Path, run_id: str) -> ActiveRun | None:
        return next((run for run in self._open_runs if run.run_id == run_id and run.store.root == root), None)

    def _take_kept(self, root: Path, run_id: str) -> ActiveRun | None:
        """A run that was begun here and is kept, not kept any longer; one that was only added to is closed."""
        self._awake.pop((root, run_id), None)
        kept = self._kept.pop((root, run_id), None)
        if kept is None or not kept.joined:
            return kept
        kept.detach()
        return None

    def leave(self, run: ActiveRun, status: str, by: str | None, *, time: int | None = None) -> None:
        """End a run, and the runs that were opened inside it and forgotten.

        A run that cannot be ended, because the disk is full, stays the current one; ending it can be tried again.
        """
        runs.check_end_status(status)
        stack = next((stack for stack in (self._stack(), self._main_stack) if run in stack), [run])
        while stack[-1] is not run:
            self.leave(stack[-1], status, by)
        run.end(status, by, time=time)
        stack.remove(run)
        if run in self._open_runs:
            self._open_runs.remove(run)
            self.last_run_id = run.run_id

    def end_all(self, status: str, by: str | None) -> None:
        """End what is open, innermost first; also called when the process ends."""
        for run in [*reversed(self._open_runs), *self._kept.values()]:
            try:
                if self._kept.pop((run.store.root, run.run_id), None):
                    self.ended_with_process.add((run.store.root, run.run_id))
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
    captures: bool | None = None,
) -> ActiveRun:
    """Make a run of an experiment. Where it began at another time, nothing is known of what it ran in, unless
    `captures` says that this process is what it runs in."""
    captures = start_time is None if captures is None else captures
    source, environment = capture.capture() if captures else (None, None)
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


def place_of(uri: str | os.PathLike[str]) -> str:
    """The folder that a path, `file:` or `tracker:` URI names, or the address of a site as it is."""
    text = os.fspath(uri)
    return text if isinstance(text, str) and names.is_site(text) else str(names.folder_of(uri))


def root_of(place: str) -> Path:
    """The folder of a store; InvalidValueError for a site."""
    if names.is_site(place):
        raise InvalidValueError(
            f"{place} is an address of the web. models:/ URIs load from a site that is published there, and that is "
            "all: tracker logs to a folder and needs no server. Name one, such as ./runs, with set_tracking_uri()."
        )
    return Path(place)


def _default_experiment() -> str:
    return settings.experiment_name() or settings.DEFAULT_EXPERIMENT


def texts_of(tags: Mapping[str, object] | None, description: str | None = None) -> dict[str, str]:
    """Tags with checked names and their values as text; a description is the tag that MLflow keeps it in."""
    found = {
        names.check_name(key, "A tag name"): codec.check_value(key, str(value)) for key, value in (tags or {}).items()
    }
    return {**found, NOTE_TAG: codec.check_value("description", description)} if description else found


session = Session()
