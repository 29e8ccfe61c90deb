"""Where `tracker:` URIs lead.

A tracking URI names the folder of a store, as everywhere in tracker (`names.folder_of`). The URIs of artifacts are made
here, from where the store lies now; none of them is ever written to a file.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from tracker import layout, names
from tracker.exceptions import InvalidValueError

_PREFIX = "tracker:"
_QUOTED = re.compile("[%#?;]")


class ArtifactPlace(Struct, frozen=True):
    """What an artifact URI leads to: a folder of a run's artifacts, or a version of a registered model."""

    root: Path
    """Of the store."""
    run_folder: Path | None = None
    below: str = ""
    """Path below `artifacts/`, or below the folder of the version's model."""
    slug: str = ""
    """Folder of a registered model."""
    version: int = 0


def uri_of(folder: Path) -> str:
    """The artifact URI of a folder."""
    path = folder.absolute().as_posix()
    quoted = _QUOTED.sub(lambda found: f"%{ord(found[0]):02X}", path)
    return f"{_PREFIX}//{quoted if quoted.startswith('/') else f'/{quoted}'}"


def version_uri(root: Path, slug: str, version: int) -> str:
    """The artifact URI of a version of a registered model."""
    return uri_of(layout.versions(root, slug) / str(version))


def place_of(uri: str) -> ArtifactPlace:
    """Where an artifact URI leads; InvalidValueError for one that leads into no store."""
    text = uri.removeprefix(_PREFIX)
    path = Path(names.without_uri_slash(unquote(text[2:] if text.startswith("//") else text))).absolute()
    for root in () if ".." in path.parts else path.parents:
        if layout.store_file(root).is_file() and (found := _in_store(root, path.relative_to(root).parts)):
            return found
    raise InvalidValueError(f"{uri!r} leads to no artifacts of a store. Is the store gone, or was it moved?")


def _in_store(root: Path, parts: tuple[str, ...]) -> ArtifactPlace | None:
    match parts:
        case [layout.EXPERIMENTS, slug, layout.RUNS, run_id, layout.ARTIFACTS, *below] if names.is_run_id(run_id):
            return ArtifactPlace(root, layout.run(root, slug, run_id), "/".join(below))
        case [layout.TRASH, slug, run_id, layout.ARTIFACTS, *below] if names.is_run_id(run_id):
            return ArtifactPlace(root, layout.trashed_run(root, slug, run_id), "/".join(below))
        case [layout.REGISTRY, slug, layout.VERSIONS, number, *below] if number.isdecimal():
            return ArtifactPlace(root, None, "/".join(below), slug, int(number))
    return None
