"""Runs in an environment with MLflow: the model registry through MLflow's client, and what it answers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
from mlflow.models import Model
from scripts import Answers, error_of, registered_of, version_of

answers = Answers()
client = mlflow.MlflowClient()


class Constant(mlflow.pyfunc.PythonModel):
    """Predicts one number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """The number for each row."""
        return [self.number] * len(model_input)


def log(number: int) -> str:
    """A model of a new run; its URI."""
    with mlflow.start_run(run_name=f"run {number}") as run:
        answers.name(run.info.run_id, f"run {number}")
        mlflow.log_metric("accuracy", number / 10)
        info = mlflow.pyfunc.log_model(name="model", python_model=Constant(number), pip_requirements=["cloudpickle"])
    answers.name(info.model_id, f"model {number}")
    return str(info.model_uri if number % 2 else f"runs:/{run.info.run_id}/model")


def predicted(uri: str) -> list[int]:
    """What the model behind a URI says of two rows."""
    return list(mlflow.pyfunc.load_model(uri).predict([1, 2]))


def main() -> None:
    """One life of a registered model."""
    mlflow.set_experiment("registered")
    client.create_registered_model("numbers", tags={"team": "a"}, description="Counts.")
    for number in (1, 2, 3, 4):
        version = mlflow.register_model(log(number), "numbers", tags={"n": str(number)})
        answers.say(f"registered {number}", version_of(version))
    stages()
    aliases()
    searches()
    answers.say("copied", version_of(client.copy_model_version("models:/numbers/2", "others")))
    answers.say("prediction of the copy", predicted("models:/others/1"))
    renamed_and_deleted()
    answers.print()


def stages() -> None:
    """Stages and what they lead to."""
    client.transition_model_version_stage("numbers", 1, "Production")
    client.transition_model_version_stage("numbers", "2", "Staging")
    client.transition_model_version_stage("numbers", 3, "Production", archive_existing_versions=True)
    answers.say("stages", [[int(v.version), v.current_stage] for v in by_number("name = 'numbers'")])
    answers.say("production", predicted("models:/numbers/Production"))
    answers.say("staging", predicted("models:/numbers/staging"))
    answers.say("latest", predicted("models:/numbers/latest"))
    latest = client.get_latest_versions("numbers")
    answers.say("latest versions", sorted([int(v.version), v.current_stage] for v in latest))
    answers.say("latest of", [int(v.version) for v in client.get_latest_versions("numbers", ["Production"])])
    answers.say("no stage", error_of(lambda: client.transition_model_version_stage("numbers", 1, "Shelved")))


def aliases() -> None:
    """Aliases, descriptions and tags."""
    client.set_registered_model_alias("numbers", "champion", 1)
    client.set_registered_model_alias("numbers", "champion", 2)
    client.set_registered_model_alias("numbers", "old", "1")
    client.delete_registered_model_alias("numbers", "old")
    client.delete_registered_model_alias("numbers", "never")
    champion = client.get_model_version_by_alias("numbers", "champion")
    answers.say("champion", [predicted("models:/numbers@champion"), version_of(champion)])
    answers.say("no alias", error_of(lambda: client.get_model_version_by_alias("numbers", "never")))
    answers.say("alias of no version", error_of(lambda: client.set_registered_model_alias("numbers", "x", 99)))
    client.update_registered_model("numbers", "Counts on.")
    client.update_model_version("numbers", 2, "The second.")
    client.set_registered_model_tag("numbers", "kind", "toy")
    client.set_registered_model_tag("numbers", "gone", "soon")
    client.delete_registered_model_tag("numbers", "gone")
    client.delete_registered_model_tag("numbers", "never")
    client.set_model_version_tag("numbers", 2, "checked", "yes")
    client.set_model_version_tag("numbers", 2, "gone", "soon")
    client.delete_model_version_tag("numbers", 2, "gone")
    client.set_model_version_tag("numbers", stage="Production", key="served", value="true")
    answers.say("model", registered_of(client.get_registered_model("numbers")))
    answers.say("version", version_of(client.get_model_version("numbers", 2)))
    answers.say("stages of", client.get_model_version_stages("numbers", 2))


def by_number(query: str) -> list:  # type: ignore[type-arg]
    """Versions that match, by number."""
    return sorted(client.search_model_versions(query), key=lambda version: int(version.version))


def searches() -> None:
    """Queries over models and versions."""
    run_id = client.get_model_version("numbers", 2).run_id
    for query in ("name = 'numbers'", "name LIKE 'num%'", "tags.checked = 'yes'", f"run_id = '{run_id}'"):
        answers.say(f"versions with {query}", [int(version.version) for version in by_number(query)])
    for query in (None, "name = 'numbers'", "name ILIKE 'NUM%'", "tags.kind = 'toy'", "name = 'nothing'"):
        answers.say(f"models with {query}", [model.name for model in client.search_registered_models(query)])
    page = client.search_model_versions("name = 'numbers'", max_results=3, order_by=["version_number ASC"])
    more = client.search_model_versions("name = 'numbers'", max_results=3, page_token=page.token)
    answers.say("pages", [[int(v.version) for v in page], len(more)])
    answers.say("model info", str(Model.load("models:/numbers/2").run_id))


def renamed_and_deleted() -> None:
    """The end of versions and models."""
    client.create_registered_model("plain")
    client.create_model_version("plain", "models:/numbers/3")  # MLflow's files cannot rename a model with tags
    client.rename_registered_model("plain", "more")
    answers.say("renamed", [error_of(lambda: client.get_registered_model("plain")), predicted("models:/more/1")])
    answers.say("taken", error_of(lambda: client.create_registered_model("numbers")))
    answers.say("taken by another", error_of(lambda: client.rename_registered_model("more", "numbers")))
    client.delete_model_version("numbers", 4)
    answers.say("deleted version", error_of(lambda: client.get_model_version("numbers", 4)))
    answers.say("left", [int(version.version) for version in by_number("name = 'numbers'")])
    client.delete_registered_model("more")
    answers.say("deleted model", error_of(lambda: client.get_registered_model("more")))
    answers.say("of nothing", error_of(lambda: client.create_model_version("nothing", "models:/numbers/1")))
    answers.say("all", [registered_of(model) for model in client.search_registered_models()])


main()
