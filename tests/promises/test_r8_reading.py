"""R8: reading never changes a store, needs no right to write to it, and never gets in the way of writers."""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import tracker
from site_builder.build import build
from site_builder.stage import stage
from tests.core.processes import fork, in_child, wait
from tracker import reader
from tracker.cli import main

from .built import points_of
from .conftest import Figure
from .listing import contents, listing

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.skipif(os.name == "nt", reason="needs fork and rights")]

NOBODY = 65534
WRITERS = 8
SECONDS = 4
POINTS = 50
CHANGES = {f"os.{name}" for name in "mkdir rename remove rmdir link symlink truncate chmod chown utime".split()}


@pytest.fixture
def anywhere() -> Iterator[Path]:
    """A folder that other users may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="tracker-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def fill() -> None:
    """Two experiments with ended runs, one that was killed, one whose log is torn, and one in the trash."""
    for number in range(6):
        tracker.set_experiment(f"e{number % 2}", description="# It", goal={"loss": "minimize"})
        with tracker.start_run(run_name=f"run {number}") as run:
            work(number)
    tracker.delete_run(run.run_id)
    in_child(lambda: (tracker.start_run(run_name="killed"), work(7), os._exit(0)))
    with tracker.start_run(run_name="torn") as run:
        work(8)
    with next(run.folder.glob("log/*")).open("a") as log:
        log.write('{"metric":"loss","va')


def work(number: int) -> None:
    """What a script logs."""
    tracker.log_params({"lr": 0.1 / (number + 1), "opt": "adam", "none": None})
    for step in range(POINTS):
        tracker.log_metric("loss", 1 / (step + 1), step=step)
    tracker.set_tag("team", "a")
    tracker.log_text("x,y\n1,2\n", "t.csv")
    tracker.log_dict({"a": [1]}, "deep/er/c.json")


def readings(store: Path, out: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every way to read a store."""
    tracker.set_tracking_uri(store)
    runs = list(reader.read_store(store, cache=False).runs())
    run = next(run.file.run_id for run in runs if run.file.name == "run 0")
    yield "a listing", lambda: reader.read_store(store, cache=False)
    yield "a listing with its index", lambda: reader.read_store(store)
    yield "the same again", lambda: reader.read_store(store)
    yield "histories", lambda: [reader.read_history(found.folder) for found in runs]
    yield "the trash", lambda: list(reader.read_trash(store))
    yield "a query", lambda: tracker.search_runs(search_all_experiments=True, filter_string="params.lr > 0")
    yield "all of it", lambda: tracker.search_runs(run_view_type=3, output_format="list", order_by=["metrics.loss"])
    yield "experiments", lambda: (tracker.search_experiments(), tracker.get_experiment_by_name("no such"))
    yield "one run", lambda: (tracker.get_run(run).data.metrics, tracker.get_metric_history(run, "loss"))
    for command in (["list"], ["show", run], ["compare", run, "run 1"], ["experiments"], ["list", "--json"]):
        yield f"tracker {command[0]}", lambda command=command: run_command(*command, "-s", store)
    yield "a build", lambda: build(store, out / "site")
    yield "an incremental build", lambda: build(store, out / "site")
    yield "a staged tree", lambda: stage(store, out / "stage")


def run_command(*arguments: object) -> None:
    """A command line that has to succeed."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_reading_changes_nothing(store: Path, tmp_path: Path, figure: Figure) -> None:
    """No file or folder of a store is written, touched, renamed, linked or made by any way to read it."""
    fill()
    before = listing(store)
    count = 0
    for what, read in readings(store, tmp_path / "out"):
        read()
        count += 1
        assert listing(store) == before, what
    figure(
        "R8", f"{count} ways to read a store of {len(before)} files and folders: 0 changes, times and inodes included"
    )


def test_reading_makes_no_store(tmp_path: Path) -> None:
    """Looking into an empty folder leaves it empty, and a missing one missing."""
    (tmp_path / "empty").mkdir()
    before = listing(tmp_path)
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        tracker.set_tracking_uri(folder)
        assert tracker.get_experiment_by_name("x") is None
        with pytest.raises(tracker.TrackerError, match=str(folder)):
            build(folder, tmp_path / "site")
    assert listing(tmp_path) == before


def test_anybody_can_read(anywhere: Path, figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without the right to write anything near a store lists it, searches it, and builds its site."""
    tracker.set_tracking_uri(store := anywhere / "store")
    fill()
    (mine := anywhere / "mine").mkdir()
    mine.chmod(0o777)
    monkeypatch.setenv("TRACKER_CACHE", str(anywhere / "cache"))
    build(store, anywhere / "site")  # loads what builds need, since not everybody may read where Python lies
    expected = sorted(run.file.run_id for run in reader.read_store(store).runs())
    before = contents(store)

    def read() -> None:
        become_nobody()
        for cache in (anywhere / "cache", anywhere / "no" / "cache"):
            os.environ["TRACKER_CACHE"] = str(cache)
            for _, reading in readings(store, mine / cache.parent.name):
                reading()
            found = mine.glob(f"{cache.parent.name}/site/runs/*/index.html")
            assert sorted(path.parent.name for path in found) == expected
        assert not can_write(store) and not can_write(store / "experiments"), "the test proves nothing"

    rights = close(anywhere, but=mine)
    try:
        in_child(read)
    finally:
        for path, mode in rights.items():
            path.chmod(mode)
    assert contents(store) == before
    figure("R8", f"a store and a cache of {len(expected)} runs that the reader may not write to: 0 errors")


def become_nobody() -> None:
    """Give up the rights of root, for which rights of files count for nothing."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def close(folder: Path, *, but: Path) -> dict[Path, int]:
    """Take away the right to write from everything below a folder, one part apart; returns how it was."""
    rights = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*")) if path != but}
    for path, mode in rights.items():
        path.chmod(mode & ~0o222)
    return rights


def can_write(folder: Path) -> bool:
    """Whether this process can make a file there."""
    try:
        (folder / "mine").touch()
    except OSError:
        return False
    return True


def test_readers_and_writers_do_not_meet(anywhere: Path, figure: Figure) -> None:
    """While others log, a reader without rights sees no problem, tries no change, and no run or point goes away."""
    tracker.set_tracking_uri(store := anywhere / "store")
    with tracker.start_run(run_name="first"):
        tracker.log_metric("loss", 1.0)
    build(store, anywhere / "warm")
    (mine := anywhere / "mine").mkdir()
    mine.chmod(0o777)
    until = time.monotonic() + SECONDS
    watch = fork(lambda: look(store, mine, until))
    notes = [anywhere / f"{number}.json" for number in range(WRITERS)]
    assert wait(watch, *(fork(lambda note=note: write(until, note)) for note in notes)) == [0] * (WRITERS + 1)
    written = {run: points for note in notes for run, points in json.loads(note.read_text()).items()}
    runs = {run.file.run_id: run for run in reader.read_store(store, cache=False).runs() if run.file.name != "first"}
    assert {run_id: points_logged(run) for run_id, run in runs.items()} == written
    assert {run.file.status for run in runs.values()} == {"FINISHED"}
    rounds, seen = json.loads((mine / "note.json").read_text())
    assert rounds >= 2
    figure(
        "R8", f"{rounds} listings and builds under {WRITERS} writers of {len(written)} runs: 0 errors on either side, "
        f"0 changes tried by the reader, {seen:,} points seen and none ever missing again"
    )  # fmt: skip


def write(until: float, note: Path) -> None:
    """Log runs, and note what was logged."""
    logged = {}
    while time.monotonic() < until:
        with tracker.start_run() as run:
            for step in range(POINTS):
                tracker.log_metric("loss", 1 / (step + 1), step=step)
                time.sleep(0.002)
            tracker.log_text("x,y\n1,2\n", "t.csv")
        logged[run.run_id] = POINTS
    note.write_text(json.dumps(logged))


def look(store: Path, mine: Path, until: float) -> None:
    """List, read and build again and again; each time with all that was there before."""
    become_nobody()
    refuse_changes(store)
    os.environ["TRACKER_CACHE"] = str(mine / "cache")
    listed: dict[str, int] = {}
    built: dict[str, int] = {}
    rounds = 0
    while time.monotonic() < until or rounds < 2:
        found = reader.read_store(store)
        assert found.problems == ()
        listed = grown(listed, {run.file.run_id: points_logged(run) for run in found.runs()})
        assert build(store, mine / "site").problems == ()
        built = grown(built, points_of(mine / "site"))
        grown(listed, built)
        rounds += 1
    (mine / "note.json").write_text(json.dumps((rounds, sum(built.values()))))


def refuse_changes(store: Path) -> None:
    """From now on this process fails when it tries to change anything in the store, whether it may or not."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event in CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES)
        if writes and any(inside(path) for path in arguments[:2]):
            raise AssertionError(f"{event} {arguments} while reading")

    def inside(path: object) -> bool:
        return isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(str(store))

    sys.addaudithook(hook)


WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def points_logged(run: reader.ReadRun) -> int:
    """Points of all metrics of a run."""
    return sum(metric.count for metric in run.file.metrics.values())


def grown(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    """What is there now, which must be all that was there before, or more."""
    assert {run: points for run, points in before.items() if now.get(run, -1) < points} == {}
    return now
