"""A model into a folder, into a run and into the registry: the path that all flavors share.

A flavor gives a function that writes the model's own files and says what they are; everything else of the folder -
example, signature, requirements, MLmodel, manifest - is written here.
"""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec
from msgspec import Struct

from tracker import __version__, _clock, _io, layout, names, registering, store
from tracker.exceptions import AlreadyExistsError, InvalidValueError, NotFoundError, did_you_mean
from tracker.models import digests, environment, requirements
from tracker.models.info import ModelInfo
from tracker.models.mlmodel import PYFUNC, Model
from tracker.opening import remember_saved
from tracker.session import session
from tracker.warning import warn

if TYPE_CHECKING:
    from tracker.models.signature import ModelSignature

DEFAULT_NAME = "model"
CODE = "code"


class SaveOptions(TypedDict, total=False):
    """What every `save_model` and `log_model` takes beside the model."""

    signature: ModelSignature | bool | None
    """What goes in and out; by default inferred from the input example, and False for none."""
    input_example: Any
    """A small input; kept beside the model, and served by its page."""
    metadata: Mapping[str, Any] | None
    """Anything that JSON can hold."""
    code_paths: list[str] | None
    """Files and folders of Python code that the model needs; they are on the path when it is loaded."""
    pip_requirements: list[str] | str | None
    """In place of the inferred requirements: lines, or the path of a file."""
    extra_pip_requirements: list[str] | str | None
    """Beside the inferred ones."""
    conda_env: Mapping[str, Any] | str | None
    """In place of the conda.yaml that is made: a dict, or the path of a file."""


class LogOptions(SaveOptions, total=False):
    """What every `log_model` takes besides."""

    name: str | None
    """Its folder below the artifacts of the run; `model` by default."""
    registered_model_name: str | None
    """Registers a version of this model as well; made when it is missing."""
    run_id: str | None
    """A run other than the active one."""
    await_registration_for: int | None
    """Accepted for MLflow's sake: a registration is done when the call returns."""


class Written(Struct, frozen=True):
    """What a flavor wrote into the folder of a model."""

    loader: str
    """The module that loads it as a python_function, by MLflow's name: `mlflow.sklearn`."""
    flavor: str = ""
    """Name of its own flavor; empty for one that is a python_function only."""
    facts: dict[str, Any] = {}
    """What that flavor needs to know to load it."""
    pyfunc: dict[str, Any] = {}
    """More that python_function needs to know, such as `model_path`."""
    modules: frozenset[str] = frozenset()
    """Top-level modules that loading it imports."""
    predict: Callable[[Any], Any] | None = None
    """Predicts as the loaded model would, to infer a signature from an example."""


Write = Callable[[Path], Written]
"""Writes the model's own files into a folder."""


def save_model(path: str | os.PathLike[str], write: Write, options: SaveOptions) -> Model:
    """Save a model to a folder that is missing or empty; AlreadyExistsError when something is there."""
    folder = names.folder_of(path)
    check_options(options, SaveOptions)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyExistsError(f"{folder} is there already. Save the model to another folder, or remove this one.")
    with _io.explained("save a model to", folder):
        _io.make_folder(folder.parent, inside=folder.parent)
        if folder.exists():
            folder.rmdir()
        with store.built_aside(folder, durable=False) as aside:
            _io.make_folder(aside, inside=folder.parent)
            model = _fill(aside, write, options, name=folder.name, run_id=None)
    return model


def log_model(write: Write, options: LogOptions, artifact_path: str | None = None) -> ModelInfo:
    """Log a model to the active run (or start one), and register it when a name is given.

    `artifact_path` is MLflow's older word for `name`.

    The folder appears whole; when this returns, it is on the disk. Where the run has a model of this name already, the
    new one lies beside it, and `runs:/<run_id>/<name>` means the newest, which a warning says.
    """
    check_options(options, LogOptions)
    name = _name(options.get("name"), artifact_path)
    registered = options.get("registered_model_name")
    if registered is not None:
        registering.check_registered_name(registered)
    made: list[Model] = []
    with session.run_of(options.get("run_id")) as run:
        path = run.log_folder(
            lambda folder: made.append(_fill(folder, write, options, name=name, run_id=run.run_id)), name
        )
        folder = run.artifact_folder / path
    manifest = digests.read_manifest(folder)
    assert manifest is not None
    if path != name:
        warn(
            f"The run has logged {name!r} before, so runs:/{run.run_id}/{name} means this newer model from now on. "
            f"The first one is runs:/{run.run_id}/{name}:1. Give name= to tell models apart."
        )
    info = ModelInfo(f"runs:/{run.run_id}/{path}", path, run.run_id, made[0], manifest.digest)
    if registered is None:
        return info
    version = registering.register_logged(info, folder, registered)
    return msgspec.structs.replace(info, registered_model_version=version.version)


def check_options(options: Mapping[str, Any], known: type[Any]) -> None:
    """InvalidValueError for an option that there is not."""
    for key in options:
        if key not in known.__annotations__:
            raise InvalidValueError(
                f"There is no argument {key!r} here.{did_you_mean(key, known.__annotations__)} "
                "docs/models.md has all of them; what belongs to the run is logged with log_params() and set_tags()."
            )


def _name(name: str | None, path: str | None) -> str:
    if name and path and name != path:
        raise InvalidValueError(
            f"Give log_model() name= or artifact_path=, one of them; they are {name!r} and {path!r}."
        )
    return names.check_artifact_path(name or path or DEFAULT_NAME, "The name of a model").as_posix()


def _fill(folder: Path, write: Write, options: SaveOptions, *, name: str, run_id: str | None) -> Model:
    """Write everything that belongs into the folder of a model."""
    written = write(folder)
    code = _copy_code(folder, options.get("code_paths"))
    example_info = _write_example(folder, options.get("input_example"))
    packages = requirements.requirements_of(written.modules)
    files = environment.environment_files(
        packages,
        pip_requirements=options.get("pip_requirements"),
        extra_pip_requirements=options.get("extra_pip_requirements"),
        conda_env=options.get("conda_env"),
    )
    for path, data in files.items():
        _io.replace_file(folder / path, data, durable=False)
    signature = _signature(written, options)
    model = Model(
        flavors=_flavors(written, code),
        artifact_path=name,
        run_id=run_id,
        utc_time_created=_utc_now(),
        model_uuid=names.new_id(),
        model_size_bytes=sum((folder / path).stat().st_size for path in digests.files_in(folder)),
        signature_text=None if signature is None else signature.to_dict(),
        saved_input_example_info=example_info,
        metadata=dict(options.get("metadata") or {}) or None,
        tracker_version=__version__,
    )
    _io.replace_file(folder / layout.MLMODEL_FILE, model.to_yaml(), durable=False)
    remember_saved(digests.write_manifest(folder).digest)
    return model


def _flavors(written: Written, code: str | None) -> dict[str, dict[str, Any]]:
    pyfunc = {
        "loader_module": written.loader,
        "python_version": environment.python_version(),
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        **written.pyfunc,
    }
    if code:
        pyfunc["code"] = code
    own = {written.flavor: {**written.facts, "code": code}} if written.flavor else {}
    return {PYFUNC: pyfunc, **own}


def _signature(written: Written, options: SaveOptions) -> ModelSignature | None:
    """The signature that was given, else the one of the example and what the model makes of it."""
    given, example = options.get("signature"), options.get("input_example")
    if given is not None and given is not True:
        return given or None
    if example is None or written.predict is None:
        return None
    from tracker.models.example import split_example
    from tracker.models.signature import infer_signature

    data, params = split_example(example)
    try:
        return infer_signature(data, written.predict(data), params)
    except Exception as error:
        warn(f"No signature was inferred: the model does not take its input example ({type(error).__name__}: {error})")
        return None


def _write_example(folder: Path, example: Any) -> dict[str, Any] | None:
    if example is None:
        return None
    from tracker.models.example import Example

    made = Example.make(example)
    for path, data in made.files.items():
        _io.replace_file(folder / path, data, durable=False)
    return made.info


def _copy_code(folder: Path, code_paths: list[str] | None) -> str | None:
    """Copy files and folders of code, without caches and hidden files; where links lead, what lies there."""
    for text in code_paths or ():
        source = Path(os.path.normpath(Path(text).absolute()))
        target = folder / CODE / source.name
        if not source.exists():
            raise NotFoundError(f"There is no file or folder {text} among code_paths. Check the path.")
        if target.exists():
            raise InvalidValueError(f"Two of code_paths are called {source.name!r}. Rename one, or give their folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        with _io.explained("copy", source):
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
            else:
                shutil.copyfile(source, target)
    return CODE if code_paths else None


def _utc_now() -> str:
    now = datetime.datetime.fromtimestamp(_clock.now_ms() / 1000, datetime.UTC)
    return now.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
