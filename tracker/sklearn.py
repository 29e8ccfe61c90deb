"""The scikit-learn flavor, with MLflow's names: save, log and load estimators and pipelines.

>>> info = tracker.sklearn.log_model(model, name="model", input_example=X[:2])
>>> tracker.sklearn.load_model(info.model_uri).predict(X)
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from tracker import _io, missing, saving
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError, did_you_mean
from tracker.installed import installed_version
from tracker.models import environment, requirements
from tracker.models.info import ModelInfo
from tracker.models.mlmodel import PYFUNC
from tracker.opening import OpenedModel, Trust, open_model
from tracker.pyfunc.predictors import LibraryPredictor
from tracker.saving import LogOptions, SaveOptions, Written

FLAVOR_NAME = "sklearn"
SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_SKOPS = "skops"
SUPPORTED_SERIALIZATION_FORMATS = (
    SERIALIZATION_FORMAT_CLOUDPICKLE,
    SERIALIZATION_FORMAT_PICKLE,
    SERIALIZATION_FORMAT_SKOPS,
)
_LOADER = "mlflow.sklearn"
_METHODS = ("fit", "predict", "transform")
"""An estimator has at least one of them."""


def save_model(
    sk_model: Any,
    path: str | os.PathLike[str],
    *,
    serialization_format: str = SERIALIZATION_FORMAT_CLOUDPICKLE,
    pyfunc_predict_fn: str = "predict",
    **options: Unpack[SaveOptions],
) -> None:
    """Save an estimator to a folder, in MLflow's format; see log_model.

    Raises AlreadyExistsError when something is in the folder.
    """
    saving.save_model(path, _write(sk_model, serialization_format, pyfunc_predict_fn), options)


def log_model(
    sk_model: Any,
    artifact_path: str | None = None,
    *,
    serialization_format: str = SERIALIZATION_FORMAT_CLOUDPICKLE,
    pyfunc_predict_fn: str = "predict",
    **options: Unpack[LogOptions],
) -> ModelInfo:
    """Log an estimator to the active run, and register it when `registered_model_name` is given.

    `serialization_format` is cloudpickle (the default), pickle, or skops: that one loads anywhere without running code.
    `pyfunc_predict_fn` names the method behind `tracker.pyfunc`'s predict(), such as predict_proba.
    SaveOptions and LogOptions list the other arguments; docs/models.md explains them.

    Raises InvalidValueError for an object without that method or that the format cannot hold.
    """
    return saving.log_model(_write(sk_model, serialization_format, pyfunc_predict_fn), options, artifact_path)


def load_model(model_uri: str | os.PathLike[str], dst_path: str | None = None, *, trust: Trust = False) -> Any:
    """The estimator behind a path, `runs:/`, `models:/` or `https://` URI. Its digests are verified first.

    Raises UntrustedModelError for a pickle from outside the store without `trust=True` (or its digest), and
    ChangedModelError, NotFoundError, ModelError, MissingPackageError.
    """
    return load_opened(open_model(model_uri, trust=trust))


def load_opened(opened: OpenedModel) -> Any:
    """The estimator of an opened model."""
    facts = opened.flavor(FLAVOR_NAME)
    opened.use_code()
    word = str(facts.get("serialization_format", SERIALIZATION_FORMAT_PICKLE))
    path = opened.path_of(facts, "pickled_model", "model_path", default="model.pkl")
    if word == SERIALIZATION_FORMAT_SKOPS:
        from tracker.models.skops_files import load_skops

        return load_skops(opened.read(path), where=f"{opened.uri} ({path})")
    if word in (SERIALIZATION_FORMAT_CLOUDPICKLE, SERIALIZATION_FORMAT_PICKLE):
        from tracker.models.pickles import load_pickle

        opened.require_trust()
        return load_pickle(opened.read(path), where=f"{opened.uri} ({path})")
    raise ModelError(f"{opened.uri} is stored as {word!r}, which this tracker cannot load. Install a newer one.")


def load_pyfunc(opened: OpenedModel) -> LibraryPredictor:
    """The function behind predict() of tracker.pyfunc: data, and params by name, to predictions."""
    estimator = load_opened(opened)
    name = str(opened.flavor(PYFUNC).get("predict_fn") or "predict")
    method = None if name.startswith("_") else getattr(estimator, name, None)
    if not callable(method):
        raise ModelError(f"{opened.uri} is to predict with {name!r}, which {type(estimator).__name__} does not have.")
    return LibraryPredictor(estimator, method)


def get_default_pip_requirements(include_cloudpickle: bool = False, include_skops: bool = False) -> list[str]:
    """Pinned packages that any model of this flavor needs: `["scikit-learn==1.9.1"]`."""
    also = {"cloudpickle": include_cloudpickle, "skops": include_skops}
    return requirements.requirements_of({"sklearn", *(name for name, wanted in also.items() if wanted)})


def get_default_conda_env(include_cloudpickle: bool = False, include_skops: bool = False) -> dict[str, Any]:
    """The same as an environment of conda, to change and give as `conda_env`."""
    return environment.conda_of(get_default_pip_requirements(include_cloudpickle, include_skops))


def _write(sk_model: Any, word: str, predict_fn: str) -> saving.Write:
    if word not in SUPPORTED_SERIALIZATION_FORMATS:
        known = SUPPORTED_SERIALIZATION_FORMATS
        raise InvalidValueError(
            f"serialization_format is {word!r}, which is none of {', '.join(known)}.{did_you_mean(word, known)}"
        )
    _check_estimator(sk_model)
    predict = getattr(sk_model, predict_fn, None)
    if predict is None and predict_fn != "predict":
        raise InvalidValueError(f"{type(sk_model).__name__} has no method {predict_fn!r}. Name one that it has.")

    def write(folder: Path) -> Written:
        data, trusted = _dump(sk_model, word)
        name = "model.skops" if word == SERIALIZATION_FORMAT_SKOPS else "model.pkl"
        _io.replace_file(folder / name, data, durable=False)
        facts: dict[str, Any] = {
            "pickled_model": name,
            "serialization_format": word,
            "sklearn_version": installed_version("scikit-learn") or "unknown",
        }
        if trusted:
            facts["skops_trusted_types"] = trusted  # for MLflow; we never read them
        modules = requirements.modules_of(sk_model, data if word != SERIALIZATION_FORMAT_SKOPS else None)
        return Written(
            loader=_LOADER,
            flavor=FLAVOR_NAME,
            facts=facts,
            pyfunc={"model_path": name, "predict_fn": predict_fn},
            modules=frozenset({"sklearn", *([] if word == "pickle" else [word]), *modules}),
            predict=predict,
        )

    return write


def _check_estimator(sk_model: Any) -> None:
    kind = "a class" if isinstance(sk_model, type) else f"of the type {type(sk_model).__name__}"
    if isinstance(sk_model, type) or not any(callable(getattr(sk_model, name, None)) for name in _METHODS):
        raise InvalidValueError(
            f"{sk_model!r:.80} is {kind}, and no estimator: that has fit(), predict() or transform(). For other things "
            "use tracker.pyfunc.log_model(), with a class or function."
        )


def _dump(sk_model: Any, word: str) -> tuple[bytes, list[str]]:
    """The bytes of an estimator, and the types that MLflow must be told to trust in them."""
    if word == SERIALIZATION_FORMAT_SKOPS:
        from tracker.models import skops_files

        data = skops_files.dump_skops(sk_model)
        if refused := skops_files.types_refused(data):
            raise InvalidValueError(
                f"{type(sk_model).__name__} holds {', '.join(refused)}, which nobody vetted, so that no skops file "
                "of it would load. Save it with cloudpickle."
            )
        return data, list(skops_files.trusted_types_needed(data))
    try:
        if word == SERIALIZATION_FORMAT_PICKLE:
            return pickle.dumps(sk_model, protocol=pickle.DEFAULT_PROTOCOL), []
        import cloudpickle
    except ImportError:
        raise MissingPackageError("Saving a model with cloudpickle", "sklearn") from None
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise InvalidValueError(f"{type(sk_model).__name__} cannot be pickled: {error}. Try cloudpickle.") from error
    try:
        return cloudpickle.dumps(sk_model), []
    except (pickle.PicklingError, TypeError) as error:
        raise InvalidValueError(f"{type(sk_model).__name__} cannot be pickled: {error}.") from error


if not TYPE_CHECKING:  # or no slip of the pen would be found
    __getattr__ = missing.getter(__name__)
