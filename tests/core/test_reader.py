"""What a reader makes of a store: the truth of the logs, problems by name, and never an exception for content."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

import tracker
from tests.conftest import Clock
from tracker import index, reader, writer

from .processes import fork, in_child, wait


def make_run(name: str = "run", points: int = 3) -> Path:
    """Log a run; returns its folder."""
    with tracker.start_run(run_name=name) as run:
        tracker.log_param("name", name)
        for step in range(points):
            tracker.log_metric("loss", 1 / (step + 1), step=step)
    return run.folder


def only_log(folder: Path) -> Path:
    """The one log file of a run."""
    (log,) = (folder / "log").glob("*.jsonl")
    return log


def read(store: Path) -> reader.ReadStore:
    """The store as somebody new reads it."""
    return reader.read_store(store, cache=False)


def listing(store: Path) -> dict[str, tuple[int, int, int]]:
    """Everything in a folder with sizes, times and numbers, to see whether it was touched."""
    return {
        str(path.relative_to(store)): (info.st_size, info.st_mtime_ns, info.st_ino)
        for path in sorted(store.rglob("*"))
        if (info := path.lstat())
    }


def test_experiments_and_runs_are_listed(store: Path) -> None:
    """Runs newest first, with slug, folder and no problems."""
    folders = [make_run(f"run {n}") for n in range(3)]
    found = read(store)
    assert [run.folder for run in found.runs()] == folders[::-1]
    assert (found.problems, found.experiments[0].slug) == ((), "default")
    assert found.experiment_named("Default") is found.experiments[0]


def test_reading_changes_nothing(store: Path) -> None:
    """Not a byte, not a time, with the index and without it."""
    make_run()
    before = listing(store)
    for cache in (False, True, True):
        reader.read_store(store, cache=cache)
    assert listing(store) == before


# Logs


@pytest.mark.skipif(os.name == "nt", reason="needs fork")
def test_an_incomplete_last_line_is_left_out_and_named(store: Path) -> None:
    """Once its writer is gone; the lines before it count."""

    def work() -> None:
        run = tracker.start_run()
        tracker.log_metric("loss", 1.0)
        with only_log(run.folder).open("a") as log:
            log.write('{"metric":"loss","va')
        os._exit(9)

    wait(fork(work))
    (run,) = read(store).runs()
    assert (run.file.status, run.file.metrics["loss"].count) == ("KILLED", 1)
    (problem,) = read(store).problems
    assert (problem.line, problem.run_id) == (3, run.file.run_id)
    assert problem.path == f"experiments/default/runs/{run.file.run_id}/log/{only_log(run.folder).name}"
    assert "is incomplete" in problem.message


def test_an_incomplete_line_of_a_living_writer_is_no_problem(store: Path) -> None:
    """It may just be in the making."""
    run = tracker.start_run()
    with only_log(run.folder).open("a") as log:
        log.write('{"metric":"loss","va')
    assert read(store).problems == ()


@pytest.mark.parametrize(
    "line",
    [
        *("", "{}", "[]", "null", "text", '{"metric":"m"}', '{"metric":"m","value":"x"}', '{"metric":3,"value":1}'),
        *('{"metric":"m","value":1,"step":1.5}', '{"metric":"m","value":1,"step":"1"}', '{"metrik":"m","value":1}'),
        *('{"param":"p","value":[1]}', '{"param":"p","value":{"float":"x"}}', '{"tag":"t","value":1,"time":"x"}'),
        *('{"end":"DONE"}', "[" * 100_000, '{"metric":"m","value":' + "9" * 400 + "}", '{"metric":"m","value":1e999}'),
        *("\0" * 50, '{"metric":"m","value":NaN}', '{"writer":7}', '{"metric":"\\ud800","value":1}'),
    ],
    ids=lambda line: line[:30].replace("\0", "NUL"),
)
def test_a_line_that_is_no_record_is_named_and_passed_over(store: Path, line: str) -> None:
    """With its number; the lines around it count."""
    folder = make_run(points=2)
    lines = only_log(folder).read_text().splitlines()
    lines.insert(3, line)
    only_log(folder).write_text("\n".join(lines) + "\n")
    (run,) = read(store).runs()
    assert (run.file.metrics["loss"].count, run.file.status) == (2, "FINISHED")
    problems = [*read(store).problems, *reader.read_history(folder).problems]
    if line:
        assert 4 in [problem.line for problem in problems]


def test_bytes_that_are_no_text_are_named(store: Path) -> None:
    """The line is passed over."""
    folder = make_run()
    data = only_log(folder).read_bytes().replace(b"loss", b"lo\xffs", 1)
    only_log(folder).write_bytes(data)
    history = reader.read_history(folder)
    assert (len(history.series["loss"]), history.problems[0].line) == (2, 3)


def test_at_most_twenty_problems_of_a_file_are_listed(store: Path) -> None:
    """The others are counted."""
    folder = make_run()
    with only_log(folder).open("a") as log:
        log.write("damage\n" * 1000)
    messages = [problem.message for problem in reader.read_history(folder).problems]
    assert (len(messages), messages[-1]) == (21, "has 980 more problems of this kind")


def test_a_log_that_lost_bytes_is_named_and_the_run_stays_finished(store: Path) -> None:
    """Cut at the end of a line, emptied, or gone: a snapshot knows better, and says so."""
    folder = make_run(points=50)
    log = only_log(folder)
    whole = log.read_bytes()
    lines = whole.splitlines(keepends=True)
    for data in (b"".join(lines[:20]), b"", None):
        log.unlink() if data is None else log.write_bytes(data)
        found = read(store)
        (run,) = found.runs()
        assert (run.file.status, run.file.name, run.file.params) == ("FINISHED", "run", {"name": "run"})
        missing = len(whole) - len(data or b"")
        assert f"lost {missing:,} of its bytes" in [problem.message for problem in found.problems]


def test_the_first_line_of_a_run_is_damaged(store: Path) -> None:
    """Then run.json says how the run ended, and the log what it logged."""
    folder = make_run()
    log = only_log(folder)
    log.write_bytes(b"X" + log.read_bytes())
    found = read(store)
    (run,) = found.runs()
    assert (run.file.status, run.file.metrics["loss"].count, len(found.problems)) == ("FINISHED", 3, 1)


def test_a_sparse_giant_in_place_of_a_log_is_not_read_through(store: Path) -> None:
    """A terabyte of nothing is given up after a few megabytes."""
    folder = make_run()
    with only_log(folder).open("ab") as log:
        log.truncate(1 << 40)
    assert any("read no further" in problem.message for problem in read(store).problems)


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
@pytest.mark.parametrize("place", ["run.json", "log/x.jsonl", "environment.json", "log"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "file"])
def test_only_regular_files_are_read(store: Path, tmp_path: Path, place: str, kind: str) -> None:
    """A link, pipe or folder in the place of a file is named, and neither followed nor waited for."""
    folder = make_run()
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "x.jsonl").write_text('{"param":"secret","value":1,"time":1}\n')
    only_log(folder).rename(folder / "log" / "x.jsonl")
    path = folder / place
    shutil.rmtree(path) if place == "log" else path.unlink(missing_ok=True)
    make = {
        "link": lambda: path.symlink_to(secret if place == "log" else secret / "x.jsonl"),
        "pipe": lambda: os.mkfifo(path),
        "folder": lambda: path.mkdir(),
        "file": lambda: path.write_text("text\n"),
    }
    make[kind]()
    found = read(store)
    (run,) = found.runs()
    assert "secret" not in run.file.params
    assert reader.read_environment(folder) is None
    if place != "environment.json":
        assert any(place in problem.path for problem in found.problems)


@pytest.mark.skipif(os.name == "nt", reason="needs links")
@pytest.mark.parametrize("part", ["experiments", "experiments/default", "experiments/default/runs"])
def test_no_folder_is_followed_through_a_link(store: Path, tmp_path: Path, part: str) -> None:
    """What lies behind a link is not part of the store: it is neither listed nor found by its id."""
    folder = make_run()
    (store / part).rename(tmp_path / "elsewhere")
    (store / part).symlink_to(tmp_path / "elsewhere")
    assert list(read(store).runs()) == []
    with pytest.raises(tracker.TrackerError, match="There is no run"):
        reader.read_run(store, folder.name)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes names of any bytes")
def test_names_that_are_no_text_are_passed_over(store: Path) -> None:
    """A folder or file whose name has no UTF-8 is not ours; the listing and its index work."""
    folder = make_run()
    for place in (store / "experiments", folder.parent, folder / "log"):
        os.mkdir(os.fsencode(place) + b"/\xff.jsonl")  # noqa: PTH102
    assert len(list(reader.read_store(store).runs())) == 1
    assert len(list(reader.read_store(store).runs())) == 1


# run.json


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("schema", 2), ("schema", "1"), ("run_id", "0" * 32), ("run_id", 3), ("name", None), ("status", "DONE")),
        *(("start_time", -1), ("start_time", 10**18), ("end_time", 10**16), ("start_time", 1.5), ("params", [])),
        *(("params", {"p": [1]}), ("params", {"p": {"a": 1}}), ("tags", {"t": 1}), ("metrics", {"m": {}})),
        *(("metrics", 3), ("logs", {"x": 1}), ("source", "x"), ("process", 7), ("experiment_id", {})),
    ],
)
def test_a_damaged_identity_leaves_what_the_logs_know(store: Path, field: str, value: object) -> None:
    """A wrong type or an impossible value is named; params, points and the status come from the logs."""
    folder = make_run()
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**content, field: value}))
    found = read(store)
    (run,) = found.runs()
    assert run.file.run_id == folder.name
    assert (run.file.params, run.file.metrics["loss"].count, run.file.status) == ({"name": "run"}, 3, "FINISHED")
    assert [(p.path.rpartition("/")[2], p.run_id) for p in found.problems] == [("run.json", folder.name)]


def test_unknown_fields_are_ignored(store: Path) -> None:
    """A newer tracker of the same schema may add fields to any file and record."""
    folder = make_run()
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**content, "new": {"a": [1]}}))
    log = only_log(folder)
    log.write_text(log.read_text().replace('"step":1', '"new":[1],"step":1'))
    found = read(store)
    (run,) = found.runs()
    assert (found.problems, run.file.metrics["loss"].count) == ((), 3)


# Status


def rewrite_owner(folder: Path, **process: object) -> None:
    """Pretend that another process wrote the run, and that it did not say goodbye."""
    log = only_log(folder)
    first, *rest = log.read_text().splitlines()
    header = json.loads(first)
    header["process"].update(process)
    log.write_text("\n".join([json.dumps(header), *rest[:-1]]) + "\n")
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**content, "status": "RUNNING", "end_time": None, "logs": {}}))


def test_a_run_on_another_machine_is_running_while_its_log_is_touched(store: Path, clock: Clock) -> None:
    """After 90 seconds without a heartbeat it is STALE, and its last record is its end."""
    folder = make_run()
    rewrite_owner(folder, machine="elsewhere")
    for age, status in ((0, "RUNNING"), (89, "RUNNING"), (91, "STALE")):
        os.utime(only_log(folder), (clock.now / 1000 - age,) * 2)
        (run,) = read(store).runs()
        assert run.file.status == status
    assert run.file.end_time is not None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell when a process began")
@pytest.mark.parametrize(
    ("process", "status"), [({"pid": 2**22 + 1}, "KILLED"), ({"started": 1}, "KILLED"), ({}, "RUNNING")]
)
def test_on_the_same_machine_the_process_decides(store: Path, process: dict[str, object], status: str) -> None:
    """One that is gone, or whose number another process has now, was killed."""
    folder = make_run()
    rewrite_owner(folder, **process)
    (run,) = read(store).runs()
    assert run.file.status == status


def test_the_heart_shows_that_a_run_lives(store: Path) -> None:
    """It touches the log of each open run, and stops with the run."""
    run = tracker.start_run()
    log = only_log(run.folder)
    os.utime(log, (0, 0))
    for living in list(writer._living):
        living.beat()
    assert log.stat().st_mtime > 0
    tracker.end_run()
    assert not writer._living


# Digest and index


def test_a_digest_changes_with_what_a_page_shows(store: Path) -> None:
    """With each point of a living run and with its end, but neither with time nor by copying the store."""
    run = tracker.start_run()
    seen = [reader.read_run(store, run.run_id).digest]
    for step in range(3):
        tracker.log_metric("loss", 1.0, step=step)
        seen.append(reader.read_run(store, run.run_id).digest)
    tracker.end_run()
    seen.append(reader.read_run(store, run.run_id).digest)
    assert len(set(seen)) == len(seen)
    shutil.copytree(store, store.with_name("copy"))
    assert reader.read_run(store.with_name("copy"), run.run_id).digest == seen[-1]


def test_the_index_lies_outside_of_the_store_and_can_be_deleted(store: Path) -> None:
    """With it, without it, and with a damaged one a listing says the same."""
    make_run("a")
    first = reader.read_store(store)
    file = index.index_file(store)
    assert file.is_file() and not file.is_relative_to(store)
    for damage in (b"", b"\x00", b"\xc1" * 100, file.read_bytes()[:-20], b"\x91" * 200_000):
        file.write_bytes(damage)
        assert reader.read_store(store) == first
    assert reader.read_store(store) == first == reader.read_store(store, cache=False)


def test_the_index_notices_every_change(store: Path) -> None:
    """A new run, an end, a resume, an edit of run.json, a deletion, a restored run."""
    run = tracker.start_run(run_name="a")

    def same() -> None:
        assert reader.read_store(store) == reader.read_store(store, cache=False)

    same()
    tracker.log_metric("loss", 1.0)
    same()
    tracker.end_run()
    same()
    with tracker.start_run(run_id=run.run_id):
        same()
    same()
    file = run.folder / "run.json"
    file.write_text(file.read_text().replace('"a"', '"renamed"'))
    same()
    make_run("b")
    tracker.delete_run(run.run_id)
    same()
    tracker.restore_run(run.run_id)
    same()
    assert sorted(run.file.name for run in reader.read_store(store).runs()) == ["b", "renamed"]


def test_a_param_beyond_64_bits_does_not_break_the_index(store: Path) -> None:
    """Its run is read anew each time; the others come from the index."""
    make_run()
    with tracker.start_run():
        tracker.log_param("huge", 2**70)
    for _ in range(2):
        assert [run.file.params.get("huge") for run in reader.read_store(store).runs()] == [2**70, None]
    assert index.index_file(store).is_file()


def test_a_cache_that_cannot_be_written_is_no_error(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything works without it."""
    make_run()
    (store.parent / "file").write_text("")
    monkeypatch.setenv("TRACKER_CACHE", str(store.parent / "file" / "cache"))
    assert len(list(reader.read_store(store).runs())) == 1
    in_child(lambda: reader.read_store(store)) if os.name != "nt" else None
