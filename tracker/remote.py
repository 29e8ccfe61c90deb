"""Models of a published site, fetched into the cache folder. Every file is checked against its digest."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from urllib.parse import quote, urljoin

import msgspec

from tracker import _io, layout, names, settings
from tracker.exceptions import ChangedModelError, ModelError, NotFoundError, did_you_mean
from tracker.models import digests
from tracker.registry.naming import LATEST, version_number
from tracker.schema import Manifest

SCHEMA = 1
MAX_INDEX = 16 * 1024 * 1024
"""Bytes of the largest list of models that is read."""
MAX_MANIFEST = 16 * 1024 * 1024
"""Bytes of the largest manifest that is read."""
MAX_FILES = 10_000
"""Files of the largest model that is fetched."""
MAX_MODEL = 4 * 1024 * 1024 * 1024
"""Bytes of the largest model that is fetched."""
INDEX = "models/registry.json"
FILES = "files/"
_PAGE = re.compile(r"((?<=/)index\.html)?([?#].*)?$")


class SiteVersion(msgspec.Struct, frozen=True):
    """One version in the list of models of a site."""

    stage: str = "None"
    digest: str = ""
    files: str | None = None
    """Address of its files, relative to the site; None where they are not published."""
    deleted: bool = False


class SiteModel(msgspec.Struct, frozen=True):
    """One registered model in the list of a site."""

    aliases: dict[str, str | int] = {}
    versions: dict[str, SiteVersion] = {}
    unreadable: list[str] = []
    """Files of its registry that could not be read when the site was built."""

    @property
    def live(self) -> dict[int, SiteVersion]:
        """The versions that are not deleted, by number."""
        numbers = {version_number(text): version for text, version in self.versions.items() if not version.deleted}
        return {number: numbers[number] for number in sorted(filter(None, numbers))}


class SiteIndex(msgspec.Struct, frozen=True):
    """`models/registry.json` of a site."""

    schema: int
    models: dict[str, SiteModel] = {}


class FoundVersion(msgspec.Struct, frozen=True):
    """Where the files of a version are, and what their digest must be."""

    files: str
    """Address of the folder."""
    digest: str


def find_version(site: str, name: str, *, alias: str, selector: str) -> FoundVersion:
    """A version of a registered model of a site, by alias, number, stage or `latest`.

    Raises NotFoundError with the nearest name; ModelError when the site does not publish its files.
    """
    from tracker import fetching  # brings http and ssl with it

    index = _index(site)
    model = index.models.get(name)
    if model is None:
        raise NotFoundError(f"{site} has no model {name!r}.{did_you_mean(name, index.models)}")
    number = _aliased(name, model, alias) if alias else _selected(name, model, selector)
    version = model.live.get(number)
    if version is None:
        has = ", ".join(map(str, model.live)) or "none"
        raise NotFoundError(f"{site} has no version {number} of {name!r}. It has {has}.")
    if version.files is None:
        raise ModelError(f"{site} shows version {number} of {name!r}, but does not publish its files.")
    folder = _folder(site)
    files = urljoin(folder, version.files)
    if not fetching.is_same_place(files, folder):
        raise ModelError(f"{site} says that {name!r} lies at {files!r:.200}, which is another place. It is not read.")
    return FoundVersion(files, version.digest)


def fetch_model(address: str, *, digest: str = "") -> Path:
    """The folder of a model in the cache, after fetching what is not there; `address` is a version's page or files.

    Raises ChangedModelError when a file is not what the manifest says, NotFoundError when the site lacks one.
    """
    from tracker import fetching

    base = _folder(address)
    if not base.endswith(f"/{FILES}"):
        base += FILES
    address = base + layout.MANIFEST_FILE
    manifest = digests.parse_manifest(fetching.fetch_bytes(address, MAX_MANIFEST), address)
    if digest and manifest.digest != digest:
        raise ChangedModelError(f"{base} has the digest {manifest.digest}, but the list of the site says {digest}.")
    _check_size(base, manifest)
    folder = settings.cache_folder() / "models" / manifest.digest.removeprefix("sha256:")
    if not _is_whole(folder, manifest):
        _download(base, manifest, folder)
    return folder


def _check_size(base: str, manifest: Manifest) -> None:
    size = sum(entry.bytes for entry in manifest.files.values())
    if size > MAX_MODEL:
        raise ModelError(f"The model at {base} has {size:,} bytes; at most {MAX_MODEL:,} are fetched.")
    if len(manifest.files) > MAX_FILES:
        raise ModelError(f"The model at {base} has {len(manifest.files):,} files; at most {MAX_FILES:,} are fetched.")


def _is_whole(folder: Path, manifest: Manifest) -> bool:
    """Whether a model is in the cache, with each file in its size; opening it compares the digests."""
    try:
        sizes = {path: (folder / path).lstat().st_size for path in manifest.files}
        (folder / layout.MANIFEST_FILE).lstat()
    except OSError:
        return False
    return sizes == {path: entry.bytes for path, entry in manifest.files.items()}


def _download(base: str, manifest: Manifest, folder: Path) -> None:
    from tracker import fetching

    aside = folder.with_name(f"{layout.ASIDE}{names.new_id()}")
    with _io.explained("fetch a model into", folder):
        try:
            _io.make_folder(aside, inside=aside.parent)
            for path, entry in manifest.files.items():
                _io.make_folder((aside / path).parent, inside=aside.parent)
                with fetching.fetch(base + quote(path), entry.bytes) as body:
                    _io.copy_file(body, aside / path, durable=False)
                if (body.size, body.sha256) != (entry.bytes, entry.sha256):
                    raise ChangedModelError(
                        f"{base}{path} is not what the manifest beside it says. Nothing was loaded."
                    )
            _io.replace_file(aside / layout.MANIFEST_FILE, msgspec.json.encode(manifest), durable=False)
            if not _is_whole(folder, manifest):
                _io.remove_tree(folder)
            with contextlib.suppress(FileExistsError):
                _io.move_folder(aside, folder, durable=False)
        finally:
            _io.remove_tree(aside)


def _selected(name: str, model: SiteModel, selector: str) -> int:
    """The version that a number, `latest` or a stage means."""
    number = version_number(selector)
    if number is not None:
        return number
    if model.unreadable:
        raise ModelError(
            f"{selector!r} of {name!r} may be a version that could not be read when the site was built "
            f"({model.unreadable[0]:.200}). Ask for a version by its number."
        )
    word = selector.lower()
    chosen = [number for number, version in model.live.items() if word in (LATEST, version.stage.lower())]
    if not chosen:
        stages = {version.stage for version in model.live.values()}
        hint = f" Write models:/{name}@{selector} for the alias." if selector in model.aliases else ""
        raise NotFoundError(
            f"No version of {name!r} is in stage {selector!r}.{hint or did_you_mean(selector, [*stages, LATEST])}"
        )
    return max(chosen)


def _aliased(name: str, model: SiteModel, alias: str) -> int:
    seen = [alias]
    while (target := model.aliases.get(seen[-1])) is not None:
        number = version_number(target)
        if number is not None:
            return number
        if target in seen:
            raise ModelError(f"The aliases of {name!r} lead in a circle: {' -> '.join([*seen, str(target)])}.")
        seen.append(str(target))
    raise NotFoundError(f"{name!r} has no alias {seen[-1]!r}.{did_you_mean(seen[-1], model.aliases)}")


def _index(site: str) -> SiteIndex:
    from tracker import fetching

    address = urljoin(_folder(site), INDEX)
    try:
        index = msgspec.json.decode(fetching.fetch_bytes(address, MAX_INDEX), type=SiteIndex)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{address} is no list of models: {error}.") from None
    if index.schema > SCHEMA:
        raise ModelError(f"{address} has schema {index.schema}; this tracker reads {SCHEMA}. Install a newer tracker.")
    return index


def _folder(address: str) -> str:
    """The address of the folder that a page stands for."""
    return _PAGE.sub("", address).rstrip("/") + "/"
