"""Runs in an environment with MLflow: artifacts and models of a store, wherever it lies."""

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
client = mlflow.MlflowClient()
run = client.get_run(run_id)
uris = [f"runs:/{run_id}/model", "models:/iris/1", f"models:/{run.outputs.model_outputs[0].model_id}"]
root = sys.argv[1].removeprefix("tracker:")
print(
    json.dumps(
        {
            "text": mlflow.artifacts.load_text(f"runs:/{run_id}/notes/hello.txt"),
            "predictions": [int(mlflow.sklearn.load_model(uri).predict(rows)[0]) for uri in uris],
            "places": [
                root in run.info.artifact_uri,
                root in client.get_logged_model(run.outputs.model_outputs[0].model_id).artifact_location,
            ],
        }
    )
)
