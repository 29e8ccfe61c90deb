"""The folder of a model: nothing here knows of runs, of the registry or of any library's flavor.

| to read first | for |
|---|---|
| `mlmodel`, `formats`, `digests`, `inspection`, `info` | the files of a folder, what they say and how safe they are |
| `signature`, `inference` | what goes in and out, inferred from data |
| `enforce`, then `columns` and `tensors` | data held against a signature |
| `example` | the input example as JSON |
| `requirements`, `distributions`, then `environment` | what a model needs, and the files that say so |
| `pickles`, `from_code` with `mlflow_name` | models that run code |
| `skops_files`, then `skops_types` and `skops_checks` | skops files: read, judged by their types, checked |
| `keras_checks`, `lightgbm_checks`, `xgboost_checks` with `ubjson` | files of libraries, checked before use |
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.models.from_code import ModelConfig, set_model
    from tracker.models.mlmodel import Model
    from tracker.models.signature import ModelSignature, infer_signature
    from tracker.opening import get_model_info

__all__ = ["Model", "ModelConfig", "ModelSignature", "get_model_info", "infer_signature", "set_model"]

_HOMES = {
    "Model": "tracker.models.mlmodel",
    "ModelConfig": "tracker.models.from_code",
    "ModelSignature": "tracker.models.signature",
    "get_model_info": "tracker.opening",
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
    from tracker.missing import remedy

    raise AttributeError(f"tracker.models has no {name!r}.{remedy(name) or did_you_mean(name, _HOMES)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
