"""MLflow's functions, each a thin shell over the run or store that does the work.

The state of the process has its one home here: the store, the experiment and the open runs. Each thread has runs of its
own; a thread without one logs to the run of the main thread, or to the one that was started last.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from tracker import _clock, capture, entities, names, reader, settings, writer
from tracker import run as runs
from tracker.endings import Endings
from tracker.exceptions import InvalidValueError, NotFoundError, RunStateError, did_you_mean
from tracker.run import ActiveRun
from tracker.schema import SCHEMA, ExperimentFile, RunFile, Status
from tracker.snapshot import NOTE_TAG
from tracker.store import Store, check_goal

if TYPE_CHECKING:
    import pandas


class _State:
    """What the process has chosen and opened."""

    def __init__(self) -> None:
        self.root: Path | None = None
        self.store: Store | None = None
        self.experiment: reader.ReadExperiment | None = None
        self.open_runs: list[ActiveRun] = []
        self.main_stack: list[ActiveRun] = []
        self.threads = threading.local()
        self.last_run_id: str | None = None

    def stack(self) -> list[ActiveRun]:
        """The open runs of this thread, the innermost last."""
        if threading.current_thread() is threading.main_thread():
            return self.main_stack
        try:
            found: list[ActiveRun] = self.threads.stack
        except AttributeError:
            found = self.threads.stack = []
        return found

    def current(self) -> ActiveRun | None:
        """The run that this thread logs to, or None."""
        for stack in (self.stack(), self.main_stack, self.open_runs):
            if stack:
                return stack[-1]
        return None


_state = _State()


def _end_all(status: Status, by: str | None) -> None:
    """End what is open, innermost first; called when the process ends."""
    for run in reversed(list(_state.open_runs)):
        with suppress(Exception):
            leave_run(run, status, by)


_endings = Endings(_end_all)


def reset() -> None:
    """Forget the store, the experiment and the open runs, which are closed first. For tests."""
    global _state
    _end_all("FINISHED", None)
    _state = _State()
    capture.capture.cache_clear()


# Store and experiment


def set_tracking_uri(uri: str | os.PathLike[str]) -> None:
    """Name the store: a folder, as a path or a `file:` URI. It is made when the first run is logged."""
    _state.root = _folder_of(uri)
    _state.store = None
    _state.experiment = None


def get_tracking_uri() -> str:
    """The folder of the store: as set, else TRACKER_URI, else `./runs`."""
    return str(_root())


def _root() -> Path:
    if _state.root is None:
        return _folder_of(settings.tracking_uri() or settings.DEFAULT_STORE)
    return _state.root


def _folder_of(uri: str | os.PathLike[str]) -> Path:
    text = names.check_text(os.fspath(uri), "A tracking URI")
    if not text.strip() or "\0" in text:
        raise InvalidValueError(f"{text!r} names no folder. Use a path such as ./runs.")
    if text.startswith("file:"):
        return Path(url2pathname(unquote(urlsplit(text).path))).absolute()
    if "://" in text:
        raise InvalidValueError(
            f"{text!r} is the address of a server, and tracker needs none. Name a folder, such as ./runs."
        )
    return Path(text).expanduser().absolute()


def _store() -> Store:
    if _state.store is None or _state.store.root != _root():
        _state.store = Store.open(_root())
        _state.experiment = None
    return _state.store


def set_experiment(
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    *,
    description: str | None = None,
    tags: Mapping[str, object] | None = None,
    goal: Mapping[str, str] | None = None,
) -> entities.Experiment:
    """Choose the experiment for the runs to come, made when it is missing.

    `goal` declares which way a metric is better, such as `{"val/loss": "minimize"}`; `description` is Markdown.
    What people wrote into `experiment.yaml` is kept.
    """
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidValueError("Give set_experiment() a name or an id, one of them.")
    store = _store()
    found = store.experiment_by_id(experiment_id) if experiment_id else store.experiment_for(str(experiment_name))
    file = store.describe_experiment(found, description=description, tags=_texts(tags), goal=check_goal(goal))
    _state.experiment = reader.ReadExperiment(found.slug, found.folder, file)
    return entities.make_experiment(_state.experiment)


def create_experiment(
    name: str,
    artifact_location: str | None = None,
    tags: Mapping[str, object] | None = None,
    *,
    description: str = "",
    goal: Mapping[str, str] | None = None,
) -> str:
    """Make an experiment and return its id; AlreadyExistsError when the name is taken."""
    if artifact_location is not None:
        raise InvalidValueError("Artifacts lie in the folder of their run; artifact_location cannot be set.")
    file = ExperimentFile(id="", name=name, description=description, tags=_texts(tags), goal=check_goal(goal))
    return _store().create_experiment(file).file.id


def set_experiment_tags(tags: Mapping[str, object]) -> None:
    """Set tags of the chosen experiment."""
    store, experiment = _store(), _experiment()
    file = store.describe_experiment(experiment, tags=_texts(tags))
    _state.experiment = reader.ReadExperiment(experiment.slug, experiment.folder, file)


def set_experiment_tag(key: str, value: object) -> None:
    """Set a tag of the chosen experiment."""
    set_experiment_tags({key: value})


def get_experiment(experiment_id: str) -> entities.Experiment:
    """The experiment of this id; NotFoundError when there is none."""
    return entities.make_experiment(_store().experiment_by_id(experiment_id))


def get_experiment_by_name(name: str) -> entities.Experiment | None:
    """The experiment of this name, or None."""
    found = _store().find_experiment(name)
    return None if found is None else entities.make_experiment(found)


def _experiment() -> reader.ReadExperiment:
    store = _store()
    if _state.experiment is None:
        _state.experiment = store.experiment_for(settings.experiment_name() or settings.DEFAULT_EXPERIMENT)
    return _state.experiment


def _texts(tags: Mapping[str, object] | None) -> dict[str, str]:
    return {
        names.check_name(key, "A tag name"): names.check_text(str(value), "A tag")
        for key, value in (tags or {}).items()
    }


# Runs


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Start a run, or with `run_id` resume one (or join it, while another process logs to it).

    Use it in a `with` block, which ends the run: FINISHED, FAILED when an exception leaves the block, KILLED on Ctrl-C.
    A run inside another one needs `nested=True`. Raises RunStateError when a run is active already.
    """
    if log_system_metrics:
        raise InvalidValueError("log_system_metrics is not supported yet; log what you need with log_metrics().")
    stack = _state.stack()
    if stack and not nested:
        raise RunStateError(
            f"The run {stack[-1].run_id} is active already. End it with end_run(), or start this one inside it "
            "with start_run(nested=True)."
        )
    _endings.install()
    resumed = run_id or _run_id_from_environment()
    run = (
        _resume(resumed)
        if resumed
        else _start(experiment_id, run_name, parent_run_id or _parent(nested), tags, description)
    )
    if resumed:
        _describe(run, run_name, tags, description)
    stack.append(run)
    _state.open_runs.append(run)
    _state.last_run_id = run.run_id
    return run


def _start(
    experiment_id: str | None,
    run_name: str | None,
    parent: str | None,
    tags: Mapping[str, object] | None,
    description: str | None,
) -> ActiveRun:
    store = _store()
    experiment = store.experiment_by_id(experiment_id) if experiment_id else _experiment()
    source, environment = capture.capture()
    texts = _texts(tags)
    if description:
        texts[NOTE_TAG] = names.check_text(description, "A description")
    file = RunFile(
        schema=SCHEMA,
        run_id=names.new_id(),
        name=names.check_name(run_name, "A run name") if run_name else names.new_run_name(),
        experiment_id=experiment.file.id,
        status="RUNNING",
        start_time=_clock.now_ms(),
        parent=names.check_run_id(parent) if parent else None,
        source=source,
        process=writer.this_process(),
        tags=texts,
    )
    return runs.open_new(store, experiment.slug, file, environment)


def _resume(run_id: str) -> ActiveRun:
    if any(run.run_id == run_id for run in _state.open_runs if run.started_here):
        raise RunStateError(f"The run {run_id} is active in this process already.")
    return runs.open_existing(_store(), run_id)


def _describe(run: ActiveRun, run_name: str | None, tags: Mapping[str, object] | None, description: str | None) -> None:
    found = dict(tags or {})
    if run_name:
        found["mlflow.runName"] = names.check_name(run_name, "A run name")
    if description:
        found[NOTE_TAG] = description
    run.set_tags(found)


def _run_id_from_environment() -> str | None:
    """TRACKER_RUN_ID counts for the first run only, so that the ones after it are new."""
    return None if _state.open_runs or _state.last_run_id else settings.run_id()


def _parent(nested: bool) -> str | None:
    current = _state.current() if nested else None
    return current.run_id if current else None


def active_run() -> ActiveRun | None:
    """The run that this thread logs to, or None. Unlike the log functions it starts none."""
    return _state.current()


def last_active_run() -> entities.Run | None:
    """The run that is active or was the last one to be, as it is in the store now; None when there was none."""
    return get_run(_state.last_run_id) if _state.last_run_id else None


def end_run(status: str = "FINISHED") -> None:
    """End the active run as FINISHED, FAILED or KILLED; nothing happens when there is none."""
    current = _state.current()
    if current is not None:
        leave_run(current, status, None)


def leave_run(run: ActiveRun, status: str, by: str | None) -> None:
    """End a run, and the runs that were opened inside it and forgotten."""
    for stack in (_state.stack(), _state.main_stack):
        if run in stack:
            while stack[-1] is not run:
                leave_run(stack[-1], status, by)
            stack.pop()
    if run in _state.open_runs:
        _state.open_runs.remove(run)
    _state.last_run_id = run.run_id
    run.end(status, by)


def get_run(run_id: str) -> entities.Run:
    """A run of the store by its id; NotFoundError when there is none."""
    found = reader.read_run(_root(), run_id)
    return entities.make_run(found, _experiment_id(found))


def get_parent_run(run_id: str) -> entities.Run | None:
    """The run that a nested run was started in, or None."""
    parent = reader.read_run(_root(), run_id).file.parent
    return get_run(parent) if parent else None


def _experiment_id(run: reader.ReadRun) -> str:
    with suppress(OSError, ValueError):
        return reader.read_experiment_file(run.folder.parent.parent).id
    return run.file.experiment_id


def get_metric_history(run_id: str, key: str) -> list[entities.Metric]:
    """Every point of a metric, by step and then time; NotFoundError when the run did not log it."""
    history = reader.read_history(reader.find_run(_root(), run_id))
    series = history.series.get(key)
    if series is None:
        raise NotFoundError(f"The run {run_id} has no metric {key!r}.{did_you_mean(key, history.series)}")
    points = zip(series.values, series.times, series.steps, strict=True)
    return [entities.Metric(key, value, time, step) for value, time, step in points]


def delete_run(run_id: str) -> None:
    """Move a run to the trash of the store; restore_run() brings it back."""
    if any(run.run_id == run_id for run in _state.open_runs):
        raise RunStateError(f"The run {run_id} is active. End it before you delete it.")
    _store().trash_run(run_id)


def restore_run(run_id: str) -> None:
    """Bring a run back from the trash."""
    _store().restore_run(run_id)


def search_runs(
    experiment_ids: list[str] | None = None,
    filter_string: str = "",
    run_view_type: int = entities.ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: list[str] | None = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,
    experiment_names: list[str] | None = None,
) -> pandas.DataFrame | list[entities.Run]:
    """Runs that match a query, newest first: a DataFrame with MLflow's columns, or with output_format="list" a list.

    Searches the chosen experiment unless others (or all of them) are named. `docs/querying.md` has the language.
    """
    from tracker import search

    if not (experiment_ids or experiment_names or search_all_experiments):
        experiment_ids = [_experiment().file.id]
    return search.search_runs(
        _root(),
        experiment_ids=experiment_ids,
        filter_string=filter_string,
        run_view_type=run_view_type,
        max_results=max_results,
        order_by=order_by,
        output_format=output_format,
        experiment_names=experiment_names,
    )


def search_experiments(
    view_type: int = entities.ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[entities.Experiment]:
    """Experiments that match a query over name, creation_time, last_update_time and tags."""
    from tracker import search

    return search.search_experiments(
        _root(), view_type=view_type, max_results=max_results, filter_string=filter_string or "", order_by=order_by
    )


# Logging


def _run() -> ActiveRun:
    """The run to log to; started when there is none."""
    return _state.current() or start_run()


@contextmanager
def _run_of(run_id: str | None) -> Iterator[ActiveRun]:
    """The active run, or for the length of the call another one of the store."""
    if run_id is None:
        yield _run()
        return
    open_one = next((run for run in _state.open_runs if run.run_id == run_id), None)
    if open_one is not None:
        yield open_one
        return
    run = runs.open_existing(_store(), run_id, edit=True)
    try:
        yield run
    finally:
        run.end()


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> None:
    """Log one point of a metric to the active run; see ActiveRun.log_metric."""
    if run_id is None:
        (_state.current() or start_run()).log_metric(key, value, step, timestamp)
        return
    with _run_of(run_id) as run:
        run.log_metric(key, value, step, timestamp)


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
) -> None:
    """Log one point of each of several metrics, in one write."""
    with _run_of(run_id) as run:
        run.log_metrics(metrics, step, timestamp)


def log_param(key: str, value: object, synchronous: bool | None = None) -> object:
    """Log a param with its type; params are write-once. Returns the value."""
    return _run().log_param(key, value)


def log_params(params: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None) -> None:
    """Log several params; nested dicts become dotted keys."""
    with _run_of(run_id) as run:
        run.log_params(params)


def set_tag(key: str, value: object, synchronous: bool | None = None) -> None:
    """Set a tag of the active run."""
    _run().set_tag(key, value)


def set_tags(tags: Mapping[str, object], synchronous: bool | None = None) -> None:
    """Set several tags of the active run."""
    _run().set_tags(tags)


def delete_tag(key: str) -> None:
    """Delete a tag of the active run."""
    _run().delete_tag(key)


def log_artifact(
    local_path: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Copy a file (or a folder) into the run, below `artifact_path` if that is given."""
    with _run_of(run_id) as run:
        run.log_artifact(local_path, artifact_path)


def log_artifacts(
    local_dir: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Copy all files below a folder into the run."""
    with _run_of(run_id) as run:
        run.log_artifacts(local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Write a text as an artifact."""
    with _run_of(run_id) as run:
        run.log_text(text, artifact_file)


def log_dict(dictionary: Mapping[str, Any] | list[Any], artifact_file: str, run_id: str | None = None) -> None:
    """Write a dict or list as a JSON or YAML artifact."""
    with _run_of(run_id) as run:
        run.log_dict(dictionary, artifact_file)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """The folder of the active run's artifacts, or the path of one below it."""
    folder = _run().artifact_folder
    return str(folder / names.check_artifact_path(artifact_path)) if artifact_path else str(folder)
