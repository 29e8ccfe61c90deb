"""Registered models that another tracker made: their versions keep numbers, stages, times and descriptions."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from tracker import _io, layout
from tracker.models.digests import digest_of
from tracker.registry.changing import Registry
from tracker.registry.claims import claim
from tracker.registry.files import Editor, checked_prose, checked_tags
from tracker.registry.history import now_text
from tracker.registry.model_files import version_numbers
from tracker.registry.naming import (
    NO_STAGE,
    check_registered_name,
    check_version,
    find_stage,
    is_alias,
    stages_of,
)
from tracker.registry.reading import read_model
from tracker.schema import Change, RegisteredModelFile, VersionFile
from tracker.yaml_files import yaml_bytes

NO_FILES = digest_of({})
"""The digest of a model whose files are gone."""


def adopt_model(registry: Registry, file: RegisteredModelFile, *, with_aliases: bool) -> tuple[str, bool]:
    """The folder of a model of this name, and whether it was made just now, then maybe with aliases and history.

    Raises InvalidNameError for the name; what cannot be an alias is left out.
    """
    stages = stages_of(file.stages)
    aliases = {alias: target for alias, target in file.aliases.items() if is_alias(alias, stages)}
    made = msgspec.structs.replace(
        file,
        name=check_registered_name(file.name),
        description=checked_prose(file.description, "The description"),
        tags=checked_tags(file.tags),
        aliases=aliases if with_aliases else {},
        history=file.history if with_aliases else [],
    )
    return registry.ensure(made)


def adopt_version(registry: Registry, slug: str, file: VersionFile, stages: Sequence[str]) -> bool:
    """Add a version under its own number; False when that is taken. `stages` are those of its model.

    Raises InvalidValueError for what cannot be registered.
    """
    check_version(file.version)
    now = now_text()
    stage = find_stage(file.stage, stages)
    history = [msgspec.structs.replace(change, time=change.time or now) for change in file.history]
    adopted = msgspec.structs.replace(
        file,
        stage=stage or NO_STAGE,
        description=checked_prose(file.description, "The description"),
        tags=checked_tags(file.tags),
        created=file.created or now,
        history=[change for change in history if change.action != "stage" or stage],
    )
    return _create(registry, slug, adopted)


def give_files(registry: Registry, slug: str, file: VersionFile) -> bool:
    """Give a version that was adopted without files those of `file`; False where it has some, or was deleted.

    Stage, tags, description and history stay.
    """
    folder = layout.registered_model(registry.root, slug)
    with _io.explained("change the registered model in", folder), claim(folder) as held:
        found = (version.file for version in read_model(registry.root, slug).versions)
        old = next((one for one in found if one.version == file.version), None)
        if old is None or not lacks_files(old):
            return False
        edit = Editor(registry.root, slug, held, durable=registry.durable)
        edit.version(old, path=file.path, digest=file.digest, source=file.source)
    return True


def lacks_files(file: VersionFile) -> bool:
    """Whether a version that is in use was adopted without files."""
    return file.digest == NO_FILES and not file.deleted


def close_gaps(registry: Registry, slug: str, when: str, reason: str) -> None:
    """Mark the numbers without a version, which were deleted before `when`, as such: no number is given twice."""
    taken = set(version_numbers(registry.root, slug))
    for number in sorted(set(range(1, max(taken, default=0))) - taken):
        change = Change(when, "deleted", reason=reason)
        _create(
            registry,
            slug,
            VersionFile(number, deleted_path(slug), NO_FILES, created=when, deleted=True, history=[change]),
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
