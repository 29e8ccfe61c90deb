"""The function behind predict(): takes data, and `params` by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_origin

from tracker.pyfunc.model import PythonModelContext
from tracker.warning import warn


class PythonPredictor:
    """predict() and predict_stream() of a Python model, called with the arguments that they take."""

    def __init__(self, python_model: Any, context: PythonModelContext) -> None:
        self.python_model = python_model
        self.context = context
        self._hint = _hint_of(python_model)
        python_model.load_context(context)

    def __call__(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        return self._call(self.python_model.predict, data, params)

    def predict_stream(self, data: Any, params: dict[str, Any] | None = None) -> Iterator[Any]:
        """The pieces of a prediction."""
        pieces: Iterator[Any] = self._call(self.python_model.predict_stream, data, params)
        return pieces

    def _call(self, method: Callable[..., Any], data: Any, params: dict[str, Any] | None) -> Any:
        taken = inspect.signature(method).parameters
        data = _as_hinted(data, self._hint)
        given = {}
        if "params" in taken:
            given["params"] = params
        elif params:
            warn_of_unused_params(params)
        if "context" in taken or len([name for name in taken if name != "params"]) == 2:
            return method(self.context, data, **given)
        return method(data, **given)


def _hint_of(python_model: Any) -> Any:
    """The type that a model says its data have; MLflow's own hints cannot be asked for where MLflow is missing."""
    hints = getattr(python_model, "predict_type_hints", None)
    return getattr(hints, "input", None)


def _as_hinted(data: Any, hint: Any) -> Any:
    """A list where predict() says it takes one and the signature made a frame or an array of it."""
    if list not in (hint, get_origin(hint)):
        return data
    if hasattr(data, "iloc"):
        item = (get_args(hint) or (None,))[0]
        is_rows = item is dict or get_origin(item) is dict or len(data.columns) != 1
        return data.to_dict(orient="records") if is_rows else data.iloc[:, 0].tolist()
    return data.tolist() if hasattr(data, "tolist") else data


class LibraryPredictor:
    """A method of a library's model; it gets the params that it takes by name."""

    def __init__(self, raw_model: Any, method: Callable[..., Any]) -> None:
        self.raw_model = raw_model
        self._method = method

    def __call__(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        if not params:
            return self._method(data)
        taken = inspect.signature(self._method).parameters
        if unused := {name: value for name, value in params.items() if name not in taken}:
            warn_of_unused_params(unused)
        return self._method(data, **{name: value for name, value in params.items() if name in taken})


def warn_of_unused_params(params: Mapping[str, Any]) -> None:
    """Say which params are left out."""
    warn(f"The model does not take the params {dict(params)}, so they are not used.")
