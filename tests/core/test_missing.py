"""What MLflow has and tracker does not: an error that says what to use instead, everywhere."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path

import pytest

import tracker
from tracker.exceptions import InvalidValueError
from tracker.missing import remedy

FUNCTIONS: dict[str, list[str]] = json.loads((Path(__file__).parent / "mlflow_functions.json").read_text("utf-8"))
"""The functions of MLflow 3.17's first module, with their arguments."""
FLAVORS = ("keras", "lightgbm", "onnx", "pytorch", "sklearn", "tensorflow", "xgboost")


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"run"}))  # tracker.run is a module
def test_each_function_is_there_or_says_what_to_use(name: str) -> None:
    """With every argument of MLflow's, or as an AttributeError with a remedy."""
    if name not in tracker.__all__:
        assert len(remedy(name)) > 30
        with pytest.raises(AttributeError, match=re.escape(remedy(name))):
            getattr(tracker, name)
        return
    ours = inspect.signature(getattr(tracker, name)).parameters
    assert [argument for argument in FUNCTIONS[name] if argument not in ours] == []
    theirs = [argument for argument in FUNCTIONS[name] if ours[argument].kind is not inspect.Parameter.KEYWORD_ONLY]
    assert list(ours)[: len(theirs)] == theirs


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_experiment", {"name": "x", "trace_location": object()}),
        ("log_metric", {"key": "x", "value": 1, "model_id": "m-1"}),
        ("log_metric", {"key": "x", "value": 1, "dataset": object()}),
        ("log_metrics", {"metrics": {"x": 1}, "model_id": "m-1", "dataset": object()}),
        ("register_model", {"model_uri": "x", "name": "y", "env_pack": "databricks_model_serving"}),
        ("set_experiment", {"experiment_name": "x", "trace_location": object()}),
    ],
)
def test_arguments_without_a_meaning_are_refused(store: Path, name: str, arguments: dict[str, object]) -> None:
    """With what to do instead, and nothing is written."""
    with pytest.raises(InvalidValueError, match=r"cannot be given\. .{30}"):
        getattr(tracker, name)(**arguments)
    assert tracker.active_run() is None
    assert not store.exists()


@pytest.mark.parametrize("module", ["tracker", *(f"tracker.{flavor}" for flavor in FLAVORS)])
def test_autologging_is_not_there(module: str) -> None:
    """Nor in any flavor, and each says so and what to do."""
    with pytest.raises(AttributeError, match=r"has no 'autolog'\. Autologging is not there yet: call log_params"):
        _ = importlib.import_module(module).autolog


@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_slip_in_the_name_of_a_flavors_function(flavor: str) -> None:
    """Gets a hint."""
    with pytest.raises(AttributeError, match=f'tracker.{flavor} has no .* Did you mean "load_model"'):
        _ = importlib.import_module(f"tracker.{flavor}").load_modell


@pytest.mark.parametrize(
    ("name", "instead"),
    [("spark", "tracker.pyfunc"), ("transformers", "tracker.pyfunc"), ("data", "log_param"), ("genai", "log_dict")],
)
def test_modules_that_are_not_there(name: str, instead: str) -> None:
    """Say what does the same."""
    with pytest.raises(AttributeError, match=instead):
        getattr(tracker, name)
