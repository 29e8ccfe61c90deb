"""Models of XGBoost, LightGBM and ONNX, with the real libraries: they come back as they were, wherever they are."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracker
import tracker.pyfunc
from tests.frameworks.light.models import (
    CASES,
    FRAME,
    MATRIX,
    ONLY_OURS,
    PAIR,
    Case,
    graph,
    lgb_booster,
    xgb_classifier,
)
from tests.frameworks.saved import foreign, same
from tracker.exceptions import InvalidValueError, MissingPackageError, UntrustedModelError
from tracker.installed import installed_packages
from tracker.opening import inspect_model

ALL = {**CASES, **ONLY_OURS}
PICKLED = "lightgbm classifier, cloudpickle"


def flavor(case: Case) -> Any:
    """Its module."""
    return importlib.import_module(f"tracker.{case.flavor}")


def saved(case: Case, folder: Path) -> tuple[Any, Path]:
    """A model and the folder it was saved to."""
    model = case.make()
    flavor(case).save_model(model, folder, **dict(case.options))
    return model, folder


@pytest.mark.parametrize("name", ALL)
def test_saved_models_predict_the_same(name: str, tmp_path: Path) -> None:
    """A model that was saved and loaded predicts what it did before, bare and as a pyfunc."""
    case = ALL[name]
    model, folder = saved(case, tmp_path / "model")
    expected = case.native(model, case.inputs)
    loaded = flavor(case).load_model(folder)
    assert type(loaded) is type(model)
    assert same(case.native(loaded, case.inputs), expected)
    assert same(tracker.pyfunc.load_model(folder).predict(case.inputs), expected)


@pytest.mark.parametrize("name", ALL)
def test_logged_models_have_a_signature(name: str) -> None:
    """A model that was logged with an example has a signature, is registered, and loads by each URI."""
    case = ALL[name]
    model = case.make()
    example = {key: value[:3] for key, value in PAIR.items()} if case.inputs is PAIR else case.inputs[:3]
    info = flavor(case).log_model(
        model, name="model", input_example=example, registered_model_name="iris", **dict(case.options)
    )
    wanted = {id(PAIR): 2, id(MATRIX): 1}.get(id(case.inputs), FRAME.shape[1])
    assert len(info.signature.inputs.inputs) == wanted
    assert info.signature.outputs is not None
    for uri in (info.model_uri, "models:/iris/1"):
        predicted = tracker.pyfunc.load_model(uri).predict(case.inputs)
        assert same(predicted, case.native(model, case.inputs))


@pytest.mark.parametrize("name", ALL)
def test_only_pickles_need_trust(name: str, tmp_path: Path) -> None:
    """What inspection calls safe loads from anywhere; the pickle is refused until somebody vouches for it."""
    case = ALL[name]
    model, folder = saved(case, tmp_path / "model")
    place = foreign(folder, to=tmp_path / "foreign", flavor=case.flavor)
    assert inspect_model(place).safe == (name != PICKLED)
    if name == PICKLED:
        for load in (tracker.lightgbm.load_model, tracker.pyfunc.load_model):
            with pytest.raises(UntrustedModelError, match=r"lightgbm\.sklearn\.LGBMClassifier"):
                load(place)
    loaded = flavor(case).load_model(place, trust=name == PICKLED)
    assert same(case.native(loaded, case.inputs), case.native(model, case.inputs))


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("xgboost booster", {"xgboost"}),
        ("xgboost classifier", {"xgboost", "scikit-learn"}),
        ("lightgbm booster", {"lightgbm"}),
        ("lightgbm classifier, skops", {"lightgbm", "scikit-learn", "skops"}),
        (PICKLED, {"lightgbm", "scikit-learn", "cloudpickle", "numpy"}),
        ("onnx", {"onnx", "onnxruntime"}),
    ],
)
def test_requirements_name_what_is_installed(name: str, packages: set[str], tmp_path: Path) -> None:
    """The packages that a model needs are pinned by the names under which they are installed: xgboost-cpu is one."""
    _, folder = saved(CASES[name], tmp_path / "model")
    pins = dict(line.split("==") for line in (folder / "requirements.txt").read_text().split())
    here = installed_packages()
    found = {"xgboost-cpu" if each == "xgboost" and "xgboost" not in here else each for each in packages}
    assert found <= set(pins) and {package: here[package] for package in pins} == pins
    assert name == PICKLED or set(pins) == found


def test_params_reach_a_booster(tmp_path: Path) -> None:
    """Params of predict() that the method of the library takes are handed on."""
    booster = CASES["xgboost booster"].make()
    signature = tracker.models.infer_signature(FRAME, params={"output_margin": False})
    tracker.xgboost.save_model(booster, tmp_path / "model", signature=signature)
    model = tracker.pyfunc.load_model(tmp_path / "model")
    assert np.allclose(model.predict(FRAME).sum(axis=1), 1)
    assert not np.allclose(model.predict(FRAME, params={"output_margin": True}).sum(axis=1), 1)


def test_a_graph_takes_frames_and_casts_doubles(tmp_path: Path) -> None:
    """A frame of doubles goes into a graph of floats, and comes out as a frame with a column for each output."""
    tracker.onnx.save_model(graph(), tmp_path / "model")
    model = tracker.pyfunc.load_model(tmp_path / "model")
    frame, arrays = model.predict(FRAME), model.predict(MATRIX)
    assert list(frame.columns) == list(arrays)
    assert same(frame["label"], arrays["label"])
    assert same(np.stack(frame["probabilities"]), arrays["probabilities"])
    with pytest.raises(InvalidValueError, match="takes a DataFrame"):
        model.predict("text")


def test_large_tensors_lie_beside_the_graph(tmp_path: Path) -> None:
    """With save_as_external_data there are two files, and the graph that was saved still has its tensors."""
    model = CASES["onnx, two files"].make()
    before = model.SerializeToString()
    tracker.onnx.save_model(model, tmp_path / "model", save_as_external_data=True)
    assert (tmp_path / "model" / "model.onnx.data").stat().st_size == 4 * 4096
    assert model.SerializeToString() == before
    assert tracker.onnx.load_model(tmp_path / "model").graph.initializer[0].raw_data


@pytest.mark.parametrize(
    ("save", "match"),
    [
        (lambda at: tracker.xgboost.save_model(lgb_booster(), at), "tracker.sklearn"),
        (lambda at: tracker.xgboost.save_model(xgb_classifier(), at, model_format="jsn"), 'Did you mean "json"'),
        (lambda at: tracker.lightgbm.save_model(xgb_classifier(), at), "no model of LightGBM"),
        (
            lambda at: tracker.lightgbm.save_model(lgb_booster(), at, serialization_format="skop"),
            'Did you mean "skops"',
        ),
        (lambda at: tracker.onnx.save_model("model.onnx", at), "no ONNX graph"),
    ],
)
def test_what_cannot_be_saved_is_said(save: Any, match: str, tmp_path: Path) -> None:
    """A model of another library, or a format that is not there, is refused before anything is written."""
    with pytest.raises(InvalidValueError, match=match):
        save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("name", "library", "command"),
    [
        ("xgboost booster", "xgboost", 'pip install "xgboost" "scikit-learn"'),
        ("lightgbm booster", "lightgbm", 'pip install "lightgbm" "scikit-learn"'),
        ("onnx", "onnx", 'pip install "onnx" "onnxruntime"'),
        ("onnx", "onnxruntime", 'pip install "onnxruntime"'),
    ],
)
def test_a_missing_library_is_named(
    name: str, library: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its library a model is not loaded, and the message has the command that installs it."""
    _, folder = saved(CASES[name], tmp_path / "model")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingPackageError) as caught:
        tracker.pyfunc.load_model(folder)
    assert str(caught.value).endswith(f"Run: {command}")
