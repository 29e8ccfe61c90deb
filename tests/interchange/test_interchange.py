"""A model folder is the same thing to MLflow 2, to MLflow 3 and to tracker: each loads what the others saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.environments import run_there
from tests.interchange import cases

VERSIONS = ("2", "3")
NOT_IN_MLFLOW = {("2", "sklearn, skops"): "MLflow 2 does not know skops"}
"""Cases that an MLflow can neither save nor load."""


def mlflow(version: str, action: str, folder: Path) -> dict[str, Any]:
    """Let an MLflow save or load every case; what came out, by case."""
    answer = run_there(f"mlflow{version}", cases.__file__, action, folder, folder=folder)
    assert answer["version"].startswith(f"{version}.")
    return dict(answer["cases"])


@pytest.fixture(scope="module", params=VERSIONS)
def by_mlflow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """Version of an MLflow, and what tracker predicts with the models that it saved."""
    folder = tmp_path_factory.mktemp("by-mlflow")
    failed = mlflow(request.param, "save", folder)
    assert set(failed) == {case for version, case in NOT_IN_MLFLOW if version == request.param}, failed
    return request.param, cases.load_all(tracker, folder, trust=True)


@pytest.fixture(scope="module", params=VERSIONS)
def by_tracker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """Version of an MLflow, and what it predicts with the models that tracker saved."""
    folder = tmp_path_factory.mktemp("by-tracker")
    assert cases.save_all(tracker, folder) == {}
    return request.param, mlflow(request.param, "load", folder)


@pytest.mark.parametrize("case", cases.SAVES)
def test_tracker_loads_what_mlflow_saved(by_mlflow: tuple[str, dict[str, Any]], case: str) -> None:
    """Models of MLflow predict the same here, through pyfunc and through their own flavor."""
    version, predicted = by_mlflow
    if (version, case) not in NOT_IN_MLFLOW:
        assert predicted[case] == dict.fromkeys(predicted[case], cases.expected(case))


@pytest.mark.parametrize("case", cases.SAVES)
def test_mlflow_loads_what_tracker_saved(by_tracker: tuple[str, dict[str, Any]], case: str) -> None:
    """Our models predict the same in an environment that has MLflow and no tracker."""
    version, predicted = by_tracker
    if (version, case) in NOT_IN_MLFLOW:
        assert "skops" in str(predicted[case])
    else:
        assert predicted[case] == dict.fromkeys(predicted[case], cases.expected(case))
