"""infer_signature gives what MLflow gives; signatures.json holds its answers."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tracker.exceptions import InvalidValueError
from tracker.models import ModelSignature, infer_signature
from tracker.types import ColSpec, ParamSchema, ParamSpec, Schema

from .inputs import DATA, PARAMS

ANSWERS = json.loads((Path(__file__).parent / "signatures.json").read_text("utf-8"))


def in_json(signature: ModelSignature, part: str) -> Any:
    """One part of a signature as it stands in an MLmodel file."""
    text = signature.to_dict()[part]
    assert text is not None
    return json.loads(text)


def test_mlflow_answered_for_each_case() -> None:
    """The file of answers has exactly the cases of inputs.py, and says who answered."""
    assert set(ANSWERS["data"]) == set(DATA)
    assert set(ANSWERS["params"]) == set(PARAMS)
    assert ANSWERS["made_with"]["mlflow"].startswith("3.")


@pytest.mark.parametrize("name", DATA)
def test_data_have_the_signature_that_mlflow_gives(name: str) -> None:
    """Inputs and outputs of every kind have the JSON that MLflow writes, in its order; what has no type is Any."""
    expected = ANSWERS["data"][name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        signature = infer_signature(DATA[name](), DATA[name]())
    assert json.dumps(in_json(signature, "inputs")) == json.dumps(expected)
    assert in_json(signature, "outputs") == expected
    assert ModelSignature.from_dict(signature.to_dict()) == signature
    gave_up = [str(each.message) for each in caught if "is Any, so nothing about it is checked" in str(each.message)]
    assert not gave_up or expected == [{"type": "any", "required": True}]


@pytest.mark.parametrize("name", PARAMS)
def test_params_have_the_schema_that_mlflow_gives(name: str) -> None:
    """Params of every kind have the JSON that MLflow writes, and what it refuses is refused."""
    expected = ANSWERS["params"][name]
    if expected == "error":
        with pytest.raises(InvalidValueError):
            infer_signature(params=PARAMS[name]())
        return
    signature = infer_signature(params=PARAMS[name]())
    assert json.dumps(in_json(signature, "params")) == json.dumps(expected)


def test_a_reason_is_given_where_the_type_is_any() -> None:
    """The warning says which value has no type."""
    with pytest.warns(UserWarning, match=r"model's input is Any.*no type for the dtype complex128"):
        infer_signature(pd.DataFrame({"c": [1j]}))


def test_params_of_no_type_are_named() -> None:
    """The error for a param names it and says why."""
    with pytest.raises(InvalidValueError, match="Parameter 'n' has no type: None says nothing"):
        infer_signature(params={"n": None})


def test_signatures_by_hand() -> None:
    """Parts can be given by hand; parts that are missing are None, and one has to be there."""
    schema = Schema([ColSpec("double", "x")])
    signature = ModelSignature(inputs=schema, params=ParamSchema([ParamSpec("p", "long", 1)]))
    assert signature.to_dict() == {
        "inputs": '[{"type": "double", "name": "x", "required": true}]',
        "outputs": None,
        "params": '[{"name": "p", "default": 1, "shape": null, "type": "long"}]',
    }
    assert ModelSignature.from_dict({"inputs": schema.to_json()}) == ModelSignature(inputs=schema)
    with pytest.raises(InvalidValueError, match="all three are missing"):
        ModelSignature()
    with pytest.raises(InvalidValueError, match=r"inputs of a signature must be a Schema .* infer_signature\(\)"):
        ModelSignature(inputs=[1.5])  # type: ignore[arg-type]


def test_objects_of_pydantic_are_refused() -> None:
    """An object with fields of its own is no dict, and the error says how it becomes one."""

    class Question:
        model_fields: dict[str, Any] = {}  # noqa: RUF012

    with pytest.raises(InvalidValueError, match=r"\.model_dump\(\)"):
        infer_signature(Question())


def test_dtypes_spare_the_cells() -> None:
    """A frame of 1,000,000 x 20 is inferred in a fraction of the time that one loop over its cells takes."""
    values = np.zeros((1_000_000, 20))
    frame = pd.DataFrame(values, columns=[f"c{n}" for n in range(20)], copy=False)
    before = time.process_time()
    infer_signature(frame, values)
    took = time.process_time() - before
    before = time.process_time()
    for each in values[:, 0].tolist():
        if each != each:
            break
    assert took < 20 * (time.process_time() - before)
