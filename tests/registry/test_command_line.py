"""`tracker registry`: what each command prints, writes and answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tracker
from tracker.cli import main
from tracker.registry import ReadVersion, Registry

Cli = Callable[..., Result]
HOSTILE = "evil \u202e[bold]x[/] \x9b31m\u200b"


@pytest.fixture
def cli(store: Path) -> Cli:
    """Runs `tracker registry` on the store of real models."""
    return lambda *arguments: CliRunner().invoke(
        main, ["registry", *map(str, arguments), "--store", str(store)], prog_name="tracker"
    )


@pytest.fixture
def said(cli: Cli) -> Callable[..., str]:
    """The same, for what must succeed: its output."""

    def run(*arguments: object) -> str:
        result = cli(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture
def data(said: Callable[..., str]) -> Callable[..., Any]:
    """The same with --json."""
    return lambda *arguments: json.loads(said(*arguments, "--json"))


def test_list(said: Callable[..., str], data: Callable[..., Any], store: Path) -> None:
    """A line for each model: versions, stages, aliases; a query chooses among them."""
    Registry(store).create_model("other", description="Something else.\nMore.")
    text = said("list")
    assert "iris" in text
    assert "Staging 1, Production 2" in text
    assert "champion" in text
    assert "Something else." in text
    assert "More." not in text
    assert [model["name"] for model in data("list")] == ["iris", "other"]
    assert [model["name"] for model in data("list", "name LIKE 'o%'")] == ["other"]
    assert "There are no registered models like that" in said("list", "name = 'x'")


def test_show_a_model(said: Callable[..., str], data: Callable[..., Any]) -> None:
    """Its versions, newest first, aliases, and its history with who and why."""
    text = said("show", "iris")
    assert text.index("Production") < text.index("Staging")
    assert "champion  -> 2" in text
    assert "version 2 None -> Production  by Ada: good" in text
    found = data("show", "iris")
    assert [version["version"] for version in found["versions"]] == ["1", "2"]
    assert found["versions"][1]["history"][-1]["reason"] == "good"
    assert (found["aliases"], found["latest_versions"]) == ({"champion": "2"}, ["1", "2"])


@pytest.mark.parametrize("version", ["2", "latest", "champion", "production"])
def test_show_a_version(said: Callable[..., str], data: Callable[..., Any], version: str) -> None:
    """By its number, `latest`, an alias or a stage."""
    text = said("show", "iris", version)
    assert text.startswith("iris 2  Production\n")
    assert "digest      sha256:" in text
    assert "None -> Production  by Ada: good" in text
    assert data("show", "iris", version)["current_stage"] == "Production"


def test_show_as_it_was(said: Callable[..., str], data: Callable[..., Any]) -> None:
    """--at answers for any time, of the model and of one version."""
    assert "There was no version yet." in said("show", "iris", "--at", "2020-03-01")
    text = said("show", "iris", "--at", "2199-01-01")
    assert text.startswith("iris at 2199-01-01T23:59:59Z\n")
    assert "Production" in text
    assert data("show", "iris", "--at", "2199-01-01")["stages"] == {"1": "Staging", "2": "Production"}
    assert data("show", "iris", "1", "--at", "2199-01-01")["stages"] == {"1": "Staging"}
    assert "was not there" in said("show", "iris", "1", "--at", "2020-01-01")


def test_promote(cli: Cli, data: Callable[..., Any], store: Path) -> None:
    """The stage changes with an entry in the history; what the check is going to say stands on standard error."""
    result = cli("promote", "iris", "latest", "--to", "archived", "--reason", "old", "--by", "Bob")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "iris 2: Production -> Archived\n", "")
    last = Registry(store).version("iris", 2).file.history[-1]
    assert (last.from_, last.to, last.by, last.reason) == ("Production", "Archived", "Bob", "old")
    (store / "registry/policy.yaml").write_text("stages: {Production: {requires: [signature]}}")
    result = cli("promote", "iris", "1", "--to", "Production")
    assert result.stdout == "iris 1: Staging -> Production\n"
    assert "will say: Production needs a signature" in result.stderr
    found = data("promote", "iris", "2", "--to", "Production", "--archive-existing")
    assert found["current_stage"] == "Production"
    assert Registry(store).version("iris", 1).file.stage == "Archived"


def test_a_rollback_that_changes_nothing_is_told(cli: Cli, said: Callable[..., str], store: Path) -> None:
    """While a newer version is in the stage, its URI leads there: the command says so, and how to go on."""
    told = "models:/iris/Production still leads to version 2, the newest there; archive it with --archive-existing.\n"
    assert said("promote", "iris", "1", "--to", "Production") == f"iris 1: Staging -> Production\n{told}"
    result = cli("promote", "iris", "1", "--to", "Production", "--json")
    assert json.loads(result.stdout)["current_stage"] == "Production"
    assert told in result.stderr
    text = said("promote", "iris", "1", "--to", "Production", "--archive-existing", "--reason", "2 is slow")
    assert text == "iris 1: already in Production, the reason stands in its history\n"
    assert Registry(store).by_stage("iris", "Production").version == "1"
    assert Registry(store).version("iris", 1).file.history[-1].reason == "2 is slow"
    assert "already in Production, nothing was recorded" in said("promote", "iris", "1", "--to", "production")


def test_alias(said: Callable[..., str], cli: Cli, data: Callable[..., Any]) -> None:
    """An alias for a version, however it is named, or for another alias; --delete removes it."""
    assert said("alias", "iris", "first", "1") == "iris: first -> 1\n"
    assert said("alias", "iris", "best", "Production") == "iris: best -> 2\n"
    assert said("alias", "iris", "live", "best") == "iris: live -> best\n"
    assert data("alias", "iris", "champion", "live")["aliases"]["champion"] == "2"
    assert said("alias", "iris", "champion", "--delete") == "iris: champion is removed\n"
    assert cli("alias", "iris", "champion").exit_code == 2
    assert cli("alias", "iris", "champion", "1", "--delete").exit_code == 2
    result = cli("alias", "iris", "best", "live")
    assert result.exit_code == 1
    assert "lead in a circle: best -> live -> best" in result.stderr


def test_compare(said: Callable[..., str], data: Callable[..., Any]) -> None:
    """What differs between two versions: runs, metrics, formats, signatures, sizes; --all shows the rest."""
    text = said("compare", "iris", "1", "champion")
    for part in ("iris 1", "iris 2", "cloudpickle", "skops", "inputs.sepal length (cm)", "kB", "0.97 *"):
        assert part in text
    assert "python" not in text
    found = data("compare", "iris", "1", "2", "--all")
    assert found["rows"]["stage"] == ["Staging", "Production"]
    assert found["rows"]["inputs.sepal length (cm)"] == [None, "double"]
    assert found["rows"]["metrics.accuracy"] == [0.8, 0.97]
    assert found["rows"]["requirements.scikit-learn"][0] == found["rows"]["requirements.scikit-learn"][1]
    assert "requirements.skops" in found["differs"]
    assert "requirements.scikit-learn" not in found["differs"]
    assert "do not differ" in said("compare", "iris", "1", "1")


def test_compare_what_is_gone(said: Callable[..., str], store: Path) -> None:
    """A version whose run and model are gone is compared by what is left."""
    tracker.set_tracking_uri(store)
    tracker.delete_run(Registry(store).version("iris", 1).file.run_id)
    assert "stage" in said("compare", "iris", "1", "2")


def test_check(cli: Cli, said: Callable[..., str], data: Callable[..., Any], store: Path, tmp_path: Path) -> None:
    """Exit code 0 when nothing is wrong, 1 otherwise; the report is written either way."""
    report = tmp_path / "report.md"
    assert said("check") == "1 model, 2 versions: 0 errors and 0 warnings.\n"
    assert data("check")["passed"] is True
    Registry(store).set_stage("iris", 1, "Production")
    result = cli("check", "--markdown", report)
    assert result.exit_code == 1
    assert "error: registry/iris/versions/2.yaml: 2 versions of 'iris' are in Production" in result.stdout
    assert report.read_text().startswith("### Model registry: failed\n\n1 model, 2 versions: 1 error and 0 warnings.\n")
    assert cli("check", "--markdown", "-").stdout == report.read_text()
    result = cli("check", "--json")
    assert (result.exit_code, json.loads(result.stdout)["findings"][0]["severity"]) == (1, "error")
    result = cli("check", "--markdown", tmp_path / "no" / "folder" / "report.md")
    assert (result.exit_code, "Could not write" in result.stderr) == (1, True)


def test_register(cli: Cli, said: Callable[..., str], data: Callable[..., Any], store: Path) -> None:
    """The next version from a URI, with a description and tags."""
    run_id = Registry(store).version("iris", 1).file.run_id
    uri = f"runs:/{run_id}/model"
    assert said("register", uri, "iris", "--description", "Again.", "--tag", "a=b=c") == "iris 3: registered\n"
    version = Registry(store).version("iris", 3).file
    assert (version.description, version.tags, version.source, version.run_id) == ("Again.", {"a": "b=c"}, uri, run_id)
    assert data("register", uri, "new")["version"] == "1"
    assert cli("register", uri, "iris", "--tag", "x").exit_code == 2
    result = cli("register", f"runs:/{run_id}/modle", "iris")
    assert (result.exit_code, 'Did you mean "model"?' in result.stderr) == (1, True)
    assert len(Registry(store).model("iris").versions) == 3


def test_delete(cli: Cli, said: Callable[..., str], store: Path) -> None:
    """It asks, refuses what is in use, and leaves the file of a version."""
    assert cli("delete", "iris", "2", "--yes").exit_code == 1
    registry = Registry(store)
    registry.set_stage("iris", 1, "Archived")
    assert cli("delete", "iris", "1").exit_code == 1  # nobody answers
    assert registry.version("iris", 1)
    assert said("delete", "iris", "1", "-y", "-m", "bad data", "--by", "Bob") == "Deleted version 1 of iris.\n"
    gone = registry.model("iris").versions[0].file
    assert (gone.deleted, gone.history[-1].by, gone.history[-1].reason) == (True, "Bob", "bad data")
    registry.delete_alias("iris", "champion")
    registry.set_stage("iris", 2, "None")
    assert said("delete", "iris", "-y") == "Moved iris with 1 version to the trash of the store.\n"
    assert registry.models() == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("show", "irsi"), "no registered model 'irsi' in .*Did you mean \"iris\"?"),
        (("show", "iris", "9"), "no version 9"),
        (("show", "iris", "champoin"), 'Did you mean "champion"?'),
        (("show", "iris", "--at", "soon"), "Use a date such as 2026-03-01"),
        (("promote", "iris", "1", "--to", "Prod"), "Its stages are None, Staging, Production, Archived"),
        (("promote", "iris", "7", "--to", "Production"), "no version 7"),
        (("alias", "iris", "v7", "1"), "cannot be an alias"),
        (("delete", "iris", "7", "-y"), "no version 7"),
        (("compare", "iris", "1", "7"), "no version 7"),
        (("list", "nmae = 1"), 'Did you mean "name"?'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_mistakes(cli: Cli, arguments: tuple[str, ...], expected: str) -> None:
    """A message with the nearest word on standard error, and exit code 1."""
    result = cli(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert expected.rpartition(".*")[2] in result.stderr


@pytest.mark.parametrize(
    "command", ["list", "show x", "promote x 1 --to Production", "check", "alias x a 1", "delete x"]
)
def test_a_folder_that_is_no_store(tmp_path: Path, command: str) -> None:
    """Every command says so, and makes nothing."""
    store = tmp_path / "nothing"
    result = CliRunner().invoke(main, ["registry", *command.split(), "--store", str(store)])
    assert (result.exit_code, "There is no store at" in result.stderr) == (1, True)
    assert not store.exists()


def test_hostile_texts_do_not_reach_the_terminal(register: Callable[..., ReadVersion], root: Path) -> None:
    """Whatever models are called and people wrote, control characters are shown as escapes."""
    register("evil", description=HOSTILE.replace("\x9b", ""), tags={"a": HOSTILE}, source=HOSTILE, by="evil")
    path = root / "registry/evil/model.yaml"
    path.write_text(path.read_text().replace("name: evil", f'name: "{HOSTILE}"'))
    for command in (["list"], ["show", HOSTILE], ["show", HOSTILE, "1"], ["check"], ["show", "evli"]):
        result = CliRunner().invoke(main, ["registry", *command, "--store", str(root)])
        assert result.output
        assert not {"\u202e", "\x9b", "\u200b"} & set(result.output)


def test_a_model_elsewhere_in_the_store_is_copied(cli: Cli, said: Callable[..., str], store: Path) -> None:
    """A model that lies where no run and no registry keeps it is copied to where it stays, and passes the check."""
    folder = store / "kept" / "here"
    shutil.copytree(Registry(store).version("iris", 1).folder, folder)
    assert said("register", folder, "iris") == "iris 3: registered\n"
    version = Registry(store).version("iris", 3)
    shutil.rmtree(folder)
    assert version.file.path.startswith("registry/iris/models/")
    assert said("check")
