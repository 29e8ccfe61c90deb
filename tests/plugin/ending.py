"""Runs in an environment with MLflow: processes with a run that nobody ends, each of which ends in a way of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
from scripts import Answers  # noqa: F401 (chooses the store)


def log(how: str) -> None:
    """A run with points."""
    mlflow.set_experiment("endings")
    mlflow.start_run(run_name=how)
    for step in range(300):
        mlflow.log_metric("loss", step, step=step)


def end(how: str) -> None:
    """End the process."""
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


def ask() -> None:
    """What MLflow says of the runs in a process that made none of them."""
    runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    print(json.dumps({run.info.run_name: [run.info.status, run.data.metrics, run.info.end_time] for run in runs}))


def main() -> None:
    """A process for each way, forked from this one, which has imported MLflow and nothing else yet."""
    for how in sys.argv[2:]:
        process = os.fork()
        if process == 0:
            log(how)
            end(how)
            return
        os.waitpid(process, 0)
    ask()


main()
