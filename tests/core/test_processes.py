"""Several processes and one run: ranks that join, children that are forked or spawned."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

import tracker
from tracker import reader

from .processes import fork, in_child, run_script, wait

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no fork on Windows")


def only_run(store: Path) -> reader.ReadRun:
    """The one run of the store, read by somebody new."""
    (run,) = reader.read_store(store, cache=False).runs()
    return run


def roles(run: reader.ReadRun) -> list[str]:
    """Roles of the writers of a run, in the order in which they began."""
    import json

    return [json.loads(path.read_text().splitlines()[0])["role"] for path in sorted(run.folder.glob("log/*.jsonl"))]


def test_a_forked_child_logs_to_the_run_of_its_parent(store: Path) -> None:
    """In a log file of its own; both go on, and the parent's end is the end."""
    with tracker.start_run():
        tracker.log_metric("parent", 1.0)

        def work() -> None:
            tracker.log_metric("child", 2.0)
            tracker.log_param("from", "child")
            tracker.set_tag("from", "child")

        in_child(work)
        tracker.log_metric("parent", 3.0, step=1)
        assert only_run(store).file.status == "RUNNING"
    run = only_run(store)
    assert (run.file.status, run.file.params, run.file.tags["from"]) == ("FINISHED", {"from": "child"}, "child")
    assert (run.file.metrics["parent"].count, run.file.metrics["child"].last) == (2, 2.0)
    assert (roles(run), run.problems) == (["owner", "joined"], ())


def test_a_child_that_logs_nothing_leaves_nothing(store: Path) -> None:
    """Neither a log file nor a snapshot, although it ends like a Python program."""
    text = """
import os, sys, tracker
tracker.set_tracking_uri("runs")
with tracker.start_run() as run:
    child = os.fork()
    if child == 0:
        sys.exit(3)
    os.waitpid(child, 0)
    assert len(list(run.folder.glob("log/*"))) == 1
    assert tracker.get_run(run.run_id).info.status == "RUNNING"
"""
    store.mkdir()
    run_script(store, text)
    assert only_run(store / "runs").file.status == "FINISHED"


def test_a_child_does_not_end_the_run_of_its_parent(store: Path) -> None:
    """Neither by leaving the with block, nor by end_run(), nor by a signal."""
    with tracker.start_run():
        in_child(lambda: (tracker.log_metric("a", 1.0), tracker.end_run("FAILED")))
        assert only_run(store).file.status == "RUNNING"
        child = fork(lambda: (tracker.log_metric("b", 1.0), time.sleep(30)))
        while "b" not in only_run(store).file.metrics:
            time.sleep(0.01)
        os.kill(child, signal.SIGTERM)
        assert wait(child) == [-signal.SIGTERM]
        assert only_run(store).file.status == "RUNNING"
    assert only_run(store).file.status == "FINISHED"


def test_grandchildren_log_too(store: Path) -> None:
    """However deep the forks, each process has its own file and every point is kept."""

    def descend(depth: int) -> None:
        tracker.log_metric("depth", float(depth), step=depth)
        if depth < 4:
            in_child(lambda: descend(depth + 1))
        tracker.log_metric("back", float(depth), step=depth)

    with tracker.start_run():
        descend(0)
    run = only_run(store)
    assert (run.file.metrics["depth"].count, run.file.metrics["back"].count, len(run.file.logs)) == (5, 5, 5)


def test_a_child_can_start_a_nested_run(store: Path) -> None:
    """It is a run of its own, ended by the child, with the parent's run as its parent."""
    with tracker.start_run() as parent:

        def work() -> None:
            with tracker.start_run(run_name="child", nested=True):
                tracker.log_param("p", 1)

        in_child(work)
    runs = {run.file.name: run.file for run in reader.read_store(store).runs()}
    assert (runs["child"].parent, runs["child"].status, runs["child"].params) == (parent.run_id, "FINISHED", {"p": 1})


def test_a_fork_at_any_moment_finds_no_lock_taken(store: Path) -> None:
    """Children are forked while other threads log: they neither hang nor write into the file of the parent."""
    import threading

    stop = threading.Event()

    def log() -> None:
        step = 0
        while not stop.is_set():
            tracker.log_metric("busy", 1.0, step=step)
            step += 1

    with tracker.start_run():
        threads = [threading.Thread(target=log) for _ in range(3)]
        for thread in threads:
            thread.start()
        children = [fork(lambda i=i: tracker.log_metric("child", float(i), step=i)) for i in range(20)]
        codes = wait(*children)
        stop.set()
        for thread in threads:
            thread.join()
    assert codes == [0] * 20
    run = only_run(store)
    assert (run.file.metrics["child"].count, run.problems, reader.read_history(run.folder).problems) == (20, (), ())


def _join(root: str, run_id: str, rank: int, points: int) -> None:
    tracker.set_tracking_uri(root)
    with tracker.start_run(run_id=run_id):
        tracker.log_param("world", 4)
        for step in range(points):
            tracker.log_metric(f"rank {rank}", rank + step / 100, step=step)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_ranks_join_the_run_by_its_id(store: Path, method: str) -> None:
    """Each process that names a run that is logged to joins it; the one that started it decides how it ends."""
    context = multiprocessing.get_context(method)
    with tracker.start_run() as run:
        ranks = [context.Process(target=_join, args=(str(store), run.run_id, rank, 50)) for rank in range(4)]
        for rank in ranks:
            rank.start()
        for rank in ranks:
            rank.join()
        assert [rank.exitcode for rank in ranks] == [0] * 4
        assert tracker.get_run(run.run_id).info.status == "RUNNING"
    found = only_run(store)
    assert {key: metric.count for key, metric in found.file.metrics.items()} == {f"rank {n}": 50 for n in range(4)}
    assert (found.file.params, roles(found)) == ({"world": 4}, ["owner"] + ["joined"] * 4)
    assert (found.file.status, found.problems) == ("FINISHED", ())


def test_a_rank_that_outlives_the_owner_loses_nothing(store: Path) -> None:
    """Its points after the owner's end are in the run, and it leaves a complete snapshot."""
    read_end, write_end = os.pipe()

    def rank() -> None:
        tracker.log_metric("rank", 1.0, step=0)
        os.read(read_end, 1)
        tracker.log_metric("rank", 2.0, step=1)
        tracker.end_run()

    with tracker.start_run():
        child = fork(rank)
        while not only_run(store).file.metrics:
            time.sleep(0.01)
    assert only_run(store).file.status == "FINISHED"
    assert only_run(store).problems == ()
    os.write(write_end, b"x")
    assert wait(child) == [0]
    run = only_run(store)
    assert (run.file.metrics["rank"].count, run.file.status) == (2, "FINISHED")
    assert all(log.closed for log in run.file.logs.values())


def test_a_run_of_a_dead_process_is_killed_and_can_be_resumed(store: Path) -> None:
    """Who resumes it owns it: its end is the new status, and nothing of before is lost."""

    def die() -> None:
        tracker.start_run(run_name="died")
        tracker.log_metric("loss", 1.0)
        os.kill(os.getpid(), signal.SIGKILL)

    assert wait(fork(die)) == [-signal.SIGKILL]
    found = only_run(store)
    assert (found.file.status, found.file.metrics["loss"].last, found.problems) == ("KILLED", 1.0, ())
    assert found.file.end_time is not None
    with tracker.start_run(run_id=found.file.run_id):
        tracker.log_metric("loss", 0.5, step=1)
    found = only_run(store)
    assert (found.file.status, found.file.metrics["loss"].count) == ("FINISHED", 2)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_a_zombie_is_dead(store: Path) -> None:
    """A process that ended and was not waited for, as in many containers, does not keep its run RUNNING."""
    child = fork(lambda: (tracker.start_run(), os._exit(0)))
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT) is None:
        time.sleep(0.01)
    assert only_run(store).file.status == "KILLED"
    wait(child)


def test_eight_processes_make_one_experiment(store: Path) -> None:
    """However many ask at once, it is made once, and every run is in it."""

    def work(number: int) -> None:
        tracker.set_experiment("together")
        with tracker.start_run():
            tracker.log_param("number", number)

    assert wait(*(fork(lambda n=n: work(n)) for n in range(8))) == [0] * 8
    found = reader.read_store(store)
    assert [experiment.file.name for experiment in found.experiments] == ["together"]
    assert sorted(run.file.params["number"] for run in found.runs()) == list(range(8))
    assert not list(store.rglob(".new-*"))
