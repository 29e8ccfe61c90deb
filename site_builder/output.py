"""Where a site is written: into a staging folder first, then into place, and what was written last time.

Readers of the site see whole files only. Whatever happens before the staged files are moved leaves the site as it was;
a stop in the middle of moving is noticed by the next build, which puts it right.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

import msgspec

from tracker import _io
from tracker.exceptions import SiteError
from tracker.logs import Problem

MANIFEST = "data/v1/manifest.json"
NEXT_MANIFEST = "data/v1/manifest.next.json"
"""There while files are moved into place: a stopped move is told by it."""
SCHEMA = 1
_ABANDONED_SECONDS = 3600
_MAX_MANIFEST = 1 << 30


class VersionTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the page of a version found out, for the pages that list it."""

    format: str = ""
    """How the model is stored; "" when that could not be told."""
    safe: bool = False
    size: int = 0
    """Bytes of the model."""
    published: bool = False
    """Its files are in the site."""
    damaged: bool = False
    """Its model is not what was registered, or is not there."""


class Unit(msgspec.Struct, frozen=True, omit_defaults=True):
    """Files that are made together from the same inputs."""

    digest: str
    """Of the inputs; "" when making them failed, so that it is tried again."""
    files: dict[str, int]
    """Size of each file in bytes by its path in the site."""
    problems: list[Problem] = []
    """What was found while making them."""
    version: VersionTold | None = None
    """Of a version of a registered model."""


class Manifest(msgspec.Struct, frozen=True):
    """`data/v1/manifest.json`: what the builder wrote, and from what."""

    schema: int = SCHEMA
    builder: str = ""
    """Digest of everything that all pages depend on: programs, templates, shells, title."""
    units: dict[str, Unit] = {}
    store: str = ""
    """Id of the store that the site was built from."""


@dataclass(slots=True)
class Made:
    """The files of a unit, those to copy from elsewhere apart, and what was found on the way."""

    files: dict[str, bytes | int]
    """Contents by path; of a file that is in the site already, its size."""
    copies: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: bool = False
    """Making was not possible as it should be, and is tried again by the next build."""
    version: VersionTold | None = None


@dataclass
class Target:
    """The folder of a site as it is before a build."""

    folder: Path
    manifest: Manifest = field(default_factory=Manifest)
    files: set[str] = field(default_factory=set)
    """Every file that an earlier build wrote, or may have written before it was stopped."""
    _listings: dict[str, set[str]] = field(default_factory=dict)

    def has(self, files: Mapping[str, int]) -> bool:
        """Whether the files of a unit are still there; of what lies in the folder of a run, whether the folder is."""
        return all(map(self._is_there, files.keys() - self._present))

    @cached_property
    def _present(self) -> set[str]:
        """The files that nearly all runs consist of."""
        return {
            *(f"runs/{name}/index.html" for name in self._names_in("runs")),
            *(f"data/v1/runs/{name}" for name in self._names_in("data/v1/runs")),
        }

    def _is_there(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if path.startswith("runs/"):
            folder, name = "runs", path.split("/")[1]
        return name in self._names_in(folder)

    def _names_in(self, folder: str) -> set[str]:
        if folder not in self._listings:
            try:
                self._listings[folder] = set(os.listdir(self.folder / folder))  # noqa: PTH208
            except OSError:
                self._listings[folder] = set()
        return self._listings[folder]


def open_target(out: Path, *, force: bool) -> Target:
    """The folder to write to. Raises SiteError when it holds something that is not a site of ours."""
    folder = Path(os.path.realpath(out))
    if folder.exists() and not folder.is_dir():
        raise SiteError(f"{out} is a file, so the site cannot be written there. Name a folder with --out.")
    current, upcoming = _read_manifest(folder / MANIFEST), _read_manifest(folder / NEXT_MANIFEST)
    if current is None and upcoming is None:
        if not force and folder.is_dir() and any(folder.iterdir()):
            raise SiteError(
                f"{out} is not empty and was not built by tracker. Name another folder, "
                "or build with --force, which keeps what is there and overwrites files of the same names."
            )
        return Target(folder)
    manifest = current or Manifest()
    files = {path for found in (current, upcoming) if found for unit in found.units.values() for path in unit.files}
    if upcoming:
        manifest = Manifest(manifest.schema, manifest.builder, _agreed(manifest, upcoming), upcoming.store)
    return Target(folder, manifest, files)


def check_store(target: Target, store: str, *, force: bool) -> None:
    """SiteError when the folder holds the site of another store, which the build would remove."""
    found = target.manifest.store
    if found and store and found != store and not force:
        raise SiteError(
            f"{target.folder} holds the site of another store. Name another folder with --out, or build with --force, "
            "which replaces that site."
        )


def _agreed(current: Manifest, upcoming: Manifest) -> dict[str, Unit]:
    """Units that the stopped build had not meant to touch."""
    if current.builder != upcoming.builder:
        return {}
    return {name: unit for name, unit in current.units.items() if upcoming.units.get(name) == unit}


def _read_manifest(path: Path) -> Manifest | None:
    try:
        found = msgspec.json.decode(_io.read_file(path, limit=_MAX_MANIFEST), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError):
        return Manifest()
    return found if found.schema == SCHEMA else Manifest()


class Stage:
    """A folder beside the site in which its new files are written; it is made for the first of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[str] = []
        self._root = f"{folder}{os.sep}"
        self._folders: set[str] = set()

    def write(self, path: str, data: bytes) -> None:
        """Write a new file; folders are made as they are needed."""
        fd = self._create(path)
        try:
            written = os.write(fd, data)
            while written < len(data):
                written += os.write(fd, data[written:])
        finally:
            os.close(fd)

    def _create(self, path: str) -> int:
        parent = path.rpartition("/")[0]
        if parent not in self._folders:
            self._make_folder(self._root + parent)
            self._folders.add(parent)
        fd = os.open(self._root + path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        self.files.append(path)
        return fd

    @staticmethod
    def _make_folder(path: str) -> None:
        """One call where the folder above is there, as for nearly all runs."""
        try:
            os.mkdir(path)  # noqa: PTH102
        except OSError:
            os.makedirs(path, exist_ok=True)  # noqa: PTH103


@contextlib.contextmanager
def staging(target: Target) -> Iterator[Stage]:
    """A stage beside the target, which is gone afterwards; errors of the disk become SiteErrors."""
    out = target.folder
    folder = out.with_name(f"{out.name}.staging-{os.urandom(6).hex()}")
    try:
        _remove_abandoned(out)
        yield Stage(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SiteError(
            f"The site could not be written to {out}: {reason} ({error.filename or folder}). "
            "Free some space or check who may write there, then build again."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(out: Path) -> None:
    """Stages of builds that were killed."""
    for path in out.parent.glob(f"{out.name}.staging-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def commit(stage: Stage, target: Target, manifest: Manifest) -> int:
    """Put the staged files into place and remove what no unit needs any more; how many files were removed."""
    out = target.folder
    data = msgspec.json.encode(manifest) + b"\n"
    if not out.exists() or not any(out.iterdir()):
        stage.write(MANIFEST, data)
        if out.exists():
            out.rmdir()
        stage.folder.rename(out)
        return 0
    stage.write(NEXT_MANIFEST, data)
    _move(stage, out, NEXT_MANIFEST)
    obsolete = target.files - {path for unit in manifest.units.values() for path in unit.files}
    removed = _remove(out, _in_the_way(obsolete, stage.files))
    for path in sorted(stage.files[:-1], key=_turn):
        _move(stage, out, path)
    removed += _remove(out, obsolete)
    (out / NEXT_MANIFEST).replace(out / MANIFEST)
    return removed


def _in_the_way(obsolete: set[str], new: Iterable[str]) -> set[str]:
    """Files where a folder comes to be, and files below what comes to be a file."""
    files = set(new)
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    return {path for path in obsolete if path in folders or any(str(p) in files for p in PurePosixPath(path).parents)}


def _turn(path: str) -> int:
    """Data before the pages that load them, and last what names the other data."""
    if path in ("data/v1/site.js", "models/registry.json"):
        return 2
    return 0 if path.startswith(("data/", "assets/")) else 1


def _move(stage: Stage, out: Path, path: str) -> None:
    place = out / path
    place.parent.mkdir(parents=True, exist_ok=True)
    (stage.folder / path).replace(place)


def _remove(out: Path, paths: set[str]) -> int:
    removed = 0
    for path in sorted(paths, reverse=True):
        place = out / path
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            place.unlink()
            removed += 1
        for parent in place.parents:
            if parent == out:
                break
            with contextlib.suppress(OSError):
                parent.rmdir()  # only when nothing is left in it
    return removed
