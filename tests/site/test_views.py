"""A template sees one documented view and nothing else."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import pytest
from markupsafe import Markup

from site_builder import model_views, views
from site_builder.render import Renderer, make_environment
from site_builder.theme import pages_folder

from .filled import KINDS, empty, fill

OF_THE_PRESS = {("PageFrame", field) for field in ("title", "description", "path", "root")}
"""What shells take, rather than templates."""
VIEWS = {
    cls
    for module in (views, model_views)
    for cls in vars(module).values()
    if isinstance(cls, type) and dataclasses.is_dataclass(cls)
}
DOCUMENTED = {(cls.__name__, field.name) for cls in VIEWS for field in dataclasses.fields(cls)}


class Recorder:
    """Stands in for a part of a view and notes which of its fields are read."""

    def __init__(self, thing: Any, used: set[tuple[str, str]]) -> None:
        self._thing = thing
        self._used = used

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._thing, name)
        self._used.add((type(self._thing).__name__, name))
        return recorded(value, self._used)


def recorded(value: Any, used: set[tuple[str, str]]) -> Any:
    """The value, with recorders in place of the parts of views in it."""
    if isinstance(value, tuple):
        return tuple(recorded(item, used) for item in value)
    return Recorder(value, used) if dataclasses.is_dataclass(value) else value


def test_templates_use_exactly_the_documented_fields() -> None:
    """Every field of every view is read by some template, or by the press; templates read no others."""
    used: set[tuple[str, str]] = set()
    renderer = Renderer(pages_folder())
    for kind in KINDS:
        renderer._template(kind).render(view=recorded(fill(kind, lambda *_: "x"), used), root="../../")
    assert used - DOCUMENTED == set()
    assert DOCUMENTED - used - OF_THE_PRESS == set()


def test_an_unknown_field_is_an_error(tmp_path: Any) -> None:
    """A template that misspells a field fails instead of showing nothing."""
    template = make_environment(tmp_path).from_string("{{ view.nmae }}")
    with pytest.raises(AttributeError):
        template.render(view=fill("home", lambda *_: "x"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_view_makes_a_page(kind: str) -> None:
    """A store with nothing in it has all its pages."""
    page = Renderer(pages_folder()).render(empty(kind))
    assert "tracker-page" in page
    assert "None" not in page


@pytest.mark.parametrize("cls", sorted(VIEWS, key=lambda cls: cls.__name__))
def test_views_are_plain_frozen_data(cls: type[Any]) -> None:
    """A view cannot be changed, and says of each class what it is."""
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}(")
    allowed = {str, int, float, bool, object, type(None), Markup, tuple, Ellipsis}
    assert all(arms(hint) <= allowed for hint in typing.get_type_hints(cls).values())


def arms(hint: Any) -> set[Any]:
    """The types that a hint is made of, parts of views left out."""
    inner = typing.get_args(hint)
    if not inner:
        return set() if dataclasses.is_dataclass(hint) else {hint}
    return set().union(*(arms(arm) for arm in inner))
