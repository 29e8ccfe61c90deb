"""MLflow's functions, each a thin shell over the session, run or store that does the work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsFloat

from tracker import entities, names, settings
from tracker.exceptions import InvalidValueError
from tracker.missing import MEASURED, TRACES, refuse
from tracker.run import ActiveRun
from tracker.schema import ExperimentFile
from tracker.session import place_of, session, texts_of
from tracker.store import check_goal

if TYPE_CHECKING:
    import pandas

    from tracker.registry.entities import ModelVersion, RegisteredModel


# Store and experiment


def set_tracking_uri(uri: str | os.PathLike[str]) -> None:
    """Name the store: a folder, as a path, a `file:` or a `tracker:` URI. It is made when the first run is logged.

    The address of a published site is fine too: `models:/` URIs load from it, and that is all.
    """
    session.use_store(uri)


def get_tracking_uri() -> str:
    """The folder of the store: as set, else TRACKER_URI, else `./runs`. A published site has its address."""
    return session.uri


def is_tracking_uri_set() -> bool:
    """Whether a store was named, by set_tracking_uri() or TRACKER_URI."""
    return session.is_chosen or bool(settings.tracking_uri())


def set_registry_uri(uri: str | os.PathLike[str]) -> None:
    """The same as set_tracking_uri(): runs and registered models lie in one store.

    Raises InvalidValueError when another store was chosen already.
    """
    if session.is_chosen and place_of(uri) != session.uri:
        raise InvalidValueError(
            f"Runs and registered models lie in one store, and {get_tracking_uri()} was chosen. For the registry of "
            f"another one use MlflowClient(registry_uri={os.fspath(uri)!r})."
        )
    session.use_store(uri)


def get_registry_uri() -> str:
    """The same as get_tracking_uri(): runs and registered models lie in one store."""
    return get_tracking_uri()


def set_experiment(
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    trace_location: object = None,
    *,
    description: str | None = None,
    tags: Mapping[str, object] | None = None,
    goal: Mapping[str, str] | None = None,
) -> entities.Experiment:
    """Choose the experiment for the runs to come, made when it is missing.

    `goal` declares which way a metric is better, such as `{"val/loss": "minimize"}`; `description` is Markdown.
    What people wrote into `experiment.yaml` is kept.
    """
    refuse(TRACES, trace_location=trace_location)
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidValueError("Give set_experiment() a name or an id, one of them.")
    store = session.store()
    found = store.experiment_by_id(experiment_id) if experiment_id else store.experiment_for(str(experiment_name))
    chosen = store.describe_experiment(found.slug, description=description, tags=texts_of(tags), goal=check_goal(goal))
    session.use_experiment(chosen)
    return entities.make_experiment(chosen)


def create_experiment(
    name: str,
    artifact_location: str | None = None,
    tags: Mapping[str, object] | None = None,
    trace_location: object = None,
    *,
    description: str = "",
    goal: Mapping[str, str] | None = None,
) -> str:
    """Make an experiment and return its id; AlreadyExistsError when the name is taken."""
    refuse(TRACES, trace_location=trace_location)
    if artifact_location is not None:
        raise InvalidValueError("Artifacts lie in the folder of their run; artifact_location cannot be set.")
    file = ExperimentFile(id="", name=name, description=description, tags=texts_of(tags), goal=check_goal(goal))
    return session.store().create_experiment(file).file.id


def set_experiment_tags(tags: Mapping[str, object]) -> None:
    """Set tags of the chosen experiment."""
    slug = session.experiment().slug
    session.use_experiment(session.store().describe_experiment(slug, tags=texts_of(tags)))


def set_experiment_tag(key: str, value: object) -> None:
    """Set a tag of the chosen experiment."""
    set_experiment_tags({key: value})


def get_experiment(experiment_id: str) -> entities.Experiment:
    """The experiment of this id; NotFoundError when there is none."""
    return entities.make_experiment(session.look().experiment_by_id(experiment_id))


def get_experiment_by_name(name: str) -> entities.Experiment | None:
    """The experiment of this name, or None."""
    found = session.look().find_experiment(name)
    return None if found is None else entities.make_experiment(found)


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
    return session.start(
        run_id=run_id,
        experiment_id=experiment_id,
        run_name=run_name,
        nested=nested,
        parent_run_id=parent_run_id,
        tags=tags,
        description=description,
    )


def active_run() -> ActiveRun | None:
    """The run that this thread logs to, or None. Unlike the log functions it starts none."""
    return session.current()


def last_active_run() -> entities.Run | None:
    """The run that is active or was the last one to be, as it is in the store now; None when there was none."""
    return get_run(session.last_run_id) if session.last_run_id else None


def end_run(status: str = "FINISHED") -> None:
    """End the active run as FINISHED, FAILED or KILLED; nothing happens when there is none."""
    current = session.current()
    if current is not None:
        session.leave(current, status, None)


def get_run(run_id: str) -> entities.Run:
    """A run of the store by its id; NotFoundError when there is none."""
    from tracker import search

    return search.get_run(session.root, run_id)


def get_parent_run(run_id: str) -> entities.Run | None:
    """The run that a nested run was started in, or None."""
    from tracker import search

    return search.get_parent_run(session.root, run_id)


def get_metric_history(run_id: str, key: str) -> list[entities.Metric]:
    """Every point of a metric, by step and then time; NotFoundError when the run did not log it."""
    from tracker import search

    return search.get_metric_history(session.root, run_id, key)


def delete_run(run_id: str) -> None:
    """Move a run to the trash of the store; restore_run() brings it back."""
    session.trash_run(session.root, run_id)


def restore_run(run_id: str) -> None:
    """Bring a run back from the trash."""
    session.store().restore_run(run_id)


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
        chosen = session.find_experiment()
        experiment_ids = [chosen.file.id] if chosen else []
        max_results = max_results if chosen else 0
    return search.search_runs(
        session.root,
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
        session.root, view_type=view_type, max_results=max_results, filter_string=filter_string or "", order_by=order_by
    )


# Registered models; register_model is in `registering`


def search_registered_models(
    max_results: int | None = None, filter_string: str | None = None, order_by: list[str] | None = None
) -> list[RegisteredModel]:
    """Registered models that match a query over name and tags, by name."""
    from tracker.registry import search

    return search.search_registered_models(
        session.root, filter_string=filter_string, order_by=order_by, max_results=max_results
    )


def search_model_versions(
    max_results: int | None = None, filter_string: str | None = None, order_by: list[str] | None = None
) -> list[ModelVersion]:
    """Versions of registered models that match a query, such as `name = 'iris' and stage = 'Production'`."""
    from tracker.registry import search

    return search.search_model_versions(
        session.root, filter_string=filter_string, order_by=order_by, max_results=max_results
    )


def set_model_version_tag(name: str, version: int | str, key: str, value: object) -> None:
    """Set a tag of a version of a registered model."""
    from tracker.registry import Registry

    Registry(session.root).set_version_tag(name, version, key, value)


# Logging


def log_metric(
    key: str,
    value: SupportsFloat,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: object = None,
) -> None:
    """Log one point of a metric to the active run; see ActiveRun.log_metric."""
    refuse(MEASURED, model_id=model_id, dataset=dataset)
    if run_id is None:
        (session.current() or start_run()).log_metric(key, value, step, timestamp)
        return
    with session.run_of(run_id) as run:
        run.log_metric(key, value, step, timestamp)


def log_metrics(
    metrics: Mapping[str, SupportsFloat],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: object = None,
) -> None:
    """Log one point of each of several metrics, in one write."""
    refuse(MEASURED, model_id=model_id, dataset=dataset)
    with session.run_of(run_id) as run:
        run.log_metrics(metrics, step, timestamp)


def log_param(key: str, value: object, synchronous: bool | None = None) -> object:
    """Log a param with its type; params are write-once. Returns the value."""
    return (session.current() or start_run()).log_param(key, value)


def log_params(params: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None) -> None:
    """Log several params; nested dicts become dotted keys."""
    with session.run_of(run_id) as run:
        run.log_params(params)


def set_tag(key: str, value: object, synchronous: bool | None = None) -> None:
    """Set a tag of the active run."""
    (session.current() or start_run()).set_tag(key, value)


def set_tags(tags: Mapping[str, object], synchronous: bool | None = None) -> None:
    """Set several tags of the active run."""
    (session.current() or start_run()).set_tags(tags)


def delete_tag(key: str) -> None:
    """Delete a tag of the active run."""
    (session.current() or start_run()).delete_tag(key)


def log_artifact(
    local_path: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Copy a file (or a folder) into the run, below `artifact_path` if that is given."""
    with session.run_of(run_id) as run:
        run.log_artifact(local_path, artifact_path)


def log_artifacts(
    local_dir: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Copy all files below a folder into the run."""
    with session.run_of(run_id) as run:
        run.log_artifacts(local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Write a text as an artifact."""
    with session.run_of(run_id) as run:
        run.log_text(text, artifact_file)


def log_dict(dictionary: Mapping[str, Any] | list[Any], artifact_file: str, run_id: str | None = None) -> None:
    """Write a dict or list as a JSON or YAML artifact."""
    with session.run_of(run_id) as run:
        run.log_dict(dictionary, artifact_file)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """The folder of the active run's artifacts, or the path of one below it."""
    folder = (session.current() or start_run()).artifact_folder
    return str(folder / names.check_artifact_path(artifact_path)) if artifact_path else str(folder)


def reset() -> None:
    """Forget the store, the experiment and the open runs, which are ended first. For tests."""
    session.reset()
