"""The client's part for registered models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tracker import session
from tracker.client.missing import refuse
from tracker.client.paging import PagedList, page_of
from tracker.exceptions import InvalidValueError
from tracker.registry import Registry
from tracker.registry.entities import ModelVersion, RegisteredModel, newest_of_stages
from tracker.registry.naming import check_stage
from tracker.store import Store

if TYPE_CHECKING:
    from tracker.opening import Trust

_JOBS = "Let CI react to the commit that changes the registry."

Version = int | str
"""Its number."""


class RegistryClient:
    """Registered models of a store, their versions, stages and aliases."""

    tracking_uri: str
    registry_uri: str

    # Models

    def create_registered_model(
        self,
        name: str,
        tags: Mapping[str, object] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Make a registered model without versions; AlreadyExistsError when the name is taken."""
        refuse(_JOBS, deployment_job_id=deployment_job_id)
        Store.open(self._models)
        return self._registry.create_model(name, description or "", tags).entity()

    def get_registered_model(self, name: str) -> RegisteredModel:
        """A registered model; NotFoundError, with the nearest name, when there is none."""
        return self._registry.model(name).entity()

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a model another name; AlreadyExistsError when it is taken."""
        return self._registry.rename_model(name, new_name).entity()

    def update_registered_model(
        self, name: str, description: str | None = None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        """Replace the description of a model; Markdown."""
        refuse(_JOBS, deployment_job_id=deployment_job_id)
        return self._registry.describe_model(name, description).entity()

    def delete_registered_model(self, name: str) -> None:
        """Move a model and its versions to the trash; InvalidValueError while one of them is in use."""
        self._registry.delete_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = 100,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Registered models that match a query over name and tags, by name, a page at a time."""
        from tracker.registry import search

        found = search.search_registered_models(self._models, filter_string=filter_string, order_by=order_by)
        return page_of(found, max_results, page_token, lambda model: model.name)

    def set_registered_model_tag(self, name: str, key: str, value: object) -> None:
        """Set a tag of a model."""
        self._registry.set_model_tag(name, key, value)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a model; InvalidValueError when it is not there."""
        self._registry.delete_model_tag(name, key)

    def set_registered_model_alias(
        self, name: str, alias: str, version: Version, *, by: str | None = None, reason: str = ""
    ) -> None:
        """Let an alias stand for a version; `by` and `reason` stand in the history."""
        self._registry.set_alias(name, alias, version, by=by, reason=reason)

    def delete_registered_model_alias(self, name: str, alias: str, *, by: str | None = None, reason: str = "") -> None:
        """Remove an alias; NotFoundError when it is not there."""
        self._registry.delete_alias(name, alias, by=by, reason=reason)

    # Versions

    def create_model_version(
        self,
        name: str,
        source: str | os.PathLike[str],
        run_id: str | None = None,
        tags: Mapping[str, object] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int | None = None,
        model_id: str | None = None,
        *,
        trust: Trust = False,
    ) -> ModelVersion:
        """Register a model of a run, URI or path as the next version of a registered model that is there.

        See tracker.register_model, which makes the registered model as well, also for `trust`.
        """
        refuse("Give run_id, or keep what they say in a tag.", run_link=run_link, model_id=model_id)
        self._registry.model(name)
        return self._register(source, name, run_id or "", tags, description or "", trust)

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Register the model behind a `models:/` URI as the next version of another name, made when it is missing."""
        if not src_model_uri.startswith("models:/"):
            raise InvalidValueError(f"{src_model_uri!r} is no models:/ URI. create_model_version() takes others.")
        return self._register(src_model_uri, dst_name, "", None, "", False)

    def get_model_version(self, name: str, version: Version) -> ModelVersion:
        """A version by its number; NotFoundError when there is none."""
        return self._registry.version(name, version).entity()

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """The version that an alias stands for; NotFoundError when there is none."""
        return self._registry.by_alias(name, alias).entity()

    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        """The newest version in each stage, or in some of them."""
        model = self._registry.model(name)
        wanted = None if stages is None else [check_stage(stage, model.stages, name) for stage in stages]
        return [
            version.entity() for version in newest_of_stages(model) if wanted is None or version.file.stage in wanted
        ]

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = 10_000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """Versions that match a query, those that changed last first, a page at a time."""
        from tracker.registry import search

        found = search.search_model_versions(self._models, filter_string=filter_string, order_by=order_by)
        return page_of(found, max_results, page_token, lambda version: f"{version.name}:{version.version}")

    def update_model_version(self, name: str, version: Version, description: str | None = None) -> ModelVersion:
        """Replace the description of a version; Markdown."""
        return self._registry.describe_version(name, version, description).entity()

    def transition_model_version_stage(
        self,
        name: str,
        version: Version,
        stage: str,
        archive_existing_versions: bool = False,
        *,
        by: str | None = None,
        reason: str = "",
    ) -> ModelVersion:
        """Move a version to a stage; with `archive_existing_versions` the others that are in it are archived.

        `by` and `reason` stand in its history.
        """
        return self._registry.set_stage(
            name, version, stage, by=by, reason=reason, archive_existing=archive_existing_versions
        ).entity()

    def delete_model_version(self, name: str, version: Version) -> None:
        """Delete a version; InvalidValueError while it is in use. Its number is never used again."""
        self._registry.delete_version(name, version)

    def set_model_version_tag(
        self,
        name: str,
        version: Version | None = None,
        key: str | None = None,
        value: object = None,
        stage: str | None = None,
    ) -> None:
        """Set a tag of a version, or of the newest one in a stage."""
        self._registry.set_version_tag(name, self._number(name, version, stage), _key(key), value)

    def delete_model_version_tag(
        self, name: str, version: Version | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        """Remove a tag of a version, or of the newest one in a stage."""
        self._registry.delete_version_tag(name, self._number(name, version, stage), _key(key))

    def get_model_version_download_uri(self, name: str, version: Version) -> str:
        """The folder of a version's model."""
        return str(self._registry.version(name, version).folder)

    def get_model_version_stages(self, name: str, version: Version) -> list[str]:
        """The stages that a version can be in."""
        return list(self._registry.model(name).stages)

    # How

    @property
    def _models(self) -> Path:
        return session.root_of(self.registry_uri)

    @property
    def _registry(self) -> Registry:
        return Registry(self._models)

    def _register(
        self,
        source: str | os.PathLike[str],
        name: str,
        run_id: str,
        tags: Mapping[str, object] | None,
        description: str,
        trust: Trust,
    ) -> ModelVersion:
        from tracker.opening import open_model
        from tracker.registering import register_opened

        registered = os.fspath(source).startswith("models:")
        root = self._models if registered else session.root_of(self.tracking_uri)
        opened = open_model(source, trust=trust, root=root)
        return register_opened(opened, name, self._models, run_id=run_id, tags=tags, description=description)

    def _number(self, name: str, version: Version | None, stage: str | None) -> Version:
        if (version is None) == (stage is None):
            raise InvalidValueError("Give a version or a stage, one of them.")
        return self._registry.by_stage(name, str(stage)).version if version is None else version


def _key(key: str | None) -> str:
    if key is None:
        raise InvalidValueError("Give key=, the name of the tag.")
    return key
