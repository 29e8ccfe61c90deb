"""A model in a run: its name, its run, its registration; whole or not there, whenever the process ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB

import tracker
from tracker import _io, layout
from tracker.exceptions import InvalidValueError, NotFoundError, TrackerError
from tracker.models import digests
from tracker.opening import open_model

X, Y = load_iris(return_X_y=True, as_frame=True)
pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="module")
def model() -> Any:
    """A fitted estimator that is small and quick."""
    return LogisticRegression(max_iter=300).fit(X, Y)


def logged(store: Path) -> list[Path]:
    """The folders of all models in the store, finished or not."""
    return sorted(path.parent for path in store.rglob(layout.MLMODEL_FILE))


def test_a_local_model_needs_no_network() -> None:
    """Importing a flavor loads nothing of http: that is for models of published sites."""
    program = "import sys, tracker.sklearn, tracker.pyfunc, tracker.artifacts; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"ssl", "socket", "http.client", "urllib.request", "email"} & set(loaded)


def test_the_same_name_twice_in_one_run_means_the_newest(store: Path) -> None:
    """A second model of one name lies beside the first; a warning says that runs:/ means the newest now, and how to
    load the first."""
    with tracker.start_run() as run:
        first = tracker.sklearn.log_model(LinearRegression().fit(X, Y), name="model")
        with pytest.warns(UserWarning, match=f"runs:/{run.info.run_id}/model:1"):
            second = tracker.sklearn.log_model(GaussianNB().fit(X, Y), name="model")
    assert [info.artifact_path for info in (first, second)] == ["model", "model-2"]
    assert isinstance(tracker.sklearn.load_model(f"runs:/{run.info.run_id}/model"), GaussianNB)
    assert isinstance(tracker.sklearn.load_model(f"runs:/{run.info.run_id}/model:1"), LinearRegression)
    assert isinstance(tracker.sklearn.load_model(f"runs:/{run.info.run_id}/model:2"), GaussianNB)
    assert isinstance(tracker.sklearn.load_model(second.model_uri), GaussianNB)
    with pytest.raises(NotFoundError, match="has no model"):
        tracker.sklearn.load_model(f"runs:/{run.info.run_id}/model:3")
    assert len(logged(store)) == 2


def test_a_name_may_have_folders(store: Path, model: Any) -> None:
    """A name with slashes is a path below the artifacts, and the URI says it."""
    info = tracker.sklearn.log_model(model, name="models/linear/best")
    assert info.model_uri == f"runs:/{info.run_id}/models/linear/best"
    assert tracker.sklearn.load_model(info.model_uri).predict(X).shape == (150,)


@pytest.mark.parametrize("name", ["../model", "/model", "a//b", "CON", ".", "a/../b", "a\\b", ".new-x"])
def test_a_name_that_leads_out_is_refused(store: Path, model: Any, name: str) -> None:
    """Names are paths below the artifacts, and no others."""
    with pytest.raises(TrackerError):
        tracker.sklearn.log_model(model, name=name)
    assert logged(store) == []


def test_the_old_argument_and_the_new_one(model: Any) -> None:
    """artifact_path= is an older word for name=, also by position; two different ones are refused."""
    with tracker.start_run():
        assert tracker.sklearn.log_model(model, "by-position").artifact_path == "by-position"
        assert tracker.sklearn.log_model(sk_model=model, artifact_path="old").artifact_path == "old"
        assert tracker.sklearn.log_model(model).artifact_path == "model"
        with pytest.raises(InvalidValueError, match="one of them"):
            tracker.sklearn.log_model(model, "old", name="new")


def test_without_a_run_one_is_started(store: Path, model: Any) -> None:
    """log_model starts a run when none is active, as MLflow does, and that run goes on."""
    info = tracker.sklearn.log_model(model, name="model")
    active = tracker.active_run()
    assert active is not None
    assert active.info.run_id == info.run_id


def test_another_run_gets_the_model(model: Any) -> None:
    """run_id= logs to a run that ended, or to one that is not the active one."""
    with tracker.start_run() as ended:
        pass
    with tracker.start_run() as active:
        info = tracker.sklearn.log_model(model, name="late", run_id=ended.info.run_id)
    assert info.run_id == ended.info.run_id != active.info.run_id
    assert tracker.get_run(ended.info.run_id).info.status == "FINISHED"
    assert tracker.sklearn.load_model(info.model_uri).predict(X).shape == (150,)
    with pytest.raises(NotFoundError):
        tracker.sklearn.log_model(model, name="late", run_id="0" * 32)


def test_logging_registers_a_version(model: Any) -> None:
    """registered_model_name= makes the next version of that name, loaded by number, `latest` and run."""
    first = tracker.sklearn.log_model(model, name="model", registered_model_name="iris")
    second = tracker.sklearn.log_model(
        GaussianNB().fit(X, Y), name="model", registered_model_name="iris", await_registration_for=0
    )
    assert (first.registered_model_version, second.registered_model_version) == ("1", "2")
    assert isinstance(tracker.sklearn.load_model("models:/iris/1"), LogisticRegression)
    assert isinstance(tracker.sklearn.load_model("models:/iris/latest"), GaussianNB)


def test_a_name_that_cannot_be_registered_is_refused_first(store: Path, model: Any) -> None:
    """A bad name for the registry is told before anything is written."""
    with pytest.raises(InvalidValueError):
        tracker.sklearn.log_model(model, name="model", registered_model_name="a/b")
    assert logged(store) == []


def test_many_threads_log_under_one_name(store: Path, model: Any) -> None:
    """Eight threads that log to one run under one name make eight models, all whole."""
    with tracker.start_run() as run:
        threads = [
            threading.Thread(target=tracker.sklearn.log_model, args=(model,), kwargs={"name": "model"})
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    folders = logged(store)
    assert len(folders) == 8
    for folder in folders:
        manifest = digests.read_manifest(folder)
        assert manifest is not None
        digests.verify(folder, manifest)
    assert tracker.sklearn.load_model(f"runs:/{run.info.run_id}/model").predict(X).shape == (150,)


def test_metadata_are_plain_values(store: Path, model: Any) -> None:
    """Numbers of numpy become plain ones in the MLmodel file; other objects are refused, and nothing is left."""
    info = tracker.sklearn.log_model(model, name="model", metadata={"score": np.float64(0.5), "sizes": np.arange(2)})
    assert open_model(info.model_uri).model.metadata == {"score": 0.5, "sizes": [0, 1]}
    with pytest.raises(InvalidValueError, match="texts, numbers, lists and dicts"):
        tracker.sklearn.log_model(model, name="other", metadata={"model": model})
    assert len(list(store.rglob("MLmodel"))) == 1


class Stop:
    """Ends the process at one of the numbered points of files."""

    def __init__(self, point: int) -> None:
        self.point, self.count = point, 0

    def __call__(self, operation: str, path: str, data: bytes) -> bytes:
        """What `_io.fault` is called for."""
        self.count += 1
        if self.count == self.point:
            os._exit(9)
        return data


@pytest.mark.skipif(os.name == "nt", reason="it forks")
def test_a_crash_at_any_point_leaves_a_whole_model_or_none(store: Path, model: Any) -> None:
    """The process ends at each operation on files of log_model with registration: what is found is whole, and loads."""
    with tracker.start_run() as run:
        pass
    log(model, run.info.run_id, "first")
    counted = Stop(0)
    _io.fault = counted
    try:
        log(model, run.info.run_id, "dry")
    finally:
        _io.fault = None
    found, kept = 0, 0
    for point in range(1, counted.count + 1):
        name = f"at-{point}"
        child = os.fork()
        if child == 0:
            _io.fault = Stop(point)
            try:
                log(model, run.info.run_id, name)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        found += 1
        kept += whole(run.info.run_id, name)
    assert found == counted.count > 30
    assert 0 < kept < found
    for version in versions("iris"):
        assert tracker.sklearn.load_model(f"models:/iris/{version}").predict(X).shape == (150,)


def log(model: Any, run_id: str, name: str) -> None:
    """What is interrupted."""
    tracker.sklearn.log_model(model, name=name, run_id=run_id, registered_model_name="iris", input_example=X[:1])


def whole(run_id: str, name: str) -> bool:
    """Whether the model is there and loads; one that is there in part fails the test."""
    there = name in {file.path for file in tracker.artifacts.list_artifacts(run_id=run_id)}
    if there:
        assert tracker.sklearn.load_model(f"runs:/{run_id}/{name}").predict(X).shape == (150,)
    return there


def versions(name: str) -> list[str]:
    """The numbers of the versions of a registered model."""
    from tracker.registry import Registry
    from tracker.session import session

    return [version.version for version in Registry(session.root).model(name).versions]
