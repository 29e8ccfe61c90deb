"""Registered models of another tracker in our registry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tracker import _io, layout, names
from tracker.exceptions import TrackerError
from tracker.foreign.impersonal import lasting, short
from tracker.foreign.placing import LeftOutError, Placing, UnreadableError
from tracker.foreign.records import ForeignModel, ForeignVersion, derived_id
from tracker.foreign.run_files import Tell
from tracker.models.digests import files_in, folder_digest
from tracker.registry.adopting import (
    NO_FILES,
    adopt_model,
    adopt_version,
    close_gaps,
    deleted_path,
    give_files,
    lacks_files,
)
from tracker.registry.changing import Registry
from tracker.registry.history import now_text
from tracker.registry.reading import ReadModel, read_model, unsafe_path
from tracker.schema import VersionFile
from tracker.store import Store, built_aside

_GAP = "It was deleted before the import."
_ALIAS = "It came with the import."


class RegistryImport:
    """Adds registered models; what is registered already stays as it is, but for versions that lacked their files."""

    def __init__(self, store: Store, source: Path, imported: Mapping[Path, Path], placing: Placing, tell: Tell) -> None:
        self._root, self._source, self._imported = store.root, source, imported
        self._placing, self._tell = placing, tell
        self._registry = Registry(store.root)
        self._registry.durable = store.durable
        self.counts: Counter[str] = Counter()

    def add_model(self, model: ForeignModel) -> None:
        """Add a model, the versions that are missing, and aliases that are not in use."""
        self.counts["models"] += 1
        place = f"models/{model.file.name}"
        changes = [change.time for version in model.versions for change in version.file.history]
        try:
            slug, _ = adopt_model(self._registry, model.file, with_aliases=self._keeps_aliases(model))
            known = read_model(self._root, slug)
            for version in model.versions:
                self._add_version(known, version, f"{place}/version-{version.file.version}")
            close_gaps(self._registry, slug, max(changes, default="") or now_text(), _GAP)
        except TrackerError as error:
            self._tell(place, error.message)
            return
        for alias, target in model.file.aliases.items():
            if alias not in known.file.aliases:
                self._set_alias(known.name, alias, target, place)

    def _keeps_aliases(self, model: ForeignModel) -> bool:
        """Whether the source knows when aliases were set; else the import is the first that is known of them."""
        return bool(model.file.history)

    def _set_alias(self, name: str, alias: str, target: str, place: str) -> None:
        try:
            self._registry.set_alias(name, alias, target, reason=_ALIAS)
        except TrackerError as error:
            self._tell(f"{place}/aliases/{alias}", error.message)

    def _add_version(self, known: ReadModel, version: ForeignVersion, place: str) -> None:
        number = version.file.version
        there = next((found.file for found in known.versions if found.file.version == number), None)
        if there is not None and not _is_same(there, version.file):
            self._tell(place, f"is not imported: {known.name!r} has a version {number} of its own already")
            return
        if there is not None and not (lacks_files(there) and version.folder and not version.file.deleted):
            self.counts["versions_unchanged"] += 1
            return
        try:
            file = self._located(known.slug, version, place)
            if there is not None:
                is_new = give_files(self._registry, known.slug, file)
            else:
                is_new = adopt_version(self._registry, known.slug, file, known.stages)
            self.counts["versions_new"] += is_new
        except (TrackerError, UnreadableError, LeftOutError) as error:
            self._tell(place, f"is not imported: {error}")

    def _located(self, slug: str, version: ForeignVersion, place: str) -> VersionFile:
        """The file of a version with the path and digest of its model in the store."""
        file = msgspec.structs.replace(version.file, run_id=_run_id(version.file))
        if file.deleted:
            return msgspec.structs.replace(file, path=deleted_path(slug), digest=NO_FILES, source="")
        if version.folder is None:
            self._tell(place, f"has no files: {short(file.source)!r:.100} leads to nothing in {self._source.name}")
            path = f"{layout.REGISTRY}/{slug}/{layout.MODELS}/{derived_id('gone', file.source)}"
            return msgspec.structs.replace(file, path=path, digest=NO_FILES, source=lasting(file.source))
        folder = self._placed(slug, version.folder)
        path = folder.relative_to(self._root).as_posix()
        source = _source((self._imported_as(version.folder) or folder).relative_to(self._root).parts, file.source)
        return msgspec.structs.replace(file, path=path, digest=folder_digest(folder), source=source)

    def _placed(self, slug: str, folder: Path) -> Path:
        """Where the model of a version lies in the store: in its run, else in a copy."""
        return self._imported_as(folder) or self._copied(slug, folder)

    def _imported_as(self, folder: Path) -> Path | None:
        """Where the artifacts of runs have a folder of the source."""
        found = imported_as(folder, self._imported)
        if found is None or unsafe_path(found.relative_to(self._root).as_posix()):
            return None
        return found if _io.is_folder(found) else None

    def _copied(self, slug: str, folder: Path) -> Path:
        """A copy of a model whose run is deleted or has its artifacts elsewhere."""
        model_id = derived_id("model", folder_digest(folder))
        target = layout.copied_model(self._root, slug, model_id)
        if not _io.is_folder(target):
            with _io.explained("copy a model to", target):
                _io.make_folder(target.parent, inside=self._root)
                with built_aside(target, durable=self._registry.durable) as aside:
                    for path in files_in(folder):
                        names.check_artifact_path(path)
                        _io.make_folder((aside / path).parent, inside=target.parent)
                        self._placing.put(folder / path, aside / path)
        return target


def imported_as(folder: Path, imported: Mapping[Path, Path]) -> Path | None:
    """Where a folder of the source is in the store, by the folders that were imported."""
    found = next((parent for parent in (folder, *folder.parents) if parent in imported), None)
    return imported[found] / folder.relative_to(found) if found else None


def _is_same(there: VersionFile, file: VersionFile) -> bool:
    """Whether a version that is registered is the one of the source."""
    return there.run_id == _run_id(file) and file.created in ("", there.created)


def _run_id(file: VersionFile) -> str:
    return file.run_id if names.is_run_id(file.run_id) else ""


def _source(parts: Sequence[str], source: str) -> str:
    """What a version was registered from: the path on another machine would say whose it was."""
    if parts[0] == layout.EXPERIMENTS:
        return f"runs:/{parts[3]}/{'/'.join(parts[5:])}"
    return lasting(source)
