"""What a model takes and gives, as rows of a table: its signature and its input example."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from site_builder.model_views import Example, SignaturePart, SignatureRow

ROWS = 200
"""Columns of a signature that a page lists."""
EXAMPLE_ROWS, EXAMPLE_COLUMNS = 5, 30
CELL = 80
TEXT = 4_000

_DEEPEST = 8
_INNERMOST = re.compile(r"\[\n[^\[\]{}\"]*\]")
_PARTS = (("inputs", "Inputs"), ("outputs", "Outputs"), ("params", "Params"))


def signature_parts(signature: Mapping[str, str | None] | None) -> tuple[SignaturePart, ...]:
    """Inputs, outputs and params of a signature in MLflow's JSON. ValueError when that is damaged."""
    parts = []
    for key, title in _PARTS:
        found = json.loads((signature or {}).get(key) or "[]")
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise ValueError(f"{key} is no list of columns")
        if found:
            rows = tuple(_row(entry, is_param=key == "params") for entry in found[:ROWS])
            parts.append(SignaturePart(title, rows, len(found)))
    return tuple(parts)


def _row(entry: Mapping[str, Any], *, is_param: bool) -> SignatureRow:
    if is_param:
        shape = entry.get("shape")
        kind = f"list of {_type(entry)}" if isinstance(shape, list) else _type(entry)
        return SignatureRow(_text(entry.get("name")), kind, f"default {_json(entry.get('default'))}")
    note = "optional" if entry.get("required") is False or entry.get("optional") is True else ""
    return SignatureRow(_text(entry.get("name")), _type(entry), note)


def _type(entry: object, depth: int = 0) -> str:
    """A type in words: `double`, `float64 (any, 28, 28)`, `list of long`, `{a: long, b: string?}`."""
    if not isinstance(entry, Mapping) or depth > _DEEPEST:
        return "…" if depth > _DEEPEST else _text(entry)
    kind = _text(entry.get("type"))
    if kind == "tensor" and isinstance(entry.get("tensor-spec"), Mapping):
        return _tensor(entry["tensor-spec"])
    if kind == "array":
        return f"list of {_type(entry.get('items'), depth + 1)}"
    if kind == "map":
        return f"map to {_type(entry.get('values'), depth + 1)}"
    properties = entry.get("properties")
    if kind == "object" and isinstance(properties, Mapping):
        inner = [_property(name, part, depth) for name, part in list(properties.items())[:ROWS]]
        return f"{{{', '.join(inner)}}}"
    return kind


def _property(name: str, part: object, depth: int) -> str:
    optional = isinstance(part, Mapping) and part.get("required") is False
    return f"{name}{'?' if optional else ''}: {_type(part, depth + 1)}"


def _tensor(spec: Mapping[str, Any]) -> str:
    shape = spec.get("shape")
    lengths = shape if isinstance(shape, list) else []
    words = ("any" if length == -1 else _text(length) for length in lengths[:20])
    return f"{_text(spec.get('dtype'))} ({', '.join(words)})"


def _text(value: object) -> str:
    return "" if value is None else _cut(str(value), 500)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _json(value: object) -> str:
    return _cut(json.dumps(value, ensure_ascii=False), 200)


# Examples


def input_example(value: Any, names: Sequence[str] = ()) -> Example | None:
    """An input example as a table where it is one: columns with data, rows, or lists of one length.

    `names` are those of the signature's inputs, for rows that have none.
    """
    if value is None:
        return None
    note = ""
    if isinstance(value, dict) and "inputs" in value and value.keys() <= {"inputs", "params"}:
        note = f"with params {_json(value['params'])}" if value.get("params") else ""
        value = value["inputs"]
    head, rows = _table(value, names)
    if not rows or not head:
        text = _INNERMOST.sub(_in_one_line, json.dumps(value, ensure_ascii=False, indent=2))
        return Example((), (), _cut(text, TEXT), note)
    left_out = _left_out(len(rows), len(head))
    shown = tuple(tuple(map(_cell, row[:EXAMPLE_COLUMNS])) for row in rows[:EXAMPLE_ROWS])
    return Example(tuple(head[:EXAMPLE_COLUMNS]), shown, "", ", ".join(filter(None, (left_out, note))))


def _in_one_line(numbers: re.Match[str]) -> str:
    return " ".join(numbers[0].split()).replace("[ ", "[").replace(" ]", "]")


def _left_out(rows: int, columns: int) -> str:
    found = [f"{min(rows, EXAMPLE_ROWS)} of {rows:,} rows"] if rows > EXAMPLE_ROWS else []
    found += [f"{EXAMPLE_COLUMNS} of {columns:,} columns"] if columns > EXAMPLE_COLUMNS else []
    return ", ".join(found)


def _table(value: Any, names: Sequence[str]) -> tuple[list[str], list[Sequence[Any]]]:
    """Heads and rows; none of them for what is no table."""
    if isinstance(value, dict):
        return _table_of_columns(value)
    if not isinstance(value, list) or not value:
        return [], []
    if all(isinstance(row, dict) for row in value):
        keys = list(dict.fromkeys(key for row in value for key in row))
        return [_text(key) for key in keys], [[row.get(key) for key in keys] for row in value]
    if all(isinstance(row, list) and row and not isinstance(row[0], list) for row in value):
        width = max(map(len, value))
        return _heads(names, width), [[*row, *[None] * (width - len(row))] for row in value]
    if not any(isinstance(row, list | dict) for row in value):
        return _heads(names if len(names) == 1 else (), 1), [[row] for row in value]
    return [], []


def _table_of_columns(value: dict[str, Any]) -> tuple[list[str], list[Sequence[Any]]]:
    columns, data = value.get("columns"), value.get("data")
    if isinstance(columns, list) and isinstance(data, list):
        rows = [row for row in data if isinstance(row, list)]
        return [_text(name) for name in columns], [[*row, *[None] * (len(columns) - len(row))] for row in rows]
    if value and all(isinstance(column, list) and not _is_deep(column) for column in value.values()):
        if len({len(column) for column in value.values()}) == 1:
            return [_text(key) for key in value], [list(row) for row in zip(*value.values(), strict=True)]
        return [], []
    if value and not any(isinstance(entry, list | dict) for entry in value.values()):
        return [_text(key) for key in value], [list(value.values())]
    return [], []


def _is_deep(column: list[Any]) -> bool:
    return any(isinstance(entry, list | dict) for entry in column)


def _heads(names: Sequence[str], width: int) -> list[str]:
    return list(names) if len(names) == width and all(names) else [str(index) for index in range(width)]


def _cell(value: object) -> str:
    if isinstance(value, str):
        return _cut(value, CELL)
    return "null" if value is None else _cut(json.dumps(value, ensure_ascii=False), CELL)
