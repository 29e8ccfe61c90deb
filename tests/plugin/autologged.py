"""Runs in an environment with MLflow: what the integrations of scikit-learn and Optuna log, and what MLflow answers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
import optuna
from optuna_integration.mlflow import MLflowCallback
from scripts import Answers, model_of, run_of
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

answers = Answers()
client = mlflow.MlflowClient()
TIMED = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


def steady(run: object) -> dict:  # type: ignore[type-arg]
    """A run without what another machine would measure otherwise."""
    found = run_of(run)
    found["metrics"] = {key: value for key, value in found["metrics"].items() if key not in TIMED}
    for key in ("mlflow.log-model.history", "optuna.datetime_start"):
        found["tags"].pop(key, None)
    found["tags"] = {k: v for k, v in found["tags"].items() if "date" not in k}
    return found


def autolog() -> None:
    """One estimator, and a search with a run for each candidate."""
    mlflow.sklearn.autolog(silent=True, max_tuning_runs=None)
    features, target = load_iris(return_X_y=True, as_frame=True)
    experiment = mlflow.set_experiment("autologged").experiment_id
    answers.name(experiment, "autologged")
    with mlflow.start_run(run_name="one") as run:
        answers.name(run.info.run_id, "one")
        model = LogisticRegression(max_iter=200).fit(features, target)
        model.score(features, target)
    (logged,) = mlflow.search_logged_models(experiment_ids=[experiment], output_format="list")
    answers.name(logged.model_id, "logged model")
    predicted = mlflow.pyfunc.load_model(logged.model_uri).predict(features)
    answers.say("model", [model_of(logged), bool((predicted == model.predict(features)).all())])
    mlflow.sklearn.autolog(silent=True, log_models=False, max_tuning_runs=None)
    with mlflow.start_run(run_name="search") as run:
        answers.name(run.info.run_id, "search")
        GridSearchCV(LogisticRegression(max_iter=200), {"C": [0.1, 1.0, 10.0]}, cv=3).fit(features, target)
    mlflow.sklearn.autolog(disable=True)
    answers.say("runs", sorted((without_name(one) for one in client.search_runs([experiment])), key=str))
    for name in ("one", "search"):
        (found,) = client.search_runs([experiment], f"attributes.run_name = '{name}'")
        paths = {file.path for file in client.list_artifacts(found.info.run_id)} - {"datasets.json"}
        answers.say(f"artifacts of {name}", sorted(paths))


def without_name(run: object) -> dict:  # type: ignore[type-arg]
    """A run of a search; MLflow makes up the names of those for the candidates."""
    found = steady(run)
    if "mlflow.parentRunId" in found["tags"]:
        found["name"] = ""
        found["tags"].pop("mlflow.runName")
    found["datasets"] = sorted(found["datasets"], key=str)
    for dataset in found["datasets"]:
        dataset.pop("source")  # the script of whoever ran it
    return found


def study() -> None:
    """An Optuna study whose callback logs each trial."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    callback = MLflowCallback(tracking_uri=sys.argv[1], metric_name="distance", mlflow_kwargs={"nested": True})

    @callback.track_in_mlflow()
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -10, 10)
        mlflow.log_metric("x seen", x)
        return float((x - 2) ** 2)

    made = optuna.create_study(study_name="a study", sampler=optuna.samplers.RandomSampler(seed=1))
    made.optimize(objective, n_trials=6, callbacks=[callback])
    experiment = client.get_experiment_by_name("a study").experiment_id
    found = client.search_runs([experiment], order_by=["metrics.distance ASC"])
    answers.say("trials", [{**steady(run), "best": run.info.run_name == str(made.best_trial.number)} for run in found])


autolog()
study()
answers.print()
