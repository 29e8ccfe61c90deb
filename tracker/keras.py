"""The flavor of Keras 3, with MLflow's names: models as `.keras` files, which hold data and no code.

>>> info = tracker.keras.log_model(model, name="model", input_example=X[:2])
>>> tracker.keras.load_model(info.model_uri).predict(X)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

from tracker import _io, saving
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError
from tracker.models import keras_checks
from tracker.models.info import ModelInfo
from tracker.opening import OpenedModel, Trust, open_model
from tracker.pyfunc.predictors import LibraryPredictor
from tracker.saving import LogOptions, SaveOptions, Written

FLAVOR_NAME = "keras"
TENSORFLOW = "tensorflow"
FOLDER = "data"
_LOADER = "mlflow.keras"
_FILE = "model.keras"
_PICKLED = ("custom_objects.cloudpickle", "global_custom_objects.cloudpickle")
"""Classes beside the model, which MLflow's TensorFlow flavor pickles."""


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    *,
    save_model_kwargs: Mapping[str, Any] | None = None,
    **options: Unpack[SaveOptions],
) -> None:
    """Save a Keras model to a folder, in MLflow's format; see log_model.

    Raises AlreadyExistsError when something is in the folder.
    """
    saving.save_model(path, _write(model, save_model_kwargs), options)


def log_model(
    model: Any,
    artifact_path: str | None = None,
    *,
    save_model_kwargs: Mapping[str, Any] | None = None,
    **options: Unpack[LogOptions],
) -> ModelInfo:
    """Log a Keras model to the active run, and register it when `registered_model_name` is given.

    `save_model_kwargs` go to `model.save()`. SaveOptions and LogOptions list the other arguments.

    Raises InvalidValueError for what is no model of Keras 3.
    """
    return saving.log_model(_write(model, save_model_kwargs), options, artifact_path)


def load_model(
    model_uri: str | os.PathLike[str],
    dst_path: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    load_model_kwargs: Mapping[str, Any] | None = None,
    *,
    trust: Trust = False,
) -> Any:
    """The Keras model behind a path, `runs:/`, `models:/` or `https://` URI. Its digests are verified first.

    `custom_objects` are classes and functions of your own by name. A model from outside the store is checked, and
    loaded in Keras' safe mode: Lambda layers and whatever else holds code need `trust=True` (or its digest).

    Raises UntrustedModelError for those, and ChangedModelError, NotFoundError, ModelError, MissingPackageError.
    """
    opened = open_model(model_uri, trust=trust)
    return load_opened(opened, custom_objects=custom_objects, load_model_kwargs=load_model_kwargs)


def load_opened(
    opened: OpenedModel,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    load_model_kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """The Keras model of an opened model, saved by this flavor or by that of TensorFlow."""
    facts = opened.flavor(FLAVOR_NAME if FLAVOR_NAME in opened.model.flavors else TENSORFLOW)
    opened.use_code()
    folder = opened.path_of(facts, "data", default=FOLDER)
    path = f"{folder}/{_FILE}"
    if facts.get("save_exported_model") or not opened.has(path):
        raise ModelError(
            f"{opened.uri} is a Keras model in another form than .keras (an exported program, HDF5, or one of Keras "
            "2), which tracker does not load. Save it with Keras 3 as it is."
        )
    objects = {**_pickled_objects(opened, folder), **(custom_objects or {})}
    where = f"{opened.uri} ({path})"
    if not opened.trusted:
        keras_checks.check_archive(opened.read(path), where=where, known=custom_objects or ())
    keras = library()
    try:
        return keras.saving.load_model(
            str(opened.copy(path)),
            custom_objects=objects or None,
            safe_mode=not opened.trusted,
            **(load_model_kwargs or {}),
        )
    except Exception as error:  # whatever layers raise
        reason = " ".join(str(error).split())[:500] or type(error).__name__
        raise ModelError(f"{where} could not be loaded by Keras: {reason}") from error


def load_pyfunc(opened: OpenedModel) -> LibraryPredictor:
    """The function behind predict() of tracker.pyfunc: a frame to a frame, and anything else to what Keras gives."""
    model = load_opened(opened)
    return LibraryPredictor(model, predict_of(model))


def predict_of(model: Any) -> Callable[[Any], Any]:
    """predict() of a Keras model for frames as well, without a bar of progress."""

    def predict(data: Any) -> Any:
        if not (hasattr(data, "columns") and hasattr(data, "iloc")):
            return model.predict(data, verbose=0)
        import pandas as pd

        return pd.DataFrame(model.predict(data.to_numpy(), verbose=0), index=data.index)

    return predict


def library() -> Any:
    """Keras 3; MissingPackageError without it, or without the backend that it is set to."""
    try:
        import keras
    except ImportError:
        raise MissingPackageError("The Keras flavor", packages=["keras>=3", "tensorflow"]) from None
    if int(keras.__version__.partition(".")[0]) < 3:
        raise MissingPackageError("The Keras flavor", packages=["keras>=3"])
    return keras


def save_into(folder: Path, model: Any, options: Mapping[str, Any] | None) -> set[str]:
    """Save a model below a folder; the modules that it needs."""
    keras = library()
    if not isinstance(model, keras.Model):
        raise InvalidValueError(f"{type(model).__name__} is no Keras model. Give a keras.Model.")
    _io.make_folder(folder / FOLDER, inside=folder)
    model.save(str(folder / FOLDER / _FILE), **(options or {}))
    layers = {type(layer).__module__.partition(".")[0] for layer in [model, *model.layers]}
    return {"keras", str(keras.backend.backend()), *layers}


def _pickled_objects(opened: OpenedModel, folder: str) -> dict[str, Any]:
    from tracker.models.pickles import load_pickle

    found: dict[str, Any] = {}
    for name in reversed(_PICKLED):
        path = f"{folder}/{name}"
        if opened.has(path):
            opened.require_trust()
            found.update(load_pickle(opened.read(path), where=f"{opened.uri} ({path})"))
    return found


def _write(model: Any, save_options: Mapping[str, Any] | None) -> saving.Write:
    keras = library()

    def write(folder: Path) -> Written:
        modules = save_into(folder, model, save_options)
        _io.replace_file(folder / FOLDER / "keras_module.txt", b"keras", durable=False)
        return Written(
            loader=_LOADER,
            flavor=FLAVOR_NAME,
            facts={
                "data": FOLDER,
                "keras_version": keras.__version__,
                "keras_backend": keras.backend.backend(),
                "save_exported_model": False,
            },
            modules=frozenset(modules),
            predict=predict_of(model),
        )

    return write
