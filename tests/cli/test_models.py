"""`tracker models`: inspect, list, predict, and the errors of serve and dockerfile."""

from __future__ import annotations

import builtins
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

import tracker
from tracker.models import digests, infer_signature

from .running import ESCAPES, Cli

CliJson = Callable[..., Any]
DATA, KINDS = load_iris(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two runs, each with a model; the first is registered as version 1 of `flowers`, in Production."""
    folder = tmp_path_factory.mktemp("models") / "runs"
    tracker.set_tracking_uri(folder)
    model = LogisticRegression(max_iter=500).fit(DATA, KINDS)
    signature = infer_signature(DATA, model.predict(DATA))
    for word, name in (("cloudpickle", "flowers"), ("skops", None)):
        with tracker.start_run(run_name=f"with {word}"):
            tracker.sklearn.log_model(
                model, name="model", serialization_format=word, signature=signature, registered_model_name=name
            )
    tracker.registry.Registry(folder).set_stage("flowers", 1, "Production", reason="first")
    return folder


@pytest.fixture
def models(logged: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(logged, tmp_path / "runs")
    tracker.set_tracking_uri(tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A model in a folder of its own, with a pickle that names a function of the system."""
    folder = tmp_path / "outside"
    tracker.sklearn.save_model(FunctionTransformer(builtins.eval), folder, serialization_format="pickle")
    return folder


def test_inspect_tells_everything(cli: Cli, models: Path) -> None:
    """One screen has format, safety, signature, requirements, imports, files and the digest."""
    result = cli("models", "inspect", "models:/flowers/1", "-s", models)
    assert result.exit_code == 0
    output = result.stdout
    assert output.startswith(
        "models:/flowers/1  sklearn, python_function\ncloudpickle: can run code when it is loaded\n"
    )
    assert re.search(r"^sha256:[0-9a-f]{64}$", output, re.MULTILINE)
    assert "Inputs\n  sepal length (cm)  double\n" in output
    assert "Outputs\n  0  int64 (-1,)\n" in output
    assert re.search(r"Requirements\n(  .*\n)*  scikit-learn==", output)
    assert "  sklearn.linear_model._logistic.LogisticRegression\n" in output
    assert re.search(r"^  model\.pkl +[\d.]+ kB +[0-9a-f]{16}", output, re.MULTILINE)
    assert "Problems" not in output and "!" not in output


def test_inspect_marks_what_is_suspicious(cli: Cli, cli_json: CliJson, outside: Path) -> None:
    """An import that reaches the interpreter stands first, with a sign and words; JSON has it as a field."""
    output = cli("models", "inspect", outside).stdout
    assert re.search(r"What loading it imports\n! builtins\.eval  reaches beyond the model", output)
    imports = {found["name"]: found["suspicious"] for found in cli_json("models", "inspect", outside)["imports"]}
    assert imports["builtins.eval"] is True
    assert imports["sklearn.preprocessing._function_transformer.FunctionTransformer"] is False


def test_inspect_lists_the_types_of_skops(cli: Cli, models: Path) -> None:
    """A skops file is safe, and its types are listed."""
    (uri,) = [line for line in cli("models", "list", "-s", models).stdout.splitlines() if line.startswith("runs:")][:1]
    output = cli("models", "inspect", uri, "-s", models).stdout
    assert "\nskops: safe to load\n" in output
    assert re.search(
        r"Types that the file names\n(  .*\n)*  sklearn\.linear_model\._logistic\.LogisticRegression", output
    )


def test_inspect_loads_nothing(cli: Cli, outside: Path, tmp_path: Path) -> None:
    """Not even a pickle that would write a file when it is loaded does anything."""
    canary = tmp_path / "canary"
    (outside / "model.pkl").write_bytes(b"cbuiltins\nopen\n(V%s\nVw\ntR." % str(canary).encode())
    digests.write_manifest(outside)
    assert "! builtins.open" in cli("models", "inspect", outside).stdout
    assert not canary.exists()


def test_inspect_names_a_changed_file(cli: Cli, outside: Path) -> None:
    """A file that is not what its digest says is a problem, with exit code 1; --no-verify does not look."""
    with (outside / "requirements.txt").open("a") as file:
        file.write("evil\n")
    result = cli("models", "inspect", outside)
    assert result.exit_code == 1
    assert re.search(r"Problems\n  .*requirements\.txt was changed", result.stdout)
    assert cli("models", "inspect", outside, "--no-verify").exit_code == 0


def test_inspect_sees_another_model_in_its_place(cli: Cli, models: Path) -> None:
    """A registered model whose files were replaced together with their manifest is a problem."""
    (folder,) = (path.parent for path in models.glob("experiments/*/runs/*/artifacts/model/model.pkl"))
    (folder / "requirements.txt").write_text("evil\n")
    digests.write_manifest(folder)
    result = cli("models", "inspect", "models:/flowers/1", "-s", models)
    assert result.exit_code == 1
    assert "but was registered with sha256:" in result.stdout


def test_inspect_shows_a_damaged_model(cli: Cli, outside: Path) -> None:
    """A folder whose MLmodel is damaged is shown as far as it goes."""
    (outside / "MLmodel").write_text("flavors: !!python/object/apply:os.getcwd []\n")
    result = cli("models", "inspect", outside)
    assert result.exit_code == 1
    assert "Problems\n" in result.stdout and "damaged or hostile" in result.stdout


def test_inspect_keeps_hostile_text_from_the_terminal(cli: Cli, outside: Path) -> None:
    """Escapes in requirements, names and metadata are printed as text."""
    (outside / "requirements.txt").write_text(f"numpy {ESCAPES}\n")
    mlmodel = (outside / "MLmodel").read_text()
    (outside / "MLmodel").write_text(mlmodel + 'metadata: {"[bold]": "\\e[2J"}\n')
    output = cli("models", "inspect", outside, "--no-verify").stdout
    assert "\x1b" not in output
    assert "\\x1b[2J" in output and "[bold]" in output


def test_inspect_json(cli_json: CliJson, models: Path) -> None:
    """JSON has the signature as MLflow writes it, whole digests, and no problem."""
    found = cli_json("models", "inspect", "models:/flowers/production", "-s", models)
    assert found["uri"] == "models:/flowers/production"
    assert found["flavors"] == ["sklearn"] and found["safe"] is False and found["problems"] == []
    assert found["signature"]["inputs"][0] == {"type": "double", "name": "sepal length (cm)", "required": True}
    assert all(re.fullmatch("[0-9a-f]{64}", entry["sha256"]) for entry in found["files"].values())


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:/flower/1", 'Did you mean "flowers"?'),
        ("models:/flowers/7", "no version 7"),
        ("models:/flowers/Prodution", 'Did you mean "Production"?'),
        ("models:/flowers@champion", "no alias"),
        ("runs:/0123/model", "0123"),
        ("nowhere", "There is no model at"),
        ("s3://bucket/model", "loads no models from"),
    ],
)
@pytest.mark.parametrize("command", ["inspect", "serve", "dockerfile", "predict"])
def test_unknown_uris(cli: Cli, models: Path, tmp_path: Path, command: str, uri: str, words: str) -> None:
    """What is not there is said, with the nearest name, by each command."""
    (tmp_path / "rows.csv").write_text("a\n1\n")
    more = {"predict": ["-i", tmp_path / "rows.csv"], "dockerfile": ["-o", tmp_path / "out"]}.get(command, [])
    result = cli("models", command, uri, "-s", models, *more)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_list_shows_models_of_runs_and_of_the_registry(
    cli: Cli, cli_json: CliJson, models: Path, outside: Path
) -> None:
    """Newest first, with flavor, format and versions; a model that was registered from elsewhere is there too."""
    tracker.register_model(outside, "copied", trust=True)
    first, second, third = cli_json("models", "list", "-s", models)
    assert (first["run"], first["format"], first["safe"], first["registered"]) == ("with skops", "skops", True, [])
    assert (second["run"], second["registered"]) == ("with cloudpickle", ["flowers 1 Production"])
    assert (third["uri"], third["registered"]) == ("models:/copied/1", ["copied 1"])
    output = cli("models", "list", "-s", models).stdout
    assert f"{second['uri']}\n  sklearn  cloudpickle, which can run code  registered as flowers 1 Production" in output
    for found in (first, second, third):
        assert cli("models", "inspect", found["uri"], "-s", models).exit_code == 0


def test_list_names_a_damaged_model(cli: Cli, models: Path) -> None:
    """A model whose MLmodel cannot be read is listed with the reason."""
    (mlmodel, *_) = models.glob("experiments/*/runs/*/artifacts/model/MLmodel")
    mlmodel.write_text("{")
    assert "is damaged or hostile" in cli("models", "list", "-s", models).stdout


def test_list_of_a_store_without_models(cli: Cli, store: Path) -> None:
    """Without a model the line says how to log one."""
    assert "log_model" in cli("models", "list", "-s", store).stdout


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_predict(cli: Cli, models: Path, tmp_path: Path, suffix: str) -> None:
    """A file of rows gives the predictions of the estimator, on standard output or into a file."""
    rows, out = tmp_path / f"rows.{suffix}", tmp_path / "out.json"
    split = json.loads(DATA.to_json(orient="split", index=False))
    rows.write_text(DATA.to_csv(index=False) if suffix == "csv" else json.dumps({"dataframe_split": split}))
    expected = {"predictions": LogisticRegression(max_iter=500).fit(DATA, KINDS).predict(DATA).tolist()}
    assert json.loads(cli("models", "predict", "models:/flowers/1", "-i", rows, "-s", models).stdout) == expected
    assert cli("models", "predict", "models:/flowers/1", "-i", rows, "-o", out, "-s", models).stdout == ""
    assert json.loads(out.read_text()) == expected


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rows.csv", "sepal length (cm)\n1\n", '"sepal width (cm)"'),
        ("rows.csv", DATA[:1].to_csv(index=False).replace("5.1", "many"), '"sepal length (cm)": expected double'),
        ("rows.json", "{", "no valid JSON"),
        ("rows.json", '{"rows": [1]}', "dataframe_split"),
        ("rows.txt", "1", "--content-type"),
        ("missing.csv", None, "There is no file"),
    ],
)
def test_predict_says_what_is_wrong(
    cli: Cli, models: Path, tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    """A file that does not fit is an error that names the column or the key."""
    if text is not None:
        (tmp_path / name).write_text(text)
    result = cli("models", "predict", "models:/flowers/1", "-i", tmp_path / name, "-s", models)
    assert result.exit_code == 1
    assert words in result.stderr


def test_an_exception_of_a_model_is_an_error(cli: Cli, tmp_path: Path) -> None:
    """What a model raises ends predict with its sentence, without a traceback."""
    folder = tmp_path / "runs"
    tracker.set_tracking_uri(folder)
    info = tracker.sklearn.log_model(LogisticRegression(max_iter=500).fit(DATA, KINDS), name="model")
    tracker.end_run()
    (tmp_path / "rows.json").write_text('{"inputs": [[1.0]]}')
    result = cli("models", "predict", info.model_uri, "-i", tmp_path / "rows.json", "-s", folder)
    assert result.exit_code == 1
    assert "ValueError: X has 1 features" in result.stderr


def test_a_refusal_names_the_option(cli: Cli, outside: Path, tmp_path: Path) -> None:
    """A model from outside is refused with what it would import, and the option that pins it."""
    (tmp_path / "rows.csv").write_text("a\n1\n")
    tracker.opening._saved_here.clear()  # as in another process
    arguments = ("models", "predict", outside, "-i", tmp_path / "rows.csv")
    result = cli(*arguments)
    assert result.exit_code == 1
    assert "builtins.eval" in result.stderr
    digest = digests.folder_digest(outside)
    assert f"--trust {digest}" in result.stderr and "trust=" not in result.stderr
    assert "was not loaded" not in cli(*arguments, "--trust", digest).stderr
    assert cli(*arguments, "--trust", "true").exit_code == 2


@pytest.mark.parametrize("command", ["serve", "predict"])
def test_missing_packages_are_named(
    cli: Cli, models: Path, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the packages of the extra the error has the command that installs them."""
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setitem(sys.modules, "pandas", None)
    more = ["-i", tmp_path / "rows.csv"] if command == "predict" else []
    result = cli("models", command, "models:/flowers/1", "-s", models, *more)
    assert result.exit_code == 1
    assert re.search(r'Run: pip install .*"starlette', result.stderr)


def test_a_mistyped_command_is_guessed(cli: Cli) -> None:
    """The error proposes the nearest command."""
    result = cli("models", "inspct", "x")
    assert result.exit_code == 2
    assert 'Did you mean "inspect"?' in result.stderr
