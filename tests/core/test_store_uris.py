"""A store is named by a path, or by the `tracker:` URI that MLflow takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import tracker
from tracker import cli, names
from tracker.exceptions import InvalidValueError


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("tracker:", "runs"),
        ("tracker:./named", "named"),
        ("tracker:named", "named"),
        ("tracker:a b%20c", "a b%20c"),
        ("tracker:{here}/named", "named"),
        ("tracker://{here}/named", "named"),
        ("tracker://{here}/a%20b", "a b"),
        ("tracker:file://{here}/named", "named"),
    ],
)
def test_tracking_uris(uri: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store is named by a relative or an absolute path or by a URI; without one it is ./runs."""
    monkeypatch.chdir(tmp_path)
    here = tmp_path.as_posix() if os.name != "nt" else f"/{tmp_path.as_posix()}"
    assert names.folder_of(uri.format(here=here)) == tmp_path / folder


def test_the_store_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tracker:` alone is the store that TRACKER_URI names, which may be named by such a URI too."""
    monkeypatch.chdir(tmp_path)
    for uri, folder in {str(tmp_path / "chosen"): "chosen", "tracker:./other": "other", "tracker:": "runs"}.items():
        monkeypatch.setenv("TRACKER_URI", uri)
        assert names.folder_of("tracker:") == tmp_path / folder


@pytest.mark.parametrize("uri", ["tracker:///C:/data/runs", "tracker:C:/data/runs"])
def test_drives_of_windows(uri: str) -> None:
    """A drive keeps no slash in front of it."""
    assert names.folder_of(uri).as_posix().endswith("C:/data/runs")
    assert "/C:" not in names.folder_of(uri).as_posix().removeprefix(Path.cwd().as_posix() + "/")


@pytest.mark.parametrize(
    "uri", ["tracker://host/runs", "tracker:https://host/runs", "tracker:s3://b/runs", "tracker:a\0b"]
)
def test_what_is_no_folder_is_refused(uri: str) -> None:
    """A host, a server and a database are no stores."""
    with pytest.raises(InvalidValueError):
        names.folder_of(uri)


def test_everything_takes_the_uri_that_mlflow_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions, clients, TRACKER_URI and commands mean the same folder; none is made that is called `tracker:`."""
    monkeypatch.chdir(tmp_path)
    tracker.set_tracking_uri("tracker:./here")
    assert tracker.get_tracking_uri() == str(tmp_path / "here")
    with tracker.start_run(run_name="by the function") as run:
        run.log_metric("loss", 1)
    assert tracker.MlflowClient("tracker:here").get_run(run.run_id).info.run_name == "by the function"
    monkeypatch.setenv("TRACKER_URI", "tracker:./here")
    for arguments in (["list"], ["list", "--store", "tracker:here"], ["export", "csv", "tracker:here", "--out", "-"]):
        done = CliRunner().invoke(cli.main, arguments)
        assert done.exit_code == 0 and "by the function" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
