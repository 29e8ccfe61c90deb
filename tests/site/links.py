"""What the pages of a built site point to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit


@dataclass(frozen=True)
class Link:
    """A reference in a page."""

    page: str
    tag: str
    attribute: str
    value: str

    @property
    def target(self) -> str:
        """Path in the site that it leads to."""
        return unquote(urlsplit(urljoin(f"http://site/{self.page}", self.value)).path)[1:]

    @property
    def is_external(self) -> bool:
        """Whether it leads to another host, or is no place at all."""
        return bool(urlsplit(self.value).scheme or self.value.startswith("//"))


class Page(HTMLParser):
    """The elements of a page, in order, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_data(self, data: str) -> None:
        self.inline += data if self._in_script else ""

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def pages_of(site: Path) -> Iterator[tuple[str, Page]]:
    """Path and elements of each page."""
    for path in sorted(site.rglob("*.html")):
        yield path.relative_to(site).as_posix(), Page(path.read_text("utf-8"))


def links_of(site: Path) -> Iterator[Link]:
    """All references of all pages, those to data included."""
    for path, page in pages_of(site):
        for tag, attributes in page.elements:
            for name, value in attributes.items():
                if name in ("href", "src", "srcset", "action", "poster", "data") and value is not None:
                    yield Link(path, tag, name, value)
            root = attributes.get("data-root") or ""
            for chunk in (attributes.get("data-chunks") or "").split():
                yield Link(path, tag, "data-chunks", root + chunk)
