"""Registered models and their versions as MLflow scripts see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from tracker.entities import time_of
from tracker.schema import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracker.registry.reading import ReadModel, ReadVersion


class ModelVersion(Struct, frozen=True):
    """One version of a registered model."""

    name: str
    version: str
    """Its number as text."""
    creation_timestamp: int | None = None
    """UTC milliseconds."""
    last_updated_timestamp: int | None = None
    """Time of the last change in its history."""
    description: str = ""
    current_stage: str = "None"
    source: str = ""
    """What it was registered from, as it was named."""
    run_id: str = ""
    """The run that made it; empty when it is not known."""
    status: str = "READY"
    """Always READY: a version is there as a whole, or not at all."""
    tags: dict[str, str] = {}
    aliases: list[str] = []
    """Those that lead to it, directly or through others."""
    digest: str = ""
    """`sha256:` and 64 hex digits over the files of its model."""
    user_id: str = ""
    """Who registered it, where they chose to be named."""
    status_message: str = ""
    run_link: str = ""
    """Always empty."""


class RegisteredModel(Struct, frozen=True):
    """A registered model."""

    name: str
    creation_timestamp: int | None = None
    """UTC milliseconds."""
    last_updated_timestamp: int | None = None
    """Time of the last change of the model or of one of its versions."""
    description: str = ""
    latest_versions: list[ModelVersion] = []
    """The newest version in each stage, in the order of the stages; empty while a file of the model cannot be read."""
    tags: dict[str, str] = {}
    aliases: dict[str, str] = {}
    """The version that each alias leads to."""


def make_version(version: ReadVersion) -> ModelVersion:
    """A ModelVersion from what was read."""
    file = version.file
    return ModelVersion(
        name=version.model_name,
        version=version.version,
        creation_timestamp=time_of(file.created),
        last_updated_timestamp=_last_time(file.history, file.created),
        description=file.description,
        current_stage=file.stage,
        source=file.source,
        run_id=file.run_id,
        tags=dict(file.tags),
        aliases=list(version.aliases),
        digest=file.digest,
        user_id=next((change.by for change in file.history if change.action == "registered"), ""),
    )


def make_model(model: ReadModel) -> RegisteredModel:
    """A RegisteredModel from what was read."""
    histories = [model.file.history, *(version.file.history for version in model.versions)]
    return RegisteredModel(
        name=model.name,
        creation_timestamp=time_of(model.file.created),
        last_updated_timestamp=_last_time([change for history in histories for change in history], model.file.created),
        description=model.file.description,
        latest_versions=[] if model.unreadable else [make_version(version) for version in newest_of_stages(model)],
        tags=dict(model.file.tags),
        aliases={alias: version.version for version in model.live for alias in version.aliases},
    )


def newest_of_stages(model: ReadModel) -> list[ReadVersion]:
    """The newest version in each stage, in the order of the stages."""
    newest = {version.file.stage: version for version in model.live}
    order = {stage: place for place, stage in enumerate(model.stages)}
    return sorted(newest.values(), key=lambda version: order.get(version.file.stage, len(order)))


def _last_time(history: Iterable[Change], created: str) -> int | None:
    times = [time_of(change.time) for change in history] + [time_of(created)]
    return max((time for time in times if time is not None), default=None)
