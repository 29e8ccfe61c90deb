"""The experiment tracker that needs no server.

Logs runs as plain files with MLflow's names and meanings; `tracker build` makes them a static site.

>>> import tracker as mlflow
>>> with mlflow.start_run():
...     mlflow.log_param("lr", 0.1)
...     mlflow.log_metric("loss", 0.5, step=1)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
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
        get_run,
        get_tracking_uri,
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
        search_runs,
        set_experiment,
        set_experiment_tag,
        set_experiment_tags,
        set_tag,
        set_tags,
        set_tracking_uri,
        start_run,
    )
    from tracker.run import ActiveRun

__all__ = [
    "ActiveRun",
    "Experiment",
    "Metric",
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
    "get_run",
    "get_tracking_uri",
    "last_active_run",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_text",
    "restore_run",
    "search_experiments",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
]

_HOMES = {
    "ActiveRun": "run",
    "Experiment": "entities",
    "Metric": "entities",
    "MlflowException": "exceptions",
    "Run": "entities",
    "TrackerError": "exceptions",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: `import tracker` itself costs next to nothing."""
    if name in __all__:
        value = getattr(importlib.import_module(f"tracker.{_HOMES.get(name, 'fluent')}"), name)
        globals()[name] = value
        return value
    from tracker.exceptions import did_you_mean

    raise AttributeError(
        f"tracker has no {name!r}.{did_you_mean(name, __all__)} docs/migrating.md says what there is for it."
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
