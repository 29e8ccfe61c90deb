"""Pages that the owner of a site writes in Markdown: found, ordered and named, before MkDocs renders them.

Their Markdown is trusted, as it is the owner's own. Links, pipes and hidden files in the folder are not followed,
so a page cannot publish what lies outside it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracker import _io, names

RESERVED = frozenset(
    {"index.md", "experiments", "runs", "models", "compare", "problems", "data", "assets", "404.md", "templates"}
)
"""Names at the top of a site that are taken."""
MAX_PAGE = 5_000_000
MAX_FILE = 50_000_000
"""Bytes of the largest page, and of the largest file beside the pages."""
MAX_DEPTH = 20
"""Folders in each other that are looked into."""

_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]+\.md)\b")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*\n", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tab:
    """A link in the header."""

    title: str
    href: str
    """From the site's root."""


@dataclass(frozen=True, slots=True)
class Authored:
    """What a folder of pages holds; all paths are relative to it and use slashes."""

    folder: Path | None = None
    pages: tuple[tuple[str, str], ...] = ()
    """Path and Markdown of each page."""
    files: tuple[str, ...] = ()
    """Images and other files, which are copied as they are."""
    problems: tuple[tuple[str, str], ...] = ()
    """Path and reason of what was passed over."""

    @property
    def digest(self) -> str:
        """Changes with the pages, and with the names of the files."""
        return hashlib.blake2b(repr((self.pages, self.files)).encode(), digest_size=16).hexdigest()

    def tabs(self) -> list[Tab]:
        """A tab for each page at the top and for the first page of each folder."""
        texts = dict(self.pages)
        leaders = {name: self._leader(name) for name in self._tops()}
        return [Tab(_tab_title(name, path, texts), html_path(path)) for name, path in leaders.items()]

    def sources(self) -> dict[str, Path]:
        """Where each of the files lies."""
        return {path: self.folder / path for path in self.files} if self.folder else {}

    def nav(self) -> list[object]:
        """The pages as MkDocs' `nav`."""
        return [name if name.endswith(".md") else {_words(name): self._below(f"{name}/")} for name in self._tops()]

    def _tops(self) -> list[str]:
        return list(dict.fromkeys(path.split("/")[0] for path, _ in self.pages))

    def _leader(self, top: str) -> str:
        if top.endswith(".md"):
            return top
        below = self._below(f"{top}/")
        return f"{top}/index.md" if f"{top}/index.md" in below else below[0]

    def _below(self, prefix: str) -> list[str]:
        """The pages of a folder: its index page, those that it links to in that order, and the others by name."""
        index = f"{prefix}index.md"
        links = _LINK.findall(dict(self.pages).get(index, ""))
        order = {f"{prefix}{link}": number for number, link in reversed(list(enumerate(links)))}
        below = [path for path, _ in self.pages if path.startswith(prefix)]
        return sorted(below, key=lambda path: (path != index, order.get(path, len(order))))


def read_authored(folder: Path | None) -> Authored:
    """Everything in a folder of pages; nothing where there is no folder."""
    if folder is None or not folder.is_dir():
        return Authored()
    pages: list[tuple[str, str]] = []
    files: list[str] = []
    problems: list[tuple[str, str]] = []
    taken = {"index.html", "404.html"}
    for path, reason in _walk(folder, ""):
        address = html_path(path) if path.endswith(".md") else path
        if reason or address in taken:
            problems.append((path, reason or f"has the address of another page, {address}; give it another name"))
            continue
        taken.add(address)
        if not path.endswith(".md"):
            files.append(path)
        else:
            _add_page(folder, path, pages, problems)
    return Authored(folder, tuple(pages), tuple(files), tuple(problems))


def file_digest(path: Path) -> str:
    """A digest of the contents of a file, or why it has none."""
    try:
        return hashlib.blake2b(_io.read_file(path, limit=MAX_FILE), digest_size=16).hexdigest()
    except OSError as error:
        return str(error)


def html_path(page: str) -> str:
    """Where a page lies in the site: `guide/start.md` becomes `guide/start.html`."""
    path = page.removesuffix(".md") + ".html"
    return f"{path.removesuffix('README.html')}index.html" if path.rpartition("/")[2] == "README.html" else path


def _add_page(folder: Path, path: str, pages: list[tuple[str, str]], problems: list[tuple[str, str]]) -> None:
    try:
        pages.append((path, _io.read_file(folder / path, limit=MAX_PAGE).decode("utf-8-sig")))
    except (OSError, ValueError) as error:
        problems.append((path, f"cannot be read as a page: {error}"))


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, str]]:
    """Path and, for what is passed over, the reason; pages of a folder before the folders in it."""
    try:
        with os.scandir(folder / prefix) as entries:
            found = sorted(
                entries, key=lambda entry: (entry.is_dir(follow_symlinks=False), entry.name != "index.md", entry.name)
            )
    except OSError as error:
        yield prefix or ".", f"cannot be listed: {error.strerror}"
        return
    for entry in found:
        path = prefix + entry.name
        if entry.name.startswith("."):
            continue
        if not names.is_text(entry.name):
            yield path.encode(errors="replace").decode(), "has a name that is no text, so it is left out"
        elif not prefix and entry.name in RESERVED:
            yield path, "has a name that the site needs itself; give it another one"
        elif entry.is_dir(follow_symlinks=False) and path.count("/") < MAX_DEPTH:
            yield from _walk(folder, f"{path}/")
        else:
            usable = entry.is_file(follow_symlinks=False)
            yield path, "" if usable else "is a link, no regular file, or lies too deep, so it is left out"


def _tab_title(top: str, leader: str, texts: dict[str, str]) -> str:
    """A page's own title; a folder's name, unless it has an index page that says better."""
    return _title(leader, texts) if leader in (top, f"{top}/index.md") else _words(top)


def _title(path: str, texts: dict[str, str]) -> str:
    """The title in the front matter, else the first heading, else the name of the file."""
    text = texts[path].replace("\r\n", "\n")
    front = _FRONT_MATTER.match(text)
    found = (_TITLE.search(front[1]) if front else None) or _HEADING.search(text)
    if found:
        return re.sub('[*_`"]', "", found[1]).strip("'")
    name = path.removesuffix(".md").removesuffix("/index")
    return _words(name.rpartition("/")[2])


def _words(name: str) -> str:
    words = re.sub(r"[-_]+", " ", name).strip()
    return words[:1].upper() + words[1:]
