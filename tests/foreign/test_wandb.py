"""What W&B logged offline reads here as its own classes read it, and as the script logged it."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from tracker.artifact_files import list_artifacts
from tracker.exceptions import NotAStoreError
from tracker.foreign.importing import ImportReport, import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.wandb_log import START, read_log
from tracker.foreign.wandb_runs import WandbStore
from tracker.reader import ReadRun, read_environment, read_history, read_store
from tracker.snapshot import NOTE_TAG

from .frames import log_file, run_record, text_item
from .reading import write
from .sites import Record, check_site
from .wire import blob, varint

Imported = tuple[Path, dict[str, Any], ImportReport]
AXES = {"_step", "_timestamp", "_runtime"}


@pytest.fixture(scope="module")
def imported(by_wandb: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """The store, what W&B's classes say of its source, and the report of the import."""
    source, told = by_wandb
    store = tmp_path_factory.mktemp("imported") / "store"
    return store, told, import_store(source, store)


def runs_of(store: Path) -> dict[str, ReadRun]:
    """All runs by their id in W&B."""
    return {run.file.tags["wandb.id"]: run for run in read_store(store, cache=False).runs()}


def test_runs_and_projects_are_the_same(imported: Imported) -> None:
    """Each run is there, in an experiment of the name of its project, with its name and start."""
    store, told, report = imported
    found = runs_of(store)
    assert set(found) == set(told)
    assert report.runs_new == 5
    projects = {experiment.file.id: experiment.file.name for experiment in read_store(store, cache=False).experiments}
    for run_id, wanted in told.items():
        file = found[run_id].file
        assert projects[file.experiment_id] == (wanted["project"] or "uncategorized")
        assert (file.name, file.start_time) == (wanted["name"] or run_id, wanted["start"])
    assert read_store(store, cache=False).problems == ()


def test_every_number_of_the_history_is_the_same(imported: Imported) -> None:
    """Each number that W&B's classes find in a history is a point, with its step and time; no other is there."""
    store, told, report = imported
    count = 0
    for run_id, run in runs_of(store).items():
        series = read_history(run.folder).series
        wanted: dict[str, list[list[Any]]] = {}
        for step, row in told[run_id]["history"]:
            values = {".".join(path): json.loads(value) for path, value in row}
            time = math.floor(values["_timestamp"] * 1000 + 0.5)
            for key, value in values.items():
                if isinstance(value, int | float) and key not in AXES and not is_of_media(key, values):
                    wanted.setdefault(key, []).append([step, repr(float(value)), time])
        found = {
            key: [[step, repr(value), time] for step, value, time in zip(one.steps, one.values, one.times, strict=True)]
            for key, one in series.items()
        }
        assert {key: points for key, points in found.items() if key in wanted} == wanted
        only_in_summary = {"final", "nest.x", "best.max"} if run_id == "fullid" else set()
        system = {key for key in found if key.startswith("system/")}
        assert set(found) - set(wanted) == only_in_summary | system
        assert sum(len(found[key]) for key in system) <= told[run_id]["stats"]
        count += sum(map(len, found.values()))
    assert count == report.points > 800  # of the run that was killed, W&B itself kept some


def is_of_media(key: str, values: dict[str, Any]) -> bool:
    """Whether a number only describes a file or a histogram: its width, its size."""
    return any(f"{key.rpartition('.')[0]}.{name}" in values for name in ("_type", "path"))


def test_endings(imported: Imported) -> None:
    """An exit code says how a run ended; one that was killed is never said to have ended well."""
    store, told, _ = imported
    status = {run_id: run.file.status for run_id, run in runs_of(store).items()}
    killed = status.pop("killedid")
    assert killed in ("RUNNING", "STALE")
    assert status == {"fullid": "FINISHED", "failedid": "FAILED", "longid": "FINISHED", "otherid": "FINISHED"}
    assert {run_id: one["exit"] for run_id, one in told.items()} == {
        "fullid": 0, "failedid": 1, "longid": 0, "otherid": 0, "killedid": None,
    }  # fmt: skip


def test_config_tags_and_notes(imported: Imported) -> None:
    """The config is params, tags are tags, notes are the note; numbers of the summary alone are metrics."""
    file = runs_of(imported[0])["fullid"].file
    assert file.params == {
        "lr": 0.1, "model.layers": "[1, 2]", "model.depth": 3, "on": True, "none": None, "text": "x", "gone": 1,
        "deep.er.est": "y", "added": 5,
    }  # fmt: skip
    assert file.tags == {
        "tag.baseline": "true", "tag.größe": "true", "wandb.id": "fullid", "wandb.group": "sweep",
        "wandb.job_type": "train", NOTE_TAG: "A *note*.\nTwo lines.", "note": "bye", "verdict": "good",
    }  # fmt: skip
    assert (file.metrics["final"].last, file.metrics["nest.x"].last, file.metrics["best.max"].last) == (0.5, 1.0, 3.0)


def test_media_and_files_are_artifacts(imported: Imported, by_wandb: tuple[Path, dict[str, Any]]) -> None:
    """Images, tables, pages, saved files and the output are artifacts with the same bytes."""
    store, told, _ = imported
    run = runs_of(store)["fullid"]
    source = by_wandb[0] / told["fullid"]["folder"] / "files"
    found = {file.name: file.path.read_bytes() for file in list_artifacts(run.folder)}
    wanted = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
    del wanted["requirements.txt"]
    assert found == {name: path.read_bytes() for name, path in wanted.items()}
    kinds = sorted({name.split("/")[1] for name in found if name.startswith("media/")})
    assert kinds == ["html", "images", "table"]
    assert {"output.log", "saved.txt", "sub/deep.txt"} <= set(found)


def test_source_and_environment(imported: Imported) -> None:
    """Script, Python and packages are there; user, host and paths are not."""
    run = runs_of(imported[0])["fullid"]
    assert run.file.source is not None
    assert run.file.source.script == "wandb_logs.py"
    environment = read_environment(run.folder)
    assert environment is not None
    assert environment.python.startswith("3.")
    assert environment.command[0] == "wandb_logs.py"
    assert "wandb" in environment.packages
    host = imported[1]["fullid"]["host"]
    for path in run.folder.glob("*.json"):
        text = path.read_text()
        assert f'"{host}"' not in text
        assert str(Path(__file__).parent) not in text


def test_what_is_left_out_is_named_once_for_a_run(imported: Imported) -> None:
    """Histograms, lists and artifacts that lie elsewhere are told, and the torn end of the run that was killed."""
    by_run = {problem.path.split("/")[-1]: problem.message for problem in imported[2].problems}
    assert by_run["run-fullid.wandb"] == "has values that are not imported: artifacts (1), histogram (1), list (1)"
    assert set(by_run) <= {"run-fullid.wandb", "run-killedid.wandb"}


def test_again_is_unchanged(imported: Imported, by_wandb: tuple[Path, dict[str, Any]]) -> None:
    """A second import finds every run as it is."""
    again = import_store(by_wandb[0], imported[0])
    assert (again.runs_new, again.runs_updated, again.runs_unchanged) == (0, 0, 5)


def test_a_run_and_a_file_can_be_named(by_wandb: tuple[Path, dict[str, Any]]) -> None:
    """The folder of one run and its file are the same run as in the folder of all."""
    source, told = by_wandb
    folder = source / told["longid"]["folder"]
    ids = {run.tags["wandb.id"]: run.run_id for run in WandbStore(source).runs()}
    for place in (folder, folder / "run-longid.wandb"):
        foreign = open_foreign(place)
        assert foreign.kind == "W&B runs"
        assert [run.run_id for run in foreign.runs()] == [ids["longid"]]


def test_a_run_that_was_resumed_is_one(tmp_path: Path) -> None:
    """Two folders of one id and project are one run with the points of both, as it ended the second time."""
    root = tmp_path / "wandb"
    for number, code in ((1, 1), (2, 0)):
        steps = (history(number * 10 + step, [text_item("loss", "0.5")]) for step in range(3))
        exit_record = blob(18, b"\x08" + varint(code))
        folder = root / f"offline-run-2026112{number}_000000-abc"
        log_file(folder / "run-abc.wandb", run_record("abc", "p"), *steps, exit_record)
        (folder / "files").mkdir()
        (folder / "files" / "output.log").write_text(str(number))
    (run,) = WandbStore(root).runs()
    assert (run.status, run.series["loss"].steps) == ("FINISHED", [10, 11, 12, 20, 21, 22])
    assert set(run.files) == {"output.log", "output-2.log"}


def history(step: int, items: list[bytes]) -> bytes:
    """A record of a step."""
    return blob(2, b"".join(blob(1, item) for item in items) + blob(2, b"\x08" + varint(step)))


def test_the_form_of_older_versions_is_read(tmp_path: Path) -> None:
    """Keys that are no lists, facts in wandb-metadata.json, and what was printed where there is no file of it."""
    folder = tmp_path / "run-20200101_000000-old"
    nested = text_item("nested", '{"a": {"b": 2}, "plot": {"_type": "histogram", "bins": [1]}}')
    log_file(
        folder / "run-old.wandb",
        run_record("old", ""),
        history(3, [nested, text_item("_timestamp", "1600000000.5")]),
        blob(5, blob(1, text_item("a", "[1]"))),
        blob(5, blob(2, text_item("a", ""))),
        blob(13, blob(3, b"one\n")),
        blob(13, blob(3, b"two\n")),
    )
    files = folder / "files"
    files.mkdir()
    (files / "wandb-metadata.json").write_text(
        json.dumps(
            {
                "os": "Linux-5.4.0-generic-x86_64-with-glibc2.31", "python": "3.8.5", "host": "eves-laptop",
                "username": "eve", "email": "eve@example.org", "executable": "/home/eve/bin/python",
                "program": "/home/eve/src/train.py", "codePath": "src/train.py", "args": ["--token", "abc", "--lr=1"],
                "git": {"remote": "https://eve:pw@github.com/eve/x.git", "commit": "a" * 40},
            }
        )
    )  # fmt: skip
    (files / "requirements.txt").write_text("numpy==1.19.5\n-e git+x\n")
    (files / "code.py").symlink_to("/etc/hostname")
    store = tmp_path / "store"
    report = import_store(folder, store)
    (run,) = read_store(store, cache=False).runs()
    assert {key: (one.last, one.last_step, one.last_time) for key, one in run.file.metrics.items()} == {
        "nested.a.b": (2.0, 3, 1_600_000_000_500)
    }
    assert (run.file.params, run.file.name, run.file.status) == ({}, "old", "STALE")
    assert run.file.source is not None
    assert (run.file.source.script, run.file.source.remote) == ("src/train.py", "https://github.com/eve/x")
    environment = read_environment(run.folder)
    assert environment is not None
    assert (environment.python, environment.platform) == ("3.8.5", "Linux x86_64")
    assert environment.command == ["src/train.py", "--token", "***", "--lr=1"]
    assert environment.packages == {"numpy": "1.19.5"}
    assert [file.name for file in list_artifacts(run.folder)] == ["output.log"]
    assert (run.folder / "artifacts" / "output.log").read_text() == "one\ntwo\n"
    everything = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert not any(word in everything for word in (b"laptop", b"example.org", b"/home", b"pw@"))
    assert {problem.path for problem in report.problems} == {"run-old.wandb", "files/code.py"}


def test_halves_of_pairs(tmp_path: Path) -> None:
    """Texts of JSON that have no UTF-8 form, as an escape can make them, end no import."""
    folder = tmp_path / "wandb" / "offline-run-20240101_000000-abc"
    log_file(folder / "run-abc.wandb", run_record("abc", "p"), history(0, [text_item("a", '"\\ud800"')]))
    half = "\ud800"
    facts = {"codePath": f"{half}.py", "cpu": {"model": half}, "git": {"commit": half}, "gpu_nvidia": [{"name": half}]}
    write(folder, {"files/wandb-metadata.json": json.dumps(facts)})
    report = import_store(tmp_path / "wandb", tmp_path / "store")
    assert report.runs_new == 1
    (run,) = read_store(tmp_path / "store", cache=False).runs()
    assert run.file.source is not None and run.file.source.commit == "\\ud800"


def test_records_across_blocks_are_whole(tmp_path: Path) -> None:
    """Records of every length around the size of a block come back, wherever they begin in one."""
    records = [bytes([65 + number % 26]) * size for number, size in enumerate(SIZES)]
    path = log_file(tmp_path / "run-x.wandb", *records)
    told: list[object] = []
    assert [data for _, data in read_log(path, lambda *what: told.append(what))] == records
    assert told == []


SIZES = [1, 32_740, 32_747, 32_754, 32_760, 32_761, 32_768, 6, 0, 100_000, 65_500, *range(32_730, 32_770, 3)]


def test_values_that_are_no_json_cost_their_record_alone(tmp_path: Path) -> None:
    """A value that is no JSON is told with its place, and the steps around it are there."""
    steps = [
        history(step, [text_item("loss", "x" if step == 1 else "[" * 10_000 if step == 2 else "1")])
        for step in range(4)
    ]
    log_file(tmp_path / "run-a.wandb", run_record("a", "p"), *steps)
    store = WandbStore(tmp_path)
    (run,) = store.runs()
    assert run.series["loss"].steps == [0, 3]
    assert ["no JSON" in problem.message for problem in store.problems] == [True, True]


def test_a_file_without_a_record_is_told(tmp_path: Path) -> None:
    """A run that was killed before its first record is named, and the others are read."""
    log_file(tmp_path / "offline-run-20261121_000000-abc" / "run-abc.wandb", run_record("abc", "p"))
    write(tmp_path, {"offline-run-20261122_000000-bcd/run-bcd.wandb": START})
    report = import_store(tmp_path, tmp_path.with_name("store"))
    assert report.runs_new == 1
    assert [(problem.path, problem.message) for problem in report.problems] == [
        ("offline-run-20261122_000000-bcd/run-bcd.wandb", "holds no run")
    ]


def test_the_kind_is_seen(by_wandb: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """A folder of runs is known by the content of their files."""
    assert open_foreign(by_wandb[0]).kind == "W&B runs"
    (tmp_path / "run-x.wandb").write_bytes(START[:3])
    with pytest.raises(NotAStoreError, match="no store of a known kind"):
        open_foreign(tmp_path)
    shutil.copy(by_wandb[0] / by_wandb[1]["otherid"]["folder"] / "run-otherid.wandb", tmp_path / "run-x.wandb")
    assert open_foreign(tmp_path).kind == "W&B runs"


def test_its_site(by_wandb: tuple[Path, dict[str, Any]], tmp_path: Path, record_property: Record) -> None:
    """`tracker build` shows every run of W&B's, and a second build writes nothing."""
    check_site(by_wandb[0], tmp_path, "W&B", record_property)
