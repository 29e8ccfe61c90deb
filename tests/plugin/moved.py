"""Runs in an environment with MLflow: artifacts and models of stores, wherever they lie."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
from scripts import Answers  # noqa: F401 (chooses the store)
from sklearn.datasets import load_iris

run_id = sys.argv[2]
rows = load_iris(as_frame=True).data.head(1)


def asked(uri: str) -> dict[str, object]:
    """What a store says."""
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    model_id = run.outputs.model_outputs[0].model_id
    uris = [f"runs:/{run_id}/model", "models:/iris/1", f"models:/{model_id}"]
    root = uri.removeprefix("tracker:")
    return {
        "text": mlflow.artifacts.load_text(f"runs:/{run_id}/notes/hello.txt"),
        "predictions": [int(mlflow.sklearn.load_model(uri).predict(rows)[0]) for uri in uris],
        "places": [root in run.info.artifact_uri, root in client.get_logged_model(model_id).artifact_location],
    }


print(json.dumps([asked(sys.argv[1]), *map(asked, sys.argv[3:])]))
