"""A folder with everything that can be said of it, so that the slightest change shows."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

Entry = tuple[int, ...] | tuple[int | str, ...]


def listing(*folders: Path) -> dict[str, Entry]:
    """Each file and folder at and below some folders: kind, rights, owner, inode, links, size, times and content.

    The time of the last access is left out: the system sets it, where it is kept at all.
    """
    found = {}
    for folder in folders:
        for path in (folder, *sorted(folder.rglob("*"))):
            found[str(path)] = _entry(path)
    return found


def _entry(path: Path) -> Entry:
    info = path.lstat()
    content = ""
    if stat.S_ISREG(info.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    elif stat.S_ISLNK(info.st_mode):
        content = os.readlink(path)  # noqa: PTH115
    size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
    times = info.st_mtime_ns, info.st_ctime_ns
    return info.st_mode, info.st_uid, info.st_ino, info.st_nlink, size, *times, content
