"""A store of its own for each test of models."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracker


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the store that is logged to; nothing is captured, and no test waits for the disk."""
    monkeypatch.setenv("TRACKER_CAPTURE", "off")
    monkeypatch.setenv("TRACKER_FSYNC", "never")
    root = tmp_path / "store"
    tracker.set_tracking_uri(root)
    return root
