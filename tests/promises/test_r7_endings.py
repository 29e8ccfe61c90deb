"""R7: the status tells the truth, however a process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tracker import reader

from .conftest import Figure

HEAD = """
import os, signal, sys, threading, time
import tracker
tracker.set_tracking_uri("store")

def log():
    tracker.log_metric("loss", 0.5, step=1)

def leave(how):
    log()
    exec(how, globals())
"""
WITH = HEAD + "with tracker.start_run(run_name='r'):\n    leave({how!r})\n"
WITHOUT = HEAD + "tracker.start_run(run_name='r')\nleave({how!r})\n"
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGKILL")


@dataclass(frozen=True)
class Ending:
    """A way to end, and what is true of it."""

    how: str
    code: int
    status: str
    cause: str | None


def by_signal(name: str) -> Ending:
    """A signal that the process gets from outside, while it waits."""
    cause = None if name == "SIGKILL" else name
    how = f"os.kill(os.getpid(), signal.{name}); time.sleep(60)"
    return Ending(how, -getattr(signal, name), "KILLED", cause)


ENDINGS = {
    "return": Ending("pass", 0, "FINISHED", None),
    "exception": Ending("raise ValueError('no')", 1, "FAILED", "ValueError: no"),
    "sys.exit(0)": Ending("sys.exit(0)", 0, "FINISHED", None),
    "sys.exit(2)": Ending("sys.exit(2)", 2, "FAILED", "SystemExit(2)"),
    "sys.exit(text)": Ending("sys.exit('no data')", 1, "FAILED", "SystemExit('no data')"),
    "os._exit": Ending("os._exit(0)", 0, "KILLED", None),
    **{name: by_signal(name) for name in SIGNALS},
    "fork": Ending("os.fork() or (log(), sys.exit(3)); os.wait()", 0, "FINISHED", None),
    "fork os._exit": Ending("os.fork() or (log(), os._exit(3)); os.wait()", 0, "FINISHED", None),
    "fork killed": Ending(
        "child = os.fork() or (log(), time.sleep(60)); os.kill(child, 15); os.wait()", 0, "FINISHED", None
    ),
    "caught exit": Ending("try: sys.exit(2)\nexcept SystemExit: pass", 0, "FINISHED", None),
    "caught exception": Ending("try: 1 / 0\nexcept ZeroDivisionError: pass", 0, "FINISHED", None),
    "exception in a thread": Ending(
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()", 0, "FINISHED", None
    ),
    "own handler": Ending(
        "signal.signal(15, lambda *_: sys.exit(4)); os.kill(os.getpid(), 15); time.sleep(60)",
        4,
        "FAILED",
        "SystemExit(4)",
    ),
}


def run(folder: Path, program: str) -> int:
    """Run a program in a fresh interpreter; returns its exit code."""
    env = {**os.environ, "TRACKER_CAPTURE": "off"}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=env, capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("form", ["with", "without"])
@pytest.mark.parametrize("name", list(ENDINGS))
def test_the_status_tells_how_a_process_ended(tmp_path: Path, figure: Figure, name: str, form: str) -> None:
    """With a with block and without one: the status, the cause and the exit code are right, and the data is there."""
    ending = ENDINGS[name]
    assert run(tmp_path, {"with": WITH, "without": WITHOUT}[form].format(how=ending.how)) == ending.code
    (found,) = reader.read_store(tmp_path / "store", cache=False).runs()
    assert (found.file.status, found.file.ended_by, found.problems) == (ending.status, ending.cause, ())
    assert found.file.metrics["loss"].last == 0.5
    assert found.file.end_time is not None
    if name == list(ENDINGS)[-1] and form == "without":
        figure("R7", f"{len(ENDINGS)} ways to end, with and without a with block: {2 * len(ENDINGS)} statuses right")


def test_nested_runs_end_with_their_process(tmp_path: Path) -> None:
    """An exception that nobody catches ends all of them, however deep."""
    program = (
        HEAD + "for n in range(3):\n    tracker.start_run(run_name=str(n), nested=True)\n    log()\nraise OSError\n"
    )
    assert run(tmp_path, program) == 1
    found = reader.read_store(tmp_path / "store").runs()
    assert {run.file.name: (run.file.status, run.file.ended_by) for run in found} == dict.fromkeys(
        "012", ("FAILED", "OSError")
    )


def test_a_living_process_is_running_and_a_stopped_one_too(tmp_path: Path) -> None:
    """RUNNING is said while the process is there, also when it was paused, and no longer."""
    program = WITH.format(how="print('ready', flush=True); time.sleep(60)")
    env = {**os.environ, "TRACKER_CAPTURE": "off"}
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env=env, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()

    def status() -> str:
        (found,) = reader.read_store(tmp_path / "store").runs()
        return found.file.status

    assert status() == "RUNNING"
    process.send_signal(signal.SIGSTOP)
    assert status() == "RUNNING"
    process.kill()
    process.wait()
    process.stdout.close()
    assert status() == "KILLED"
