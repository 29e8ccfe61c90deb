"""Stores that real MLflow 2 and 3 wrote, with what their own API says of them; and hand-made ones."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.interchange.test_interchange import mlflow_python

WRITER = Path(__file__).with_name("mlflow_store.py")
VERSIONS = ("2", "3")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_FSYNC", "never")
    monkeypatch.setenv("TRACKER_USER", "Ada")


@pytest.fixture(scope="session", params=VERSIONS)
def by_mlflow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The mlruns folder that an MLflow wrote, and what its API returns of it."""
    root = tmp_path_factory.mktemp("by-mlflow") / "mlruns"
    done = subprocess.run(
        [mlflow_python(request.param), str(WRITER), str(root)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": "",
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert answer["version"].startswith(f"{request.param}.")
    return root, answer
