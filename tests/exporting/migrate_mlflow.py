"""Moves a folder to a database with MLflow's own command, and prints which runs of which experiments are in it then."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import mlflow
from mlflow.store.fs2db import migrate


def runs_of(source: str, database: str) -> dict[str, Any]:
    """Ids of runs by the name of their experiment, and the runs of versions of registered models."""
    with contextlib.redirect_stdout(sys.stderr):
        migrate(Path(source), f"sqlite:///{database}", progress=False)
    mlflow.set_tracking_uri(f"sqlite:///{database}")
    client = mlflow.MlflowClient()
    runs = {
        one.name: sorted(run.info.run_id for run in client.search_runs([one.experiment_id]))
        for one in client.search_experiments()
    }
    return {"runs": runs, "versions": [version.run_id for version in client.search_model_versions()]}


if __name__ == "__main__":
    print(json.dumps(runs_of(*sys.argv[1:])))
