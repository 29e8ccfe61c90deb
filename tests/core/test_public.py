"""What scripts import: modules by MLflow's names, without an import of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tracker

NAMES = [
    "artifacts.download_artifacts",
    "client.MlflowClient",
    "entities.Metric",
    "exceptions.MlflowException",
    "keras.log_model",
    "lightgbm.log_model",
    "models.ModelSignature",
    "models.infer_signature",
    "models.signature.infer_signature",
    "onnx.log_model",
    "pyfunc.PythonModel",
    "pyfunc.load_model",
    "pytorch.log_model",
    "sklearn.load_model",
    "tensorflow.load_model",
    "tracking.MlflowClient",
    "types.ColSpec",
    "types.schema.Schema",
    "xgboost.log_model",
]
"""What MLflow scripts use of each module."""
HEAVY = ("numpy", "pandas", "sklearn", "cloudpickle", "http.client", "ssl", "click", "rich")


def test_each_public_module_is_listed_here() -> None:
    """The names above cover them all, and dir() shows them."""
    assert sorted({name.partition(".")[0] for name in NAMES}) == list(tracker._MODULES)
    assert set(tracker._MODULES) <= set(dir(tracker))


@pytest.mark.parametrize("name", NAMES)
def test_a_module_loads_when_it_is_used(name: str) -> None:
    """In a fresh process, `import tracker as mlflow` is all that a script says; the flavor's library is not loaded."""
    program = (
        f"import sys, tracker as mlflow; before = set(sys.modules); assert mlflow.{name}\n"
        f"print([heavy for heavy in {HEAVY} if heavy in before])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "[]\n"), answer.stderr[-1000:]


def test_a_slip_of_the_pen_gets_a_hint() -> None:
    """Also in the name of a module."""
    with pytest.raises(AttributeError, match='Did you mean "sklearn"'):
        _ = tracker.sklern
