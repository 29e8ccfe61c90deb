"""Where the artifacts of runs in a database of MLflow's are found, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.foreign.importing import import_store
from tracker.foreign.mlflow_db import MlflowDbStore
from tracker.reader import read_store

from .hand_db import MlflowDb, run_id
from .reading import runs_in, told_in

URIS = {
    "absolute": "/home/eve/old/mlruns/1/{}/artifacts",
    "file": "file:///home/eve/old/mlruns/1/{}/artifacts",
    "windows": r"C:\Users\eve\mlruns\1\{}\artifacts",
    "file of windows": "file:///C:/Users/eve/mlruns/1/{}/artifacts",
    "relative": "./mlruns/1/{}/artifacts",
    "upwards": "../../etc/../mlruns/1/{}/artifacts",
    "proxied": "mlflow-artifacts:/1/{}/artifacts",
    "bucket that was fetched": "s3://bucket/of/mlruns/1/{}/artifacts",
    "none": "",
}


@pytest.mark.parametrize("base", ["mlruns", "mlartifacts", "artifacts", ""])
@pytest.mark.parametrize("uri", URIS.values(), ids=URIS)
def test_artifacts_are_found_beside_the_database(tmp_path: Path, base: str, uri: str) -> None:
    """Whatever machine their URI is of."""
    made = MlflowDb(tmp_path / "mlflow.db")
    made.experiment()
    made.run(run_id(1), name="one", artifact_uri=uri.format(run_id(1)))
    folder = tmp_path / base / "1" / run_id(1) / "artifacts"
    folder.mkdir(parents=True)
    assert runs_in(made.path)["one"].artifacts == folder
    assert told_in(made.path) == []
    import_store(made.path, tmp_path / "runs", artifacts="leave")
    run = next(iter(read_store(tmp_path / "runs", cache=False).runs()))
    assert run.file.tags["tracker.artifacts"] == folder.relative_to(tmp_path).as_posix()


def test_artifacts_elsewhere_are_never_read(tmp_path: Path) -> None:
    """A path that leads out of the folder is not followed, nor is a link in it: one problem says so, and what to do."""
    outside = tmp_path / "outside" / "1" / run_id(1) / "artifacts"
    outside.mkdir(parents=True)
    (outside / "secret.txt").write_text("secret")
    made = MlflowDb(tmp_path / "of" / "mlflow.db")
    made.experiment()
    made.run(run_id(1), artifact_uri=str(outside))
    made.run(run_id(2), artifact_uri=f"../outside/1/{run_id(1)}/artifacts")
    made.run(run_id(3), artifact_uri=f"s3://bucket/1/{run_id(3)}/artifacts")
    made.run(run_id(4), artifact_uri="/etc")
    report = import_store(made.path, tmp_path / "runs")
    assert (report.artifacts, len(report.problems)) == (0, 1)
    assert "Put the folder that holds them (mlruns, mlartifacts, artifacts) beside it" in report.problems[0].message
    elsewhere = {run.name: run.artifacts_elsewhere for run in MlflowDbStore(made.path).runs()}
    assert elsewhere == {"run 0001": "", "run 0002": "", "run 0003": URI_3, "run 0004": ""}
    (tmp_path / "of" / "mlruns").symlink_to(tmp_path / "outside")
    assert import_store(made.path, tmp_path / "again").artifacts == 0


URI_3 = f"s3://bucket/1/{run_id(3)}/artifacts"


def test_runs_without_artifacts_are_no_problem(tmp_path: Path) -> None:
    """MLflow makes no folder before the first artifact; one that a tag tells of must be there."""
    made = MlflowDb(tmp_path / "mlflow.db")
    made.experiment()
    made.run(run_id(1), artifact_uri=f"{tmp_path}/mlruns/1/{run_id(1)}/artifacts")
    assert told_in(made.path) == []
    made.add("tags", key="mlflow.loggedArtifacts", value="[]", run_uuid=run_id(1))
    assert ["the artifacts of 1 run are not in the folder" in line for line in told_in(made.path)] == [True]


def test_every_run_that_lost_its_artifacts_counts(tmp_path: Path) -> None:
    """Where one run says that it had artifacts, all whose folder is elsewhere are counted, each once."""
    made = MlflowDb(tmp_path / "mlflow.db")
    made.experiment()
    for number in range(1, 5):
        made.run(run_id(number))
    made.run(run_id(5), artifact_uri=f"{tmp_path}/mlruns/1/{run_id(5)}/artifacts")
    assert "the artifacts of 4 runs, if there are any, lie outside" in told_in(made.path)[0]
    for tag in ("mlflow.loggedArtifacts", "mlflow.log-model.history"):
        made.add("tags", key=tag, value="[]", run_uuid=run_id(2))
    assert ["the artifacts of 4 runs are not in the folder" in line for line in told_in(made.path)] == [True]
