"""The registry of a store, read. No content makes it raise; asking for what is not there does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tracker import _io, layout, names
from tracker.exceptions import InvalidNameError, InvalidValueError, ModelError, NotFoundError, did_you_mean
from tracker.logs import Problem
from tracker.reader import folders
from tracker.registry.naming import LATEST, MAX_VERSION, check_stage, find_stage, stages_of, version_number
from tracker.schema import RegisteredModelFile, VersionFile
from tracker.yaml_files import MAX_YAML, read_yaml

if TYPE_CHECKING:
    from tracker.registry.entities import ModelVersion, RegisteredModel

_SHOWN_ALIASES = 20
_VERSION_FILE = re.compile(r"([1-9][0-9]{0,9})\.yaml")


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
    """What could not be read of it."""

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
        """The version of this number; NotFoundError when there is none, or it was deleted."""
        wanted = version_number(number)
        found = next((version for version in self.versions if version.file.version == wanted), None)
        if found is None:
            raise NotFoundError(f"There is no version {number} of {self.name!r}. {self._has()}")
        if found.file.deleted:
            raise NotFoundError(f"Version {number} of {self.name!r} was deleted. {self._has()}")
        return found

    def latest(self) -> ReadVersion:
        """The version with the highest number; NotFoundError when there is none."""
        if not self.live:
            raise NotFoundError(f"{self.name!r} has no versions yet. register_model() adds one.")
        return self.live[-1]

    def in_stage(self, stage: str) -> tuple[ReadVersion, ...]:
        """The versions in a stage, whatever the case of its name."""
        return tuple(version for version in self.live if version.file.stage.lower() == stage.lower())

    def by_stage(self, stage: str) -> ReadVersion:
        """The newest version in a stage. Raises InvalidValueError for no stage, NotFoundError when none is in it."""
        known = check_stage(stage, self.stages, self.name)
        found = self.in_stage(known)
        if not found:
            used = sorted({version.file.stage for version in self.live})
            there = f" Its versions are in {', '.join(used)}." if used else " It has no versions."
            raise NotFoundError(f"No version of {self.name!r} is in {known}.{there}")
        return found[-1]

    def by_alias(self, alias: str) -> ReadVersion:
        """The version that an alias stands for. Raises NotFoundError, or InvalidValueError for a circle."""
        return self.version(resolve_alias(self.file, alias))

    def select(self, selector: int | str) -> ReadVersion:
        """The version that a number, `latest`, an alias or a stage means, in this order."""
        if version_number(selector) is not None:
            return self.version(selector)
        text = str(selector)
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

    Raises NotFoundError, with the nearest name, for what is not there.
    """
    root = Path(root)
    slug, file = _find_file(root, name)
    number = version_number(resolve_alias(file, alias) if alias else selector)
    if number is not None and (found := _live_version(root, slug, file, number)):
        return found
    model = read_model(root, slug)
    if alias:
        return model.by_alias(alias)
    if version_number(selector) is None and selector.lower() != LATEST and find_stage(selector, model.stages) is None:
        hint = f" Write models:/{name}@{selector} for the alias." if selector in model.file.aliases else ""
        known = [LATEST, *model.stages]
        raise NotFoundError(
            f"{selector!r} is neither a version nor a stage of {name!r}.{hint or did_you_mean(selector, known)} "
            f"Its stages are {', '.join(model.stages)}."
        )
    if version_number(selector) is None and selector.lower() != LATEST:
        return model.by_stage(selector)  # an alias may have the same name
    return model.select(selector)


def find_model(root: Path, name: str) -> ReadModel:
    """One registered model; NotFoundError, with the nearest name, when there is none."""
    return read_model(root, _find_file(root, name)[0])


def _find_file(root: Path, name: str) -> tuple[str, RegisteredModelFile]:
    """The slug and `model.yaml` of a registered model; NotFoundError, with the nearest name, when there is none."""
    likely = names.slug_of(str(name), "model")
    if is_there(root, likely) and (file := read_model_file(root, likely)[0]).name == name:
        return likely, file
    known = []
    for slug in folders(layout.registry(root)):
        file = read_model_file(root, slug)[0]
        if file.name == name:
            return slug, file
        known.append(file.name)
    raise no_model(root, name, known)


def is_there(root: Path, slug: str) -> bool:
    """Whether a registered model lies under a slug, without links in its way."""
    return _io.is_folder(layout.registry(root)) and _io.is_folder(layout.registered_model(root, slug))


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
    file, problems = read_model_file(root, slug)
    aliases = versions_of_aliases(file)
    versions = []
    if layout.versions(root, slug).is_symlink():
        problems.append(Problem(f"{layout.REGISTRY}/{slug}/{layout.VERSIONS}", None, "is a link, and is not followed"))
    for number in version_numbers(root, slug):
        found = _read_version_file(root, slug, number, problems)
        if found is not None:
            versions.append(ReadVersion(root, file.name, found, tuple(aliases.get(number, ()))))
    return ReadModel(root, slug, file, tuple(versions), tuple(problems))


def read_model_file(root: Path, slug: str) -> tuple[RegisteredModelFile, list[Problem]]:
    """`model.yaml`; where it cannot be read, the slug stands for the name, and the problem is named."""
    path = layout.model_file(root, slug)
    try:
        file = read_yaml(RegisteredModelFile, _io.read_file(path, limit=MAX_YAML))
        if not file.name.strip():
            raise ValueError("the name is empty")
        return file, []
    except (OSError, ValueError) as error:
        return RegisteredModelFile(slug), [_problem(root, path, error)]


def version_numbers(root: Path, slug: str) -> list[int]:
    """The numbers that are taken, ascending, those of damaged files too."""
    folder = layout.versions(root, slug)
    try:
        if not _io.is_folder(folder):
            return []
        with os.scandir(folder) as entries:
            matches = [_VERSION_FILE.fullmatch(entry.name) for entry in entries]
    except OSError:
        return []
    return sorted(number for match in matches if match and (number := int(match[1])) <= MAX_VERSION)


def resolve_alias(file: RegisteredModelFile, alias: str) -> str:
    """What an alias leads to in the end: the number of a version.

    Raises NotFoundError for an alias that does not exist and InvalidValueError when aliases lead in a circle.
    """
    seen = {alias: 0}
    before = last = alias
    while (target := file.aliases.get(last)) is not None:
        if target in seen:
            raise InvalidValueError(
                f"The aliases of {file.name!r} lead in a circle: {_circle(list(seen)[seen[target] :])}. "
                "Change one of them."
            )
        if version_number(target) is not None:
            return target
        seen[target], before, last = len(seen), last, target
    missing = f"{file.name!r} has no alias {last!r}"
    if last != alias:
        raise NotFoundError(f"{missing}, to which its alias {before!r} leads. Set it, or change {before!r}.")
    has = f"It has {', '.join(file.aliases)}." if file.aliases else "It has none."
    raise NotFoundError(f"{missing}.{did_you_mean(alias, file.aliases)} {has}")


def versions_of_aliases(file: RegisteredModelFile) -> dict[int, list[str]]:
    """The aliases that lead to each version; those that lead nowhere are left out."""
    ends: dict[str, int | None] = {}
    for alias in file.aliases:
        path, place = {alias: None}, file.aliases[alias]
        while version_number(place) is None and place in file.aliases and place not in ends and place not in path:
            path[place] = None
            place = file.aliases[place]
        end = None if place in path else ends.get(place, version_number(place))
        ends.update(dict.fromkeys(path, end))
    found: dict[int, list[str]] = {}
    for alias in file.aliases:
        if (number := ends[alias]) is not None:
            found.setdefault(number, []).append(alias)
    return found


def _circle(aliases: list[str]) -> str:
    shown = aliases if len(aliases) <= _SHOWN_ALIASES else [*aliases[:_SHOWN_ALIASES], "…"]
    return " -> ".join([*shown, aliases[0]])


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
    found = _read_version_file(root, slug, number, [])
    if found is None or found.deleted:
        return None
    return ReadVersion(root, file.name, found, tuple(versions_of_aliases(file).get(number, ())))


def _read_version_file(root: Path, slug: str, number: int, problems: list[Problem]) -> VersionFile | None:
    path = layout.version_file(root, slug, number)
    try:
        file = read_yaml(VersionFile, _io.read_file(path, limit=MAX_YAML))
        if file.version != number:
            raise ValueError(f"is of version {file.version}, not of the one that it is named after")
    except (OSError, ValueError) as error:
        problems.append(_problem(root, path, error))
        return None
    if reason := unsafe_path(file.path):
        problems.append(Problem(path.relative_to(root).as_posix(), None, f"its path {reason}"))
    return file


def _strangers(root: Path) -> list[Problem]:
    """Links where folders belong."""
    try:
        with os.scandir(layout.registry(root)) as entries:
            links = sorted(entry.name for entry in entries if entry.is_symlink() and names.is_text(entry.name))
    except OSError:
        return []
    return [Problem(f"{layout.REGISTRY}/{name}", None, "is a link, and is not followed") for name in links]


def _problem(root: Path, path: Path, error: OSError | ValueError) -> Problem:
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return Problem(path.relative_to(root).as_posix(), None, f"cannot be read: {reason}")
