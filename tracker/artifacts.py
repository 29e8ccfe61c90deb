"""Files that belong to a run: checked names, whole files, never out of the run's folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from tracker import _io, names
from tracker.exceptions import InvalidNameError, InvalidValueError, NotFoundError

Written = tuple[str, int]
"""Path below artifacts/ and size in bytes."""


def write(data: bytes, folder: Path, artifact_file: str, *, durable: bool) -> Written:
    """Put bytes into a file below the folder, in place of what was there."""
    path = names.check_artifact_path(artifact_file, "An artifact file")
    target = _prepare(folder, path.as_posix())
    with _io.explained("write", target):
        _io.replace_file(target, data, durable=durable)
    return path.as_posix(), len(data)


def copy(source: Path, folder: Path, artifact_path: str | None, *, durable: bool) -> Written:
    """Copy one file below the folder; a link is followed, for its owner named it."""
    if not source.is_file():
        raise NotFoundError(
            f"There is no file {source} to log as an artifact. Check the path; it is relative to {Path.cwd()}."
        )
    below = f"{names.check_artifact_path(artifact_path)}/" if artifact_path else ""
    path = names.check_artifact_path(f"{below}{source.name}").as_posix()
    target = _prepare(folder, path)
    with _io.explained("copy to", target):
        _io.copy_file(source.resolve(), target, durable=durable)
    return path, target.stat().st_size


def copy_all(source: Path, folder: Path, artifact_path: str | None, *, durable: bool) -> list[Written]:
    """Copy every file below a folder; links to folders are not followed, so that nothing goes in circles."""
    if not source.is_dir():
        raise NotFoundError(
            f"There is no folder {source} to log as artifacts. Check the path; it is relative to {Path.cwd()}."
        )
    below = [names.check_artifact_path(artifact_path).as_posix()] if artifact_path else []
    return [
        copy(file, folder, "/".join([*below, *relative.parts[:-1]]) or None, durable=durable)
        for file, relative in _files(source)
    ]


def dict_bytes(dictionary: object, artifact_file: str) -> bytes:
    """A dict or list as YAML (for .yaml and .yml) or JSON; values of other kinds as their `str()`."""
    try:
        text = json.dumps(dictionary, indent=2, ensure_ascii=False, default=str)
        if artifact_file.endswith((".yaml", ".yml")):
            text = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(f"{artifact_file!r} cannot be written as a dict: {error}.") from error


def _prepare(folder: Path, path: str) -> Path:
    """Where the file goes, with the folders for it; none of them may be a link that leads elsewhere."""
    target = folder / path
    with _io.explained("make a folder for", target):
        _io.make_folder(target.parent)
    if not Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(folder)):
        raise InvalidNameError(f"{path!r} leads out of the artifacts of the run, through a link.")
    if target.is_dir():
        raise InvalidValueError(f"{path!r} is a folder of artifacts; give the file another name.")
    return target


def _files(folder: Path) -> Iterator[tuple[Path, Path]]:
    for path, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            file = Path(path, name)
            if file.is_file():
                yield file, file.relative_to(folder)
