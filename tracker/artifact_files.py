"""The artifacts of a run as a reader finds them, whoever put them there. Nothing is followed."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tracker import layout


class ArtifactFile(msgspec.Struct, frozen=True):
    """What lies below the artifacts of a run and is no folder."""

    path: Path
    name: str
    """Its path below artifacts/, with slashes."""
    bytes: int
    modified: int
    """UTC milliseconds."""
    links: int
    """Names that the file has: more than one where it is a hard link, maybe to what lies outside the store."""
    problem: str = ""
    """Why it cannot be read; "" for a regular file."""


def list_artifacts(run_folder: Path) -> Iterator[ArtifactFile]:
    """The files of a run by name, those of a folder before the folders in it. No link is followed."""
    return list_files(run_folder / layout.ARTIFACTS)


def list_files(folder: Path) -> Iterator[ArtifactFile]:
    """The same for any folder."""
    waiting = [(folder, "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            entries = _entries(folder)
        except OSError as error:
            yield ArtifactFile(folder, prefix or ".", 0, 0, 1, f"cannot be listed: {error.strerror}")
            continue
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                yield from look_at(folder / entry.name, prefix + entry.name)
        below = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        waiting += [(folder / name, f"{prefix}{name}/") for name in reversed(below)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing where none is. OSError for what is no folder, a link to one too."""
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "it is a link or no folder", str(folder))
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not entry.name.startswith(layout.ASIDE)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda entry: entry.name)


def look_at(path: Path, name: str) -> Iterator[ArtifactFile]:
    """One file, known by a name; nothing where none is."""
    with contextlib.suppress(FileNotFoundError):  # deleted while it was listed
        info = os.lstat(path)
        problem = "" if stat.S_ISREG(info.st_mode) else "is a link or no regular file, and is not followed"
        modified = max(0, info.st_mtime_ns // 1_000_000)
        yield ArtifactFile(path, name, info.st_size, modified, info.st_nlink, problem)
