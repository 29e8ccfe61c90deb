"""Models that are Python files, and models that a module of their own loads."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import tracker
from tracker.exceptions import ModelError, NotFoundError, UntrustedModelError
from tracker.models import digests

pytestmark = pytest.mark.usefixtures("store")
FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})


@pytest.fixture
def _imports() -> Iterator[None]:
    """Puts back what loading code with a model changes: the path of imports."""
    before, known = sys.path[:], set(sys.modules)
    yield
    sys.path[:] = before
    for name in set(sys.modules) - known:
        if name.startswith(("helper", "my_")):
            del sys.modules[name]


def said(info: Any) -> dict[str, Any]:
    """What the MLmodel file says of the python_function."""
    return dict(info.flavors["python_function"])


def edit(folder: Path, **facts: Any) -> None:
    """Change what an MLmodel file says of the python_function, as its author could."""
    model = yaml.safe_load((folder / "MLmodel").read_text())
    model["flavors"]["python_function"].update(facts)
    (folder / "MLmodel").write_text(yaml.safe_dump(model))
    digests.write_manifest(folder)


CODE = """
import mlflow
from helper_of_model import times
from mlflow.models import ModelConfig

config = ModelConfig(development_config={"factor": 2})


class FromCode(mlflow.pyfunc.PythonModel):
    def predict(self, model_input):
        return times(model_input, config.get("factor"))


mlflow.models.set_model(FromCode())
"""


@pytest.mark.usefixtures("_imports")
def test_a_python_file_as_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that calls set_model() is run when it is loaded, with its code and configuration; it may import mlflow."""
    (tmp_path / "helper_of_model.py").write_text("def times(data, factor):\n    return data * factor\n")
    (tmp_path / "my_model.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    info = tracker.pyfunc.log_model(
        name="model",
        python_model=tmp_path / "my_model.py",
        code_paths=[str(tmp_path / "helper_of_model.py")],
        model_config={"factor": 3},
    )
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(tmp_path)])
    del sys.modules["helper_of_model"]
    loaded = tracker.pyfunc.load_model(info.model_uri)
    assert loaded.predict(FRAME).equals(FRAME * 3)
    assert tracker.pyfunc.load_model(info.model_uri, model_config={"factor": 5}).predict(FRAME).equals(FRAME * 5)
    assert type(loaded.unwrap_python_model()).__name__ == "FromCode"
    assert said(info)["model_code_path"] == "my_model.py"
    assert said(info)["loader_module"] == "mlflow.pyfunc.loaders.code_model"
    assert said(info)["code"] == "code"
    assert "mlflow" not in sys.modules
    assert not list(tmp_path.rglob("store/**/__pycache__"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", "names no model"),
        ("raise ValueError('broken')", "ValueError: broken"),
        ("import nothing_like_this", "No module named 'nothing_like_this'"),
        ("import tracker\ntracker.models.set_model(42)", r"not int 42"),
        ("import tracker\ntracker.models.set_model(tracker.pyfunc.PythonModel)", "not type"),
        ("this is no Python", "SyntaxError"),
    ],
)
def test_a_python_file_that_gives_no_model(tmp_path: Path, store: Path, code: str, message: str) -> None:
    """A file that sets nothing, or fails, is an error that names it; nothing is left in the run."""
    (tmp_path / "my_model.py").write_text(code)
    with pytest.raises(ModelError, match=message) as caught:
        tracker.pyfunc.log_model(name="model", python_model=str(tmp_path / "my_model.py"))
    assert "my_model.py" in str(caught.value)
    assert list(store.rglob("MLmodel")) == []


def test_a_function_in_a_python_file(tmp_path: Path) -> None:
    """set_model() takes a function too."""
    (tmp_path / "my_model.py").write_text(
        "import tracker\n\ndef predict(model_input):\n    return model_input + 1\n\ntracker.models.set_model(predict)\n"
    )
    info = tracker.pyfunc.log_model(name="model", python_model=str(tmp_path / "my_model.py"))
    assert tracker.pyfunc.load_model(info.model_uri).predict(1) == 2


def test_a_file_that_is_not_there() -> None:
    """A path without a Python file is told at once."""
    for path in ("nowhere.py", Path("nowhere.py"), __file__ + "c"):
        with pytest.raises(NotFoundError, match="no Python file"):
            tracker.pyfunc.log_model(name="model", python_model=path)


# Modules that load by themselves


@pytest.mark.usefixtures("_imports")
def test_an_own_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """loader_module= names a module whose _load_pyfunc() gets the path of the data."""
    (tmp_path / "my_loader.py").write_text(
        "class Loaded:\n"
        "    def __init__(self, path):\n"
        "        self.factor = float(open(path).read())\n"
        "    def predict(self, data, params=None):\n"
        "        return data * self.factor\n\n\n"
        "def _load_pyfunc(path):\n"
        "    return Loaded(path)\n"
    )
    (tmp_path / "factor.txt").write_text("4")
    info = tracker.pyfunc.log_model(
        name="model",
        loader_module="my_loader",
        data_path=tmp_path / "factor.txt",
        code_paths=[str(tmp_path / "my_loader.py")],
    )
    assert said(info)["data"] == "data/factor.txt"
    loaded = tracker.pyfunc.load_model(info.model_uri)
    assert loaded.predict(FRAME).equals(FRAME * 4)
    assert loaded.get_raw_model().factor == 4
    missing = tracker.pyfunc.log_model(name="other", loader_module="my_missing_loader")
    with pytest.raises(ModelError, match="my_missing_loader"):
        tracker.pyfunc.load_model(missing.model_uri)


@pytest.mark.usefixtures("_imports")
def test_each_model_gets_its_own_code(tmp_path: Path) -> None:
    """Two models that bring different modules of one name each get theirs, also when they are loaded in turn."""
    uris = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "helper.py").write_text(f"NUMBER = {number}\n")
        (folder / "my_loader.py").write_text(
            "import helper\n\nclass Loaded:\n    number = helper.NUMBER\n    def predict(self, data):\n"
            "        return self.number\n\n\ndef _load_pyfunc(path):\n    return Loaded()\n"
        )
        info = tracker.pyfunc.log_model(
            name=f"model{number}",
            loader_module="my_loader",
            code_paths=[str(folder / "helper.py"), str(folder / "my_loader.py")],
        )
        uris.append(info.model_uri)
    answers = [tracker.pyfunc.load_model(uri).predict(None) for uri in [*uris, *uris]]
    assert answers == [1, 2, 1, 2]


@pytest.mark.parametrize("loader", ["mlflow.catboost", "mlflow.spark", "mlflow"])
def test_a_flavor_that_we_do_not_have(tmp_path: Path, loader: str) -> None:
    """A model of a library that tracker has no flavor for says so, and what it has."""
    tracker.pyfunc.save_model(tmp_path / "m", loader_module="json")
    edit(tmp_path / "m", loader_module=loader)
    with pytest.raises(ModelError, match="sklearn"):
        tracker.pyfunc.load_model(tmp_path / "m", trust=True)


@pytest.mark.parametrize("loader", [None, 3, "os; x", "", "a..b", ["json"]])
def test_a_loader_that_is_no_module(tmp_path: Path, loader: Any) -> None:
    """An MLmodel file whose loader is no name of a module is damaged."""
    tracker.pyfunc.save_model(tmp_path / "m", loader_module="json")
    edit(tmp_path / "m", loader_module=loader)
    with pytest.raises(ModelError, match="is no module"):
        tracker.pyfunc.load_model(tmp_path / "m", trust=True)


def test_no_foreign_loader_runs_without_trust(tmp_path: Path) -> None:
    """A module that an MLmodel file from outside names is not even imported before somebody vouched for it."""
    tracker.pyfunc.save_model(tmp_path / "m", loader_module="json")
    edit(tmp_path / "m", loader_module="this")  # prints a poem when it is imported
    sys.modules.pop("this", None)
    with pytest.raises(UntrustedModelError):
        tracker.pyfunc.load_model(tmp_path / "m")
    assert "this" not in sys.modules


def test_the_files_of_a_model_live_as_long_as_it_does(tmp_path: Path) -> None:
    """A model that opens its artifacts late finds them, also when only it is kept; then they go."""
    (tmp_path / "late.txt").write_text("late")

    class Late(tracker.pyfunc.PythonModel):
        def load_context(self, context: Any) -> None:
            self.path = Path(context.artifacts["late"])

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return self.path.read_text()

    info = tracker.pyfunc.log_model(name="model", python_model=Late(), artifacts={"late": str(tmp_path / "late.txt")})
    model = tracker.pyfunc.load_model(info.model_uri).unwrap_python_model()
    path = model.path
    assert model.predict(None, None) == path.read_text() == "late"
    del model
    gc.collect()
    assert not path.exists()
