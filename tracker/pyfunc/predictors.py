"""The function behind predict(): takes data, and `params` by name."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tracker.pyfunc.model import PythonModelContext


class PythonPredictor:
    """predict() and predict_stream() of a Python model, called with the arguments that they take."""

    def __init__(self, python_model: Any, context: PythonModelContext) -> None:
        self.python_model = python_model
        self.context = context
        python_model.load_context(context)

    def __call__(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        return self._call(self.python_model.predict, data, params)

    def predict_stream(self, data: Any, params: dict[str, Any] | None = None) -> Iterator[Any]:
        """The pieces of a prediction."""
        pieces: Iterator[Any] = self._call(self.python_model.predict_stream, data, params)
        return pieces

    def _call(self, method: Callable[..., Any], data: Any, params: dict[str, Any] | None) -> Any:
        taken = inspect.signature(method).parameters
        given = {}
        if "params" in taken:
            given["params"] = params
        elif params:
            warn_of_unused_params(params)
        if "context" in taken or len([name for name in taken if name != "params"]) == 2:
            return method(self.context, data, **given)
        return method(data, **given)


def warn_of_unused_params(params: Mapping[str, Any]) -> None:
    """Say that predict() does not take params."""
    warnings.warn(f"The predict() of this model takes no params, so {dict(params)} are not used.", stacklevel=5)
