"""The quickstart: a logistic regression, once for each strength of regularisation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split

import tracker
from tracker.demo.parts import Data, Job, log_predictions

NAME = "iris-quickstart"
MODEL = "iris-classifier"
ABOUT = """\
The first model of most courses: **logistic regression** on Fisher's 150 irises, one run for each strength of
regularisation. A third of the flowers is held out for testing.

Accuracy hardly tells the runs apart on 50 flowers; `log_loss` does, because it also asks how sure the model was.
"""
NOTE = """\
50 flowers that the model has not seen. *Versicolor* and *virginica* are the pair to watch: `confusion_matrix.csv` has
who was taken for whom.
"""
GOAL = {"log_loss": "minimize", "accuracy": "maximize", "f1_macro": "maximize"}


def jobs() -> Iterator[Job]:
    """Four runs, and a version of the registered model for each."""
    for c in (0.01, 0.1, 1.0, 10.0):
        yield Job(f"iris: logistic regression, C={c:g}", partial(train, c))


def train(c: float) -> None:
    """Fit a model and log what went in and what came out."""
    iris = load_iris(as_frame=True)
    data = Data(*train_test_split(iris.data, iris.target, test_size=1 / 3, stratify=iris.target, random_state=0))
    tracker.set_experiment(NAME, description=ABOUT, goal=GOAL)
    with tracker.start_run(run_name=f"logistic-C{c:g}", description=NOTE, tags={"dataset": "iris"}):
        tracker.log_params({"model": "LogisticRegression", "C": c, "max_iter": 500})
        model = LogisticRegression(C=c, max_iter=500).fit(data.x_train, data.y_train)
        predicted = model.predict(data.x_val)
        tracker.log_metrics(
            {
                "accuracy": accuracy_score(data.y_val, predicted),
                "f1_macro": f1_score(data.y_val, predicted, average="macro"),
                "log_loss": log_loss(data.y_val, model.predict_proba(data.x_val)),
            }
        )
        log_predictions(data.y_val, predicted, list(iris.target_names))
        tracker.sklearn.log_model(
            model,
            name="model",
            serialization_format="skops",
            input_example=data.x_val[:3],
            registered_model_name=MODEL,
        )
