"""What the tests of the promises share: a way to say what they measured, and a store that costs little."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tracker

from .figures import PROPERTY

if os.name == "nt":
    # These fork, send signals, set limits or give up rights.
    collect_ignore = [
        f"test_{name}.py"
        for name in ("r1_crash", "r3_disk_full", "r5_registrars", "r6_ranks", "r7_endings", "s3_traversal")
    ]

Figure = Callable[[str, str], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Call it with a promise and what was measured: `figure("R4", "2,000 mutations: 0 exceptions")`."""
    return lambda promise, text: record_property(PROPERTY, (promise, text))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing captured, no waiting for the disk, the same time in every site; for tests of something else."""
    monkeypatch.setenv("TRACKER_CAPTURE", "off")
    monkeypatch.setenv("TRACKER_FSYNC", "never")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture
def fast_folder() -> Iterator[Path]:
    """A folder in memory where there is one: for what tests the process, not the disk."""
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=base, prefix="tracker-test-") as folder:
        yield Path(folder)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of the store that is logged to; made by the first run."""
    root = tmp_path / "store"
    tracker.set_tracking_uri(root)
    return root
