"""The classes that people's own models are made of.

They travel inside the pickle of a model, so that it loads where tracker is not installed: nothing here may need
another module of tracker.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any


class PythonModelContext:
    """What a model finds beside itself when it is loaded."""

    def __init__(self, artifacts: Mapping[str, str], model_config: Mapping[str, Any] | None) -> None:
        self._artifacts = dict(artifacts)
        self._model_config = model_config

    @property
    def artifacts(self) -> dict[str, str]:
        """Absolute paths by the names that `artifacts=` gave them."""
        return self._artifacts

    @property
    def model_config(self) -> Mapping[str, Any] | None:
        """The configuration that it was saved with, changed by what load_model() was given."""
        return self._model_config


class TypeHints:
    """What predict() says it takes, as MLflow asks for it."""

    def __init__(self, input: Any = None) -> None:  # noqa: A002
        self.input = input
        self.output = None


def input_hint(function: Callable[..., Any]) -> Any:
    """The type hint of the data that a predict() takes, if it is a list; else None."""
    try:
        plain = inspect.unwrap(getattr(function, "__func__", function))
        hints = typing.get_type_hints(plain, {**vars(typing), **plain.__globals__})  # pickled ones lost their imports
        names = [name for name in inspect.signature(function).parameters if name not in ("self", "context", "params")]
    except Exception:  # hints are code of their author
        return None
    found = hints.get("model_input") or (hints.get(names[-1]) if names else None)
    return found if list in (found, typing.get_origin(found)) else None


class PythonModel:
    """A model of your own: derive from it, and write predict().

    >>> class Doubled(tracker.pyfunc.PythonModel):
    ...     def predict(self, context, model_input, params=None):
    ...         return model_input * 2
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Called once after loading: the place to open the files of `context.artifacts`."""

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Predictions for data; `context` and `params` may be left out of the arguments."""
        raise NotImplementedError(f"{type(self).__name__} has no predict()")

    def predict_stream(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Iterator[Any]:
        """The same in pieces, as they come."""
        raise NotImplementedError(f"{type(self).__name__} has no predict_stream()")

    @property
    def predict_type_hints(self) -> Any:
        """For MLflow, which makes lists of texts and dicts where the hint says so."""
        return TypeHints(input_hint(self.predict))

    def _get_type_hints(self) -> Any:
        """What MLflow before 2.20 asks for."""
        return self.predict_type_hints


class FunctionPythonModel(PythonModel):
    """A function `predict(model_input)` or `predict(model_input, params=None)` as a model."""

    def __init__(self, func: Callable[..., Any], signature: Any = None) -> None:
        self.func = func
        self.signature = signature

    @property
    def predict_type_hints(self) -> Any:
        """Those of the function."""
        return TypeHints(input_hint(self.func))

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # type: ignore[override]
        """What the function returns."""
        if "params" in inspect.signature(self.func).parameters:
            return self.func(model_input, params=params)
        return self.func(model_input)
