"""Databases of MLflow's by hand: other versions, other machines, other processes, and files that are something else."""

from __future__ import annotations

import math
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from tracker.exceptions import InvalidValueError, NotAStoreError, StoreError
from tracker.foreign import sqlite_opening
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.mlflow_db import MlflowDbStore
from tracker.foreign.records import derived_id

from .hand_db import OLD, REGISTRY, START, MlflowDb, run_id, small
from .reading import runs_in, told_in


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """What lies in a folder, with times and contents."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


# Kinds


def test_a_database_is_seen_by_its_tables(tmp_path: Path) -> None:
    """Whatever its name is; another database or file is none, and named as one it is refused with a reason."""
    made = small(tmp_path / "a b?#%20" / "tracking.sqlite")
    assert open_foreign(made.path).kind == open_foreign(made.path, "mlflow-db").kind == "MLflow database"
    other = MlflowDb(tmp_path / "other.db", "CREATE TABLE runs (id INTEGER); CREATE TABLE experiments (name TEXT)")
    text = tmp_path / "text.db"
    text.write_bytes(b"SQLite format 2\0" + b"CREATE TABLE runs (" * 9)
    for path in (other.path, text):
        with pytest.raises(NotAStoreError, match="no store of a known kind"):
            open_foreign(path)
        with pytest.raises(InvalidValueError, match="no SQLite database with the tables of MLflow: experiments, runs"):
            open_foreign(path, "mlflow-db")
    with pytest.raises(NotAStoreError, match=f"but {re.escape(str(made.path))} is one: name that"):
        open_foreign(made.path.parent)
    with pytest.raises(InvalidValueError, match="is a folder, where the SQLite database of MLflow"):
        open_foreign(tmp_path, "mlflow-db")
    with pytest.raises(NotAStoreError, match="damaged SQLite database: say what wrote it with --from"):
        open_foreign(_cut(made.path, 1000))


def _cut(path: Path, length: int) -> Path:
    cut = path.with_name("cut.db")
    cut.write_bytes(path.read_bytes()[:length])
    return cut


# Versions


def test_an_old_database_is_read(tmp_path: Path) -> None:
    """One of MLflow 1.0 lacks columns, tables and indexes, and has no problem."""
    made = small(tmp_path / "mlflow.db", runs=30)
    (tmp_path / "mlruns").mkdir()
    assert told_in(made.path) == []
    run = runs_in(made.path)["run 7"]
    assert (run.run_id, run.experiment, run.status, run.start_time) == (run_id(7), "1", "FINISHED", START)
    assert run.params == {"p0": "0.70", "p1": 0.71}  # the text "0.70" is not how Python writes that number
    assert run.tags == {"mlflow.note.content": "Note 7."}
    assert run.series["loss"].values == [1.0, 1 / 2, 1 / 3, 1 / 4]


def test_a_newer_database_is_read(tmp_path: Path) -> None:
    """Unknown tables, columns and versions of the schema do not matter."""
    made = small(tmp_path / "mlflow.db")
    made.do("CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES ('future')")
    made.do("ALTER TABLE runs ADD COLUMN mood TEXT DEFAULT 'good'; CREATE TABLE robots (name TEXT)")
    assert runs_in(made.path).keys() == {"run 0", "run 1", "run 2"}


def test_an_index_changes_nothing(tmp_path: Path) -> None:
    """Rows are found by an index or without one, also if runs wrote in turn and thousands of points."""
    made = small(tmp_path / "mlflow.db", runs=2, points=0)
    rows = [("m", step / 7, START, run_id(step % 2), step) for step in range(3000)]
    connection = sqlite3.connect(made.path)
    with connection:
        connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()
    found = runs_in(made.path)
    assert found["run 1"].series["m"].steps == list(range(1, 3000, 2))
    for table in ("metrics", "params", "tags"):
        made.do(f"CREATE INDEX by_run_{table} ON {table} (run_uuid)")
    assert runs_in(made.path) == found


def test_points_of_one_time_have_an_order(tmp_path: Path) -> None:
    """Points of one step and time are ordered by value, a NaN before all numbers, however the rows lie."""
    made = small(tmp_path / "mlflow.db", runs=1)
    made.do("ALTER TABLE metrics ADD COLUMN is_nan BOOLEAN")
    for value, is_nan in ((3.0, 0), (0.0, 1), (1.0, 0), (2.0, 0), (0.0, 1), (-1.0, 0)):
        made.add("metrics", key="m", value=value, timestamp=START, run_uuid=run_id(0), step=5, is_nan=is_nan)
    assert list(map(repr, runs_in(made.path)["run 0"].series["m"].values)) == ["nan", "-1.0", "1.0", "2.0", "3.0"]


def test_workspaces_have_names_of_their_own(tmp_path: Path) -> None:
    """Experiments and models of one name in two workspaces stay apart."""
    made = MlflowDb(tmp_path / "mlflow.db", OLD + REGISTRY)
    made.do("ALTER TABLE experiments ADD COLUMN workspace TEXT")
    made.experiment(1, "digits", workspace="default")
    made.experiment(2, "digits", workspace="lab")
    for workspace in ("default", "lab"):
        made.add("registered_models", name="price", workspace=workspace, creation_time=START)
        made.add(
            "model_versions", name="price", version=1, workspace=workspace, current_stage="Staging", source=workspace
        )
        made.add("registered_model_aliases", name="price", workspace=workspace, alias=f"of-{workspace}", version=1)
    store = open_foreign(made.path)
    assert [(one.key, one.name) for one in store.experiments()] == [("1", "digits"), ("2", "digits (lab)")]
    models = {model.file.name: model for model in store.models()}
    assert {name: (model.file.aliases, model.versions[0].file.source) for name, model in models.items()} == {
        "price": ({"of-default": "1"}, "default"),
        "price (lab)": ({"of-lab": "1"}, "lab"),
    }
    assert import_store(made.path, tmp_path / "runs").models == 2


# Other processes


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    """No file is made or changed, and another process can write between two queries."""
    made = small(tmp_path / "of" / "mlflow.db")
    made.do("CREATE INDEX index_params_run_uuid ON params (run_uuid)")
    before = state_of(tmp_path / "of")
    store = MlflowDbStore(made.path)
    runs = store.runs()
    next(runs)
    assert state_of(tmp_path / "of") == before
    other = sqlite3.connect(made.path, timeout=0)
    with other:
        other.execute("INSERT INTO params VALUES ('new', '1', ?)", (run_id(2),))
    other.close()
    assert [run.params.get("new") for run in runs] == [None, 1]
    assert [path.name for path in made.path.parent.iterdir()] == ["mlflow.db"]


def test_a_log_that_is_not_written_back_is_read(tmp_path: Path) -> None:
    """In WAL mode all that was committed is there, while a process writes, after a crash, and after it has ended."""
    made = small(tmp_path / "of" / "mlflow.db")
    writer = sqlite3.connect(made.path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    with writer:
        writer.execute("UPDATE runs SET name = 'renamed' WHERE run_uuid = ?", (run_id(1),))
    writer.execute("BEGIN")
    writer.execute("UPDATE runs SET name = 'not yet' WHERE run_uuid = ?", (run_id(2),))
    before = state_of(tmp_path / "of")
    assert before.keys() == {"mlflow.db", "mlflow.db-wal", "mlflow.db-shm"}
    crashed = shutil.copytree(tmp_path / "of", tmp_path / "crashed") / "mlflow.db"
    (tmp_path / "crashed" / "mlflow.db-shm").unlink()
    for path in (made.path, crashed):
        assert runs_in(path).keys() == {"run 0", "renamed", "run 2"}
    assert state_of(tmp_path / "of") == before
    writer.rollback()
    writer.close()
    before = state_of(tmp_path / "of")
    assert runs_in(made.path).keys() == {"run 0", "renamed", "run 2"}
    assert state_of(tmp_path / "of") == before
    assert before.keys() == {"mlflow.db"}


def test_a_database_that_lies_in_its_log_is_seen(tmp_path: Path) -> None:
    """One that was made in WAL mode and never written back has no table in its own file."""
    path = tmp_path / "mlflow.db"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.executescript(OLD)
    writer.execute("INSERT INTO runs (run_uuid, name, experiment_id) VALUES (?, 'new', 1)", (run_id(1),))
    writer.commit()
    assert [run.name for run in open_foreign(path).runs()] == ["new"]
    writer.close()


def test_a_change_that_was_written_to_while_it_is_read_is_told(tmp_path: Path) -> None:
    """A database in WAL mode is read without locks; if somebody writes meanwhile, the import should be repeated."""
    made = small(tmp_path / "mlflow.db")
    made.do("PRAGMA journal_mode = WAL")
    (tmp_path / "mlruns").mkdir()
    store = MlflowDbStore(made.path)
    made.do("CREATE TABLE more (name TEXT)")
    list(store.runs())
    assert [problem.message for problem in store.problems] == [
        "was written to while it was read; import it again when that has ended"
    ]


def interrupted(folder: Path) -> Path:
    """A database whose writer died in the middle of a change that has reached the file."""
    made = small(folder / "of" / "mlflow.db", runs=40)
    writer = sqlite3.connect(made.path, isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("BEGIN")
    writer.execute("UPDATE runs SET name = 'half done'")
    writer.execute("UPDATE metrics SET value = -1")
    shutil.copytree(made.path.parent, folder / "dead")
    writer.execute("ROLLBACK")
    writer.close()
    return folder / "dead" / "mlflow.db"


def test_an_interrupted_change_is_undone_in_a_copy(tmp_path: Path) -> None:
    """What a dead process left half done is not shown, and the source stays as it is."""
    path = interrupted(tmp_path)
    before = state_of(path.parent)
    assert before.keys() == {"mlflow.db", "mlflow.db-journal"}
    assert b"half done" in before["mlflow.db"][1]
    assert runs_in(path).keys() == {f"run {number}" for number in range(40)}
    assert state_of(path.parent) == before


def test_a_journal_that_names_another_file_is_not_used(tmp_path: Path) -> None:
    """SQLite would open the file that it names, and might delete it."""
    path = interrupted(tmp_path)
    victim = tmp_path / "victim"
    victim.write_text("")
    name = str(victim).encode()
    size, sums = len(name).to_bytes(4, "big"), (sum(name) & 0xFFFFFFFF).to_bytes(4, "big")
    with path.with_name("mlflow.db-journal").open("ab") as journal:
        journal.write((1 << 20).to_bytes(4, "big") + name + size + sums + bytes.fromhex("d9d505f920a163d7"))
    before = state_of(tmp_path)
    assert any("its journal names other files" in line for line in told_in(path))
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_a_link_beside_it_is_not_followed(tmp_path: Path, ending: str) -> None:
    """The database is read without what a link in place of its log or journal leads to."""
    made = small(tmp_path / "of" / "mlflow.db")
    (tmp_path / "secret").write_bytes(b"\xff" * 9000)
    made.path.with_name(f"mlflow.db{ending}").symlink_to(tmp_path / "secret")
    assert any(f"is read without mlflow.db{ending}, which is a link" in line for line in told_in(made.path))
    assert len(runs_in(made.path)) == 3
    assert (tmp_path / "secret").read_bytes() == b"\xff" * 9000


def test_a_locked_database_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Briefly; then the error says what to do, and a second try goes on where the first one stopped."""
    monkeypatch.setattr(sqlite_opening, "LOCK_SECONDS", 0.05)
    made = small(tmp_path / "mlflow.db")
    other = sqlite3.connect(made.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"mlflow\.db is locked by another process.*Wait until that has ended"):
        import_store(made.path, tmp_path / "runs")
    other.execute("ROLLBACK")
    store = MlflowDbStore(made.path)
    runs = store.runs()
    next(runs)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="is locked"):
        next(runs)
    other.close()
    assert import_store(made.path, tmp_path / "runs").runs_new == 3


# Odd contents


@pytest.mark.parametrize(
    ("table", "column"),
    [("runs", "start_time"), ("runs", "status"), ("experiments", "lifecycle_stage"), ("metrics", "step")],
)
def test_a_column_that_is_missing_is_told_once(tmp_path: Path, table: str, column: str) -> None:
    """A database of a schema that is not known yet: what is not read is named, and the rest is imported."""
    made = small(tmp_path / "mlflow.db")
    assert told_in(made.path)[1:] == []
    made.do(f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_new")
    told = [line for line in told_in(made.path) if "has no column" in line]
    assert told == [f"mlflow.db/{table}: has no column {column}, and is read without; is it of a newer MLflow?"]
    assert import_store(made.path, tmp_path / "runs").runs_new == 3


def test_a_run_without_a_start_starts_with_its_first_point(tmp_path: Path) -> None:
    """Where no start is known, the time of the first point is it."""
    made = small(tmp_path / "mlflow.db")
    made.do("UPDATE metrics SET timestamp = timestamp + 5; ALTER TABLE runs RENAME COLUMN start_time TO began")
    assert {run.start_time for run in runs_in(made.path).values()} == {START + 5}


def test_odd_values_are_named_and_left_out(tmp_path: Path) -> None:
    """Bytes, other types, huge and broken texts: what is wrong is named with its table, and the rest is read."""
    made = MlflowDb(tmp_path / "mlflow.db")
    made.experiment()
    made.run(run_id(1), name="odd", start_time="then", end_time=b"\x00", status=7)
    made.run(b"\x01\x02", name="no id")  # type: ignore[arg-type]
    made.run("short", name="other id")
    made.params(run_id(1), good="1", blob=b"\xff\x00", huge="x" * 5_000_000, null=b"", zero="a\0b")
    made.do("INSERT INTO params VALUES ('broken', CAST(x'ff41' AS TEXT), ?)", run_id(1))
    made.points(run_id(1), "fine", 0.5, math.inf, -math.inf)
    for value, time, step in (("text", START, 0), (b"\1", START, 0), (1.0, -5, 0), (1.0, "x", 0), (1.0, START, "y")):
        made.add("metrics", key="bad", value=value, timestamp=time, run_uuid=run_id(1), step=step)
    made.add("metrics", key=b"\xff", value=1.0, timestamp=START, run_uuid=run_id(1), step=0)
    found = runs_in(made.path)
    assert found.keys() == {"odd", "other id"}
    assert found["other id"].run_id == derived_id("mlruns", "1", "short")
    run = found["odd"]
    assert (run.params, run.status, run.end_time) == ({"good": 1}, "KILLED", None)
    assert {key: one.values for key, one in run.series.items()} == {"fine": [0.5, math.inf, -math.inf]}
    told = "\n".join(told_in(made.path))
    for place in ("params: 'blob'", "params: 'huge'", "params: 'zero'", "params: 'broken'", "runs: has a run without"):
        assert f"mlflow.db/{place}" in told
    assert told.count("mlflow.db/metrics: a point of") == 2
    assert import_store(made.path, tmp_path / "runs").runs_new == 2


def test_a_value_that_no_memory_should_hold_hides_no_other(tmp_path: Path) -> None:
    """A row of a hundred megabytes is left out, the rows around it are read."""
    made = small(tmp_path / "mlflow.db")
    made.do("INSERT INTO params VALUES ('large', zeroblob(100000000), ?)", run_id(1))
    made.params(run_id(1), after="3")
    found = runs_in(made.path)
    assert found["run 1"].params == {"p0": "0.10", "p1": 0.11, "after": 3}
    assert any(
        "mlflow.db/params: cannot be read as a whole: string or blob too big" in one for one in told_in(made.path)
    )


def test_nothing_in_it_is_run(tmp_path: Path) -> None:
    """Views and columns that are computed could run for ever: only stored columns of tables are read."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, i, i FROM n"
    view = f"DROP TABLE params; CREATE VIEW params (key, value, run_uuid) AS {endless};"
    made = MlflowDb(tmp_path / "mlflow.db", OLD + view)
    made.experiment()
    made.run(run_id(1), name="one")
    made.do("ALTER TABLE experiments ADD COLUMN workspace TEXT AS (hex(zeroblob(60000000)))")
    assert runs_in(made.path)["one"].params == {}
    made.do("DROP VIEW params; CREATE TABLE params (key TEXT, run_uuid TEXT, value TEXT AS (hex(zeroblob(60000000))))")
    made.do("INSERT INTO params VALUES ('p', ?)", run_id(1))
    assert runs_in(made.path)["one"].params == {"p": ""}
    assert [one.name for one in MlflowDbStore(made.path).experiments()] == ["digits"]
