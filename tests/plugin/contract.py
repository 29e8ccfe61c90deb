"""Runs in an environment with MLflow: the methods of its stores, and what becomes of each."""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.abstract_store import AbstractStore as AbstractRegistry
from mlflow.store.tracking.abstract_store import AbstractStore as AbstractTracking

from tracker.mlflow_plugin import registry, tracking
from tracker.mlflow_plugin.translated import refused


def public(kind: type[Any]) -> list[str]:
    """The public methods of a class, and the private ones that are abstract."""
    methods = inspect.getmembers(kind, inspect.isfunction)
    return [
        name for name, method in methods if not name.startswith("_") or getattr(method, "__isabstractmethod__", False)
    ]


def what(store: Any, base: type[Any], works: frozenset[str]) -> dict[str, Any]:
    """By what is done with them, the methods of a store; of those that are refused what they say."""
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


uri = sys.argv[1]
print(
    json.dumps(
        {
            "tracking": what(tracking.TrackingStore(uri), AbstractTracking, tracking.WORKS),
            "registry": what(registry.RegistryStore(uri), AbstractRegistry, registry.WORKS),
        }
    )
)
