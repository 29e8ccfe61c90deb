"""A run from its start to its end, and again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import tracker
from tracker import reader
from tracker.exceptions import InvalidValueError, NotFoundError, RunStateError
from tracker.reader import ReadRun


def read(store: Path) -> dict[str, ReadRun]:
    """The runs of the store by name, read by somebody new."""
    return {run.file.name: run for run in reader.read_store(store, cache=False).runs()}


def test_a_run_keeps_everything_it_logged(store: Path) -> None:
    """Params with their types, every point of every metric, tags, the description, times and the status."""
    with tracker.start_run(run_name="first", tags={"team": "otter"}, description="# Notes") as run:
        tracker.log_params({"lr": 0.1, "layers": 3, "bias": True, "note": None, "opt": {"name": "adam"}})
        for step in range(5):
            tracker.log_metric("loss", 1 / (step + 1), step=step)
        tracker.log_metrics({"acc": 0.5, "f1": 0.25}, step=9, timestamp=1_700_000_000_000)
        tracker.set_tag("stage", 7)
    found = tracker.get_run(run.run_id)
    assert found.params == {"lr": 0.1, "layers": 3, "bias": True, "note": None, "opt.name": "adam"}
    assert found.data.params == {"lr": "0.1", "layers": "3", "bias": "True", "note": "None", "opt.name": "adam"}
    assert found.data.metrics == {"loss": 0.2, "acc": 0.5, "f1": 0.25}
    assert found.data.tags == {
        "team": "otter",
        "stage": "7",
        "mlflow.runName": "first",
        "mlflow.note.content": "# Notes",
    }
    assert (found.info.status, found.info.run_name, found.info.lifecycle_stage) == ("FINISHED", "first", "active")
    assert found.info.start_time <= (found.info.end_time or 0)
    history = tracker.get_metric_history(run.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(step, 1 / (step + 1)) for step in range(5)]
    assert [(m.step, m.timestamp) for m in tracker.get_metric_history(run.run_id, "f1")] == [(9, 1_700_000_000_000)]


def test_the_first_log_call_starts_a_run(store: Path) -> None:
    """As in MLflow, nobody has to call start_run()."""
    tracker.log_param("lr", 0.1)
    run = tracker.active_run()
    assert run is not None
    tracker.end_run()
    assert tracker.get_run(run.run_id).params == {"lr": 0.1}
    assert tracker.active_run() is None


def test_a_run_has_a_readable_name_of_its_own(store: Path) -> None:
    """Without run_name it gets three words; the tag mlflow.runName renames it later."""
    with tracker.start_run() as run:
        assert run.info.run_name.count("-") == 2
        tracker.set_tag("mlflow.runName", "renamed")
    assert tracker.get_run(run.run_id).info.run_name == "renamed"


@pytest.mark.parametrize(
    ("error", "status", "cause"),
    [
        (ValueError("no\nmore"), "FAILED", "ValueError: no"),
        (RuntimeError(), "FAILED", "RuntimeError"),
        (OSError("token=ghp_0123456789abcdefghij0123"), "FAILED", "OSError: token=***"),
        (KeyboardInterrupt(), "KILLED", "SIGINT"),
        (SystemExit(2), "FAILED", "SystemExit(2)"),
        (SystemExit(0), "FINISHED", None),
        (SystemExit(None), "FINISHED", None),
    ],
    ids=repr,
)
def test_the_with_block_tells_how_it_was_left(
    store: Path, error: BaseException, status: str, cause: str | None
) -> None:
    """FINISHED, FAILED with the exception and the first line of its message, or KILLED on Ctrl-C; it goes on."""
    with pytest.raises(type(error)), tracker.start_run(run_name="left"):
        tracker.log_metric("loss", 1.0)
        raise error
    file = read(store)["left"].file
    assert (file.status, file.ended_by, file.metrics["loss"].last) == (status, cause, 1.0)


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_end_run_takes_a_status(store: Path, status: str) -> None:
    """What end_run() says is what the store says."""
    run = tracker.start_run()
    tracker.end_run(status)
    assert tracker.get_run(run.run_id).info.status == status


def test_a_run_cannot_end_as_something_else(store: Path) -> None:
    """Another word is refused with those that work, and the run goes on."""
    tracker.start_run()
    with pytest.raises(InvalidValueError, match="FINISHED, FAILED, KILLED, not as 'DONE'"):
        tracker.end_run("DONE")
    assert tracker.active_run() is not None


def test_end_run_without_a_run_does_nothing(store: Path) -> None:
    """As in MLflow; not even a store is made."""
    tracker.end_run()
    assert not store.exists()


def test_runs_nest_to_any_depth(store: Path) -> None:
    """Each run knows the one that it was started in; log calls go to the innermost."""
    depth = 8
    started = []
    for level in range(depth):
        started.append(tracker.start_run(run_name=f"level {level}", nested=level > 0))
        tracker.log_param("level", level)
    for _ in range(depth):
        tracker.end_run()
    found = read(store)
    for level in range(1, depth):
        assert found[f"level {level}"].file.parent == started[level - 1].run_id
        assert found[f"level {level}"].file.params == {"level": level}
        parent = tracker.get_parent_run(started[level].run_id)
        assert parent is not None and parent.info.run_name == f"level {level - 1}"
    assert found["level 0"].file.parent is None
    assert tracker.get_parent_run(started[0].run_id) is None


def test_the_parent_can_be_named(store: Path) -> None:
    """By parent_run_id, or by the tag that MLflow keeps it in, also when it ended long ago."""
    with tracker.start_run() as parent:
        pass
    with tracker.start_run(run_name="a", parent_run_id=parent.run_id):
        pass
    with tracker.start_run(run_name="b", tags={"mlflow.parentRunId": parent.run_id}) as child:
        pass
    assert {run.file.parent for name, run in read(store).items() if name in "ab"} == {parent.run_id}
    assert tracker.get_run(child.run_id).data.tags["mlflow.parentRunId"] == parent.run_id


def test_ending_a_run_ends_those_inside_it(store: Path) -> None:
    """A nested run that was forgotten ends with the one around it."""
    with tracker.start_run(run_name="outer"):
        tracker.start_run(run_name="inner", nested=True)
    assert {name: run.file.status for name, run in read(store).items()} == {"outer": "FINISHED", "inner": "FINISHED"}
    assert tracker.active_run() is None


def test_a_second_run_needs_nested(store: Path) -> None:
    """The error names the run that is active and both ways out; that run stays active."""
    first = tracker.start_run()
    with pytest.raises(RunStateError, match=rf"{first.run_id}.*end_run\(\).*nested=True"):
        tracker.start_run()
    assert tracker.active_run() is first


def test_last_active_run_is_the_run_as_it_is_now(store: Path) -> None:
    """None before the first run; then the active one, then the one that ended last."""
    assert tracker.last_active_run() is None
    with tracker.start_run(run_name="one"):
        found = tracker.last_active_run()
        assert found is not None and found.info.status == "RUNNING"
        tracker.log_metric("loss", 1.0)
    found = tracker.last_active_run()
    assert found is not None
    assert (found.info.run_name, found.info.status, found.data.metrics) == ("one", "FINISHED", {"loss": 1.0})


def test_a_run_is_resumed_by_its_id(store: Path) -> None:
    """It is RUNNING again, keeps what it had, goes on with more, and ends anew."""
    with pytest.raises(RuntimeError), tracker.start_run() as run:
        tracker.log_metric("loss", 1.0, step=1)
        raise RuntimeError
    assert tracker.get_run(run.run_id).info.status == "FAILED"
    with tracker.start_run(run_id=run.run_id, tags={"again": "yes"}) as again:
        assert tracker.get_run(run.run_id).info.status == "RUNNING"
        assert tracker.get_run(run.run_id).info.end_time is None
        tracker.log_metric("loss", 0.5, step=2)
    found = tracker.get_run(again.run_id)
    assert (found.info.status, found.info.start_time) == ("FINISHED", run.info.start_time)
    assert [m.value for m in tracker.get_metric_history(run.run_id, "loss")] == [1.0, 0.5]
    assert found.data.tags["again"] == "yes"
    assert [len(found.file.logs) for found in read(store).values()] == [2]


def test_the_environment_can_name_the_run_to_join(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRACKER_RUN_ID counts for the first run of a process; those after it are new."""
    with tracker.start_run() as run:
        pass
    tracker.end_run()
    from tracker.session import session

    session.reset()
    tracker.set_tracking_uri(store)
    monkeypatch.setenv("TRACKER_RUN_ID", run.run_id)
    with tracker.start_run() as joined:
        pass
    with tracker.start_run() as new:
        pass
    assert joined.run_id == run.run_id != new.run_id


def test_a_run_that_is_not_there_cannot_be_resumed(store: Path) -> None:
    """The error names the id and the store; a run of this process cannot be opened twice either."""
    with pytest.raises(NotFoundError, match=f"{'0' * 32} in .*store"):
        tracker.start_run(run_id="0" * 32)
    run = tracker.start_run()
    with pytest.raises(RunStateError, match="active in this process"):
        tracker.start_run(run_id=run.run_id, nested=True)


def test_a_closed_run_says_how_to_go_on(store: Path) -> None:
    """Logging to it raises an error with the call that resumes it, and what it held is kept."""
    with tracker.start_run() as run:
        run.log_metric("loss", 1.0)
    for log in (lambda: run.log_metric("loss", 2.0), lambda: run.log_param("a", 1), lambda: run.set_tag("a", 1)):
        with pytest.raises(RunStateError, match=rf"closed.*start_run\(run_id='{run.run_id}'\)"):
            log()
    assert tracker.get_run(run.run_id).data.metrics == {"loss": 1.0}


def test_another_run_of_the_store_can_be_logged_to_by_its_id(store: Path) -> None:
    """With run_id= a call adds to a run that has ended, and changes neither its status nor its times."""
    with pytest.raises(RuntimeError), tracker.start_run() as run:
        raise RuntimeError
    before = tracker.get_run(run.run_id).info
    tracker.log_metric("late", 0.5, run_id=run.run_id)
    tracker.log_params({"late": True}, run_id=run.run_id)
    tracker.log_text("hello", "late.txt", run_id=run.run_id)
    found = tracker.get_run(run.run_id)
    assert found.info == before
    assert (found.params, found.data.metrics) == ({"late": True}, {"late": 0.5})
    assert Path(found.info.artifact_uri, "late.txt").read_text() == "hello"


def test_threads_log_to_the_run_of_the_main_thread(store: Path) -> None:
    """Every point of every thread is kept, in one log file."""
    with tracker.start_run(run_name="threads"):
        threads = [
            threading.Thread(target=lambda n=n: [tracker.log_metric(f"m{n}", i, step=i) for i in range(200)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    run = read(store)["threads"]
    history = reader.read_history(run.folder)
    assert {key: series.values for key, series in history.series.items()} == {
        f"m{n}": [float(i) for i in range(200)] for n in range(8)
    }
    assert (len(run.file.logs), history.problems) == (1, ())


def test_a_thread_can_have_a_run_of_its_own(store: Path) -> None:
    """Runs of threads are independent: each logs to its own while the main thread logs to another."""

    def work(number: int) -> None:
        with tracker.start_run(run_name=f"thread {number}"):
            tracker.log_param("number", number)

    with tracker.start_run(run_name="main"):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tracker.log_param("number", "main")
    assert {name: run.file.params["number"] for name, run in read(store).items()} == {
        "main": "main",
        **{f"thread {number}": number for number in range(4)},
    }


def test_a_deleted_run_comes_back_as_it_was(store: Path) -> None:
    """delete_run() moves it to the trash, restore_run() brings it back with everything."""
    with tracker.start_run() as run:
        tracker.log_metric("loss", 1.0)
        tracker.log_text("kept", "note.txt")
    before = tracker.get_run(run.run_id)
    tracker.delete_run(run.run_id)
    with pytest.raises(NotFoundError, match=run.run_id):
        tracker.get_run(run.run_id)
    assert read(store) == {}
    tracker.restore_run(run.run_id)
    assert tracker.get_run(run.run_id) == before
    assert Path(before.info.artifact_uri, "note.txt").read_text() == "kept"


def test_deleting_needs_a_run_that_is_there_and_not_active(store: Path) -> None:
    """Each mistake has its own error, and nothing is moved."""
    with tracker.start_run() as run, pytest.raises(RunStateError, match="End it before you delete it"):
        tracker.delete_run(run.run_id)
    for call in (tracker.delete_run, tracker.restore_run, tracker.get_run):
        with pytest.raises(NotFoundError, match="0" * 32):
            call("0" * 32)
    with pytest.raises(NotFoundError, match="trash"):
        tracker.restore_run(run.run_id)


def test_a_run_that_somebody_deletes_while_it_logs_loses_nothing(store: Path) -> None:
    """It goes on into the trash, ends without an error, and is complete when it is restored."""
    from tracker.store import Store

    with tracker.start_run() as run:
        tracker.log_metric("loss", 1.0)
        Store.open(store).trash_run(run.run_id)
        tracker.log_metric("loss", 0.5, step=1)
    tracker.restore_run(run.run_id)
    found = tracker.get_run(run.run_id)
    assert (found.info.status, found.metrics["loss"].count) == ("FINISHED", 2)
