"""Runs in an environment with MLflow, several times at once: one store, one experiment, one registered model."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
from scripts import Answers  # noqa: F401 (chooses the store)

POINTS, SHARED = 200, 50


class Nothing(mlflow.pyfunc.PythonModel):
    """A model."""

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """What came."""
        return model_input


def log(number: int, shared: str) -> None:
    """What one of the processes does."""
    mlflow.set_experiment("at once")
    with mlflow.start_run(run_name=f"process {number}"):
        mlflow.log_params({"number": number, "kind": "parallel"})
        for step in range(POINTS):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_text(f"of {number}", "out.txt")
        mlflow.pyfunc.log_model(
            name="model", python_model=Nothing(), registered_model_name="shared", pip_requirements=["cloudpickle"]
        )
    client = mlflow.MlflowClient()
    for step in range(SHARED):
        client.log_metric(shared, f"from {number}", step, step=step)


def main(count: int, shared: str) -> None:
    """Processes that are forked from this one, which has imported MLflow and nothing else yet, and begin together."""
    ready, begin = os.pipe()
    started = []
    for number in range(count):
        process = os.fork()
        if process == 0:
            os.close(begin)
            os.read(ready, 1)
            log(number, shared)
            return
        started.append(process)
    os.close(begin)
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in started]))


main(int(sys.argv[2]), sys.argv[3])
