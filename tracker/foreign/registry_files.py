"""Registered models of another tracker in our registry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tracker import _io, layout, names
from tracker.exceptions import TrackerError
from tracker.foreign.records import ForeignModel, ForeignVersion, derived_id
from tracker.foreign.run_files import Tell, UnreadableError, put_file
from tracker.models.digests import files_in, folder_digest
from tracker.registry.adopting import NO_FILES, adopt_model, adopt_version, close_gaps, deleted_path
from tracker.registry.changing import Registry
from tracker.registry.reading import ReadModel, read_model, unsafe_path
from tracker.schema import VersionFile
from tracker.store import Store, built_aside

_GAP = "It was deleted before the import."
_ALIAS = "It came with the import."


class RegistryImport:
    """Adds registered models; what is registered already stays as it is."""

    def __init__(self, store: Store, source: Path, imported: Mapping[Path, Path], *, link: bool, tell: Tell) -> None:
        self._root, self._source, self._imported = store.root, source, imported
        self._link, self._tell = link, tell
        self._registry = Registry(store.root)
        self.counts: Counter[str] = Counter()

    def add_model(self, model: ForeignModel) -> None:
        """Add a model, the versions that are missing, and aliases that are not in use."""
        self.counts["models"] += 1
        place = f"models/{model.file.name}"
        try:
            slug, _ = adopt_model(self._registry, model.file)
            known = read_model(self._root, slug)
            for version in model.versions:
                self._add_version(known, version, f"{place}/version-{version.file.version}")
            close_gaps(self._registry, slug, _GAP)
        except TrackerError as error:
            self._tell(place, error.message)
            return
        for alias, target in model.file.aliases.items():
            if alias not in known.file.aliases:
                self._set_alias(known.name, alias, target, place)

    def _set_alias(self, name: str, alias: str, target: str, place: str) -> None:
        try:
            self._registry.set_alias(name, alias, target, reason=_ALIAS)
        except TrackerError as error:
            self._tell(f"{place}/aliases/{alias}", error.message)

    def _add_version(self, known: ReadModel, version: ForeignVersion, place: str) -> None:
        number = version.file.version
        there = next((found.file for found in known.versions if found.file.version == number), None)
        if there is not None:
            if (there.created, there.run_id) != (version.file.created, _run_id(version.file)):
                self._tell(place, f"is not imported: {known.name!r} has a version {number} of its own already")
            else:
                self.counts["versions_unchanged"] += 1
            return
        try:
            file = self._located(known.slug, version, place)
            self.counts["versions_new"] += adopt_version(self._registry, known.slug, file)
        except (TrackerError, UnreadableError) as error:
            self._tell(place, f"is not imported: {error}")

    def _located(self, slug: str, version: ForeignVersion, place: str) -> VersionFile:
        """The file of a version with the path and digest of its model in the store."""
        file = msgspec.structs.replace(version.file, run_id=_run_id(version.file))
        if file.deleted:
            return msgspec.structs.replace(file, path=deleted_path(slug), digest=NO_FILES, source="")
        folder = self._imported_as(version.folder) if version.folder else None
        if folder is None and version.folder is not None:
            folder = self._copied(slug, version.folder)
        if folder is None:
            self._tell(place, f"has no files: {file.source!r:.100} leads to nothing in {self._source.name}")
            path = f"{layout.REGISTRY}/{slug}/{layout.MODELS}/{derived_id('gone', file.source)}"
            return msgspec.structs.replace(file, path=path, digest=NO_FILES)
        path = folder.relative_to(self._root).as_posix()
        return msgspec.structs.replace(file, path=path, digest=folder_digest(folder), source=_source(path, file.source))

    def _imported_as(self, folder: Path) -> Path | None:
        """Where the artifacts of runs have a folder of the source."""
        for parent in (folder, *folder.parents):
            if parent in self._imported:
                found = self._imported[parent] / folder.relative_to(parent)
                path = found.relative_to(self._root).as_posix()
                return found if _io.is_folder(found) and not unsafe_path(path) else None
        return None

    def _copied(self, slug: str, folder: Path) -> Path:
        """A copy of a model whose run is deleted or has its artifacts elsewhere."""
        model_id = derived_id("model", folder.relative_to(self._source).as_posix())
        target = layout.copied_model(self._root, slug, model_id)
        if not _io.is_folder(target):
            with _io.explained("copy a model to", target):
                _io.make_folder(target.parent, inside=self._root)
                with built_aside(target, durable=self._registry.durable) as aside:
                    for path in files_in(folder):
                        names.check_artifact_path(path)
                        _io.make_folder((aside / path).parent, inside=target.parent)
                        put_file(folder / path, aside / path, link=self._link)
        return target


def _run_id(file: VersionFile) -> str:
    return file.run_id if names.is_run_id(file.run_id) else ""


def _source(path: str, source: str) -> str:
    """What a version was registered from: the path on another machine would say whose it was."""
    parts = path.split("/")
    if parts[0] == layout.EXPERIMENTS:
        return f"runs:/{parts[3]}/{'/'.join(parts[5:])}"
    return "" if source.startswith(("/", "file:")) or source[1:2] == ":" else source
