"""A sweep over three families of models with three seeds each, and one run with a bug in it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import tracker
from tracker.demo.parts import Array, Data, Job, cross_entropy, log_predictions, png

NAME = "digits-sweep"
ABOUT = """\
Which family of models reads digits of 8 x 8 pixels best? Each setting is trained with **three seeds**, so that a
difference can be told from luck.

| family | varied | a step is |
|---|---|---|
| `mlp` | hidden layers, learning rate | a batch of 64 images |
| `sgd` | `alpha` (L2 penalty) | a batch of 64 images |
| `boosting` | learning rate | one more tree for each digit |

Losses are cross entropies in nats. 1,257 images train, 540 validate; the split is the same for all runs.
"""
BUG = """\
Random crops were meant to start at step 150, but the crop **forgets to pad**: the model gets 7 x 7 pixels
and refuses them.

Next: pad the crop to 8 x 8 and run again.
"""
GOAL = {"val/accuracy": "maximize", "val/loss": "minimize", "train/loss": "minimize"}

Fit = Callable[[Any], None]

SEEDS = (0, 1, 2)
BATCHES = 240
TREES = 60
BATCH_SIZE = 64
VALIDATE_EVERY = 5
CROPS_START = 150


def jobs() -> Iterator[Job]:
    """The sweep, seed after seed, and the run that breaks."""
    for seed in SEEDS:
        yield from sweep(seed)
    yield Job("digits: a run that breaks on purpose", train_with_a_bug)


def sweep(seed: int) -> Iterator[Job]:
    """Every setting of every family once."""
    for layers, rate in product([(32,), (128, 64)], [1e-3, 1e-2]):
        mlp = MLPClassifier(layers, learning_rate_init=rate, random_state=seed)
        params = {"family": "mlp", "hidden_layers": "x".join(map(str, layers)), "learning_rate": rate, "seed": seed}
        yield job(mlp, params, fit_batches)
    for alpha in (1e-4, 1e-3, 1e-2):
        sgd = SGDClassifier(loss="log_loss", alpha=alpha, random_state=seed)
        yield job(sgd, {"family": "sgd", "alpha": alpha, "seed": seed}, fit_batches)
    for rate in (0.03, 0.1, 0.3):
        trees = HistGradientBoostingClassifier(
            learning_rate=rate, max_iter=TREES, max_leaf_nodes=8, max_features=0.5, random_state=seed
        )
        yield job(trees, {"family": "boosting", "learning_rate": rate, "seed": seed}, fit_trees)


def job(model: Any, params: dict[str, Any], fit: Fit) -> Job:
    """A run of the sweep, named after its parameters."""
    *settings, seed = params.values()
    name = "-".join([*(f"{value:g}" if isinstance(value, float) else value for value in settings), f"s{seed}"])
    return Job(f"digits: {name}", partial(train, name, model, params, fit))


def train(name: str, model: Any, params: dict[str, Any], fit: Fit) -> None:
    """One run of the sweep: learning curves while it trains, predictions at the end."""
    tracker.set_experiment(NAME, description=ABOUT, goal=GOAL)
    with tracker.start_run(run_name=name, tags={"dataset": "digits", "family": params["family"]}):
        tracker.log_params(params)
        fit(model)
        predicted = model.predict(data().x_val)
        log_predictions(data().y_val, predicted, [str(digit) for digit in range(10)])
        log_mistakes(predicted)
        if params["family"] == "mlp":
            tracker.sklearn.log_model(model, name="model", serialization_format="skops", input_example=data().x_val[:2])


@cache
def data() -> Data:
    """Digits with brightness 0 to 1, the same split for all runs."""
    x, y = load_digits(return_X_y=True)
    return Data(*train_test_split(x / 16, y, test_size=0.3, stratify=y, random_state=0))


def fit_batches(model: Any) -> None:
    """Log the loss of each batch, and now and then how well the model does on images it has not seen."""
    for step, (x, y) in enumerate(batches(seed=model.random_state)):
        model.partial_fit(x, y, classes=np.arange(10))
        tracker.log_metric("train/loss", cross_entropy(model.predict_proba(x), y), step=step)
        if (step + 1) % VALIDATE_EVERY == 0:
            log_validation(model.predict_proba(data().x_val), step)


def batches(seed: int) -> Iterator[tuple[Array, Array]]:
    """Random batches of the training data, always the same ones for a seed."""
    random = np.random.default_rng(seed)
    for _ in range(BATCHES):
        rows = random.integers(0, len(data().x_train), BATCH_SIZE)
        yield data().x_train[rows], data().y_train[rows]


def fit_trees(model: Any) -> None:
    """Boosting shows its curves once it is trained, tree by tree."""
    x_train, x_val, y_train, _ = data()
    model.fit(x_train, y_train)
    stages = zip(model.staged_predict_proba(x_train), model.staged_predict_proba(x_val), strict=True)
    for step, (on_train, on_val) in enumerate(stages):
        tracker.log_metric("train/loss", cross_entropy(on_train, y_train), step=step)
        log_validation(on_val, step)


def log_validation(probabilities: Array, step: int) -> None:
    """Loss and accuracy on the images that are not trained on."""
    truth = data().y_val
    accuracy = np.mean(probabilities.argmax(axis=1) == truth)
    tracker.log_metrics({"val/loss": cross_entropy(probabilities, truth), "val/accuracy": accuracy}, step=step)


def log_mistakes(predicted: Array, columns: int = 10, rows: int = 2, zoom: int = 8) -> None:
    """Log the first digits that the model got wrong as one picture, dark on white."""
    wrong = np.flatnonzero(predicted != data().y_val)[: rows * columns]
    tiles = np.zeros((rows * columns, 10, 10))
    tiles[: len(wrong), 1:9, 1:9] = data().x_val[wrong].reshape(-1, 8, 8)
    picture = 1 - tiles.reshape(rows, columns, 10, 10).swapaxes(1, 2).reshape(10 * rows, 10 * columns)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mistakes.png")
        path.write_bytes(png((255 * picture).astype(np.uint8).repeat(zoom, axis=0).repeat(zoom, axis=1)))
        tracker.log_artifact(path)


def train_with_a_bug() -> None:
    """The exception ends the run as FAILED; the curves up to then stay."""
    tracker.set_experiment(NAME)
    with suppress(ValueError), tracker.start_run(run_name="mlp-32-random-crops", description=BUG):
        tracker.set_tags({"dataset": "digits", "family": "mlp"})
        tracker.log_params({"family": "mlp", "hidden_layers": "32", "learning_rate": 0.01, "seed": 0, "crops": True})
        model = MLPClassifier((32,), learning_rate_init=1e-2, random_state=0)
        for step, (x, y) in enumerate(batches(seed=0)):
            images = x if step < CROPS_START else x.reshape(-1, 8, 8)[:, :7, :7].reshape(len(x), -1)
            model.partial_fit(images, y, classes=np.arange(10))
            tracker.log_metric("train/loss", cross_entropy(model.predict_proba(images), y), step=step)
