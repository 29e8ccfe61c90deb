"""When a log call returns, and what was brought to the disk by then."""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tracker
from tracker import _io, writer

from .processes import fork, wait


@pytest.fixture
def operations() -> Iterator[list[str]]:
    """What happens to files, in order."""
    seen: list[str] = []

    def note(operation: str, path: str, data: bytes) -> bytes:
        seen.append(operation)
        return data

    _io.fault = note
    yield seen
    _io.fault = None


def test_each_call_is_one_write_of_whole_lines(store: Path, operations: list[str]) -> None:
    """However many params, metrics or tags it has: nothing is held back, nothing is cut in two."""
    calls: list[Callable[[], object]] = [
        lambda: tracker.log_metric("loss", 1.0),
        lambda: tracker.log_metrics({"a": 1.0, "b": 2.0}),
        lambda: tracker.log_params({"x": 1, "y": {"z": 2}}),
        lambda: tracker.set_tags({"s": 1, "t": 2}),
    ]
    with tracker.start_run() as run:
        (log,) = run.folder.glob("log/*")
        for call in calls:
            operations.clear()
            before = log.stat().st_size
            call()
            assert operations == ["append", "appended"]
            added = log.read_bytes()[before:]
            assert added.endswith(b"\n")
            assert all(json.loads(line) for line in added.splitlines())


@pytest.mark.parametrize(
    ("mode", "each_call", "at_end"), [("always", 1, True), ("interval", 0, True), ("end", 0, True), ("never", 0, False)]
)
def test_fsync_is_chosen_by_the_environment(
    store: Path, monkeypatch: pytest.MonkeyPatch, operations: list[str], mode: str, each_call: int, at_end: bool
) -> None:
    """After each call, every few seconds, at the end of the run, or never."""
    monkeypatch.setenv("TRACKER_FSYNC", mode)
    run = tracker.start_run()
    operations.clear()
    tracker.log_metric("loss", 1.0)
    tracker.log_text("x", "a.txt")
    assert operations.count("fsync") == 3 * each_call
    operations.clear()
    for living in list(writer._living):
        living.beat()
    assert operations == (["fsync"] if mode in ("always", "interval") else []) + ["touch"]
    operations.clear()
    tracker.end_run()
    assert ("fsync" in operations, "fsync-folder" in operations) == (at_end, at_end)
    assert run.info.status == "FINISHED"


def test_an_idle_run_is_touched_but_not_synced(
    store: Path, monkeypatch: pytest.MonkeyPatch, operations: list[str]
) -> None:
    """Where nothing was written since the last beat, the disk is left alone."""
    monkeypatch.setenv("TRACKER_FSYNC", "interval")
    tracker.start_run()
    (living,) = writer._living
    living.beat()
    operations.clear()
    living.beat()
    assert operations == ["touch"]


def test_the_beat_goes_on_after_a_run_ended(store: Path) -> None:
    """One thread serves all runs of a process, one after the other."""
    for _ in range(3):
        with tracker.start_run():
            assert len(writer._living) == 1
    assert not writer._living
    hearts = [thread for thread in threading.enumerate() if thread.name == "tracker-heart"]
    assert len(hearts) == 1 and hearts[0].daemon


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_fork_finds_one_thread_only(store: Path) -> None:
    """The beating thread steps aside: Python has nothing to warn of, and goes on to beat in the parent."""
    with warnings.catch_warnings(), tracker.start_run():
        warnings.simplefilter("error")
        assert wait(fork(lambda: tracker.log_metric("child", 1.0))) == [0]
        assert "tracker-heart" in [thread.name for thread in threading.enumerate()]


def test_after_a_refused_write_the_log_goes_on_in_a_new_file(store: Path) -> None:
    """Never behind a torn line; the new file says which one it continues, and the old one counts as closed."""
    with tracker.start_run() as run:
        tracker.log_metric("loss", 1.0, step=0)

        def short(operation: str, path: str, data: bytes) -> bytes:
            return data[:10] if operation == "append" else data

        _io.fault = short
        with pytest.raises(tracker.TrackerError, match="only a part of the bytes"):
            tracker.log_metric("loss", 0.5, step=1)
        _io.fault = None
        tracker.log_metric("loss", 0.5, step=1)
    first, second = sorted(run.folder.glob("log/*"))
    assert json.loads(second.read_text().splitlines()[0])["continues"] == first.stem
    assert first.read_bytes().endswith(b"\n")
    found = tracker.get_run(run.run_id)
    assert (found.info.status, found.metrics["loss"].count) == ("FINISHED", 2)
    snapshot = json.loads((run.folder / "run.json").read_text())
    assert all(log["closed"] for log in snapshot["logs"].values())
