"""`tracker show` and `tracker compare`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracker

from .running import HOSTILE, Cli

CliJson = Callable[..., Any]


def test_show_tells_everything(cli: Cli, store: Path) -> None:
    """One screen has state, params, metrics with their best, tags, artifacts and the note."""
    output = cli("show", "good", "-s", store).stdout
    assert output.startswith("good  finished\nsweep  started ")
    assert re.search(r"Parameters\n  layers  2\n  lr      0.01\n", output)
    assert re.search(r"\n  acc ↑  +0.95 +0.95 +1 +2 +▁█", output)
    assert "Tags\n  team  red\n" in output
    assert "Artifacts\n  notes/hello.txt  (5 B)\n" in output
    assert output.endswith("Note\n  The good one.\n")


def test_a_failed_run_names_its_exception(cli: Cli, store: Path) -> None:
    """The head of a failed run says what ended it; what it did not log is not there."""
    output = cli("show", "crash", "-s", store).stdout
    assert output.startswith("crash  failed by RuntimeError: on purpose\n")
    assert "Parameters" not in output


@pytest.mark.parametrize("length", [12, 20, 32])
def test_runs_are_found_by_id(cli_json: CliJson, store: Path, length: int) -> None:
    """The beginning of an id is enough when no other run has it, in capitals too."""
    tracker.set_tracking_uri(store)
    good = cli_json("show", "good", "-s", store)
    other = {run["run_id"][:length] for run in cli_json("list", "-s", store) if run["name"] != "good"}
    if good["run_id"][:length] not in other:
        assert cli_json("show", good["run_id"][:length].upper(), "-s", store) == good


def test_an_ambiguous_name_lists_the_runs(cli: Cli, store: Path) -> None:
    """When several runs match, the error has their ids."""
    tracker.set_tracking_uri(store)
    with tracker.start_run(run_name="good") as run:
        pass
    result = cli("show", "good", "-s", store)
    assert result.exit_code == 1
    assert f"  {run.info.run_id}  good" in result.stderr.splitlines()


def test_a_mistyped_name_is_guessed(cli: Cli, store: Path) -> None:
    """The error proposes the nearest name."""
    assert 'Did you mean "crash"?' in cli("show", "crahs", "-s", store).stderr


def test_show_json_has_artifacts(cli_json: CliJson, store: Path) -> None:
    """JSON tells also artifacts with their sizes, and problems."""
    good = cli_json("show", "good", "-s", store)
    assert good["artifacts"] == [{"path": "notes/hello.txt", "bytes": 5}]
    assert good["problems"] == []
    assert cli_json("show", "fold", "-s", store)["parent"] == good["run_id"]


def test_a_damaged_run_names_its_problems(cli: Cli, store: Path, cli_json: CliJson) -> None:
    """What cannot be read of a run is named with its file and line."""
    run = cli_json("show", "slow", "-s", store)["run_id"]
    (log,) = store.glob(f"experiments/*/runs/{run}/log/*.jsonl")
    log.write_bytes(b"{no json\n" + log.read_bytes())
    (store / "experiments" / "sweep" / "runs" / run / "run.json").write_text("{")
    output = cli("show", run, "-s", store).stdout
    assert re.search(rf"Problems\n(.*\n)*  experiments/sweep/runs/{run}/log/{log.name}:1: ", output)


def test_compare_shows_what_differs(cli: Cli, store: Path) -> None:
    """By default only rows that differ are shown, the best along the goal marked."""
    output = cli("compare", "slow", "good", "wild", "-s", store).stdout
    rows = {line.split("  ")[0]: line.split()[1:] for line in output.splitlines()[1:-1]}
    assert rows["params.lr"] == ["0.001", "0.01", "0.1"]
    assert rows["best(metrics.acc) ↑"] == ["↑", "0.7", "0.95", "*", "0.9"]
    assert rows["best(metrics.loss) ↓"][-4:] == ["0.3", "0.05", "*", "0.1"]
    assert "layers" not in output
    assert "team" not in output


def test_compare_all_shows_the_rest(cli: Cli, store: Path) -> None:
    """`--all` shows also what the runs share, and gaps where one has nothing."""
    output = cli("compare", "slow", "crash", "-s", store, "--all").stdout
    rows = {line.split()[0]: line.split()[1:] for line in output.splitlines()}
    assert rows["params.layers"] == ["2"]
    assert rows["status"] == ["finished", "failed"]
    assert rows["tags.team"] == ["red"]


def test_compare_the_same(cli: Cli, store: Path) -> None:
    """Two runs without a difference are said to have none."""
    assert cli("compare", "good", "good", "-s", store).stdout.startswith("The runs do not differ")


def test_compare_needs_two(cli: Cli, store: Path) -> None:
    """One run cannot be compared."""
    result = cli("compare", "good", "-s", store)
    assert result.exit_code == 2
    assert "at least two" in result.stderr


def test_compare_json(cli_json: CliJson, store: Path) -> None:
    """JSON has the runs whole, and names what differs."""
    result = cli_json("compare", "slow", "wild", "-s", store)
    assert [run["name"] for run in result["runs"]] == ["slow", "wild"]
    assert result["differs"] == ["params.lr", "best(metrics.acc)", "best(metrics.loss)"]


def test_compare_fits_the_terminal(cli: Cli, store: Path) -> None:
    """Runs that do not fit are named."""
    output = cli("compare", "slow", "good", "wild", "crash", "-s", store, COLUMNS="42").stdout
    assert "Not shown for want of room: wild, crash." in output.replace("\n", " ")


def test_hostile_runs_stay_text(cli: Cli, hostile_store: Path) -> None:
    """Neither markup nor control characters of a run have an effect."""
    for arguments in (["show", HOSTILE], ["compare", HOSTILE, HOSTILE, "--all"]):
        output = cli(*arguments, "-s", hostile_store).stdout
        assert "\\u202e[bold red]name[/]" in output
        assert "\\x1b[2J" in output
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", output)
