"""Models of PyTorch, Keras and TensorFlow, with the real libraries."""

from __future__ import annotations

import importlib
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import torch

import tracker
import tracker.pyfunc
from tests.frameworks.heavy.models import CASES, FRAME, MATRIX, Case, keras_model, network
from tests.frameworks.saved import foreign, rewritten, same
from tests.models.hostile import call
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError, UntrustedModelError
from tracker.opening import inspect_model


def flavor(case: Case) -> Any:
    """Its module."""
    return importlib.import_module(f"tracker.{case.flavor}")


def place_of(name: str, tmp_path: Path, model: Any = None) -> Path:
    """A model of a case, as it would come from elsewhere."""
    case = CASES[name]
    flavor(case).save_model(model or case.make(), tmp_path / "model", **dict(case.options))
    return foreign(tmp_path / "model", to=tmp_path / "foreign", flavor=case.flavor)


@pytest.mark.parametrize("name", CASES)
def test_saved_models_predict_the_same(name: str, tmp_path: Path) -> None:
    """A model that was saved and loaded predicts what it did before, bare and as a pyfunc."""
    case = CASES[name]
    model = case.make()
    expected = case.native(model, MATRIX)
    flavor(case).save_model(model, tmp_path / "model", **dict(case.options))
    assert same(case.native(flavor(case).load_model(tmp_path / "model"), MATRIX), expected)
    assert same(tracker.pyfunc.load_model(tmp_path / "model").predict(MATRIX), expected)


@pytest.mark.parametrize("name", CASES)
def test_logged_models_have_a_signature(name: str) -> None:
    """A model that was logged with an example has a signature, and loads by each URI."""
    case = CASES[name]
    model = case.make()
    options = {"input_example": MATRIX, **dict(case.options)}
    info = flavor(case).log_model(model, name="model", registered_model_name="net", **options)
    assert info.signature.inputs.inputs[0].shape == (-1, 4)
    for uri in (info.model_uri, "models:/net/1"):
        assert same(tracker.pyfunc.load_model(uri).predict(MATRIX), case.native(model, MATRIX))


@pytest.mark.parametrize("name", CASES)
def test_programs_need_trust(name: str, tmp_path: Path) -> None:
    """What inspection calls safe loads from anywhere; the others are refused until somebody vouches for them."""
    case = CASES[name]
    place = place_of(name, tmp_path)
    assert inspect_model(place).safe == case.safe
    if not case.safe:
        for load in (flavor(case).load_model, tracker.pyfunc.load_model):
            with pytest.raises(UntrustedModelError, match="trust=True"):
                load(place)
    loaded = flavor(case).load_model(place, trust=not case.safe)
    assert same(case.native(loaded, MATRIX), case.native(case.make(), MATRIX))


def test_a_module_keeps_its_mode(tmp_path: Path) -> None:
    """Saving with an example predicts as after loading, without the dropout of training, and changes nothing."""
    module = network().train()
    tracker.pytorch.save_model(module, tmp_path / "model", input_example=MATRIX)
    assert module.training and not tracker.pytorch.load_model(tmp_path / "model").training


@pytest.mark.parametrize("name", ["pytorch", "keras", "tensorflow, keras"])
def test_frames_give_frames(name: str, tmp_path: Path) -> None:
    """A frame goes in as its values, and its index comes out."""
    case = CASES[name]
    model = case.make()
    flavor(case).save_model(model, tmp_path / "model")
    frame = FRAME.set_axis(range(5, 15))
    found = tracker.pyfunc.load_model(tmp_path / "model").predict(frame)
    assert list(found.index) == list(range(5, 15)) and same(found.to_numpy(), case.native(model, MATRIX))


def test_an_exported_program_takes_any_number_of_rows(tmp_path: Path) -> None:
    """The example has ten rows, and three go through as well."""
    module = network().eval()
    tracker.pytorch.save_model(module, tmp_path / "model", serialization_format="pt2", input_example=MATRIX)
    assert tracker.pyfunc.load_model(tmp_path / "model").predict(MATRIX[:3]).shape == (3, 2)
    with pytest.raises(InvalidValueError, match="needs input_example"):
        tracker.pytorch.save_model(module, tmp_path / "other", serialization_format="pt2")


class Bites:
    """A layer that touches a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.canary,))


def test_the_refusal_says_what_torch_would_import(tmp_path: Path) -> None:
    """A pickle of torch from elsewhere does not run, and the refusal names what is in it."""
    canary = tmp_path / "canary"
    place = place_of("pytorch", tmp_path)
    torch.save({"a": Bites(canary)}, place / "data" / "model.pth")
    for load in (tracker.pytorch.load_model, tracker.pyfunc.load_model):
        with pytest.raises(UntrustedModelError, match=r"pathlib\.Path"):
            load(place)
    assert not canary.exists()
    assert any("pathlib" in name for name in inspect_model(place).imports)


@pytest.mark.parametrize("name", [name for name in CASES if name != "tensorflow"])
@pytest.mark.parametrize("part", [0, 1, 100, 0.5, 0.99])
def test_cut_files_are_refused(name: str, part: float, tmp_path: Path) -> None:
    """A file that ends too early is a ModelError, even when it is trusted."""
    place = place_of(name, tmp_path)
    path = next(path for path in (place / "data").iterdir() if path.stem == "model")
    rewritten(path, lambda data: data[: int(part * len(data)) if 0 < part < 1 else int(part)])
    for trust in (False, True):
        with pytest.raises(ModelError):
            flavor(CASES[name]).load_model(place, trust=trust)


def test_a_pickle_under_another_name_does_not_run(tmp_path: Path) -> None:
    """A pickle in the place of a .keras file is no model."""
    canary = tmp_path / "canary"
    place = place_of("keras", tmp_path)
    rewritten(place / "data" / "model.keras", lambda _: call("os", "system", f"touch '{canary}'"))
    with pytest.raises(ModelError, match=r"no \.keras file"):
        tracker.keras.load_model(place)
    assert not canary.exists()


def with_config(place: Path, change: Callable[[dict[str, Any]], None], *, more: dict[str, bytes] | None = None) -> None:
    """Change what the configuration of a .keras file says, and add files to it."""
    path = place / "data" / "model.keras"
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    change(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**files, "config.json": json.dumps(config).encode(), **(more or {})}.items():
            archive.writestr(name, data)


def layer(name: str, module: str = "keras.layers", **config: Any) -> Callable[[dict[str, Any]], None]:
    """Adds a layer."""
    part = {"module": module, "class_name": name, "config": config, "registered_name": None}
    return lambda whole: whole["config"]["layers"].append(part)


GADGETS = {
    "Lambda": layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wAAAA=="}}),
    "a module of Python": layer("system", "os", command="touch canary"),
    "a function of Keras": layer("get_file", "keras.utils", origin="file:///etc/passwd"),
    "a function among layers": layer("deserialize", config={}),
    "a module inside of Keras": layer("Model", "keras.src.saving.saving_lib"),
    "a SavedModel": layer("TFSMLayer", filepath="/etc"),
    "a module of torch": layer("TorchModuleWrapper", module="UEsDBA=="),
    "words in a file": layer("StringLookup", vocabulary="/etc/passwd"),
    "a class of one's own": layer("Own", "__main__"),
    "a dotted name": layer("layers.Dense", "keras"),
}


@pytest.mark.parametrize("gadget", GADGETS)
def test_keras_files_hold_layers_of_keras_only(gadget: str, tmp_path: Path) -> None:
    """Layers that hold code, and names that are no layers of Keras, are refused before Keras sees them."""
    place = place_of("keras", tmp_path)
    with_config(place, GADGETS[gadget])
    for load in (tracker.keras.load_model, tracker.pyfunc.load_model):
        with pytest.raises(UntrustedModelError, match="can run code or read other files"):
            load(place)


def test_keras_files_bring_no_other_files(tmp_path: Path) -> None:
    """A .keras file has three members."""
    place = place_of("keras", tmp_path)
    with_config(place, lambda _: None, more={"assets/../../x": b""})
    with pytest.raises(UntrustedModelError, match="the file"):
        tracker.keras.load_model(place)


@pytest.mark.parametrize("kind", ["soft", "link", "dataset"])
def test_weights_lie_in_the_file(kind: str, tmp_path: Path) -> None:
    """HDF5 can take its numbers from other files; the weights of a stranger may not."""
    (tmp_path / "secret").write_bytes(bytes(400))
    place, stream = place_of("keras", tmp_path), io.BytesIO()
    with h5py.File(stream, "w") as file:
        if kind == "dataset":
            file.create_dataset("vars", (4,), "u1", external=[(str(tmp_path / "secret"), 0, 4)])
        else:
            target = "/nowhere" if kind == "soft" else str(tmp_path / "secret")
            file["vars"] = h5py.SoftLink(target) if kind == "soft" else h5py.ExternalLink(target, "/")
    with_config(place, lambda _: None, more={"model.weights.h5": stream.getvalue()})
    with pytest.raises(UntrustedModelError, match="its weights"):
        tracker.keras.load_model(place)


def test_a_real_lambda_needs_trust(tmp_path: Path) -> None:
    """A model with a Lambda layer loads in its own store, and from elsewhere with trust only."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda values: values * 2)])
    expected = model.predict(MATRIX, verbose=0)
    info = tracker.keras.log_model(model, name="model")
    assert same(tracker.keras.load_model(info.model_uri).predict(MATRIX, verbose=0), expected)
    place = place_of("keras", tmp_path, model)
    with pytest.raises(UntrustedModelError, match="Lambda"):
        tracker.keras.load_model(place)
    assert same(tracker.keras.load_model(place, trust=True).predict(MATRIX, verbose=0), expected)


def test_custom_objects_of_mlflow_are_pickles(tmp_path: Path) -> None:
    """The pickle that MLflow lays beside a Keras model of TensorFlow's flavor runs with trust only."""
    canary = tmp_path / "canary"
    place = place_of("tensorflow, keras", tmp_path)
    (place / "data" / "custom_objects.cloudpickle").write_bytes(call("os", "system", f"touch '{canary}'"))
    with pytest.raises(UntrustedModelError):
        tracker.tensorflow.load_model(place)
    assert not canary.exists()


def test_requirements_have_the_backend(tmp_path: Path) -> None:
    """Keras needs the library that it computes with."""
    tracker.keras.save_model(keras_model(), tmp_path / "model")
    packages = {line.partition("==")[0] for line in (tmp_path / "model" / "requirements.txt").read_text().split()}
    assert "keras" in packages and packages & {"tensorflow", "tensorflow-cpu", "torch", "jax"}


@pytest.mark.parametrize(
    ("name", "library", "command"),
    [
        ("pytorch", "torch", 'pip install "torch" "cloudpickle"'),
        ("keras", "keras", 'pip install "keras>=3" "tensorflow"'),
        ("tensorflow", "tensorflow", 'pip install "tensorflow"'),
    ],
)
def test_a_missing_library_is_named(
    name: str, library: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its library a model is not loaded, and the message has the command that installs it."""
    flavor(CASES[name]).save_model(CASES[name].make(), tmp_path / "model")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingPackageError) as caught:
        tracker.pyfunc.load_model(tmp_path / "model")
    assert str(caught.value).endswith(f"Run: {command}")


@pytest.mark.parametrize("save", [tracker.pytorch.save_model, tracker.keras.save_model, tracker.tensorflow.save_model])
def test_other_objects_are_refused(save: Any, tmp_path: Path) -> None:
    """What is no model of the library is refused before anything is left behind."""
    with pytest.raises(InvalidValueError):
        save(np.zeros(3), tmp_path / "model")
    assert not (tmp_path / "model").exists()
