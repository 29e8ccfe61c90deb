"""MLflow 3 loads the models of each flavor that tracker saved, and the other way round."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pytest
from mlflow.models import infer_signature

import tracker.pyfunc
from tests.frameworks.heavy import models as heavy
from tests.frameworks.light import models as light
from tests.frameworks.saved import same

CASES: dict[str, Any] = {**light.CASES, **heavy.CASES}


def ways(library: Any, case: Any, folder: Path, **options: Any) -> list[Any]:
    """What a saved model predicts through its own flavor and through pyfunc."""
    module = importlib.import_module(f"{library.__name__}.{case.flavor}")
    bare = case.native(module.load_model(str(folder), **options), case.inputs)
    return [bare, library.pyfunc.load_model(str(folder), **options).predict(case.inputs)]


@pytest.mark.parametrize("name", CASES)
def test_mlflow_loads_what_tracker_saved(name: str, tmp_path: Path) -> None:
    """The same predictions, natively and as a pyfunc."""
    case = CASES[name]
    model = case.make()
    expected = case.native(model, case.inputs)
    importlib.import_module(f"tracker.{case.flavor}").save_model(model, tmp_path / "model", **dict(case.options))
    assert all(same(found, expected) for found in ways(mlflow, case, tmp_path / "model"))


@pytest.mark.parametrize("name", CASES)
def test_tracker_loads_what_mlflow_saved(name: str, tmp_path: Path) -> None:
    """The same predictions, natively and as a pyfunc."""
    case = CASES[name]
    model = case.make()
    expected = case.native(model, case.inputs)
    options = dict(case.options)
    if options.get("serialization_format") == "pt2":
        options["signature"] = infer_signature(case.inputs, expected)
    module = importlib.import_module(f"mlflow.{case.flavor}")
    module.save_model(model, str(tmp_path / "model"), pip_requirements=[], **options)
    assert all(same(found, expected) for found in ways(tracker, case, tmp_path / "model", trust=True))
