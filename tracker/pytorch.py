"""The PyTorch flavor, with MLflow's names: whole modules as pickles, or exported programs. Both can run code.

>>> info = tracker.pytorch.log_model(module, name="model", input_example=X[:2])
>>> tracker.pytorch.load_model(info.model_uri)(tensor)
"""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Unpack

from tracker import _io, saving
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError, did_you_mean
from tracker.models import pickles, requirements
from tracker.models.info import ModelInfo
from tracker.opening import OpenedModel, Trust, open_model
from tracker.pyfunc.predictors import LibraryPredictor
from tracker.saving import LogOptions, SaveOptions, Written

FLAVOR_NAME = "pytorch"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_PT2 = "pt2"
SUPPORTED_SERIALIZATION_FORMATS = (SERIALIZATION_FORMAT_PICKLE, SERIALIZATION_FORMAT_PT2)
_LOADER = "mlflow.pytorch"
_FOLDER = "data"
_PICKLER = "mlflow.pytorch.pickle_module"
"""What MLflow imports to unpickle; in ours it stands for cloudpickle."""
_FILES = {SERIALIZATION_FORMAT_PICKLE: "model.pth", SERIALIZATION_FORMAT_PT2: "model.pt2"}


def save_model(
    pytorch_model: Any,
    path: str | os.PathLike[str],
    *,
    serialization_format: str = SERIALIZATION_FORMAT_PICKLE,
    **options: Unpack[SaveOptions],
) -> None:
    """Save a module to a folder, in MLflow's format; see log_model.

    Raises AlreadyExistsError when something is in the folder.
    """
    saving.save_model(path, _write(pytorch_model, serialization_format, options), options)


def log_model(
    pytorch_model: Any,
    artifact_path: str | None = None,
    *,
    serialization_format: str = SERIALIZATION_FORMAT_PICKLE,
    **options: Unpack[LogOptions],
) -> ModelInfo:
    """Log a module to the active run, and register it when `registered_model_name` is given.

    `serialization_format` is pickle (the default, for modules and for TorchScript), or pt2: the program that
    torch.export makes of the module and an `input_example` of arrays, whose first dimension may then be of any size.
    Neither is safe to load from a stranger. SaveOptions and LogOptions list the other arguments.

    Raises InvalidValueError for what is no module, cannot be pickled, or cannot be exported.
    """
    return saving.log_model(_write(pytorch_model, serialization_format, options), options, artifact_path)


def load_model(
    model_uri: str | os.PathLike[str],
    dst_path: str | None = None,
    *,
    map_location: Any = None,
    trust: Trust = False,
) -> Any:
    """The module behind a path, `runs:/`, `models:/` or `https://` URI, in eval mode. Its digests are verified first.

    `map_location` is that of torch.load: where its tensors go, such as "cpu".

    Raises UntrustedModelError for a model from outside the store without `trust=True` (or its digest), and
    ChangedModelError, NotFoundError, ModelError, MissingPackageError.
    """
    return load_opened(open_model(model_uri, trust=trust), map_location=map_location)


def load_opened(opened: OpenedModel, *, map_location: Any = None) -> Any:
    """The module of an opened model."""
    facts = opened.flavor(FLAVOR_NAME)
    folder = opened.path_of(facts, "model_data", default=_FOLDER)
    opened.require_trust()
    opened.use_code()
    torch = _library()
    exported = f"{folder}/{_FILES[SERIALIZATION_FORMAT_PT2]}"
    is_exported = opened.has(exported)
    path = exported if is_exported else f"{folder}/{_FILES[SERIALIZATION_FORMAT_PICKLE]}"
    stream, where = io.BytesIO(opened.read(path)), f"{opened.uri} ({path})"
    try:
        if is_exported:
            return torch.export.load(stream).module()
        module = torch.load(stream, map_location=map_location, pickle_module=_pickler(), weights_only=False)
        module.eval()
    except ModuleNotFoundError as error:
        raise pickles.missing_module(error, where) from error
    except Exception as error:  # whatever the classes in it raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(
            f"{where} could not be loaded by PyTorch: {reason}. Is it whole, and are the versions of its "
            "requirements.txt installed? What a script defined itself has to travel with the model: see code_paths=."
        ) from error
    return module


def load_pyfunc(opened: OpenedModel) -> LibraryPredictor:
    """The function behind predict() of tracker.pyfunc: a frame or an array, to a frame or an array."""
    torch = _library()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    module = load_opened(opened, map_location=device)
    return LibraryPredictor(module, lambda data: _predict(module, data))


def _predict(module: Any, data: Any) -> Any:
    """The output of a module, on the device where its parameters are."""
    import numpy as np

    torch = _library()
    is_frame = hasattr(data, "columns") and hasattr(data, "iloc")
    if not is_frame and not isinstance(data, np.ndarray):
        raise InvalidValueError(f"A PyTorch model takes a DataFrame or an array, and this is {type(data).__name__}.")
    values = data.to_numpy(dtype=np.float32) if is_frame else data
    first = next(iter(module.parameters()), None)
    with torch.no_grad():
        output = module(torch.from_numpy(np.ascontiguousarray(values)).to("cpu" if first is None else first.device))
    if not isinstance(output, torch.Tensor):
        raise InvalidValueError(
            f"The module gives {type(output).__name__}, and predict() needs one tensor. Load it with "
            "tracker.pytorch.load_model() and call it."
        )
    found = output.detach().cpu().numpy()
    if not is_frame:
        return found
    import pandas as pd

    return pd.DataFrame(found, index=data.index)


def _library() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingPackageError("The PyTorch flavor", packages=["torch", "cloudpickle"]) from None
    return torch


def _pickler() -> Any:
    """Pickles classes of scripts by value; torch wants a module with these names."""
    try:
        import cloudpickle
    except ImportError:
        raise MissingPackageError("The PyTorch flavor", packages=["torch", "cloudpickle"]) from None
    return SimpleNamespace(
        __name__=_PICKLER,
        Pickler=cloudpickle.CloudPickler,
        Unpickler=pickle.Unpickler,
        load=pickle.load,
        loads=pickle.loads,
        dump=cloudpickle.dump,
        dumps=cloudpickle.dumps,
        UnpicklingError=pickle.UnpicklingError,
    )


def _write(module: Any, word: str, options: SaveOptions | LogOptions) -> saving.Write:
    torch, known = _library(), SUPPORTED_SERIALIZATION_FORMATS
    if word not in known:
        raise InvalidValueError(
            f"serialization_format is {word!r}, which is none of {', '.join(known)}.{did_you_mean(word, known)}"
        )
    if not isinstance(module, torch.nn.Module):
        raise InvalidValueError(f"{type(module).__name__} is no torch.nn.Module. Give the module itself.")
    example = options.get("input_example")

    def write(folder: Path) -> Written:
        _io.make_folder(folder / _FOLDER, inside=folder)
        path = folder / _FOLDER / _FILES[word]
        if word == SERIALIZATION_FORMAT_PT2:
            torch.export.save(_exported(module, example), path)
            modules = {"torch"}
        else:
            _dump(module, path)
            _io.replace_file(folder / _FOLDER / "pickle_module_info.txt", _PICKLER.encode(), durable=False)
            modules = {"cloudpickle", *requirements.modules_of(module, _pickle_in(path))}
        return Written(
            loader=_LOADER,
            flavor=FLAVOR_NAME,
            facts={
                "model_data": _FOLDER,
                "pytorch_version": str(torch.__version__),
                "serialization_format": word,
            },
            pyfunc={"data": _FOLDER, "pickle_module_name": _PICKLER, "config": {"device": None}},
            modules=frozenset({"torch", *modules}),
            predict=lambda data: _predict_as_loaded(module, data),
        )

    return write


def _predict_as_loaded(module: Any, data: Any) -> Any:
    """Predict as after loading, and leave the module in the mode in which it was."""
    was_training = module.training
    module.eval()
    try:
        return _predict(module, data)
    finally:
        module.train(was_training)


def _dump(module: Any, path: Path) -> None:
    torch = _library()
    try:
        if isinstance(module, torch.jit.ScriptModule):
            torch.jit.save(module, str(path))
        else:
            torch.save(module, path, pickle_module=_pickler())
    except (pickle.PicklingError, TypeError, AttributeError, RuntimeError) as error:
        raise InvalidValueError(f"{type(module).__name__} cannot be pickled: {error}") from error


def _pickle_in(path: Path) -> bytes | None:
    """The pickle among the files of torch's archive: it names the classes, and its tensors lie beside it."""
    with zipfile.ZipFile(path) as archive:
        found = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        return archive.read(found[0]) if len(found) == 1 else None


def _exported(module: Any, example: Any) -> Any:
    """The program that torch.export makes; sizes of the first dimension are left open where there are several rows."""
    import numpy as np

    torch = _library()
    values = list(example) if isinstance(example, tuple | list) else [example]
    if not values or not all(isinstance(value, np.ndarray | torch.Tensor) for value in values):
        raise InvalidValueError(
            "serialization_format='pt2' needs input_example=: an array, or a tuple of arrays, with which the module "
            "is called once to see what it does."
        )
    tensors = [torch.from_numpy(value) if isinstance(value, np.ndarray) else value for value in values]
    shapes = [{0: torch.export.Dim.AUTO} if tensor.dim() else None for tensor in tensors]
    try:
        return torch.export.export(module, tuple(tensors), dynamic_shapes=shapes)
    except Exception as error:  # torch has many classes for what it cannot follow
        reason = str(error).strip().split("\n")[0]
        raise InvalidValueError(
            f"{type(module).__name__} cannot be exported: {reason}. Save it as a pickle."
        ) from error
