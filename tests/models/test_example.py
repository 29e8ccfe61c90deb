"""Input examples: the files that MLflow writes, and the data read back from them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from tracker.exceptions import InvalidValueError, ModelError
from tracker.models import infer_signature
from tracker.models.enforce import enforce_schema
from tracker.models.example import Example, read_example, split_example

sys.path.insert(0, str(Path(__file__).parent))
from examples import EXAMPLES

ANSWERS = json.loads((Path(__file__).parent / "signatures.json").read_text("utf-8"))["examples"]
GOOD = [name for name in EXAMPLES if ANSWERS[name] != "error"]
LOSSY = {f"frame with {what}" for what in ("categories", "arrays", "an index", "small types", "moments")}
"""Frames whose dtypes or index neither JSON nor a schema tells."""


def refuse(text: str) -> Any:
    """Called by the JSON reader for NaN and Infinity."""
    raise AssertionError(f"{text} is no JSON")


def strict(data: bytes) -> Any:
    """JSON as a browser reads it."""
    return json.loads(data, parse_constant=refuse)


def same(first: Any, second: Any) -> bool:
    """Whether two data are equal, dtypes included."""
    if isinstance(first, pd.DataFrame):
        pd.testing.assert_frame_equal(first, second)
        return True
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    if sparse.issparse(first):
        return first.format == second.format and (first != second).nnz == 0
    if isinstance(first, dict) and first and all(isinstance(each, np.ndarray) for each in first.values()):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    return bool(first == second)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_what_mlflow_writes(name: str) -> None:
    """The entry of the MLmodel file and both JSON files say what MLflow's say; what it refuses is refused."""
    if ANSWERS[name] == "error":
        with pytest.raises(InvalidValueError):
            Example.make(EXAMPLES[name]())
        return
    made = Example.make(EXAMPLES[name]())
    assert {"info": made.info, "files": [strict(data) for data in made.files.values()]} == ANSWERS[name]
    assert list(made.files) == [made.info["artifact_path"], made.info["serving_input_path"]]


@pytest.mark.parametrize("name", GOOD)
def test_examples_come_back(name: str) -> None:
    """With the schema of the model, data read back are what was given; they fit the signature."""
    data, params = split_example(EXAMPLES[name]())
    schema = infer_signature(data).inputs
    assert schema is not None
    made = Example.make(EXAMPLES[name]())
    stored = made.files[made.info["artifact_path"]]
    found = read_example(made.info, stored, schema)
    if made.info["type"] != "json_object":
        enforce_schema(found, schema)
        assert name in LOSSY or same(data, found)
    else:
        assert found == strict(stored)["inputs"] if params else strict(stored)
    assert ("params" in made.info) == (params is not None)


def test_examples_come_back_without_a_schema() -> None:
    """Numbers and texts need no schema, nor does a missing number."""
    for value in (np.array([[1.5, np.nan]]), pd.DataFrame({"a": [1.5, None], "b": ["x", "y"]}), {"a": np.array([1])}):
        made = Example.make(value)
        assert same(value, read_example(made.info, made.files[made.info["artifact_path"]]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ).filter(lambda value: isinstance(value, list | dict))
)
def test_any_plain_data_make_strict_json(value: Any) -> None:
    """Lists and dicts of anything give JSON that every reader takes; infinities stay visible."""
    made = Example.make(value)
    for data in made.files.values():
        strict(data)


def test_infinities_are_texts_that_become_numbers_again() -> None:
    """JSON has no infinity; its name in text is read back as the number, where the schema has numbers."""
    for value in (np.array([np.inf, -np.inf, 1.5]), pd.DataFrame({"a": [np.inf, 1.5]})):
        made = Example.make(value)
        stored = made.files["input_example.json"]
        assert b'"Infinity"' in stored
        assert same(value, read_example(made.info, stored, infer_signature(value).inputs))


def test_a_series_is_a_frame_of_one_column() -> None:
    """A series is stored as the frame that it makes."""
    assert Example.make(pd.Series([1.5], name="a")) == Example.make(pd.DataFrame({"a": [1.5]}))


def test_data_without_params() -> None:
    """A dict without params adds nothing, and is not told of."""
    assert Example.make(("hi", {})) == Example.make("hi")


def test_what_json_cannot_hold_is_named() -> None:
    """The error names the type of the object."""
    with pytest.raises(InvalidValueError, match="cannot hold function"):
        Example.make({"a": [test_data_without_params]})
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidValueError, match="too many levels"):
        Example.make(deep)


@pytest.mark.parametrize(
    ("info", "data"),
    [
        ({}, b"1"),
        ({"type": "pickle"}, b"1"),
        ({"type": "json_object"}, b"{"),
        ({"type": "json_object"}, b"[" * 100_000),
        ({"type": "json_object", "params": "true"}, b"[1]"),
        ({"type": "dataframe"}, b"[1]"),
        ({"type": "dataframe"}, b'{"columns": ["a", "b"], "data": [[1]]}'),
        ({"type": "ndarray"}, b"[[1], [1, 2]]"),
        ({"type": "sparse_matrix_csr"}, b'{"data": [1]}'),
        ({"type": "sparse_matrix_csr"}, b'{"data": [1], "indices": [99], "indptr": [0, 1], "shape": [1, 2]}'),
    ],
)
def test_damaged_examples_are_refused(info: dict[str, Any], data: bytes) -> None:
    """A file that holds something else than the MLmodel file says is a ModelError."""
    with pytest.raises(ModelError, match="input example"):
        read_example(info, data)
