"""Runs in an environment with MLflow: what it says of the runs of a store."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
from scripts import Answers  # noqa: F401 (chooses the store)

runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
print(json.dumps({run.info.run_name: [run.info.status, run.data.metrics, run.info.end_time] for run in runs}))
