"""Views with a text of the test's choice in every field that takes text.

Closed vocabularies (a status, a unit, ...) get each of their words in turn; hrefs get one that is ours; Markup is
made by us and gets a mark of its own.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

from markupsafe import Markup

from site_builder import model_views, views

TONES = ("production", "staging", "archived", "none", "other", "deleted")
STATUSES = ("RUNNING", "FINISHED", "FAILED", "KILLED", "STALE")
VOCABULARIES: dict[tuple[str, str], tuple[Any, ...]] = {
    ("RunLink", "status"): STATUSES,
    ("Best", "goal"): ("maximize", "minimize"),
    ("Column", "goal"): ("maximize", "minimize", None),
    ("MetricRow", "goal"): ("maximize", "minimize", None),
    ("Column", "kind"): ("param", "metric", "tag"),
    ("ArtifactRow", "preview"): ("image", "text", "table", "json", ""),
    ("ChartSlot", "kind"): ("curves", "scatter", "progress"),
    ("Figure", "unit"): ("number", "count", "duration", "date", "text"),
    ("PageFrame", "root"): ("../../",),
    ("VersionLink", "tone"): TONES,
    ("StageLane", "tone"): TONES,
    ("Event", "before_tone"): TONES,
    ("Event", "after_tone"): TONES,
    ("Event", "action"): ("registered", "stage", "alias", "deleted", "renamed", "other"),
    ("ModelRow", "goal"): ("maximize", "minimize", None),
    ("MetricHead", "goal"): ("maximize", "minimize", None),
    ("MetricDrawing", "goal"): ("maximize", "minimize", None),
    ("ComparedMetric", "goal"): ("maximize", "minimize", None),
    ("ComparedMetric", "verdict"): ("better", "worse", "same", ""),
}
KINDS: dict[str, type[Any]] = {
    "home": views.HomeView,
    "experiments": views.HomeView,
    "experiment": views.ExperimentView,
    "runs": views.RunsView,
    "run": views.RunView,
    "models": model_views.ModelsView,
    "model": model_views.ModelView,
    "version": model_views.VersionView,
    "compare": views.CompareView,
    "problems": views.ProblemsView,
}
NUMBERS = {"start_time": 1_790_000_000_000, "end_time": 1_790_000_123_456, "last_activity": 1_790_000_123_456}
MARKUP = Markup("<i>safe</i>")

Text = Callable[[str, str], str]
"""The text for a field, told its class and name."""


def fill(kind: str, text: Text, *, many: int = 5) -> Any:
    """A view of a kind of page: `many` items in its tuples, fewer in theirs; all vocabularies, no field left out."""
    view = _make(KINDS[kind], text, many, 0)
    frame = dataclasses.replace(view.frame, kind=kind, path="runs/x/index.html")
    return dataclasses.replace(view, frame=frame)


def empty(kind: str) -> Any:
    """A view with nothing in it: no items, no texts, None wherever None may be."""
    view = _empty(KINDS[kind])
    return dataclasses.replace(view, frame=dataclasses.replace(view.frame, kind=kind, path="x.html"))


def text_fields(cls: type[Any], seen: frozenset[type[Any]] = frozenset()) -> Iterator[tuple[str, str]]:
    """Class and name of every field below a view that takes text of a run."""
    for field, hint in _hints(cls):
        for leaf in _leaves(hint):
            if dataclasses.is_dataclass(leaf) and leaf not in seen:
                yield from text_fields(leaf, seen | {cls})  # type: ignore[arg-type]
            elif leaf in (str, object) and _is_free(cls, field):
                yield cls.__name__, field


def _is_free(cls: type[Any], field: str) -> bool:
    return (cls.__name__, field) not in VOCABULARIES and "href" not in field


def _make(cls: type[Any], text: Text, many: int, index: int) -> Any:
    return cls(**{name: _value(cls, name, hint, text, many, index) for name, hint in _hints(cls)})


def _value(cls: type[Any], name: str, hint: Any, text: Text, many: int, index: int) -> Any:
    vocabulary = VOCABULARIES.get((cls.__name__, name))
    if vocabulary:
        return vocabulary[index % len(vocabulary)]
    if cls is views.Figure and name == "value":
        return text("Figure", "value") if index % 5 == 4 else 1_790_000_000_000
    if _is_optional(hint):
        hint = next(arm for arm in typing.get_args(hint) if arm is not type(None))
    if typing.get_origin(hint) is tuple:
        return _tuple(cls, name, hint, text, many)
    if dataclasses.is_dataclass(hint):
        return _make(hint, text, many, index)  # type: ignore[arg-type]
    return _leaf(cls, name, hint, text)


def _tuple(cls: type[Any], name: str, hint: Any, text: Text, many: int) -> tuple[Any, ...]:
    items = typing.get_args(hint)
    if len(items) == 2 and items[1] is ...:
        return tuple(_value(cls, name, items[0], text, max(2, many - 2), index) for index in range(many))
    return tuple(_value(cls, name, item, text, many, 0) for item in items)


def _leaf(cls: type[Any], name: str, hint: Any, text: Text) -> Any:
    if hint is Markup:
        return MARKUP
    if hint is bool:
        return True
    if hint in (int, float):
        return NUMBERS.get(name, 1)
    return text(cls.__name__, name) if _is_free(cls, name) else "runs/x/index.html"


def _empty(cls: type[Any]) -> Any:
    values: dict[str, Any] = {}
    for name, hint in _hints(cls):
        if _is_optional(hint):
            values[name] = None
        elif typing.get_origin(hint) is tuple:
            values[name] = ()
        elif dataclasses.is_dataclass(hint):
            values[name] = _empty(hint)  # type: ignore[arg-type]
        else:
            values[name] = VOCABULARIES.get((cls.__name__, name), (hint(),))[0]
    return cls(**values)


def _hints(cls: type[Any]) -> list[tuple[str, Any]]:
    hints = typing.get_type_hints(cls)
    return [(field.name, hints[field.name]) for field in dataclasses.fields(cls)]


def _leaves(hint: Any) -> Iterator[Any]:
    arms = typing.get_args(hint)
    if not arms:
        yield hint
    for arm in arms:
        yield from _leaves(arm)


def _is_optional(hint: Any) -> bool:
    return isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)
