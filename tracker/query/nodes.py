"""A query as a tree, with every value already in the unit of its field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Family = Literal["metric", "param", "tag", "attribute"]
Fold = Literal["last", "best", "min", "max", "first", "mean"]
Operator = Literal["in", "<", "<=", ">", ">=", "between", "like", "ilike", "null"]
Value: TypeAlias = str | bool | int | float


@dataclass(frozen=True, slots=True)
class Field:
    """What a comparison looks at."""

    family: Family
    key: str
    """Name of the metric, param or tag; the canonical name of an attribute."""
    fold: Fold = "last"
    """Which of a metric's numbers."""


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against values. Without the field there is no match, whatever `negated` says, except for "null"."""

    field: Field
    operator: Operator
    """"=" and "!=" are "in" with one value."""
    values: tuple[Value, ...] = ()
    """Text for what was quoted; times and durations in milliseconds. Two for "between", none for "null"."""
    negated: bool = False
    """True for !=, NOT IN, NOT LIKE, NOT BETWEEN and IS NOT NULL."""


@dataclass(frozen=True, slots=True)
class Text:
    """A word or quoted text to find in names, params, tags and notes, whatever its case."""

    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """Matches what its item does not match."""

    item: Node


@dataclass(frozen=True, slots=True)
class And:
    """Matches what all items match; everything when there are none."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Matches what at least one item matches."""

    items: tuple[Node, ...]


Node: TypeAlias = Compare | Text | Not | And | Or
