"""The logs of runs that a client writes to by id: how long they stay open, and what happens when they cannot be."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tracker import _io, writer
from tracker.client import MlflowClient
from tracker.exceptions import StorageError
from tracker.session import MAX_AWAKE


@pytest.fixture
def client(store: Path) -> MlflowClient:
    """A client of the store of the session."""
    return MlflowClient()


def test_more_runs_than_files_may_be_open(client: MlflowClient, store: Path) -> None:
    """All of them take more, in turns, each goes on in its own log, and all end."""
    experiment = client.create_experiment("many")
    run_ids = [client.create_run(experiment).info.run_id for _ in range(MAX_AWAKE + 60)]
    for step in range(3):
        for run_id in run_ids:
            client.log_metric(run_id, "loss", step, step=step)
    if Path("/dev/fd").exists():
        assert len(list(Path("/dev/fd").iterdir())) < MAX_AWAKE + 50
    for run_id in run_ids:
        client.set_terminated(run_id)
    runs = client.search_runs([experiment])
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert [run.data.metrics for run in runs] == [{"loss": 2}] * len(run_ids)
    assert len(list(store.rglob("*.jsonl"))) == len(run_ids)


def test_a_run_that_rests_lives_and_is_told_when_its_log_is_gone(client: MlflowClient, store: Path) -> None:
    """Its file still shows that the process lives, and a record that would be lost is refused."""
    experiment = client.create_experiment("many")
    first, *_ = [client.create_run(experiment).info.run_id for _ in range(MAX_AWAKE + 1)]
    log = next((store / "experiments/many/runs" / first / "log").iterdir())
    os.utime(log, (0, 0))
    for living in list(writer._living):
        living.beat()
    assert log.stat().st_mtime > 0
    elsewhere = log.rename(store / log.name)
    with pytest.raises(StorageError, match="Could not write"):
        client.log_metric(first, "loss", 1)
    elsewhere.rename(log)
    client.log_metric(first, "loss", 2)
    assert [point.value for point in client.get_metric_history(first, "loss")] == [2]


def test_an_end_that_the_disk_refuses_can_be_tried_again(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on until then, and nothing of it stays open afterwards."""

    def full(operation: str, path: str, data: bytes) -> bytes:
        if operation == "append":
            raise OSError(errno.ENOSPC, "No space left on device", path)
        return data

    run_id = client.create_run(client.create_experiment("digits")).info.run_id
    with monkeypatch.context() as refusing:
        refusing.setattr(_io, "fault", full)
        with pytest.raises(StorageError):
            client.set_terminated(run_id)
    assert client.get_run(run_id).info.status == "RUNNING"
    client.set_terminated(run_id, "FAILED")
    assert client.get_run(run_id).info.status == "FAILED"
    assert not writer._living
