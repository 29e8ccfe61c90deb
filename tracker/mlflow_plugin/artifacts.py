"""MLflow's access to artifacts: what it writes is checked and noted as every artifact of ours, and what it reads does
not change the store.

MLflow 3 shows the folder of a logged model apart from the other artifacts of its run, so listings leave it out.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from tracker import _io, layout, names
from tracker.artifact_files import ArtifactFile, list_files, look_at
from tracker.mlflow_plugin import places
from tracker.mlflow_plugin.model_files import models_of
from tracker.mlflow_plugin.translated import missing, translated
from tracker.model_uri import newest
from tracker.models.mlmodel import MAX_MLMODEL
from tracker.opening import OpenedModel, open_model
from tracker.registry import Registry
from tracker.run import ActiveRun
from tracker.session import session as current
from tracker.yaml_files import read_plain_yaml

_READ_ONLY = "A registered version does not change. Log the model again, and register that."
_IMAGE_OF_MLFLOW_2 = re.compile(r"%step%-?\d+%timestamp%\d+%")
"""MLflow 3 has pluses in these names; the percent signs make one in a hundred look like an encoded path."""
_kept: list[OpenedModel] = []
"""Private copies of registered models live as long as the process: MLflow gets paths and may open them at any time."""


@translated
class ArtifactRepository(LocalArtifactRepository):  # type: ignore[misc]
    """Artifacts of a run or of a logged model, or the files of a registered version."""

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        self._place = places.place_of(artifact_uri)
        super().__init__(artifact_uri, *((tracking_uri, registry_uri) if registry_uri else ()))
        self._opened: OpenedModel | None = None

    @property
    def artifact_dir(self) -> str:
        """The folder that the paths of this repository are relative to."""
        return str(self._folder())

    # Writing

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Copy a file into the run."""
        run, below = self._target(artifact_path)
        file = Path(local_file)
        if _IMAGE_OF_MLFLOW_2.search(file.name):
            run.log_bytes(file.read_bytes(), posixpath.join(below, file.name.replace("%", "+")))
            return
        run.log_artifact(file, below or None)
        _tell_no_place(run, file.parent, [file], below)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Copy the files below a folder into the run."""
        run, below = self._target(artifact_path)
        run.log_artifacts(local_dir, below or None)
        _tell_no_place(run, Path(local_dir), Path(local_dir).rglob(layout.MLMODEL_FILE), below)

    def log_artifact_from_stream(self, stream: Any, artifact_file_name: str, artifact_path: str | None = None) -> None:
        """Write what a stream gives into a file of the run."""
        run, below = self._target(artifact_path)
        run.log_bytes(stream.read(), posixpath.join(below, Path(artifact_file_name).name))

    async def log_artifact_from_async_stream(
        self, chunks: Any, artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        """The same for a stream that is waited for."""
        run, below = self._target(artifact_path)
        run.log_bytes(b"".join([chunk async for chunk in chunks]), posixpath.join(below, Path(artifact_file_name).name))

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Delete a file or folder of the run."""
        self._target(artifact_path)
        path = self._path(artifact_path)
        if _io.is_folder(path):
            _io.remove_tree(path)
        else:
            _io.discard(path)

    def _target(self, artifact_path: str | None) -> tuple[ActiveRun, str]:
        """The run to write to, and where below its artifacts."""
        if self._place.run_folder is None:
            raise MlflowException(_READ_ONLY, INVALID_PARAMETER_VALUE)
        below = posixpath.join(self._place.below, _clean(artifact_path))
        return current.kept_run(self._place.root, self._place.run_folder.name), below.rstrip("/")

    # Reading

    def list_artifacts(self, path: str | None = None) -> list[Any]:
        """What lies directly in a folder; the models that MLflow lists apart are left out."""
        folder = self._path(path)
        below = _clean(path)
        hidden = self._folders_of_models()
        if below.partition("/")[0] in {name for name, listed in hidden.items() if name == listed}:
            return []
        found = _entries(folder) if _io.is_folder(folder) else []
        return sorted(
            (
                FileInfo(posixpath.join(below, entry.name), is_dir, None if is_dir else entry.stat().st_size)
                for entry, is_dir in found
                if below or entry.name not in hidden
            ),
            key=lambda info: info.path,
        )

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        """The path of a file or folder; with `dst_path` a copy of it there.

        Without one, the folder of a model is copied all the same, since MLflow adds a file to what it gets, and so is
        a folder with links.
        """
        source = self._existing(artifact_path)
        if dst_path is None:
            ours = self._place.run_folder is not None and _io.is_folder(source)
            private = ours and ((source / layout.MLMODEL_FILE).is_file() or any(one.problem for one in _files(source)))
            return str(_copied(source) if private else source)
        if not Path(dst_path).is_dir():
            raise MlflowException(
                f"The destination path for downloaded artifacts does not exist! Destination path: {dst_path}",
                INVALID_PARAMETER_VALUE,
            )
        target = Path(dst_path).absolute() / _clean(artifact_path)
        _copy(source, target)
        return str(target)

    def get_local_path(self, artifact_path: str) -> str:
        """The path of a file or folder."""
        return str(self._existing(artifact_path))

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        _copy(self._existing(remote_file_path), Path(local_path))

    def _is_directory(self, artifact_path: str | None) -> bool:
        return _io.is_folder(self._path(artifact_path))

    # How

    def _folder(self) -> Path:
        if self._place.run_folder is None:
            return self._version().copy() / self._place.below
        return self._place.run_folder / layout.ARTIFACTS / self._place.below

    def _version(self) -> OpenedModel:
        """The files of a registered version, compared with its digest and copied."""
        if self._opened is None:
            model = next(each for each in Registry(self._place.root).models() if each.slug == self._place.slug)
            self._opened = open_model(f"models:/{model.name}/{self._place.version}", root=self._place.root)
            _kept.append(self._opened)
        return self._opened

    def _path(self, artifact_path: str | None) -> Path:
        """Where a path leads; the name of a logged model leads to the newest of this name, as in MLflow."""
        below = _clean(artifact_path)
        path = self._folder() / (names.check_artifact_path(below) if below else "")
        if below and "/" not in below and below in self._folders_of_models():
            path = newest(path)
        if self._place.run_folder is not None:
            _refuse_links(self._place.run_folder, path)
        return path

    def _existing(self, artifact_path: str | None) -> Path:
        path = self._path(artifact_path)
        if not (_io.is_folder(path) or any(not found.problem for found in look_at(path, ""))):
            raise missing(f"No such artifact: '{artifact_path}'")
        return path

    def _folders_of_models(self) -> dict[str, str]:
        """The names of logged models by their folders, where this is all that the run has."""
        if self._place.run_folder is None or self._place.below:
            return {}
        return {file.path: file.name for file in models_of(self._place.run_folder)}


def _tell_no_place(run: ActiveRun, folder: Path, files: Any, below: str) -> None:
    """MLflow 3 writes into an MLmodel file where the model lies on this machine: its name stays."""
    for file in files:
        if file.name == layout.MLMODEL_FILE and (data := _without_place(file)):
            run.log_bytes(data, posixpath.join(below, file.relative_to(folder).as_posix()))


def _without_place(file: Path) -> bytes | None:
    """An MLmodel file with a name in place of a path or URI; None where there is none."""
    with contextlib.suppress(OSError, ValueError):
        fields = read_plain_yaml(_io.read_file(file.resolve(), limit=MAX_MLMODEL))
        path = fields.get("artifact_path") if isinstance(fields, dict) else None
        if isinstance(path, str) and path.startswith("tracker:"):
            assert isinstance(fields, dict)
            fields["artifact_path"] = _name_of(path)
            return yaml.safe_dump(fields, default_flow_style=False).encode()
    return None


def _name_of(uri: str) -> str:
    """The name that a model was logged under, whatever number its folder got."""
    place = places.place_of(uri)
    known = models_of(place.run_folder) if place.run_folder else []
    return next((file.name for file in known if file.path == place.below), posixpath.basename(place.below))


def _refuse_links(run_folder: Path, path: Path) -> None:
    """A link among artifacts may lead anywhere, so it is as good as not there."""
    for part in (path, *path.parents):
        if part == run_folder:
            return
        if part.is_symlink():
            raise missing(f"{part.name!r} is a link, and links are not followed")


def _clean(path: str | None) -> str:
    cleaned = posixpath.normpath((path or "").replace(os.sep, "/"))
    return "" if cleaned == "." else cleaned


def _entries(folder: Path) -> Iterator[tuple[os.DirEntry[str], bool]]:
    """Files and folders in a folder, without links and what is in the making."""
    with os.scandir(folder) as entries:
        for entry in entries:
            is_dir = entry.is_dir(follow_symlinks=False)
            if not entry.name.startswith(layout.ASIDE) and (is_dir or entry.is_file(follow_symlinks=False)):
                yield entry, is_dir


def _files(path: Path) -> Iterator[ArtifactFile]:
    if _io.is_folder(path):
        yield from list_files(path)
    else:
        yield from look_at(path, "")


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder into one that may be there; no link is followed. What is there already, such as what
    MLflow copies a second time, stays."""
    if _io.is_folder(source):
        target.mkdir(parents=True, exist_ok=True)
    for found in _files(source):
        if found.problem:
            continue
        place = target / found.name if found.name else target
        info = os.lstat(found.path)
        with contextlib.suppress(OSError):
            there = place.stat()
            if (there.st_size, there.st_mtime_ns) == (info.st_size, info.st_mtime_ns):
                continue
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(found.path, place, follow_symlinks=False)


def _copied(folder: Path) -> Path:
    """A private copy of a folder, removed when the process ends."""
    made = Path(tempfile.mkdtemp(prefix="tracker-mlflow-"))
    weakref.finalize(_Keeper, shutil.rmtree, made, ignore_errors=True)
    _copy(folder, made / folder.name)
    return made / folder.name


class _Keeper:
    """What private copies live with: this module, and so the process."""
