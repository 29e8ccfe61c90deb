"""Folders inside a source."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tracker import _io


def below(folder: Path, parts: Iterable[str]) -> Path | None:
    """A folder below another, without links on the way."""
    for part in filter(None, parts):
        folder /= part
        if part in (".", "..") or not _io.is_folder(folder):
            return None
    return folder
