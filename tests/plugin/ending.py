"""Runs in an environment with MLflow: a run that nobody ends, and a process that ends in the way that is named."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
from scripts import Answers  # noqa: F401 (chooses the store)

how = sys.argv[2]
mlflow.set_experiment("endings")
mlflow.start_run(run_name=how)
for step in range(300):
    mlflow.log_metric("loss", step, step=step)
print(step + 1, flush=True)
if how == "exception":
    raise ValueError("8 features")
if how == "exit":
    sys.exit(3)
if how == "SIGTERM":
    os.kill(os.getpid(), signal.SIGTERM)
if how == "SIGKILL":
    os.kill(os.getpid(), signal.SIGKILL)
if how == "os._exit":
    os._exit(0)
