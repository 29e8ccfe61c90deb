"""Models that a module outside of tracker loads with its `_load_pyfunc(path)`, as MLflow has them do."""

from __future__ import annotations

import importlib
import inspect
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker import _io, names, saving
from tracker.exceptions import InvalidValueError, ModelError, NotFoundError
from tracker.models import from_code
from tracker.models.mlmodel import PYFUNC
from tracker.opening import OpenedModel
from tracker.pyfunc.predictors import warn_of_unused_params
from tracker.saving import Written

DATA = "data"


def writer(
    loader_module: str,
    data_path: str | os.PathLike[str] | None,
    *,
    config: Mapping[str, Any] | str | Path | None = None,
) -> saving.Write:
    """What copies data into a folder, and says that this module loads it."""
    if not all(part.isidentifier() for part in loader_module.split(".")):
        raise InvalidValueError(f"loader_module is {loader_module!r}, which is no name of a module.")
    settings = from_code.read_config(config)
    source = None if data_path is None else Path(data_path).resolve()
    if source is not None and not source.exists():
        raise NotFoundError(f"There is no file or folder {source} to take as data_path. Check the path.")

    def write(folder: Path) -> Written:
        facts: dict[str, Any] = {"config": settings} if settings else {}
        if source is not None:
            names.check_artifact_path(source.name, "The file name of data_path")
            target = folder / DATA / source.name
            target.parent.mkdir()
            with _io.explained("copy", source):
                (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
            facts[DATA] = target.relative_to(folder).as_posix()
        return Written(loader=loader_module, pyfunc=facts, modules=frozenset({loader_module.partition(".")[0]}))

    return write


class ForeignPredictor:
    """The model that a module outside of tracker loads with its `_load_pyfunc(path)`, as MLflow has them do."""

    def __init__(self, opened: OpenedModel, loader: str, config: Mapping[str, Any] | None) -> None:
        opened.require_trust()
        opened.use_code()
        facts = opened.flavor(PYFUNC)
        load = getattr(_imported(loader, opened.uri), "_load_pyfunc", None)
        if load is None:
            raise ModelError(f"{opened.uri} is loaded by the module {loader}, which has no _load_pyfunc(path).")
        path = opened.copy(opened.path_of(facts, "data")) if facts.get("data") else opened.copy()
        self.raw_model = load(str(path), config) if config else load(str(path))
        self._method = getattr(self.raw_model, str(facts.get("predict_fn") or "predict"), None)
        if self._method is None:
            raise ModelError(f"What {loader} loaded from {opened.uri} has no predict().")
        opened.live_with(self.raw_model)

    def __call__(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        assert self._method is not None
        if "params" in inspect.signature(self._method).parameters:
            return self._method(data, params=params)
        if params:
            warn_of_unused_params(params)
        return self._method(data)


def _imported(loader: str, uri: str) -> Any:
    try:
        return importlib.import_module(loader)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{uri} is loaded by the module {loader}, which needs {error.name}, and that is not installed. "
            "Save the model with code_paths= if it is your own."
        ) from error
