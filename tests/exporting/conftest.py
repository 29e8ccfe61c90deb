"""A store with everything that a store can hold, and what MLflow 2 and 3 read of its export."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import tracker
from tests.environments import run_there
from tests.foreign.hand import START, Mlruns, run_id
from tracker.exporting import ExportReport, export_mlflow
from tracker.foreign.importing import import_store
from tracker.foreign.placing import ArtifactMode
from tracker.reader import read_store

READER = Path(__file__).with_name("read_mlflow.py")
VERSIONS = ("2", "3")
MODES: tuple[ArtifactMode, ...] = ("copy", "link", "leave")
HARD = [0.1, float("nan"), float("inf"), float("-inf"), 1e-300, -5.0]
HOSTILE = [
    *(
        "recall@5",
        "recall#5",
        "recall_5",
        "../../up",
        "/rooted",
        "a//b",
        "a/",
        "..",
        ".",
        "..x",
        "=1+1",
        "50%",
        "c:\\d",
    ),
    *("x" * 400, "é" * 200, "y/" * 200 + "y", "loss", "loss/train", "loss/train/deep", "\u202egnp.exe", "'; drop"),
]
"""Names of metrics, params and tags that MLflow or a file system refuses, or that lie in each other."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_FSYNC", "never")
    monkeypatch.setenv("TRACKER_USER", "Ada")


class Export(NamedTuple):
    """A store, its export, the report, and what an MLflow says of it."""

    store: Path
    out: Path
    report: ExportReport
    told: dict[str, Any]


@pytest.fixture(scope="session")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that ended in every way, nested ones, artifacts, models, a registry with a gap, and a trash."""
    folder = tmp_path_factory.mktemp("full")
    store = folder / "runs"
    patch = pytest.MonkeyPatch()
    patch.setenv("TRACKER_FSYNC", "never")
    patch.setenv("TRACKER_USER", "Ada")
    tracker.set_tracking_uri(store)
    sweep()
    models(folder)
    trash(folder, store)
    patch.undo()
    return store


def sweep() -> None:
    """Params of every type, points that are hard to write, tags, notes, nested runs, and every ending."""
    tracker.set_experiment("digits sweep", description="# Digits\n\nAll *of* them.", goal={"val/loss": "minimize"})
    tracker.set_experiment_tags({"team": "vision", "a/b": "x: y # z"})
    with tracker.start_run(run_name="it's a 'parent': ö 精度", description="A *note*.\nTwo lines."):
        tracker.log_params({"lr": 0.1, "layers": 3, "on": True, "none": None, "text": "a\nb", "big": "9" * 7000})
        tracker.log_params({"path/with/slash": "x", "nan": float("nan"), "empty": "", "number": "007"})
        for step, value in enumerate(HARD):
            tracker.log_metric("hard", value, step=step)
        for step in (3, 1, 2, 2):
            tracker.log_metric("val/loss", step / 7, step=step)
        tracker.log_metric("negative", 1.5, step=-4)
        tracker.set_tags({"release.version": "2.2.0", "a/b": "x: y # z\r\nnext", "unicode": "精度 'one' \"two\""})
        tracker.log_text("hello", "notes/deep/hello.txt")
        for number in range(2):
            with tracker.start_run(run_name=f"child {number}", nested=True):
                tracker.log_param("number", number)
    with pytest.raises(RuntimeError), tracker.start_run(run_name="crash"):
        raise RuntimeError("on purpose")
    tracker.start_run(run_name="killed")
    tracker.end_run("KILLED")
    tracker.set_experiment("Default")
    with tracker.start_run():
        tracker.log_metric("m", 1)
    tracker.create_experiment("empty: ö / 精度", tags={"team": "vision"})


def models(folder: Path) -> None:
    """Models of runs, one from elsewhere, stages, aliases and a deleted version."""
    tracker.set_experiment("models", goal={"r2": "maximize", "mse": "minimize"})
    model = LinearRegression().fit(np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 9.0]]), [1.0, 2.0, 3.0])
    options: dict[str, Any] = {"pip_requirements": [], "serialization_format": "cloudpickle"}
    for number in range(3):
        with tracker.start_run(run_name=f"fit {number}"):
            tracker.log_metric("r2", number / 4)
            tracker.sklearn.log_model(model, name="model", registered_model_name="price", **options)
    tracker.sklearn.save_model(model, folder / "elsewhere", **options)
    tracker.register_model(str(folder / "elsewhere"), "price", trust=True)
    client = tracker.Client()
    client.update_registered_model("price", "Predicts **prices**.\n\nFrom two numbers.")
    client.set_registered_model_tag("price", "owner", "team: a")
    client.update_model_version("price", "2", "The second.")
    client.set_model_version_tag("price", "2", "checked", "yes")
    client.transition_model_version_stage("price", "2", "Production")
    client.transition_model_version_stage("price", "4", "Staging")
    client.set_registered_model_alias("price", "champion", "2")
    client.set_registered_model_alias("price", "best", "champion")
    client.set_registered_model_alias("price", "next-one", "4")
    client.delete_model_version("price", "1")
    client.create_registered_model("no versions", tags={"a": "b"}, description="Later.")


def trash(folder: Path, store: Path) -> None:
    """A deleted run; and out of an older mlruns a deleted experiment and a run that never ended."""
    tracker.set_experiment("digits sweep")
    with tracker.start_run(run_name="deleted run") as run:
        tracker.log_metric("gone", 1.0)
        tracker.log_text("gone", "gone.txt")
    tracker.delete_run(run.info.run_id)
    old = Mlruns(folder / "old" / "mlruns")
    old.experiment("7", "old")
    old.run("7", run_id(7), "never ended", status=1, end_time="null")
    old.write(f"7/{run_id(7)}/metrics/loss", f"{START} 0.5 0\n")
    old.experiment(".trash/8", "deleted experiment", lifecycle_stage="deleted")
    old.meta(".trash/8", experiment_id="8", name="deleted experiment", lifecycle_stage="deleted", creation_time=START)
    old.run("8", run_id(8), "deleted with it")
    (old.root / "8" / run_id(8)).rename(old.root / ".trash" / "8" / run_id(8))
    (old.root / "8").rmdir()
    import_store(old.root, store)


@pytest.fixture(scope="session")
def hostile_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names that MLflow refuses wherever there is a name, and damage."""
    store = tmp_path_factory.mktemp("hostile") / "runs"
    patch = pytest.MonkeyPatch()
    patch.setenv("TRACKER_FSYNC", "never")
    tracker.set_tracking_uri(store)
    for experiment in ("=cmd|' /C calc'!A0", "../../up"):
        tracker.set_experiment(experiment)
        with tracker.start_run(run_name=f"@{experiment}", tags=dict.fromkeys(HOSTILE, "\x1b[2J\x00=1+1")):
            tracker.log_params(dict.fromkeys(HOSTILE, "-1+1"))
            for number, name in enumerate(HOSTILE):
                tracker.log_metric(name, number, step=number)
            tracker.log_text("secret", "fine.txt")
            run = tracker.active_run()
    assert run is not None
    folder = next(store.glob(f"experiments/*/runs/{run.info.run_id}"))
    (folder / "artifacts" / "link").symlink_to("/etc/hostname")
    experiment = folder.parent.parent / "experiment.yaml"
    experiment.write_text(re.sub("^id: .*", "id: models", experiment.read_text(), flags=re.MULTILINE))
    with next(folder.glob("log/*.jsonl")).open("a") as log:
        log.write("no record\n")
    registry(store, folder)
    patch.undo()
    return store


def registry(store: Path, run: Path) -> None:
    """Registered models as people may have edited them."""
    for slug, name in (("up", ".."), ("off", "50% off"), ("off-2", "50/ off"), ("none", "x" * 300)):
        folder = store / "registry" / slug
        (folder / "versions").mkdir(parents=True)
        model = {"name": name, "aliases": {"../up": "1", "v2": "1", "good": "1"}, "tags": {"a@b": "c", "..": "d"}}
        (folder / "model.yaml").write_text(json.dumps({**model, "stages": ["Canary"]}))
        place = run.relative_to(store).as_posix() + "/artifacts"
        for number, path in enumerate((f"{place}/fine.txt", f"{place}/../../../..", "experiments/gone", "/etc"), 1):
            version = {"version": number, "path": path, "digest": "sha256:00", "stage": "Canary", "tags": {"a@b": "c"}}
            (folder / "versions" / f"{number}.yaml").write_text(json.dumps(version))


@pytest.fixture(scope="session", params=VERSIONS)
def exports(
    request: pytest.FixtureRequest, full_store: Path, hostile_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Export]:
    """Exports with artifacts copied, linked and left, one that MLflow wrote to afterwards, one of the hostile store."""
    folder = tmp_path_factory.mktemp("exports")
    outs = {mode: folder / f"mlruns ö {mode}" for mode in (*MODES, "written", "hostile")}
    stores = {name: hostile_store if name == "hostile" else full_store for name in outs}
    reports = {
        name: export_mlflow(stores[name], out, artifacts=name if name in MODES else "copy")
        for name, out in outs.items()
    }
    fits = [run for run in read_store(full_store).runs() if run.file.name.startswith("fit")]
    uris = [f"runs:/{run.file.run_id}/model" for run in fits]
    uris += [f"models:/price/{number}" for number in (2, 3, 4)]
    uris += ["models:/price@champion", "models:/price@best", "models:/price/Production", "models:/price/Staging"]
    asked: dict[str, dict[str, Any]] = {
        "copy": {},  # MLflow writes into models that it loads from its registry
        "link": {"predict": [uris[0], uris[4], uris[5]]},
        "leave": {"predict": uris[:3]},
        "written": {"predict": uris, "write": fits[0].file.run_id},
        "hostile": {},
    }
    told = ask(request.param, *((str(outs[name]), wanted) for name, wanted in asked.items()))
    return {name: Export(stores[name], outs[name], reports[name], one) for name, one in zip(outs, told, strict=True)}


@pytest.fixture(scope="session")
def exported(exports: dict[str, Export]) -> Export:
    """The export of that store, as MLflow 2 or 3 reads it."""
    return exports["copy"]


def ask(version: str, *jobs: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What MLflow's API says of folders."""
    answer: list[dict[str, Any]] = run_there(f"mlflow{version}", READER, json.dumps(jobs))
    assert all(told["version"].startswith(f"{version}.") for told in answer)
    return answer


def stamps(folder: Path) -> dict[Path, int]:
    """When each file of a folder was written."""
    time.sleep(0.01)
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
