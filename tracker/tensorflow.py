"""The TensorFlow flavor, with MLflow's names: modules as SavedModel, which is a program, and Keras models as `.keras`.

>>> info = tracker.tensorflow.log_model(module, name="model", input_example=X[:2])
>>> tracker.tensorflow.load_model(info.model_uri)(tensor)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

from tracker import _io, saving
from tracker import keras as keras_flavor
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError
from tracker.models.info import ModelInfo
from tracker.opening import OpenedModel, Trust, open_model
from tracker.pyfunc.predictors import LibraryPredictor
from tracker.saving import LogOptions, SaveOptions, Written

FLAVOR_NAME = "tensorflow"
_LOADER = "mlflow.tensorflow"
_FOLDER = "tf2model"
_KERAS, _MODULE = "keras", "tf2-module"


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    *,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    **options: Unpack[SaveOptions],
) -> None:
    """Save a module or a Keras model to a folder, in MLflow's format; see log_model.

    Raises AlreadyExistsError when something is in the folder.
    """
    saving.save_model(path, _write(model, saved_model_kwargs, keras_model_kwargs), options)


def log_model(
    model: Any,
    artifact_path: str | None = None,
    *,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    **options: Unpack[LogOptions],
) -> ModelInfo:
    """Log a tf.Module or a Keras model to the active run, and register it when `registered_model_name` is given.

    A module becomes a SavedModel (`saved_model_kwargs` go to tf.saved_model.save), which is not safe to load from a
    stranger; a Keras model becomes a `.keras` file (`keras_model_kwargs` go to its save()), which is.
    SaveOptions and LogOptions list the other arguments.

    Raises InvalidValueError for anything else.
    """
    return saving.log_model(_write(model, saved_model_kwargs, keras_model_kwargs), options, artifact_path)


def load_model(
    model_uri: str | os.PathLike[str],
    dst_path: str | None = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    *,
    trust: Trust = False,
) -> Any:
    """The module or Keras model behind a path, `runs:/`, `models:/` or `https://` URI. Its digests are verified first.

    Raises UntrustedModelError for a SavedModel from outside the store without `trust=True` (or its digest), and
    ChangedModelError, NotFoundError, ModelError, MissingPackageError.
    """
    opened = open_model(model_uri, trust=trust)
    return load_opened(opened, saved_model_kwargs=saved_model_kwargs, keras_model_kwargs=keras_model_kwargs)


def load_opened(
    opened: OpenedModel,
    *,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """The module or Keras model of an opened model."""
    if _type_of(opened) == _KERAS:
        return keras_flavor.load_opened(opened, load_model_kwargs=keras_model_kwargs)
    facts = opened.flavor(FLAVOR_NAME)
    opened.require_trust()
    opened.use_code()
    path = opened.path_of(facts, "saved_model_dir", default=_FOLDER)
    tensorflow = _library()
    try:
        return tensorflow.saved_model.load(str(opened.copy(path)), **(saved_model_kwargs or {}))
    except Exception as error:  # TensorFlow has classes of its own for damaged files
        reason = " ".join(str(error).split())[:500] or type(error).__name__
        raise ModelError(f"{opened.uri} ({path}) could not be loaded by TensorFlow: {reason}") from error


def load_pyfunc(opened: OpenedModel) -> LibraryPredictor:
    """The function behind predict() of tracker.pyfunc: an array or a list to an array; for Keras, frames as well."""
    model = load_opened(opened)
    return LibraryPredictor(model, keras_flavor.predict_of(model) if _type_of(opened) == _KERAS else _predict_of(model))


def _type_of(opened: OpenedModel) -> str:
    """keras or tf2-module; ModelError for the estimators of TensorFlow 1."""
    facts = opened.model.flavors.get(keras_flavor.FLAVOR_NAME) or opened.flavor(FLAVOR_NAME)
    word = str(facts.get("model_type") or (_KERAS if keras_flavor.FLAVOR_NAME in opened.model.flavors else "unknown"))
    if word not in (_KERAS, _MODULE):
        raise ModelError(f"{opened.uri} is a TensorFlow model of the kind {word!r:.50}, which tracker cannot load.")
    return word


def _predict_of(module: Any) -> Callable[[Any], Any]:
    tensorflow = _library()

    def predict(data: Any) -> Any:
        import numpy as np

        if not isinstance(data, np.ndarray | list):
            raise InvalidValueError(
                f"A TensorFlow module takes an array or a list, and this is {type(data).__name__}. "
                "Give the values of a DataFrame."
            )
        found = module(tensorflow.convert_to_tensor(data))
        return found.numpy() if isinstance(found, tensorflow.Tensor) else found

    return predict


def _library() -> Any:
    try:
        import tensorflow
    except ImportError:
        raise MissingPackageError("The TensorFlow flavor", packages=["tensorflow"]) from None
    return tensorflow


def _write(
    model: Any, saved_options: Mapping[str, Any] | None, keras_options: Mapping[str, Any] | None
) -> saving.Write:
    tensorflow = _library()
    if isinstance(model, keras_flavor.library().Model):
        return lambda folder: _write_keras(folder, model, keras_options)
    if not isinstance(model, tensorflow.Module):
        raise InvalidValueError(f"{type(model).__name__} is neither a tf.Module nor a Keras model.")

    def write(folder: Path) -> Written:
        tensorflow.saved_model.save(model, str(folder / _FOLDER), **(saved_options or {}))
        return Written(
            loader=_LOADER,
            flavor=FLAVOR_NAME,
            facts={"saved_model_dir": _FOLDER, "model_type": _MODULE, "tensorflow_version": tensorflow.__version__},
            modules=frozenset({"tensorflow"}),
            predict=_predict_of(model),
        )

    return write


def _write_keras(folder: Path, model: Any, options: Mapping[str, Any] | None) -> Written:
    """A Keras model as MLflow's TensorFlow flavor lays it out."""
    modules = keras_flavor.save_into(folder, model, options)
    for name, text in (("keras_module.txt", "tensorflow.keras"), ("save_format.txt", "tf")):
        _io.replace_file(folder / keras_flavor.FOLDER / name, text.encode(), durable=False)
    return Written(
        loader=_LOADER,
        flavor=FLAVOR_NAME,
        facts={
            "data": keras_flavor.FOLDER,
            "model_type": _KERAS,
            "keras_version": _library().__version__,
            "save_format": "tf",
        },
        pyfunc={"data": keras_flavor.FOLDER},
        modules=frozenset({"tensorflow", *modules}),
        predict=keras_flavor.predict_of(model),
    )
