"""The folders of registered models: where they may lie, what state they are in, and which of their files are published.

A published file keeps its name, since it is loaded by it. So nothing is published of a model with a file that a browser
would run in the site's origin, or a server in its own.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

from tracker import _io, layout
from tracker.foreign.placing import LARGEST_PUBLISHED
from tracker.registry.reading import unsafe_path
from tracker.schema import ManifestEntry

MAX_PUBLISHED = LARGEST_PUBLISHED
"""Bytes of the largest model whose files are in the site."""
MAX_FILES = 2_000
"""Files of the largest model that are."""
PAGES = frozenset(
    ".atom .htm .html .js .markdown .md .mdown .mhtml .mht .mjs .mkd .mkdn .pdf .rdf .rss .svg .svgz .swf .wasm .xht "
    ".xhtml .xml .xsl .xslt".split()
)
"""What a browser would run, or an engine of static sites turn into a page."""
PROGRAMS = frozenset(".asp .aspx .cgi .fcgi .jsp .phar .php .phtml .pl .shtml .stm".split())
"""What some servers run."""

_MAX_PATH, _MAX_PART = 1_000, 240
_MAX_CONTROL = 8 * 1024 * 1024
_SMALL = 1_000_000
_HEAD = 512


@dataclass(frozen=True, slots=True)
class Published:
    """The files of a model as they go into the site."""

    files: dict[str, bytes] = field(default_factory=dict)
    reason: str = ""
    """Why there are none."""
    is_problem: bool = False
    """Whether that is something to put right in the store."""


def model_folder(root: Path, path: str) -> tuple[Path | None, str]:
    """The folder of a version's model, or why it cannot be used. No link is followed."""
    reason = unsafe_path(path)
    if reason:
        return None, f"its path {reason}"
    folder = root
    for part in path.split("/"):
        folder /= part
        if not _io.is_folder(folder):
            return None, f"{path} is missing, or a link stands in its way, which is not followed"
    return folder, ""


def folder_state(folder: Path) -> str:
    """Changes when a model does: the sizes of its files, and what its MLmodel file and its manifest say.

    The manifest has the digests of all other files. Without one, small files are read.
    """
    state = hashlib.blake2b(digest_size=16)
    has_manifest = (folder / layout.MANIFEST_FILE).exists()
    for path, size in islice(_listing(folder), MAX_FILES):
        state.update(f"{path}\0{size}\0".encode(errors="surrogatepass"))
        if path in (layout.MLMODEL_FILE, layout.MANIFEST_FILE) or (not has_manifest and 0 <= size <= _SMALL):
            state.update(_content(folder / path))
    return state.hexdigest()


def _listing(folder: Path) -> Iterator[tuple[str, int]]:
    """Path and size of what lies in a folder, in a fixed order; size -1 for what is no file, -2 for a hard link."""
    waiting = [(folder, "")]
    while waiting:
        place, prefix = waiting.pop()
        try:
            with os.scandir(place) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield prefix, -1
            continue
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                waiting.append((place / entry.name, f"{prefix}{entry.name}/"))
            else:
                yield prefix + entry.name, _size(entry)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:
        return -1
    if not entry.is_file(follow_symlinks=False):
        return -1
    return info.st_size if info.st_nlink == 1 else -2


def _content(path: Path) -> bytes:
    try:
        return _io.read_file(path, limit=_MAX_CONTROL)
    except OSError as error:
        return str(error.strerror).encode()


def read_published(folder: Path, files: Mapping[str, ManifestEntry], size: int) -> Published:
    """The files of a model, each as its manifest has it; or the reason why none of them is published."""
    if not files:
        return Published(reason="its files cannot be listed")
    if size > MAX_PUBLISHED:
        return Published(reason=f"the model is larger than {MAX_PUBLISHED // 1_000_000} MB")
    if len(files) > MAX_FILES:
        return Published(reason=f"it has more than {MAX_FILES:,} files")
    reason = next(filter(None, map(_unfit, files)), "") or _clash(files)
    if reason:
        return Published(reason=reason)
    read: dict[str, bytes] = {}
    for path, entry in sorted(files.items()):
        try:
            read[path] = _read(folder, path, entry)
        except OSError as error:
            return Published(reason=f"{path} {error.strerror}", is_problem=True)
        if _is_page(read[path], path):
            return Published(reason=f"{path} begins like a page, which would run in a reader's browser")
    return Published(read)


def _unfit(path: str) -> str:
    """Why a file of this name is not published; "" when it may be."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in PAGES:
        return f"{path} is a page or a script, which would run in a reader's browser"
    if suffix in PROGRAMS or any(part.startswith(".") for part in path.split("/")):
        return f"{path} has a name that servers run or obey"
    if len(path.encode()) > _MAX_PATH or any(len(part.encode()) > _MAX_PART for part in path.split("/")):
        return f"{path[:40]}… is too long a path"
    return ""


def _clash(files: Mapping[str, ManifestEntry]) -> str:
    """Why the files cannot lie beside each other and their manifest on every system."""
    lower = {path.lower() for path in files}
    folders = {str(parent) for path in lower for parent in PurePosixPath(path).parents}
    if len(lower) < len(files) or lower & folders or layout.MANIFEST_FILE in lower | folders:
        return "the names of its files get in each other's way on some systems"
    return ""


def _read(folder: Path, path: str, entry: ManifestEntry) -> bytes:
    """The bytes of a file; OSError says what is wrong with it."""
    place = folder
    for part in path.split("/")[:-1]:
        place /= part
        if not _io.is_folder(place):
            raise OSError(0, "is missing, or a link stands in its way, which is not followed")
    try:
        if os.lstat(folder / path).st_nlink > 1:
            raise OSError(0, "is a hard link, maybe to what lies outside the store; put a copy in its place")
        data = _io.read_file(folder / path, limit=MAX_PUBLISHED)
    except FileNotFoundError:
        raise OSError(0, "is missing") from None
    if len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
        raise OSError(0, "was changed since the model was saved: its digest is not that of the manifest")
    return data


def _is_page(data: bytes, path: str) -> bool:
    """Whether a browser that guesses would take it for a page. Of the suffixes left out here servers name the type."""
    if path.lower().endswith((".txt", ".csv", ".json")):
        return False
    head = data[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith((b"<", b"%PDF", b"%!PS"))
