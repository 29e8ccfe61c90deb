"""Logs, registers, loads and uses a model of iris with MLflow or with tracker, by the very same calls.

`python iris_model.py LIBRARY FOLDER TIMES` prints the wall seconds of each time as JSON; the first one is a cold one.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main(library: str, folder: Path, times: int) -> dict[str, list[float]]:
    """Seconds of importing the library, of logging and registering, of loading and predicting, each time."""
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    x, y = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=500).fit(x, y)
    found: dict[str, list[float]] = {"log": [], "log, requirements given": [], "load": []}
    started = time.perf_counter()
    mlflow = importlib.import_module(library)
    importlib.import_module(f"{library}.sklearn")
    found["import"] = [time.perf_counter() - started]
    mlflow.set_tracking_uri(folder.as_uri())
    signature = mlflow.models.infer_signature(x, model.predict(x))

    def log(**options: Any) -> Any:
        return mlflow.sklearn.log_model(
            model,
            artifact_path="model",
            serialization_format="cloudpickle",
            signature=signature,
            input_example=x.head(),
            registered_model_name="iris",
            **options,
        )

    for _ in range(times):
        with mlflow.start_run():
            seconds, info = timed(log)
            found["log"].append(seconds)
        with mlflow.start_run():
            seconds, info = timed(lambda: log(pip_requirements=["scikit-learn"]))
            found["log, requirements given"].append(seconds)
        uri = info.model_uri
        found["load"].append(timed(lambda: mlflow.pyfunc.load_model(uri).predict(x))[0])  # noqa: B023
    return found


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Wall seconds of a call, and what it returned."""
    started = time.perf_counter()
    answer = call()
    return time.perf_counter() - started, answer


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
