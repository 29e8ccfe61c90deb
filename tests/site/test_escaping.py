"""Nothing that was logged becomes markup, whatever it says and wherever it is shown."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from markupsafe import Markup

from site_builder import notes
from site_builder.render import Renderer, make_environment
from site_builder.theme import pages_folder

from .corpus import payloads
from .filled import KINDS, fill, text_fields
from .trees import elements, shape

PAYLOADS = payloads()
HEAD, TAIL = "qHEADqqq", "qqqTAILq"
LONG_HEAD = f"{HEAD}mark"
MARK = f"{LONG_HEAD}{TAIL}"
HOLE = "\ue001"
CONTEXTS = (
    "<p>{{ x }}</p>",
    '<p title="{{ x }}">-</p>',
    "<title>{{ x }}</title>",
    "<textarea>{{ x }}</textarea>",
    "<table><tr><td>{{ x }}</td></tr></table>",
    "<pre>{{ x }}</pre>",
    '<svg><text aria-label="{{ x }}">{{ x }}</text></svg>',
)


def test_the_corpus_is_large() -> None:
    """There are at least 7,000 payloads, all different."""
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 7000


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_escaped_payload_is_text_in_every_context(context: str, tmp_path: Any) -> None:
    """In each place of HTML that templates use, an HTML parser sees the same elements for a payload as for "x"."""
    template = make_environment(tmp_path).from_string(context)
    plain = shape(template.render(x="x"), fragment=True)
    together = plain[0], plain[1], plain[2] * 400
    for start in range(0, len(PAYLOADS), 400):
        batch = PAYLOADS[start : start + 400]
        found = shape("".join(template.render(x=payload) for payload in batch), fragment=True)
        assert found == (*together[:2], together[2][: len(found[2])])
        assert len(found[2]) == len(batch) * len(plain[2])


@pytest.mark.parametrize("kind", KINDS)
def test_every_payload_is_escaped_in_every_field(kind: str) -> None:
    """With a payload in all text fields, a page differs from that of a mark by the escaped payload alone.

    Ids, commits and digests are also shown by their first eight or twelve, or by their last eight characters.
    """
    renderer = Renderer(pages_folder())
    pieces = re.split(f"({MARK}|{LONG_HEAD}|{HEAD}|{TAIL})", renderer.render(fill(kind, lambda *_: MARK)))
    view = fill(kind, lambda *_: HOLE)
    holes = list(_holes(view))
    for payload in PAYLOADS:
        parts = {MARK: payload, LONG_HEAD: payload[:12], HEAD: payload[:8], TAIL: payload[-8:]}
        shown = {mark: _escaped(part) for mark, part in parts.items()}
        expected = "".join([shown.get(piece, piece) for piece in pieces])
        for owner, field, value in holes:
            object.__setattr__(owner, field, _filled(value, payload))
        assert renderer.render(view) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_keeps_its_elements(kind: str) -> None:
    """An HTML parser sees the same elements whether all fields hold "x" or the corpus is dealt over them."""
    renderer = Renderer(pages_folder())
    dealt = itertools.cycle(PAYLOADS)
    hostile = fill(kind, lambda *_: " ".join(itertools.islice(dealt, 20)))
    assert shape(renderer.render(hostile)) == shape(renderer.render(fill(kind, lambda *_: "x")))


@pytest.mark.parametrize("kind", KINDS)
def test_views_have_text_in_many_fields(kind: str) -> None:
    """The filler reaches the fields that the oracle is about."""
    assert len(set(text_fields(KINDS[kind]))) >= 5


def test_notes_keep_only_what_is_allowed() -> None:
    """Of every payload as Markdown, only listed tags, listed attributes and absolute addresses remain."""
    for start in range(0, len(PAYLOADS), 100):
        for payload in PAYLOADS[start : start + 100]:
            _check(notes.to_html(payload))


def _escaped(text: str) -> str:
    return str(Markup.escape(text))


def _check(markup: str) -> None:
    if "<" not in markup:
        return
    for tag, attributes in elements(markup):
        assert tag in notes.TAGS, markup
        assert set(attributes) <= {"href", "title", "rel", "start"}, markup
        assert attributes.get("href", "https:").partition(":")[0].lower() in notes.SCHEMES, markup


def _holes(thing: Any) -> Iterator[tuple[Any, str, Any]]:
    """Owner, name and value of every field of a view that holds the mark, itself or in a tuple."""
    if isinstance(thing, tuple):
        for item in thing:
            yield from _holes(item)
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            value = getattr(thing, field.name)
            if _filled(value, "") != value:
                yield thing, field.name, value
            else:
                yield from _holes(value)


def _filled(value: Any, text: str) -> Any:
    """A text in place of the mark."""
    if value is HOLE:
        return text
    return tuple(_filled(item, text) for item in value) if type(value) is tuple else value
