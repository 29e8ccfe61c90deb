"""The experiment tracker that needs no server.

Logs runs and models as plain files with MLflow's names and meanings; `tracker build` makes them a static site.

>>> import tracker as mlflow
>>> with mlflow.start_run():
...     mlflow.log_param("lr", 0.1)
...     mlflow.log_metric("loss", 0.5, step=1)
...     mlflow.sklearn.log_model(model, name="model", registered_model_name="iris")

Modules such as `tracker.sklearn` and `tracker.pyfunc` need no import of their own: they load when they are used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tracker import artifacts as artifacts
    from tracker import client as client
    from tracker import entities as entities
    from tracker import exceptions as exceptions
    from tracker import keras as keras
    from tracker import lightgbm as lightgbm
    from tracker import models as models
    from tracker import onnx as onnx
    from tracker import pyfunc as pyfunc
    from tracker import pytorch as pytorch
    from tracker import sklearn as sklearn
    from tracker import tensorflow as tensorflow
    from tracker import tracking as tracking
    from tracker import types as types
    from tracker import xgboost as xgboost
    from tracker.client import Client, MlflowClient
    from tracker.entities import Experiment, Metric, Run
    from tracker.exceptions import MlflowException, TrackerError
    from tracker.fluent import (
        active_run,
        create_experiment,
        delete_run,
        delete_tag,
        end_run,
        get_artifact_uri,
        get_experiment,
        get_experiment_by_name,
        get_metric_history,
        get_parent_run,
        get_registry_uri,
        get_run,
        get_tracking_uri,
        is_tracking_uri_set,
        last_active_run,
        log_artifact,
        log_artifacts,
        log_dict,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_text,
        restore_run,
        search_experiments,
        search_model_versions,
        search_registered_models,
        search_runs,
        set_experiment,
        set_experiment_tag,
        set_experiment_tags,
        set_model_version_tag,
        set_registry_uri,
        set_tag,
        set_tags,
        set_tracking_uri,
        start_run,
    )
    from tracker.media import load_table, log_figure, log_image, log_table
    from tracker.registering import register_model
    from tracker.run import ActiveRun

__all__ = [
    "ActiveRun",
    "Client",
    "Experiment",
    "Metric",
    "MlflowClient",
    "MlflowException",
    "Run",
    "TrackerError",
    "active_run",
    "create_experiment",
    "delete_run",
    "delete_tag",
    "end_run",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_metric_history",
    "get_parent_run",
    "get_registry_uri",
    "get_run",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "last_active_run",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "register_model",
    "restore_run",
    "search_experiments",
    "search_model_versions",
    "search_registered_models",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_model_version_tag",
    "set_registry_uri",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
]

_HOMES = {
    "ActiveRun": "run",
    "Client": "client",
    "Experiment": "entities",
    "Metric": "entities",
    "MlflowClient": "client",
    "MlflowException": "exceptions",
    "Run": "entities",
    "TrackerError": "exceptions",
    "load_table": "media",
    "log_figure": "media",
    "log_image": "media",
    "log_table": "media",
    "register_model": "registering",
}
"""Where public names are defined that are not in `fluent`."""
_MODULES = (
    "artifacts",
    "client",
    "entities",
    "exceptions",
    "keras",
    "lightgbm",
    "models",
    "onnx",
    "pyfunc",
    "pytorch",
    "sklearn",
    "tensorflow",
    "tracking",
    "types",
    "xgboost",
)
"""Public modules, by MLflow's names."""


def __getattr__(name: str) -> Any:
    """Load what is asked for: `import tracker` itself costs next to nothing."""
    if name in __all__:
        value = getattr(importlib.import_module(f"tracker.{_HOMES.get(name, 'fluent')}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return importlib.import_module(f"tracker.{name}")
    from tracker.exceptions import did_you_mean

    known = did_you_mean(name, [*__all__, *_MODULES])
    raise AttributeError(f"tracker has no {name!r}.{known} docs/migrating.md says what there is for it.")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
