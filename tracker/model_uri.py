"""Where a model URI leads: a path, a run, a registered version, or a published site.

| URI | leads to |
|---|---|
| `./model`, `file:///data/model` | a folder |
| `runs:/<run_id>/<path>` | what a run logged under this name; the newest when it logged several |
| `runs:/<run_id>/<path>:<n>` | the n-th of them |
| `models:/<name>/<version>`, `/latest`, `/<stage>`, `models:/<name>@<alias>` | a version of a registered model |
| `https://host/site/models/<slug>/<version>/` | the page of a version on a published site |

`models:/` URIs look into the store that set_tracking_uri() names, which may be a published site too.
"""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from msgspec import Struct

from tracker import _io, layout, names, reader, registry, remote
from tracker.exceptions import InvalidValueError, ModelError, NotFoundError, TrackerError, did_you_mean
from tracker.models.mlmodel import Model
from tracker.session import session

_MODEL_ID = re.compile(r"(?:m-)?[0-9a-f]{32}")
_NUMBERED = re.compile(r"(.+)-(\d+)")
_ORDINAL = re.compile(r"(.*?)(?::(\d{1,9}))?", re.DOTALL)


class ModelPlace(Struct, frozen=True):
    """Where a model lies, and what is known of it before it is opened."""

    uri: str
    """As it was given."""
    folder: Path
    in_store: bool
    """Whether it lies in the store that this process uses, whose authors the user trusts."""
    digest: str = ""
    """What the registry says its digest is; empty for models that are not registered."""
    run_id: str = ""
    """The run that a `runs:/` URI or the registry names."""


class RegistryName(Struct, frozen=True):
    """What a `models:/` URI asks for."""

    name: str
    alias: str = ""
    selector: str = ""
    """A version number, `latest` or a stage; empty with an alias."""


def find_model(uri: str | os.PathLike[str], *, root: Path | None = None) -> ModelPlace:
    """Where a URI leads; `root` is a store other than the session's.

    Raises NotFoundError for what is not there (with the nearest name), InvalidValueError for what is no URI,
    ModelError for a folder without a model.
    """
    text = names.check_text(os.fspath(uri), "A model URI")
    if text.startswith("runs:/"):
        return _of_run(text, root or session.root)
    if text.startswith("models:/"):
        return _of_registry(text, root)
    if names.is_site(text):
        folder = remote.fetch_model(text)
        return ModelPlace(text, folder, in_store=False, digest=f"sha256:{folder.name}")
    if text.startswith(("runs:", "models:")):
        scheme, _, rest = text.partition(":")
        raise InvalidValueError(f"{text!r} lacks the slash behind {scheme}:. Write {scheme}:/{rest}.")
    if names.scheme_of(text) not in ("", "file"):
        raise InvalidValueError(f"tracker loads no models from {text!r}. Fetch it, and give the path of its folder.")
    return _of_path(text, root)


def parse_registry_uri(uri: str) -> RegistryName:
    """The parts of a `models:/` URI; InvalidValueError when it is none."""
    rest = uri.removeprefix("models:").lstrip("/")
    if _MODEL_ID.fullmatch(rest):
        raise InvalidValueError(
            f"{uri!r} names a model by its id, which leads nowhere here. Use runs:/<run_id>/<name>, the model_uri "
            "of what log_model() returned."
        )
    name, at, alias = rest.rpartition("@")
    if at and "/" not in alias:
        return RegistryName(name, alias=alias)
    name, slash, selector = rest.rpartition("/")
    if not (slash and name and selector):
        raise InvalidValueError(
            f"{uri!r} is no URI of a registered model. Use models:/<name>/<version>, models:/<name>/<stage>, "
            "models:/<name>/latest or models:/<name>@<alias>."
        )
    return RegistryName(name, selector=selector)


def is_inside(folder: Path, root: Path) -> bool:
    """Whether a folder lies below another one, links resolved."""
    return folder.resolve().is_relative_to(root.resolve())


def _of_run(uri: str, root: Path) -> ModelPlace:
    run_id, _, path = uri.removeprefix("runs:").lstrip("/").partition("/")
    if not path:
        raise InvalidValueError(
            f"{uri!r} names no model. Use runs:/<run_id>/<name>, such as runs:/{run_id or '…'}/model."
        )
    path, number = _ORDINAL.fullmatch(path.rstrip("/")).groups()  # type: ignore[union-attr]
    checked = names.check_artifact_path(path, "The path in a model URI")
    artifacts = reader.find_run(root, run_id) / layout.ARTIFACTS
    folder = numbered(artifacts / checked, int(number)) if number else newest(artifacts / checked)
    if not (folder / layout.MLMODEL_FILE).is_file():
        known = [logged.relative_to(artifacts).as_posix() for logged in logged_models(artifacts)]
        has = f" It has {', '.join(known[:5])}." if known else " It logged no model."
        raise NotFoundError(f"The run {run_id} has no model {str(checked)!r}.{has}{did_you_mean(str(checked), known)}")
    _refuse_way_out(uri, folder, root)
    return ModelPlace(uri, folder, in_store=True, run_id=run_id)


def logged_models(artifacts: Path) -> list[Path]:
    """The folders with an MLmodel file below the artifacts of a run, without links, by name."""
    found = []
    for place, folders, files in os.walk(artifacts):
        folders.sort()
        if layout.MLMODEL_FILE in files:
            found.append(Path(place))
            folders.clear()
    return found


def numbered(folder: Path, number: int) -> Path:
    """The n-th model that a run logged under one name: `model`, `model-2`, `model-3` and so on."""
    return folder if number == 1 else folder.with_name(f"{folder.name}-{number}")


def newest(folder: Path) -> Path:
    """The last model that a run logged under one name: `model`, else `model-2`, `model-3` and so on."""
    newest, number = folder, 1
    for sibling in folder.parent.glob(f"{glob.escape(folder.name)}-*"):
        parts = _NUMBERED.fullmatch(sibling.name)
        if parts and parts[1] == folder.name and int(parts[2]) > number and _is_named(sibling, folder.name):
            newest, number = sibling, int(parts[2])
    return newest


def _is_named(folder: Path, name: str) -> bool:
    """Whether a model was logged under this name, and only numbered because another one had it."""
    try:
        return _io.is_folder(folder) and Model.load(folder).artifact_path.rpartition("/")[2] == name
    except TrackerError:
        return False


def _of_registry(uri: str, root: Path | None) -> ModelPlace:
    wanted = parse_registry_uri(uri)
    if root is None and session.site:
        entry = remote.find_version(session.site, wanted.name, alias=wanted.alias, selector=wanted.selector)
        return ModelPlace(
            uri, remote.fetch_model(entry.files, digest=entry.digest), in_store=False, digest=entry.digest
        )
    store = root or session.root
    found = registry.find_version(store, wanted.name, alias=wanted.alias, selector=wanted.selector)
    if not _io.is_folder(found.folder):
        raise NotFoundError(
            f"The files of {uri} are gone: there is no folder {found.folder}. `tracker registry check` names all such."
        )
    _refuse_way_out(uri, found.folder, store)
    file = found.file
    return ModelPlace(uri, found.folder, in_store=True, digest=file.digest, run_id=file.run_id)


def _refuse_way_out(uri: str, folder: Path, root: Path) -> None:
    if not is_inside(folder, root):
        raise ModelError(f"{uri} leads by a link out of the store, to {folder.resolve()}. Links are not followed.")


def _of_path(uri: str, root: Path | None) -> ModelPlace:
    folder = names.folder_of(uri)
    if not folder.exists():
        raise NotFoundError(f"There is no model at {folder}. Check the path; it is relative to {Path.cwd()}.")
    if not folder.is_dir():
        raise ModelError(f"{folder} is a file. Name the folder of the model, the one with the MLmodel file.")
    store = root or (None if session.site else session.root)
    in_store = store is not None and layout.store_file(store).is_file() and is_inside(folder, store)
    return ModelPlace(uri, folder, in_store=in_store)
