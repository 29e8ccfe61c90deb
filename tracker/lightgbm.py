"""The LightGBM flavor, with MLflow's names: boosters as LightGBM's own text, estimators with skops.

>>> info = tracker.lightgbm.log_model(model, name="model", input_example=X[:2])
>>> tracker.lightgbm.load_model(info.model_uri).predict(X)
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, Unpack

from tracker import _io, saving
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError, did_you_mean
from tracker.models import lightgbm_checks, requirements
from tracker.models.formats import LIGHTGBM_TEXT, PICKLES, lightgbm_format
from tracker.models.info import ModelInfo
from tracker.opening import OpenedModel, Trust, open_model
from tracker.pyfunc.predictors import LibraryPredictor
from tracker.saving import LogOptions, SaveOptions, Written

FLAVOR_NAME = "lightgbm"
SERIALIZATION_FORMAT_SKOPS = "skops"
SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"
SUPPORTED_SERIALIZATION_FORMATS = (SERIALIZATION_FORMAT_SKOPS, SERIALIZATION_FORMAT_CLOUDPICKLE)
_LOADER = "mlflow.lightgbm"
_BOOSTER = "lightgbm.basic.Booster"


def save_model(
    lgb_model: Any,
    path: str | os.PathLike[str],
    *,
    serialization_format: str = SERIALIZATION_FORMAT_SKOPS,
    **options: Unpack[SaveOptions],
) -> None:
    """Save a booster or an estimator to a folder, in MLflow's format; see log_model.

    Raises AlreadyExistsError when something is in the folder.
    """
    saving.save_model(path, _write(lgb_model, serialization_format), options)


def log_model(
    lgb_model: Any,
    artifact_path: str | None = None,
    *,
    serialization_format: str = SERIALIZATION_FORMAT_SKOPS,
    **options: Unpack[LogOptions],
) -> ModelInfo:
    """Log a booster or an estimator to the active run, and register it when `registered_model_name` is given.

    A booster is stored as LightGBM's own text. For an estimator such as LGBMClassifier, `serialization_format` is
    skops (the default; like the text, it loads anywhere without running code) or cloudpickle (MLflow 2 knows no
    other). SaveOptions and LogOptions list the other arguments; docs/models.md explains them.

    Raises InvalidValueError for what the format cannot hold, such as an objective of your own in skops.
    """
    return saving.log_model(_write(lgb_model, serialization_format), options, artifact_path)


def load_model(model_uri: str | os.PathLike[str], dst_path: str | None = None, *, trust: Trust = False) -> Any:
    """The booster or estimator behind a path, `runs:/`, `models:/` or `https://` URI. Its digests are verified first.

    Raises UntrustedModelError for a pickle from outside the store without `trust=True` (or its digest), and
    ChangedModelError, NotFoundError, ModelError, MissingPackageError.
    """
    return load_opened(open_model(model_uri, trust=trust))


def load_opened(opened: OpenedModel) -> Any:
    """The booster or estimator of an opened model."""
    facts = opened.flavor(FLAVOR_NAME)
    opened.use_code()
    path = opened.path_of(facts, "data")
    where = f"{opened.uri} ({path})"
    word = lightgbm_format(facts)
    _library()
    if word == LIGHTGBM_TEXT:
        return _from_text(opened.read(path), where)
    if word == SERIALIZATION_FORMAT_SKOPS:
        from tracker.models.skops_files import load_skops

        return load_skops(opened.read(path), where=where)
    if word in PICKLES:
        from tracker.models.pickles import load_pickle

        opened.require_trust()
        return load_pickle(opened.read(path), where=where)
    raise ModelError(f"{opened.uri} is stored as {word!r:.50}, which this tracker cannot load. Install a newer one.")


def load_pyfunc(opened: OpenedModel) -> LibraryPredictor:
    """The function behind predict() of tracker.pyfunc: data, and params by name, to predictions."""
    model = load_opened(opened)
    return LibraryPredictor(model, model.predict)


def _from_text(data: bytes, where: str) -> Any:
    lightgbm = _library()
    lightgbm_checks.check_text(data, where=where)
    try:
        return lightgbm.Booster(model_str=data.decode())
    except (ValueError, lightgbm.basic.LightGBMError) as error:
        raise ModelError(f"{where} cannot be loaded by LightGBM: {error}. Is it damaged?") from error


def _library() -> Any:
    try:
        import lightgbm
    except ImportError:
        raise MissingPackageError("The LightGBM flavor", packages=["lightgbm", "scikit-learn"]) from None
    return lightgbm


def _write(lgb_model: Any, word: str) -> saving.Write:
    lightgbm, known = _library(), SUPPORTED_SERIALIZATION_FORMATS
    if word not in known:
        raise InvalidValueError(
            f"serialization_format is {word!r}, which is none of {', '.join(known)}.{did_you_mean(word, known)}"
        )
    is_booster = isinstance(lgb_model, lightgbm.Booster)
    if not is_booster and not isinstance(lgb_model, lightgbm.LGBMModel):
        raise InvalidValueError(f"{type(lgb_model).__qualname__} is no model of LightGBM. Is it for another flavor?")

    def write(folder: Path) -> Written:
        data, facts, modules = _dump(lgb_model, LIGHTGBM_TEXT if is_booster else word)
        _io.replace_file(folder / facts["data"], data, durable=False)
        return Written(
            loader=_LOADER,
            flavor=FLAVOR_NAME,
            facts={"lgb_version": lightgbm.__version__, "model_class": _class_of(lgb_model), **facts},
            pyfunc={"data": facts["data"]},
            modules=frozenset({"lightgbm", *modules}),
            predict=lgb_model.predict,
        )

    return write


def _class_of(lgb_model: Any) -> str:
    return f"{type(lgb_model).__module__}.{type(lgb_model).__qualname__}"


def _dump(lgb_model: Any, word: str) -> tuple[bytes, dict[str, Any], set[str]]:
    """The bytes of a model, the facts about their format, and the modules that these need."""
    if word == LIGHTGBM_TEXT:
        return lgb_model.model_to_string().encode(), {"data": "model.lgb"}, set()
    if word == SERIALIZATION_FORMAT_SKOPS:
        from tracker.models import skops_files

        data = skops_files.dump_skops(lgb_model)
        needed = skops_files.trusted_types_needed(data)
        if refused := skops_files.types_refused(data):
            raise InvalidValueError(
                f"{_class_of(lgb_model)} holds {', '.join(refused)}, which nobody vetted, so that no "
                "skops file of it would load. Save it with serialization_format='cloudpickle'."
            )
        facts = {"data": "model.skops", "serialization_format": word, "skops_trusted_types": list(needed)}
        return data, facts, {"sklearn", "skops"}  # MLflow reads the types, we never do
    try:
        import cloudpickle

        data = cloudpickle.dumps(lgb_model)
    except ImportError:
        raise MissingPackageError("Saving a model with cloudpickle", packages=["cloudpickle"]) from None
    except (pickle.PicklingError, TypeError) as error:
        raise InvalidValueError(f"{_class_of(lgb_model)} cannot be pickled: {error}.") from error
    modules = requirements.modules_of(lgb_model, data)
    return data, {"data": "model.pkl", "serialization_format": word}, {"sklearn", "cloudpickle", *modules}
