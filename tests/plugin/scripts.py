"""What the scripts of these tests share: an MLflow that asks nobody, and answers in which ids have names."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException

warnings.simplefilter("ignore")
mlflow.set_tracking_uri(sys.argv[1])

PERSONAL = {"mlflow.user", "mlflow.source.name", "mlflow.source.git.commit"}
KEPT = ("dataset.",)
DATASET_FIELDS = ("name", "digest", "source_type", "source", "schema", "profile")
REQUIREMENTS = ["scikit-learn"]
"""Given with each model, since MLflow needs seconds to find them out."""


class Answers:
    """What MLflow's API said, by name."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.names: dict[str, str] = {}

    def name(self, identity: str, name: str) -> str:
        """Call an id, which is another one in each store, by a name."""
        self.names[str(identity)] = f"<{name}>"
        return identity

    def say(self, key: str, value: Any) -> None:
        """Keep an answer."""
        self.found[key] = value

    def print(self) -> None:
        """The answers as the last line."""
        text = json.dumps(self.found, default=str)
        for identity, name in self.names.items():
            text = text.replace(identity, name)
        print(text)


def error_of(call: Callable[[], Any]) -> str:
    """The code of the error of a call."""
    try:
        call()
    except MlflowException as error:
        return str(error.error_code)
    return "none"


def tags_of(tags: dict[str, str]) -> dict[str, str]:
    """Tags, but for those that say who ran what, and those that only tracker sets."""
    return {key: value for key, value in tags.items() if key not in PERSONAL and not key.startswith(KEPT)}


def run_of(run: Any) -> dict[str, Any]:
    """A run in plain values."""
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "stage": run.info.lifecycle_stage,
        "ended": run.info.end_time is not None,
        "metrics": {key: repr(value) for key, value in sorted(run.data.metrics.items())},
        "params": run.data.params,
        "tags": tags_of(run.data.tags),
        "datasets": [
            {
                **{field: getattr(one.dataset, field) for field in DATASET_FIELDS},
                "tags": {tag.key: tag.value for tag in one.tags},
            }
            for one in run.inputs.dataset_inputs
        ],
        "inputs": sorted(one.model_id for one in run.inputs.model_inputs),
        "outputs": [[one.model_id, one.step] for one in sorted(run.outputs.model_outputs, key=lambda one: one.step)],
    }


def model_of(model: Any) -> dict[str, Any]:
    """A logged model in plain values."""
    return {
        "name": model.name,
        "status": str(model.status),
        "run": model.source_run_id,
        "type": model.model_type,
        "params": model.params,
        "tags": {key: value for key, value in tags_of(model.tags).items() if key != "mlflow.modelVersions"},
        "metrics": sorted(
            [one.key, repr(one.value), one.step, one.dataset_name, one.run_id] for one in model.metrics or []
        ),
    }


def version_of(version: Any) -> dict[str, Any]:
    """A version of a registered model in plain values."""
    fields = ("name", "version", "current_stage", "description", "run_id", "status", "tags", "aliases", "model_id")
    return {field: getattr(version, field) for field in fields}


def registered_of(model: Any) -> dict[str, Any]:
    """A registered model in plain values."""
    latest = sorted(int(version.version) for version in model.latest_versions)
    aliases = {alias: int(version) for alias, version in model.aliases.items()}
    return {
        "name": model.name,
        "description": model.description or None,
        "tags": model.tags,
        "latest": latest,
        "aliases": aliases,
    }
