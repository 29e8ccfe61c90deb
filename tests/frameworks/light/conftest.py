"""What every test here has: a folder of its own, and a store in it."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracker


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tracker.set_tracking_uri(str(tmp_path / "runs"))
