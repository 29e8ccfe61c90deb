"""Databases damaged page by page: no exception, what is lost is named, and the other runs are as they were."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.promises.figures import PROPERTY
from tracker.foreign import sqlite_files
from tracker.foreign.importing import import_store
from tracker.foreign.mlflow_db import MlflowDbStore

from .damage_db import content_of, damages, told, try_all
from .hand_db import REGISTRY, run_id, small

PAGE = 1024
RUNS = 40
FLIPS = 100


def flipped(data: bytes) -> Iterator[bytes]:
    """The database with twenty bits of it turned around."""
    chance = random.Random(4)
    for _ in range(FLIPS):
        made = bytearray(data)
        for _ in range(20):
            made[chance.randrange(100, len(made))] ^= 1 << chance.randrange(8)
        yield bytes(made)


def test_every_page(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Each page of a small database damaged in each way: nothing raises, what changed is told, most runs stay."""
    made = small(tmp_path / "of" / "mlflow.db", runs=RUNS)
    made.do(REGISTRY)
    made.add("registered_models", name="price")
    made.add("model_versions", name="price", version=1, run_id=run_id(1))
    for table in ("metrics", "params", "tags"):
        made.do(f"CREATE INDEX by_run_{table} ON {table} (run_uuid)")
    made.do(f"PRAGMA page_size = {PAGE}; VACUUM")
    data = made.path.read_bytes()
    counts, lost = try_all(made.path, "mlflow-db", damages(data, PAGE, list(range(len(data) // PAGE))))
    assert sum(counts.values()) > 200
    free = sum(one == 0 for one in lost)
    assert free > len(lost) / 2
    record_property(
        PROPERTY, ("R4", f"mlflow.db, each page: {told(counts)}; 0 exceptions, no run lost in {free:,} of them")
    )


def test_flipped_bits(tmp_path: Path) -> None:
    """Bits that are turned around raise nothing; SQLite has no sums, so a value may become another one."""
    path = small(tmp_path / "mlflow.db", runs=RUNS).path
    for data in flipped(path.read_bytes()):
        path.write_bytes(data)
        content_of(MlflowDbStore(path))


@pytest.mark.parametrize("table", ["params", "metrics", "tags", "runs"])
def test_rows_behind_a_damaged_page_are_read(tmp_path: Path, table: str) -> None:
    """One page of a table's rows costs what stood on it and nothing behind it."""
    path = small(tmp_path / "mlflow.db", runs=300, params=4, points=4).path
    sound = content_of(MlflowDbStore(path))
    data, page = path.read_bytes(), 4096
    where = {"params": b"0.1502", "metrics": run_id(150).encode(), "tags": b"Note 150.", "runs": b"run 150\0"}[table]
    where = where.rstrip(b"\0")
    hit = [number for number in range(len(data) // page) if where in data[number * page : (number + 1) * page]]
    worst = 0
    for number in hit:
        path.write_bytes(data[: number * page] + bytes(page) + data[(number + 1) * page :])
        store = MlflowDbStore(path)
        found = content_of(store)
        worst = max(worst, sum(found.get(key) != value for key, value in sound.items()))
        assert store.problems
    assert hit
    assert 0 < worst <= 100


def test_a_damaged_database_is_imported(tmp_path: Path) -> None:
    """An import of what is left ends with a report that names the database and the table."""
    path = small(tmp_path / "mlflow.db", runs=300).path
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4 // 4096 * 4096])
    report = import_store(path, tmp_path / "runs")
    assert report.runs_new > 0
    assert any(problem.path == "mlflow.db" for problem in report.problems)
    assert any(problem.path.startswith("mlflow.db/") for problem in report.problems)


def test_a_check_that_takes_too_long_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database whose check is given up is read, and not called damaged."""
    made = small(tmp_path / "mlflow.db", runs=200, points=50)
    monkeypatch.setattr(sqlite_files, "CHECK_SECONDS", -1.0)
    store = MlflowDbStore(made.path)
    assert len(list(store.runs())) == 200
    assert not any("check" in problem.message for problem in store.problems)
