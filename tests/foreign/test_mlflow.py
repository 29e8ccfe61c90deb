"""What MLflow 2 and 3 wrote reads here as their own API reads it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracker
from tests.promises.figures import PROPERTY
from tracker import layout
from tracker.artifact_files import list_artifacts
from tracker.entities import make_experiment, make_run, time_of
from tracker.foreign.importing import ImportReport, import_store
from tracker.reader import ReadRun, read_experiment_file, read_history, read_store, read_trash
from tracker.registry import check_registry, read_registry

from .damage_db import damages, told, try_all
from .sites import Record, check_site

PERSONAL = {"mlflow.user", "mlflow.source.name", "mlflow.source.git.repoURL"}
"""Tags of MLflow's that name a person or a path of this machine."""
SAMPLE = 30
"""Pages of a database that are damaged."""
Imported = tuple[Path, dict[str, Any], ImportReport]


@pytest.fixture(scope="module")
def imported(by_mlflow: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """The store, what MLflow says of its source, and the report of the import."""
    source, told = by_mlflow
    store = tmp_path_factory.mktemp("imported") / "runs"
    return store, told, import_store(source, store)


def runs_of(store: Path) -> dict[str, ReadRun]:
    """All runs by id, deleted ones too."""
    return {run.file.run_id: run for run in (*read_store(store, cache=False).runs(), *read_trash(store))}


def test_nothing_is_a_problem(imported: Imported) -> None:
    """A sound store is imported as a whole, and what was written reads without a problem."""
    store, told, report = imported
    assert report.problems == ()
    assert report.runs_new == len(told["runs"]) == 14
    assert read_store(store, cache=False).problems == ()
    assert [run.problems for run in read_trash(store)] == [(), ()]
    assert read_registry(store).problems == ()
    assert check_registry(store).findings == ()


def test_experiments_are_the_same(imported: Imported) -> None:
    """Experiments keep name, id, tags and notes; deleted ones wait in the trash."""
    store, told, _ = imported
    live = {one.file.name: make_experiment(one) for one in read_store(store, cache=False).experiments}
    expected = {one["name"]: one for one in told["experiments"] if one["stage"] == "active"}
    assert {name: (one.experiment_id, one.tags) for name, one in live.items()} == {
        name: (one["id"], one["tags"]) for name, one in expected.items()
    }
    trashed = [read_experiment_file(path.parent).name for path in (store / layout.TRASH).glob("*/experiment.yaml")]
    assert trashed == [one["name"] for one in told["experiments"] if one["stage"] == "deleted"]


def test_runs_are_the_same(imported: Imported) -> None:
    """Names, times, status, params and tags of every run are those of MLflow; one that never ended is STALE."""
    store, told, _ = imported
    runs = runs_of(store)
    for wanted in told["runs"]:
        run = make_run(runs[wanted["run_id"]], wanted["experiment_id"])
        assert (run.info.run_name, run.info.start_time) == (wanted["name"], wanted["start_time"])
        assert run.data.params == wanted["params"]
        tags = {key: value for key, value in run.data.tags.items() if not key.startswith("dataset.")}
        assert {key: tags[key] for key in tags.keys() - PERSONAL} == {
            key: wanted["tags"][key] for key in wanted["tags"].keys() - PERSONAL
        }
        assert tags.get("mlflow.source.name") == (Path(wanted["tags"].get("mlflow.source.name", "")).name or None)
        assert "mlflow.user" not in tags
        assert {f"dataset.{name}": f"{digest} (training)" for name, digest in wanted["datasets"]} == {
            key: value for key, value in run.data.tags.items() if key.startswith("dataset.")
        }
        if wanted["status"] == "RUNNING":
            assert run.info.status in ("STALE", "RUNNING")
        else:
            assert (run.info.status, run.info.end_time) == (wanted["status"], wanted["end_time"])


def test_runs_lie_where_they_belong(imported: Imported) -> None:
    """A run is in the experiment that MLflow has it in, and in the trash if it was deleted."""
    store, told, _ = imported
    for wanted in told["runs"]:
        run = runs_of(store)[wanted["run_id"]]
        assert run.file.experiment_id == wanted["experiment_id"]
        assert run.folder.is_relative_to(store / layout.TRASH) == (wanted["stage"] == "deleted")


def test_every_point_is_the_same(imported: Imported) -> None:
    """Each point of each metric is there once, with step, time and value; the latest one is MLflow's.

    Its database holds infinities as the largest number, and its pages show these as infinities again.
    """
    store, told, report = imported
    shown = {"1.7976931348623157e+308": "inf", "-1.7976931348623157e+308": "-inf"}
    assert (report.kind == "MLflow files") == all(value not in str(told["runs"]) for value in shown)
    runs, count = runs_of(store), 0
    for wanted in told["runs"]:
        run = runs[wanted["run_id"]]
        series = read_history(run.folder).series
        if report.kind == "MLflow files" and told["version"].startswith("3") and "with dataset" in series:
            assert series["with dataset"].steps == [7]
            series["with dataset"].steps = [0]  # what MLflow reads from its own line with a data set
        assert {
            key: sorted(
                [step, time, repr(value)] for step, time, value in zip(one.steps, one.times, one.values, strict=True)
            )
            for key, one in series.items()
        } == {
            key: sorted([step, time, shown.get(value, value)] for step, time, value in set(map(tuple, points)))
            for key, points in wanted["points"].items()
        }
        assert {key: repr(metric.last) for key, metric in run.file.metrics.items()} == wanted["latest"]
        count += sum(map(len, series.values()))
    assert count == report.points > 15


def test_artifacts_are_the_same(imported: Imported) -> None:
    """Every artifact that MLflow lists is there with its size; models have a folder of their own."""
    store, told, _ = imported
    runs = runs_of(store)
    for wanted in told["runs"]:
        if wanted["stage"] == "deleted":
            continue
        found = {file.name: file.bytes for file in list_artifacts(runs[wanted["run_id"]].folder)}
        assert dict(wanted["artifacts"]).items() <= found.items()
        others = {name.split("/")[0] for name in found.keys() - dict(wanted["artifacts"]).keys()}
        assert others <= {"model", "sub", "datasets.json"}


def test_the_registry_is_the_same(imported: Imported) -> None:
    """Registered models keep descriptions, tags and aliases; versions their numbers, stages, tags and runs."""
    store, told, _ = imported
    models = {model.name: model for model in read_registry(store).models}
    assert sorted(models) == sorted(wanted["name"] for wanted in told["models"])
    for wanted in told["models"]:
        model = models[wanted["name"]]
        assert (model.file.description, model.file.tags) == (wanted["description"], wanted["tags"])
        assert model.file.aliases == wanted["aliases"]
        assert {
            version.version: {
                "stage": version.file.stage,
                "description": version.file.description,
                "tags": version.file.tags,
                "run_id": version.file.run_id,
                "created": time_of(version.file.created),
                "aliases": sorted(version.aliases),
            }
            for version in model.live
        } == {
            number: {**version, "created": version["created"] // 1000 * 1000}
            for number, version in wanted["versions"].items()
        }
    assert [version.file.deleted for version in models["price"].versions] == [False, False, True, False]


def test_models_predict(imported: Imported) -> None:
    """Models load by run and by registry, through pyfunc and their flavor, and no file of theirs changed."""
    store, told, _ = imported
    tracker.set_tracking_uri(store)
    run_id = told["models"][-1]["versions"]["4"]["run_id"]
    for uri in (f"runs:/{run_id}/model", f"runs:/{run_id}/sub", "models:/price@champion", "models:/price/Staging"):
        predicted = tracker.pyfunc.load_model(uri).predict(np.array([[1.0, 2.0]]))
        assert predicted == pytest.approx(tracker.sklearn.load_model(uri).predict([[1.0, 2.0]]))
        assert predicted == pytest.approx([1.0])


def test_again_changes_nothing(imported: Imported, by_mlflow: tuple[Path, dict[str, Any]]) -> None:
    """A second import finds every run, version and alias unchanged, and writes no file."""
    store, told, _ = imported
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    report = import_store(by_mlflow[0], store)
    assert (report.runs_new, report.runs_updated, report.runs_unchanged) == (0, 0, len(told["runs"]))
    assert (report.versions_new, report.versions_unchanged) == (0, 4)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


def test_damaged_pages_of_its_database(
    by_mlflow: tuple[Path, dict[str, Any]], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Pages of a database that MLflow wrote, damaged in each way: nothing raises, what changed is told."""
    source, answer = by_mlflow
    if source.suffix != ".db":
        pytest.skip("test_damage.py damages files")
    path = Path(shutil.copy(source, tmp_path))
    data, page = path.read_bytes(), 4096
    used = [number for number in range(len(data) // page) if any(data[number * page + 8 : (number + 1) * page])]
    counts, _ = try_all(path, "mlflow-db", damages(data, page, random.Random(1).sample(used, SAMPLE)))
    record_property(PROPERTY, ("R4", f"mlflow.db of MLflow {answer['version']}: {told(counts)}; 0 exceptions"))


def test_nothing_names_who_wrote_it(imported: Imported, by_mlflow: tuple[Path, dict[str, Any]]) -> None:
    """No file that tracker wrote holds the path of the source; the files of models stay as they are."""
    store, _, _ = imported
    ours = [path for path in store.rglob("*") if path.is_file() and path.suffix in (".json", ".jsonl", ".yaml")]
    written = [path for path in ours if layout.ARTIFACTS not in path.parts]
    assert [path for path in written if str(by_mlflow[0].parent) in path.read_text(encoding="utf-8")] == []


def test_its_site(by_mlflow: tuple[Path, dict[str, Any]], tmp_path: Path, record_property: Record) -> None:
    """`tracker build` shows every run of MLflow's, and a second build writes nothing."""
    check_site(by_mlflow[0], tmp_path, f"MLflow {by_mlflow[1]['version']}", record_property)
