"""The ONNX flavor, with MLflow's names: save, log and load graphs, and predict with onnxruntime.

>>> info = tracker.onnx.log_model(graph, name="model", input_example=X[:2])
>>> tracker.pyfunc.load_model(info.model_uri).predict(X)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Unpack

from tracker import _io, names, saving
from tracker.exceptions import InvalidNameError, InvalidValueError, MissingPackageError, ModelError
from tracker.models.info import ModelInfo
from tracker.opening import OpenedModel, Trust, open_model
from tracker.pyfunc.predictors import LibraryPredictor
from tracker.saving import LogOptions, SaveOptions, Written

FLAVOR_NAME = "onnx"
ONNX_EXECUTION_PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]
LARGEST_FILE = 1_500_000_000
"""Bytes of the largest graph that goes into one file by itself; protobuf ends at 2 GiB."""
_LOADER = "mlflow.onnx"
_PATH = "model.onnx"
_CPU = "CPUExecutionProvider"
_MAX_THREADS = 256
_THREADS = ("inter_op_num_threads", "intra_op_num_threads")


def save_model(
    onnx_model: Any,
    path: str | os.PathLike[str],
    *,
    onnx_execution_providers: Sequence[Any] | None = None,
    onnx_session_options: Mapping[str, Any] | None = None,
    save_as_external_data: bool | None = None,
    **options: Unpack[SaveOptions],
) -> None:
    """Save a graph to a folder, in MLflow's format; see log_model.

    Raises AlreadyExistsError when something is in the folder.
    """
    write = _write(onnx_model, onnx_execution_providers, onnx_session_options, save_as_external_data)
    saving.save_model(path, write, options)


def log_model(
    onnx_model: Any,
    artifact_path: str | None = None,
    *,
    onnx_execution_providers: Sequence[Any] | None = None,
    onnx_session_options: Mapping[str, Any] | None = None,
    save_as_external_data: bool | None = None,
    **options: Unpack[LogOptions],
) -> ModelInfo:
    """Log a graph to the active run, and register it when `registered_model_name` is given.

    `onnx_execution_providers` are tried in their order when it predicts; by default CUDA, then the processor.
    `onnx_session_options` are those of MLflow: threads, execution_mode, graph_optimization_level,
    extra_session_config. `save_as_external_data` puts large tensors into a second file; by default only where one
    file could not hold them. SaveOptions and LogOptions list the other arguments; docs/models.md explains them.

    Raises InvalidValueError for what is no valid graph.
    """
    write = _write(onnx_model, onnx_execution_providers, onnx_session_options, save_as_external_data)
    return saving.log_model(write, options, artifact_path)


def load_model(model_uri: str | os.PathLike[str], dst_path: str | None = None, *, trust: Trust = False) -> Any:
    """The graph (a ModelProto) behind a path, `runs:/`, `models:/` or `https://` URI. Its digests are verified first.

    Raises ChangedModelError, NotFoundError, ModelError, MissingPackageError.
    """
    return load_opened(open_model(model_uri, trust=trust))


def load_opened(opened: OpenedModel) -> Any:
    """The graph of an opened model, with all its tensors in it."""
    onnx = _onnx()
    path, model, copy = _graph(opened)
    try:
        onnx.checker.check_model(model if copy is None else str(copy))
        if copy is not None:
            onnx.load_external_data_for_model(model, str(copy.parent))
    except (onnx.checker.ValidationError, ValueError, OSError) as error:
        raise ModelError(f"{opened.uri} ({path}) is no valid graph: {error}") from error
    return model


def load_pyfunc(opened: OpenedModel) -> LibraryPredictor:
    """The function behind predict() of tracker.pyfunc: a frame, an array or a dict of arrays, to predictions.

    A frame gives a frame, anything else a dict of arrays by the names of the outputs.
    """
    path, _, copy = _graph(opened)
    session = _session(opened.read(path) if copy is None else str(copy), opened.flavor(FLAVOR_NAME), opened)
    return LibraryPredictor(session, lambda data: _predict(session, data))


def _graph(opened: OpenedModel) -> tuple[str, Any, Path | None]:
    """The path of a graph, the graph, and a private copy with its tensors beside it where they are in other files."""
    onnx = _onnx()
    opened.use_code()
    path = opened.path_of(opened.flavor(FLAVOR_NAME), "data", default=_PATH)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(opened.read(path))
    except Exception as error:  # the DecodeError of whichever protobuf is installed
        raise ModelError(f"{opened.uri} ({path}) is no ONNX file, or a damaged one: {error}.") from error
    if not model.graph.node and not model.graph.output:
        raise ModelError(f"{opened.uri} ({path}) is no ONNX file, or an empty one.")
    locations = sorted(set(_locations(model)))
    for location in locations:
        beside = _beside(path, location)
        if beside not in opened.manifest.files:
            raise ModelError(
                f"{opened.uri} ({path}) keeps tensors in {location!r:.200}, which is no file of the model. "
                "A graph that reads other files is not loaded."
            )
        opened.copy(beside)
    return path, model, opened.copy(path) if locations else None


def _locations(message: Any) -> Iterator[str]:
    """The files that tensors of a graph lie in, wherever in the graph the tensors stand."""
    if message.DESCRIPTOR.name == "TensorProto" and (message.external_data or message.data_location):
        yield next((entry.value for entry in message.external_data if entry.key == "location"), "")
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if _is_repeated(field) else (value,):
                yield from _locations(part)


def _is_repeated(field: Any) -> bool:
    repeated = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED if repeated is None else repeated)


def _beside(path: str, location: str) -> str:
    """The path in the model of a file beside its graph; empty when it is nowhere in the model."""
    try:
        checked = names.check_artifact_path(location, "A file of tensors")
    except InvalidNameError:
        return ""
    return (PurePosixPath(path).parent / checked).as_posix()


def _session(source: bytes | str, facts: Mapping[str, Any], opened: OpenedModel | None = None) -> Any:
    """What runs a graph. Settings that could reach files or libraries count only when the model is trusted."""
    runtime = _runtime()
    where = "The graph" if opened is None else opened.uri
    is_trusted = opened is None or opened.trusted
    wanted = [_provider(entry) for entry in _entries(facts.get("providers")) if is_trusted or _is_plain(entry)]
    here = set(runtime.get_available_providers())
    providers = [entry for entry in wanted if (entry if isinstance(entry, str) else entry[0]) in here]
    try:
        settings = _settings(runtime, facts.get("onnx_session_options") or {}, is_trusted)
        return runtime.InferenceSession(source, sess_options=settings, providers=providers or [_CPU])
    except Exception as error:  # onnxruntime has a class for each kind, below Exception
        raise ModelError(f"{where} cannot be run by onnxruntime: {error}") from error


def _entries(providers: Any) -> Sequence[Any]:
    return [providers] if isinstance(providers, str) else providers or ONNX_EXECUTION_PROVIDERS


def _provider(entry: Any) -> Any:
    """A name, or a pair of name and options, which YAML made a list."""
    return entry if isinstance(entry, str) else tuple(entry)


def _is_plain(entry: Any) -> bool:
    """Whether an untrusted model may ask for it: some providers have options that name libraries to be loaded."""
    return isinstance(entry, str) and entry in ONNX_EXECUTION_PROVIDERS


def _settings(runtime: Any, options: Mapping[str, Any], is_trusted: bool) -> Any:
    """MLflow's onnx_session_options as those of onnxruntime."""
    settings = runtime.SessionOptions()
    for name in _THREADS:
        if count := options.get(name):
            setattr(settings, name, min(int(count), _MAX_THREADS))
    if mode := options.get("execution_mode"):
        settings.execution_mode = getattr(runtime.ExecutionMode, f"ORT_{str(mode).upper()}")
    if level := options.get("graph_optimization_level"):
        settings.graph_optimization_level = runtime.GraphOptimizationLevel(level)
    for name, value in (options.get("extra_session_config") or {}).items() if is_trusted else ():
        settings.add_session_config_entry(str(name), str(value))
    return settings


def _predict(session: Any, data: Any) -> Any:
    """The outputs of a graph by name: in a frame for a frame."""
    import numpy as np

    inputs = session.get_inputs()
    is_frame = hasattr(data, "columns") and hasattr(data, "iloc")
    if isinstance(data, Mapping):
        feed = {name: np.asarray(value) for name, value in data.items()}
    elif is_frame and len(inputs) > 1:
        feed = {entry.name: data[entry.name].to_numpy() for entry in inputs}
    elif (is_frame or isinstance(data, np.ndarray)) and len(inputs) == 1:
        feed = {inputs[0].name: data.to_numpy() if is_frame else data}
    else:
        raise InvalidValueError(
            f"A graph with the inputs {', '.join(entry.name for entry in inputs)} takes a DataFrame with these columns"
            f" or a dict of arrays, and with one input an array; this is {type(data).__name__}."
        )
    for entry in inputs:
        if entry.type == "tensor(float)" and entry.name in feed and feed[entry.name].dtype == np.float64:
            feed[entry.name] = feed[entry.name].astype(np.float32)
    outputs = dict(zip([entry.name for entry in session.get_outputs()], session.run(None, feed), strict=True))
    return _frame(outputs) if is_frame else outputs


def _frame(outputs: Mapping[str, Any]) -> Any:
    """One column for each output; what has several values a row is a list there."""
    import numpy as np
    import pandas as pd

    arrays = {name: np.asarray(value) for name, value in outputs.items()}
    rows = max((len(array) for array in arrays.values() if array.ndim), default=1)
    return pd.DataFrame(
        {
            name: array.reshape(-1) if array.size == rows or array.ndim < 2 else list(array)
            for name, array in arrays.items()
        }
    )


def _onnx() -> Any:
    try:
        import onnx
    except ImportError:
        raise MissingPackageError("The ONNX flavor", packages=["onnx", "onnxruntime"]) from None
    return onnx


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingPackageError("Predicting with an ONNX model", packages=["onnxruntime"]) from None
    return onnxruntime


def _write(
    onnx_model: Any,
    providers: Sequence[Any] | None,
    session_options: Mapping[str, Any] | None,
    external: bool | None,
) -> saving.Write:
    onnx = _onnx()
    if not isinstance(onnx_model, onnx.ModelProto):
        raise InvalidValueError(f"{type(onnx_model).__name__} is no ONNX graph. Give an onnx.ModelProto.")
    if found := sorted(set(_locations(onnx_model))):
        raise InvalidValueError(
            f"The graph keeps tensors in {', '.join(map(repr, found))}, which are not loaded. Load it with onnx.load()."
        )
    size = onnx_model.ByteSize()
    if size <= LARGEST_FILE:
        try:
            onnx.checker.check_model(onnx_model)
        except onnx.checker.ValidationError as error:
            raise InvalidValueError(f"The graph is not valid: {error}") from error
    facts = {
        "data": _PATH,
        "onnx_version": onnx.__version__,
        "providers": [list(entry) if isinstance(entry, tuple) else entry for entry in _entries(providers)],
        "onnx_session_options": dict(session_options) if session_options else None,
    }

    def write(folder: Path) -> Written:
        if external or (external is None and size > LARGEST_FILE):
            copy = onnx.ModelProto()
            copy.CopyFrom(onnx_model)  # saving this way takes the tensors out of it
            onnx.save_model(copy, str(folder / _PATH), save_as_external_data=True, location=f"{_PATH}.data")
        else:
            _io.replace_file(folder / _PATH, onnx_model.SerializeToString(), durable=False)
        return Written(
            loader=_LOADER,
            flavor=FLAVOR_NAME,
            facts=facts,
            pyfunc={"data": _PATH},
            modules=frozenset({"onnx", "onnxruntime"}),
            predict=lambda data: _predict(_session(str(folder / _PATH), facts), data),
        )

    return write
