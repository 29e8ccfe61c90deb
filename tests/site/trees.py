"""What a browser would make of HTML, as data that can be compared."""

from __future__ import annotations

from typing import Any

import html5lib

Tree = tuple[str, tuple[str, ...], tuple["Tree", ...]]
"""A tag, the names of its attributes in order, and its children; texts and values of attributes left out."""


def shape(markup: str, *, fragment: bool = False) -> Tree:
    """The tree of elements of a page or of a fragment."""
    parse = html5lib.parseFragment if fragment else html5lib.parse
    return _shape(parse(markup, treebuilder="etree", namespaceHTMLElements=False))


def elements(markup: str) -> list[tuple[str, dict[str, str]]]:
    """Every element of a fragment with its attributes."""
    root = html5lib.parseFragment(markup, treebuilder="etree", namespaceHTMLElements=False)
    return [(str(node.tag), dict(node.attrib)) for node in root.iter()][1:]


def _shape(node: Any) -> Tree:
    # a comment has a function for a tag
    return str(node.tag), tuple(sorted(map(str, node.attrib))), tuple(_shape(child) for child in node)
