"""Schemas with data for them, and what MLflow made of both; run in its environment too, so tracker is not imported."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from inputs import column, objects
from scipy import sparse


def columns(**types: Any) -> str:
    """JSON of a schema of named columns; a `?` at the end of a type means that it may be missing."""
    made = []
    for name, kind in types.items():
        form = {"type": kind.rstrip("?")} if isinstance(kind, str) else dict(kind)
        made.append({**form, "name": name, "required": not str(kind).endswith("?")})
    return json.dumps(made)


def c(kind: Any) -> str:
    """JSON of a schema of one column with the name c."""
    return columns(c=kind)


def unnamed(*kinds: Any) -> str:
    """JSON of a schema of columns without names."""
    return json.dumps([{**({"type": k} if isinstance(k, str) else k), "required": True} for k in kinds])


def tensors(**specs: Any) -> str:
    """JSON of a schema of tensors, with names other than `_`."""
    return json.dumps(
        [
            {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}
            | ({} if name == "_" else {"name": name})
            for name, (dtype, shape) in specs.items()
        ]
    )


def array_of(items: Any) -> dict[str, Any]:
    """JSON of the type of an array."""
    return {"type": "array", "items": {"type": items} if isinstance(items, str) else items}


def object_of(**fields: str) -> dict[str, Any]:
    """JSON of the type of an object; a `?` means optional."""
    return {
        "type": "object",
        "properties": {n: {"type": k.rstrip("?"), "required": not k.endswith("?")} for n, k in fields.items()},
    }


AB = columns(a="double", b="string")
GOOD = {"a": [1.5, 2.5], "b": ["x", "y"]}
Case = tuple[str, Callable[[], Any]]
CASES: dict[str, Case] = {
    "as it is": (AB, lambda: pd.DataFrame(GOOD)),
    "other order": (AB, lambda: pd.DataFrame({"b": ["x"], "a": [1.5]})),
    "extra column": (AB, lambda: pd.DataFrame({**GOOD, "z": [1, 2]})),
    "own index": (columns(a="double"), lambda: pd.DataFrame({"a": np.array([1, 2], "int32")}, index=["r", "s"])),
    "missing column": (AB, lambda: pd.DataFrame({"a": [1.5]})),
    "missing optional column": (columns(a="double", b="string?"), lambda: pd.DataFrame({"a": [1.5]})),
    "missing value in optional column": (columns(b="string?"), lambda: pd.DataFrame({"b": ["x", None]})),
    "missing value in required column": (columns(a="double"), lambda: pd.DataFrame({"a": [1.5, None]})),
    "list of dicts": (AB, lambda: [{"a": 1.5, "b": "x"}, {"b": "y", "a": 2.5}]),
    "dict of lists": (AB, lambda: GOOD),
    "dict of scalars": (AB, lambda: {"a": 1.5, "b": "x"}),
    "dict of arrays": (columns(a="double"), lambda: {"a": np.array([1.5, 2.5])}),
    "dict of lists of other lengths": (AB, lambda: {"a": [1.5], "b": ["x", "y"]}),
    "array for names": (AB, lambda: np.ones((2, 2))),
    "array for number names": (
        '[{"type": "double", "name": 0, "required": true}, {"type": "double", "name": 1, "required": true}]',
        lambda: np.ones((2, 2)),
    ),
    "series": (c("double"), lambda: pd.Series([1.5], name="c")),
    "series of another name": (c("double"), lambda: pd.Series([1.5], name="d")),
    "function": (c("double"), lambda: len),
    "tuple": (c("double"), lambda: (1.5,)),
    "unnamed list": (unnamed("double"), lambda: [1.5, 2.5]),
    "unnamed texts": (unnamed("string"), lambda: ["a", "b"]),
    "unnamed scalar": (unnamed("string"), lambda: "a"),
    "unnamed array": (unnamed("double", "double"), lambda: np.ones((2, 2))),
    "unnamed array of 3 dimensions": (unnamed("double"), lambda: np.ones((2, 2, 2))),
    "unnamed frame": (unnamed("double", "string"), lambda: pd.DataFrame(GOOD)),
    "unnamed frame, too many": (unnamed("double"), lambda: pd.DataFrame(GOOD)),
    "unnamed frame, too few": (unnamed("double", "string", "long"), lambda: pd.DataFrame(GOOD)),
    **{
        f"{dtype} for {kind}": (c(kind), lambda dtype=dtype: column([0, 1 if dtype == "boolean" else 3], dtype))
        for kind in ("boolean", "integer", "long", "float", "double", "string", "datetime")
        for dtype in "bool int8 uint8 int32 uint32 int64 uint64 float32 float64 Int64 boolean datetime64[s]".split()
    },
    "zeros and ones for double": (c("double"), lambda: column([0, 1])),
    "str for double": (c("double"), lambda: column(["1.5", "n/a"])),
    "str for string": (c("string"), lambda: column(["a", "b"])),
    "objects for double": (c("double"), lambda: objects(1.5, 2)),
    "objects with None for boolean": (c("boolean?"), lambda: objects(True, None)),
    "bytes for binary": (c("binary"), lambda: objects(b"a")),
    "dates for datetime": (c("datetime"), lambda: objects(dt.date(2026, 3, 1))),
    "time zone for datetime": (c("datetime"), lambda: column(pd.to_datetime(["2026-03-01"], utc=True))),
    "floats with missing for long": (c("long"), lambda: column([1, None])),
    "category for string": (c("string"), lambda: column(["a", "b"], "category")),
    "array": (c(array_of("string")), lambda: objects(["a", "b"], [])),
    "array of double": (c(array_of("double")), lambda: objects([1.5], [2.5, 3.5])),
    "array of another type": (c(array_of("double")), lambda: objects(["a"])),
    "array missing": (c(array_of("double")), lambda: objects(None)),
    "array for text": (c(array_of("string")), lambda: objects("a")),
    "arrays of arrays": (c(array_of(array_of("long"))), lambda: objects([[1], [2, 3]])),
    "arrays of numpy": (c(array_of("double")), lambda: objects(np.array([1.5, 2.5]))),
    "arrays of numpy, float32": (c(array_of("double")), lambda: objects(np.array([1.5], dtype="float32"))),
    "object": (c(object_of(x="string", y="boolean?")), lambda: objects({"x": "a", "y": True}, {"x": "b"})),
    "object, field None": (c(object_of(x="string", y="boolean?")), lambda: objects({"x": "a", "y": None})),
    "object, field missing": (c(object_of(x="string", y="boolean")), lambda: objects({"x": "a"})),
    "object, field unknown": (c(object_of(x="string")), lambda: objects({"x": "a", "z": 1})),
    "object, field of another type": (c(object_of(x="string")), lambda: objects({"x": 1.5})),
    "object for a list": (c(object_of(x="string")), lambda: objects([1])),
    "map": (c({"type": "map", "values": {"type": "string"}}), lambda: objects({"k": "a"}, {"l": "b"})),
    "map of another type": (c({"type": "map", "values": {"type": "string"}}), lambda: objects({"k": 1.5})),
    "map with number keys": (c({"type": "map", "values": {"type": "string"}}), lambda: objects({1: "a"})),
    "any": (c("any"), lambda: objects(1, "a", None)),
    "dict with lists in cells": (
        columns(q="string", tags=array_of("string")),
        lambda: {"q": "why", "tags": ["a", "b"]},
    ),
    "tensor": (tensors(_=("float64", [-1, 2])), lambda: np.ones((3, 2))),
    "tensor of another shape": (tensors(_=("float64", [-1, 2])), lambda: np.ones((3, 3))),
    "tensor of other dimensions": (tensors(_=("float64", [-1, 2])), lambda: np.ones(2)),
    "tensor, float64 for float32": (tensors(_=("float32", [-1, 2])), lambda: np.ones((3, 2))),
    "tensor, float32 for float64": (tensors(_=("float64", [-1, 2])), lambda: np.ones((3, 2), "float32")),
    "tensor, int64 for float64": (tensors(_=("float64", [-1, 2])), lambda: np.ones((3, 2), "int64")),
    "tensor, bool for float64": (tensors(_=("float64", [-1, 2])), lambda: np.ones((3, 2), "bool")),
    "tensor of texts": (tensors(_=("str", [-1])), lambda: np.array(["a", "bc"])),
    "tensor, ragged": (tensors(_=("float64", [-1, -1])), lambda: np.array([[1], [1, 2]], dtype=object)),
    "tensor, objects": (tensors(_=("object", [-1])), lambda: np.ones((3, 2))),
    "tensor, sparse": (tensors(_=("float64", [-1, 3])), lambda: sparse.csr_matrix(np.eye(3))),
    "tensor, list": (tensors(_=("float64", [-1, 2])), lambda: [[1.5, 2.5]]),
    "tensor, frame": (tensors(_=("float64", [-1, 2])), lambda: pd.DataFrame(np.ones((3, 2)))),
    "tensor, frame of other width": (tensors(_=("float64", [-1, 2])), lambda: pd.DataFrame(np.ones((3, 3)))),
    "tensor, frame of lists": (tensors(_=("float32", [-1, 2])), lambda: objects([1.5, 2.5], [3.5, 4.5])),
    "tensor, frame of numbers": (tensors(_=("float64", [-1, 1])), lambda: column([1.5, 2.5])),
    "tensor, series": (tensors(_=("float64", [-1])), lambda: pd.Series([1.5, 2.5])),
    "tensors": (
        tensors(a=("float64", [-1, 2]), b=("int64", [-1])),
        lambda: {"b": np.array([1]), "a": np.ones((1, 2)), "z": np.ones(1)},
    ),
    "tensors, missing": (tensors(a=("float64", [-1, 2]), b=("int64", [-1])), lambda: {"a": np.ones((1, 2))}),
    "tensors, array": (tensors(a=("float64", [-1, 2]), b=("int64", [-1])), lambda: np.ones((1, 2))),
    "tensor by name, array": (tensors(a=("float64", [-1, 2])), lambda: np.ones((1, 2))),
    "tensors, frame": (
        tensors(a=("float64", [-1, 2]), b=("int64", [-1])),
        lambda: pd.DataFrame({"a": [[1.5, 2.5], [3.5, 4.5]], "b": [1, 2]}),
    ),
    "tensors, frame of arrays": (
        tensors(a=("float64", [-1, 2])),
        lambda: pd.DataFrame({"a": [np.array([1.5, 2.5]), np.array([3.5, 4.5])]}),
    ),
}


def told(value: Any) -> Any:
    """What came out, in JSON: kind, dtypes, shape, index and values. Dtypes of text are alike in all of pandas."""
    if isinstance(value, pd.DataFrame):
        dtypes = [{"str": "object", "string": "object"}.get(str(dtype), str(dtype)) for dtype in value.dtypes]
        cells = [[plain(cell) for cell in value.iloc[:, n]] for n in range(value.shape[1])]
        return {"columns": list(value.columns), "dtypes": dtypes, "index": list(value.index), "cells": cells}
    if isinstance(value, dict):
        return {name: told(each) for name, each in value.items()}
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "cells": plain(value)}
    return {"sparse": str(value.dtype), "cells": plain(value.toarray())}


def plain(cell: Any) -> Any:
    """A cell in JSON: moments as text, NaN and the like as null."""
    if isinstance(cell, np.ndarray | np.generic):
        return plain(cell.tolist())
    if isinstance(cell, dict):
        return {str(key): plain(each) for key, each in cell.items()}
    if isinstance(cell, list):
        return [plain(each) for each in cell]
    if cell is None or cell != cell or cell is pd.NaT:
        return None
    return cell if isinstance(cell, str | bool | int | float) else str(cell)
