"""MLflow's client says the same of a store of ours as of its own files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

import tracker
from tests.plugin.conftest import Both, there
from tracker import cli, layout, reader
from tracker.reader import ReadRun
from tracker.registry import check_registry


def runs_of(store: Path) -> dict[str, ReadRun]:
    """The runs of a store by name."""
    return {run.file.name: run for run in reader.read_store(store).runs()}


def test_answers_of_the_fluent_api(everything: Both) -> None:
    """Runs, searches, artifacts, models and errors: all answers are equal, but for the two that are better here."""
    found = everything.differences()
    ours, theirs = found.pop("histories")
    for key, points in theirs.items():  # MLflow's files hold a point twice when a model of that step was logged
        assert ours[key] == sorted(map(list, {tuple(point) for point in points}))
    ours, theirs = found.pop("errors")
    assert ours == {**theirs, "way out": "INVALID_PARAMETER_VALUE", "default": "INVALID_PARAMETER_VALUE"}
    assert found == {}


def test_answers_of_the_registry(registered: Both) -> None:
    """Stages, aliases, tags, searches, copies and deletions: all answers are equal."""
    found = registered.differences()
    assert found.pop("of nothing", ("RESOURCE_DOES_NOT_EXIST",))[0] == "RESOURCE_DOES_NOT_EXIST"
    assert found == {}


def test_answers_of_autologging_and_optuna(autologged: Both) -> None:
    """A fit, a grid search with a run for each candidate and an Optuna study: all answers are equal."""
    assert autologged.differences() == {}
    assert len(autologged.ours["runs"]) == 5 and len(autologged.ours["trials"]) == 6


def test_the_store_is_ours(everything: Both) -> None:
    """What MLflow logged stands in our files: typed params, points, tags, parents, artifacts, models, data sets."""
    store = reader.read_store(everything.store)
    assert store.problems == ()
    runs = runs_of(everything.store)
    run = runs["renamed"]
    assert run.file.params["lr"] == 0.1 and run.file.params["flag"] is True and run.file.params["text"] == "1e-3"
    assert run.file.status == "FAILED" and run.file.tags["team"] == "vision"
    assert run.file.metrics["loss"].count == 20 and run.file.metrics["odd"].nonfinite == 2
    assert run.file.tags["dataset.iris data"].endswith(" (training)")
    assert run.file.source and run.file.source.script and run.file.source.script.endswith("everything.py")
    assert {runs[f"inner {number}"].file.parent for number in range(3)} == {run.file.run_id}
    artifacts = run.folder / layout.ARTIFACTS
    assert (artifacts / "notes" / "hello.txt").read_text() == "hello"
    assert all((artifacts / name / "MLmodel").is_file() for name in ("model", "model-2"))
    logged = {record["artifact"] for record in records(run) if "artifact" in record}
    assert {"single/one.txt", "many/sub/two.txt", "plots/line.png", "model/MLmodel"} <= logged
    assert runs["alone"].file.tags["tracker.holds"] == "model"


def records(run: ReadRun) -> list[dict[str, object]]:
    """The lines of the logs of a run."""
    return [json.loads(line) for path in (run.folder / "log").iterdir() for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["everything", "registered", "autologged"])
def test_nothing_personal_is_kept(name: str, request: pytest.FixtureRequest) -> None:
    """Neither the user nor a path of this machine stands in any file of the store."""
    both: Both = request.getfixturevalue(name)
    texts = [
        (path, path.read_text(errors="ignore"))
        for path in both.store.rglob("*")
        if path.is_file() and path.suffix not in (".pkl", ".png", ".skops")
    ]
    assert len(texts) > 30
    assert [path for path, text in texts if str(both.store.parent) in text or "mlflow.user" in text] == []


def test_tracker_loads_what_mlflow_logged(everything: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both loaders take the models by run, by version and by alias of tracker's, with their digests verified."""
    import pandas as pd

    monkeypatch.chdir(everything.store.parent)
    tracker.set_tracking_uri(everything.store)
    run = runs_of(everything.store)["renamed"]
    rows = pd.DataFrame([[5.1, 3.5, 1.4, 0.2]], columns=tracker_columns())
    for uri in (f"runs:/{run.file.run_id}/model", f"runs:/{run.file.run_id}/model:1", "models:/iris/1"):
        assert list(tracker.sklearn.load_model(uri).predict(rows)) == [0]
        assert list(tracker.pyfunc.load_model(uri).predict(rows)) == [0]
    assert tracker.models.get_model_info(f"runs:/{run.file.run_id}/model").model_uri.endswith("/model")


def tracker_columns() -> list[str]:
    """The features of the iris data."""
    return [f"{part} {size} (cm)" for part in ("sepal", "petal") for size in ("length", "width")]


def test_the_registry_is_ours(registered: Both) -> None:
    """Versions point to folders of runs that hold what their digests say, and the history has each change."""
    report = check_registry(registered.store)
    assert [finding for finding in report.findings if finding.severity == "error"] == []
    client = tracker.MlflowClient(registered.store)
    assert client.get_model_version_by_alias("numbers", "champion").version == "2"
    assert client.get_model_version("numbers", 3).current_stage == "Production"
    assert [version.version for version in client.get_latest_versions("numbers", ["Production"])] == ["3"]
    assert all(version.source.startswith("runs:/") for version in client.search_model_versions("name = 'numbers'"))


@pytest.mark.parametrize("name", ["everything", "registered", "autologged"])
def test_a_site_is_built_of_it(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """`tracker build` makes a page of each run, and finds no fault with the store."""
    both: Both = request.getfixturevalue(name)
    site = tmp_path / "site"
    done = CliRunner().invoke(cli.main, ["build", str(both.store), "--out", str(site), "--strict"])
    assert done.exit_code == 0, done.output
    runs = list(reader.read_store(both.store).runs())
    assert runs and all((site / "runs" / run.file.run_id / "index.html").is_file() for run in runs)


class Reread(NamedTuple):
    """What MLflow says of a store and of a copy elsewhere, and the files of the store before and after."""

    told: list[dict[str, Any]]
    before: dict[str, tuple[int, int]]
    after: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def reread(everything: Both, tmp_path_factory: pytest.TempPathFactory) -> Reread:
    """Both, loaded and listed."""
    folder = tmp_path_factory.mktemp("reread")
    before = stamps(everything.store)
    shutil.copytree(everything.store, folder / "moved")
    run_id = runs_of(everything.store)["renamed"].file.run_id
    uris = [f"tracker:{store}" for store in (everything.store, folder / "moved")]
    told = there("moved.py", uris[0], run_id, uris[1], folder=folder)
    return Reread(told, before, stamps(everything.store))


def test_a_moved_store_stays_readable(reread: Reread) -> None:
    """Nothing in the files says where they lie: a copy elsewhere gives artifacts and models."""
    assert reread.told == [{"text": "hello", "predictions": [0, 0, 0], "places": [True, True]}] * 2


def test_reading_changes_nothing(reread: Reread) -> None:
    """Loading models and listing through MLflow leaves every file of the store as it was."""
    assert reread.after == reread.before


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Sizes and times of all files."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
