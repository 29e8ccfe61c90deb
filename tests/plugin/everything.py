"""Runs in an environment with MLflow: the fluent API and the client from end to end, and what they answer."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import Metric, Param, RunTag, ViewType
from scripts import REQUIREMENTS, Answers, error_of, model_of, registered_of, run_of, tags_of, version_of
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

answers = Answers()
client = mlflow.MlflowClient()


def log_files() -> None:
    """Artifacts of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sub").mkdir()
        Path(folder, "one.txt").write_text("one")
        Path(folder, "sub", "two.txt").write_text("two")
        mlflow.log_artifact(Path(folder, "one.txt"), "single")
        mlflow.log_artifacts(folder, "many")
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.log_dict({"a": [1, 2]}, "config.json")
    mlflow.log_table({"question": ["a", "b"], "score": [1, 2]}, "table.json")
    mlflow.log_table({"question": ["c"], "score": [3]}, "table.json")
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    mlflow.log_figure(figure, "plots/line.png")
    mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "black.png")


def log_numbers() -> None:
    """Params, metrics and tags of each kind."""
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"layers": 3, "name": "adam", "flag": True, "none": None, "text": "1e-3", "nested": {"a": 1}})
    for step in range(20):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"train/acc": 0.5, "val/acc": 0.25}, step=3)
    mlflow.log_metric("odd", float("nan"), step=1)
    mlflow.log_metric("odd", float("inf"), step=2)
    mlflow.log_metric("same", 1.0, step=5, timestamp=1_700_000_000_000)
    mlflow.log_metric("same", 3.0, step=5, timestamp=1_700_000_000_000)
    mlflow.log_metric("same", 2.0, step=5, timestamp=1_700_000_000_000)
    mlflow.set_tag("team", "vision")
    mlflow.set_tags({"a": 1, "b": "two"})
    mlflow.delete_tag("b")


def log_models(features: pd.DataFrame, model: LogisticRegression) -> None:
    """Two models of one name, one of them registered, and one outside of any run."""
    logged = []
    for number in (1, 2):
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            input_example=features.head(2) if number == 1 else None,
            registered_model_name="iris" if number == 1 else None,
            pip_requirements=REQUIREMENTS,
            serialization_format="cloudpickle",
            step=number,
        )
        answers.name(info.model_id, f"model {number}")
        logged.append(info)
    mlflow.log_metric("test/acc", 0.75, model_id=logged[1].model_id)
    mlflow.log_metrics({"test/acc": 0.875, "test/f1": 0.5}, step=2, model_id=logged[1].model_id)
    client.set_logged_model_tags(logged[1].model_id, {"kind": "linear", "gone": "soon"})
    client.delete_logged_model_tag(logged[1].model_id, "gone")
    answers.say("uri of the version", f"models:/iris/{logged[0].registered_model_version}")


def main() -> None:
    """One script of somebody's, and all that it could ask."""
    features, target = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=300).fit(features, target)
    experiment = mlflow.set_experiment("end to end")
    answers.name(experiment.experiment_id, "experiment")
    mlflow.set_experiment_tags({"owner": "lab", "stage": "early"})
    dataset = mlflow.data.from_pandas(features, name="iris data", source="https://example.org/iris.csv")
    with mlflow.start_run(run_name="outer", description="A *note*.", tags={"first": "yes"}) as outer:
        answers.name(outer.info.run_id, "outer")
        log_numbers()
        log_files()
        mlflow.log_input(dataset, context="training", tags={"split": "a"})
        mlflow.log_input(dataset, context="training")
        log_models(features, model)
        for number in range(3):
            with mlflow.start_run(run_name=f"inner {number}", nested=True) as inner:
                answers.name(inner.info.run_id, f"inner {number}")
                mlflow.log_metric("score", number)
    alone = mlflow.sklearn.log_model(
        model, name="alone", pip_requirements=REQUIREMENTS, serialization_format="cloudpickle", params={"depth": 3}
    )
    answers.name(alone.model_id, "model alone")
    ask(outer.info.run_id, features, model)
    ask_of_models(alone.model_id, outer.info.run_id)
    change(outer.info.run_id)
    fail(outer.info.run_id)
    answers.print()


def ask(run_id: str, features: pd.DataFrame, model: LogisticRegression) -> None:
    """Everything that reads runs and artifacts."""
    answers.say("run", run_of(client.get_run(run_id)))
    keys = ("loss", "odd", "same", "test/acc", "missing")
    histories = {key: client.get_metric_history(run_id, key) for key in keys}
    answers.say(
        "histories", {key: sorted([m.step, repr(m.value)] for m in points) for key, points in histories.items()}
    )
    for path in (None, "many", "many/sub", "notes", "model", "nowhere"):
        found = [(f.path, f.is_dir, f.file_size) for f in client.list_artifacts(run_id, path)]
        sizes = [f for f in found if f[0] != "datasets.json"]
        answers.say(f"artifacts in {path}", [one if one[0].find("/MLmodel") < 0 else one[:2] for one in sizes])
    answers.say("text", mlflow.artifacts.load_text(f"runs:/{run_id}/notes/hello.txt"))
    answers.say("dict", mlflow.artifacts.load_dict(f"runs:/{run_id}/config.json"))
    answers.say("table", mlflow.load_table("table.json", run_ids=[run_id]).to_dict("list"))
    for uri in (f"runs:/{run_id}/model", "models:/iris/1", "models:/iris/latest"):
        loaded = mlflow.pyfunc.load_model(uri), mlflow.sklearn.load_model(uri)
        answers.say(
            f"predictions of {uri}", [bool((one.predict(features) == model.predict(features)).all()) for one in loaded]
        )
        answers.say(
            f"files of {uri}", sorted(path.name for path in Path(mlflow.artifacts.download_artifacts(uri)).iterdir())
        )
    answers.say("signature", str(mlflow.models.get_model_info("models:/iris/1").signature))
    queries = {
        "metrics.loss < 0.1": ["metrics.score DESC"],
        "params.lr = '0.1' and tags.team = 'vision'": [],
        "attributes.run_name LIKE 'inner%'": ["metrics.score DESC"],
        "tags.`mlflow.parentRunId` = '" + run_id + "'": ["attributes.start_time ASC"],
        "datasets.name = 'iris data'": [],
        "status = 'FINISHED'": ["params.lr", "metrics.score"],
        "": ["metrics.score ASC"],
    }
    for query, order in queries.items():
        found = mlflow.search_runs(
            experiment_names=["end to end"], filter_string=query, order_by=order, output_format="list"
        )
        answers.say(f"runs with {query}", [run.info.run_name for run in found])
    frame = mlflow.search_runs(experiment_names=["end to end"])
    answers.say("columns", sorted(column for column in frame.columns if not column.startswith("tags.")))
    page = client.search_runs([client.get_run(run_id).info.experiment_id], max_results=3)
    more = client.search_runs([client.get_run(run_id).info.experiment_id], max_results=3, page_token=page.token)
    answers.say("pages", [len(page), len(more), page.token is not None, more.token])
    answers.say(
        "children",
        sorted(
            run.info.run_name
            for run in client.search_runs([client.get_run(run_id).info.experiment_id], "attributes.run_name != 'outer'")
        ),
    )
    answers.say(
        "parent",
        client.get_parent_run(found[0].info.run_id).info.run_name
        if found[0].data.tags.get("mlflow.parentRunId")
        else "",
    )


def ask_of_models(alone: str, run_id: str) -> None:
    """Everything that reads logged models."""
    found = mlflow.search_logged_models(
        experiment_ids=[client.get_run(run_id).info.experiment_id], output_format="list"
    )
    answers.say("models", [model_of(model) for model in found])
    answers.say("model alone", model_of(mlflow.get_logged_model(alone)))
    ids = [client.get_run(run_id).info.experiment_id]
    for query in ("name = 'model'", "metrics.`test/f1` > 0.4", "params.lr = '0.1'", "tags.kind = 'linear'"):
        matching = mlflow.search_logged_models(experiment_ids=ids, filter_string=query, output_format="list")
        answers.say(f"models with {query}", [model.model_id for model in matching])
    client.finalize_logged_model(alone, "FAILED")
    answers.say("failed", str(mlflow.get_logged_model(alone).status))
    client.delete_logged_model(alone)
    answers.say("deleted model", error_of(lambda: mlflow.get_logged_model(alone)))
    answers.say("no model", error_of(lambda: mlflow.get_logged_model("m-" + "0" * 32)))
    made = mlflow.initialize_logged_model("later", params={"a": 1}, tags={"t": "1"}, source_run_id=run_id)
    answers.name(made.model_id, "model later")
    answers.say("pending", model_of(mlflow.get_logged_model(made.model_id)))
    client.log_model_params(made.model_id, {"b": "2"})
    answers.say("ready", model_of(mlflow.finalize_logged_model(made.model_id, "READY")))


def change(run_id: str) -> None:
    """What changes runs and experiments afterwards."""
    client.update_run(run_id, name="renamed")
    client.log_batch(run_id, [Metric("late", 1.0, 1_700_000_000_000, 7)], [Param("late", "x")], [RunTag("late", "y")])
    answers.say("changed", run_of(client.get_run(run_id)))
    with mlflow.start_run(run_id=run_id):
        answers.say("resumed", mlflow.active_run().info.status)
        mlflow.log_metric("resumed", 1)
    client.set_terminated(run_id, "FAILED")
    answers.say("ended again", run_of(client.get_run(run_id))["status"])
    made = client.create_run(
        client.get_run(run_id).info.experiment_id,
        run_name="by the client",
        tags={"k": "v"},
        start_time=1_600_000_000_000,
    )
    answers.name(made.info.run_id, "by the client")
    answers.say("made", [run_of(made), made.info.start_time])
    client.delete_run(made.info.run_id)
    answers.say("deleted", run_of(client.get_run(made.info.run_id))["stage"])
    experiment = client.get_run(run_id).info.experiment_id
    deleted = client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)
    answers.say("deleted runs", [run.info.run_name for run in deleted])
    answers.say("logging to it", error_of(lambda: client.log_metric(made.info.run_id, "a", 1)))
    client.restore_run(made.info.run_id)
    answers.say("restored", run_of(client.get_run(made.info.run_id))["stage"])
    client.set_terminated(made.info.run_id, end_time=1_600_000_001_000)
    answers.say("end time", client.get_run(made.info.run_id).info.end_time)
    change_experiments()
    answers.say("registered", [registered_of(one) for one in client.search_registered_models()])
    answers.say("versions", [version_of(one) for one in client.search_model_versions("name = 'iris'")])


def change_experiments() -> None:
    """Experiments made, found, renamed, deleted and restored."""
    made = answers.name(client.create_experiment("another", tags={"x": "1"}), "another")
    run = answers.name(client.create_run(made, run_name="of another").info.run_id, "of another")
    client.set_terminated(run)
    client.rename_experiment(made, "another name")
    client.set_experiment_tag(made, "y", "2")
    client.delete_experiment_tag(made, "x")
    found = client.get_experiment(made)
    answers.say("experiment", [found.name, found.lifecycle_stage, tags_of(found.tags)])
    answers.say("by name", client.get_experiment_by_name("another name").experiment_id)
    answers.say("of no name", client.get_experiment_by_name("another"))
    answers.say("experiments", [one.name for one in client.search_experiments()])
    answers.say("experiments with", [one.name for one in client.search_experiments(filter_string="tags.y = '2'")])
    client.delete_experiment(made)
    answers.say(
        "deleted experiment", [client.get_experiment(made).lifecycle_stage, client.get_run(run).info.lifecycle_stage]
    )
    answers.say("experiments left", [one.name for one in client.search_experiments()])
    answers.say("experiments deleted", [one.name for one in client.search_experiments(view_type=ViewType.DELETED_ONLY)])
    answers.say("its name", error_of(lambda: client.create_experiment("another name")))
    answers.say("running in it", error_of(lambda: client.create_run(made)))
    client.restore_experiment(made)
    answers.say(
        "restored experiment", [client.get_experiment(made).lifecycle_stage, client.get_run(run).info.lifecycle_stage]
    )


def fail(run_id: str) -> None:
    """The codes of errors that MLflow's own code looks at."""
    calls = {
        "no run": lambda: client.get_run("0" * 32),
        "no id": lambda: client.get_run("nothing"),
        "no experiment": lambda: client.get_experiment("123"),
        "taken": lambda: client.create_experiment("end to end"),
        "param": lambda: client.log_param(run_id, "lr", 0.2),
        "same param": lambda: client.log_param(run_id, "lr", 0.1),
        "tag": lambda: client.delete_tag(run_id, "nothing"),
        "query": lambda: client.search_runs([], "metrics.loss <<< 1"),
        "query of runs": lambda: client.search_runs([client.get_run(run_id).info.experiment_id], "metrics.loss <<< 1"),
        "text as metric": lambda: client.log_metric(run_id, "a", "b"),
        "no model": lambda: client.get_registered_model("nothing"),
        "no version": lambda: client.get_model_version("iris", 9),
        "no artifact": lambda: mlflow.artifacts.download_artifacts(f"runs:/{run_id}/nothing"),
        "way out": lambda: client.log_text(run_id, "x", "../out.txt"),
        "default": lambda: client.delete_experiment("0"),
    }
    answers.say("errors", {name: error_of(call) for name, call in calls.items()})


main()
