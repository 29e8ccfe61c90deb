"""Stores that other trackers wrote, with what their own API says of them; and hand-made ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.environments import run_there

WRITER = Path(__file__).with_name("mlflow_store.py")
TENSORBOARD_WRITER = WRITER.with_name("tensorboard_logs.py")
WANDB_WRITER = WRITER.with_name("wandb_logs.py")
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


@pytest.fixture(scope="session")
def by_tensorboard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder of event files that real writers wrote, and what TensorBoard's readers return of each run."""
    root = tmp_path_factory.mktemp("by-tensorboard") / "runs"
    answer: dict[str, Any] = run_there("peers", TENSORBOARD_WRITER, root)
    return root, answer


@pytest.fixture(scope="session")
def by_wandb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of runs that W&B logged offline, and what its own classes read of each."""
    folder = tmp_path_factory.mktemp("by-wandb")
    answer: dict[str, Any] = run_there("peers", WANDB_WRITER, folder, folder=folder)
    return folder / "wandb", answer["runs"]
