"""Errors and refusals as MLflow has them: its client and its integrations look at the codes of MlflowException."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, NOT_IMPLEMENTED, RESOURCE_DOES_NOT_EXIST, ErrorCode

from tracker.exceptions import TrackerError
from tracker.missing import remedy

C = TypeVar("C", bound=type[Any])

_ELSEWHERE = "Keep that in a store of MLflow's own, such as a file of SQLite."
_DATASETS = "mlflow.log_input() notes the data set that a run uses."


def made(error: TrackerError) -> Exception:
    """The MlflowException that says the same with the same code."""
    code = ErrorCode.Value(error.error_code) if error.error_code in ErrorCode.keys() else INTERNAL_ERROR  # noqa: SIM118
    return MlflowException(error.message, error_code=code)  # type: ignore[no-any-return]


def missing(message: str) -> Exception:
    """The MlflowException for something that is not there."""
    return MlflowException(message, error_code=RESOURCE_DOES_NOT_EXIST)  # type: ignore[no-any-return]


def unsupported(name: str) -> Exception:
    """The MlflowException for a method that there is not, with what to use instead."""
    instead = _DATASETS if "dataset" in name else remedy(name).strip() or _ELSEWHERE
    return MlflowException(f"tracker has no {name}(). {instead}", error_code=NOT_IMPLEMENTED)  # type: ignore[no-any-return]


def translated(kind: C) -> C:
    """A class whose public methods raise MlflowException in place of our errors."""
    for base in kind.__mro__:
        if base.__module__.startswith("tracker."):
            for name, method in list(vars(base).items()):
                public = name in ("__init__", "_search_runs") or not name.startswith("_")
                if public and inspect.isfunction(method) and inspect.getattr_static(kind, name) is method:
                    setattr(kind, name, _translating(method))
    return kind


def refusing(base: type[Any], *, works: Iterable[str]) -> Callable[[C], C]:
    """A class that refuses, with what to use instead, each method of `base` that it does not have; those in `works`
    do what `base` makes of the others."""

    def complete(kind: C) -> C:
        for name in refused(kind, base, works):
            setattr(kind, name, _refusal(name))
        return kind

    return complete


def refused(kind: type[Any], base: type[Any], works: Iterable[str]) -> list[str]:
    """The public methods of `base` that `kind` does not have."""
    kept = set(works)
    public = [name for name, method in inspect.getmembers(base, inspect.isfunction) if not name.startswith("_")]
    return [name for name in public if name not in kept and getattr(kind, name) is getattr(base, name)]


def _translating(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return method(*arguments, **named)
        except TrackerError as error:
            raise made(error) from error

    return call


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(self: Any, *arguments: Any, **named: Any) -> NoReturn:
        raise unsupported(name)

    refuse.__name__ = refuse.__qualname__ = name
    return refuse
