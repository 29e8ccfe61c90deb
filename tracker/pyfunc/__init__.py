"""Models with one predict(), with MLflow's names: loaded ones of any library, and those made of Python code.

>>> model = tracker.pyfunc.load_model("models:/iris/1")
>>> model.predict(frame)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from tracker import saving
from tracker.exceptions import InvalidValueError, ModelError, did_you_mean
from tracker.models import environment
from tracker.models.info import ModelInfo
from tracker.models.mlmodel import PYFUNC as FLAVOR_NAME
from tracker.opening import Trust, open_model
from tracker.pyfunc import foreign
from tracker.pyfunc import python_model as python_models
from tracker.pyfunc.loaded import PyFuncModel, overridden, warn_of_differences
from tracker.pyfunc.loaders import load_predictor
from tracker.pyfunc.model import PythonModel, PythonModelContext
from tracker.saving import LogOptions, SaveOptions


def load_model(
    model_uri: str | os.PathLike[str],
    suppress_warnings: bool = False,
    dst_path: str | None = None,
    model_config: Mapping[str, Any] | str | Path | None = None,
    *,
    trust: Trust = False,
) -> PyFuncModel:
    """Load the model behind a path, `runs:/`, `models:/` or `https://` URI. Its digests are verified first.

    `model_config` changes values of the configuration that the model was saved with. `dst_path` is accepted for
    MLflow's sake: files are read where they are.

    Raises UntrustedModelError for a model from outside the store that would run code of its own without `trust=True`
    (or its digest), and ChangedModelError, NotFoundError, ModelError, MissingPackageError.
    """
    opened = open_model(model_uri, trust=trust)
    saved = opened.flavor(FLAVOR_NAME).get("config")
    config = overridden(opened.uri, saved if isinstance(saved, dict) else None, model_config)
    if not suppress_warnings:
        warn_of_differences(opened)
    return PyFuncModel(opened, load_predictor(opened, config or None))


def get_model_dependencies(model_uri: str | os.PathLike[str], format: str = "pip") -> str:  # noqa: A002
    """The path of a model's requirements.txt, or with `format="conda"` of its conda.yaml. Its digests are verified.

    Raises ModelError when the model has none.
    """
    files = {"pip": environment.REQUIREMENTS_FILE, "conda": environment.CONDA_FILE}
    if format not in files:
        raise InvalidValueError(f"format is {format!r}; it can be pip or conda.")
    opened = open_model(model_uri)
    if files[format] not in opened.manifest.files:
        raise ModelError(f"{opened.uri} has no {files[format]}.")
    return str(opened.folder / files[format])


def save_model(
    path: str | os.PathLike[str],
    *,
    python_model: Any = None,
    artifacts: Mapping[str, str] | None = None,
    loader_module: str | None = None,
    data_path: str | os.PathLike[str] | None = None,
    model_config: Mapping[str, Any] | str | Path | None = None,
    streamable: bool | None = None,
    **options: Unpack[SaveOptions],
) -> None:
    """Save a Python model to a folder, in MLflow's format; see log_model.

    Raises AlreadyExistsError when something is in the folder.
    """
    write = _write(python_model, artifacts, loader_module, data_path, model_config, streamable)
    saving.save_model(path, write, options)


def log_model(
    artifact_path: str | None = None,
    *,
    python_model: Any = None,
    artifacts: Mapping[str, str] | None = None,
    loader_module: str | None = None,
    data_path: str | os.PathLike[str] | None = None,
    model_config: Mapping[str, Any] | str | Path | None = None,
    streamable: bool | None = None,
    **options: Unpack[LogOptions],
) -> ModelInfo:
    """Log a Python model to the active run, and register it when `registered_model_name` is given.

    `python_model` is a PythonModel instance, a function `predict(model_input, params=None)`, or the path of a Python
    file that calls `tracker.models.set_model()`. `artifacts` are files and folders by name, as paths or URIs: they
    are copied into the model, and `context.artifacts` has their paths. `model_config` is what `context.model_config`
    has. `loader_module` and `data_path` stand in place of all that: a module whose `_load_pyfunc(path)` loads the data.
    SaveOptions and LogOptions list the other arguments; docs/models.md explains them.

    Raises InvalidValueError for what cannot be a model or cannot be pickled.
    """
    write = _write(python_model, artifacts, loader_module, data_path, model_config, streamable)
    return saving.log_model(write, options, artifact_path)


def _write(
    python_model: Any,
    artifacts: Mapping[str, str] | None,
    loader_module: str | None,
    data_path: str | os.PathLike[str] | None,
    model_config: Mapping[str, Any] | str | Path | None,
    streamable: bool | None,
) -> saving.Write:
    if (python_model is None) == (loader_module is None):
        raise InvalidValueError("Give python_model=, or loader_module= with data_path=: one of the two.")
    if loader_module is None:
        if data_path is not None:
            raise InvalidValueError("data_path= belongs to loader_module=. For files of a python_model use artifacts=.")
        return python_models.writer(python_model, files=artifacts, config=model_config, streamable=streamable)
    if artifacts:
        raise InvalidValueError("artifacts= belongs to python_model=. With loader_module= use data_path=.")
    return foreign.writer(loader_module, data_path, config=model_config)


__all__ = [
    "FLAVOR_NAME",
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "get_model_dependencies",
    "load_model",
    "log_model",
    "save_model",
]


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"tracker.pyfunc has no {name!r}.{did_you_mean(name, __all__)} docs/models.md has what there is."
    )
