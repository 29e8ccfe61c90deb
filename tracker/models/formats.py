"""How a model is stored, and whether loading it can run code that the file brings along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tracker.models.mlmodel import PYFUNC, Model

PICKLES = ("cloudpickle", "pickle", "joblib")
LIGHTGBM_TEXT = "text"
_WITH_SKOPS = ("sklearn", "lightgbm")
"""Flavors that load skops files; what another one says of its format changes nothing."""


class Format(Struct, frozen=True):
    """How a model is stored."""

    name: str
    """Such as skops, cloudpickle, onnx."""
    safe: bool
    """Loading runs no code that comes with the model."""
    meaning: str
    """One sentence for people."""
    always_checked: bool = False
    """A model that is trusted is loaded with the same checks as any other."""


_PICKLE = (
    "A pickle is a program: loading it runs whatever its author put in. Load it only if you trust where it is from."
)
_CODE = "It brings Python files along, which run when it is loaded. Load it only if you trust where they are from."
_TRUST = "Load it only if you trust where it is from."
_DATA = "It holds data only. Loading it runs no code of the file."
_UNKNOWN = "tracker does not know this format, so it takes it for one that can run code."

SKOPS = Format(
    "skops",
    True,
    "It names its types, and only those on our list of vetted ones are loaded. No code of the file runs.",
    always_checked=True,
)
_SAFE = {
    "xgboost": Format("xgboost", True, _DATA),
    "lightgbm": Format("lightgbm", True, _DATA, always_checked=True),
    "onnx": Format("onnx", True, _DATA),
    "keras": Format("keras", True, "Keras loads it in safe mode, which refuses layers that hold code."),
}
_SAVEDMODEL = Format(
    "savedmodel", False, "A TensorFlow graph can read and write files. Load it only if you trust where it is from."
)
_UNSAFE = {
    "pytorch": Format("pickle", False, _PICKLE),
    "tensorflow": _SAVEDMODEL,
    "spark": Format("spark", False, _UNKNOWN),
}


def format_of(model: Model) -> Format:
    """How a model is stored, by what its MLmodel says; the bytes are compared with that when it is loaded."""
    pyfunc = model.flavors.get(PYFUNC, {})
    own = [_own_format(name, model.flavors[name]) for name in model.own_flavors]
    if any(facts.get("code") for facts in model.flavors.values()):
        return Format(_name(own), False, _CODE)
    if unsafe := next((found for found in own if not found.safe), None):
        return unsafe
    if own and pyfunc.get("loader_module") in (None, *(f"mlflow.{name}" for name in model.own_flavors)):
        return own[0]
    if pyfunc.get("python_model"):
        return Format("cloudpickle", False, _PICKLE)
    return Format("python", False, _CODE if pyfunc.get("model_code_path") else _UNKNOWN)


def lightgbm_format(facts: Mapping[str, Any]) -> str:
    """LightGBM's text for a booster, whatever else is said of it; estimators of MLflow 2 are pickles and do not say."""
    if facts.get("model_class", "lightgbm.basic.Booster") == "lightgbm.basic.Booster":
        return LIGHTGBM_TEXT
    return str(facts.get("serialization_format") or "cloudpickle")


def _own_format(flavor: str, facts: Mapping[str, Any]) -> Format:
    word = lightgbm_format(facts) if flavor == "lightgbm" else str(facts.get("serialization_format", ""))
    if word == "skops" and flavor in _WITH_SKOPS:
        return SKOPS
    if word in PICKLES:
        return Format(word, False, _PICKLE)
    if word == "pt2":
        return Format("pt2", False, "An exported program of PyTorch may hold pickles and compiled code. " + _TRUST)
    if flavor == "keras" and facts.get("save_exported_model"):
        return _SAVEDMODEL
    if flavor == "tensorflow" and facts.get("model_type") == "keras":
        return _SAFE["keras"]
    return _SAFE.get(flavor) or _UNSAFE.get(flavor) or Format(flavor, False, _UNKNOWN)


def _name(own: list[Format]) -> str:
    return f"{own[0].name} with code" if own else "python code"
