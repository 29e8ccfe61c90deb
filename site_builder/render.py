"""The only way from a view to HTML: our own Jinja environment, which escapes everything that is not Markup."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import markupsafe
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from site_builder import figures
from site_builder.views import PageFrame

FILTERS = {
    "number": figures.number,
    "count": figures.count,
    "duration": figures.duration,
    "date": figures.date,
    "day": figures.day,
    "signed": figures.signed,
    "isodate": figures.isodate,
    "bytes": figures.size,
    "value": figures.value,
    "short_digest": figures.short_digest,
    "short_id": figures.short_id,
}


_SPECIAL = re.compile("[&<>\"']")


def escape(value: object) -> str:
    """What `markupsafe.escape` returns, without its detour where there is nothing to escape: that is most of a page."""
    if type(value) is Markup or (type(value) is str and not _SPECIAL.search(value)):
        return value
    return markupsafe.escape(value)


class _Environment(Environment):
    """Compiles templates to code that calls our `escape`, and whose dot is Python's: an unknown field is an error."""

    getattr = staticmethod(getattr)  # type: ignore[assignment]

    def _generate(self, *arguments: Any, **options: Any) -> str:
        return f"{super()._generate(*arguments, **options)}\nfrom {__name__} import escape\n"


class View(Protocol):
    """Any of the views: its frame says which template it goes into."""

    @property
    def frame(self) -> PageFrame: ...


def make_environment(pages: Path) -> Environment:
    """The environment for the templates in a folder: autoescaped, and an unknown field is an error."""
    environment = _Environment(
        loader=FileSystemLoader(pages),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    return environment


class Renderer:
    """Renders views with the templates of a theme; each template is compiled once."""

    def __init__(self, pages: Path) -> None:
        environment = make_environment(pages)
        self._template = cache(lambda kind: environment.get_template(f"{kind}.html"))

    def render(self, view: View) -> str:
        """The content of a page, which goes into a shell as it is."""
        template = self._template(view.frame.kind)
        return str(template.render(view=view, root=view.frame.root))
