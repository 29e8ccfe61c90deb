"""What a pickle would import is told without running it, and a trusted one is loaded or explained."""

from __future__ import annotations

import copyreg
import pickle
import sys
import tracemalloc
import types
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

from tests.models import hostile
from tracker.exceptions import MissingPackageError, ModelError
from tracker.models.pickles import COMPUTED, PickleImport, contents_of, dangerous, imports_of, load_pickle


def names(data: bytes) -> set[str]:
    """The imports as texts."""
    return {str(found) for found in imports_of(data)}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_imports_are_told_in_every_protocol(protocol: int) -> None:
    """A class is found by its module and name whichever opcodes spell it."""
    data = pickle.dumps([Path("x"), ValueError("y"), Path("z")], protocol)
    assert any(name.endswith(f".{type(Path()).__name__}") for name in names(data))
    assert names(data) & {"builtins.ValueError", "exceptions.ValueError"}


def test_imports_are_sorted_and_come_once() -> None:
    """The answer does not depend on how often something is named."""
    found = imports_of(pickle.dumps([ValueError(), KeyError(), ValueError()], 4))
    assert found == (PickleImport("builtins", "KeyError"), PickleImport("builtins", "ValueError"))


@pytest.mark.parametrize("name", [*hostile.pickles(Path("canary"))])
def test_every_hostile_pickle_is_told(name: str) -> None:
    """What a hostile pickle imports is listed and marked, or the reason why it cannot be."""
    data = hostile.pickles(Path("canary"))[name]
    remove = hostile.extension()
    try:
        assert dangerous(imports_of(data))
    except ModelError as error:
        assert "joblib" in str(error) or "no whole pickle" in str(error)
    finally:
        remove()


def test_a_computed_name_is_shown_as_such() -> None:
    """A module whose name is put together on loading cannot be told, and is marked."""
    data = hostile.pickles(Path("canary"))["a computed name"]
    assert PickleImport(COMPUTED, "system") in dangerous(imports_of(data))


def test_codes_of_extensions_are_resolved() -> None:
    """A code of copyreg's registry is shown as what it stands for, an unknown one as its number."""
    data = b"\x80\x02\x82\xf0."
    assert names(data) == {"copyreg.extension 240"}
    copyreg.add_extension("os", "system", 240)  # type: ignore[arg-type, unused-ignore]
    try:
        assert names(data) == {"os.system"}
    finally:
        copyreg.remove_extension("os", "system", 240)  # type: ignore[arg-type, unused-ignore]


def test_modules_in_functions_are_told() -> None:
    """Cloudpickle carries code by value: the modules it refers to, and those it imports when it runs, are listed."""
    import json

    def predict(data: Any) -> Any:
        import decimal.foo  # type: ignore[import-not-found]  # noqa: F401

        def inner() -> Any:
            from fractions import Fraction

            return Fraction(1)

        return json.dumps([data, inner()])

    predict.__module__ = "__main__"
    contents = contents_of(cloudpickle.dumps(predict))
    assert PickleImport("json", "*") in contents.imports
    assert contents.inside_code == ("decimal.foo", "fractions")
    assert PickleImport("cloudpickle.cloudpickle", "_make_function") in dangerous(contents.imports)


@pytest.mark.parametrize(
    "data", [b"", b"not a pickle", b"\x80\x04\x95", b"\x80\x63.", b"0.", b"h\x05.", b"t.", b"\xff" * 9]
)
def test_damage_is_an_error_that_names_the_file(data: bytes) -> None:
    """Bytes that are no whole pickle are refused in a sentence."""
    with pytest.raises(ModelError, match=r"^m/model.pkl is no whole pickle: .+ It is damaged, or of another format\.$"):
        imports_of(data, where="m/model.pkl")


@pytest.mark.parametrize(
    ("name", "kind"), [("zlib", "zlib"), ("gzip", "gzip"), ("xz", "xz"), ("bz2", "bzip2")], ids=lambda text: text
)
def test_compressed_files_are_said_to_be(name: str, kind: str) -> None:
    """A file that joblib compressed is named as what it is."""
    with pytest.raises(ModelError, match=rf"{kind}, and no plain pickle"):
        imports_of(hostile.packed(Path("canary"))[f"joblib with {name}"])


def test_the_pickle_of_pytorch_is_looked_into() -> None:
    """In an archive of torch.save there is one pickle, whose imports are told; any other archive is named as one."""
    data = hostile.packed(Path("canary"))["a zip as of PyTorch"]
    assert list(map(str, imports_of(data))) == ["os.system"]
    with pytest.raises(ModelError, match="a zip archive, and no plain pickle"):
        imports_of(data.replace(b"data.pkl", b"other.pk"))


def test_arrays_are_not_kept_while_imports_are_told() -> None:
    """A pickle of many arrays is followed in a fraction of the memory that it takes itself."""
    data = pickle.dumps([np.full(500_000, float(number)) for number in range(8)])
    tracemalloc.start()
    try:
        assert "numpy.dtype" in set(map(str, imports_of(data)))
        assert tracemalloc.get_traced_memory()[1] < len(data) / 2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text", ["sklearn.svm._classes.SVC", "collections.OrderedDict", "builtins.list", "numpy.dtype"]
)
def test_harmless_names_are_not_marked(text: str) -> None:
    """Classes of honest models are not in the way."""
    module, _, name = text.rpartition(".")
    assert dangerous([PickleImport(module, name)]) == ()


def test_a_trusted_pickle_loads() -> None:
    """The object comes back."""
    assert load_pickle(pickle.dumps({"a": [1, 2.5]}), where="x") == {"a": [1, 2.5]}


def test_a_missing_package_is_named_with_its_command() -> None:
    """The package of a module that is not installed is named as pip wants it, if it is one that people know."""
    with pytest.raises(MissingPackageError, match=r'm\.pkl, which imports umap, .*pip install "umap-learn"'):
        load_pickle(hostile.call("umap.umap_", "UMAP"), where="m.pkl")


def test_an_unknown_module_is_no_advice_to_install() -> None:
    """Nobody is told to install a package of a name that a hostile file chose."""
    with pytest.raises(ModelError, match=r"m\.pkl needs the module evil_typo, .*code_paths=") as caught:
        load_pickle(hostile.call("evil_typo", "f"), where="m.pkl")
    assert "pip install" not in str(caught.value)


def test_a_module_of_another_version_is_said_to_be() -> None:
    """A package that is there without the module points at the versions of the model."""
    with pytest.raises(ModelError, match=r"scikit-learn does not have\. Install the version .*requirements\.txt"):
        load_pickle(hostile.call("sklearn.svm.classes", "SVC"), where="m.pkl")


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04garbage", hostile.call("builtins", "no_such_name"), hostile.call("builtins", "int", "x")]
)
def test_what_goes_wrong_on_loading_is_explained(data: bytes) -> None:
    """Damage, a missing attribute and errors of the code itself become an error with a remedy."""
    with pytest.raises(ModelError, match=r"^m\.pkl could not be unpickled: .+code_paths=\.$"):
        load_pickle(data, where="m.pkl")


def test_models_of_mlflow_load_without_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Base classes of MLflow are tracker's own where MLflow is not installed."""
    ours = types.ModuleType("tracker.pyfunc.model")
    ours.PythonModel = type("PythonModel", (), {})  # type: ignore[attr-defined]
    ours.FunctionPythonModel = type("FunctionPythonModel", (), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tracker.pyfunc.model", ours)
    for module, name in [("mlflow.pyfunc.model", "PythonModel"), ("mlflow.pyfunc", "PythonModel")]:
        assert load_pickle(f"c{module}\n{name}\n.".encode(), where="x") is ours.PythonModel
    found = load_pickle(b"cmlflow.pyfunc.model\n_FunctionPythonModel\n.", where="x")
    assert found is ours.FunctionPythonModel
