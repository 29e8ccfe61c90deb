"""The XGBoost flavor, with MLflow's names: save, log and load boosters and estimators, in XGBoost's own JSON or UBJSON.

>>> info = tracker.xgboost.log_model(model, name="model", input_example=X[:2])
>>> tracker.xgboost.load_model(info.model_uri).predict(X)
"""

from __future__ import annotations

import inspect
import math
import os
from pathlib import Path
from typing import Any, Unpack

from tracker import _io, saving
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError, did_you_mean
from tracker.models import xgboost_checks
from tracker.models.info import ModelInfo
from tracker.opening import OpenedModel, Trust, open_model
from tracker.pyfunc.predictors import LibraryPredictor
from tracker.saving import LogOptions, SaveOptions, Written

FLAVOR_NAME = "xgboost"
MODEL_FORMATS = ("ubj", "json")
_LOADER = "mlflow.xgboost"
_BOOSTER = "xgboost.core.Booster"
_CLASSES = (
    _BOOSTER,
    *(
        f"xgboost.sklearn.{name}"
        for name in ("XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")
    ),
)
"""What an MLmodel file may ask to have made. It may come from anybody, so it cannot name any other class."""


def save_model(
    xgb_model: Any, path: str | os.PathLike[str], *, model_format: str = "ubj", **options: Unpack[SaveOptions]
) -> None:
    """Save a booster or an estimator to a folder, in MLflow's format; see log_model.

    Raises AlreadyExistsError when something is in the folder.
    """
    saving.save_model(path, _write(xgb_model, model_format), options)


def log_model(
    xgb_model: Any, artifact_path: str | None = None, *, model_format: str = "ubj", **options: Unpack[LogOptions]
) -> ModelInfo:
    """Log a booster or an estimator to the active run, and register it when `registered_model_name` is given.

    `model_format` is ubj (the default, which is small) or json; both load anywhere without running code. What
    XGBoost does not keep, such as the learning rate of an estimator, is not kept here either.
    SaveOptions and LogOptions list the other arguments; docs/models.md explains them.

    Raises InvalidValueError for a class that is not XGBoost's own; `tracker.sklearn` saves those.
    """
    return saving.log_model(_write(xgb_model, model_format), options, artifact_path)


def load_model(model_uri: str | os.PathLike[str], dst_path: str | None = None, *, trust: Trust = False) -> Any:
    """The booster or estimator behind a path, `runs:/`, `models:/` or `https://` URI. Its digests are verified first.

    Raises ChangedModelError, NotFoundError, ModelError, MissingPackageError.
    """
    return load_opened(open_model(model_uri, trust=trust))


def load_opened(opened: OpenedModel) -> Any:
    """The booster or estimator of an opened model."""
    facts = opened.flavor(FLAVOR_NAME)
    opened.use_code()
    path = opened.path_of(facts, "data")
    model = _made(str(facts.get("model_class", _BOOSTER)), opened.uri)
    data = opened.read(path)
    if not data.startswith(b"{"):
        raise ModelError(
            f"{opened.uri} ({path}) is neither JSON nor UBJSON: it is damaged, or in the binary format of XGBoost "
            "before 3.1. Load that one with the version that wrote it, and save it again."
        )
    if not opened.trusted:
        xgboost_checks.check_model(data, where=f"{opened.uri} ({path})")
    try:
        model.load_model(bytearray(data))
    except (ValueError, TypeError, KeyError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"{opened.uri} ({path}) cannot be loaded by XGBoost: {reason}. Is it damaged?") from error
    if isinstance(missing := facts.get("missing"), int | float):
        model.set_params(missing=missing)
    return model


def load_pyfunc(opened: OpenedModel) -> LibraryPredictor:
    """The function behind predict() of tracker.pyfunc: data, and params by name, to predictions."""
    model = load_opened(opened)
    return LibraryPredictor(model, _predict_of(model))


def _made(name: str, uri: str) -> Any:
    """An empty model of a class."""
    if name not in _CLASSES:
        raise ModelError(
            f"{uri} asks for the class {name!r:.100}, which is none of XGBoost's own.{did_you_mean(name, _CLASSES)} "
            "Save such a model with tracker.sklearn."
        )
    return getattr(_library(), name.rpartition(".")[2])()


def _predict_of(model: Any) -> Any:
    """predict() for plain data: a booster wants a matrix of its own."""
    xgboost = _library()
    if not isinstance(model, xgboost.Booster):
        return model.predict

    def predict(data: Any, **params: Any) -> Any:
        return model.predict(xgboost.DMatrix(data), **params)

    predict.__signature__ = inspect.signature(model.predict)  # type: ignore[attr-defined]
    return predict


def _library() -> Any:
    try:
        import xgboost
    except ImportError:
        raise MissingPackageError("The XGBoost flavor", packages=["xgboost", "scikit-learn"]) from None
    return xgboost


def _write(xgb_model: Any, word: str) -> saving.Write:
    xgboost = _library()
    if word not in MODEL_FORMATS:
        raise InvalidValueError(
            f"model_format is {word!r}, which is none of {', '.join(MODEL_FORMATS)}.{did_you_mean(word, MODEL_FORMATS)}"
        )
    name = f"{type(xgb_model).__module__}.{type(xgb_model).__qualname__}"
    if name not in _CLASSES:
        raise InvalidValueError(
            f"{name} is no class of XGBoost, whose own format holds nothing else. Save it with tracker.sklearn."
        )

    def write(folder: Path) -> Written:
        path = f"model.{word}"
        _io.replace_file(folder / path, _dump(xgb_model, word), durable=False)
        facts = {"data": path, "model_class": name, "model_format": word, "xgb_version": xgboost.__version__}
        missing = getattr(xgb_model, "missing", None)
        if missing is not None and not math.isnan(missing):
            facts["missing"] = float(missing)  # XGBoost forgets it, and predicts something else then
        return Written(
            loader=_LOADER,
            flavor=FLAVOR_NAME,
            facts=facts,
            pyfunc={"data": path},
            modules=frozenset({"xgboost", *([] if name == _BOOSTER else ["sklearn"])}),
            predict=_predict_of(xgb_model),
        )

    return write


def _dump(xgb_model: Any, word: str) -> bytes:
    """The bytes of a model; XGBoost writes to a path only what makes an estimator of a booster."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tracker-model-") as folder:
        path = Path(folder, f"model.{word}")
        try:
            xgb_model.save_model(path)
        except ValueError as error:  # its own errors, and scikit-learn's NotFittedError
            raise InvalidValueError(f"{type(xgb_model).__name__} cannot be saved: {error}") from error
        return path.read_bytes()
