"""Folders with everything that can be said of them, so that the slightest change shows."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A file or folder. The time of the last access is left out, for the system sets it."""

    mode: int
    owner: int
    inode: int
    links: int
    size: int
    """0 for a folder."""
    modified: int
    changed: int
    """When anything of it changed: content, rights or number of links."""
    content: str
    """Digest of a file, target of a link."""


def listing(folder: Path) -> dict[str, Entry]:
    """A folder and all that lies in it."""
    return {str(path): _entry(path) for path in (folder, *sorted(folder.rglob("*")))}


def contents(folder: Path) -> dict[str, Entry]:
    """The same without what a hard link elsewhere, or rights that were taken and given back, change."""
    return {path: entry._replace(changed=0, links=0) for path, entry in listing(folder).items()}


def _entry(path: Path) -> Entry:
    info = path.lstat()
    content = ""
    if stat.S_ISREG(info.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    elif stat.S_ISLNK(info.st_mode):
        content = os.readlink(path)  # noqa: PTH115
    size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
    identity = info.st_mode, info.st_uid, info.st_ino, info.st_nlink
    return Entry(*identity, size, info.st_mtime_ns, info.st_ctime_ns, content)
