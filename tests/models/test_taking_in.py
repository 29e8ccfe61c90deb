"""What register_model takes into the store from outside: all that lies there is trusted later on."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.linear_model import LinearRegression

import tracker
from tracker import opening
from tracker.exceptions import ChangedModelError, InvalidValueError, ModelError, UntrustedModelError
from tracker.models import digests, from_code
from tracker.models.formats import format_of
from tracker.models.mlmodel import Model
from tracker.opening import open_model

MODEL = LinearRegression().fit(np.arange(6.0).reshape(3, 2), np.arange(3))
SKOPS = {"serialization_format": "skops"}
LOADED_BY_SKLEARN = {"loader_module": "mlflow.sklearn"}


@pytest.fixture
def model(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A skops model outside of the store, of which this process does not know that it saved it."""
    folder = tmp_path / "model"
    tracker.sklearn.save_model(MODEL, folder, serialization_format="skops")
    monkeypatch.setattr(opening, "_saved_here", set())
    return folder


def claim(folder: Path, flavors: dict[str, Any]) -> None:
    """Rewrite what an MLmodel says, with a manifest that fits, as the author of a model could."""
    path = folder / "MLmodel"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "flavors": flavors}))
    digests.write_manifest(folder)


@pytest.mark.parametrize(
    "flavors",
    {
        "a pickled Python model beside a skops file": {
            "sklearn": SKOPS,
            "python_function": {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"},
        },
        "a module of its own as the loader": {"sklearn": SKOPS, "python_function": {"loader_module": "evil"}},
        "a Python file as the loader": {
            "sklearn": SKOPS,
            "python_function": {
                "loader_module": "mlflow.pyfunc.loaders.code_model",
                "model_code_path": "model.py",
            },
        },
        "code that only its own flavor names": {
            "sklearn": {**SKOPS, "code": "code"},
            "python_function": LOADED_BY_SKLEARN,
        },
        "PyTorch that calls itself skops": {"pytorch": SKOPS},
        "an unknown flavor that calls itself skops": {"spacy": SKOPS},
        "a loader of another flavor": {"sklearn": SKOPS, "python_function": {"loader_module": "mlflow.pytorch"}},
    }.items(),
    ids=lambda named: named[0],
)
def test_a_claim_to_be_safe_must_cover_all_that_loads(model: Path, flavors: tuple[str, dict[str, Any]]) -> None:
    """A safe flavor vouches neither for another loader nor for code: such a model is not taken in without trust."""
    claim(model, flavors[1])
    assert not format_of(Model.load(model)).safe
    with pytest.raises(UntrustedModelError):
        tracker.register_model(model, "mine")


@pytest.mark.parametrize("flavor", ["keras", "onnx", "xgboost"])
def test_what_trust_would_load_with_fewer_checks_needs_it(model: Path, flavor: str) -> None:
    """Keras' safe mode and the like end in the store, so registering asks for trust where loading does not."""
    claim(model, {flavor: {"data": "data"}, "python_function": {"loader_module": f"mlflow.{flavor}"}})
    assert format_of(Model.load(model)).safe
    with pytest.raises(UntrustedModelError, match="fewer checks"):
        tracker.register_model(model, "mine")
    assert tracker.register_model(model, "mine", trust=digests.folder_digest(model)).version == "1"


def test_a_file_that_changes_while_it_is_taken_in_is_refused(store: Path, model: Path) -> None:
    """The copy is hashed while it is made, and nothing of it stays."""
    from tracker.registering import register_opened

    opened = open_model(model)
    (model / "model.skops").write_bytes(b"else")
    with pytest.raises(ChangedModelError):
        register_opened(opened, "mine", store)
    assert list(store.rglob("MLmodel")) == []


def test_a_copy_that_was_cut_short_is_not_taken_for_whole(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error while a private copy is made, the next try makes it anew."""
    opened = open_model(model)

    def broken(*_: Any) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched, pytest.raises(tracker.exceptions.StorageError):
        patched.setattr(shutil, "copyfileobj", broken)
        opened.copy()
    assert digests.make_manifest(opened.copy()).files == opened.manifest.files


def test_threads_share_a_private_copy(model: Path) -> None:
    """Each of them gets whole files."""
    opened = open_model(model)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: (opened.copy() / "model.skops").stat().st_size, range(16)))
    assert set(found) == {opened.manifest.files["model.skops"].bytes}


def test_the_client_of_another_store_registers_there(store: Path, tmp_path: Path) -> None:
    """A client with a store of its own finds runs and versions in it, whatever the session's store is."""
    other = tmp_path / "other"
    tracker.set_tracking_uri(other)
    with tracker.start_run() as run:
        tracker.sklearn.log_model(MODEL, name="model")
    tracker.set_tracking_uri(store)
    client = tracker.MlflowClient(tracking_uri=str(other))
    client.create_registered_model("iris")
    for source in (f"runs:/{run.info.run_id}/model", "models:/iris/1"):
        client.create_model_version("iris", source)
    assert [version.version for version in client.search_model_versions("name = 'iris'")] == ["2", "1"]
    path = tracker.artifacts.download_artifacts("models:/iris/2", tracking_uri=str(other))
    assert Path(path).is_relative_to(other)


def test_the_newest_model_of_a_name_with_brackets(store: Path) -> None:
    """Names are no patterns: `model[1]` finds its own later ones."""
    with tracker.start_run() as run:
        tracker.sklearn.log_model(MODEL, name="model[1]")
        with pytest.warns(UserWarning, match="means this newer model"):
            newer = tracker.sklearn.log_model(MODEL, name="model[1]")
    assert open_model(f"runs:/{run.info.run_id}/model[1]").folder.name == newer.artifact_path


def test_two_files_of_code_with_one_name_are_refused(store: Path, tmp_path: Path) -> None:
    """One would silently take the place of the other."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "helper.py").write_text("")
    with pytest.raises(InvalidValueError, match=r"Two of code_paths are called 'helper\.py'"):
        tracker.sklearn.save_model(
            MODEL, tmp_path / "saved", code_paths=[str(tmp_path / name / "helper.py") for name in ("one", "two")]
        )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")
def test_a_name_that_could_not_be_loaded_is_not_saved(store: Path, tmp_path: Path) -> None:
    """What the reader of a manifest refuses, saving refuses already."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "aux.py").write_text("")
    with pytest.raises(ModelError, match=r"Windows reserves.*Rename it"):
        tracker.sklearn.save_model(MODEL, tmp_path / "saved", code_paths=[str(tmp_path / "package")])
    assert not (tmp_path / "saved").exists()


def test_python_files_of_several_threads_keep_their_models(tmp_path: Path) -> None:
    """Each file sets its own model, however many run at once."""
    text = "import time\nimport tracker\ntime.sleep(0.01)\ndef predict(model_input):\n    return {0}\n"
    files = [tmp_path / f"model_{n}.py" for n in range(8)]
    for number, file in enumerate(files):
        file.write_text(text.format(number) + "tracker.models.set_model(predict)\ntime.sleep(0.01)\n")
    start = threading.Barrier(len(files))

    def run(file: Path) -> Callable[[Any], int]:
        start.wait()
        found: Callable[[Any], int] = from_code.run_code(file, None)
        return found

    with ThreadPoolExecutor(len(files)) as pool:
        assert [model(None) for model in pool.map(run, files)] == list(range(len(files)))


@pytest.mark.parametrize("name", ["__init__", "__setstate__", "_validate_params", "coef_", "nothing"])
def test_only_a_public_method_predicts(model: Path, name: str) -> None:
    """An MLmodel cannot have data handed to anything but a method that is meant for users."""
    claim(
        model,
        {
            "sklearn": {**SKOPS, "pickled_model": "model.skops"},
            "python_function": {**LOADED_BY_SKLEARN, "predict_fn": name},
        },
    )
    with pytest.raises(ModelError, match="is to predict with"):
        tracker.pyfunc.load_model(model)
