"""Processes that use one store through MLflow, and that end in every way."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import tracker
from tests.environments import python_of
from tests.plugin.conftest import HERE, QUIET, there
from tracker import reader

PROCESSES = 4


def environment() -> dict[str, str]:
    """Variables for scripts that are started here."""
    return {**os.environ, **QUIET, "PYTHONPATH": "", "MLFLOW_DISABLE_TELEMETRY": "true"}


def test_many_processes_at_once(tmp_path: Path) -> None:
    """Into a store that is not there yet, several processes log runs, one shared run and versions; nothing is lost."""
    store, go = tmp_path / "runs", tmp_path / "go"
    uri = f"tracker:{store}"
    shared = tracker.MlflowClient(store).create_run(tracker.MlflowClient(store).create_experiment("shared")).info.run_id
    command = [python_of("plugin"), str(HERE / "at_once.py"), uri]
    started = [
        subprocess.Popen(
            [*command, str(number), str(go), shared],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(),
            cwd=tmp_path,
        )
        for number in range(PROCESSES)
    ]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    go.touch()
    assert [process.wait() for process in started] == [0] * PROCESSES
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
    command = [python_of("plugin"), str(HERE / "ending.py"), f"tracker:{store}"]
    ended = [
        subprocess.Popen(
            [*command, how],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(),
            cwd=tmp_path,
        )
        for how in wanted
    ]
    assert [process.communicate()[0] for process in ended] == ["300\n"] * len(wanted)
    runs = {run.file.name: run.file for run in reader.read_store(store).runs()}
    assert {name: run.status for name, run in runs.items()} == wanted
    assert {run.metrics["loss"].count for run in runs.values()} == {300}
    assert runs["exception"].ended_by == "ValueError: 8 features" and runs["SIGTERM"].ended_by == "SIGTERM"
    told = there("asked.py", f"tracker:{store}", folder=tmp_path)
    assert {name: status for name, (status, _, _) in told.items()} == wanted
    assert all(metrics == {"loss": 299.0} and end for _, metrics, end in told.values())
