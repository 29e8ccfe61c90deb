"""A value that does not fit its type, in words."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

_WORDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (int, "long"),
    (float, "double"),
    (str, "string"),
    ((bytes, bytearray), "binary"),
    (dt.date, "datetime"),
    (list, "a list"),
    (dict, "a dict"),
)
_LENGTHS = {
    ("i", 4): "integer",
    ("i", 8): "long",
    ("f", 4): "float",
    ("f", 8): "double",
}
_LETTERS = {"b": "boolean", "U": "string", "T": "string", "S": "binary", "M": "datetime", "O": "object"}


class MisfitError(ValueError):
    """A value that does not fit; caught where it is known which column or parameter it belongs to."""

    def __init__(self, expected: str, value: Any, *, came: str = "", row: int | None = None, note: str = "") -> None:
        self.expected = expected
        self.came = came or describe(value)
        self.value = value
        self.row = row
        self.note = note
        self.path = ""
        """Where in the cell: `.user.tags[3]`."""
        super().__init__()

    def __str__(self) -> str:
        at = f" at {self.path}" if self.path else ""
        row = "" if self.row is None else f"in row {self.row}"
        if not self.expected:
            return f"{self.note}{at}{' (' + row + ')' if row else ''}"
        shown = "" if self.value is None or dimensions(self.value) else _show(self.value)
        inside = " ".join(part for part in (shown, row) if part)
        text = f"expected {self.expected}{at}, got {self.came}{' (' + inside + ')' if inside else ''}"
        return f"{text}: {self.note}" if self.note else text


def _show(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:60]}…"'
    return f"{value!r:.60}"


def describe(value: Any) -> str:
    """The type of a value in the words of a schema: `string`, `long`, `a list`."""
    if is_missing(value):
        return "a missing value"
    if is_numpy(value):
        return f"an array of {word_of(value.dtype)}" if dimensions(value) else word_of(value.dtype)
    for kinds, word in _WORDS:
        if isinstance(value, kinds):
            return word
    return type(value).__name__


def word_of(dtype: Any) -> str:
    """The type that a column or array of this dtype has, in the words of a schema, else the dtype's own name."""
    kind = getattr(dtype, "kind", "")
    size = getattr(dtype, "itemsize", 0)
    return _LENGTHS.get((kind, size)) or _LETTERS.get(kind) or str(dtype)


def is_numpy(value: Any) -> bool:
    """Whether a value is a scalar or an array of numpy."""
    return type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "dtype")


def is_array(value: Any) -> bool:
    """Whether a value is an array of numpy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def dimensions(value: Any) -> int:
    """How many dimensions an array of numpy has; 0 for anything else."""
    return int(value.ndim) if is_array(value) else 0


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, or what pandas has in their place."""
    if value is None:
        return True
    if isinstance(value, float):
        return value != value
    return type(value).__name__ in ("NAType", "NaTType")
