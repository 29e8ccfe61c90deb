"""Models that both sides save and load with the very same calls; runs with MLflow's Python as well as with ours.

`python cases.py save FOLDER` saves each case with MLflow, `python cases.py load FOLDER` loads each one and prints what
it predicts. The tests import the same functions and give them tracker in place of MLflow.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROWS = 20
IRIS = load_iris(as_frame=True)
DIABETES = load_diabetes()
FRAME: pd.DataFrame = IRIS.data.head(ROWS)
MATRIX = DIABETES.data[:ROWS]


def classifier() -> Any:
    """A classifier that learned from named columns."""
    return LogisticRegression(max_iter=500).fit(IRIS.data, IRIS.target)


def forest() -> Any:
    """A forest, whose trees skops does not trust by itself."""
    return RandomForestClassifier(n_estimators=5, random_state=0).fit(IRIS.data, IRIS.target)


def pipeline() -> Any:
    """Steps that learned from a matrix without names."""
    return make_pipeline(StandardScaler(), Ridge()).fit(DIABETES.data, DIABETES.target)


def save_sklearn(make: Callable[[], Any], word: str, data: Any) -> Callable[[Any, str], None]:
    """Saves an estimator with a signature and an example."""

    def save(library: Any, path: str) -> None:
        model = make()
        options: dict[str, Any] = {"serialization_format": word, "input_example": data[:3], "pip_requirements": []}
        if word == "skops" and library.__name__ == "mlflow":
            options["skops_trusted_types"] = ["sklearn.tree._tree.Tree"]  # MLflow saves no forest without it
        signature = library.models.infer_signature(data, model.predict(data))
        library.sklearn.save_model(model, path, signature=signature, **options)

    return save


def save_function(library: Any, path: str) -> None:
    """Saves a plain function."""

    def double(model_input: Any) -> Any:
        return model_input * 2

    library.pyfunc.save_model(path, python_model=double, pip_requirements=[], input_example=FRAME)


def save_python_model(library: Any, path: str) -> None:
    """Saves a class with a file beside it, and with a parameter for predict()."""

    class Shift(library.pyfunc.PythonModel):  # type: ignore[misc]
        def load_context(self, context: Any) -> None:
            self.offset = float(Path(context.artifacts["offset"]).read_text())

        def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
            return model_input * (params or {}).get("scale", 1.0) + self.offset

    offset = Path(path).with_suffix(".offset.txt")
    offset.write_text("2.5")
    signature = library.models.infer_signature(FRAME, FRAME, params={"scale": 1.0})
    library.pyfunc.save_model(
        path, python_model=Shift(), artifacts={"offset": str(offset)}, signature=signature, pip_requirements=[]
    )


SAVES: dict[str, Callable[[Any, str], None]] = {
    "sklearn, cloudpickle": save_sklearn(classifier, "cloudpickle", FRAME),
    "sklearn, pickle": save_sklearn(pipeline, "pickle", MATRIX),
    "sklearn, skops": save_sklearn(forest, "skops", FRAME),
    "pyfunc, function": save_function,
    "pyfunc, class": save_python_model,
}
DATA: dict[str, Any] = {"sklearn, pickle": MATRIX}
"""What a case predicts on, where that is not the frame."""


def numbers(predictions: Any) -> Any:
    """Predictions as plain lists."""
    return np.asarray(predictions, dtype=float).round(9).tolist()


def expected(case: str) -> Any:
    """What a model of a case must predict, computed without any tracker."""
    data = DATA.get(case, FRAME)
    if case == "pyfunc, function":
        return numbers(data * 2)
    if case == "pyfunc, class":
        return numbers(data + 2.5)
    make = {"sklearn, cloudpickle": classifier, "sklearn, pickle": pipeline, "sklearn, skops": forest}[case]
    return numbers(make().predict(data))


def save_all(library: Any, folder: Path) -> dict[str, str]:
    """Saves every case below a folder; what failed, by case."""
    return {case: error for case, save in SAVES.items() if (error := _error(save, library, folder / case))}


def load_all(library: Any, folder: Path, **options: Any) -> dict[str, dict[str, Any]]:
    """What each case predicts through pyfunc and its own flavor: numbers, or the text of an error."""
    return {case: load_case(library, case, str(folder / case), options) for case in SAVES}


def load_case(library: Any, case: str, path: str, options: dict[str, Any]) -> dict[str, Any]:
    """The predictions of one case."""
    data = DATA.get(case, FRAME)
    ways: dict[str, Callable[[], Any]] = {
        "pyfunc": lambda: library.pyfunc.load_model(path, **options).predict(data),
    }
    if case.startswith("sklearn"):
        ways["native"] = lambda: library.sklearn.load_model(path, **options).predict(data)
    if case == "pyfunc, class":
        ways["params"] = lambda: library.pyfunc.load_model(path, **options).predict(data, params={"scale": 1.0})
    return {way: _tried(load) for way, load in ways.items()}


def _tried(load: Callable[[], Any]) -> Any:
    try:
        return numbers(load())
    except Exception:
        return traceback.format_exc()[-1500:]


def _error(save: Callable[[Any, str], None], library: Any, path: Path) -> str:
    try:
        save(library, str(path))
    except Exception:
        return traceback.format_exc()[-1500:]
    return ""


def main(action: str, folder: Path) -> None:
    """Saves or loads with MLflow, and prints the outcome as JSON."""
    import mlflow
    import mlflow.pyfunc
    import mlflow.sklearn

    outcome = save_all(mlflow, folder) if action == "save" else load_all(mlflow, folder)
    print(json.dumps({"version": mlflow.__version__, "cases": outcome}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
