"""Where `tracker:` URIs lead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracker import layout
from tracker.exceptions import InvalidValueError
from tracker.mlflow_plugin import places
from tracker.store import Store

RUN_ID = "0" * 31 + "1"


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
    assert places.root_of(uri.format(here=here)) == tmp_path / folder


def test_the_store_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tracker:` alone is the store that TRACKER_URI names."""
    monkeypatch.setenv("TRACKER_URI", str(tmp_path / "chosen"))
    assert places.root_of("tracker:") == tmp_path / "chosen"


@pytest.mark.parametrize("uri", ["tracker:///C:/data/runs", "tracker:C:/data/runs"])
def test_drives_of_windows(uri: str) -> None:
    """A drive keeps no slash in front of it."""
    assert places.root_of(uri).as_posix().endswith("C:/data/runs")
    assert "/C:" not in places.root_of(uri).as_posix().removeprefix(Path.cwd().as_posix() + "/")


@pytest.mark.parametrize(
    "uri", ["tracker://host/runs", "tracker:https://host/runs", "tracker:s3://b/runs", "tracker:a\0b"]
)
def test_what_is_no_folder_is_refused(uri: str) -> None:
    """A host, a server and a database are no stores."""
    with pytest.raises(InvalidValueError):
        places.root_of(uri)


@pytest.mark.parametrize(
    "name", ["plain", "with blank", "50%25 #1;x?y"] if os.name != "nt" else ["plain", "with blank"]
)
def test_artifact_uris_lead_back(name: str, tmp_path: Path) -> None:
    """The URI of a folder of artifacts leads to it, whatever is in the path of the store."""
    root = Store.open(tmp_path / name).root
    folder = layout.run(root, "digits", RUN_ID) / layout.ARTIFACTS / "model"
    place = places.place_of(places.uri_of(folder))
    assert (place.root, place.run_folder, place.below) == (root, layout.run(root, "digits", RUN_ID), "model")
    trashed = layout.trashed_run(root, "digits", RUN_ID) / layout.ARTIFACTS
    assert places.place_of(places.uri_of(trashed)).run_folder == trashed.parent
    version = places.place_of(places.version_uri(root, "iris", 3))
    assert (version.run_folder, version.slug, version.version) == (None, "iris", 3)


def test_artifact_uris_stay_in_stores(tmp_path: Path) -> None:
    """A URI that leads to no artifacts of a store is refused, and dots lead nowhere else."""
    root = Store.open(tmp_path / "runs").root
    for path in (
        "etc",
        "runs/registry",
        f"runs/experiments/x/runs/{RUN_ID}/log",
        "runs/experiments/x/runs/y/artifacts",
    ):
        with pytest.raises(InvalidValueError):
            places.place_of(places.uri_of(tmp_path / path))
    dotted = places.uri_of(root) + f"/experiments/x/runs/{RUN_ID}/artifacts/../log"
    with pytest.raises(InvalidValueError):
        places.place_of(dotted)
