"""The registry of a store, changed. Many processes may do so at once; nothing is half-registered and nothing lost."""

from __future__ import annotations

import contextlib
import os
import random
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import msgspec

from tracker import _io, layout, names, settings
from tracker.exceptions import AlreadyExistsError, InvalidValueError, StoreError
from tracker.reader import folders
from tracker.registry import claims, damage
from tracker.registry.aliases import resolve_alias
from tracker.registry.claims import HeldClaim, claim
from tracker.registry.files import Editor, checked_prose, checked_tags, without
from tracker.registry.history import now_text
from tracker.registry.model_files import is_there, read_settled, version_numbers
from tracker.registry.naming import (
    ARCHIVED,
    NO_STAGE,
    check_alias,
    check_registered_name,
    check_stage,
    check_version,
    find_stage,
    version_number,
)
from tracker.registry.people import named, who
from tracker.registry.reading import (
    ReadModel,
    ReadVersion,
    find_model,
    iter_models,
    no_model,
    read_model,
    unsafe_path,
)
from tracker.schema import Change, RegisteredModelFile, VersionFile
from tracker.store import built_aside
from tracker.yaml_files import yaml_bytes

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ATTEMPTS = 50
_PAUSE = 0.01


class Registry:
    """The registered models of a store.

    Changes carry who made them: `by`, else TRACKER_USER, else git's user.name.

    >>> registry = Registry("runs")
    >>> registry.set_stage("iris", 3, "Production", reason="0.97 on the new flowers")
    >>> registry.by_stage("iris", "Production").version
    '3'
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).absolute()
        self.durable = settings.fsync() != "never"

    # Reading

    def models(self) -> list[ReadModel]:
        """All registered models, by name."""
        return sorted(iter_models(self.root), key=lambda model: (model.name, model.slug))

    def model(self, name: str) -> ReadModel:
        """One of them; NotFoundError, with the nearest name, when there is none."""
        return find_model(self.root, name)

    def version(self, name: str, number: int | str) -> ReadVersion:
        """A version by its number; NotFoundError when there is none, or it was deleted."""
        return self.model(name).version(number)

    def by_stage(self, name: str, stage: str) -> ReadVersion:
        """The newest version in a stage. Raises NotFoundError, and InvalidValueError for what is no stage."""
        return self.model(name).by_stage(stage)

    def by_alias(self, name: str, alias: str) -> ReadVersion:
        """The version that an alias stands for. Raises NotFoundError, and InvalidValueError for a circle."""
        return self.model(name).by_alias(alias)

    def latest(self, name: str) -> ReadVersion:
        """The version with the highest number; NotFoundError when there is none."""
        return self.model(name).latest()

    # Models

    def create_model(self, name: str, description: str = "", tags: Mapping[str, object] | None = None) -> ReadModel:
        """Make a registered model without versions. Raises AlreadyExistsError, and InvalidNameError for its name."""
        file = RegisteredModelFile(
            check_registered_name(name), checked_prose(description, "The description"), checked_tags(tags)
        )
        slug, made = self.ensure(file)
        if not made:
            raise AlreadyExistsError(f"There is a registered model {name!r} already. register_model() adds versions.")
        return read_model(self.root, slug)

    def model_for(self, name: str) -> ReadModel:
        """The model of this name, made when it is missing; many processes may ask at once."""
        return read_model(self.root, self.ensure(RegisteredModelFile(check_registered_name(name)))[0])

    def describe_model(self, name: str, description: str | None) -> ReadModel:
        """Replace the description of a model."""
        with self._held(name) as (model, edit):
            edit.model(model.file, description=checked_prose(description, "The description"))
        return self.model(name)

    def set_model_tag(self, name: str, key: str, value: object) -> None:
        """Set a tag of a model."""
        with self._held(name) as (model, edit):
            edit.model(model.file, tags={**model.file.tags, **checked_tags({key: value})})

    def delete_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a model; InvalidValueError when it is not there."""
        with self._held(name) as (model, edit):
            edit.model(model.file, tags=without(model.file.tags, key, f"The model {name!r}"))

    def rename_model(self, name: str, new_name: str, *, by: str | None = None, reason: str = "") -> ReadModel:
        """Give a model another name; its folder stays. Raises AlreadyExistsError when the name is taken."""
        check_registered_name(new_name)
        with self._naming(), self._held(name) as (model, edit):
            if self._slug(new_name) is not None:
                raise AlreadyExistsError(f"There is a registered model {new_name!r} already.")
            change = self._change("renamed", by, reason, from_=name, to=new_name)
            edit.model(model.file, change, name=new_name)
        return self.model(new_name)

    def delete_model(self, name: str) -> None:
        """Move a model with all its versions to the trash; InvalidValueError while one of them is in use."""
        with self._held(name) as (model, _):
            for version in model.live:
                _check_unused(version)
            target = layout.trashed_model(self.root, model.slug, names.new_id())
            _io.make_folder(target.parent, inside=self.root)
            _io.move_folder(model.folder, target, durable=self.durable)
            _io.discard(target / claims.NAME)

    # Versions

    def register(
        self,
        name: str,
        *,
        path: str,
        digest: str,
        source: str = "",
        run_id: str = "",
        description: str = "",
        tags: Mapping[str, object] | None = None,
        by: str | None = None,
    ) -> ReadVersion:
        """Add the next version of a model, which is made when it is missing. No number is given twice or left out.

        `path` is the folder of the model relative to the store, `digest` that of its manifest.
        """
        if reason := unsafe_path(path):
            raise InvalidValueError(f"The path of a version {reason}. It is relative to the store.")
        if not _DIGEST.fullmatch(digest):
            raise InvalidValueError(f"{digest!r:.100} is no digest: it is sha256: and 64 hex digits.")
        created = now_text()
        file = VersionFile(
            1, path, digest, source, run_id and names.check_run_id(run_id), NO_STAGE,
            checked_prose(description, "The description"), checked_tags(tags), created,
            history=[Change(created, "registered", by=named(by))],
        )  # fmt: skip
        model = RegisteredModelFile(check_registered_name(name))
        for attempt in range(_ATTEMPTS):  # anew when the model was deleted just now
            slug, _ = self.ensure(model)
            folder = layout.registered_model(self.root, slug)
            held = claim(folder) if attempt else contextlib.nullcontext()
            with _io.explained("register a version in", folder), contextlib.suppress(FileNotFoundError), held:
                return ReadVersion(self.root, name, self._add(slug, file))
        raise _deleted_again(name)

    def set_stage(
        self,
        name: str,
        number: int | str,
        stage: str,
        *,
        by: str | None = None,
        reason: str = "",
        archive_existing: bool = False,
    ) -> ReadVersion:
        """Move a version to a stage; with `archive_existing`, afterwards archive the others that are in it.

        Nothing happens when it is there already and no reason is given. A warning says when the URI of the stage still
        leads to a newer version there. Raises NotFoundError for the version and InvalidValueError for the stage.
        """
        with self._held(name) as (model, edit):
            version = model.version(check_version(number))
            found = check_stage(stage, model.stages, name)
            if archive_existing:
                model.check_readable(found)
            others = [other for other in model.in_stage(found) if other != version] if archive_existing else []
            archive = _archive(model, found) if archive_existing else ""
            if version.file.stage != found or reason:
                change = self._change("stage", by, reason, from_=version.file.stage, to=found)
                edit.version(version.file, change, stage=found)
            for other in others:
                replaced = f"Version {version.version} took its place."
                change = self._change("stage", by, replaced, from_=other.file.stage, to=archive)
                edit.version(other.file, change, stage=archive)
        model = self.model(name)
        version = model.version(number)
        if elsewhere := model.leads_elsewhere(version):
            warnings.warn(f"{elsewhere}. Give archive_existing=True to archive the others.", stacklevel=2)
        return version

    def set_alias(
        self, name: str, alias: str, target: int | str, *, by: str | None = None, reason: str = ""
    ) -> ReadVersion:
        """Let an alias stand for a version, or for another alias. Nothing happens when it does so already.

        Raises InvalidNameError for the alias, NotFoundError for the target, InvalidValueError for a circle.
        """
        check_alias(alias)
        with self._held(name) as (model, edit):
            check_alias(alias, model.stages)
            to = str(target) if version_number(target) is None else str(check_version(target))
            aliases = {**model.file.aliases, alias: to}
            model.version(resolve_alias(msgspec.structs.replace(model.file, aliases=aliases), alias))
            if aliases != model.file.aliases:
                before = model.file.aliases.get(alias, "")
                change = self._change("alias", by, reason, from_=before, to=to, alias=alias)
                edit.model(model.file, change, aliases=aliases)
        return self.by_alias(name, alias)

    def delete_alias(self, name: str, alias: str, *, by: str | None = None, reason: str = "") -> None:
        """Remove an alias. Raises NotFoundError when it is not there, InvalidValueError while another leads to it."""
        with self._held(name) as (model, edit):
            aliases = dict(model.file.aliases)
            if alias not in aliases:
                resolve_alias(model.file, alias)  # says so
            users = [other for other, target in aliases.items() if target == alias]
            if users:
                raise InvalidValueError(f"The alias {users[0]!r} of {name!r} leads to {alias!r}. Change it first.")
            change = self._change("alias", by, reason, from_=aliases.pop(alias), alias=alias)
            edit.model(model.file, change, aliases=aliases)

    def describe_version(self, name: str, number: int | str, description: str | None) -> ReadVersion:
        """Replace the description of a version."""
        with self._held(name) as (model, edit):
            version = model.version(check_version(number))
            edit.version(version.file, description=checked_prose(description, "The description"))
        return self.version(name, number)

    def set_version_tag(self, name: str, number: int | str, key: str, value: object) -> None:
        """Set a tag of a version."""
        with self._held(name) as (model, edit):
            version = model.version(check_version(number))
            edit.version(version.file, tags={**version.file.tags, **checked_tags({key: value})})

    def delete_version_tag(self, name: str, number: int | str, key: str) -> None:
        """Remove a tag of a version; InvalidValueError when it is not there."""
        with self._held(name) as (model, edit):
            version = model.version(check_version(number))
            edit.version(version.file, tags=without(version.file.tags, key, f"Version {number} of {name!r}"))

    def delete_version(self, name: str, number: int | str, *, by: str | None = None, reason: str = "") -> None:
        """Delete a version; its file stays for its history and its number. InvalidValueError while it is in use."""
        with self._held(name) as (model, edit):
            version = model.version(check_version(number))
            _check_unused(version)
            edit.version(version.file, self._change("deleted", by, reason), deleted=True)

    # How

    def _change(self, action: str, by: str | None, reason: str, **fields: str) -> Change:
        prose = checked_prose(reason, "The reason")
        return msgspec.structs.replace(Change(now_text(), action, by=who(by, self.root), reason=prose), **fields)

    @contextlib.contextmanager
    def _held(self, name: str) -> Iterator[tuple[ReadModel, Editor]]:
        """A model that nobody else changes meanwhile, read anew."""
        with contextlib.ExitStack() as stack:
            slug, held = self._claimed(name, stack)
            model = read_model(self.root, slug)
            if model.name != name:
                raise no_model(self.root, name, [model.name])
            try:
                with _io.explained("change the registered model in", model.folder):
                    yield model, Editor(self.root, slug, held, durable=self.durable)
            except StoreError:
                if is_there(self.root, slug):
                    raise
                raise no_model(self.root, name, ()) from None  # it was moved away just now

    def _claimed(self, name: str, stack: contextlib.ExitStack) -> tuple[str, HeldClaim]:
        """The folder of a model and the claim on it, which lasts as long as the stack."""
        for _ in range(_ATTEMPTS):
            slug = self._slug(name)
            if slug is None:
                find_model(self.root, name)  # says what is near
                continue
            folder = layout.registered_model(self.root, slug)
            with _io.explained("change the registered model in", folder), contextlib.suppress(FileNotFoundError):
                return slug, stack.enter_context(claim(folder))
        raise _deleted_again(name)

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        """Nobody else gives a name to a model meanwhile."""
        folder = layout.registry(self.root)
        with _io.explained("change the registry in", folder):
            _io.make_folder(folder, inside=self.root)
            with claim(folder):
                yield

    def _slug(self, name: str) -> str | None:
        """The folder of a model; None when there is none. StoreError when its file is damaged."""
        likely = names.slug_of(str(name), "model")
        damaged = []
        first = [likely] if is_there(self.root, likely) else []
        for slug in first + folders(layout.registry(self.root)):
            found = read_settled(self.root, slug)
            if found is None:
                continue
            file, problems = found
            if not problems and file.name == name:
                return slug
            if problems and damage.is_slug_of(slug, likely):
                damaged.append(problems[0])
        if damaged:
            raise damage.may_be(self.root, name, damaged[0])
        return None

    def ensure(self, file: RegisteredModelFile) -> tuple[str, bool]:
        """The folder of a model, and whether it was made just now."""
        slug = self._slug(file.name)
        if slug is not None:
            return slug, False
        with self._naming():
            slug = self._slug(file.name)
            if slug is not None:
                return slug, False
            slug = self._free_slug(file.name)
            with built_aside(layout.registered_model(self.root, slug), durable=self.durable) as aside:
                _io.make_folder(aside / layout.VERSIONS, inside=self.root)
                data = yaml_bytes(msgspec.structs.replace(file, created=file.created or now_text()))
                _io.create_file(aside / layout.REGISTERED_MODEL_FILE, data, durable=self.durable)
            if self.durable:
                _io.sync_folder(self.root)
        return slug, True

    def _free_slug(self, name: str) -> str:
        slug = names.slug_of(name, "model")
        candidates = (slug if number == 1 else f"{slug}-{number}" for number in count(1))
        return next(free for free in candidates if not os.path.lexists(layout.registered_model(self.root, free)))

    def _add(self, slug: str, file: VersionFile) -> VersionFile:
        """Put a version where none is, under the next number."""
        while True:
            number = max(version_numbers(self.root, slug), default=0) + 1
            history = [msgspec.structs.replace(file.history[0], to=str(number))]
            numbered = msgspec.structs.replace(file, version=check_version(number), history=history)
            try:
                path = layout.version_file(self.root, slug, number)
                _io.create_file(path, yaml_bytes(numbered), durable=self.durable)
                return numbered
            except FileExistsError:
                time.sleep(random.uniform(0, _PAUSE))  # another process was first


def _deleted_again(name: str) -> StoreError:
    return StoreError(f"The registered model {name!r} was deleted again and again while it was changed. Try again.")


def _archive(model: ReadModel, stage: str) -> str:
    """The stage that the others of a stage are moved to."""
    archive = find_stage(ARCHIVED, model.stages)
    if archive is None:
        raise InvalidValueError(f"{model.name!r} has no stage {ARCHIVED} to move others to. Move them yourself.")
    if stage in (NO_STAGE, archive):
        raise InvalidValueError(f"The versions in {stage} are not archived. Leave archive_existing out.")
    return archive


def _check_unused(version: ReadVersion) -> None:
    """InvalidValueError while an alias leads to a version, or it is in a stage that means use."""
    what = f"Version {version.version} of {version.model_name!r}"
    if version.aliases:
        raise InvalidValueError(
            f"{what} is not deleted: the alias {version.aliases[0]!r} leads to it. Move or delete the alias first."
        )
    if version.file.stage.lower() not in (NO_STAGE.lower(), ARCHIVED.lower()):
        raise InvalidValueError(
            f"{what} is not deleted: it is in {version.file.stage}. Move it to {ARCHIVED} first, "
            f"with `tracker registry promote` or set_stage()."
        )
