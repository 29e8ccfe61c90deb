"""R3: a full disk is a clear error, nothing earlier is lost, and the run goes on when there is space."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tracker
from tracker import _io, reader, writer
from tracker.exceptions import StorageError
from tracker.session import session

from .conftest import Figure
from .workload import Found, Promise, Script

POINTS = 6
Fault = Callable[[str, str, bytes], bytes]


class Full:
    """A disk that refuses: the operations from `first` on, `count` of them; or writes only a part of the bytes."""

    def __init__(self, first: int, count: int = 1, *, short: bool = False) -> None:
        self.refused = range(first, first + count)
        self.short = short
        self.operations = 0
        self.hits: list[str] = []

    def __call__(self, operation: str, path: str, data: bytes) -> bytes:
        """What `_io.fault` is called for."""
        self.operations += 1
        if self.operations not in self.refused or operation == "appended":
            return data
        if self.short:
            self.hits += [path] if path.endswith(".jsonl") and data else []  # other files are written on
            return data[: len(data) // 2]
        self.hits.append(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


@contextlib.contextmanager
def disk(fault: Fault | None) -> Iterator[None]:
    """All operations on files pass the fault for the length of the block."""
    _io.fault = fault
    try:
        yield
    finally:
        _io.fault = None


def insist(root: Path, fault: Full) -> tuple[list[Promise], int]:
    """Run the script; repeat each call that was refused until it is not. Returns promises and refusals."""
    promised: list[Promise] = []
    refusals = 0
    with disk(fault):
        for call, promises in Script(root, POINTS).calls():
            hits = len(fault.hits)
            errors = refusals_of(call)
            refusals += errors
            promised += promises
            quiet = len(fault.hits) > hits and not errors
            assert not quiet or "late" in promises[0], f"{fault.hits} was refused without an error"
    session.reset()
    return promised, refusals


def refusals_of(call: Callable[[], object]) -> int:
    """How often a call is refused before it returns."""
    for count in range(5):
        try:
            call()
        except StorageError as error:
            assert_clear(error)
        else:
            return count
    raise AssertionError("refused although there is space")


def assert_clear(error: StorageError) -> None:
    """It says what could not be done, where, why, and that the rest is safe."""
    assert error.errno in (errno.ENOSPC, errno.EFBIG)
    assert str(error).startswith("Could not ")
    assert "What was logged before is safe. Free some space and log on" in str(error)
    assert "bytes are free there" in str(error)


@pytest.mark.parametrize(("count", "short"), [(1, False), (3, False), (1, True)], ids=["once", "thrice", "short write"])
def test_any_operation_may_find_the_disk_full(
    quick: None, fast_folder: Path, figure: Figure, monkeypatch: pytest.MonkeyPatch, count: int, short: bool
) -> None:
    """Each operation on files is refused in turn: a StorageError each time, and the same call works once there is
    space; at the end every record is there, and none of them twice."""
    monkeypatch.setenv("TRACKER_FSYNC", "interval")
    dry = Full(0, 0)
    insist(fast_folder / "dry", dry)
    total = refused = 0
    for number in range(1, dry.operations + 1):
        fault = Full(number, count, short=short)
        promises, refusals = insist(fast_folder / str(number), fault)
        found = Found(fast_folder / str(number))
        assert (found.broken(promises), found.unreadable(), found.repeated()) == ([], [], [])
        total += len(promises)
        refused += bool(refusals)
    how = "writes cut short" if short else f"operations refused, {count} in a row,"
    figure("R3", f"{refused} {how} in turn, {total:,} records: {refused} clear errors, 0 lost, 0 twice")


def test_a_limit_on_the_size_of_files_loses_nothing(quick: None, store: Path, figure: Figure) -> None:
    """The system itself cuts writes short, after every 4,000 bytes of a file, and refuses larger ones: each refusal
    is a StorageError, the call can be repeated, and the run ends once the limit is gone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    run = tracker.start_run()
    errors = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
    try:
        for step in range(1000):
            errors += refusals_of(lambda step=step: tracker.log_metric("loss", 1 / (step + 1), step=step))
        errors += refusals_of(lambda: tracker.log_params({f"p{n}": "x" * 300 for n in range(10)}))
        for refused in (lambda: tracker.log_text("x" * 5000, "a.txt"), lambda: tracker.log_artifact(__file__)):
            with pytest.raises(StorageError, match="Could not"):
                refused()
        with pytest.raises(StorageError):
            tracker.end_run()
        assert tracker.active_run() is run
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    tracker.end_run()
    found = Found(store)
    (read,) = found.runs.values()
    assert found.histories[run.run_id].series["loss"].steps == list(range(1000))
    assert (read.file.status, len(read.file.params), found.unreadable()) == ("FINISHED", 10, [])
    assert [path for path in read.folder.rglob("*") if path.name.startswith(".new-")] == []
    assert errors > 10
    figure("R3", f"RLIMIT_FSIZE: {errors} writes cut short in 1,000 points: {errors} errors, 0 points lost, 0 twice")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of one megabyte, or None where nobody lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    yield place if mounted else None
    session.reset()
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


@contextlib.contextmanager
def full(place: Path | None) -> Iterator[None]:
    """The disk has no byte left; where there is no such disk, every operation is told so."""
    if place is None:
        with disk(Full(0, 1_000_000)):
            yield
        return
    ballast = place / "ballast"
    fd = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    for size in (1 << 16, 1 << 12, 1):
        with contextlib.suppress(OSError):
            while os.write(fd, b"x" * size):
                pass
    os.close(fd)
    yield
    ballast.unlink()


@pytest.mark.parametrize("on_error", ["raise", "warn"])
def test_a_real_disk_runs_full_and_is_freed(
    quick: None, tmp_path: Path, small_disk: Path | None, figure: Figure, monkeypatch: pytest.MonkeyPatch, on_error: str
) -> None:
    """A thousand points over a disk that is full for the middle third: with "raise" each refused call can be
    repeated later, with "warn" nothing is raised and everything is written when there is space."""
    monkeypatch.setenv("TRACKER_ON_ERROR", on_error)
    root = (small_disk or tmp_path) / "store"
    tracker.set_tracking_uri(root)
    waiting: list[int] = []

    def log(step: int) -> None:
        try:
            tracker.log_metric("loss", 1 / (step + 1), step=step)
        except StorageError as error:
            assert_clear(error)
            waiting.append(step)

    with warnings.catch_warnings(record=True) as told, tracker.start_run() as run:
        warnings.simplefilter("always")
        for step in range(300):
            log(step)
        with full(small_disk):
            for step in range(300, 700):
                log(step)
            if on_error == "warn":
                tracker.log_text("x" * 10_000, "lost.txt")
        refused = [*waiting]
        waiting.clear()
        for step in [*refused, *range(700, 1000)]:
            log(step)
    assert waiting == []
    assert bool(refused) == (on_error == "raise")
    assert len(told) == (2 if on_error == "warn" else 0)
    found = Found(root)
    assert found.histories[run.run_id].series["loss"].steps == list(range(1000))
    assert (found.runs[run.run_id].file.status, found.unreadable()) == ("FINISHED", [])
    where = "tmpfs of 1 MB" if small_disk else "no tmpfs allowed here, operations refused"
    figure("R3", f"{where}, full for 400 of 1,000 points, on_error={on_error}: 0 lost, {len(refused)} errors")


@pytest.mark.parametrize("first", range(1, 40, 3))
def test_a_training_lives_through_any_stretch_of_refusals(
    quick: None, store: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """With on_error="warn" no log call raises, whatever is refused meanwhile, and all records come later."""
    monkeypatch.setenv("TRACKER_ON_ERROR", "warn")
    with warnings.catch_warnings(), tracker.start_run() as run:
        warnings.simplefilter("ignore")
        with disk(Full(first, 60)):
            for step in range(100):
                tracker.log_metric("loss", 1.0, step=step)
                tracker.log_params({f"p{step}": step})
                tracker.set_tag(f"t{step}", step)
    found = tracker.get_run(run.run_id)
    assert (found.info.status, len(found.params)) == ("FINISHED", 100)
    assert [m.step for m in tracker.get_metric_history(run.run_id, "loss")] == list(range(100))
    assert len(found.data.tags) == 101


def test_the_heart_writes_what_waits(quick: None, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a full disk refused is written within seconds of there being space, without another log call."""
    monkeypatch.setenv("TRACKER_ON_ERROR", "warn")
    run = tracker.start_run()
    with disk(Full(0, 1000)), pytest.warns(UserWarning, match="Records wait in memory"):
        tracker.log_metric("loss", 0.5)
    assert tracker.get_run(run.run_id).data.metrics == {}
    for living in list(writer._living):
        living.beat()
    assert tracker.get_run(run.run_id).data.metrics == {"loss": 0.5}


def test_losses_are_told_loudly_at_the_end(
    quick: None, store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What could still not be written is counted in a last line on standard error, and the queue has a bound."""
    monkeypatch.setenv("TRACKER_ON_ERROR", "warn")
    monkeypatch.setattr(writer, "QUEUE_BYTES", 2000)
    run = tracker.start_run()
    tracker.log_metric("kept", 1.0)
    with disk(Full(0, 100_000)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in range(500):
            tracker.log_metric("lost", 1.0, step=step)
        tracker.end_run()
    assert f"tracker: 501 records of the run in {run.folder} are LOST: " in capfd.readouterr().err
    (read,) = reader.read_store(store, cache=False).runs()
    assert list(read.file.metrics) == ["kept"]


def test_what_was_told_to_be_lost_does_not_come_back(
    quick: None, store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A beat that comes just after the end opens no log again."""
    monkeypatch.setenv("TRACKER_ON_ERROR", "warn")
    run = tracker.start_run()
    (living,) = writer._living
    with disk(Full(0, 100_000)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tracker.log_metric("lost", 1.0)
        tracker.end_run()
    logs = set(run.folder.glob("log/*"))
    living.beat()
    assert "LOST" in capfd.readouterr().err
    assert set(run.folder.glob("log/*")) == logs and not writer._living


def test_an_end_that_fails_at_exit_is_told(tmp_path: Path) -> None:
    """A process that cannot end its runs says so, and its exit code stays what it was."""
    program = """
import errno, sys, tracker
from tracker import _io
tracker.set_tracking_uri(sys.argv[1])
tracker.start_run()
def full(operation, path, data):
    raise OSError(errno.ENOSPC, "No space left on device", path)
_io.fault = full
"""
    command = [sys.executable, "-c", program, str(tmp_path / "store")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0
    assert "could not be ended: Could not write to" in answer.stderr
    (read,) = reader.read_store(tmp_path / "store").runs()
    assert read.file.status == "KILLED"
