"""A loaded model with one predict(), whatever library it came from."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from tracker.exceptions import InvalidValueError
from tracker.installed import installed_version
from tracker.models import from_code
from tracker.models.environment import REQUIREMENTS_FILE
from tracker.models.mlmodel import PYFUNC, Model
from tracker.opening import OpenedModel
from tracker.pyfunc.loaders import Predictor
from tracker.warning import warn

_MAX_REQUIREMENTS = 1024 * 1024
_PIN = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*==\s*([\w.!+-]+)")


class PyFuncModel:
    """A model with one predict(), which checks data against the signature first. Made by load_model()."""

    def __init__(self, opened: OpenedModel, predictor: Predictor) -> None:
        self._opened = opened
        self._predictor = predictor

    @property
    def metadata(self) -> Model:
        """What its MLmodel file says."""
        return self._opened.model

    @property
    def model_id(self) -> str | None:
        """The id that MLflow 3 or tracker gave it."""
        return self.metadata.model_id or self.metadata.model_uuid

    @property
    def loader_module(self) -> str:
        """MLflow's name for the module that loads it, such as `mlflow.sklearn`."""
        return str(self.metadata.flavors[PYFUNC]["loader_module"])

    @property
    def model_config(self) -> dict[str, Any]:
        """The configuration that it was saved with."""
        return dict(self.metadata.flavors[PYFUNC].get("config") or {})

    @cached_property
    def input_example(self) -> Any:
        """The data that it was saved with as an example; None without. ModelError when they cannot be read."""
        from tracker.models.example import read_example

        info = self.metadata.saved_input_example_info
        if not info:
            return None
        data = self._opened.read(self._opened.path_of(info, "artifact_path"))
        return read_example(info, data, self.metadata.get_input_schema())

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Predictions for data that fit the signature: a DataFrame, an array, a dict of columns, a list, ...

        `params` are those of the signature; missing ones have its defaults, and unknown ones are left out with a
        warning. A model without a signature gets the data as they are, and no params.

        Raises SchemaMismatchError, which names the column, what it expects and what came.
        """
        data, params = self._enforced(data, params)
        return self._predictor(data, params=params)

    def predict_stream(self, data: Any, params: dict[str, Any] | None = None) -> Iterator[Any]:
        """The same for one input, in pieces as they come. InvalidValueError for a model that does not stream."""
        stream = getattr(self._predictor, "predict_stream", None)
        if stream is None or not self.metadata.flavors[PYFUNC].get("streamable"):
            raise InvalidValueError(f"{self._opened.uri} does not stream: it has no predict_stream(). Use predict().")
        data, params = self._enforced(data, params)
        if isinstance(data, list) and len(data) == 1:
            data = data[0]
        found: Iterator[Any] = stream(data, params=params)
        return found

    def unwrap_python_model(self) -> Any:
        """The PythonModel inside; InvalidValueError for a model of a library, whose module loads it itself."""
        found = getattr(self._predictor, "python_model", None)
        if found is None:
            own = ", ".join(f"tracker.{name}.load_model()" for name in self.metadata.own_flavors) or "nothing else"
            raise InvalidValueError(f"{self._opened.uri} was not made from a PythonModel. To have it bare: {own}.")
        return found

    def get_raw_model(self) -> Any:
        """The model of the library: an estimator, a module, a booster. InvalidValueError where there is none."""
        found = getattr(self._predictor, "raw_model", None)
        return self.unwrap_python_model() if found is None else found

    def _enforced(self, data: Any, params: dict[str, Any] | None) -> tuple[Any, dict[str, Any] | None]:
        from tracker.models import enforce

        signature = self._signature
        if signature is not None and signature.inputs is not None:
            data = enforce.enforce_schema(data, signature.inputs)
        return data, enforce.enforce_params(params, None if signature is None else signature.params)

    @cached_property
    def _signature(self) -> Any:
        return self.metadata.signature

    def __repr__(self) -> str:
        facts = {
            "artifact_path": self.metadata.artifact_path,
            "flavor": self.loader_module,
            "run_id": self.metadata.run_id,
        }
        lines = "".join(f"  {key}: {value}\n" for key, value in facts.items() if value)
        return f"tracker.pyfunc.loaded_model:\n{lines}"


def overridden(
    uri: str, saved: Mapping[str, Any] | None, given: Mapping[str, Any] | str | Path | None
) -> dict[str, Any]:
    """The configuration of a model with the values that its user wants; keys that it was not saved with are no use."""
    wanted = from_code.read_config(given)
    unknown = sorted(set(wanted) - set(saved or {}))
    if unknown:
        warn(f"{uri} was saved without {', '.join(unknown)} in its model_config, so that is not used.")
    return {key: wanted.get(key, value) for key, value in (saved or {}).items()}


def warn_of_differences(opened: OpenedModel) -> None:
    """Warn once when other versions are installed here than the model was saved with."""
    python = str(opened.flavor(PYFUNC).get("python_version") or "")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = [] if not python or python.split(".")[:2] == here.split(".") else [f"Python {python}, here {here}"]
    listed = opened.manifest.files.get(REQUIREMENTS_FILE)
    if listed is not None and listed.bytes <= _MAX_REQUIREMENTS:
        found += _differences(opened.read(REQUIREMENTS_FILE).decode(errors="replace"))
    if found:
        warn(f"{opened.uri} was saved with {'; '.join(found)}. It may predict something else, or not load at all.")


def _differences(requirements: str) -> list[str]:
    """Pins that are not met: `numpy 1.26.0, here 2.1.0`."""
    found = []
    for line in requirements.splitlines():
        pin = _PIN.match(line.strip())
        if pin and not pin[1].lower().startswith("mlflow"):
            here = installed_version(re.sub(r"[-_.]+", "-", pin[1]).lower())
            if (here or "").partition("+")[0] != pin[2].partition("+")[0]:
                found.append(f"{pin[1]} {pin[2]}, here {here or 'none'}")
    return found
