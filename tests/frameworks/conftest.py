"""Flavors with their real libraries: `light` runs with all tests, `heavy` needs gigabytes and runs when it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracker


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`python tests/all.py --only frameworks` names the folder, in the environment that it makes for it."""
    return True if collection_path.name == "heavy" and not any("heavy" in arg for arg in config.args) else None


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tracker.set_tracking_uri(str(tmp_path / "runs"))
