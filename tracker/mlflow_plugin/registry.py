"""MLflow's model registry store over a registry of ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry.abstract_store import AbstractStore
from mlflow.utils.search_utils import SearchModelUtils, SearchModelVersionUtils, SearchUtils

from tracker import layout, names
from tracker.client import MlflowClient
from tracker.exceptions import InvalidValueError
from tracker.missing import refuse
from tracker.mlflow_plugin import entities, places
from tracker.mlflow_plugin.model_files import MODEL_ID, ModelFiles, models_of
from tracker.mlflow_plugin.translated import refusing, translated, unsupported
from tracker.registry import Registry
from tracker.registry import entities as registered

WORKS = frozenset({"copy_model_version"})
"""What MLflow's base class makes of the other methods."""
_MOST = 200_000
"""MLflow's limit of `max_results`."""
_PROMPT_TAG = "mlflow.prompt.is_prompt"
_VERSION_ORDER = ["last_updated_timestamp DESC", "name ASC", "version_number DESC"]


@translated
@refusing(AbstractStore, works=WORKS)
class RegistryStore(AbstractStore):  # type: ignore[misc]
    """Registered models, their versions, stages and aliases."""

    def __init__(self, store_uri: str, tracking_uri: str | None = None) -> None:
        super().__init__()
        self.root = names.folder_of(store_uri)
        self._client = MlflowClient(self.root)
        self._registry = Registry(self.root)
        self._models = ModelFiles(self.root)

    # Models

    def create_registered_model(
        self,
        name: str,
        tags: Sequence[Any] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> Any:
        """Make a registered model without versions. MLflow keeps prompts as such, which is refused."""
        if any(tag.key == _PROMPT_TAG for tag in tags or ()):
            raise unsupported("register_prompt")
        made = self._client.create_registered_model(name, _texts(tags), description, deployment_job_id or None)
        return self._model(made)

    def get_registered_model(self, name: str) -> Any:
        """A registered model."""
        return self._model(self._client.get_registered_model(name))

    def update_registered_model(self, name: str, description: str | None, deployment_job_id: str | None = None) -> Any:
        """Replace the description of a model."""
        return self._model(self._client.update_registered_model(name, description, deployment_job_id or None))

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        """Give a model another name."""
        return self._model(self._client.rename_registered_model(name, new_name))

    def delete_registered_model(self, name: str) -> None:
        """Move a model and its versions to the trash; refused while one of them is in use."""
        self._client.delete_registered_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = 100,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        """Registered models that match a query of MLflow's, by name."""
        _check_limit(max_results)
        found = [self._model(model.entity()) for model in self._registry.models()]
        ordered = SearchModelUtils.sort(SearchModelUtils.filter(found, filter_string), order_by)
        return PagedList(*SearchUtils.paginate(ordered, page_token, max_results))

    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[Any]:
        """The newest version in each stage, or in some of them."""
        return [self._version(version) for version in self._client.get_latest_versions(name, stages or None)]

    def set_registered_model_tag(self, name: str, tag: Any) -> None:
        """Set a tag of a model."""
        self._client.set_registered_model_tag(name, tag.key, tag.value)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a model; one that is not there is no error, as in MLflow."""
        if key in self._registry.model(name).file.tags:
            self._client.delete_registered_model_tag(name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: int | str) -> None:
        """Let an alias stand for a version."""
        self._client.set_registered_model_alias(name, alias, version)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias; one that is not there is no error, as in MLflow."""
        if alias in self._registry.model(name).file.aliases:
            self._client.delete_registered_model_alias(name, alias)

    # Versions

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Sequence[Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> Any:
        """Register the model at a source as the next version of a registered model that is there."""
        refuse("Give run_id, or keep what it says in a tag.", run_link=run_link or None)
        place = self._place_of(source)
        if run_id is not None and not names.is_run_id(run_id):
            run_id = None  # of another tracking server
        made = self._client.create_model_version(name, place, run_id=run_id, tags=_texts(tags), description=description)
        return self._version(made)

    def _place_of(self, source: str) -> str:
        """What MLflow registers from, as a path or URI of ours."""
        model_id = source.removeprefix("models:/")
        if MODEL_ID.fullmatch(model_id):
            run_folder, file = self._models.find(model_id)
            return str(run_folder / layout.ARTIFACTS / file.path)
        if not source.startswith("tracker:"):
            return source
        place = places.place_of(source)
        if place.run_folder is None:
            return f"models:/{self._name_of(place.slug)}/{place.version}"
        return str(place.run_folder / layout.ARTIFACTS / place.below)

    def _name_of(self, slug: str) -> str:
        return next(model.name for model in self._registry.models() if model.slug == slug)

    def get_model_version(self, name: str, version: int | str) -> Any:
        """A version by its number."""
        return self._version(self._client.get_model_version(name, version))

    def get_model_version_by_alias(self, name: str, alias: str) -> Any:
        """The version that an alias stands for. An alias that is not there has the error code that MLflow gives it."""
        if alias not in self._registry.model(name).file.aliases:
            raise InvalidValueError(f"Registered model alias {alias} not found.")
        return self._version(self._client.get_model_version_by_alias(name, alias))

    def get_model_version_download_uri(self, name: str, version: int | str) -> str:
        """Where MLflow gets the files of a version from: they are compared with its digest on the way."""
        found = self._registry.version(name, version)
        return places.version_uri(self.root, self._registry.model(name).slug, int(found.version))

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = 10_000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        """Versions that match a query of MLflow's, those that changed last first."""
        _check_limit(max_results)
        found = [self._version(version.entity()) for model in self._registry.models() for version in model.live]
        ordered = SearchModelVersionUtils.sort(
            SearchModelVersionUtils.filter(found, filter_string), order_by or _VERSION_ORDER
        )
        return PagedList(*SearchUtils.paginate(ordered, page_token, max_results))

    def update_model_version(self, name: str, version: int | str, description: str | None = None) -> Any:
        """Replace the description of a version."""
        return self._version(self._client.update_model_version(name, version, description))

    def transition_model_version_stage(
        self, name: str, version: int | str, stage: str, archive_existing_versions: bool
    ) -> Any:
        """Move a version to a stage."""
        moved = self._client.transition_model_version_stage(name, version, stage, bool(archive_existing_versions))
        return self._version(moved)

    def delete_model_version(self, name: str, version: int | str) -> None:
        """Delete a version; refused while it is in use. Its number is never used again."""
        self._client.delete_model_version(name, version)

    def set_model_version_tag(self, name: str, version: int | str, tag: Any) -> None:
        """Set a tag of a version."""
        self._client.set_model_version_tag(name, version, tag.key, tag.value)

    def delete_model_version_tag(self, name: str, version: int | str, key: str) -> None:
        """Remove a tag of a version; one that is not there is no error, as in MLflow."""
        if key in self._registry.version(name, version).file.tags:
            self._client.delete_model_version_tag(name, version, key)

    # How

    def _await_model_version_creation(self, mv: Any, await_creation_for: int | None) -> None:
        """A version is there when it is registered."""

    def _model(self, ours: registered.RegisteredModel) -> Any:
        return entities.registered_model_of(ours, [self._version(version) for version in ours.latest_versions])

    def _version(self, ours: registered.ModelVersion) -> Any:
        path = self._registry.version(ours.name, ours.version).file.path
        return entities.version_of(ours, self._model_id(path))

    def _model_id(self, path: str) -> str | None:
        """The logged model that lies at a path of the store."""
        parts = PurePosixPath(path).parts
        if parts[:1] != (layout.EXPERIMENTS,) or len(parts) < 6:
            return None
        run_folder, below = Path(self.root, *parts[:4]), "/".join(parts[5:])
        return next((file.model_id for file in models_of(run_folder) if file.path == below), None)


def _texts(tags: Iterable[Any] | None) -> dict[str, object]:
    return {tag.key: tag.value for tag in tags or ()}


def _check_limit(max_results: object) -> None:
    if not isinstance(max_results, int) or not 1 <= max_results <= _MOST:
        raise InvalidValueError(
            f"Invalid value for max_results. It must be a positive integer of at most {_MOST}, but got {max_results}"
        )
