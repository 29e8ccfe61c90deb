"""Runs in an environment with MLflow: a store whose files somebody damaged, changed or linked elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
from mlflow.entities import Dataset, DatasetInput
from scripts import Answers

answers = Answers()
client = mlflow.MlflowClient()
store = Path(sys.argv[1].removeprefix("tracker:"))


class Nothing(mlflow.pyfunc.PythonModel):
    """A model."""

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """What came."""
        return model_input


def said(call: Callable[[], Any]) -> str:
    """The type and the code of what a call raises."""
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__} {getattr(error, 'error_code', '')}"
    return "nothing"


mlflow.set_experiment("damaged")
with mlflow.start_run(run_name="a") as run:
    mlflow.log_text("x", "folder/x.txt")
    infos = [
        mlflow.pyfunc.log_model(name="model", python_model=Nothing(), pip_requirements=["cloudpickle"])
        for _ in range(3)
    ]
    others = [mlflow.initialize_logged_model(f"other {number}") for number in range(2)]
    mlflow.log_metric("loss", 1, model_id=others[0].model_id)
    mlflow.register_model(infos[0].model_uri, "m")
with mlflow.start_run(run_name="b"):
    mlflow.log_metric("loss", 1)
(folder,) = store.glob(f"experiments/*/runs/{run.info.run_id}")

(folder / "mlflow" / f"{infos[1].model_id}.json").write_bytes(b"\0" * 40)
third = folder / "mlflow" / f"{infos[2].model_id}.json"
third.write_text(json.dumps({**json.loads(third.read_text()), "path": "../../../../.."}))
for model, change in zip(
    others,
    ({"metrics": [{"key": "loss", "value": [], "step": 0, "time": 0, "run_id": "x"}]}, {"status": "odd"}),
    strict=True,
):
    path = folder / "mlflow" / f"{model.model_id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
(folder / "mlflow" / "links.json").write_text("[" * 5000)
(folder / "artifacts" / "datasets.json").write_text('{"a": 1}')
client.log_inputs(run.info.run_id, [DatasetInput(Dataset("mine", "d1", "code", "{}"), [])])
answers.say("somebody's file", (folder / "artifacts" / "datasets.json").read_text())
answers.say("data sets", client.get_run(run.info.run_id).data.tags["dataset.mine"])
answers.say("damaged model", said(lambda: client.get_logged_model(infos[1].model_id)))
answers.say("model with a way out", said(lambda: client.get_logged_model(infos[2].model_id)))
found = mlflow.search_logged_models(output_format="list", experiment_ids=[run.info.experiment_id])
answers.say("models left", [model.model_id == infos[0].model_id for model in found])
answers.say("runs", sorted(one.info.run_name for one in client.search_runs([run.info.experiment_id])))
answers.say("outputs", len(client.get_run(run.info.run_id).outputs.model_outputs))

answers.say("before", said(lambda: mlflow.pyfunc.load_model("models:/m/1")))
with (folder / "artifacts" / "model" / "python_model.pkl").open("ab") as file:
    file.write(b" ")
answers.say("changed model", said(lambda: mlflow.pyfunc.load_model("models:/m/1")))

secret = store.parent / "secret"
secret.mkdir()
(secret / "key.txt").write_text("hush")
(folder / "artifacts" / "link").symlink_to(secret)
(folder / "artifacts" / "key.txt").symlink_to(secret / "key.txt")
run_id = run.info.run_id
answers.say("listed", sorted(file.path for file in client.list_artifacts(run_id)))
answers.say("in the link", [file.path for file in client.list_artifacts(run_id, "folder")])
for path in ("link", "link/key.txt", "key.txt", "../log", "/etc/passwd", "a/%2e%2e/b"):
    answers.say(f"download {path}", said(lambda path=path: client.download_artifacts(run_id, path)))
    uri = f"{run.info.artifact_uri}/{path}"
    answers.say(f"direct {path}", said(lambda uri=uri: mlflow.artifacts.download_artifacts(artifact_uri=uri)))
copied = Path(client.download_artifacts(run_id, ""))
answers.say(
    "all",
    sorted(path.relative_to(copied).as_posix() for path in copied.rglob("*.txt") if path.parent.name[:5] != "model"),
)
answers.say("log through a link", said(lambda: client.log_text(run_id, "x", "link/new.txt")))
answers.say("secret", sorted(path.name for path in secret.iterdir()))

(folder / "run.json").write_bytes(b"")
answers.say("runs without a file", len(client.search_runs([run.info.experiment_id])))
answers.print()
