"""Artifacts by URI, with MLflow's names: download, list and load them. Links are not followed.

>>> tracker.artifacts.load_text(f"runs:/{run_id}/notes.md")
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tracker import _io, artifact_files, layout, model_uri, names, reader
from tracker.entities import FileInfo
from tracker.exceptions import InvalidValueError, MissingPackageError, NotFoundError, did_you_mean
from tracker.opening import open_model
from tracker.session import session

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_LOADED = 1024 * 1024 * 1024
"""Bytes of the largest artifact that is loaded into memory."""


class _Place(msgspec.Struct, frozen=True):
    """Where an artifact lies, and what its path is relative to."""

    root: Path
    """A run's artifacts, a model's folder, or the folder of a path."""
    path: str
    """Relative to it; empty for all of it."""
    copied_to: str
    """Relative to dst_path, as MLflow has it."""

    @property
    def absolute(self) -> Path:
        return self.root / self.path if self.path else self.root


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | os.PathLike[str] | None = None,
    tracking_uri: str | None = None,
) -> str:
    """The path of a file or folder of artifacts; with `dst_path` it is copied there.

    Give `artifact_uri` (`runs:/<run_id>/<path>`, `models:/<name>/<version>[/<path>]`, the page of a version on a
    published site, or a path), or `run_id` with an `artifact_path` or without one for all. What is on this machine is
    not copied without `dst_path`. The files of a registered model are verified first.

    Raises NotFoundError for what is not there (with the nearest name), InvalidNameError for a path that leads out.
    """
    place = _find(artifact_uri, run_id, artifact_path, tracking_uri)
    if dst_path is None:
        return str(place.absolute)
    target = Path(dst_path).expanduser().absolute()
    target.mkdir(parents=True, exist_ok=True)
    return str(_copy(place.absolute, target / place.copied_to if place.copied_to else target))


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """What lies directly in a folder of artifacts, by name; nothing for a file, or where there is nothing.

    The arguments are those of download_artifacts. Paths are relative to the run's artifacts, or to the model.
    """
    try:
        place = _find(artifact_uri, run_id, artifact_path, tracking_uri)
    except NotFoundError as error:
        if error.__cause__ is _NO_ARTIFACT:
            return []
        raise
    if not _io.is_folder(place.absolute):
        return []
    with _io.explained("list", place.absolute), os.scandir(place.absolute) as entries:
        found = [entry for entry in entries if not entry.name.startswith(layout.ASIDE) and not entry.is_symlink()]
    return [_info(entry, place.path) for entry in sorted(found, key=lambda entry: entry.name)]


def load_text(artifact_uri: str) -> str:
    """The text of an artifact; InvalidValueError when it is not UTF-8."""
    try:
        return _load(artifact_uri).decode()
    except UnicodeDecodeError as error:
        raise InvalidValueError(
            f"{artifact_uri} is no UTF-8 text: {error}. Open it yourself, at the path that download_artifacts() gives."
        ) from error


def load_dict(artifact_uri: str) -> dict[str, Any]:
    """The value of an artifact that is JSON; InvalidValueError when it is none."""
    try:
        found: dict[str, Any] = json.loads(load_text(artifact_uri))
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidValueError(f"{artifact_uri} is no JSON: {error}.") from error
    return found


def load_image(artifact_uri: str) -> Image:
    """The image of an artifact, as Pillow has it; InvalidValueError when it is none."""
    import io

    try:
        from PIL import Image
    except ImportError:
        raise MissingPackageError("Loading an image", packages=["pillow"]) from None
    try:
        image = Image.open(io.BytesIO(_load(artifact_uri)))
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidValueError(f"{artifact_uri} is no image that can be read: {error}.") from error
    return image


_NO_ARTIFACT = LookupError("no artifact of this path")


def _find(uri: str | None, run_id: str | None, path: str | None, tracking_uri: str | None) -> _Place:
    if (uri is None) == (run_id is None):
        raise InvalidValueError("Give artifact_uri= or run_id=, one of the two.")
    if run_id is not None:
        return _of_run(run_id, path or "", path or "", tracking_uri)
    assert uri is not None
    if path is not None:
        raise InvalidValueError("artifact_path= belongs to run_id=. With artifact_uri= the path is a part of the URI.")
    if uri.startswith("runs:"):
        found, _, rest = uri.removeprefix("runs:").lstrip("/").partition("/")
        return _of_run(found, rest, rest.rstrip("/").rpartition("/")[2], tracking_uri)
    if uri.startswith("models:"):
        return _of_model(uri, tracking_uri)
    if names.is_site(uri):
        return _Place(open_model(uri).folder, "", "")
    absolute = names.folder_of(uri)
    if not absolute.exists():
        raise NotFoundError(f"There is nothing at {absolute}. Check the path.") from _NO_ARTIFACT
    return _Place(absolute.parent, absolute.name, absolute.name)


def _root(tracking_uri: str | None) -> Path:
    return session.root if tracking_uri is None else names.folder_of(tracking_uri)


def _of_run(run_id: str, path: str, copied_to: str, tracking_uri: str | None) -> _Place:
    run_folder = reader.find_run(_root(tracking_uri), run_id)
    root = run_folder / layout.ARTIFACTS
    if not path.strip("/"):
        return _Place(root, "", "")
    checked = names.check_artifact_path(path.rstrip("/")).as_posix()
    if (root / checked / layout.MLMODEL_FILE).is_file():
        checked = model_uri.newest(root / checked).relative_to(root).as_posix()
    _check(
        root, checked, lambda: [file.name for file in artifact_files.list_artifacts(run_folder)], f"The run {run_id}"
    )
    return _Place(root, checked, copied_to.strip("/"))


def _of_model(uri: str, tracking_uri: str | None) -> _Place:
    parts = uri.removeprefix("models:").lstrip("/").split("/")
    count = 1 if "@" in parts[0] else 2
    model, path = "models:/" + "/".join(parts[:count]), "/".join(parts[count:]).rstrip("/")
    opened = open_model(model, root=None if tracking_uri is None else _root(tracking_uri))  # verifies every file
    if path:
        path = names.check_artifact_path(path).as_posix()
        _check(opened.folder, path, lambda: opened.manifest.files, model)
    return _Place(opened.folder, path, path)


def _check(root: Path, path: str, known: Callable[[], Iterable[str]], owner: str) -> None:
    """NotFoundError unless a file or folder lies there, with no link on the way."""
    *folders, _ = parts = path.split("/")
    steps = [root.joinpath(*parts[:count]) for count in range(1, len(folders) + 1)]
    last = root / path
    if all(map(_io.is_folder, steps)) and (_io.is_folder(last) or (last.is_file() and not last.is_symlink())):
        return
    if any(place.is_symlink() for place in [*steps, last]):
        raise NotFoundError(f"{last} is or lies behind a link, and links are not followed. Log the file itself.")
    raise NotFoundError(f"{owner} has no artifact {path!r}.{did_you_mean(path, known())}") from _NO_ARTIFACT


def _copy(source: Path, target: Path) -> Path:
    """Copy a file, or the files of a folder without those that links lead to."""
    with _io.explained("copy", source):
        if not _io.is_folder(source):
            _copy_file(source, target)
            return target
        target.mkdir(parents=True, exist_ok=True)
        for place, folders, files in os.walk(source):
            folders[:] = [name for name in folders if not name.startswith(layout.ASIDE)]
            for file in (Path(place, name) for name in files):
                if not file.is_symlink() and not file.name.startswith(layout.ASIDE):
                    _copy_file(file, target / file.relative_to(source))
    return target


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with _io.open_regular(source) as reader_:
        _io.copy_file(reader_, target, durable=False)


def _info(entry: os.DirEntry[str], below: str) -> FileInfo:
    is_folder = entry.is_dir(follow_symlinks=False)
    return FileInfo(
        f"{below}/{entry.name}" if below else entry.name,
        is_folder,
        None if is_folder else entry.stat(follow_symlinks=False).st_size,
    )


def _load(uri: str) -> bytes:
    path = Path(download_artifacts(uri))
    with _io.explained("read", path):
        return _io.read_file(path, limit=MAX_LOADED)
