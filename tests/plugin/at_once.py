"""Runs in an environment with MLflow, several times at once: one store, one experiment, one registered model."""

from __future__ import annotations

import json
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


def main(number: int, go: str, shared: str) -> None:
    """One of the processes; they begin together when the file `go` is there."""
    print("ready", flush=True)
    while not Path(go).exists():
        pass
    mlflow.set_experiment("at once")
    with mlflow.start_run(run_name=f"process {number}") as run:
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
    print(json.dumps(run.info.run_id))


main(int(sys.argv[2]), sys.argv[3], sys.argv[4])
