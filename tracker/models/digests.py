"""Digests of the files of a model, so that a changed one never loads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from tracker import _io, codec, layout, names
from tracker.exceptions import ChangedModelError, InvalidNameError, ModelError
from tracker.schema import SCHEMA, Manifest, ManifestEntry

MAX_MANIFEST = 64 * 1024 * 1024
"""Bytes of the largest manifest that is read."""
MAX_FILES = 100_000
_CHUNK = 1 << 20
_PREFIX = "sha256:"
_IGNORED = ("__pycache__",)


def digest_of(files: Mapping[str, ManifestEntry]) -> str:
    """One digest over all files: of the lines `<sha256> <bytes> <path>`, sorted by path."""
    lines = "".join(f"{files[path].sha256} {files[path].bytes} {path}\n" for path in sorted(files))
    return _PREFIX + hashlib.sha256(lines.encode()).hexdigest()


def make_manifest(folder: Path) -> Manifest:
    """Hash the files of a folder; ModelError for links and for names that are not safe."""
    paths = files_in(folder)
    _check_names(paths, str(folder), "Rename it, for no model can hold it.")
    files = {path: hash_file(folder, path) for path in paths}
    return Manifest(SCHEMA, digest_of(files), files)


def write_manifest(folder: Path) -> Manifest:
    """Hash the files of a folder, and write `manifest.json` beside them; errors are those of make_manifest."""
    manifest = make_manifest(folder)
    _io.replace_file(folder / layout.MANIFEST_FILE, codec.json_file(manifest), durable=False)
    return manifest


def folder_digest(folder: Path) -> str:
    """The digest of a folder as it is now: of what its manifest lists, or without one of all its files."""
    manifest = read_manifest(folder)
    listed = files_in(folder) if manifest is None else manifest.files
    return digest_of({path: hash_file(folder, path) for path in listed})


def read_manifest(folder: Path) -> Manifest | None:
    """`manifest.json` of a model; None where there is none (MLflow writes none), ModelError when it is not sound."""
    path = folder / layout.MANIFEST_FILE
    try:
        return parse_manifest(_io.read_file(path, limit=MAX_MANIFEST), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from None


def parse_manifest(data: bytes, where: str) -> Manifest:
    """A manifest whose paths stay in the folder and whose digest is that of its entries, or ModelError."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{where} is damaged: {error}. Get the model again from where it came.") from None
    if manifest.schema < 1:
        raise ModelError(f"{where} is damaged: there is no schema {manifest.schema}. Get the model again.")
    if manifest.schema > SCHEMA:
        raise ModelError(
            f"{where} has schema {manifest.schema}; this tracker reads up to {SCHEMA}. Install a newer tracker."
        )
    _check_names(manifest.files, where, "The model is not opened.")
    if manifest.digest != digest_of(manifest.files):
        raise ChangedModelError(f"{where} does not fit its own digest: it was changed. Get the model again.")
    return manifest


def _check_names(paths: Iterable[str], where: str, remedy: str) -> None:
    for path in paths:
        try:
            names.check_artifact_path(path, f"A path in {where}")
        except InvalidNameError as error:
            raise ModelError(f"{error.message} {remedy}") from None


def verify(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the manifest; ChangedModelError names the first one that differs."""
    for path, entry in manifest.files.items():
        check_entry(folder, path, entry, hash_file(folder, path))


def check_entry(folder: Path, path: str, wanted: ManifestEntry, found: ManifestEntry) -> None:
    """ChangedModelError when a file is not what the manifest says."""
    if found != wanted:
        raise ChangedModelError(
            f"{folder / path} was changed since the model was saved: its SHA-256 is {found.sha256[:12]}… "
            f"({found.bytes:,} bytes), the manifest has {wanted.sha256[:12]}… ({wanted.bytes:,} bytes). "
            "The model is not loaded. Get it again from where it came."
        )


def hash_file(folder: Path, path: str) -> ManifestEntry:
    """Digest and size of one file below a folder; ChangedModelError when it is missing, ModelError for a link."""
    digest, size = hashlib.sha256(), 0
    try:
        _refuse_links(folder, path)
        with _io.open_regular(folder / path) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError:
        raise ChangedModelError(f"{folder / path} is missing, though the manifest of the model lists it.") from None
    except OSError as error:
        raise ModelError(f"{folder / path} cannot be read: {error.strerror}. Links are not followed.") from None
    return ManifestEntry(digest.hexdigest(), size)


def files_in(folder: Path) -> list[str]:
    """Relative paths of the files of a model, sorted; hidden files, caches and the manifest itself left out."""
    found = sorted(_walk(folder))
    if len(found) > MAX_FILES:
        raise ModelError(f"{folder} holds more than {MAX_FILES:,} files, which is no model.")
    return found


def _walk(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _IGNORED]
        for name in [*folders, *files]:
            if Path(place, name).is_symlink():
                raise ModelError(
                    f"{Path(place, name)} is a link. Links in a model are not followed; put the file there."
                )
        for name in files:
            path = Path(place, name).relative_to(folder).as_posix()
            if not name.startswith(".") and path != layout.MANIFEST_FILE:
                yield path


def _refuse_links(folder: Path, path: str) -> None:
    place = folder
    for part in path.split("/")[:-1]:
        place /= part
        if not _io.is_folder(place) and os.path.lexists(place):
            raise OSError(0, "a link or no folder stands in its path", str(place))
