"""Fills shells: the content of a view goes between the parts of its kind's shell."""

from __future__ import annotations

import re

from markupsafe import escape

from site_builder.engine import CONTENT, DESCRIPTION, TITLE, Rendered
from site_builder.render import Renderer, View
from site_builder.theme import pages_folder

_MARKS = re.compile(f"({re.escape(TITLE)}|{re.escape(DESCRIPTION)}|{re.escape(CONTENT)})")


class Press:
    """Makes whole pages from views. A shell is split once, so nothing in a page can pass for a mark."""

    def __init__(self, rendered: Rendered) -> None:
        self.rendered = rendered
        self._renderer = Renderer(pages_folder())
        self._shells = {kind: _MARKS.split(shell) for kind, shell in rendered.shells.items()}

    def page(self, view: View) -> bytes:
        """The page of a view."""
        frame = view.frame
        filled = {
            TITLE: str(escape(frame.title)),
            DESCRIPTION: str(escape(frame.description)),
            CONTENT: self._renderer.render(view),
        }
        return "".join([filled.get(part, part) for part in self._shells[frame.kind]]).encode(errors="replace")

    def content(self, view: View) -> str:
        """What a view adds to its shell."""
        return self._renderer.render(view)
