"""The review: the best readers of digits become versions of one registered model and pass its stages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import tracker
from tracker.demo import digits
from tracker.demo.parts import Job
from tracker.entities import Run

NAME = "digits-reader"
ABOUT = """\
Reads one digit of 8 x 8 pixels. Versions come from the sweep `digits-sweep`; whichever makes the fewest mistakes on the
540 images that are held out goes to **Production** once somebody has looked at its confusion matrix.
"""
BY = "demo"


def jobs() -> Iterator[Job]:
    """Three candidates, from the worst to the best, and what became of them."""
    yield Job("registry: candidates", register)
    yield Job("registry: review", review)


def register() -> None:
    """Register the best model of each of three settings, the better one later."""
    client = tracker.Client()
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME, tags={"task": "classification"}, description=ABOUT)
    for run in candidates():
        accuracy = run.data.metrics["val/accuracy"]
        version = tracker.register_model(f"runs:/{run.info.run_id}/model", NAME)
        client.update_model_version(NAME, version.version, f"Right on **{accuracy:.1%}** of the images held out.")


def candidates() -> list[Run]:
    """The best run of each setting of the networks, the best of all last."""
    found = tracker.search_runs(
        experiment_names=[digits.NAME],
        filter_string="tags.family = 'mlp' and metrics.`val/accuracy` > 0",
        order_by=["metrics.`val/accuracy` ASC"],
        output_format="list",
    )
    assert isinstance(found, list)
    by_setting = {run.data.params.get("hidden_layers", "") + run.data.params["learning_rate"]: run for run in found}
    return sorted(by_setting.values(), key=lambda run: run.data.metrics["val/accuracy"])[-3:]


def review() -> None:
    """The first version goes to Production, a better one takes its place, the last waits in Staging."""
    client = tracker.Client()
    move = partial(client.transition_model_version_stage, NAME)
    numbers = sorted(int(version.version) for version in client.search_model_versions(f"name = '{NAME}'"))
    first, second, third = map(str, numbers[-3:])
    move(first, "Staging", reason="the first one that is good enough to try", by=BY)
    move(first, "Production", reason="no surprises in a week of use", by=BY)
    move(second, "Staging", reason="fewer mistakes on 3 and 8", by=BY)
    move(second, "Production", reason="better on every digit but 1", by=BY, archive_existing_versions=True)
    move(third, "Staging", reason="the best of the sweep; its confusion matrix is still to be looked at", by=BY)
    client.set_registered_model_alias(NAME, "champion", second, by=BY)
    client.set_registered_model_alias(NAME, "challenger", third, by=BY)
