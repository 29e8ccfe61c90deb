"""What the search finds in authored pages: their titles, sections and words."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec

MAX_TEXT = 3000
"""Characters of a section that are searched."""


class Found(msgspec.Struct, frozen=True):
    """One entry of the search."""

    kind: str
    """page, section or experiment."""
    title: str
    text: str
    href: str


def read_prose(page: str, href: str) -> list[Found]:
    """An entry for a rendered page and one for each of its sections."""
    parser = _Sections()
    parser.feed(page)
    parser.close()
    first, *others = parser.sections
    found = [Found("page", href, _words(first.text), href)]
    for section in others:
        if section.level == 1:
            found[0] = Found("page", _words(section.title), _words(section.text), href)
        elif section.anchor:
            found.append(Found("section", _words(section.title), _words(section.text), f"{href}#{section.anchor}"))
    return found


class _Section:
    def __init__(self, level: int, anchor: str) -> None:
        self.level = level
        self.anchor = anchor
        self.title = ""
        self.text = ""


class _Sections(HTMLParser):
    """Splits the article of a page at its headings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections = [_Section(0, "")]
        self._depth = 0
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "article":
            self._depth += 1
        if tag in ("script", "style") or "headerlink" in (given.get("class") or ""):
            self._open.append(tag)
        if self._depth and tag in ("h1", "h2", "h3"):
            self.sections.append(_Section(int(tag[1]), given.get("id") or ""))
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._depth -= 1
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if self._depth and inside in ("h1", "h2", "h3"):
            self.sections[-1].title += data
        elif self._depth and not inside:
            self.sections[-1].text += f" {data}"


def _words(text: str) -> str:
    return " ".join(text.split())[:MAX_TEXT]
