"""What Trackio wrote reads here as its own API reads it; old databases, damage and paths that lead out by hand."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.environments import run_there
from tracker import layout
from tracker.artifact_files import list_artifacts
from tracker.exceptions import InvalidValueError, NotAStoreError
from tracker.foreign.importing import ImportReport, import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.records import ForeignRun, derived_id
from tracker.foreign.trackio import TrackioStore
from tracker.reader import ReadRun, read_history, read_store

from .hand_db import MlflowDb
from .sites import Record, check_site

WRITER = Path(__file__).with_name("trackio_store.py")
Written = tuple[Path, dict[str, Any]]
Imported = tuple[Path, dict[str, Any], ImportReport]
NOW = "2024-05-01T12:00:00.250000+00:00"
NOW_MS = 1_714_564_800_250
OLD = """
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT NOT NULL, run_name TEXT NOT NULL,
    step INTEGER NOT NULL, metrics TEXT NOT NULL);
CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_name TEXT NOT NULL, config TEXT NOT NULL,
    created_at TEXT NOT NULL, UNIQUE(run_name));
"""
"""What Trackio had before 0.24, which knew runs by name only."""


@pytest.fixture(scope="module", params=["sqlite", "jsonl"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The folder that Trackio wrote into a database or into lines that wait for one, and what its API returns."""
    place = tmp_path_factory.mktemp("by-trackio")
    folders = {"TRACKIO_DIR": str(place / "live" / "trackio"), "TRACKIO_STORAGE_MODE": request.param}
    told: dict[str, Any] = run_there("peers", WRITER, place / "copy", folder=place, **folders)
    assert any((place / "copy").glob("*.db")) == (request.param == "sqlite")
    return place / "copy", told


@pytest.fixture(scope="module")
def imported(written: Written, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """The store, what Trackio says of its source, and the report of the import."""
    store = tmp_path_factory.mktemp("imported") / "runs"
    return store, written[1], import_store(written[0], store)


def runs_of(store: Path) -> dict[str, ReadRun]:
    """All runs by id."""
    return {run.file.run_id: run for run in read_store(store, cache=False).runs()}


def numbers(logs: list[dict[str, Any]]) -> Iterator[tuple[str, int, str]]:
    """Name, step and value of every number in the rows of Trackio, those in nested dicts too."""
    for number, row in enumerate(logs):
        step = row.get("step", number)
        waiting = [(key, value) for key, value in row.items() if key not in ("step", "timestamp")]
        for key, value in waiting:
            if isinstance(value, int | float):
                yield key, step, repr(float(value))
            elif isinstance(value, dict) and "_type" not in value:
                waiting += [(f"{key}.{name}", inner) for name, inner in value.items()]


def test_nothing_is_a_problem(imported: Imported) -> None:
    """Every run that Trackio lists is imported, into an experiment for each project."""
    store, told, report = imported
    assert (report.kind, report.problems, report.runs_new) == ("Trackio", (), len(told["runs"]))
    assert read_store(store, cache=False).problems == ()
    names = {one.file.id: one.file.name for one in read_store(store, cache=False).experiments}
    for wanted in told["runs"]:
        run = runs_of(store)[wanted["run_id"]]
        assert (run.file.name, names[run.file.experiment_id]) == (wanted["name"], wanted["project"])
        assert run.file.status == "RUNNING"  # it began a moment ago, and nothing says that it ended


def test_every_point_is_the_same(imported: Imported) -> None:
    """Each number that was logged is a point with its step; figures of the machine are below system/."""
    store, told, report = imported
    count = 0
    for wanted in told["runs"]:
        series = read_history(runs_of(store)[wanted["run_id"]].folder).series
        system = [(f"system/{key}", step, value) for key, step, value in numbers(wanted["system"])]
        expected = sorted([*numbers(wanted["logs"]), *system])
        found = [
            (key, step, repr(value))
            for key, one in series.items()
            for step, value in zip(one.steps, one.values, strict=True)
        ]
        assert sorted(found) == expected
        count += len(expected)
    assert report.points == count == 31
    first = read_history(runs_of(store)[told["runs"][0]["run_id"]].folder).series
    assert first["loss/train"].values[-2:] == [0.01, 0.02]
    times = {row["timestamp"] for row in told["runs"][0]["logs"]}
    assert len(set(first["loss/train"].times)) == len(times)


def test_configurations_are_params(imported: Imported) -> None:
    """Nested ones have dotted names as tracker gives them; who ran it is nowhere."""
    store, told, _ = imported
    first = runs_of(store)[told["runs"][0]["run_id"]].file
    assert math.isnan(first.params.pop("nan"))  # type: ignore[arg-type]
    assert first.params == {
        "lr": 0.1,
        "optimizer.name": "adam",
        "optimizer.betas": "[0.9, 0.999]",
        "optimizer.decay.rate": 1,
        "none": None,
        "on": True,
        "text": "精度",
        "empty": "{}",
    }
    assert first.tags == {"trackio.group": "sweep"}
    assert all(not key.startswith("_") for run in runs_of(store).values() for key in run.file.params)


def test_files_are_artifacts(imported: Imported, written: Written) -> None:
    """Images, pages, tables, texts, histograms, alerts and the files of artifacts come over."""
    store, told, report = imported
    wanted = told["runs"][0]
    run = runs_of(store)[wanted["run_id"]]
    found = {file.name: file.path for file in list_artifacts(run.folder)}
    made = {f"{name}/v{version}/deep/weights.bin" for name, version in wanted["artifacts"]}
    assert found.keys() == made | {
        "alerts.jsonl",
        "histograms/histogram.jsonl",
        "media/image/30.png",
        "media/page/30.html",
        "media/table/30.png",
        "tables/table/30.json",
        "text/report/30.md",
        "values/list.jsonl",
        "values/note.jsonl",
    }
    assert report.artifacts == len(found)
    rows = {key: value for row in wanted["logs"] for key, value in row.items() if isinstance(value, dict)}
    for key in ("image", "page"):
        source = written[0] / "media" / rows[key]["file_path"]
        assert found[f"media/{key}/30{source.suffix}"].read_bytes() == source.read_bytes()
    table = json.loads(found["tables/table/30.json"].read_bytes())
    assert table == {"columns": ["a", "b"], "data": [[1, "x"], [2, "media/table/30.png"]]}
    histogram = json.loads(found["histograms/histogram.jsonl"].read_bytes())
    assert (histogram["step"], histogram["bins"]) == (30, rows["histogram"]["bins"])
    assert histogram["values"] == rows["histogram"]["values"]
    assert found["text/report/30.md"].read_text() == "# Done"
    assert json.loads(found["values/note.jsonl"].read_bytes())["value"] == "going well"
    alert = json.loads(found["alerts.jsonl"].read_bytes())
    assert {key: alert[key] for key in ("title", "text", "level", "step")} == {
        key: wanted["alerts"][0][key] for key in ("title", "text", "level", "step")
    }
    assert [found[name].read_bytes() for name in made] == [b"weights"] * len(made)


def test_again_changes_nothing(imported: Imported, written: Written) -> None:
    """A second import finds every run unchanged, and the source is as it was."""
    store, told, _ = imported
    report = import_store(written[0], store)
    assert (report.runs_new, report.runs_updated, report.runs_unchanged) == (0, 0, len(told["runs"]))
    assert [path.name for path in written[0].rglob("*-wal")] == []


def test_one_project_is_read_alone(written: Written) -> None:
    """The database of a project is a source too, with its media."""
    folder, told = written
    for path in folder.glob("*.db"):
        runs = list(open_foreign(path).runs())
        assert len(runs) == len([one for one in told["runs"] if one["project"] == path.stem])
        assert {key for run in runs for key in run.files if key.startswith("media/")} == (
            {"media/image/30.png", "media/page/30.html", "media/table/30.png"} if path.stem == "mydigitsv1" else set()
        )


def test_lines_that_are_in_the_database_come_once(written: Written, tmp_path: Path) -> None:
    """A server that dies between taking lines over and deleting them leaves them in both places."""
    folder = shutil.copytree(written[0], tmp_path / "both")
    live = written[0].parent / "live" / "trackio"
    for path in live.glob("*.db"):
        shutil.copy(path, folder)
    runs = {run.run_id: run for run in open_foreign(folder).runs()}
    for wanted in written[1]["runs"]:
        points = sum(map(len, runs[wanted["run_id"]].series.values()))
        assert points == len([*numbers(wanted["logs"]), *numbers(wanted["system"])])


# By hand


def add(path: Path, run: str, step: int, time: str = NOW, **values: object) -> None:
    """A row of an old database."""
    connection = sqlite3.connect(path)
    with connection:
        row = (time, run, step, json.dumps(values).encode())
        connection.execute("INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?)", row)
    connection.close()


def runs_in(path: Path) -> dict[str, ForeignRun]:
    """The runs of a folder or database by name."""
    return {run.name: run for run in TrackioStore(path).runs()}


def told_in(path: Path) -> list[str]:
    """The problems of a source that was read as a whole."""
    store = TrackioStore(path)
    list(store.runs())
    return [f"{problem.path}: {problem.message}" for problem in store.problems]


def test_an_old_database_knows_runs_by_name(tmp_path: Path) -> None:
    """Before 0.24 there were no ids: each name is a run, with an id that stays the same."""
    made = MlflowDb(tmp_path / "digits.db", OLD)
    add(made.path, "a", 0, loss=1.0)
    add(made.path, "b", 0, loss=3)
    add(made.path, "a", 1, loss=0.5)
    made.add("configs", run_name="a", config=b'{"lr": 0.1}', created_at=NOW)
    found = runs_in(made.path)
    assert open_foreign(made.path).kind == open_foreign(tmp_path, "trackio").kind == "Trackio"
    assert (found["a"].series["loss"].values, found["b"].series["loss"].values) == ([1.0, 0.5], [3.0])
    assert (found["a"].params, found["a"].start_time) == ({"lr": 0.1}, NOW_MS)
    assert found["a"].run_id == derived_id("trackio", "digits", "a")
    assert told_in(tmp_path) == []


def test_what_is_no_project_is_named(tmp_path: Path) -> None:
    """Another database, a link and a table of Parquet without a database are named; registries are no projects."""
    made = MlflowDb(tmp_path / "all" / "digits.db", OLD)
    add(made.path, "a", 0, loss=1.0)
    MlflowDb(tmp_path / "other.db", "CREATE TABLE metrics (key TEXT)")
    shutil.copy(tmp_path / "other.db", tmp_path / "all" / "other.db")
    shutil.copy(tmp_path / "other.db", tmp_path / "all" / "registry-models.db")
    (tmp_path / "all" / "link.db").symlink_to(made.path)
    (tmp_path / "all" / "gone.parquet").write_bytes(b"PAR1")
    assert [line.partition(":")[0] for line in told_in(tmp_path / "all")] == ["gone.parquet", "link.db", "other.db"]
    assert runs_in(tmp_path / "all").keys() == {"a"}
    for place in (tmp_path / "other.db", tmp_path):
        with pytest.raises(InvalidValueError, match="no database of Trackio's"):
            open_foreign(place, "trackio")
    with pytest.raises(NotAStoreError, match=f"{tmp_path / 'all'} is one"):
        open_foreign(tmp_path)


@pytest.mark.parametrize(
    "named",
    [
        "../secret.png",
        "/etc/passwd",
        "digits/../../secret.png",
        "linked/secret.png",
        "..",
        "",
        "C:\\secret.png",
        "n" * 300,
    ],
)
def test_media_never_leave_their_folder(tmp_path: Path, named: str) -> None:
    """A path that leads out, a link on the way and a name that is none give no file, and a problem."""
    made = MlflowDb(tmp_path / "of" / "digits.db", OLD)
    (tmp_path / "of" / "media" / "digits").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "of"):
        (folder / "secret.png").write_bytes(b"secret")
    (tmp_path / "of" / "media" / "linked").symlink_to(tmp_path)
    add(made.path, "a", 3, shot={"_type": "trackio.image", "file_path": named}, loss=1)
    assert dict(runs_in(made.path)["a"].files) == {}
    assert any("'shot' at step 3 has no file" in line for line in told_in(made.path))
    report = import_store(made.path, tmp_path / "runs")
    assert (report.runs_new, report.points, report.artifacts) == (1, 1, 0)


def test_odd_rows_are_named_and_left_out(tmp_path: Path) -> None:
    """What is no JSON, nested too deep or without a time hides nothing else."""
    made = MlflowDb(tmp_path / "digits.db", OLD)
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"d": deep}
    add(made.path, "a", 0, loss=1.0, deep=deep, huge="1" * 400, big=10**400)
    for cell in (b"[1, 2]", b"\xff", "{", b"[" * 100_000, 7):
        made.add("metrics", timestamp=NOW, run_name="a", step=1, metrics=cell)
    made.add("metrics", timestamp="later", run_name="a", step="x", metrics='{"loss": "NaN"}')
    made.add("metrics", timestamp=NOW, run_name=b"\xff", step=2, metrics='{"loss": 2}')
    run = runs_in(made.path)["a"]
    assert [repr(value) for value in run.series["loss"].values] == ["1.0", "nan"]
    assert set(run.series["loss"].times) == {NOW_MS}
    told = told_in(made.path)
    assert any(line.startswith("digits.db/metrics: a row of run a is left out: it is no JSON object") for line in told)
    assert any("deeper than 50 levels" in line for line in told)
    assert any("has a row without a run" in line for line in told)
    assert import_store(made.path, tmp_path / "runs").runs_new == 1


def test_damaged_lines_are_named(tmp_path: Path) -> None:
    """Each line of waiting records that is none has a problem with its number; the others count."""
    folder = tmp_path / layout.LOG / "inbox" / "writer"
    folder.mkdir(parents=True)
    record = {"kind": "metric", "project": "p", "run": "a", "metrics": {"loss": 1}, "step": None, "timestamp": NOW}
    lines = [json.dumps(record), "{", "", "[]", json.dumps({**record, "run": ""}), json.dumps(record), '{"torn": ']
    (folder / "0.jsonl").write_text("\n".join(lines))
    (folder / "1.jsonl").symlink_to(folder / "0.jsonl")
    source = folder.parent.parent
    store = open_foreign(source)
    assert [run.series["loss"].steps for run in store.runs()] == [[0, 1]]
    places = [(problem.path, problem.line) for problem in store.problems]
    assert places == [("inbox/writer/0.jsonl", line) for line in (2, 4, 5, 7)] + [("inbox/writer/1.jsonl", None)]


def test_a_run_that_is_being_logged_is_read(tmp_path: Path) -> None:
    """Trackio's databases are in WAL mode: what is committed is there while the writer lives."""
    made = MlflowDb(tmp_path / "digits.db", OLD)
    writer = sqlite3.connect(made.path)
    writer.execute("PRAGMA journal_mode = WAL")
    row = (NOW, "live", 0, b'{"loss": 1}')
    with writer:
        writer.execute("INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?)", row)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert before.keys() == {"digits.db", "digits.db-wal", "digits.db-shm"}
    assert runs_in(tmp_path).keys() == {"live"}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    writer.close()


def test_its_site(written: Written, tmp_path: Path, record_property: Record) -> None:
    """`tracker build` shows every run of Trackio's, and a second build writes nothing."""
    check_site(written[0], tmp_path, "Trackio", record_property)
