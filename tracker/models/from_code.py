"""Models that are Python files: run when they are loaded, they name their model with `set_model`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tracker import _io, names
from tracker.exceptions import InvalidValueError, ModelError, NotFoundError
from tracker.models.mlflow_name import mlflow_is_tracker
from tracker.yaml_files import read_plain_yaml

MAX_CONFIG = 8 * 1024 * 1024
"""Bytes of the largest file of a configuration that is read."""
_set_model: list[Any] = []
_config: list[Mapping[str, Any]] = []
_folders: set[Path] = set()
_one_at_a_time = threading.RLock()
"""What runs a file changes what the whole process sees: the model that is set, and what `import mlflow` finds."""


def set_model(model: Any) -> None:
    """Name the model of a Python file that is given to log_model() as `python_model="file.py"`.

    Raises InvalidValueError for what is neither a PythonModel nor a function.
    """
    if not (callable(model) or callable(getattr(model, "predict", None))) or isinstance(model, type):
        raise InvalidValueError(
            f"set_model() takes a PythonModel instance or a function, not {type(model).__name__} {model!r:.80}."
        )
    _set_model.append(model)


class ModelConfig:
    """The configuration of the model whose file runs; with `development_config` while no model is loaded.

    >>> ModelConfig(development_config={"threshold": 0.5}).get("threshold")
    0.5
    """

    def __init__(self, *, development_config: Mapping[str, Any] | str | Path | None = None) -> None:
        self._values = _config[-1] if _config else read_config(development_config)

    def get(self, key: str) -> Any:
        """One value; NotFoundError when it is not there."""
        if key not in self._values:
            known = ", ".join(map(str, self._values)) or "nothing"
            raise NotFoundError(f"The configuration of the model has no {key!r}. It has {known}.")
        return self._values[key]

    def to_dict(self) -> dict[str, Any]:
        """All of it."""
        return dict(self._values)


def read_config(config: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    """A configuration given as a dict or as the path of a YAML file; empty for None.

    Raises NotFoundError for a missing file, InvalidValueError for what is no mapping with text keys.
    """
    value: object = config or {}
    if isinstance(config, str | Path):
        try:
            value = read_plain_yaml(_io.read_file(Path(config).resolve(), limit=MAX_CONFIG))
        except FileNotFoundError:
            raise NotFoundError(f"There is no file {str(config)!r} to read as model_config. Check the path.") from None
        except (OSError, ValueError) as error:
            raise InvalidValueError(f"model_config names {str(config)!r}, which is no YAML: {error}") from error
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidValueError("model_config is a dict with text keys, or the path of a YAML file that holds one.")
    return dict(value)


def run_code(path: Path, config: Mapping[str, Any] | None) -> Any:
    """Run a Python file, and return the model that it sets. **Call it for trusted files only.**

    Raises ModelError when it fails or sets none.
    """
    module = ModuleType(f"code_model_{names.new_id()}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where its classes are found when they are pickled
    with _one_at_a_time, _explained(path, module):
        before = _set_in_mlflow()
        with mlflow_is_tracker(), _collected(config) as found:
            exec(compile(path.read_bytes(), path, "exec"), module.__dict__)
        after = _set_in_mlflow()
    model = found[-1] if found else (after if after is not before else None)
    if model is None:
        raise ModelError(f"{path} names no model. Call tracker.models.set_model(model) in it.")
    return model


def import_from(folder: Path) -> None:
    """Import from a folder before all others; modules that another such folder gave under a name of its own are
    forgotten, so that each model gets the code it was saved with."""
    with _one_at_a_time:
        others = [place for place in _folders if place != folder]
        for name in {entry.stem for entry in folder.iterdir()}:
            file = getattr(sys.modules.get(name), "__file__", None) or ""
            if any(Path(file).is_relative_to(place) for place in others):
                for loaded in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
                    del sys.modules[loaded]
        sys.path[:] = [str(folder), *(place for place in sys.path if place != str(folder))]
        _folders.add(folder)


def _set_in_mlflow() -> Any:
    """What MLflow's own set_model() was given, where MLflow is loaded."""
    return getattr(sys.modules.get("mlflow.models.model"), "__mlflow_model__", None)


@contextmanager
def _explained(path: Path, module: ModuleType) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        sys.modules.pop(module.__name__, None)
        raise ModelError(f"{path} failed while it was run: {type(error).__name__}: {error}") from error


@contextmanager
def _collected(config: Mapping[str, Any] | None) -> Iterator[list[Any]]:
    """What set_model() is given within the block, in which ModelConfig() has this configuration."""
    outer, found = _set_model[:], list[Any]()
    _set_model.clear()
    _config.append(config or {})
    try:
        yield found
        found += _set_model
    finally:
        _config.pop()
        _set_model[:] = outer
