"""Data whose signatures MLflow was asked for; run in its environment too, so tracker is not imported here."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

DAY = dt.datetime(2026, 3, 1, 12, 30)
NAN = float("nan")


def column(values: Any, dtype: Any = None, name: str = "c") -> pd.DataFrame:
    """A frame with one column."""
    return pd.DataFrame({name: pd.Series(values, dtype=dtype)})


def objects(*values: Any) -> pd.DataFrame:
    """A frame with one column of dtype object."""
    made = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        made[place] = value
    return pd.DataFrame({"c": pd.Series(made, dtype=object)})


ARRAYS: dict[str, Callable[[], Any]] = {
    f"array {dtype}": lambda dtype=dtype: np.ones((3, 2), dtype=dtype)
    for dtype in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64".split()
} | {
    "array 1 dimension": lambda: np.zeros(4),
    "array 4 dimensions": lambda: np.zeros((2, 3, 28, 28), dtype="float32"),
    "array empty": lambda: np.zeros((0, 5)),
    "array without dimensions": lambda: np.array(1.5),
    "array of texts": lambda: np.array(["a", "bcd"]),
    "array of bytes": lambda: np.array([b"a", b"bcd"]),
    "array of objects": lambda: np.array([1, "a", None], dtype=object),
    "array of datetimes": lambda: np.array(["2026-03-01"], dtype="datetime64[ns]"),
    "array of days": lambda: np.array(["2026-03-01"], dtype="datetime64[D]"),
    "array big endian": lambda: np.ones(3, dtype=">f8"),
    "dict of arrays": lambda: {"a": np.zeros((2, 3)), "b": np.array(["x", "y"])},
    "dict of arrays, one empty": lambda: {"a": np.zeros((0, 3)), "b": np.zeros(3, dtype="int8")},
    "sparse csr": lambda: sparse.csr_matrix(np.eye(3)),
    "sparse csc float32": lambda: sparse.csc_matrix(np.eye(3, dtype="float32")),
    "sparse coo": lambda: sparse.coo_matrix(np.eye(3)),
}
COLUMNS: dict[str, Callable[[], Any]] = {
    f"column {dtype}": lambda dtype=dtype: column([1, 0, 1], dtype)
    for dtype in (
        "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex128 "
        "boolean Int8 Int32 Int64 UInt8 UInt64 Float32 Float64 datetime64[ns] datetime64[s] timedelta64[ns]"
    ).split()
} | {
    "column boolean missing": lambda: column([True, None], "boolean"),
    "column Int64 missing": lambda: column([1, None], "Int64"),
    "column float64 missing": lambda: column([1.5, None]),
    "column float32 missing": lambda: column([1.5, None], "float32"),
    "column float64 all missing": lambda: column([NAN, NAN]),
    "column string": lambda: column(["a", "b"], "string"),
    "column string missing": lambda: column(["a", None], "string"),
    "column str": lambda: column(["a", "b"]),
    "column str missing": lambda: column(["a", None]),
    "column objects str": lambda: objects("a", "b"),
    "column objects str and None": lambda: objects("a", None),
    "column objects str and NaN": lambda: objects("a", NAN),
    "column objects str and number": lambda: objects("a", 1.5),
    "column objects int": lambda: objects(1, 2),
    "column objects int and None": lambda: objects(1, None),
    "column objects bool and None": lambda: objects(True, None),
    "column objects float and None": lambda: objects(1.5, None),
    "column objects int and float": lambda: objects(1, 1.5),
    "column objects None": lambda: objects(None, None),
    "column objects bytes": lambda: objects(b"a", b"b"),
    "column objects bytearray": lambda: objects(bytearray(b"a")),
    "column objects decimal": lambda: objects(decimal.Decimal("1.5")),
    "column objects date": lambda: objects(dt.date(2026, 3, 1), dt.date(2026, 3, 2)),
    "column objects datetime": lambda: objects(DAY, DAY),
    "column objects datetime and None": lambda: objects(DAY, None),
    "column objects lists": lambda: objects([1, 2], [3]),
    "column objects lists, empty too": lambda: objects(["a"], []),
    "column objects lists and None": lambda: objects(["a"], None),
    "column objects lists of lists": lambda: objects([["a"], ["b", "c"]], [["d"]]),
    "column objects lists of mixed": lambda: objects([1, "a"]),
    "column objects arrays": lambda: objects(np.array([1.5, 2]), np.array([3.5])),
    "column objects arrays float32": lambda: objects(np.array([1.5], dtype="float32")),
    "column objects arrays of 2 dimensions": lambda: objects(np.ones((2, 2)), np.ones((1, 2))),
    "column objects arrays of texts": lambda: objects(np.array(["a"])),
    "column objects dicts": lambda: objects({"x": 1, "y": "a"}, {"x": 2, "y": "b"}),
    "column objects dicts, fields missing": lambda: objects({"x": 1, "y": "a"}, {"x": 2, "z": 1.5}),
    "column objects dicts, fields None": lambda: objects({"x": 1}, {"x": None}),
    "column objects dicts in dicts": lambda: objects({"x": {"y": [{"z": True}]}}),
    "column objects dicts and None": lambda: objects({"x": 1}, None),
    "column objects dicts empty": lambda: objects({}, {"x": 1}),
    "column objects tuples": lambda: objects((1, 2)),
    "column category str": lambda: column(["a", "b"], "category"),
    "column category str missing": lambda: column(["a", None], "category"),
    "column category int": lambda: column([3, 4], "category"),
    "column category float missing": lambda: column([3.5, None], "category"),
    "column with time zone": lambda: pd.DataFrame({"c": pd.to_datetime(["2026-03-01"], utc=True)}),
    "column datetime missing": lambda: pd.DataFrame({"c": pd.to_datetime(["2026-03-01", None])}),
    "column empty float64": lambda: column([], "float64"),
    "column empty object": lambda: column([], "object"),
    "column interval": lambda: column(pd.interval_range(0, 2)),
    "frame": lambda: pd.DataFrame({"b": [1.5], "a": ["x"], "c d": [True]}),
    "frame without names": lambda: pd.DataFrame(np.ones((2, 3))),
    "frame with year names": lambda: pd.DataFrame({2024: [1.5], 2025: [2.5]}),
    "frame with names twice": lambda: pd.DataFrame([[1.5, 2.5]], columns=["a", "a"]),
    "frame with index": lambda: pd.DataFrame({"a": [1.5]}, index=["row"]),
    "frame of text in Chinese": lambda: pd.DataFrame({"温度": ["热"]}),
    "series": lambda: pd.Series([1.5, 2.5], name="s"),
    "series without name": lambda: pd.Series([1, 2]),
    "series of texts, missing": lambda: pd.Series(["a", None], name="s"),
    "series without name, missing": lambda: pd.Series([1.5, None]),
}
PLAIN: dict[str, Callable[[], Any]] = {
    "int": lambda: 1,
    "float": lambda: 1.5,
    "NaN": lambda: NAN,
    "bool": lambda: True,
    "str": lambda: "text",
    "bytes": lambda: b"bytes",
    "datetime": lambda: DAY,
    "date": lambda: DAY.date(),
    "numpy int64": lambda: np.int64(1),
    "numpy int32": lambda: np.int32(1),
    "numpy float32": lambda: np.float32(1),
    "numpy bool": lambda: np.bool_(True),
    "numpy str": lambda: np.str_("a"),
    "set": lambda: {1, 2},
    "tuple": lambda: (1, 2),
    "function": lambda: len,
    "list empty": list,
    "list of texts": lambda: ["a", "b"],
    "list of ints": lambda: [1, 2],
    "list of floats and NaN": lambda: [1.5, NAN],
    "list of int and float": lambda: [1, 1.5],
    "list of None": lambda: [None, None],
    "list of text and None": lambda: ["a", None],
    "list of lists": lambda: [[1, 2], [3]],
    "list of lists empty": lambda: [[], []],
    "list of arrays": lambda: [np.array([1.5]), np.array([2.5, 3])],
    "list of empty arrays": lambda: [np.array([])],
    "list of dicts": lambda: [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    "list of dicts, some missing": lambda: [{"a": 1}, {"a": 2, "b": "y"}],
    "list of dicts, some None": lambda: [{"a": 1, "b": None}, {"a": 2, "b": "y"}],
    "list of dicts, all None": lambda: [{"a": None}],
    "list of dicts with NaN": lambda: [{"a": NAN}, {"a": 1.5}],
    "list of dicts with lists": lambda: [{"a": [1, 2], "b": [[True]]}, {"a": [], "b": [[False, True]]}],
    "list of dicts with dicts": lambda: [{"a": {"x": 1, "y": None}}, {"a": {"x": 2, "z": "t"}}],
    "list of dicts with number keys": lambda: [{1: "a"}],
    "list of dicts and None": lambda: [{"a": 1}, None],
    "list of messages": lambda: [
        {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None, "name": "a"}]}
    ],
    "dict empty": dict,
    "dict of scalars": lambda: {"a": 1, "b": 1.5, "c": "x", "d": True, "e": None, "f": b"x", "g": DAY},
    "dict of lists": lambda: {"a": [1, 2], "b": ["x", None]},
    "dict of dicts": lambda: {"a": {"x": [1.5]}, "b": {}},
    "dict of arrays and lists": lambda: {"a": np.array([1.5]), "b": ["x"]},
    "dict of an empty array and a list": lambda: {"a": np.array([]), "b": ["x"]},
    "dict with number keys": lambda: {1: "a"},
}
DATA = ARRAYS | COLUMNS | PLAIN
PARAMS: dict[str, Callable[[], Any]] = {
    "scalars": lambda: {"i": 1, "f": 0.5, "b": False, "s": "x", "d": DAY, "day": DAY.date()},
    "numpy scalars": lambda: {"i": np.int32(1), "l": np.int64(1), "f": np.float32(0.5), "s": np.str_("x")},
    "lists": lambda: {"i": [1, 2], "f": [0.5, 1.5], "mixed": [1, 0.5], "s": ["a", "b"], "b": [True], "d": [DAY]},
    "list empty": lambda: {"i": []},
    "arrays": lambda: {"i": np.array([1, 2]), "f": np.array([0.5], dtype="float32"), "s": np.array(["a"])},
    "dicts": lambda: {"d": {"x": 1, "y": {"z": ["a"]}}},
    "NaN": lambda: {"f": NAN},
    "None": lambda: {"n": None},
    "bytes": lambda: {"b": b"x"},
    "lists of lists": lambda: {"l": [[1]]},
    "lists of texts and numbers": lambda: {"l": ["a", 1]},
    "lists of bools and numbers": lambda: {"l": [True, 1]},
    "dict empty": lambda: {"d": {}},
    "tuple": lambda: {"t": (1, 2)},
    "too large": lambda: {"i": 2**70},
    "no dict": lambda: [1],
}
