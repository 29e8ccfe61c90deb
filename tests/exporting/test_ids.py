"""Experiments have ids of digits in an export, for MLflow leaves out all others when it moves files to a database."""

from __future__ import annotations

import re
from pathlib import Path

import tracker
from tests.environments import run_there
from tests.foreign.hand import Mlruns, run_id
from tracker.exporting import export_mlflow
from tracker.foreign.importing import import_store
from tracker.foreign.mlruns import MlrunsStore

MIGRATE = Path(__file__).with_name("migrate_mlflow.py")
OTHERS = {"deadbeef": "of W&B", "words-of_it": "of Trackio", "007": "rooms", "1" * 19: "long"}


def made(folder: Path, ids: dict[str, str]) -> Path:
    """A store with experiments of these ids and names, a run and a registered version in each."""
    files = Mlruns(folder / "source")
    for number, (key, name) in enumerate(ids.items(), 1):
        files.experiment(key, name)
        run = files.run(key, run_id(number))
        files.write(f"{run}/artifacts/model/MLmodel", "flavors: {}\n")
        files.version("price", number, run_id=run_id(number), source=f"runs:/{run_id(number)}/model")
    assert import_store(files.root, folder / "runs").problems == ()
    for path in (folder / "runs").glob("experiments/*/experiment.yaml"):
        key = next(key for key, name in ids.items() if f"name: {name}\n" in path.read_text())
        path.write_text(re.sub("^id: .*", f"id: '{key}'", path.read_text(), flags=re.MULTILINE))
    return folder / "runs"


def ids_of(out: Path) -> dict[str, str]:
    """The ids of the experiments of an export by name."""
    return {one.name: one.key for one in MlrunsStore(out).experiments()}


def test_mlflow_moves_every_experiment_to_a_database(tmp_path: Path) -> None:
    """MLflow's own migration of an export loses no experiment, run or version, whatever ids the store has."""
    store = made(tmp_path, OTHERS | {"12": "twelve"})
    report = export_mlflow(store, tmp_path / "mlruns")
    assert len([one for one in report.problems if "none to MLflow" in one.message]) == len(report.problems) == 4
    told = run_there("mlflow3", MIGRATE, tmp_path / "mlruns", tmp_path / "mlflow.db", folder=tmp_path)
    names = [*OTHERS.values(), "twelve"]
    assert told["runs"] == {name: [run_id(number)] for number, name in enumerate(names, 1)} | {"Default": []}
    assert sorted(told["versions"]) == [run_id(number) for number in range(1, 6)]


def test_ids_stay(tmp_path: Path) -> None:
    """An id of 18 digits comes from the own id alone: other experiments, names and exports do not change it."""
    store = made(tmp_path / "one", OTHERS)
    export_mlflow(store, tmp_path / "out")
    first = ids_of(tmp_path / "out")
    assert all(re.fullmatch("[1-9][0-9]{17}", first[name]) for name in OTHERS.values())
    tracker.set_tracking_uri(store)
    tracker.create_experiment("a new one")
    report = export_mlflow(store, tmp_path / "out")
    assert (report.runs_new, report.runs_updated) == (0, 0)
    assert first.items() <= ids_of(tmp_path / "out").items()
    alone = made(tmp_path / "two", {"deadbeef": "renamed"})
    export_mlflow(alone, tmp_path / "other")
    assert ids_of(tmp_path / "other")["renamed"] == first["of W&B"]


def test_no_id_twice(tmp_path: Path) -> None:
    """An experiment whose own id is the one that another would get keeps it, and two with one id get two."""
    export_mlflow(made(tmp_path / "one", {"deadbeef": "first"}), tmp_path / "out")
    derived = ids_of(tmp_path / "out")["first"]
    store = made(tmp_path / "two", {"deadbeef": "first", derived: "second", "5": "third", "6": "fourth"})
    path = store / "experiments" / "fourth" / "experiment.yaml"
    path.write_text(path.read_text().replace("'6'", "deadbeef"))
    export_mlflow(store, tmp_path / "again")
    found = ids_of(tmp_path / "again")
    assert (found["second"], found["third"]) == (derived, "5")
    assert len(set(found.values())) == 5
