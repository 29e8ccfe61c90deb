"""A store with a registered model whose versions can be made at will."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tracker
from tracker.registry import ReadVersion, Registry
from tracker.store import Store

DIGEST = f"sha256:{'0' * 64}"
PATH = f"experiments/digits/runs/{'0' * 32}/artifacts/model"


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_USER", "Ada")
    monkeypatch.setenv("TRACKER_FSYNC", "never")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of an empty store."""
    return Store.open(tmp_path / "runs").root


@pytest.fixture
def registry(root: Path) -> Registry:
    """Its registry."""
    return Registry(root)


@pytest.fixture
def register(registry: Registry) -> Callable[..., ReadVersion]:
    """Registers the next version of a model; its files need not exist."""
    return lambda name="iris", **options: registry.register(name, **{"path": PATH, "digest": DIGEST} | options)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a model of two versions: a pickle without a signature, and a skops file with everything."""
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    root = tmp_path_factory.mktemp("made") / "runs"
    features, kinds = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=500).fit(features, kinds)
    tracker.set_tracking_uri(root)
    with tracker.start_run():
        tracker.log_metrics({"accuracy": 0.8, "loss": float("nan")})
        tracker.sklearn.log_model(model, name="model", registered_model_name="iris")
    with tracker.start_run():
        tracker.log_metric("accuracy", 0.97)
        tracker.sklearn.log_model(
            model,
            name="model",
            registered_model_name="iris",
            serialization_format="skops",
            input_example=features.head(2),
        )
    registry = Registry(root)
    registry.describe_version("iris", 2, "Good.")
    registry.set_stage("iris", 1, "Staging", by="Ada", reason="try")
    registry.set_stage("iris", 2, "Production", by="Ada", reason="good")
    registry.set_alias("iris", "champion", 2, by="Ada")
    return root


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "runs"))
