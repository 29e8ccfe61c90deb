"""R1: what a log call returned for survives the end of the process, at whatever moment and however it comes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import tracker
from tracker import _io
from tracker.exceptions import NotAStoreError
from tracker.session import session

from .conftest import Figure
from .workload import Found, Pipe, Promise, perform

TORN = (0.01, 0.5, 0.99)
KILLS = 100
AT_ONCE = 4


class Crash:
    """Ends the process at one of the numbered points, before the operation or in the middle of its bytes."""

    def __init__(self, point: int, part: float | None) -> None:
        self.point, self.part = point, part
        self.count = 0

    def __call__(self, operation: str, path: str, data: bytes) -> bytes:
        """What `_io.fault` is called for."""
        self.count += 1
        if self.count == self.point and self.part is None:
            os._exit(9)
        if self.count == self.point:
            return data[: max(1, int(len(data) * self.part))] if self.part else data
        if self.count == self.point + 1 and self.part is not None:
            os._exit(9)
        return data


def points_of(script: Callable[[], object]) -> list[str]:
    """The operations of a script on files, in order."""
    seen: list[str] = []

    def note(operation: str, path: str, data: bytes) -> bytes:
        seen.append(operation)
        return data

    _io.fault = note
    try:
        script()
    finally:
        _io.fault = None
        session.reset()
    return seen


def crash_at(root: Path, point: int, part: float | None) -> tuple[int, list[Promise]]:
    """Run the script in a child that dies at the point; returns its exit code and what it was promised."""
    pipe = Pipe()
    child = os.fork()
    if child == 0:
        _io.fault = Crash(point, part)
        try:
            perform(root, pipe.send)
        finally:
            os._exit(1)
    promises = pipe.received()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), promises


def look(root: Path, promises: list[Promise]) -> tuple[list[Promise], list[str]]:
    """Promises that are broken and what cannot be read, after a crash."""
    try:
        found = Found(root)
    except NotAStoreError:
        return promises, []
    broken = [promise for promise in found.broken(promises) if promise[0] != "status"]
    ends = {promise[1]: promise for promise in promises if promise[0] == "status"}
    allowed = {"FINISHED", "FAILED", "KILLED"}
    lies = [("status", run_id) for run_id, run in found.runs.items() if run.file.status not in allowed]
    lies += [
        promise
        for run, promise in ends.items()
        if found.runs[run].file.status not in (promise[2], "KILLED", "FINISHED")
    ]
    return [*broken, *lies], found.unreadable()


def goes_on(root: Path) -> bool:
    """Whether the last run can be resumed and ended by a new process."""
    run = next(Found(root).store.runs(), None)
    if run is None:
        return True
    tracker.set_tracking_uri(root)
    with tracker.start_run(run_id=run.file.run_id):
        tracker.log_metric("after", 1.0)
    after = tracker.get_run(run.file.run_id)
    session.reset()
    return after.info.status == "FINISHED" and after.data.metrics["after"] == 1.0


def test_a_crash_at_any_operation_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, fast_folder: Path, figure: Figure
) -> None:
    """The process ends before each operation on files, and in the middle of each write: every call that had
    returned is found, everything can be read, no status lies, and the run can be resumed."""
    monkeypatch.setenv("TRACKER_CAPTURE", "off")
    operations = points_of(lambda: perform(fast_folder / "dry", lambda promises: None))
    plan = [(number, None) for number in range(1, len(operations) + 1)]
    writes = [number for number, operation in enumerate(operations, 1) if operation == "append"]
    plan += [(number, part) for number in writes for part in TORN]
    promised, stopped = 0, 0
    for number, (point, part) in enumerate(plan):
        root = fast_folder / str(number)
        code, promises = crash_at(root, point, part)
        assert code == 9, f"the child passed point {point} of {len(operations)} alive"
        assert look(root, promises) == ([], []), f"after {operations[point - 1]} {point} ({part})"
        if number % 8 == 0:
            assert goes_on(root) if (root / "store.yaml").exists() else not promises
        promised += len(promises)
        stopped += 1
    assert stopped >= 1000
    figure("R1", f"{stopped:,} crash points (whole and torn), {promised:,} acknowledged records: 0 lost, 0 unreadable")


KILLED = """
import json, os, sys
import tracker

def acknowledge(*promise):
    os.write(1, (json.dumps(promise) + "\\n").encode())

tracker.set_tracking_uri(sys.argv[1])
run = tracker.start_run(run_name="killed")
acknowledge("run", run.run_id)
step = 0
while True:
    tracker.log_metric("loss", 1 / (step + 1), step=step)
    acknowledge("metric", run.run_id, "loss", step, 1 / (step + 1))
    if step % 50 == 0:
        tracker.log_param(f"p{step}", step)
        acknowledge("param", run.run_id, f"p{step}", step)
        tracker.set_tag(f"t{step}", step)
        acknowledge("tag", run.run_id, f"t{step}", str(step))
        tracker.log_text(str(step), f"{step}.txt")
        acknowledge("artifact", run.run_id, f"{step}.txt", str(step))
        with tracker.start_run(nested=True) as inner:
            tracker.log_metric("loss", 0.5)
        acknowledge("metric", inner.run_id, "loss", 0, 0.5)
        acknowledge("status", inner.run_id, "FINISHED")
    step += 1
"""


def kill(program: Path, root: Path, after: float) -> list[Promise]:
    """Start the program, kill it with signal 9 some time after its first acknowledgement; returns all of them."""
    import json

    env = {**os.environ, "TRACKER_CAPTURE": "off"}
    process = subprocess.Popen([sys.executable, str(program), str(root)], stdout=subprocess.PIPE, env=env)
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return [tuple(json.loads(line)) for line in lines if line.endswith(b"\n")]


def test_a_hundred_real_kills_lose_nothing(fast_folder: Path, figure: Figure) -> None:
    """Real processes in real interpreters, killed with signal 9 at random moments while they log."""
    from concurrent.futures import ThreadPoolExecutor

    program = fast_folder / "train.py"
    program.write_text(KILLED)
    dice = random.Random(9)
    jobs = [(fast_folder / str(number), dice.uniform(0, 0.08)) for number in range(KILLS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda job: kill(program, *job), jobs))
    for (root, _), promises in zip(jobs, answers, strict=True):
        found = Found(root)
        assert (found.broken(promises), found.unreadable()) == ([], [])
        assert found.runs[promises[0][1]].file.status == "KILLED"
    promised = sum(map(len, answers))
    figure("R1", f"{KILLS} real kill -9, {promised:,} acknowledged records: 0 lost, 0 unreadable")
