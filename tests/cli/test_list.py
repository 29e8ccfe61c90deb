"""`tracker list` and `tracker experiments`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .running import Cli

CliJson = Callable[..., Any]


def names(result: Any) -> list[str]:
    """Names of the runs in the order of the output."""
    return [run["name"] for run in result]


def test_newest_first(cli_json: CliJson, store: Path) -> None:
    """Without a query all runs are listed, the newest first."""
    assert names(cli_json("list", "-s", store)) == ["crash", "wild", "fold", "good", "slow"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (["best(metrics.acc) > 0.85"], ["wild", "good"]),
        (["params.lr", "<", "0.05"], ["good", "slow"]),
        (["status = 'FAILED'"], ["crash"]),
        (["team", "red"], ["wild", "good", "slow"]),
        (["tags.team = 'red' and not wild"], ["good", "slow"]),
    ],
)
def test_queries(cli_json: CliJson, store: Path, query: list[str], found: list[str]) -> None:
    """A query chooses, whether it is one argument or several."""
    assert names(cli_json("list", "-s", store, *query)) == found


def test_order_and_limit(cli_json: CliJson, store: Path) -> None:
    """Runs can be ordered by a field; those without it come last; a limit cuts off."""
    ordered = cli_json("list", "-s", store, "-o", "best(metrics.acc) desc", "-n", 3)
    assert names(ordered) == ["good", "wild", "slow"]


def test_experiment(cli: Cli, cli_json: CliJson, store: Path) -> None:
    """Experiments narrow the list down; an unknown one is an error that names the nearest."""
    assert names(cli_json("list", "-s", store, "-e", "broken")) == ["crash"]
    assert 'Did you mean "broken"?' in cli("list", "-s", store, "-e", "borken").stderr


def test_table(cli: Cli, store: Path) -> None:
    """The table shows who, how it ended, the best of metrics with a goal and the params that vary."""
    head, *rows = cli("list", "-s", store, "-e", "sweep").stdout.splitlines()
    assert head.split()[:5] == ["id", "name", "status", "acc", "↑"]
    assert "layers" not in head, "all runs have the same number of layers"
    assert [re.split(r"\s{2,}", row.strip())[1:4] for row in rows[2:]] == [
        ["good", "finished", "0.95"],
        ["slow", "finished", "0.7"],
    ]


def test_ids_are_as_long_as_it_takes(cli: Cli, store: Path) -> None:
    """The ids in the table are different, and each finds its run."""
    ids = [row.split()[0] for row in cli("list", "-s", store).stdout.splitlines()[1:]]
    assert len(set(ids)) == 5
    assert all(cli("show", found, "-s", store).exit_code == 0 for found in ids)


def test_chosen_columns(cli: Cli, store: Path) -> None:
    """`--columns` takes the fields of the query language, numbers to the right."""
    result = cli(
        "list", "-s", store, "-e", "sweep", "--columns", "run_name, params.lr,last(metrics.acc)", "wild or slow"
    )
    head, *rows = (line.rstrip() for line in result.stdout.splitlines())
    assert head.split() == ["run_name", "params.lr", "last(metrics.acc)"]
    assert [row.split() for row in rows] == [["wild", "0.1", "0.6"], ["slow", "0.001", "0.7"]]
    assert {len(row) for row in rows} == {len(head)}


def test_a_narrow_terminal_loses_columns_and_says_which(cli: Cli, store: Path) -> None:
    """What does not fit is left out from the least important on, and named."""
    result = cli("list", "-s", store, COLUMNS="60")
    assert "took" not in result.stdout.splitlines()[0]
    assert re.search(r"Not shown for want of room: .*took", result.stdout.replace("\n", " "))
    assert all(len(line) <= 60 for line in result.stdout.splitlines())


def test_piped_output_is_plain_and_whole(cli: Cli, store: Path) -> None:
    """Without a terminal there is no colour, and no column is lost."""
    result = cli("list", "-s", store)
    assert "\x1b" not in result.stdout
    assert "Not shown" not in result.stdout


def test_limited_lists_say_so(cli: Cli, store: Path) -> None:
    """The table says when there are more runs."""
    assert "2 of 5 runs." in cli("list", "-s", store, "-n", 2).stdout


@pytest.mark.parametrize("command", ["list", "experiments"])
def test_nothing_to_list(cli: Cli, tmp_path: Path, command: str) -> None:
    """An empty store is no error."""
    (tmp_path / "store.yaml").write_text("schema: 1\n", encoding="utf-8")
    result = cli(command, "-s", tmp_path)
    assert (result.exit_code, result.stdout.split()[:3]) == (0, ["There", "are", "no"])
    assert cli("list", "-s", tmp_path, "metrics.acc > 1").stdout == "No run matches.\n"


def test_the_environment_names_the_store(cli: Cli, store: Path) -> None:
    """TRACKER_URI is the store where --store is not given."""
    assert "good" in cli("list", TRACKER_URI=str(store)).stdout
    assert "sweep" in cli("experiments", TRACKER_URI=store.as_uri()).stdout


def test_numbers_that_json_has_not(cli_json: CliJson, store: Path) -> None:
    """NaN is a text in JSON."""
    fold = cli_json("list", "-s", store, "fold")[0]
    assert fold["metrics"]["speed"]["last"] == "NaN"
    assert fold["metrics"]["speed"]["best"] is None


def test_json_has_types_and_goals(cli_json: CliJson, store: Path) -> None:
    """JSON tells params with their types, and metrics with goal, best and last."""
    good = cli_json("list", "-s", store, "name = good")[0]
    assert good["params"] == {"lr": 0.01, "layers": 2}
    accuracy = good["metrics"]["acc"]
    assert (accuracy["goal"], accuracy["best"], accuracy["best_step"], accuracy["count"]) == ("maximize", 0.95, 1, 2)
    assert good["duration"] == good["end_time"] - good["start_time"]


def test_hostile_names_stay_text(cli: Cli, hostile_store: Path) -> None:
    """Neither markup nor control characters of a name have an effect."""
    for command in ("list", "experiments"):
        output = cli(command, "-s", hostile_store).stdout
        assert "\\u202e[bold red]name[/] \\u200b" in output
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", output)


def test_experiments(cli: Cli, cli_json: CliJson, store: Path) -> None:
    """Each experiment has its runs, its failures and the best of its first metric with a goal."""
    broken, sweep = cli_json("experiments", "-s", store)
    assert (sweep["name"], sweep["runs"], sweep["description"]) == ("sweep", 4, "About *it*.")
    assert (sweep["best"]["metric"], sweep["best"]["value"], sweep["best"]["run_name"]) == ("acc", 0.95, "good")
    assert (broken["status"], broken["best"]) == ({"FAILED": 1}, None)
    rows = [line.split() for line in cli("experiments", "-s", store).stdout.splitlines()]
    assert rows[1][:3] == ["broken", "1", "1"]
    assert rows[2][-4:] == ["0.95", "acc", "↑", "good"]
