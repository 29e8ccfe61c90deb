"""Markdown that came with a run, made safe: parsed without raw HTML, then cleaned against a short allow-list.

Links lead to absolute http(s) and mail addresses only, and images become links: a page of ours asks no other host
for anything.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_TEXT = 50_000
"""Characters of a note that a page shows."""

TAGS = frozenset(
    "a blockquote br code del em h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split()
)
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = frozenset({"http", "https", "mailto"})
_ABSOLUTE = re.compile(r"(https?://|mailto:)[^\s]+", re.IGNORECASE)
_DEEPEST = 20
"""Levels of nesting that the parser follows; deeper ones are text."""


def to_html(text: str) -> Markup:
    """The note as HTML that is safe to put into a page; empty for an empty note."""
    import nh3

    if not text.strip():
        return Markup("")
    cut = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " …"
    html = nh3.clean(
        _parser().render(cut),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        attribute_filter=_absolute_links,
        url_schemes=set(SCHEMES),
        link_rel="nofollow noopener noreferrer",
    )
    return Markup(html)


def first_sentence(text: str, limit: int = 160) -> str:
    """The first sentence of a note as plain text, cut at a word when it is longer than `limit` characters."""
    sentence = re.split(r"(?<=[.!?])\s", _first_paragraph(text[:5000]), maxsplit=1)[0]
    return sentence if len(sentence) <= limit else sentence[: limit - 1].rsplit(" ", 1)[0] + "…"


def _first_paragraph(text: str) -> str:
    if not text.strip():
        return ""
    tokens = _parser().parse(text)
    for opening, inline in pairwise(tokens):
        if opening.type == "paragraph_open":
            html = _parser().renderer.render([inline], _parser().options, {})
            return " ".join(Markup(html).striptags().split())
    return ""


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": _DEEPEST})
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("image", _image_as_link)
    parser.core.ruler.push("headings", _lower_headings)
    return parser


def _image_as_link(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    text = Markup.escape(renderer.renderInlineAsText(token.children, options, env) or "image")
    return f'<a href="{Markup.escape(token.attrs["src"])}">{text}</a>'


def _lower_headings(state: Any) -> None:
    """The page has its own h1, so that of a note is an h2, and so on."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"


def _absolute_links(tag: str, attribute: str, value: str) -> str | None:
    return value if attribute != "href" or _ABSOLUTE.fullmatch(value) else None
