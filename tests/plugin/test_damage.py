"""What somebody damaged, changed or linked elsewhere stops nothing else, and leads nowhere."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.plugin.conftest import there

MISSING = "MlflowException RESOURCE_DOES_NOT_EXIST"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What MLflow says of a damaged store."""
    folder = tmp_path_factory.mktemp("damaged")
    return there("damaged.py", f"tracker:{folder / 'runs'}", folder=folder)


def test_damaged_files_hide_nothing_else(told: Any) -> None:
    """Files of models that cannot be read are models that are not there; runs are listed with all the rest."""
    assert told["damaged model"] == told["model with a way out"] == MISSING
    assert told["models left"] == [True]
    assert told["runs"] == ["a", "b"] and told["outputs"] == 0
    assert told["runs without a file"] == 2


def test_a_file_of_somebody_is_not_replaced(told: Any) -> None:
    """An artifact that has the name of the file of data sets stays, and the tags tell of these."""
    assert told["somebody's file"] == '{"a": 1}' and told["data sets"] == "d1"


def test_a_changed_version_is_not_loaded(told: Any) -> None:
    """One byte more in a file of a registered version, and MLflow does not get it."""
    assert told["before"] == "nothing"
    assert told["changed model"].startswith("MlflowException")


def test_no_link_is_followed(told: Any) -> None:
    """Links among artifacts are neither listed nor read nor written through, and no path leads out."""
    assert told["listed"] == ["datasets.json", "folder", "model-2", "model-3", "other 0", "other 1"]
    assert told["in the link"] == ["folder/x.txt"]
    assert [key for key in told if key.startswith(("download", "direct")) and told[key] == "nothing"] == []
    assert told["all"] == ["folder/x.txt"]
    assert told["log through a link"].startswith("MlflowException")
    assert told["secret"] == ["key.txt"]
