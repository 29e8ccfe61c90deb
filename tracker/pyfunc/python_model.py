"""Models made of Python: an instance of PythonModel, a function, or a file that sets one of them."""

from __future__ import annotations

import importlib
import inspect
import pickle
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct

from tracker import _io, artifacts, names, saving
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError, NotFoundError
from tracker.installed import installed_version
from tracker.models import from_code, pickles, requirements
from tracker.models.mlmodel import PYFUNC
from tracker.opening import OpenedModel
from tracker.pyfunc import model as classes
from tracker.pyfunc.model import FunctionPythonModel, PythonModelContext
from tracker.pyfunc.predictors import PythonPredictor
from tracker.saving import Written

LOADER = "mlflow.pyfunc.model"
CODE_LOADER = "mlflow.pyfunc.loaders.code_model"
DATA_FILE = "python_model.pkl"
ARTIFACTS = "artifacts"
_ADDRESSES = ("runs:", "models:", "http:", "https:")
"""How URIs begin that name nobody's folders."""
_dumping = threading.Lock()


class _Saved(Struct, frozen=True):
    """A Python model in its folder."""

    loader: str
    facts: dict[str, Any]
    modules: set[str]
    model: Callable[[], Any]
    """Makes the model anew, as loading does."""
    streams: bool
    """Whether it has a predict_stream() of its own."""


def writer(
    python_model: Any,
    *,
    files: Mapping[str, str] | None = None,
    config: Mapping[str, Any] | str | Path | None = None,
    streamable: bool | None = None,
) -> saving.Write:
    """What writes a Python model and the files that it needs into a folder; what cannot be one is refused at once."""
    settings = from_code.read_config(config)
    source = Path(python_model).resolve() if isinstance(python_model, str | Path) else None
    if source is None:
        model = as_python_model(python_model)
    elif source.suffix != ".py" or not source.is_file():
        raise NotFoundError(
            f"There is no Python file {python_model} to take the model from. Name one that ends in .py; the path is "
            f"relative to {Path.cwd()}."
        )

    def write(folder: Path) -> Written:
        kept = _copy_artifacts(folder, files or {})
        paths = {name: str(folder / entry["path"]) for name, entry in kept.items()}
        saved = _save_pickle(folder, model) if source is None else _save_code(folder, source, settings)
        facts = {
            **saved.facts,
            "streamable": saved.streams if streamable is None else streamable,
            **({"artifacts": kept} if kept else {}),
            **({"config": settings} if settings else {}),
        }
        return Written(
            loader=saved.loader,
            pyfunc=facts,
            modules=frozenset({"cloudpickle", *saved.modules}),
            predict=lambda data: PythonPredictor(saved.model(), PythonModelContext(paths, settings))(data),
        )

    return write


def as_python_model(value: Any) -> Any:
    """A PythonModel for what people give; InvalidValueError for what is none."""
    if isinstance(value, type):
        raise InvalidValueError(f"python_model is the class {value.__name__}. Give an instance: {value.__name__}().")
    if hasattr(value, "load_context") and callable(getattr(value, "predict", None)):
        return value
    if callable(value):
        _check_function(value)
        return FunctionPythonModel(value)
    raise InvalidValueError(
        f"python_model is a {type(value).__name__}. It can be a PythonModel instance, a function, or the path of a "
        "Python file; the modules of the libraries, such as tracker.sklearn, save their models."
    )


def _check_function(function: Callable[..., Any]) -> None:
    try:
        taken = inspect.signature(function).parameters.values()
    except ValueError:
        return
    needed = [
        one.name
        for one in taken
        if one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.POSITIONAL_ONLY)
    ]
    if len(needed) > 2 or (len(needed) == 2 and needed[1] != "params") or not taken:
        name = getattr(function, "__name__", "the function")
        raise InvalidValueError(
            f"A function as a model takes model_input, and params if it likes; {name} takes "
            f"{', '.join(needed) or 'nothing'}. For more, derive a class from tracker.pyfunc.PythonModel."
        )


def dump(python_model: Any) -> bytes:
    """The pickle of a model, with tracker's own classes inside it, so that it loads where tracker is not installed."""
    try:
        import cloudpickle
    except ImportError:
        raise MissingPackageError("Saving a Python model", packages=["cloudpickle"]) from None
    with _dumping:
        cloudpickle.register_pickle_by_value(classes)
        try:
            data: bytes = cloudpickle.dumps(python_model)
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidValueError(
                f"{type(python_model).__name__} cannot be pickled: {error}. Make what cannot be in load_context(), or "
                'save it as a Python file: python_model="model.py".'
            ) from error
        finally:
            cloudpickle.unregister_pickle_by_value(classes)
    return data


def _save_pickle(folder: Path, model: Any) -> _Saved:
    data = dump(model)
    _io.replace_file(folder / DATA_FILE, data, durable=False)
    return _Saved(
        loader=LOADER,
        facts={"python_model": DATA_FILE, "cloudpickle_version": installed_version("cloudpickle") or "unknown"},
        modules=requirements.modules_of(model, data),
        model=lambda: pickles.load_pickle(data, where="The model as it was pickled"),
        streams=_streams(model),
    )


def _save_code(folder: Path, source: Path, config: Mapping[str, Any]) -> _Saved:
    names.check_artifact_path(source.name, "The name of the Python file")
    with _io.explained("read", source), _io.open_regular(source) as file:
        _io.replace_file(folder / source.name, file.read(), durable=False)
    model = as_python_model(from_code.run_code(source, config))
    return _Saved(
        loader=CODE_LOADER,
        facts={"model_code_path": source.name},
        modules=requirements.modules_of(model),
        model=lambda: model,
        streams=_streams(model),
    )


def _streams(model: Any) -> bool:
    method = getattr(type(model), "predict_stream", None)
    return method is not None and method.__qualname__ != "PythonModel.predict_stream"


def _copy_artifacts(folder: Path, files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Copy what `artifacts=` names below `artifacts/`; a second one of the same file name gets a folder.

    Of paths only the last part is kept: the others may name people.
    """
    kept: dict[str, dict[str, str]] = {}
    for name, uri in files.items():
        source = Path(artifacts.download_artifacts(str(uri)))
        names.check_artifact_path(source.name, "The file name of an artifact")
        if source.name.startswith("."):
            raise InvalidValueError(
                f"The artifact {name!r} is {source}. Hidden files are no part of a model: rename it."
            )
        target = folder / ARTIFACTS / source.name
        if target.exists():
            target = folder / ARTIFACTS / str(len(kept)) / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with _io.explained("copy", source):
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copyfile(source, target)
        kept[name] = {
            "path": target.relative_to(folder).as_posix(),
            "uri": str(uri) if str(uri).startswith(_ADDRESSES) else source.name,
        }
    return kept


def load_pyfunc(opened: OpenedModel, config: Mapping[str, Any] | None = None) -> PythonPredictor:
    """The predictor of a Python model, after load_context(); UntrustedModelError unless it may run."""
    opened.require_trust()
    opened.use_code()
    facts = opened.flavor(PYFUNC)
    model = _run_file(opened, facts, config) if facts.get("model_code_path") else _unpickle(opened, facts)
    if not hasattr(model, "load_context"):
        model = FunctionPythonModel(model)
    opened.live_with(model)
    kept = facts.get("artifacts") or {}
    if not isinstance(kept, dict) or not all(isinstance(entry, dict) for entry in kept.values()):
        raise ModelError(f"{opened.uri} says in its MLmodel file that its artifacts are {kept!r:.80}.")
    paths = {str(name): str(opened.copy(opened.path_of(entry, "path"))) for name, entry in kept.items()}
    return PythonPredictor(model, PythonModelContext(paths, config))


def _run_file(opened: OpenedModel, facts: Mapping[str, Any], config: Mapping[str, Any] | None) -> Any:
    name = PurePosixPath(str(facts["model_code_path"]).replace("\\", "/")).name  # MLflow keeps the path of its author
    return from_code.run_code(opened.copy(opened.path_of({"file": name}, "file")), config)


def _unpickle(opened: OpenedModel, facts: dict[str, Any]) -> Any:
    path = opened.path_of(facts, "python_model")
    data, where = opened.read(path), f"{opened.uri} ({path})"
    return pickles.load_pickle(_decompressed(data, facts.get("python_model_compression"), where), where=where)


def _decompressed(data: bytes, word: object, where: str) -> bytes:
    """What MLflow compressed when MLFLOW_LOG_MODEL_COMPRESSION asked for it."""
    modules = {"gzip": "gzip", "bzip2": "bz2", "lzma": "lzma"}
    if not word:
        return data
    if word not in modules:
        raise ModelError(f"{where} is compressed with {word!r}; this tracker knows {', '.join(modules)}.")
    try:
        plain: bytes = importlib.import_module(modules[str(word)]).decompress(data)
    except Exception as error:  # each library has errors of its own
        raise ModelError(f"{where} is not what {word} compressed: {error}.") from error
    return plain
