"""The quickstart that people know from MLflow, as docs/mlflow-quickstart.md has it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.environments import python_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mlflow-quickstart.md"
FENCE = r"^```{}\n(.*?)^```"
BLOCKS = re.findall(FENCE.format("python"), PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
TRAIN, LOAD, _ = BLOCKS
[SHOWN] = re.findall(FENCE.format("text"), PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The names that the script of the page leaves behind, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("".join(BLOCKS), str(PAGE), "exec"), found)
    assert capsys.readouterr().out == SHOWN
    return found


def test_the_frame_has_what_was_and_what_was_predicted(names: dict[str, Any]) -> None:
    """Thirty flowers, with the four columns of the data and two more; the model is right about all."""
    result = names["result"]
    assert result.shape == (30, 6)
    assert list(result.columns[:4]) == list(names["x"].columns)
    assert (result["actual"] == result["predicted"]).all()


def test_the_run_has_what_was_logged(names: dict[str, Any]) -> None:
    """Params, metric and tag of the run, and its model with signature and example."""
    run = names["mlflow"].get_run(names["run"].info.run_id)
    assert run.params == names["params"]
    assert run.data.metrics == {"accuracy": 1.0}
    assert run.data.tags["purpose"] == "a first model of the iris data"
    info = names["model_info"]
    assert info.model_uri == f"runs:/{run.info.run_id}/iris_model"
    assert info.signature.inputs.input_names() == list(names["x"].columns)
    assert names["loaded"].input_example.shape == (3, 4)


def test_the_registry_has_one_version(names: dict[str, Any], tmp_path: Path) -> None:
    """Two files: the model with its alias, and version 1 with its run, its digest, its stage and how it got there."""
    folder = tmp_path / "runs" / "registry" / "iris-quickstart"
    model = yaml.safe_load((folder / "model.yaml").read_text())
    version = yaml.safe_load((folder / "versions" / "1.yaml").read_text())
    assert [path.name for path in (folder / "versions").iterdir()] == ["1.yaml"]
    assert (model["name"], model["aliases"]) == ("iris-quickstart", {"champion": "1"})
    info = names["model_info"]
    assert (version["run_id"], version["digest"], version["stage"]) == (info.run_id, info.digest, "Production")
    assert version["source"] == info.model_uri
    assert (tmp_path / "runs" / version["path"] / "MLmodel").is_file()
    actions = [(change["action"], change.get("reason", "")) for change in version["history"]]
    assert actions == [("registered", ""), ("stage", "1.0 on the test flowers")]


@pytest.fixture(scope="module")
def mlflow3() -> str:
    """The Python that has MLflow 3."""
    return python_of("mlflow3")


def test_mlflow_runs_the_same_script(tmp_path: Path, mlflow3: str) -> None:
    """With `import mlflow` in place of the first line, MLflow 3 prints the frame that the page shows."""
    assert TRAIN.startswith("import tracker as mlflow\n")
    script = TRAIN.replace("import tracker as mlflow", "import mlflow", 1) + LOAD
    (tmp_path / "script.py").write_text(script)
    environment = {
        **os.environ,
        "PYTHONPATH": "",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_TRACKING_URI": (tmp_path / "mlruns").as_uri(),
    }
    done = subprocess.run(
        [mlflow3, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith(SHOWN)
