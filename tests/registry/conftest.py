"""A store with a registered model whose versions can be made at will."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
