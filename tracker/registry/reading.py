"""The registry of a store, read. No content makes it raise; asking for what is not there does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tracker import _io, layout, names
from tracker.exceptions import InvalidNameError, ModelError, NotFoundError, did_you_mean
from tracker.logs import Problem
from tracker.reader import folders
from tracker.registry import damage
from tracker.registry.aliases import resolve_alias, versions_of_aliases
from tracker.registry.model_files import is_there, read_model_file, read_settled, read_version_file, version_numbers
from tracker.registry.naming import (
    ARCHIVED,
    LATEST,
    MAX_VERSION,
    NO_STAGE,
    check_stage,
    find_stage,
    stages_of,
    version_number,
)
from tracker.schema import RegisteredModelFile, VersionFile

if TYPE_CHECKING:
    from tracker.registry.entities import ModelVersion, RegisteredModel


class ReadVersion(msgspec.Struct, frozen=True):
    """One version of a registered model as its file tells it."""

    root: Path
    """The store."""
    model_name: str
    file: VersionFile
    aliases: tuple[str, ...] = ()
    """Aliases that lead to it, directly or through others."""

    @property
    def version(self) -> str:
        """Its number as text."""
        return str(self.file.version)

    @property
    def folder(self) -> Path:
        """Where its model lies. ModelError for a path that leaves the places of models, or leads through a link."""
        reason = unsafe_path(self.file.path)
        place = self.root
        for part in () if reason else Path(self.file.path).parts:
            place /= part
            if place.is_symlink():
                reason = f"leads through the link {place}, and links are not followed"
                break
        if reason:
            raise ModelError(f"The path of version {self.version} of {self.model_name!r} {reason}. It is not opened.")
        return place

    def entity(self) -> ModelVersion:
        """The version as MLflow scripts see it."""
        from tracker.registry.entities import make_version

        return make_version(self)


class ReadModel(msgspec.Struct, frozen=True):
    """A registered model with its versions."""

    root: Path
    """The store."""
    slug: str
    """Name of its folder."""
    file: RegisteredModelFile
    versions: tuple[ReadVersion, ...] = ()
    """In the order of their numbers, deleted ones included."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with its files."""
    unreadable: tuple[Problem, ...] = ()
    """Those of them for which a file was left out: its `model.yaml`, a version or all of them."""

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return layout.registered_model(self.root, self.slug)

    @property
    def name(self) -> str:
        """As it was registered."""
        return self.file.name

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that its versions can be in."""
        return stages_of(self.file.stages)

    @property
    def live(self) -> tuple[ReadVersion, ...]:
        """The versions that are not deleted."""
        return tuple(version for version in self.versions if not version.file.deleted)

    def version(self, number: int | str) -> ReadVersion:
        """The version of this number.

        Raises NotFoundError when there is none, or it was deleted, and StoreError when its file cannot be read.
        """
        wanted = version_number(number)
        found = next((version for version in self.versions if version.file.version == wanted), None)
        if found is None:
            if wanted is not None:
                path = layout.version_file(self.root, self.slug, wanted)
                damage.refuse_file(self.root, self.unreadable, path, f"Version {wanted} of {self.name!r}")
            raise NotFoundError(f"There is no version {number} of {self.name!r}. {self._has()}")
        if found.file.deleted:
            raise NotFoundError(f"Version {number} of {self.name!r} was deleted. {self._has()}")
        return found

    def check_readable(self, wanted: str) -> None:
        """StoreError when a file cannot be read: then nobody knows which version is newest, or in a stage."""
        damage.refuse_any(self.root, self.unreadable, f"{wanted!r} of {self.name!r}")

    def latest(self) -> ReadVersion:
        """The version with the highest number. NotFoundError when there is none, StoreError when a file is damaged."""
        self.check_readable(LATEST)
        if not self.live:
            raise NotFoundError(f"{self.name!r} has no versions yet. register_model() adds one.")
        return self.live[-1]

    def in_stage(self, stage: str) -> tuple[ReadVersion, ...]:
        """The versions in a stage, whatever the case of its name."""
        return tuple(version for version in self.live if version.file.stage.lower() == stage.lower())

    def by_stage(self, stage: str) -> ReadVersion:
        """The newest version in a stage.

        Raises InvalidValueError for no stage, NotFoundError when none is in it, StoreError when a file is damaged.
        """
        self.check_readable(stage)
        known = check_stage(stage, self.stages, self.name)
        found = self.in_stage(known)
        if not found:
            used = sorted({version.file.stage for version in self.live})
            there = f" Its versions are in {', '.join(used)}." if used else " It has no versions."
            raise NotFoundError(f"No version of {self.name!r} is in {known}.{there}")
        return found[-1]

    def leads_elsewhere(self, version: ReadVersion) -> str:
        """A sentence when the URI of the stage that a version is in leads to a newer one, else an empty text."""
        stage = version.file.stage
        found = self.in_stage(stage)
        if stage in (NO_STAGE, ARCHIVED) or not found or found[-1].version == version.version:
            return ""
        return f"models:/{self.name}/{stage} still leads to version {found[-1].version}, the newest there"

    def by_alias(self, alias: str) -> ReadVersion:
        """The version that an alias stands for.

        Raises NotFoundError, InvalidValueError for a circle, StoreError for a damaged file on the way.
        """
        self._check_model_file()
        return self.version(resolve_alias(self.file, alias))

    def select(self, selector: int | str) -> ReadVersion:
        """The version that a number, `latest`, an alias or a stage means, in this order."""
        if version_number(selector) is not None:
            return self.version(selector)
        text = str(selector)
        self._check_model_file()
        if text.lower() == LATEST:
            return self.latest()
        if text in self.file.aliases:
            return self.by_alias(text)
        if find_stage(text, self.stages) is None:
            known = [LATEST, *self.file.aliases, *self.stages]
            raise NotFoundError(
                f"{self.name!r} has no version, alias or stage {text!r}.{did_you_mean(text, known)} {self._has()}"
            )
        return self.by_stage(text)

    def entity(self) -> RegisteredModel:
        """The model as MLflow scripts see it."""
        from tracker.registry.entities import make_model

        return make_model(self)

    def _check_model_file(self) -> None:
        """StoreError when `model.yaml` cannot be read, which has the aliases and the stages."""
        damage.refuse_file(
            self.root, self.unreadable, layout.model_file(self.root, self.slug), f"The model {self.name!r}"
        )

    def _has(self) -> str:
        numbers = [version.version for version in self.live]
        if not numbers:
            return "It has no versions."
        shown = ", ".join(numbers[-10:])
        return f"It has {shown}." if len(numbers) <= 10 else f"The newest of its {len(numbers):,} versions are {shown}."


class ReadRegistry(msgspec.Struct, frozen=True):
    """All registered models of a store."""

    root: Path
    models: tuple[ReadModel, ...] = ()
    """By name."""
    problems: tuple[Problem, ...] = ()
    """What could not be read, those of the models included."""

    def model(self, name: str) -> ReadModel:
        """The model of this name; NotFoundError, with the nearest name, when there is none."""
        for model in self.models:
            if model.name == name:
                return model
        raise no_model(self.root, name, (model.name for model in self.models))


def read_registry(root: Path | str) -> ReadRegistry:
    """Everything that is registered in a store. Damage is listed in `problems`, never raised."""
    root = Path(root)
    found = sorted(iter_models(root), key=lambda model: (model.name, model.slug))
    problems = [*_strangers(root), *(problem for model in found for problem in model.problems)]
    for one, next_one in pairwise(found):
        if one.name == next_one.name:
            place = f"{layout.REGISTRY}/{next_one.slug}/{layout.REGISTERED_MODEL_FILE}"
            problems.append(Problem(place, None, f"has the name {one.name!r}, which registry/{one.slug} has already"))
    return ReadRegistry(root, tuple(found), tuple(problems))


def find_version(root: Path | str, name: str, *, alias: str = "", selector: str = "") -> ReadVersion:
    """The version that a `models:/` URI asks for, by its alias or by its selector: a number, `latest` or a stage.

    Raises NotFoundError, with the nearest name, for what is not there, and StoreError where a file that cannot be read
    could have been the answer.
    """
    root = Path(root)
    slug, file, problems = _find_file(root, name)
    number = None if alias and problems else version_number(resolve_alias(file, alias) if alias else selector)
    if number is not None and (found := _live_version(root, slug, file, number)):
        return found
    model = read_model(root, slug)
    if alias:
        return model.by_alias(alias)
    if number is not None:
        return model.version(number)  # which says why it cannot be had
    if selector.lower() == LATEST:
        return model.latest()
    model.check_readable(selector)
    if find_stage(selector, model.stages) is None:
        hint = f" Write models:/{name}@{selector} for the alias." if selector in model.file.aliases else ""
        known = [LATEST, *model.stages]
        raise NotFoundError(
            f"{selector!r} is neither a version nor a stage of {name!r}.{hint or did_you_mean(selector, known)} "
            f"Its stages are {', '.join(model.stages)}."
        )
    return model.by_stage(selector)


def find_model(root: Path, name: str) -> ReadModel:
    """One registered model; NotFoundError, with the nearest name, when there is none."""
    return read_model(root, _find_file(root, name)[0])


def _find_file(root: Path, name: str) -> tuple[str, RegisteredModelFile, list[Problem]]:
    """The slug and `model.yaml` of a registered model, and why that file cannot be read.

    Raises NotFoundError, with the nearest name, when there is none, StoreError when a damaged file may be that of it.
    """
    likely = names.slug_of(str(name), "model")
    known, damaged = [], []
    for slug in chain([likely] if is_there(root, likely) else [], folders(layout.registry(root))):
        found = read_settled(root, slug)
        if found is None:
            continue
        file, problems = found
        if file.name == name and not problems:
            return slug, file, problems
        known.append(file.name)
        if problems and damage.is_slug_of(slug, likely):
            damaged.append((slug, file, problems))
    for one in damaged:
        if one[1].name == name:
            return one
    if damaged:
        raise damage.may_be(root, name, damaged[0][2][0])
    raise no_model(root, name, known)


def no_model(root: Path, name: str, known: Iterable[str]) -> NotFoundError:
    """The error for a name that no model has."""
    return NotFoundError(
        f"There is no registered model {name!r} in {root}.{did_you_mean(str(name), known)} "
        "`tracker registry list` shows those that are there."
    )


def iter_models(root: Path) -> Iterator[ReadModel]:
    """The models of a store by slug."""
    for slug in folders(layout.registry(root)):
        yield read_model(root, slug)


def read_model(root: Path, slug: str) -> ReadModel:
    """The model in a folder, with what could not be read."""
    file, unreadable = read_model_file(root, slug)
    problems: list[Problem] = []
    aliases = versions_of_aliases(file)
    versions = []
    if layout.versions(root, slug).is_symlink():
        place = f"{layout.REGISTRY}/{slug}/{layout.VERSIONS}"
        unreadable.append(Problem(place, None, "is a link, and is not followed"))
    for number in version_numbers(root, slug):
        try:
            found = read_version_file(root, slug, number)
        except (OSError, ValueError) as error:
            unreadable.append(damage.unreadable(root, layout.version_file(root, slug, number), error))
            continue
        versions.append(ReadVersion(root, file.name, found, tuple(aliases.get(number, ()))))
        if reason := unsafe_path(found.path):
            place = f"{layout.REGISTRY}/{slug}/{layout.VERSIONS}/{number}.yaml"
            problems.append(Problem(place, None, f"its path {reason}"))
    return ReadModel(root, slug, file, tuple(versions), (*unreadable, *problems), tuple(unreadable))


def unsafe_path(path: str) -> str:
    """Why the path of a version cannot be used, or an empty text."""
    try:
        parts = names.check_artifact_path(path).parts
    except InvalidNameError as error:
        return f"cannot be used: {error.message.removeprefix('An artifact path ')}"
    logged = len(parts) > 4 and (parts[0], parts[2], parts[4]) == (layout.EXPERIMENTS, layout.RUNS, layout.ARTIFACTS)
    copied = len(parts) > 3 and (parts[0], parts[2]) == (layout.REGISTRY, layout.MODELS)
    return "" if logged or copied else f"is {path!r}, which is no place for models"


def _live_version(root: Path, slug: str, file: RegisteredModelFile, number: int) -> ReadVersion | None:
    """One version without reading the others; None where it is missing, damaged or deleted."""
    if not 1 <= number <= MAX_VERSION or not _io.is_folder(layout.versions(root, slug)):
        return None
    try:
        found = read_version_file(root, slug, number)
    except (OSError, ValueError):
        return None
    aliases = versions_of_aliases(file).get(number, ())
    return None if found.deleted else ReadVersion(root, file.name, found, tuple(aliases))


def _strangers(root: Path) -> list[Problem]:
    """Links where folders belong."""
    try:
        with os.scandir(layout.registry(root)) as entries:
            links = sorted(entry.name for entry in entries if entry.is_symlink() and names.is_text(entry.name))
    except OSError:
        return []
    return [Problem(f"{layout.REGISTRY}/{name}", None, "is a link, and is not followed") for name in links]
