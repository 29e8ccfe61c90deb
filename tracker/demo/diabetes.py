"""Nested cross validation, and gradient descent by hand with a learning rate that is too large."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold

import tracker
from tracker.demo.parts import Array, Data, Job, as_csv

STUDY = "diabetes-progression"
ABOUT_STUDY = """\
Disease progression one year after baseline, from ten measurements of 442 patients.

Three models in **five-fold cross validation**: one run for the study, in it one for each model, in that one for each
fold. Folds log `val/...`, the models the means of their folds as `cv/...`.

`rmse` and `mae` are in points of the progression score (25 to 346), `r2` has no unit.
"""
DESCENT = "gradient-descent"
ABOUT_DESCENT = """\
Linear regression by plain gradient descent in single precision, to show what the **learning rate** does: too small
and it crawls, too large and it explodes. `loss` is the mean squared error of the standardised progression score.

The run that diverges stays as it was logged: its last losses are infinite, then not a number.
"""
GOAL = {"rmse": "minimize", "mae": "minimize", "r2": "maximize"}
STUDY_GOAL = {f"{stage}/{metric}": goal for stage in ("cv", "val") for metric, goal in GOAL.items()}
DESCENT_GOAL = {"loss": "minimize"}
DESCENT_STEPS = 400
FOLDS = 5
CANDIDATES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "ridge": (Ridge, {"alpha": 0.1}),
    "forest": (RandomForestRegressor, {"n_estimators": 100, "min_samples_leaf": 5, "random_state": 0}),
    "boosting": (
        GradientBoostingRegressor,
        {"n_estimators": 120, "learning_rate": 0.05, "subsample": 0.7, "max_depth": 2, "random_state": 0},
    ),
}


def jobs() -> Iterator[Job]:
    """The study with its 19 runs, and four runs of gradient descent."""
    yield Job("diabetes: cross validation", cross_validate)
    for rate in (0.003, 0.03, 0.2, 0.3):
        yield Job(f"diabetes: gradient descent, learning rate {rate:g}", partial(descend, rate))


def cross_validate() -> None:
    """A run for the study, in it one for each model, in that one for each fold."""
    tracker.set_experiment(STUDY, description=ABOUT_STUDY, goal=STUDY_GOAL)
    with tracker.start_run(run_name="model-selection", tags={"dataset": "diabetes"}):
        tracker.log_params({"folds": FOLDS, "shuffle_seed": 0})
        rmse = {name: validate(name, model, params) for name, (model, params) in CANDIDATES.items()}
        chosen = min(rmse, key=rmse.__getitem__)
        tracker.log_metric("chosen/rmse", rmse[chosen])
        tracker.set_tag("chosen", chosen)


def validate(name: str, kind: Any, params: dict[str, Any]) -> float:
    """Train one model on each fold and log the means of its scores; returns the mean error."""
    x, y = load_diabetes(return_X_y=True)
    with tracker.start_run(run_name=name, nested=True):
        tracker.log_params({"model": kind.__name__, **params})
        splits = KFold(FOLDS, shuffle=True, random_state=0).split(x)
        scores = [
            train_fold(f"{name}-fold{fold}", kind(**params), Data(x[train], x[val], y[train], y[val]))
            for fold, (train, val) in enumerate(splits)
        ]
        means = {f"cv/{key}": float(np.mean([score[key] for score in scores])) for key in scores[0]}
        tracker.log_metrics(means)
    return means["cv/rmse"]


def train_fold(name: str, model: Any, data: Data) -> dict[str, float]:
    """One fold as a run of its own, with a curve where the model is built tree by tree."""
    with tracker.start_run(run_name=name, nested=True):
        tracker.log_params({"model": type(model).__name__, "train_rows": len(data.x_train)})
        model.fit(data.x_train, data.y_train)
        stages = model.staged_predict(data.x_val) if hasattr(model, "staged_predict") else [model.predict(data.x_val)]
        for step, predicted in enumerate(stages):
            scores = score(data.y_val, predicted)
            tracker.log_metrics({f"val/{key}": value for key, value in scores.items()}, step=step)
        pairs = np.column_stack([data.y_val, predicted.round(1)])
        tracker.log_text(as_csv(["true", "predicted"], pairs), "predictions.csv")
    return scores


def score(truth: Array, predicted: Array) -> dict[str, float]:
    """The usual three of regression."""
    return {
        "rmse": float(root_mean_squared_error(truth, predicted)),
        "mae": float(mean_absolute_error(truth, predicted)),
        "r2": r2_score(truth, predicted),
    }


def descend(rate: float) -> None:
    """Least squares by hand. Too large a step overflows single precision, and that is logged like the rest."""
    x, y = (standardise(part) for part in load_diabetes(return_X_y=True, scaled=False))
    weights = np.zeros(x.shape[1], np.float32)
    tracker.set_experiment(DESCENT, description=ABOUT_DESCENT, goal=DESCENT_GOAL)
    with tracker.start_run(run_name=f"descent-rate{rate:g}"), np.errstate(over="ignore", invalid="ignore"):
        tracker.log_params({"learning_rate": rate, "steps": DESCENT_STEPS, "precision": "float32"})
        for step in range(DESCENT_STEPS):
            residual = x @ weights - y
            gradient = 2 * x.T @ residual / np.float32(len(y))
            tracker.log_metric("loss", float(np.mean(residual**2)), step=step)
            tracker.log_metric("gradient_norm", float(np.linalg.norm(gradient)), step=step)
            weights -= np.float32(rate) * gradient
        tracker.log_dict({"weights": weights.tolist()}, "weights.json")


def standardise(values: Array) -> Array:
    """Mean 0 and standard deviation 1, in single precision."""
    scaled: Array = (values - values.mean(axis=0)) / values.std(axis=0)
    return scaled.astype(np.float32)
