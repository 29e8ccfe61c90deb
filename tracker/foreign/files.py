"""What lies in a folder of another tracker's, without links, and what could not be read of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tracker import _io
from tracker.foreign.damage import Problems
from tracker.logs import Problem
from tracker.names import is_text

MAX_DEPTH = 20
"""Slashes in a key."""


class Files:
    """Reads below one folder, follows no link, and keeps a problem for all that it could not read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []

    def problem(self, path: Path, message: str, line: int | None = None) -> None:
        """Note what is wrong with a file."""
        self.problems.append(Problem(path.relative_to(self.root).as_posix(), line, message))

    def problems_of(self, path: Path) -> Problems:
        """Takes what is wrong with the parts of one file."""
        return Problems(partial(self.problem, path))

    def entries(self, folder: Path) -> list[os.DirEntry[str]]:
        """What lies in a folder, by name; nothing where none is."""
        try:
            if not _io.is_folder(folder):
                if os.path.lexists(folder):
                    self.problem(folder, "is a link or no folder, and is not followed")
                return []
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.problem(folder, f"cannot be listed: {error.strerror}")
            return []
        named = [entry for entry in found if is_text(entry.name)]
        others = len(found) - len(named)
        if others:
            self.problem(folder, f"has {others:,} names that are no text, and what they name is left out")
        return named

    def folders(self, folder: Path) -> list[Path]:
        """The folders in a folder, hidden ones left out."""
        found = []
        for entry in self.entries(folder):
            if entry.is_symlink():
                self.problem(folder / entry.name, "is a link, and links are not followed")
            elif entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                found.append(folder / entry.name)
        return found

    def keyed(self, folder: Path, prefix: str = "") -> Iterator[tuple[str, Path]]:
        """Keys and their files: a key with a slash is a file in a folder."""
        for entry in self.entries(folder):
            if entry.is_dir(follow_symlinks=False) and prefix.count("/") < MAX_DEPTH:
                yield from self.keyed(folder / entry.name, f"{prefix}{entry.name}/")
            elif entry.is_symlink():
                self.problem(folder / entry.name, "is a link, and links are not followed")
            else:
                yield prefix + entry.name, folder / entry.name
