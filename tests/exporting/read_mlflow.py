"""Prints what MLflow's own API says of a folder, and what models in it predict. Runs with MLflow's Python, 2 and 3."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "foreign"))
from mlflow_store import report

ROW = np.array([[1.0, 2.0]])


def predict(uri: str) -> list[float]:
    """What a model says of one row, through its flavor and through pyfunc."""
    return [float(load(uri).predict(ROW)[0]) for load in (mlflow.sklearn.load_model, mlflow.pyfunc.load_model)]


def write(client: Any, run_id: str) -> dict[str, Any]:
    """Log on into an exported run, and register a version more: the folder is a store of MLflow's."""
    client.log_metric(run_id, "more", 1.0, step=1)
    client.set_tag(run_id, "more", "yes")
    version = client.create_model_version("price", f"runs:/{run_id}/model", run_id)
    run = client.get_run(run_id)
    return {"more": run.data.metrics["more"], "tag": run.data.tags["more"], "version": int(version.version)}


def answer(folder: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What is in one folder."""
    place = Path(folder).absolute().as_uri()
    mlflow.set_tracking_uri(place)
    mlflow.set_registry_uri(place)
    told: dict[str, Any] = report()
    told["predicted"] = {uri: predict(uri) for uri in asked.get("predict", ())}
    if "write" in asked:
        told["written"] = write(mlflow.MlflowClient(), asked["write"])
    return told


if __name__ == "__main__":
    print(json.dumps([answer(folder, asked) for folder, asked in json.loads(sys.argv[1])]))
