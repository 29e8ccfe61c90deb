"""MLflow's tracking store over a store of ours: experiments, runs and searches with MLflow's own grammar."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any

from mlflow.entities import RunInputs, RunStatus
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

from tracker import _clock, experiment_changes, names, session, settings
from tracker.entities import LifecycleStage, ViewType
from tracker.exceptions import AlreadyExistsError, InvalidValueError, NotFoundError
from tracker.missing import refuse
from tracker.mlflow_plugin import entities
from tracker.mlflow_plugin.datasets import inputs_of
from tracker.mlflow_plugin.finding import Finder, FoundRun
from tracker.mlflow_plugin.logged_models import LoggedModels
from tracker.mlflow_plugin.model_files import ModelFiles, links_of
from tracker.mlflow_plugin.translated import refusing, translated
from tracker.mlflow_plugin.writing import Writing
from tracker.schema import ExperimentFile
from tracker.session import session as current
from tracker.snapshot import PARENT_TAG, RUN_NAME_TAG
from tracker.store import Store

NEW_MS = 60_000
"""A run that starts within a minute of now runs in this process; one of another time is told about afterwards."""
WORKS = frozenset(
    "log_metric_async log_param_async set_tag_async log_batch_async end_async_logging flush_async_logging "
    "shut_down_async_logging search_runs get_metric_history_bulk_interval "
    "get_metric_history_bulk_interval_from_steps set_model_versions_tags filter_active_experiment_ids".split()
)
"""What MLflow's base class makes of the other methods."""
_USER_TAG = "mlflow.user"
_SCRIPT_TAG = "mlflow.source.name"
_COMMIT_TAG = "mlflow.source.git.commit"
_MOST = 50_000
"""MLflow's limit of `max_results`."""


@translated
@refusing(AbstractStore, works=WORKS)
class TrackingStore(Writing, LoggedModels, AbstractStore):  # type: ignore[misc]
    """What MLflow's client writes to and reads from."""

    def __init__(self, store_uri: str, artifact_uri: str | None = None) -> None:
        super().__init__()
        self.root = names.folder_of(store_uri)
        self.finder = Finder(self.root)
        self.models = ModelFiles(self.root)
        self._not_there: set[str] = set()
        """Names of experiments that were asked for in vain."""

    # Experiments

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        filter_string: str | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        """Experiments that match a query of MLflow's, newest first."""
        _check_limit(max_results, 1)
        found = [entities.experiment_of(each) for each in self.finder.experiments(view_type)]
        matching = SearchExperimentsUtils.filter(found, filter_string)
        ordered = SearchExperimentsUtils.sort(matching, order_by or ["creation_time DESC", "experiment_id ASC"])
        return PagedList(*SearchUtils.paginate(ordered, page_token, max_results))

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[Any] | None = None
    ) -> str:
        """Make an experiment, and return its id.

        Who was told that there is none gets the one that another process made since: set_experiment() of MLflow would
        go on with the experiment Default otherwise.
        """
        refuse("Artifacts lie in the folder of their run.", artifact_location=artifact_location or None)
        taken = self.finder.named(names.check_name(name, "An experiment name"))
        was_missing = name in self._not_there
        self._not_there.discard(name)
        if taken is not None and taken.stage != LifecycleStage.ACTIVE:
            raise AlreadyExistsError(
                f"Experiment(name={name}) already exists, but it is deleted. Restore it, or choose another name."
            )
        if taken is not None and taken.folder.exists():
            if was_missing:
                return taken.file.id
            raise AlreadyExistsError(f"Experiment(name={name}) already exists.")
        texts = session.texts_of({tag.key: tag.value for tag in tags or ()})
        return Store.open(self.root).add_experiment(ExperimentFile(id="", name=name, tags=texts)).file.id

    def get_experiment(self, experiment_id: str) -> Any:
        """An experiment by its id, a deleted one too."""
        return entities.experiment_of(self.finder.experiment(experiment_id))

    def get_experiment_by_name(self, experiment_name: str) -> Any:
        """An experiment by its name, a deleted one too; None when there is none."""
        found = self.finder.named(experiment_name)
        if found is None:
            self._not_there.add(experiment_name)
            return None
        return entities.experiment_of(found)

    def delete_experiment(self, experiment_id: str) -> None:
        """Move an experiment and its runs to the trash."""
        found = self.finder.experiment_in_use(experiment_id)
        experiment_changes.trash_experiment(
            Store.open(self.root), found.slug, lambda run_id: current.trash_run(self.root, run_id)
        )

    def restore_experiment(self, experiment_id: str) -> None:
        """Bring an experiment back from the trash, with all of its runs."""
        found = self.finder.experiment(experiment_id)
        if found.stage == LifecycleStage.ACTIVE:
            raise NotFoundError(f"Could not find deleted experiment with ID {experiment_id}")
        experiment_changes.restore_experiment(Store.open(self.root), found.slug)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Give an experiment another name."""
        found = self.finder.experiment_in_use(experiment_id)
        experiment_changes.rename_experiment(Store.open(self.root), found.slug, new_name)

    def set_experiment_tag(self, experiment_id: str, tag: Any) -> None:
        """Set a tag of an experiment."""
        found = self.finder.experiment_in_use(experiment_id)
        Store.open(self.root).describe_experiment(found.slug, tags=session.texts_of({tag.key: tag.value}))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag of an experiment."""
        found = self.finder.experiment_in_use(experiment_id)
        experiment_changes.delete_experiment_tag(Store.open(self.root), found.slug, key)

    # Runs

    def create_run(
        self, experiment_id: str, user_id: str, start_time: int | None, tags: Sequence[Any] | None, run_name: str | None
    ) -> Any:
        """Make a run of this process. Neither the user nor the path of the script is kept."""
        experiment = self.finder.experiment_in_use(experiment_id or experiment_changes.DEFAULT_ID)
        texts = {tag.key: "" if tag.value is None else str(tag.value) for tag in tags or ()}
        named = texts.pop(RUN_NAME_TAG, "")
        if run_name and named and run_name != named:
            raise InvalidValueError(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
                f"(run_name={run_name!r}, mlflow.runName={named!r})."
            )
        is_now = not start_time or abs(_clock.now_ms() - start_time) < NEW_MS
        run = session.make_run(
            Store.open(self.root),
            experiment,
            run_name=run_name or named or None,
            parent=texts.pop(PARENT_TAG, None) or None,
            tags=session.texts_of(_impersonal(texts, captured=is_now and settings.captures())),
            start_time=start_time or None,
            captures=is_now,
        )
        return self.get_run(current.keep(run).run_id)

    def get_run(self, run_id: str) -> Any:
        """A run by its id, a deleted one too."""
        return self._complete(self.finder.run(run_id))

    def update_run_info(self, run_id: str, run_status: Any, end_time: int | None, run_name: str | None) -> Any:
        """End a run, let it go on, or give it another name."""
        self.finder.check_active(run_id)
        status = None if run_status is None else RunStatus.to_string(run_status)
        if status is not None and (self.root, run_id) not in current.ended_with_process:
            self._set_status(run_id, "RUNNING" if status == "SCHEDULED" else status, end_time)
        if run_name:
            self._run(run_id).set_tag(RUN_NAME_TAG, names.check_name(run_name, "A run name"))
        return entities.run_info_of(self.finder.run(run_id))

    def _set_status(self, run_id: str, status: str, end_time: int | None) -> None:
        before = entities.run_info_of(self.finder.run(run_id))
        if status == before.status and (status == "RUNNING" or end_time in (None, before.end_time)):
            return  # MLflow repeats what a run is when it renames it
        if status == "RUNNING":
            current.resume_kept(self.root, run_id)
        else:
            current.end_run(self.root, run_id, status, end_time)

    def delete_run(self, run_id: str) -> None:
        """Move a run to the trash."""
        self.finder.check_active(run_id)
        current.trash_run(self.root, run_id)

    def restore_run(self, run_id: str) -> None:
        """Bring a run back from the trash."""
        if self.finder.is_trashed(self.finder.run_folder(run_id)):
            Store.open(self.root).restore_run(run_id)

    def _search_runs(
        self,
        experiment_ids: list[str],
        filter_string: str | None,
        run_view_type: int,
        max_results: int,
        order_by: list[str] | None,
        page_token: str | None,
    ) -> tuple[list[Any], str | None]:
        """Runs that match a query of MLflow's, newest first. Data sets are read where the query asks for them."""
        _check_limit(max_results, 0)
        found = {each.read.file.run_id: each for each in self.finder.runs(experiment_ids, run_view_type)}
        by_dataset = "dataset" in (filter_string or "").lower()
        made = [self._complete(each) if by_dataset else entities.run_of(each) for each in found.values()]
        ordered = SearchUtils.sort(SearchUtils.filter(made, filter_string), order_by)
        page, token = SearchUtils.paginate(ordered, page_token, max_results)
        return [self._complete(found[run.info.run_id]) for run in page], token

    def _complete(self, found: FoundRun) -> Any:
        """A run with what it used and made."""
        folder = found.read.folder
        links = links_of(folder)
        datasets = inputs_of(folder)
        if not (links.inputs or links.outputs):
            return entities.run_of(found, RunInputs(datasets), _outputs([]))
        from mlflow.entities import LoggedModelInput, LoggedModelOutput

        inputs = RunInputs(datasets, [LoggedModelInput(model_id) for model_id in links.inputs])
        outputs = [LoggedModelOutput(model_id, step) for model_id, step in links.outputs.items()]
        return entities.run_of(found, inputs, _outputs(outputs))


def _outputs(models: list[Any]) -> Any:
    try:
        from mlflow.entities import RunOutputs
    except ImportError:  # MLflow 2 has none
        return None
    return RunOutputs(models)


def _impersonal(tags: dict[str, str], *, captured: bool) -> dict[str, str]:
    """Tags without the user and the path of the script; what is captured of the source anyway is left out."""
    kept = {key: value for key, value in tags.items() if key not in (_USER_TAG, _SCRIPT_TAG, _COMMIT_TAG)}
    if captured or not settings.captures():
        return kept
    script = posixpath.basename(tags.get(_SCRIPT_TAG, "").replace("\\", "/"))
    known = {_SCRIPT_TAG: script, _COMMIT_TAG: tags.get(_COMMIT_TAG, "")}
    return {**kept, **{key: value for key, value in known.items() if value}}


def _check_limit(max_results: object, least: int) -> None:
    if not isinstance(max_results, int) or not least <= max_results <= _MOST:
        raise InvalidValueError(
            f"Invalid value {max_results!r} for parameter 'max_results' supplied. It must be at most {_MOST} and at "
            f"least {least}."
        )
