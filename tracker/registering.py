"""A version of a registered model out of a URI."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tracker import _io, codec, layout, names
from tracker.exceptions import UntrustedModelError
from tracker.model_uri import is_inside
from tracker.models.info import ModelInfo
from tracker.opening import OpenedModel, Trust, open_model
from tracker.registry import Registry, check_registered_name, unsafe_path
from tracker.session import session
from tracker.store import built_aside

if TYPE_CHECKING:
    from tracker.registry.entities import ModelVersion


def register_model(
    model_uri: str | os.PathLike[str],
    name: str,
    await_registration_for: int | None = None,
    *,
    tags: Mapping[str, object] | None = None,
    description: str = "",
    trust: Trust = False,
) -> ModelVersion:
    """Register a model as the next version of `name`, which is made when it is missing.

    Every file is verified first. A model from outside the store is copied into it. What the store holds is trusted
    later on, so that needs `trust=True` (or its digest), unless the model is a skops file or a text of LightGBM, whose
    checks trust does not change.

    >>> version = tracker.register_model(f"runs:/{run_id}/model", "iris")
    >>> version.name, version.version
    ('iris', '1')
    """
    check_registered_name(name)
    opened = open_model(model_uri, trust=trust)
    return register_opened(opened, name, session.store().root, tags=tags, description=description)


def register_opened(
    opened: OpenedModel,
    name: str,
    root: Path,
    *,
    run_id: str = "",
    tags: Mapping[str, object] | None = None,
    description: str = "",
) -> ModelVersion:
    """Register an opened model in a store, as register_model does."""
    folder = opened.folder
    inside = is_inside(folder, root)
    if not inside:
        _require_trust(opened)
    if not inside or unsafe_path(_path_in(root, folder)):
        folder = _copy_into(root, name, opened)
    path = _path_in(root, folder)
    version = Registry(root).register(
        name,
        path=path,
        digest=opened.manifest.digest,
        source=_source(opened.uri, path),
        run_id=run_id or opened.run_id or _run_of(opened),
        tags=tags,
        description=description,
    )
    return version.entity()


def register_logged(info: ModelInfo, folder: Path, name: str) -> ModelVersion:
    """Register the model that was logged just now."""
    root = session.store().root
    registry = Registry(root)
    return registry.register(
        name, path=_path_in(root, folder), digest=info.digest, source=info.model_uri, run_id=info.run_id or ""
    ).entity()


def _require_trust(opened: OpenedModel) -> None:
    """What the store holds is trusted when it is loaded, so what trust would change has to be vouched for."""
    if opened.format.safe and not opened.format.always_checked and not opened.trusted:
        raise UntrustedModelError(
            f"{opened.uri} was not registered: it lies outside of the store, and models of the store are loaded with "
            f"fewer checks of {opened.format.name} files. Look at it with `tracker models inspect`; then register it "
            f'with trust=True, or pin it with trust="{opened.manifest.digest}".'
        )
    if not opened.format.safe:
        opened.require_trust()


def _run_of(opened: OpenedModel) -> str:
    """The run that a model says it is of; nothing else that may stand there."""
    found = opened.model.run_id or ""
    return found if names.is_run_id(found) else ""


def _path_in(root: Path, folder: Path) -> str:
    return folder.resolve().relative_to(root.resolve()).as_posix()


def _source(uri: str, path: str) -> str:
    """What a version was registered from, without the folders of this machine."""
    if not uri.startswith("file:") and not Path(uri).is_absolute():
        return uri
    parts = Path(path).parts
    if parts[0] == layout.EXPERIMENTS and len(parts) > 5:
        return f"runs:/{parts[3]}/{'/'.join(parts[5:])}"
    return names.folder_of(uri).name


def _copy_into(root: Path, name: str, opened: OpenedModel) -> Path:
    """A verified copy of a model inside the store."""
    slug = Registry(root).model_for(name).slug
    target = layout.copied_model(root, slug, names.new_id())
    with _io.explained("copy a model into", target):
        _io.make_folder(target.parent, inside=root)
        with built_aside(target, durable=True) as aside:
            _io.make_folder(aside, inside=root)
            for path in opened.manifest.files:
                _io.make_folder((aside / path).parent, inside=root)
                opened.copy_file(path, aside / path)
            _io.replace_file(aside / layout.MANIFEST_FILE, codec.json_file(opened.manifest), durable=False)
            _io.sync_tree(aside)
    return target


__all__ = ["check_registered_name", "register_logged", "register_model", "register_opened"]
