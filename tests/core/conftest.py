"""What the tests of the library share: a store of their own, nothing captured, no waiting for the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracker


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_CAPTURE", "off")
    monkeypatch.setenv("TRACKER_FSYNC", "never")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of the store that is logged to; made by the first run."""
    root = tmp_path / "store"
    tracker.set_tracking_uri(root)
    return root
