"""The client's part for experiments, runs and artifacts."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat

from tracker import entities, media, names, session
from tracker.client.missing import refuse
from tracker.client.paging import PagedList, page_of
from tracker.schema import ExperimentFile
from tracker.session import session as current
from tracker.snapshot import PARENT_TAG, RUN_NAME_TAG
from tracker.store import Store

if TYPE_CHECKING:
    import pandas

    from tracker.run import ActiveRun

_RUNNING = "RUNNING"


class RunsClient:
    """Experiments, runs and artifacts of a store."""

    def __init__(
        self, tracking_uri: str | os.PathLike[str] | None = None, registry_uri: str | os.PathLike[str] | None = None
    ) -> None:
        self.tracking_uri = session.place_of(tracking_uri or current.uri)
        """The folder of the store."""
        self.registry_uri = session.place_of(registry_uri or self.tracking_uri)
        """The folder of the store with the registered models."""

    # Experiments

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Mapping[str, object] | None = None
    ) -> str:
        """Make an experiment and return its id; AlreadyExistsError when the name is taken."""
        refuse("Artifacts lie in the folder of their run.", artifact_location=artifact_location)
        file = ExperimentFile(id="", name=name, tags=session.texts_of(tags))
        return self._store().create_experiment(file).file.id

    def get_experiment(self, experiment_id: str) -> entities.Experiment:
        """The experiment of this id; NotFoundError when there is none."""
        return entities.make_experiment(self._look().experiment_by_id(experiment_id))

    def get_experiment_by_name(self, name: str) -> entities.Experiment | None:
        """The experiment of this name, or None."""
        found = self._look().find_experiment(name)
        return None if found is None else entities.make_experiment(found)

    def search_experiments(
        self,
        view_type: int = entities.ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[entities.Experiment]:
        """Experiments that match a query, newest first; see tracker.search_experiments."""
        from tracker import search

        found = search.search_experiments(
            self._root, view_type=view_type, filter_string=filter_string or "", order_by=order_by
        )
        return page_of(found, max_results, page_token, lambda experiment: experiment.experiment_id)

    def set_experiment_tag(self, experiment_id: str, key: str, value: object) -> None:
        """Set a tag of an experiment."""
        store = self._store()
        store.describe_experiment(store.experiment_by_id(experiment_id).slug, tags=session.texts_of({key: value}))

    # Runs

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, object] | None = None,
        run_name: str | None = None,
    ) -> entities.Run:
        """Make a run without making it the active one. It goes on until set_terminated(), or until the process ends.

        `start_time` is UTC milliseconds, for runs of another time.
        """
        store, texts = self._store(), session.texts_of(tags)
        run = session.make_run(
            store,
            store.experiment_by_id(experiment_id),
            run_name=run_name or texts.get(RUN_NAME_TAG),
            parent=texts.get(PARENT_TAG),
            tags=texts,
            start_time=start_time,
        )
        return self.get_run(current.keep(run).run_id)

    def get_run(self, run_id: str) -> entities.Run:
        """A run by its id; NotFoundError when there is none."""
        from tracker import search

        return search.get_run(self._root, run_id)

    def get_parent_run(self, run_id: str) -> entities.Run | None:
        """The run that a nested run was started in, or None."""
        from tracker import search

        return search.get_parent_run(self._root, run_id)

    def get_metric_history(self, run_id: str, key: str) -> list[entities.Metric]:
        """Every point of a metric, by step and then time; NotFoundError when the run did not log it."""
        from tracker import search

        return search.get_metric_history(self._root, run_id, key)

    def search_runs(
        self,
        experiment_ids: list[str],
        filter_string: str = "",
        run_view_type: int = entities.ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[entities.Run]:
        """Runs of some experiments that match a query, newest first, a page at a time; see tracker.search_runs."""
        from tracker import search

        if not experiment_ids:
            return PagedList([], None)
        found = search.search_runs(
            self._root,
            experiment_ids=experiment_ids,
            filter_string=filter_string,
            run_view_type=run_view_type,
            order_by=order_by,
            output_format="list",
            max_results=sys.maxsize,
        )
        assert isinstance(found, list)
        return page_of(found, max_results, page_token, lambda run: run.info.run_id)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """End a run as FINISHED (the default), FAILED or KILLED, whoever began it. `end_time` is UTC milliseconds."""
        current.end_run(self._root, run_id, status or "FINISHED", end_time)

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Give a run another name, or another status: RUNNING resumes it."""
        if status == _RUNNING:
            current.resume_kept(self._root, run_id)
        elif status is not None:
            self.set_terminated(run_id, status)
        if name is not None:
            self.set_tag(run_id, RUN_NAME_TAG, names.check_name(name, "A run name"))

    def delete_run(self, run_id: str) -> None:
        """Move a run to the trash of the store; restore_run() brings it back."""
        current.trash_run(self._root, run_id)

    def restore_run(self, run_id: str) -> None:
        """Bring a run back from the trash."""
        self._store().restore_run(run_id)

    # Logging

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: SupportsFloat,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> None:
        """Log one point of a metric; see ActiveRun.log_metric."""
        refuse(
            "Let the key tell what was measured on which data, such as 'test/accuracy'.",
            dataset_name=dataset_name,
            dataset_digest=dataset_digest,
            model_id=model_id,
        )
        self._run(run_id).log_metric(key, value, step, timestamp)

    def log_param(self, run_id: str, key: str, value: object, synchronous: bool | None = None) -> object:
        """Log a param with its type; params are write-once. Returns the value."""
        return self._run(run_id).log_param(key, value)

    def set_tag(self, run_id: str, key: str, value: object, synchronous: bool | None = None) -> None:
        """Set a tag of a run."""
        self._run(run_id).set_tag(key, value)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Delete a tag of a run; NotFoundError when it has none of this name."""
        self._run(run_id).delete_tag(key)

    def log_batch(
        self,
        run_id: str,
        metrics: Iterable[entities.Metric] = (),
        params: Iterable[entities.Param] = (),
        tags: Iterable[entities.RunTag] = (),
        synchronous: bool | None = None,
    ) -> None:
        """Log metrics, params and tags (`tracker.entities`) in one write: all of them, or none when one is refused."""
        self._run(run_id).log_batch(
            metrics, {param.key: param.value for param in params}, {tag.key: tag.value for tag in tags}
        )

    # Artifacts

    def log_artifact(self, run_id: str, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Copy a file (or a folder) into a run, below `artifact_path` if that is given."""
        self._run(run_id).log_artifact(local_path, artifact_path)

    def log_artifacts(self, run_id: str, local_dir: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Copy all files below a folder into a run."""
        self._run(run_id).log_artifacts(local_dir, artifact_path)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Write a text as an artifact."""
        self._run(run_id).log_text(text, artifact_file)

    def log_dict(self, run_id: str, dictionary: Mapping[str, Any] | list[Any], artifact_file: str) -> None:
        """Write a dict or list as a JSON or YAML artifact."""
        self._run(run_id).log_dict(dictionary, artifact_file)

    def log_figure(
        self, run_id: str, figure: object, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Write a figure of matplotlib or Plotly as an artifact; see tracker.log_figure."""
        media.add_figure(self._run(run_id), figure, artifact_file, save_kwargs)

    def log_image(
        self,
        run_id: str,
        image: object,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Write an image as an artifact; see tracker.log_image."""
        media.add_image(self._run(run_id), image, artifact_file, key, step)

    def log_table(self, run_id: str, data: object, artifact_file: str) -> None:
        """Write a table as an artifact, or add rows to it; see tracker.log_table."""
        media.add_table(self._run(run_id), data, artifact_file)

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: list[str] | None = None,
        extra_columns: list[str] | None = None,
    ) -> pandas.DataFrame:
        """The rows of a table of all runs of an experiment, or of some of them; see tracker.load_table."""
        return media.tables_of(self._root, [experiment_id], artifact_file, run_ids, extra_columns)

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[entities.FileInfo]:
        """What lies directly in a folder of a run's artifacts."""
        from tracker import artifacts

        return artifacts.list_artifacts(run_id=run_id, artifact_path=path, tracking_uri=str(self._root))

    def download_artifacts(self, run_id: str, path: str, dst_path: str | os.PathLike[str] | None = None) -> str:
        """The path of a file or folder of a run's artifacts; with `dst_path` it is copied there."""
        from tracker import artifacts

        return artifacts.download_artifacts(
            run_id=run_id, artifact_path=path, dst_path=dst_path, tracking_uri=str(self._root)
        )

    # How

    @functools.cached_property
    def _root(self) -> Path:
        return session.root_of(self.tracking_uri)

    def _look(self) -> Store:
        return Store(self._root)

    def _store(self) -> Store:
        return Store.open(self._root)

    def _run(self, run_id: str) -> ActiveRun:
        return current.kept_run(self._root, run_id)
