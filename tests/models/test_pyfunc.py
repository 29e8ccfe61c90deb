"""Models made of Python code, and loaded ones of any library: saved, loaded, asked, refused."""

from __future__ import annotations

import bz2
import gzip
import inspect
import lzma
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LinearRegression

import tracker
from tracker.exceptions import (
    InvalidValueError,
    ModelError,
    NotFoundError,
    SchemaMismatchError,
    UntrustedModelError,
)
from tracker.models import digests, infer_signature
from tracker.models.mlmodel import Model
from tracker.pyfunc import PythonModel, PythonModelContext
from tracker.pyfunc import model as classes
from tracker.saving import LogOptions, SaveOptions

pytestmark = pytest.mark.usefixtures("store")
FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})


class Shift(PythonModel):
    """Uses everything: an artifact, the configuration, params."""

    def load_context(self, context: PythonModelContext) -> None:
        """Reads the offset."""
        self.offset = float(Path(context.artifacts["offset"]).read_text())

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Input times scale, plus offset."""
        return model_input * (params or {}).get("scale", 1.0) + self.offset * context.model_config["times"]


class Words(PythonModel):
    """Without context, and in pieces."""

    def predict(self, model_input: Any) -> Any:  # type: ignore[override]
        """The length of each text."""
        return [len(text) for text in model_input]

    def predict_stream(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Iterator[str]:
        """One word after the other."""
        yield from str(model_input).split()


@pytest.fixture
def offset(tmp_path: Path) -> str:
    """A file beside a model."""
    path = tmp_path / "offset.txt"
    path.write_text("2.5")
    return str(path)


def said(info: Any) -> dict[str, Any]:
    """What the MLmodel file says of the python_function."""
    return dict(info.flavors["python_function"])


# Python models


def test_a_class_with_a_file_and_a_configuration(offset: str) -> None:
    """A PythonModel gets its artifacts and configuration back, and its params."""
    signature = infer_signature(FRAME, FRAME, params={"scale": 1.0})
    info = tracker.pyfunc.log_model(
        name="model",
        python_model=Shift(),
        artifacts={"offset": offset},
        model_config={"times": 2},
        signature=signature,
    )
    loaded = tracker.pyfunc.load_model(info.model_uri)
    assert loaded.predict(FRAME).equals(FRAME + 5.0)
    assert loaded.predict(FRAME, params={"scale": 10.0}).equals(FRAME * 10 + 5.0)
    assert loaded.model_config == {"times": 2}
    assert said(info)["artifacts"] == {"offset": {"path": "artifacts/offset.txt", "uri": "offset.txt"}}
    assert said(info)["loader_module"] == "mlflow.pyfunc.model"
    assert said(info)["python_model"] == "python_model.pkl"
    assert said(info)["cloudpickle_version"] == cloudpickle.__version__
    assert said(info)["streamable"] is False


def test_the_configuration_can_be_changed_when_loading(offset: str, tmp_path: Path) -> None:
    """model_config= of load_model() changes values that the model was saved with, as a dict or a YAML file."""
    info = tracker.pyfunc.log_model(
        name="model", python_model=Shift(), artifacts={"offset": offset}, model_config={"times": 2, "other": "x"}
    )
    assert tracker.pyfunc.load_model(info.model_uri, model_config={"times": 4}).predict(FRAME).equals(FRAME + 10.0)
    file = tmp_path / "config.yaml"
    file.write_text("times: 6\n")
    assert tracker.pyfunc.load_model(info.model_uri, model_config=str(file)).predict(FRAME).equals(FRAME + 15.0)
    with pytest.warns(UserWarning, match="was saved without tims"):
        assert tracker.pyfunc.load_model(info.model_uri, model_config={"tims": 4}).predict(FRAME).equals(FRAME + 5.0)
    with pytest.raises(NotFoundError, match="nowhere"):
        tracker.pyfunc.load_model(info.model_uri, model_config="nowhere.yaml")
    with pytest.raises(InvalidValueError, match="dict with text keys"):
        tracker.pyfunc.load_model(info.model_uri, model_config={1: 2})  # type: ignore[dict-item]


def test_functions_with_one_and_two_arguments() -> None:
    """A function is a model, whether it takes params or not."""

    def doubled(model_input: Any) -> Any:
        return model_input * 2

    def scaled(model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return model_input * (params or {})["scale"]

    signature = infer_signature(FRAME, params={"scale": 3.0})
    plain = tracker.pyfunc.log_model(name="plain", python_model=doubled)
    assert tracker.pyfunc.load_model(plain.model_uri).predict(FRAME).equals(FRAME * 2)
    info = tracker.pyfunc.log_model(name="scaled", python_model=scaled, signature=signature)
    loaded = tracker.pyfunc.load_model(info.model_uri)
    assert loaded.predict(FRAME).equals(FRAME * 3)
    assert loaded.predict(FRAME, params={"scale": 4.0}).equals(FRAME * 4)


def test_params_that_predict_does_not_take_are_told() -> None:
    """Params of the signature that predict() has no argument for are left out with a warning."""

    class Same(PythonModel):
        def predict(self, model_input: Any) -> Any:  # type: ignore[override]
            return model_input

    signature = infer_signature(FRAME, params={"scale": 3.0})
    info = tracker.pyfunc.log_model(name="m", python_model=Same(), signature=signature)
    with pytest.warns(UserWarning, match=r"'scale': 4\.0"):
        assert tracker.pyfunc.load_model(info.model_uri).predict(FRAME, params={"scale": 4.0}).equals(FRAME)


def test_predict_without_context_and_in_pieces() -> None:
    """predict(model_input) alone is fine, and predict_stream() gives pieces; a model without it says so."""
    info = tracker.pyfunc.log_model(name="model", python_model=Words())
    loaded = tracker.pyfunc.load_model(info.model_uri)
    assert loaded.predict(["a", "bcd"]) == [1, 3]
    assert list(loaded.predict_stream("some words here")) == ["some", "words", "here"]
    assert said(info)["streamable"] is True
    plain = tracker.pyfunc.log_model(name="plain", python_model=lambda model_input: model_input)
    with pytest.raises(InvalidValueError, match="does not stream"):
        tracker.pyfunc.load_model(plain.model_uri).predict_stream("x")


def test_a_list_in_a_type_hint_is_a_list() -> None:
    """A predict() that says it takes a list gets one, also where the signature makes a frame of the data."""

    def upper(model_input: list[str]) -> list[str]:
        return [text.upper() for text in model_input]

    class Keys(PythonModel):
        def predict(self, context: Any, model_input: list[dict[str, Any]], params: Any = None) -> list[str]:
            return [",".join(row) for row in model_input]

    texts = tracker.pyfunc.log_model(name="texts", python_model=upper, input_example=["a"])
    assert texts.signature is not None
    assert tracker.pyfunc.load_model(texts.model_uri).predict(["a", "b"]) == ["A", "B"]
    rows = tracker.pyfunc.log_model(name="rows", python_model=Keys(), input_example=[{"x": 1, "y": "z"}])
    assert tracker.pyfunc.load_model(rows.model_uri).predict([{"x": 1, "y": "z"}]) == ["x,y"]


def test_artifacts_can_be_folders_and_uris(tmp_path: Path) -> None:
    """Artifacts are files, folders, and URIs of other runs; two of one file name do not clash."""
    for place in ("one", "two"):
        (tmp_path / place / "deep").mkdir(parents=True)
        (tmp_path / place / "data.txt").write_text(place)
        (tmp_path / place / "deep" / "more.txt").write_text("more")
    with tracker.start_run() as run:
        tracker.log_text("logged", "notes/data.txt")

    class Reads(PythonModel):
        def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
            files = {name: Path(path) for name, path in context.artifacts.items()}
            return [files[name].read_text() for name in ("one", "two", "run")] + [
                (files["folder"] / "deep" / "more.txt").read_text()
            ]

    info = tracker.pyfunc.log_model(
        name="model",
        python_model=Reads(),
        artifacts={
            "one": str(tmp_path / "one" / "data.txt"),
            "two": (tmp_path / "two" / "data.txt").as_uri(),
            "run": f"runs:/{run.info.run_id}/notes/data.txt",
            "folder": str(tmp_path / "one"),
        },
    )
    assert tracker.pyfunc.load_model(info.model_uri).predict(None) == ["one", "two", "logged", "more"]
    kept = said(info)["artifacts"]
    assert kept["run"]["uri"] == f"runs:/{run.info.run_id}/notes/data.txt"
    assert str(tmp_path) not in str(kept)
    (tmp_path / ".hidden").write_text("x")
    with pytest.raises(InvalidValueError, match="Hidden files"):
        tracker.pyfunc.log_model(name="model", python_model=Reads(), artifacts={"x": str(tmp_path / ".hidden")})
    with pytest.raises(NotFoundError, match="nowhere"):
        tracker.pyfunc.log_model(name="model", python_model=Reads(), artifacts={"x": "nowhere.txt"})


def test_a_model_that_was_unpickled_elsewhere_needs_no_tracker(offset: str, tmp_path: Path) -> None:
    """The pickle brings our classes along: it loads in a process that cannot import tracker."""
    tracker.pyfunc.save_model(tmp_path / "m", python_model=Words())
    script = (
        "import sys; sys.modules['tracker'] = None\n"
        "import cloudpickle\n"
        f"model = cloudpickle.load(open({str(tmp_path / 'm' / 'python_model.pkl')!r}, 'rb'))\n"
        "print(model.predict(['abc']), model.predict_type_hints.input, type(model).__mro__[1].__name__)"
    )
    # The class is found in this test's module, which is not there either, unless it travels too.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        (tmp_path / "m" / "python_model.pkl").write_bytes(tracker.pyfunc.python_model.dump(Words()))
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.split() == ["[3]", "None", "PythonModel"], done.stderr
    assert classes.__name__ not in cloudpickle.list_registry_pickle_by_value()


@pytest.mark.parametrize(
    ("word", "name", "compress"),
    [("gzip", "gz", gzip.compress), ("bzip2", "bz2", bz2.compress), ("lzma", "xz", lzma.compress)],
)
def test_compressed_pickles_of_mlflow(tmp_path: Path, word: str, name: str, compress: Any) -> None:
    """What MLflow compresses when it is asked to loads; damage to it is told."""
    folder = tmp_path / "m"
    tracker.pyfunc.save_model(folder, python_model=lambda model_input: 42)
    data = (folder / "python_model.pkl").read_bytes()
    (folder / f"python_model.pkl.{name}").write_bytes(compress(data))
    (folder / "python_model.pkl").unlink()
    edit(folder, python_model=f"python_model.pkl.{name}", python_model_compression=word)
    assert tracker.pyfunc.load_model(folder, trust=True).predict(None) == 42
    (folder / f"python_model.pkl.{name}").write_bytes(data)
    digests.write_manifest(folder)
    with pytest.raises(ModelError, match=f"is not what {word} compressed"):
        tracker.pyfunc.load_model(folder, trust=True)


def edit(folder: Path, **facts: Any) -> None:
    """Change what an MLmodel file says of the python_function, as its author could."""
    model = yaml.safe_load((folder / "MLmodel").read_text())
    model["flavors"]["python_function"].update(facts)
    (folder / "MLmodel").write_text(yaml.safe_dump(model))
    digests.write_manifest(folder)


@pytest.mark.parametrize(
    ("python_model", "message"),
    [
        (Shift, r"Give an instance: Shift\(\)"),
        (LinearRegression(), r"such as tracker\.sklearn"),
        (42, "is a int"),
        (lambda: 1, "takes nothing"),
        (lambda a, b: 1, "takes a, b"),
        (lambda a, b, c: 1, "takes a, b, c"),
    ],
    ids=["class", "estimator", "number", "none", "two", "three"],
)
def test_what_is_no_model_is_refused(python_model: Any, message: str) -> None:
    """A class, an estimator, a number, a function with other arguments: each is refused with what to do."""
    with pytest.raises(InvalidValueError, match=message):
        tracker.pyfunc.log_model(name="model", python_model=python_model)


def test_arguments_that_do_not_go_together() -> None:
    """python_model= and loader_module= exclude each other, and each has arguments of its own."""
    for arguments, message in [
        ({}, "one of the two"),
        ({"python_model": Words(), "loader_module": "x"}, "one of the two"),
        ({"python_model": Words(), "data_path": "x"}, "belongs to loader_module"),
        ({"loader_module": "x", "artifacts": {"a": "b"}}, "belongs to python_model"),
        ({"loader_module": "x; y"}, "no name of a module"),
    ]:
        with pytest.raises(InvalidValueError, match=message):
            tracker.pyfunc.log_model(name="model", **arguments)  # type: ignore[arg-type]


def test_what_cannot_be_pickled_is_told(store: Path) -> None:
    """A model with an open file is refused, with the ways out; nothing is left."""
    model = Words()
    with (store.parent / "open.txt").open("w") as file:
        model.file = file  # type: ignore[attr-defined]
        with pytest.raises(InvalidValueError, match=r"load_context\(\)"):
            tracker.pyfunc.log_model(name="model", python_model=model)
    assert list(store.rglob("MLmodel")) == []


# The loaded model


def test_data_are_checked_against_the_signature() -> None:
    """Columns are put in order, extra ones dropped, whole numbers taken for decimal ones; a missing one is named."""

    def keep(model_input: Any) -> Any:
        return list(model_input.columns), [str(kind) for kind in model_input.dtypes]

    info = tracker.pyfunc.log_model(name="m", python_model=keep, signature=infer_signature(FRAME))
    loaded = tracker.pyfunc.load_model(info.model_uri)
    mixed = pd.DataFrame({"more": [0, 0], "b": [3, 4], "a": [1.0, 2.0]})
    assert loaded.predict(mixed) == (["a", "b"], ["float64", "float64"])
    assert loaded.predict([{"a": 1.0, "b": 2}]) == (["a", "b"], ["float64", "float64"])
    assert loaded.predict({"a": [1.0], "b": [2.0]}) == (["a", "b"], ["float64", "float64"])
    with pytest.raises(SchemaMismatchError, match='"b"'):
        loaded.predict(FRAME[["a"]])


def test_what_is_known_of_a_loaded_model() -> None:
    """The signature and its schemas, the example, the loader and the id are there."""
    signature = infer_signature(FRAME, [1.0, 2.0], params={"scale": 1.0})
    info = tracker.pyfunc.log_model(
        name="model", python_model=lambda model_input: [1.0], signature=signature, input_example=FRAME
    )
    loaded = tracker.pyfunc.load_model(info.model_uri)
    assert isinstance(loaded.metadata, Model)
    assert loaded.metadata.signature == signature
    assert loaded.metadata.get_input_schema() == signature.inputs
    assert loaded.metadata.get_output_schema() == signature.outputs
    assert loaded.metadata.get_params_schema() == signature.params
    assert loaded.loader_module == "mlflow.pyfunc.model"
    assert loaded.model_id == info.model_id
    assert loaded.input_example.equals(FRAME)
    assert f"run_id: {info.run_id}" in repr(loaded)
    assert loaded.unwrap_python_model().predict(None) == [1.0]


def test_an_array_and_params_as_an_example() -> None:
    """An example may be an array, or a pair of data and params; it comes back from the loaded model."""
    info = tracker.pyfunc.log_model(
        name="model", python_model=lambda model_input, params=None: model_input, input_example=np.eye(2)
    )
    loaded = tracker.pyfunc.load_model(info.model_uri)
    assert np.array_equal(loaded.input_example, np.eye(2))
    assert np.array_equal(loaded.predict(np.eye(2)), np.eye(2))
    assert loaded.metadata.get_input_schema() is not None


def test_what_a_library_made_is_not_a_python_model() -> None:
    """unwrap_python_model() of an estimator says how to have it bare; get_raw_model() gives it."""
    info = tracker.sklearn.log_model(LinearRegression().fit(FRAME, [0, 1]), name="model")
    loaded = tracker.pyfunc.load_model(info.model_uri)
    with pytest.raises(InvalidValueError, match=r"tracker\.sklearn\.load_model"):
        loaded.unwrap_python_model()
    assert isinstance(loaded.get_raw_model(), LinearRegression)


def test_a_python_model_is_not_loaded_from_outside(tmp_path: Path) -> None:
    """A pickle from outside of the store is refused with what it would import, until somebody vouches for it."""
    folder = tmp_path / "m"
    folder.mkdir()
    model = type("Calls", (), {"__reduce__": lambda self: (pickle.loads, (b"N.",))})()
    tracker.pyfunc.save_model(folder, python_model=lambda model_input: 42)
    (folder / "python_model.pkl").write_bytes(pickle.dumps(model))
    edit(folder)
    with pytest.raises(UntrustedModelError, match=r"_pickle\.loads"):
        tracker.pyfunc.load_model(folder)


def test_the_requirements_of_a_model() -> None:
    """get_model_dependencies() gives the path of the file to install from."""
    info = tracker.pyfunc.log_model(name="model", python_model=Words(), pip_requirements=["numpy"])
    assert Path(tracker.pyfunc.get_model_dependencies(info.model_uri)).read_text() == "numpy\n"
    assert tracker.pyfunc.get_model_dependencies(info.model_uri, format="conda").endswith("conda.yaml")
    with pytest.raises(InvalidValueError, match="pip or conda"):
        tracker.pyfunc.get_model_dependencies(info.model_uri, format="poetry")


def test_a_name_that_is_not_there_is_told() -> None:
    """What MLflow has here and tracker has not is an AttributeError with the nearest name."""
    with pytest.raises(AttributeError, match="load_model"):
        _ = tracker.pyfunc.load_modl  # type: ignore[attr-defined]
    assert not hasattr(tracker.pyfunc, "spark_udf")


def test_every_option_is_documented() -> None:
    """docs/models.md has each argument that every flavor takes, and each of its own."""
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    options = {*SaveOptions.__annotations__, *LogOptions.__annotations__, "artifact_path"}
    own = {*inspect.signature(tracker.pyfunc.log_model).parameters, "serialization_format", "pyfunc_predict_fn"}
    assert [name for name in sorted(options | own - {"options"}) if f"`{name}" not in text] == []
