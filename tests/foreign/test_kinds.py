"""What is built where a path is not simply the store of one tracker."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from site_builder.build import build
from tracker.cli import main
from tracker.exceptions import NotAStoreError
from tracker.foreign.kinds import open_foreign

from .hand import Mlruns, run_id, small
from .hand_db import MlflowDb
from .reading import write


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def made(tmp_path: Path) -> Mlruns:
    """A small sound folder of MLflow's files."""
    return small(tmp_path / "mlruns")


def test_a_folder_of_several_kinds_is_refused(made: Mlruns, tmp_path: Path) -> None:
    """Where stores of several kinds lie below one folder, they are named, for only one of them could be read."""
    place = tmp_path / "all"
    (place / "dvc").mkdir(parents=True)
    (place / "dvc" / "metrics.json").write_text('{"step": 0, "loss": 1}')
    write(
        place,
        {"dvc/plots/metrics/loss.tsv": "step\tloss\n0\t1\n", "sacred/1/run.json": "{}", "sacred/1/config.json": "{}"},
    )
    with pytest.raises(NotAStoreError, match=r"several kinds: .*--from sacred.*--from dvclive"):
        build(place, tmp_path / "site")
    shutil.rmtree(place / "sacred")
    assert build(place, tmp_path / "site").sources[0].kind == open_foreign(place, "dvclive").kind
    shutil.move(made.root, place / "mlruns")
    with pytest.raises(NotAStoreError, match=r"several kinds: .*mlruns\. Name one"):
        build(place, tmp_path / "site")


def test_artifacts_of_a_database_are_no_store(tmp_path: Path) -> None:
    """Beside its database MLflow 3 has a folder `mlruns` of artifacts; whoever names it is told of the database."""
    made = MlflowDb(tmp_path / "mlflow.db")
    write(tmp_path, {f"mlruns/1/{run_id(1)}/artifacts/a.txt": "x"})
    with pytest.raises(NotAStoreError, match=f"maybe the artifacts of {made.path}: name that"):
        build(tmp_path / "mlruns", tmp_path / "site")
    for command in (["build", "--out", str(tmp_path / "site")], ["import", "--into", str(tmp_path / "runs")]):
        result = CliRunner().invoke(main, [*command, f"sqlite:///{made.path}"])
        assert result.exit_code == 0, result.output


def test_a_source_without_runs_is_named(made: Mlruns, tmp_path: Path) -> None:
    """Read as another kind, a store holds nothing: that is a problem and no silence."""
    (problem,) = build(made.root, tmp_path / "site", kind="tensorboard").problems
    assert problem.message.startswith("holds no runs of TensorBoard")
