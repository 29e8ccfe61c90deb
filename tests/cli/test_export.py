"""`tracker export` writes what the library does, and says what it did."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tracker import layout
from tracker.foreign.kinds import KINDS

from .running import Cli, run_process


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where an export goes."""
    return tmp_path / "mlruns"


def test_a_store_becomes_mlruns(cli: Cli, store: Path, out: Path) -> None:
    """A summary tells how many runs are new; done again, none is."""
    first = cli("export", "mlflow", store, "--out", out)
    assert first.exit_code == 0, first.output
    assert "2 experiments; runs: 5 new, 0 updated, 0 unchanged; 13 points; 1 artifact." in first.output
    assert "0 new, 0 updated, 5 unchanged" in cli("export", "mlflow", store, "--out", out).output
    assert len(list(out.glob("*/*/meta.yaml"))) == 5


def test_the_report_is_json(cli_json: Callable[..., Any], store: Path, out: Path) -> None:
    """With --json the report has all counts; a query and an experiment choose runs."""
    report = cli_json("export", "mlflow", store, "params.lr < 1", "--experiment", "sweep", "--out", out)
    assert (report["runs_new"], report["experiments"], report["problems"]) == (3, 1, [])


def test_strict_counts_what_was_changed(cli: Cli, hostile_store: Path, out: Path) -> None:
    """Names that MLflow refuses are listed without harm to the terminal, and --strict makes that exit code 3."""
    result = cli("export", "mlflow", hostile_store, "--out", out, "--strict")
    assert result.exit_code == 3
    assert "MLflow refuses the name" in result.output
    assert "\u202e" not in result.output


def test_other_folders_are_refused(cli: Cli, store: Path, out: Path) -> None:
    """A folder that holds something else is not touched, and the message says what to do."""
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    result = cli("export", "mlflow", store, "--out", out)
    assert result.exit_code == 1
    assert "Name an empty folder" in result.output
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_store_becomes_a_table(cli: Cli, store: Path, tmp_path: Path, form: str) -> None:
    """The summary tells how many runs and columns there are, or points of how many runs."""
    result = cli("export", form, store, "--out", tmp_path / "t")
    assert result.exit_code == 0, result.output
    assert re.search(r"5 runs; 1\d columns\.", result.output)
    assert (tmp_path / "t").stat().st_size > 0
    assert "13 points of 5 runs; 5 columns." in cli("export", form, store, "--points", "--out", tmp_path).output
    assert (tmp_path / f"points.{form}").exists()


def test_only_so_many_problems_are_shown(cli: Cli, store: Path, tmp_path: Path) -> None:
    """Behind the first problems stands how many more there are, and of an option only where there is one."""
    for run in list(store.glob("experiments/*/runs/*"))[:1]:
        (run / layout.LOG / f"{'0' * 32}.jsonl").write_text("{\n" * 30)
    table = cli("export", "csv", store, "--points", "--out", tmp_path / "t.csv")
    assert table.exit_code == 0 and " more" in table.output and "--json" not in table.output
    assert " more; --json has them all" in cli("export", "mlflow", store, "--out", tmp_path / "mlruns").output


@pytest.mark.parametrize("command", ["import", "build", "serve"])
def test_the_help_names_the_kinds_of_sources(cli: Cli, command: str) -> None:
    """All that --from takes stands there."""
    output = cli(command, "--help").output
    assert [name for name in KINDS if not re.search(rf"\b{name}\b", output)] == []


def test_standard_output_has_the_table_only(store: Path) -> None:
    """With --out - nothing but the table is on standard output: CSV, an array or lines of JSON."""
    rows = run_process("export", "csv", store, "metrics.acc > 0.9", "--out", "-").stdout.splitlines()
    assert [row.split(",")[2] for row in rows] == ["name", "good"]
    array = json.loads(run_process("export", "json", store, "--out", "-", "-o", "start_time").stdout)
    assert [row["name"] for row in array] == ["slow", "good", "fold", "wild", "crash"]
    lines = run_process("export", "json", store, "--lines", "--points", "--out", "-").stdout.splitlines()
    assert [json.loads(line)["metric"] for line in lines].count("speed") == 1
    refused = run_process("export", "parquet", store, "--out", "-")
    assert (refused.returncode, refused.stdout) == (1, "")


def test_a_query_in_place_of_the_store(cli: Cli) -> None:
    """Who forgets the store is told that it comes first."""
    result = cli("export", "csv", "params.lr < 1", "--out", "-")
    assert result.exit_code == 1
    assert "A query comes after the store" in result.output


def test_other_trackers_are_to_be_imported(cli: Cli, store: Path, out: Path, tmp_path: Path) -> None:
    """Where the store is a folder of MLflow's, the message says how to bring it over."""
    cli("export", "mlflow", store, "--out", out)
    result = cli("export", "csv", out, "--out", tmp_path / "t.csv")
    assert result.exit_code == 1
    assert "tracker import" in result.output
