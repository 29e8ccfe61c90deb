"""The folder of a model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.models.from_code import ModelConfig, set_model
    from tracker.models.signature import ModelSignature, infer_signature

__all__ = ["ModelConfig", "ModelSignature", "infer_signature", "set_model"]

_HOMES = {
    "ModelConfig": "tracker.models.from_code",
    "ModelSignature": "tracker.models.signature",
    "infer_signature": "tracker.models.signature",
    "set_model": "tracker.models.from_code",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for."""
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    if name == "signature":  # scripts write mlflow.models.signature.infer_signature
        return importlib.import_module("tracker.models.signature")
    from tracker.exceptions import did_you_mean

    raise AttributeError(f"tracker.models has no {name!r}.{did_you_mean(name, _HOMES)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
