"""Registered models that another tracker made: their versions keep numbers, stages, times and descriptions."""

from __future__ import annotations

import contextlib

import msgspec

from tracker import _io, layout
from tracker.models.digests import digest_of
from tracker.registry.changing import Registry
from tracker.registry.files import checked_prose, checked_tags
from tracker.registry.history import now_text
from tracker.registry.model_files import version_numbers
from tracker.registry.naming import NO_STAGE, STAGES, check_registered_name, check_version, find_stage
from tracker.schema import Change, RegisteredModelFile, VersionFile
from tracker.yaml_files import yaml_bytes

NO_FILES = digest_of({})
"""The digest of a model whose files are gone."""


def adopt_model(registry: Registry, file: RegisteredModelFile) -> tuple[str, bool]:
    """The folder of a model of this name, and whether it was made just now. Raises InvalidNameError."""
    made = msgspec.structs.replace(
        file,
        name=check_registered_name(file.name),
        description=checked_prose(file.description, "The description"),
        tags=checked_tags(file.tags),
        aliases={},
        history=[],
    )
    return registry.ensure(made)


def adopt_version(registry: Registry, slug: str, file: VersionFile) -> bool:
    """Add a version under its own number; False when that is taken.

    Raises InvalidValueError for what cannot be registered.
    """
    check_version(file.version)
    now = now_text()
    stage = find_stage(file.stage, STAGES) or NO_STAGE
    history = [msgspec.structs.replace(change, time=change.time or now) for change in file.history]
    adopted = msgspec.structs.replace(
        file,
        stage=stage,
        description=checked_prose(file.description, "The description"),
        tags=checked_tags(file.tags),
        created=file.created or now,
        history=[change for change in history if change.action != "stage" or stage != NO_STAGE],
    )
    return _create(registry, slug, adopted)


def close_gaps(registry: Registry, slug: str, reason: str) -> None:
    """Mark the numbers without a version, which were deleted before, as such: no number is given twice."""
    taken = set(version_numbers(registry.root, slug))
    now = now_text()
    for number in sorted(set(range(1, max(taken, default=0))) - taken):
        change = Change(now, "deleted", reason=reason)
        _create(
            registry,
            slug,
            VersionFile(number, deleted_path(slug), NO_FILES, created=now, deleted=True, history=[change]),
        )


def deleted_path(slug: str) -> str:
    """What stands for the path of a deleted version whose files nobody has."""
    return f"{layout.REGISTRY}/{slug}/{layout.MODELS}/deleted"


def _create(registry: Registry, slug: str, file: VersionFile) -> bool:
    path = layout.version_file(registry.root, slug, file.version)
    with _io.explained("register a version in", path.parent), contextlib.suppress(FileExistsError):
        _io.create_file(path, yaml_bytes(file), durable=registry.durable)
        return True
    return False
