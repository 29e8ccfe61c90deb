"""A request that a model takes: from its input example, else made up from its signature."""

from __future__ import annotations

import json
import math
import shlex
from typing import Any

from tracker.models.inspection import ModelFacts
from tracker.serving.parsing import INPUTS, PARAMS, RECORDS, SPLIT
from tracker.types import AnyType, Array, DataType, Map, Object, Schema, TensorSpec

ROWS = 2
"""Rows of an example that are shown."""
LARGEST = 4_000
"""Characters of a request that is shown whole."""
LARGEST_TENSOR = 100
_VALUES = {
    "boolean": True,
    "integer": 1,
    "long": 1,
    "float": 0.5,
    "double": 0.5,
    "string": "text",
    "binary": "AAECAw==",
    "datetime": "2026-01-31T12:00:00",
}


def example_request(facts: ModelFacts) -> str:
    """The body of a request as JSON; one of the general form where nothing is known, or the example is too large."""
    made = _of_example(facts) or _of_signature(facts.signature)
    text = json.dumps(made, ensure_ascii=False) if made else ""
    return text if 0 < len(text) <= LARGEST else '{"dataframe_split": {"columns": ["…"], "data": [["…"]]}}'


def curl_line(address: str, body: str) -> str:
    """A command for a POSIX shell that sends a body to a server."""
    url = shlex.quote(f"{address.rstrip('/')}/invocations")
    return f"curl -s {url} -H 'Content-Type: application/json' -d {shlex.quote(body)}"


def _of_example(facts: ModelFacts) -> dict[str, Any] | None:
    example, params = facts.example, {}
    if isinstance(example, dict) and set(example) == {"inputs", PARAMS}:  # how an example with params is kept
        example, params = example["inputs"], {PARAMS: example[PARAMS]}
    if facts.example_type == "dataframe" and isinstance(example, dict) and isinstance(example.get("data"), list):
        kept = {key: example[key] for key in ("columns", "data") if key in example}
        return {SPLIT: {**kept, "data": example["data"][:ROWS]}, **params}
    if example is None or not facts.example_type:
        return None
    return {INPUTS: example[:ROWS] if isinstance(example, list) else example, **params}


def _of_signature(signature: Any) -> dict[str, Any] | None:
    schema: Schema | None = getattr(signature, "inputs", None)
    if schema is None:
        return None
    if schema.is_tensor_spec():
        tensors = {str(spec.name): _tensor(spec) for spec in schema.tensors}
        return {INPUTS: tensors if schema.has_input_names() else next(iter(tensors.values()))}
    if schema.has_input_names():
        return {RECORDS: [{str(spec.name): _value(spec.type) for spec in schema.columns}]}
    return {SPLIT: {"data": [[_value(spec.type) for spec in schema.columns]]}}


def _value(kind: Any) -> Any:
    if isinstance(kind, DataType):
        return _VALUES[kind.name]
    if isinstance(kind, Array):
        return [_value(kind.dtype)]
    if isinstance(kind, Map):
        return {"key": _value(kind.value_type)}
    if isinstance(kind, Object):
        return {each.name: _value(each.dtype) for each in kind.properties}
    assert isinstance(kind, AnyType)
    return "…"


def _tensor(spec: TensorSpec) -> Any:
    shape = [1 if length < 0 else length for length in spec.shape]
    if math.prod(shape) > LARGEST_TENSOR:
        return "…"
    name = spec.dtype_name
    value: Any = "text" if name == "str" else False if name == "bool" else 0.5 if name.startswith("float") else 1
    for length in reversed(shape):
        value = [value] * length
    return value
