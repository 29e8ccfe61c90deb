"""Input examples, and what MLflow writes for them; run in its environment too, so tracker is not imported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

DAY = dt.datetime(2026, 3, 1, 12, 30)
EXAMPLES: dict[str, Callable[[], Any]] = {
    "frame": lambda: pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"], "c": [True, False], "d": [1, 2]}),
    "frame with missing values": lambda: pd.DataFrame({"a": [1.5, None], "b": ["x", None]}),
    "frame with names that are numbers": lambda: pd.DataFrame({2025: [1.5]}),
    "frame without names": lambda: pd.DataFrame(np.ones((2, 2))),
    "frame with an index": lambda: pd.DataFrame({"a": [1.5]}, index=["row"]),
    "frame with small types": lambda: pd.DataFrame({"a": np.ones(2, "int8"), "b": np.full(2, 0.1, "float32")}),
    "frame with moments": lambda: pd.DataFrame({"a": pd.to_datetime(["2026-03-01T12:30:00"]), "b": [DAY.date()]}),
    "frame with bytes": lambda: pd.DataFrame({"a": [b"bytes" * 20]}),
    "frame with categories": lambda: pd.DataFrame({"a": pd.Series(["x", "y"], dtype="category")}),
    "frame with lists and dicts": lambda: pd.DataFrame({"a": [[1, 2], []], "b": [{"x": [1.5]}, {"x": []}]}),
    "frame with arrays": lambda: pd.DataFrame({"a": [np.array([1.5, 2.5])]}),
    "frame without rows": lambda: pd.DataFrame({"a": pd.Series([], dtype=float)}),
    "array": lambda: np.array([[1.5, 2.5], [3.5, 4.5]]),
    "array with missing values": lambda: np.array([[1.5, np.nan]]),
    "array float32": lambda: np.full((2, 2), 0.1, "float32"),
    "array of integers": lambda: np.arange(6).reshape(1, 2, 3),
    "array of texts": lambda: np.array(["a", "bc"]),
    "array of booleans": lambda: np.array([True, False]),
    "dict of arrays": lambda: {"a": np.array([1.5, 2.5]), "b": np.array([[1], [2]])},
    "sparse csr": lambda: sparse.csr_matrix(np.eye(3)),
    "sparse csc": lambda: sparse.csc_matrix(np.array([[0, 1.5], [0, 0]])),
    "dict": lambda: {"a": 1, "b": "x", "c": None, "d": [1.5], "e": {"f": True}},
    "dict with values of numpy": lambda: {"a": np.float32(0.5), "b": [np.int64(1)]},
    "dict with moments and bytes": lambda: {"a": DAY, "b": b"x"},
    "list": lambda: ["a", "b"],
    "list of dicts": lambda: [{"a": 1}, {"a": 2, "b": None}],
    "text": lambda: "hi",
    "number": lambda: 1.5,
    "number of numpy": lambda: np.int64(3),
    "boolean": lambda: True,
    "moment": lambda: DAY,
    "messages": lambda: {"messages": [{"role": "user", "content": "hi"}]},
    "prompt": lambda: {"prompt": "hi", "temperature": 0.5},
    "with params": lambda: (pd.DataFrame({"a": [1.5]}), {"k": 3, "stop": ["x"]}),
    "array with params": lambda: (np.array([1.5]), {"k": np.int64(3)}),
    "text with params": lambda: ("hi", {"k": 3}),
    "messages with params": lambda: ({"messages": []}, {"k": 3}),
    "tuple": lambda: (1, 2),
    "set": lambda: {1, 2},
    "function": lambda: len,
    "complex": lambda: np.array([1j]),
    "with params of no type": lambda: ("hi", {"k": None}),
}


def without_nan(value: Any) -> Any:
    """JSON with null for NaN, which MLflow writes in some places."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_nan(each) for each in value]
    return None if value != value else value
