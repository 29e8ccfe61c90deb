"""Models of a published site, fetched into the cache folder. Every file is checked against its digest."""

from __future__ import annotations

import contextlib
import hashlib
import re
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from tracker import _io, layout, names, settings
from tracker.exceptions import ChangedModelError, InvalidValueError, ModelError, NotFoundError, did_you_mean
from tracker.models import digests
from tracker.schema import Manifest

SCHEMA = 1
TIMEOUT = 30.0
"""Seconds without a byte after which a site is given up."""
MAX_INDEX = 64 * 1024 * 1024
"""Bytes of the largest list of models that is read."""
MAX_MODEL = 4 * 1024 * 1024 * 1024
"""Bytes of the largest model that is fetched."""
INDEX = "models/registry.json"
FILES = "files/"
_LOCAL = ("127.0.0.1", "localhost", "::1")
_PAGE = re.compile(r"(index\.html)?([?#].*)?$")


class SiteVersion(msgspec.Struct, frozen=True):
    """One version in the list of models of a site."""

    stage: str = "None"
    digest: str = ""
    files: str | None = None
    """Address of its files, relative to the site; None where they are not published."""
    deleted: bool = False


class SiteModel(msgspec.Struct, frozen=True):
    """One registered model in the list of a site."""

    aliases: dict[str, str] = {}
    versions: dict[str, SiteVersion] = {}


class SiteIndex(msgspec.Struct, frozen=True):
    """`models/registry.json` of a site."""

    schema: int
    models: dict[str, SiteModel] = {}


class FoundVersion(msgspec.Struct, frozen=True):
    """Where the files of a version are, and what their digest must be."""

    files: str
    """Address of the folder."""
    digest: str


def is_site(uri: str) -> bool:
    """Whether a URI is an address of the web."""
    return uri.lower().startswith(("http://", "https://"))


def find_version(site: str, name: str, *, alias: str, selector: str) -> FoundVersion:
    """A version of a registered model of a site, by alias, number, stage or `latest`.

    Raises NotFoundError with the nearest name; ModelError when the site does not publish its files.
    """
    index = _index(site)
    model = index.models.get(name)
    if model is None:
        raise NotFoundError(f"{site} has no model {name!r}.{did_you_mean(name, index.models)}")
    number = _number_of(name, model, alias, selector)
    version = model.versions.get(number)
    if version is None or version.deleted:
        raise NotFoundError(f"{site} has no version {number} of {name!r}. It has {_known(model)}.")
    if version.files is None:
        raise ModelError(f"{site} shows version {number} of {name!r}, but does not publish its files.")
    return FoundVersion(urljoin(_folder(site), version.files), version.digest)


def fetch_model(address: str, *, digest: str = "") -> Path:
    """The folder of a model in the cache, after fetching what is not there; `address` is a version's page or files.

    Raises ChangedModelError when a file is not what the manifest says, NotFoundError when the site lacks one.
    """
    base = _folder(address)
    if not base.endswith(f"/{FILES}"):
        base += FILES
    manifest = digests.parse_manifest(
        _get(base + layout.MANIFEST_FILE, digests.MAX_MANIFEST), base + layout.MANIFEST_FILE
    )
    if digest and manifest.digest != digest:
        raise ChangedModelError(f"{base} has the digest {manifest.digest}, but the list of the site says {digest}.")
    size = sum(entry.bytes for entry in manifest.files.values())
    if size > MAX_MODEL:
        raise ModelError(f"The model at {base} has {size:,} bytes; at most {MAX_MODEL:,} are fetched.")
    folder = settings.cache_folder() / "models" / manifest.digest.removeprefix("sha256:")
    if not (folder / layout.MANIFEST_FILE).is_file():
        _download(base, manifest, folder)
    return folder


def _download(base: str, manifest: Manifest, folder: Path) -> None:
    aside = folder.with_name(f"{layout.ASIDE}{names.new_id()}")
    with _io.explained("fetch a model into", folder):
        try:
            for path, entry in manifest.files.items():
                data = _get(base + quote(path), entry.bytes)
                if len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
                    raise ChangedModelError(
                        f"{base}{path} is not what the manifest beside it says. Nothing was loaded."
                    )
                _io.make_folder((aside / path).parent, inside=aside.parent)
                _io.replace_file(aside / path, data, durable=False)
            _io.replace_file(aside / layout.MANIFEST_FILE, msgspec.json.encode(manifest), durable=False)
            with contextlib.suppress(FileExistsError):
                _io.move_folder(aside, folder, durable=False)
        finally:
            _io.remove_tree(aside)


def _number_of(name: str, model: SiteModel, alias: str, selector: str) -> str:
    """The version that is meant, as text."""
    kept = {number: version for number, version in model.versions.items() if not version.deleted}
    if alias:
        return _aliased(name, model, alias)
    if selector.isdecimal():
        return str(int(selector))
    chosen = [int(number) for number, version in kept.items() if selector.lower() in ("latest", version.stage.lower())]
    if not chosen:
        stages = {version.stage for version in kept.values()}
        raise NotFoundError(f"No version of {name!r} is in stage {selector!r}.{did_you_mean(selector, stages)}")
    return str(max(chosen))


def _aliased(name: str, model: SiteModel, alias: str) -> str:
    seen = [alias]
    while (target := model.aliases.get(seen[-1])) is not None:
        if target.isdecimal():
            return target
        if target in seen:
            raise ModelError(f"The aliases of {name!r} go in a circle: {' -> '.join([*seen, target])}.")
        seen.append(target)
    raise NotFoundError(f"{name!r} has no alias {seen[-1]!r}.{did_you_mean(seen[-1], model.aliases)}")


def _known(model: SiteModel) -> str:
    return ", ".join(sorted(model.versions, key=lambda number: int(number) if number.isdecimal() else 0)) or "none"


def _index(site: str) -> SiteIndex:
    address = urljoin(_folder(site), INDEX)
    try:
        index = msgspec.json.decode(_get(address, MAX_INDEX), type=SiteIndex)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelError(f"{address} is no list of models: {error}.") from None
    if index.schema > SCHEMA:
        raise ModelError(f"{address} has schema {index.schema}; this tracker reads {SCHEMA}. Install a newer tracker.")
    return index


def _folder(address: str) -> str:
    """The address of the folder that a page stands for."""
    return _PAGE.sub("", address).rstrip("/") + "/"


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only within the host and scheme that the user named."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            raise ModelError(
                f"{req.full_url} redirects to another host, {new.netloc}. Name that address if you trust it."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _get(address: str, limit: int) -> bytes:
    """The bytes behind an address, at most `limit` of them."""
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOCAL:
        raise InvalidValueError(f"{address!r} is not encrypted, so anybody on the way can change it. Use https.")
    request = urllib.request.Request(address, headers={"User-Agent": "tracker", "Accept-Encoding": "identity"})
    try:
        with urllib.request.build_opener(_SameHost).open(request, timeout=TIMEOUT) as answer:
            data = answer.read(limit + 1)
    except urllib.error.HTTPError as error:
        raise NotFoundError(f"{address} answers {error.code}. Check the address; is the model published?") from None
    except (URLError, OSError, ValueError) as error:
        raise ModelError(f"{address} cannot be fetched: {getattr(error, 'reason', error)}.") from None
    if len(data) > limit:
        raise ModelError(f"{address} has more than the {limit:,} bytes that were announced. It is not read.")
    assert isinstance(data, bytes)
    return data
