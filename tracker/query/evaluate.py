"""A tree as a function that says whether a thing matches."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from tracker.query.literals import to_number
from tracker.query.nodes import And, Compare, Field, Node, Not, Text, Value

MISSING = object()
"""What a getter gives for a thing that does not have the field. None is a param that was logged as null."""

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
Test = Callable[[Any], bool]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Source(Protocol[T_contra]):
    """Where values come from."""

    def getter(self, field: Field) -> Callable[[T_contra], object]:
        """A function from a thing to a value of the field: number, bool, text, None (null) or MISSING."""

    def finder(self, text: str) -> Callable[[T_contra], bool]:
        """A function that says whether a lower-case text occurs in a thing's names and texts."""


def compile_node(node: Node, source: Source[T]) -> Callable[[T], bool]:
    """The function that says whether a thing matches the tree."""
    if isinstance(node, Compare):
        return _comparison(node, source)
    if isinstance(node, Text):
        return source.finder(node.text.lower())
    if isinstance(node, Not):
        item = compile_node(node.item, source)
        return lambda thing: not item(thing)
    cheap_first = sorted(node.items, key=lambda item: isinstance(item, Text))
    items = [compile_node(item, source) for item in cheap_first]
    return _all(items) if isinstance(node, And) else _any(items)


def _all(items: Sequence[Callable[[T], bool]]) -> Callable[[T], bool]:
    def matches(thing: T) -> bool:
        for item in items:  # noqa: SIM110 - a generator costs more than the items
            if not item(thing):
                return False
        return True

    return matches


def _any(items: Sequence[Callable[[T], bool]]) -> Callable[[T], bool]:
    def matches(thing: T) -> bool:
        for item in items:  # noqa: SIM110
            if item(thing):
                return True
        return False

    return matches


def _comparison(node: Compare, source: Source[T]) -> Callable[[T], bool]:
    get, negated = source.getter(node.field), node.negated
    if node.operator == "null":
        return lambda thing: ((value := get(thing)) is None or value is MISSING) != negated
    test = _test(node)
    return lambda thing: (value := get(thing)) is not MISSING and test(value) != negated


def _test(node: Compare) -> Test:
    """What a value that is there must fulfil."""
    values: tuple[Any, ...] = node.values
    match node.operator:
        case "in":
            return _member(values)
        case "between":
            above, below = _ordered(">=", values[0]), _ordered("<=", values[1])
            return lambda value: above(value) and below(value)
        case "like":
            matches = _like(values[0])
            return lambda value: matches(str(value))
        case "ilike":
            matches = _like(values[0].lower())
            return lambda value: matches(str(value).lower())
    return _ordered(node.operator, values[0])


def as_number(value: object) -> float | int | None:
    """A param or metric as a number: also text that is written as one, but no bool."""
    if isinstance(value, str):
        return to_number(value)
    return value if isinstance(value, float | int) and not isinstance(value, bool) else None


def _member(values: Sequence[Value]) -> Test:
    """Numbers compare by value, everything else by MLflow's text of it."""
    texts = {value for value in values if isinstance(value, str)}
    bools = {str(value).lower() for value in values if isinstance(value, bool)}
    numbers = {_hashable(value) for value in values if not isinstance(value, str | bool)}
    quoted = {number for number in map(to_number, texts) if number is not None}

    def test(value: object) -> bool:
        if isinstance(value, str):
            return value in texts or value.lower() in bools or to_number(value) in numbers
        if value is None or isinstance(value, bool):
            return str(value) in texts or str(value).lower() in bools
        number = _hashable(value)
        return number in numbers or number in quoted or str(value) in texts

    return test


def _hashable(value: Any) -> Any:
    """NaN as the one object that a set finds again."""
    return math.nan if value != value else value


def _ordered(symbol: str, bound: Any) -> Test:
    """Text is ordered among text, numbers among numbers, and nothing across."""
    compare = _ORDERS[symbol]
    if isinstance(bound, str):
        return lambda value: isinstance(value, str) and compare(value, bound)

    def test(value: object) -> bool:
        number = value if type(value) is float else as_number(value)
        return number is not None and compare(number, bound)

    return test


def _like(pattern: str) -> Test:
    """SQL's LIKE: % is any text, _ any one character, a backslash takes the next character as it is.

    The parts between the % are found from left to right, each once and for all, so the time is linear in the text.
    """
    parts = _parts(pattern)
    if len(parts) == 1:
        expression = parts[0]
    else:
        middle = "".join(f"(?>.*?{part})" for part in parts[1:-1])
        expression = f"{parts[0]}{middle}.*{parts[-1]}"
    found = re.compile(expression, re.DOTALL).fullmatch
    return lambda text: found(text) is not None


def _parts(pattern: str) -> list[str]:
    """Regular expressions of what stands between the % of a LIKE pattern."""
    parts = [""]
    for piece in re.findall(r"\\.|.", pattern, re.DOTALL):
        if piece == "%":
            parts.append("")
        else:
            parts[-1] += "." if piece == "_" else re.escape(piece[-1])
    return parts
