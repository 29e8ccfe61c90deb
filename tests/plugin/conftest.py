"""Scripts that run twice: with tracker as MLflow's store, and with MLflow's own files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.environments import run_there

HERE = Path(__file__).parent
QUIET = {
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT": "1",  # it starts another Python for each model, and is not tested here
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",  # threads cost more than they bring with data as small as this
    "GIT_PYTHON_REFRESH": "quiet",
    "PYTHONWARNINGS": "ignore",
}


class Both:
    """What a script was told by tracker and by MLflow, and the store that it left."""

    def __init__(self, folder: Path, script: str) -> None:
        self.store = folder / "runs"
        uris = [f"tracker:{self.store}", (folder / "mlruns").as_uri()]
        with ThreadPoolExecutor() as together:
            self.ours, self.theirs = together.map(lambda uri: there(script, uri, folder=folder), uris)

    def differences(self) -> dict[str, tuple[Any, Any]]:
        """The answers that differ, by what was asked."""
        return {key: (self.ours.get(key), told) for key, told in self.theirs.items() if self.ours.get(key) != told}


def there(script: str, *arguments: object, folder: Path, **variables: str) -> Any:
    """Run a script of this folder in the environment of the plugin."""
    variables = {**QUIET, "TRACKER_CACHE": str(folder / "cache"), **variables}
    return run_there("plugin", HERE / script, *arguments, folder=folder, **variables)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """The fluent API and the client from end to end."""
    return Both(tmp_path_factory.mktemp("everything"), "everything.py")


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """The model registry."""
    return Both(tmp_path_factory.mktemp("registered"), "registered.py")


@pytest.fixture(scope="session")
def autologged(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """scikit-learn's autologging and Optuna's callback."""
    return Both(tmp_path_factory.mktemp("autologged"), "autologged.py")
