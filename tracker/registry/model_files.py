"""The files of one registered model as they lie, read one by one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tracker import _io, layout
from tracker.logs import Problem
from tracker.registry import damage
from tracker.registry.naming import MAX_VERSION
from tracker.schema import RegisteredModelFile, VersionFile
from tracker.yaml_files import MAX_YAML, read_yaml

_VERSION_FILE = re.compile(r"([1-9][0-9]{0,9})\.yaml")


def read_model_file(root: Path, slug: str) -> tuple[RegisteredModelFile, list[Problem]]:
    """`model.yaml`; where it cannot be read, the slug stands for the name, and the problem is named."""
    path = layout.model_file(root, slug)
    try:
        file = read_yaml(RegisteredModelFile, _io.read_file(path, limit=MAX_YAML))
        if not file.name.strip():
            raise ValueError("the name is empty")
        return file, []
    except (OSError, ValueError) as error:
        return RegisteredModelFile(slug), [damage.unreadable(root, path, error)]


def read_settled(root: Path, slug: str) -> tuple[RegisteredModelFile, list[Problem]] | None:
    """The same of a folder that stayed where it is meanwhile; None when there is none, as after a deletion."""
    folder = layout.registered_model(root, slug)
    while (before := _identity(folder)) is not None:
        found = read_model_file(root, slug)
        if not found[1] or _identity(folder) == before:
            return found
    return None


def _identity(folder: Path) -> int | None:
    """Tells one folder from the next of its name; None where none is."""
    try:
        return os.lstat(folder).st_ino
    except OSError:
        return None


def read_version_file(root: Path, slug: str, number: int) -> VersionFile:
    """The file of a version; OSError or ValueError when it cannot be read."""
    file = read_yaml(VersionFile, _io.read_file(layout.version_file(root, slug, number), limit=MAX_YAML))
    if file.version != number:
        raise ValueError(f"is of version {file.version}, not of the one that it is named after")
    return file


def version_numbers(root: Path, slug: str) -> list[int]:
    """The numbers that are taken, ascending, those of damaged files too."""
    folder = layout.versions(root, slug)
    try:
        if not _io.is_folder(folder):
            return []
        with os.scandir(folder) as entries:
            matches = [_VERSION_FILE.fullmatch(entry.name) for entry in entries]
    except OSError:
        return []
    return sorted(number for match in matches if match and (number := int(match[1])) <= MAX_VERSION)


def is_there(root: Path, slug: str) -> bool:
    """Whether a registered model lies under a slug, without links in its way."""
    return _io.is_folder(layout.registry(root)) and _io.is_folder(layout.registered_model(root, slug))
