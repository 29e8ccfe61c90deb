"""Where the `tracker:` URIs of artifacts lead."""

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
