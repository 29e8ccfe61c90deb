"""Files that belong to a run: checked names, whole files, never out of the run's folder."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import yaml

from tracker import _io, layout, names, settings
from tracker.exceptions import InvalidNameError, InvalidValueError, NotFoundError

Written = tuple[str, int]
"""Path below artifacts/ and size in bytes."""


def write(data: bytes, run_folder: Path, artifact_file: str, *, durable: bool) -> Written:
    """Put bytes into a file of the run, in place of what was there."""
    path = names.check_artifact_path(artifact_file, "An artifact file")
    target = _prepare(run_folder, path)
    with _io.explained("write", target):
        _io.replace_file(target, data, durable=durable)
    return path.as_posix(), len(data)


def copy(source: Path, run_folder: Path, artifact_path: str | None, *, durable: bool) -> Written:
    """Copy one file into the run; a link is followed, for its owner named it."""
    if not source.is_file():
        raise NotFoundError(
            f"There is no file {source} to log as an artifact. Check the path; it is relative to {Path.cwd()}."
        )
    below = f"{names.check_artifact_path(artifact_path)}/" if artifact_path else ""
    path = names.check_artifact_path(f"{below}{source.name}")
    with _io.explained("read", source):
        reader = _io.open_regular(source.resolve())
    with reader:
        target = _prepare(run_folder, path)
        with _io.explained("copy to", target):
            return path.as_posix(), _io.copy_file(reader, target, durable=durable)


def copy_all(source: Path, run_folder: Path, artifact_path: str | None, *, durable: bool) -> list[Written]:
    """Copy every file below a folder into the run; no links to folders, so that nothing goes in circles."""
    if not source.is_dir():
        raise NotFoundError(
            f"There is no folder {source} to log as artifacts. Check the path; it is relative to {Path.cwd()}."
        )
    below = [names.check_artifact_path(artifact_path).as_posix()] if artifact_path else []
    return [
        copy(file, run_folder, "/".join([*below, *relative.parts[:-1]]) or None, durable=durable)
        for file, relative in _files(source)
    ]


def add_folder(fill: Callable[[Path], None], run_folder: Path, artifact_path: str) -> list[Written]:
    """Make a folder of files that appears whole and on the disk; `fill` writes into it before it has its name.

    Where the name is taken, it becomes `name-2`, `name-3` and so on: nothing that was logged is replaced.
    """
    path = names.check_artifact_path(artifact_path)
    wanted = _prepare(run_folder, path, taken=True)
    aside = wanted.with_name(f"{layout.ASIDE}{names.new_id()}")
    with _io.explained("write", wanted):
        try:
            _io.make_folder(aside, inside=run_folder)
            fill(aside)
            if settings.fsync() != "never":
                _io.sync_tree(aside)
            target = _move_to_free(aside, wanted)
        finally:
            _io.remove_tree(aside)
    below = path.parent / target.name
    return [((below / relative).as_posix(), file.stat().st_size) for file, relative in _files(target)]


def _move_to_free(folder: Path, wanted: Path) -> Path:
    for number in itertools.count(1):
        target = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        with contextlib.suppress(FileExistsError):
            _io.move_folder(folder, target, durable=settings.fsync() != "never")
            return target
    raise AssertionError("unreachable: some number is free")


def dict_bytes(dictionary: object, artifact_file: str) -> bytes:
    """A dict or list as YAML (for .yaml and .yml) or JSON; values of other kinds as their `str()`."""
    try:
        text = json.dumps(dictionary, indent=2, ensure_ascii=False, default=str)
        if artifact_file.endswith((".yaml", ".yml")):
            text = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(f"{artifact_file!r} cannot be written as a dict: {error}.") from error


def _prepare(run_folder: Path, path: PurePosixPath, *, taken: bool = False) -> Path:
    """Where the file goes, with the folders for it; none of them may be a link, for it may lead anywhere.

    With `taken` a folder may be there already.
    """
    place = run_folder
    for part in (layout.ARTIFACTS, *path.parts[:-1]):
        place /= part
        if os.path.lexists(place) and not _io.is_folder(place):
            raise InvalidNameError(
                f"{str(path)!r} leads through {part!r}, which is a file or a link. Use another path."
            )
    with _io.explained("make a folder for", place):
        _io.make_folder(place, inside=run_folder)
    target = place / path.name
    if _io.is_folder(target) and not taken:
        raise InvalidNameError(f"{str(path)!r} is a folder of artifacts. Give the file another name.")
    return target


def _files(folder: Path) -> Iterator[tuple[Path, Path]]:
    for path, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            file = Path(path, name)
            if file.is_file():
                yield file, file.relative_to(folder)
