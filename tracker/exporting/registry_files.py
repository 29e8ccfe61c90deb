"""Registered models of ours as MLflow's registry of files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from msgspec import Struct

from tracker import _io, layout, names
from tracker.artifact_files import list_files
from tracker.exceptions import ModelError
from tracker.exporting.names import Names, is_alias, model_names, tell_changed
from tracker.exporting.run_files import put_files, write_texts
from tracker.exporting.target import Target, digest_of, read_state, write_state
from tracker.exporting.telling import Problems
from tracker.exporting.yaml_text import meta_yaml
from tracker.foreign.mlruns_files import META
from tracker.foreign.mlruns_tags import STAGE_TAG
from tracker.foreign.placing import PLACINGS, ArtifactMode
from tracker.foreign.records import derived_id
from tracker.registry.naming import NO_STAGE, STAGES
from tracker.registry.reading import ReadModel, ReadVersion, read_registry

MODELS = "models"
_VERSION = 1
_DELETED = "Deleted_Internal"
"""MLflow's name for the stage of a version that was deleted."""
_READY = 2


class _Version(Struct, frozen=True):
    """A version that is exported."""

    read: ReadVersion
    place: Path
    """Its file."""
    uri: str
    """Where its model is; empty where nobody has it."""


class RegistryExport:
    """Writes registered models; `artifacts` says where those of each exported run are."""

    def __init__(
        self, root: Path, target: Target, artifacts: Mapping[str, Path], mode: ArtifactMode, problems: Problems
    ) -> None:
        self._root, self._target, self._artifacts = root, target, artifacts
        self._mode, self._problems = mode, problems
        self.counts: Counter[str] = Counter()

    def write(self, *, everything: bool, models: Path) -> None:
        """Write all models, or those with versions of exported runs. Copies of models go below `models`."""
        registry = read_registry(self._root)
        for problem in registry.problems:
            self._problems.add(problem)
        chosen = [(model, self._versions(model, everything, models)) for model in registry.models]
        chosen = [(model, versions) for model, versions in chosen if everything or versions]
        tags = Names(tags for model in registry.models for tags in _tags_of(model, model.versions))
        used = (tags for model, found in chosen for tags in _tags_of(model, [version.read for version in found]))
        tell_changed("tag", tags, used, partial(self._problems.tell, layout.REGISTRY))
        written = model_names(model.name for model in registry.models)
        for model, versions in chosen:
            if written[model.name] != model.name:
                reason = f"is named {written[model.name]!r:.100}, since MLflow refuses the name {model.name!r:.100}"
                self._problems.tell(model.folder, reason)
            self._write_model(model, written[model.name], versions, tags)

    # Where the files of versions are

    def _versions(self, model: ReadModel, everything: bool, models: Path) -> list[_Version]:
        found = []
        for version in model.versions:
            if not everything and (version.file.run_id not in self._artifacts or version.file.deleted):
                continue
            place = layout.version_file(self._root, model.slug, version.file.version)
            folder = None if version.file.deleted else self._located(version, place, models)
            stage = version.file.stage
            if stage not in STAGES:
                self._problems.tell(place, f"the stage {stage!r:.100} becomes a tag, since MLflow has no such stage")
            found.append(_Version(version, place, folder.as_uri() if folder else ""))
        return found

    def _located(self, version: ReadVersion, place: Path, models: Path) -> Path | None:
        """Where MLflow finds the model of a version; None, which is told, where nobody does."""
        try:
            folder = version.folder
        except ModelError as error:
            self._problems.tell(place, error.message)
            return None
        parts = version.file.path.split("/")
        if parts[0] == layout.EXPERIMENTS and parts[3] in self._artifacts:
            located = self._artifacts[parts[3]].joinpath(*parts[5:])
            there = _io.is_folder(folder) or _io.is_folder(located)
        else:
            there = _io.is_folder(folder)
            located = self._copied(version, folder, models) if there else folder
        if not there:
            self._problems.tell(place, "has no files, and is exported without")
        return located if there else None

    def _copied(self, version: ReadVersion, folder: Path, models: Path) -> Path:
        """A model that no exported run has, as one that MLflow 3 logged; MLflow 2 loads it by its address alone."""
        if self._mode == "leave":
            return folder
        model_id = f"m-{derived_id('export', version.file.path)}"
        place = models / model_id
        files = {file.name: file for file in list_files(folder) if not file.problem and names.is_text(file.name)}
        digest = digest_of(_VERSION, str(place), self._mode, [(file.name, file.bytes) for file in files.values()])
        if read_state(place) != [digest]:
            aside = self._target.aside()
            base = aside / layout.ARTIFACTS
            _io.make_folder(base, inside=aside)
            put_files(
                {name: file.path for name, file in files.items()}, base, PLACINGS[self._mode], self._problems.tell
            )
            entity = version.entity()
            meta: dict[str, str | int | None] = {
                "artifact_location": (place / layout.ARTIFACTS).as_uri(),
                "creation_timestamp": entity.creation_timestamp or 0,
                "experiment_id": models.parent.name,
                "last_updated_timestamp": entity.creation_timestamp or 0,
                "lifecycle_stage": "active",
                "model_id": model_id,
                "model_type": "",
                "name": version.model_name,
                "source_run_id": None,
                "status": _READY,
                "status_message": None,
            }
            _io.write_new(f"{aside}{os.sep}{META}", meta_yaml(meta))
            write_state(aside, digest)
            self._replace(aside, place)
        return place / layout.ARTIFACTS

    # What MLflow reads

    def _write_model(self, model: ReadModel, name: str, versions: list[_Version], tags: Names) -> None:
        self.counts["models"] += 1
        self.counts["versions"] += sum(not version.read.file.deleted for version in versions)
        folder = self._target.root / MODELS / name
        aliases = self._aliases(model, versions)
        uris = [(version.read.file, version.uri) for version in versions]
        digest = digest_of(_VERSION, model.file, uris, sorted(aliases.items()), tags.changed)
        if read_state(folder) == [digest]:
            return
        entity, aside = model.entity(), self._target.aside()
        meta: dict[str, str | int | None] = {
            "creation_timestamp": entity.creation_timestamp or 0,
            "description": model.file.description,
            "last_updated_timestamp": entity.last_updated_timestamp or 0,
            "name": name,
        }
        _io.write_new(f"{aside}{os.sep}{META}", meta_yaml(meta))
        write_texts(aside / "tags", tags.apply(model.file.tags), model.folder, self._problems.tell)
        write_texts(aside / "aliases", aliases, model.folder, self._problems.tell)
        for version in versions:
            self._write_version(version, name, aside / f"version-{version.read.version}", tags)
        write_state(aside, digest)
        self._replace(aside, folder)

    def _write_version(self, version: _Version, name: str, folder: Path, tags: Names) -> None:
        file, entity = version.read.file, version.read.entity()
        source = version.uri or (file.source if file.source.startswith(("runs:/", "models:/")) else "")
        stage, own = (file.stage, {}) if file.stage in STAGES else (NO_STAGE, {STAGE_TAG: file.stage})
        meta: dict[str, str | int | None] = {
            "creation_timestamp": entity.creation_timestamp or 0,
            "current_stage": _DELETED if file.deleted else stage,
            "description": file.description,
            "last_updated_timestamp": entity.last_updated_timestamp or 0,
            "name": name,
            "run_id": file.run_id,
            "run_link": "",
            "source": source,
            "status": "READY",
            "status_message": "",
            "storage_location": source,
            "user_id": entity.user_id,
            "version": file.version,
        }
        _io.make_folder(folder, inside=folder.parent)
        _io.write_new(f"{folder}{os.sep}{META}", meta_yaml(meta))
        write_texts(folder / "tags", {**tags.apply(file.tags), **own}, version.place, self._problems.tell)

    def _aliases(self, model: ReadModel, versions: Iterable[_Version]) -> dict[str, str]:
        """The number of the version that each alias leads to."""
        found = {}
        for version in versions:
            for alias in version.read.aliases if not version.read.file.deleted else ():
                if is_alias(alias):
                    found[alias] = version.read.version
                else:
                    self._problems.tell(model.folder, f"the alias {alias!r:.100} is left out: MLflow refuses it")
        return found

    def _replace(self, aside: Path, folder: Path) -> None:
        old = self._target.put(aside, folder)
        if old is not None:
            _io.remove_tree(old)


def _tags_of(model: ReadModel, versions: Iterable[ReadVersion]) -> list[dict[str, str]]:
    return [model.file.tags, *(version.file.tags for version in versions)]
