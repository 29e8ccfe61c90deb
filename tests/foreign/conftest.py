"""Stores that real MLflow 2 and 3 wrote, with what their own API says of them; and hand-made ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.environments import run_there

WRITER = Path(__file__).with_name("mlflow_store.py")
VERSIONS = ("2", "3")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_FSYNC", "never")
    monkeypatch.setenv("TRACKER_USER", "Ada")


@pytest.fixture(scope="session", params=[(version, name) for version in VERSIONS for name in ("mlruns", "mlflow.db")])
def by_mlflow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The mlruns folder or the database that an MLflow wrote, and what its API returns of it."""
    version, name = request.param
    folder = tmp_path_factory.mktemp("by-mlflow")
    answer: dict[str, Any] = run_there(f"mlflow{version}", WRITER, folder / name, folder=folder)
    assert answer["version"].startswith(f"{version}.")
    return folder / name, answer
