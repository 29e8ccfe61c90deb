"""Writes a store with MLflow's own API, and prints what that API says is in it. Runs with MLflow's Python, 2 and 3."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import ViewType
from sklearn.linear_model import LinearRegression

NEW = int(mlflow.__version__.partition(".")[0]) >= 3
HARD_VALUES = [0.1, float("nan"), float("inf"), float("-inf"), 1e-300, -5.0]
ROWS = [[1.0, 2.0], [3.0, 5.0], [4.0, 9.0]]


def write() -> None:
    """Everything that a store of files can hold."""
    client = MlflowClient()
    sweep(client)
    models(client)
    deleted(client)
    client.create_experiment("empty: ö / 精度", tags={"team": "vision", "mlflow.note.content": "# Nothing yet"})


def sweep(client: MlflowClient) -> None:
    """Params, points, tags, notes, nested runs, artifacts and data sets."""
    mlflow.set_experiment("digits sweep")
    with mlflow.start_run(run_name="parent", description="A *note*.\nTwo lines.") as parent:
        mlflow.log_params(
            {"lr": 0.1, "layers": 3, "optimizer": "adam", "on": True, "none": None, "path/with/slash": "x"}
        )
        mlflow.log_params({"text": "1_000", "zero": "007", "big": "9" * 400, "exact": "1e-05"})
        for step, value in enumerate(HARD_VALUES):
            mlflow.log_metric("hard", value, step=step)
        for step in (3, 1, 2, 2):
            mlflow.log_metric("val/loss of all", step / 7, step=step)
        mlflow.log_metric("negative", 1.5, step=-4)
        mlflow.set_tags({"release.version": "2.2.0", "a/b": "x: y # z", "empty": "", "unicode": "精度 'one' \"two\""})
        frame = pd.DataFrame({"x": [1, 2, 3], "y": [0.5, 1.0, 2.0]})
        data = mlflow.data.from_pandas(frame, name="my-data", source="https://example.org/a b.csv")
        mlflow.log_input(data, context="training")
        mlflow.log_metrics({"with dataset": 0.25}, step=7, **({"dataset": data} if NEW else {}))
        mlflow.log_text("hello", "notes/deep/hello.txt")
        mlflow.log_dict({"a": [1, 2]}, "config.json")
        for number in range(2):
            with mlflow.start_run(run_name=f"child {number}", nested=True):
                mlflow.log_param("number", number)
                with mlflow.start_run(nested=True):
                    mlflow.log_metric("m", number)
    twice = client.create_run(parent.info.experiment_id, run_name="twice")
    for _ in range(2):
        client.log_metric(twice.info.run_id, "loss", 0.5, timestamp=1_700_000_000_000, step=1)
    client.log_metric(twice.info.run_id, "loss", 0.75, timestamp=1_700_000_000_000, step=1)
    client.set_terminated(twice.info.run_id, "FAILED")
    client.create_run(parent.info.experiment_id, run_name="never ended", start_time=1_600_000_000_000)
    killed = client.create_run(parent.info.experiment_id, start_time=1_600_000_000_000)
    client.set_terminated(killed.info.run_id, "KILLED", end_time=1_600_000_500_000)


def models(client: MlflowClient) -> None:
    """Models of runs, and a registry with a gap."""
    mlflow.set_experiment("models")
    model = LinearRegression().fit(np.array(ROWS), [1.0, 2.0, 3.0])
    word = "name" if NEW else "artifact_path"
    options: dict[str, Any] = {"pip_requirements": [], "serialization_format": "cloudpickle"}
    for number in range(4):
        with mlflow.start_run(run_name=f"fit {number}"):
            mlflow.log_metric("r2", number / 4)
            mlflow.sklearn.log_model(model, registered_model_name="price", **{word: "model"}, **options)
            if number == 3:
                mlflow.sklearn.log_model(model, **{word: "sub"}, **options)
    client.update_registered_model("price", "Predicts **prices**.\n\nFrom two numbers.")
    client.set_registered_model_tag("price", "owner", "team: a")
    client.update_model_version("price", "2", "The second.")
    client.set_model_version_tag("price", "2", "checked", "yes")
    client.transition_model_version_stage("price", "2", "Production")
    client.transition_model_version_stage("price", "4", "Staging")
    client.set_registered_model_alias("price", "champion", "2")
    client.set_registered_model_alias("price", "next-one", "4")
    client.delete_model_version("price", "3")
    client.create_registered_model("no versions", tags={"a": "b"}, description="Later.")


def deleted(client: MlflowClient) -> None:
    """A run and an experiment in the trash."""
    experiment = client.get_experiment_by_name("digits sweep")
    run = client.create_run(experiment.experiment_id, run_name="deleted run")
    client.log_metric(run.info.run_id, "gone", 1.0)
    client.delete_run(run.info.run_id)
    gone = client.create_experiment("deleted experiment")
    run = client.create_run(gone, run_name="deleted with it")
    client.log_param(run.info.run_id, "p", "v")
    client.set_terminated(run.info.run_id)
    client.delete_experiment(gone)


def report() -> dict[str, Any]:
    """What MLflow's API returns."""
    client = MlflowClient()
    experiments = client.search_experiments(view_type=ViewType.ALL)
    ids = [one.experiment_id for one in experiments]
    found = [run for one in ids for run in client.search_runs([one], run_view_type=ViewType.ALL)]
    return {
        "version": mlflow.__version__,
        "experiments": [
            {"id": one.experiment_id, "name": one.name, "tags": dict(one.tags), "stage": one.lifecycle_stage}
            for one in experiments
        ],
        "runs": [run_report(client, run) for run in found],
        "models": [model_report(client, model) for model in client.search_registered_models()],
    }


def run_report(client: MlflowClient, run: Any) -> dict[str, Any]:
    """A run with all its points, numbers as their repr."""
    history = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
    return {
        "run_id": run.info.run_id,
        "experiment_id": run.info.experiment_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "start_time": run.info.start_time,
        "end_time": run.info.end_time,
        "stage": run.info.lifecycle_stage,
        "params": dict(run.data.params),
        "tags": dict(run.data.tags),
        "latest": {key: repr(float(value)) for key, value in run.data.metrics.items()},
        "points": {
            key: sorted([point.step, point.timestamp, repr(float(point.value))] for point in points)
            for key, points in history.items()
        },
        "artifacts": sorted(artifacts(client, run.info.run_id)),
        "datasets": sorted([one.dataset.name, one.dataset.digest] for one in run.inputs.dataset_inputs),
    }


def artifacts(client: MlflowClient, run_id: str, path: str | None = None) -> Any:
    """Paths and sizes of all artifacts of a run."""
    for entry in client.list_artifacts(run_id, path):
        if entry.is_dir:
            yield from artifacts(client, run_id, entry.path)
        else:
            yield [entry.path, entry.file_size]


def model_report(client: MlflowClient, model: Any) -> dict[str, Any]:
    """A registered model with its versions."""
    versions = client.search_model_versions(f"name = '{model.name}'")
    return {
        "name": model.name,
        "description": model.description or "",
        "tags": dict(model.tags),
        "aliases": {alias: str(version) for alias, version in model.aliases.items()},
        "versions": {
            str(one.version): {
                "stage": one.current_stage,
                "description": one.description or "",
                "tags": dict(one.tags),
                "run_id": one.run_id,
                "created": one.creation_timestamp,
                "aliases": sorted(client.get_model_version(model.name, one.version).aliases),
            }
            for one in versions
        },
    }


if __name__ == "__main__":
    path = Path(sys.argv[1]).absolute()
    place = f"sqlite:///{path.as_posix()}" if path.suffix == ".db" else path.as_uri()
    mlflow.set_tracking_uri(place)
    mlflow.set_registry_uri(place)
    write()
    print(json.dumps(report()))
