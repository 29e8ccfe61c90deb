"""Processes that use one store through MLflow, and that end in every way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import tracker
from tests.plugin.conftest import there
from tracker import reader

PROCESSES = 4
pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no fork on Windows")


def test_many_processes_at_once(tmp_path: Path) -> None:
    """Into a store that is not there yet, several processes log runs, one shared run and versions; nothing is lost."""
    store = tmp_path / "runs"
    shared = tracker.MlflowClient(store).create_run(tracker.MlflowClient(store).create_experiment("shared")).info.run_id
    ended = there("at_once.py", f"tracker:{store}", PROCESSES, shared, folder=tmp_path)
    assert ended == [0] * PROCESSES
    read = reader.read_store(store)
    runs = list(read.experiment_named("at once").runs)
    assert sorted(run.file.params["number"] for run in runs) == list(range(PROCESSES))
    assert {(run.file.status, run.file.metrics["loss"].count) for run in runs} == {("FINISHED", 200)}
    series = reader.read_history(reader.find_run(store, shared)).series
    assert {key: len(points.steps) for key, points in series.items()} == {f"from {n}": 50 for n in range(PROCESSES)}
    versions = tracker.MlflowClient(store).search_model_versions("name = 'shared'")
    assert sorted(int(version.version) for version in versions) == list(range(1, PROCESSES + 1))
    assert {version.run_id for version in versions} == {run.file.run_id for run in runs}


def test_each_ending_is_told_as_it_was(tmp_path: Path) -> None:
    """A run that nobody ended has the status of the end of its process, for us and for MLflow, with all its points."""
    wanted = {
        "return": "FINISHED",
        "exception": "FAILED",
        "exit": "FAILED",
        "SIGTERM": "KILLED",
        "SIGKILL": "KILLED",
        "os._exit": "KILLED",
    }
    store = tmp_path / "runs"
    told = there("ending.py", f"tracker:{store}", *wanted, folder=tmp_path)
    runs = {run.file.name: run.file for run in reader.read_store(store).runs()}
    assert {name: run.status for name, run in runs.items()} == wanted
    assert {run.metrics["loss"].count for run in runs.values()} == {300}
    assert runs["exception"].ended_by == "ValueError: 8 features" and runs["SIGTERM"].ended_by == "SIGTERM"
    assert {name: status for name, (status, _, _) in told.items()} == wanted
    assert all(metrics == {"loss": 299.0} and end for _, metrics, end in told.values())
