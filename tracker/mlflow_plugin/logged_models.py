"""The part of the tracking store for what MLflow 3 calls logged models: a model with an id of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tracker import _io, layout, names, session, settings
from tracker.exceptions import InvalidNameError, NotFoundError
from tracker.mlflow_plugin import places
from tracker.mlflow_plugin.finding import HOLDS_TAG, Finder
from tracker.mlflow_plugin.model_files import ModelFiles, models_of
from tracker.schema import SCHEMA, LoggedModelFile
from tracker.session import session as current
from tracker.store import Store

_PERSONAL = {"mlflow.user", "mlflow.source.name"}


class LoggedModels:
    """Models of runs, found by an id of their own."""

    root: Path
    finder: Finder
    models: ModelFiles

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Sequence[Any] | None = None,
        params: Sequence[Any] | None = None,
        model_type: str | None = None,
    ) -> Any:
        """Make a model without files. It lies among the artifacts of its run; one without a run gets one to lie in."""
        name = name or names.new_run_name()
        if "/" in name:
            raise InvalidNameError(
                f"The name of a model cannot hold '/', which separates the parts of a path: {name!r}."
            )
        names.check_artifact_path(name, "The name of a model")
        now = time.time_ns() // 1_000_000
        file = LoggedModelFile(
            SCHEMA,
            f"m-{names.new_id()}",
            name,
            path=name,
            status="PENDING",
            created=now,
            updated=now,
            alone=source_run_id is None,
            kind=model_type,
            params={param.key: str(param.value) for param in params or ()},
            tags={tag.key: str(tag.value) for tag in tags or () if tag.key not in _PERSONAL},
        )
        if source_run_id is None:
            run_folder = self._make_place(experiment_id, name)
        else:
            self.finder.check_active(source_run_id)
            run_folder = self.finder.run_folder(source_run_id)
        return self._entity(run_folder, self.models.create(run_folder, file))

    def _make_place(self, experiment_id: str, name: str) -> Path:
        """A run for a model that was logged outside of any."""
        experiment = self.finder.experiment_in_use(experiment_id)
        store = Store.open(self.root)
        return current.keep(
            session.make_run(store, experiment, run_name=name, parent=None, tags={HOLDS_TAG: "model"})
        ).folder

    def log_logged_model_params(self, model_id: str, params: Sequence[Any]) -> None:
        """Add params to a model."""
        texts = {param.key: str(param.value) for param in params or ()}
        self.models.change(model_id, lambda file: msgspec.structs.replace(file, params={**file.params, **texts}))

    def finalize_logged_model(self, model_id: str, status: Any) -> Any:
        """Say how a model turned out. Its files are brought to the disk."""
        from mlflow.entities import LoggedModelStatus

        word = LoggedModelStatus(status).value
        file = self.models.change(model_id, lambda file: msgspec.structs.replace(file, status=word))
        run_folder, _ = self.models.find(model_id)
        folder = run_folder / layout.ARTIFACTS / file.path
        if settings.fsync() != "never" and _io.is_folder(folder):
            with _io.explained("bring to the disk", folder):
                _io.sync_tree(folder)
        if file.alone:
            current.end_run(self.root, run_folder.name, "FINISHED" if word == "READY" else "FAILED")
        return self._entity(run_folder, file)

    def get_logged_model(self, model_id: str, allow_deleted: bool = False) -> Any:
        """A model by its id."""
        run_folder, file = self.models.find(str(model_id))
        if file.deleted and not allow_deleted:
            raise NotFoundError(f"Model '{model_id}' not found")
        return self._entity(run_folder, file)

    def search_logged_models(
        self,
        experiment_ids: list[str],
        filter_string: str | None = None,
        datasets: list[dict[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: list[dict[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> Any:
        """Models of some experiments that match a query of MLflow's, newest first."""
        from mlflow.store.entities.paged_list import PagedList
        from mlflow.store.tracking import SEARCH_LOGGED_MODEL_MAX_RESULTS_DEFAULT
        from mlflow.utils.search_utils import SearchLoggedModelsUtils

        wanted = {str(each) for each in experiment_ids}
        found = [
            self._entity(run_folder, file, experiment.file.id)
            for experiment in self.finder.experiments()
            if experiment.file.id in wanted
            for run_folder in self.finder.run_folders(experiment)
            for file in models_of(run_folder)
        ]
        matching = SearchLoggedModelsUtils.filter_logged_models(found, filter_string, datasets)
        page, token = SearchLoggedModelsUtils.paginate(
            SearchLoggedModelsUtils.sort(matching, order_by),
            page_token,
            max_results or SEARCH_LOGGED_MODEL_MAX_RESULTS_DEFAULT,
        )
        return PagedList(page, token)

    def set_logged_model_tags(self, model_id: str, tags: Sequence[Any]) -> None:
        """Set tags of a model."""
        texts = {tag.key: str(tag.value) for tag in tags or ()}
        self.models.change(model_id, lambda file: msgspec.structs.replace(file, tags={**file.tags, **texts}))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag of a model."""

        def without(file: LoggedModelFile) -> LoggedModelFile:
            if key not in file.tags:
                raise NotFoundError(f"No tag with key {key!r} found for model with ID {model_id!r}.")
            return msgspec.structs.replace(file, tags={name: value for name, value in file.tags.items() if name != key})

        self.models.change(model_id, without)

    def delete_logged_model(self, model_id: str) -> None:
        """Show a model no more; its files stay."""
        self.models.change(model_id, lambda file: msgspec.structs.replace(file, deleted=True))

    def _entity(self, run_folder: Path, file: LoggedModelFile, experiment_id: str | None = None) -> Any:
        from mlflow.entities import LoggedModel, LoggedModelStatus, Metric

        metrics = [
            Metric(
                point.key,
                float(point.value),
                point.time,
                point.step,
                model_id=file.model_id,
                dataset_name=point.dataset or None,
                dataset_digest=point.digest or None if point.dataset else None,
                run_id=point.run_id,
            )
            for point in file.metrics
        ]
        return LoggedModel(
            experiment_id=experiment_id or self.finder.experiment_of(run_folder),
            model_id=file.model_id,
            name=file.name,
            artifact_location=places.uri_of(run_folder / layout.ARTIFACTS / file.path),
            creation_timestamp=file.created,
            last_updated_timestamp=file.updated,
            model_type=file.kind,
            source_run_id=None if file.alone else run_folder.name,
            status=LoggedModelStatus(file.status),
            status_message=file.message,
            tags=dict(file.tags),
            params=dict(file.params),
            metrics=metrics,
        )
