"""Runs in an environment with MLflow: what it loads of us, the methods of its stores, and code that traces."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.abstract_store import AbstractStore as AbstractRegistry
from mlflow.store.tracking.abstract_store import AbstractStore as AbstractTracking


def public(kind: type[Any]) -> list[str]:
    """The public methods of a class, and the private ones that are abstract."""
    methods = inspect.getmembers(kind, inspect.isfunction)
    return [
        name for name, method in methods if not name.startswith("_") or getattr(method, "__isabstractmethod__", False)
    ]


def what(store: Any, base: type[Any], works: frozenset[str]) -> dict[str, Any]:
    """By what is done with them, the methods of a store; of those that are refused what they say."""
    from tracker.mlflow_plugin.translated import refused

    names = public(base)
    said: dict[str, str] = {}
    for name in names:
        method = getattr(type(store), name)
        if method.__module__ == "tracker.mlflow_plugin.translated" and method.__name__ == name:
            try:
                method(store)
            except MlflowException as error:
                said[name] = f"{error.error_code}: {error.message}"
    return {
        "methods": names,
        "abstract": [name for name in names if getattr(getattr(base, name), "__isabstractmethod__", False)],
        "inherited": sorted(works),
        "refused": said,
        "neither": refused(type(store), base, works),
        "ours": [name for name in names if name not in said and getattr(type(store), name) is not getattr(base, name)],
    }


@mlflow.trace
def add(a: int, b: int) -> int:
    """A function that somebody traces."""
    return a + b


def traced() -> dict[str, Any]:
    """What becomes of code that traces in a run that logs, and of asking for traces."""
    mlflow.set_experiment("traced")
    with mlflow.start_run(run_name="traced"):
        found = add(1, 2)
        mlflow.log_metric("sum", found)
        mlflow.flush_trace_async_logging()
    return {
        "sum": found,
        "search": message_of(mlflow.search_traces),
        "prompt": message_of(lambda: mlflow.genai.register_prompt("p", "Say {{x}}")),
        "webhook": message_of(lambda: mlflow.MlflowClient().list_webhooks()),
    }


def message_of(call: Callable[[], Any]) -> str:
    """What a call that is refused says."""
    try:
        call()
    except MlflowException as error:
        return str(error.message)
    return ""


def main(uri: str) -> None:
    """All of it, beginning with what was loaded while MLflow was imported."""
    loaded = [name for name in sys.modules if name.startswith("tracker")]
    from tracker.mlflow_plugin import registry, tracking

    mlflow.set_tracking_uri(uri)
    answers = {
        "loaded": loaded,
        "tracking": what(tracking.TrackingStore(uri), AbstractTracking, tracking.WORKS),
        "registry": what(registry.RegistryStore(uri), AbstractRegistry, registry.WORKS),
        "traced": traced(),
    }
    print(json.dumps(answers))


main(sys.argv[1])
