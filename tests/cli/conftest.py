"""A small store that was really logged, and the command line run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tracker
from tracker.cli import main

from .running import ESCAPES, HOSTILE, Cli


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two experiments: a sweep of three finished runs, one of which has a child, and one run that failed."""
    folder = tmp_path / "runs"
    tracker.set_tracking_uri(folder)
    tracker.set_experiment("sweep", description="About *it*.", goal={"acc": "maximize"})
    for name, rate, accuracies in (("slow", 0.001, [0.5, 0.7]), ("good", 0.01, [0.8, 0.95]), ("wild", 0.1, [0.9, 0.6])):
        with tracker.start_run(run_name=name, tags={"team": "red"}, description=f"The {name} one."):
            tracker.log_params({"lr": rate, "layers": 2})
            for step, accuracy in enumerate(accuracies):
                tracker.log_metrics({"acc": accuracy, "loss": 1 - accuracy}, step=step)
            if name == "good":
                tracker.log_text("hello", "notes/hello.txt")
                with tracker.start_run(run_name="fold", nested=True):
                    tracker.log_metric("speed", float("nan"))
    tracker.set_experiment("broken")
    with pytest.raises(RuntimeError), tracker.start_run(run_name="crash"):
        raise RuntimeError("on purpose")
    return folder


@pytest.fixture
def hostile_store(tmp_path: Path) -> Path:
    """A store with one run, every text of which is hostile as far as a name may be."""
    folder = tmp_path / "hostile"
    tracker.set_tracking_uri(folder)
    tracker.set_experiment(HOSTILE)
    with tracker.start_run(run_name=HOSTILE, description=ESCAPES, tags={HOSTILE: ESCAPES}):
        tracker.log_param(HOSTILE, ESCAPES)
        tracker.log_metric(HOSTILE, 1.0)
    return folder


@pytest.fixture
def cli() -> Cli:
    """Runs `tracker` with arguments and returns its output and exit code."""

    def run(*arguments: object, **environment: str) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment, prog_name="tracker")

    return run


@pytest.fixture
def cli_json(cli: Cli) -> Callable[..., Any]:
    """Runs a command with `--json` and returns what it printed."""

    def run(*arguments: object) -> Any:
        result = cli(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    return run
