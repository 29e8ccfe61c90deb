"""Which module loads a model as a python_function: the table of MLflow's names, and modules that people wrote."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from tracker.exceptions import ModelError
from tracker.installed import is_importable
from tracker.models.mlmodel import PYFUNC
from tracker.opening import OpenedModel
from tracker.pyfunc import foreign, python_model

Predictor = Callable[..., Any]
"""Takes data, and `params` by name, to predictions."""

FLAVORS = {
    "mlflow.sklearn": "tracker.sklearn",
    "mlflow.pytorch": "tracker.pytorch",
    "mlflow.keras": "tracker.keras",
    "mlflow.tensorflow": "tracker.tensorflow",
    "mlflow.xgboost": "tracker.xgboost",
    "mlflow.lightgbm": "tracker.lightgbm",
    "mlflow.onnx": "tracker.onnx",
}
PYTHON = (python_model.LOADER, python_model.CODE_LOADER)


def load_predictor(opened: OpenedModel, config: Mapping[str, Any] | None) -> Predictor:
    """The function behind predict() of a model. Raises ModelError when its MLmodel file names no loader we know."""
    loader = opened.flavor(PYFUNC).get("loader_module")
    if not isinstance(loader, str) or not all(part.isidentifier() for part in loader.split(".")):
        raise ModelError(
            f"{opened.uri} names {loader!r:.80} as its loader, which is no module. Its MLmodel is damaged."
        )
    if loader in PYTHON:
        return python_model.load_pyfunc(opened, config)
    if loader in FLAVORS:
        found: Predictor = importlib.import_module(FLAVORS[loader]).load_pyfunc(opened)
        return found
    if loader.partition(".")[0] == "mlflow" and not is_importable("mlflow"):
        raise ModelError(
            f"{opened.uri} is a model of {loader}, for which tracker has no loader of its own (it has one for "
            f"{', '.join(name.removeprefix('mlflow.') for name in FLAVORS)} and Python models). "
            "Install mlflow beside tracker, and it loads that way."
        )
    return foreign.ForeignPredictor(opened, loader, config)
