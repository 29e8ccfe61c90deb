"""`tracker demo`, run once for all tests of this file, as a user runs it."""

from __future__ import annotations

import json
import math
import os
import shlex
import signal
import struct
import subprocess
import zlib
from collections import Counter
from pathlib import Path

import pytest

import tracker
from tracker.reader import ReadExperiment, ReadRun, ReadStore, read_history, read_store
from tracker.registry import read_registry

from .running import TRACKER, Cli, posix_signals, run_process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder to run the demo in."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def output(folder: Path) -> str:
    """What the demo printed."""
    environment = {**os.environ, "TRACKER_CACHE": str(folder / "cache")}
    result = run_process("demo", cwd=folder, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.fixture(scope="module")
def store(folder: Path, output: str) -> ReadStore:
    """What the demo logged."""
    return read_store(folder / "tracker-demo" / "runs", cache=False)


def experiment(store: ReadStore, name: str) -> ReadExperiment:
    """One of the experiments."""
    return store.experiment_named(name)


def run(store: ReadStore, name: str) -> ReadRun:
    """One of the runs."""
    (found,) = (run for run in store.runs() if run.file.name == name)
    return found


def test_it_says_where_to_look(folder: Path, output: str) -> None:
    """The output has the site's first page as a path and as an address, and the page is there."""
    page = folder / "tracker-demo" / "site" / "index.html"
    assert page.is_file()
    assert f"{page.relative_to(folder)}\n" in output
    assert f"{page.as_uri()}\n" in output


def test_it_proposes_commands_that_work(folder: Path, output: str) -> None:
    """Each reading command that the demo proposes runs as it stands and finds something."""
    lines = [shlex.split(line.partition("tracker ")[2]) for line in output.splitlines() if "tracker " in line]
    proposed = [line for line in lines if line[0] in ("list", "compare")]
    results = [run_process(*line, "--json", cwd=folder) for line in proposed]
    assert len(proposed) == 2
    assert all(result.returncode == 0 and json.loads(result.stdout) for result in results)


def test_every_experiment_is_described(store: ReadStore) -> None:
    """Each experiment has a description and goals, and nothing in the store is a problem."""
    assert [bool(each.file.description and each.file.goal) for each in store.experiments] == [True] * 4
    assert store.problems == ()


def test_the_sweep(store: ReadStore) -> None:
    """At least 24 runs over at least two families, each setting with several seeds, curves of hundreds of steps."""
    runs = [run for run in experiment(store, "digits-sweep").runs if run.file.status == "FINISHED"]
    settings = Counter(tuple(sorted((k, v) for k, v in run.file.params.items() if k != "seed")) for run in runs)
    assert len(runs) >= 24
    assert len({run.file.params["family"] for run in runs}) >= 2
    assert set(settings.values()) == {3}
    assert max(run.file.metrics["train/loss"].count for run in runs) >= 200
    assert all(run.file.metrics["val/accuracy"].max > 0.8 for run in runs)


def test_the_failed_run(store: ReadStore) -> None:
    """One run ended by a real exception halfway, and its curve up to there is kept."""
    failed = [run for run in store.runs() if run.file.status != "FINISHED"]
    assert [run.file.status for run in failed] == ["FAILED"]
    assert str(failed[0].file.ended_by).startswith("ValueError: ")
    assert 100 < failed[0].file.metrics["train/loss"].count < 300


def test_the_diverged_run(store: ReadStore) -> None:
    """The loss of one run grows, becomes infinite and then NaN; its sisters stay finite."""
    runs = experiment(store, "gradient-descent").runs
    diverged = [each for each in runs if each.file.metrics["loss"].nonfinite]
    (values,) = (read_history(each.folder).series["loss"].values for each in diverged)
    infinite, nan = values.index(math.inf), next(index for index, value in enumerate(values) if math.isnan(value))
    assert 0 < infinite < nan
    assert values[infinite - 1] > 1e30
    assert len(runs) == 4


def test_the_nested_runs(store: ReadStore) -> None:
    """Cross validation is a tree: one study, a run for each of three models, five folds in each."""
    runs = {run.file.run_id: run for run in experiment(store, "diabetes-progression").runs}

    def depth(each: ReadRun) -> int:
        return 0 if each.file.parent is None else 1 + depth(runs[each.file.parent])

    assert Counter(map(depth, runs.values())) == {0: 1, 1: 3, 2: 15}
    study = run(store, "model-selection").file
    assert study.metrics["chosen/rmse"].last == run(store, study.tags["chosen"]).file.metrics["cv/rmse"].last


def test_the_artifacts(store: ReadStore) -> None:
    """Runs have a table, JSON, a text and a picture that is a whole PNG file."""
    artifacts = run(store, "mlp-32-0.01-s0").folder / "artifacts"
    assert sorted(path.name for path in artifacts.iterdir()) == [
        "confusion_matrix.csv",
        "mistakes.png",
        "model",
        "scores.json",
        "scores.txt",
    ]
    table = [line.split(",") for line in (artifacts / "confusion_matrix.csv").read_text().splitlines()]
    assert sum(int(count) for row in table[1:] for count in row[1:]) == 540
    assert json.loads((artifacts / "scores.json").read_text())["accuracy"] > 0.9
    picture = (artifacts / "mistakes.png").read_bytes()
    width, height = struct.unpack(">2I", picture[16:24])
    length = struct.unpack(">I", picture[33:37])[0]
    assert len(zlib.decompress(picture[41 : 41 + length])) == height * (width + 1)


def test_an_earlier_demo_is_replaced_but_nothing_else(cli: Cli, tmp_path: Path) -> None:
    """A store with an experiment of somebody else is left as it is."""
    tracker.set_tracking_uri(tmp_path / "out" / "runs")
    tracker.set_experiment("mine")
    result = cli("demo", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "'mine', which is not the demo's" in result.stderr
    assert (tmp_path / "out" / "runs" / "experiments" / "mine").is_dir()


@posix_signals
def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends the demo with code 130 and no traceback; with --keep, what was there is still there."""
    tracker.set_tracking_uri(tmp_path / "runs")
    tracker.set_experiment("mine")
    process = subprocess.Popen(
        [*TRACKER, "demo", "--keep", "--out", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Training ")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (130, "Interrupted.\n")
    assert (tmp_path / "runs" / "experiments" / "mine").is_dir()
    assert not (tmp_path / "site").exists()


def test_the_registered_models(folder: Path, store: ReadStore) -> None:
    """Each model of irises is a version, and the readers of digits have been reviewed, with reasons and aliases."""
    digits, iris = sorted(read_registry(store.root).models, key=lambda model: model.file.name)
    assert [version.file.version for version in iris.versions] == [1, 2, 3, 4]
    assert [version.file.stage for version in digits.versions] == ["Archived", "Production", "Staging"]
    assert digits.file.aliases == {"champion": "2", "challenger": "3"}
    assert all(change.reason for version in digits.versions for change in version.file.history[1:])
    table = json.loads((folder / "tracker-demo" / "site" / "models" / "registry.json").read_text())
    assert sorted(table["models"]) == ["digits-reader", "iris-classifier"]
