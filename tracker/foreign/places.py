"""Folders and files inside a source."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from tracker import _io


def below(folder: Path, parts: Iterable[str]) -> Path | None:
    """A folder below another, without links on the way."""
    for part in filter(None, parts):
        place = folder / part
        if part == ".." or place.parent != folder or not _io.is_folder(place):
            return None  # the second: a part that is a path, or that Windows takes for a drive
        folder = place
    return folder


def file_below(folder: Path, path: str) -> Path | None:
    """The place of a file by its relative path, with no links on the way; None where it leads out of the folder."""
    *parts, name = path.replace("\\", "/").split("/")
    parent = below(folder, parts) if path[:1] not in ("/", "\\") else None
    if parent is None or name in ("", ".", "..") or "\0" in name or (parent / name).parent != parent:
        return None
    return parent / name


def is_file(path: Path) -> bool:
    """Whether a regular file lies there itself."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False
