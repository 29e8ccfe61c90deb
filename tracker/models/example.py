"""The input example of a model: JSON that MLflow reads, and that a server takes as a request.

The JSON is strict: missing values are null, infinities are the texts Infinity and -Infinity, bytes are base64, moments
are ISO 8601.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from tracker.exceptions import InvalidValueError, ModelError
from tracker.models.inference import SPARSE, infer_params, is_frame, is_series, is_sparse
from tracker.types.kinds import DataType, numpy_for
from tracker.types.misfits import is_array, is_missing, is_numpy
from tracker.types.schema import Schema

EXAMPLE_FILE = "input_example.json"
SERVING_FILE = "serving_input_example.json"
UNWRAPPED = ("messages", "prompt", "input")
"""A dict with one of these keys is a request to a language model, and is served as it is."""
_SPARSE_TYPE = "sparse_matrix_"


class Example(msgspec.Struct, frozen=True):
    """An input example, ready to be written.

    >>> Example.make({"height": 1.5}).files["input_example.json"]
    b'{"height": 1.5}'
    """

    info: dict[str, Any]
    """What the MLmodel file says of it, under saved_input_example_info."""
    files: dict[str, bytes]
    """The example and the request to a server, by their names in the folder of the model."""

    @classmethod
    def make(cls, value: Any) -> Example:
        """The files for data that a model takes: a frame, an array, a dict, a list or one value; or for a pair of data
        and params.

        Raises InvalidValueError for other objects, and for what JSON cannot hold.
        """
        data, params = split_example(value)
        try:
            kind, form, request = _forms_of(data)
        except RecursionError:
            raise InvalidValueError("The input example has too many levels in each other for JSON.") from None
        info = {"artifact_path": EXAMPLE_FILE, **kind, "serving_input_path": SERVING_FILE}
        stored = form
        if params:
            infer_params(params)
            plain = _plain(params)
            info["params"] = "true"
            stored = {"inputs": form, "params": plain}
            request = {**request, **(plain if request is form else {"params": plain})}
        return cls(info, {EXAMPLE_FILE: _json(stored), SERVING_FILE: _json(request, indent=2)})


def split_example(value: Any) -> tuple[Any, dict[str, Any] | None]:
    """Data and params of an example: a tuple of two, the second of them a dict, has both."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict):
        return value[0], value[1] or None
    return value, None


def read_example(info: Mapping[str, Any], data: bytes, schema: Schema | None = None) -> Any:
    """The data of an example out of its file, with the types of the model's schema where there is one.

    Raises ModelError for a damaged file or a type of example that is not known.
    """
    kind = str(info.get("type"))
    try:
        value = json.loads(data)
        if info.get("params"):
            value = value["inputs"]
        if kind == "json_object":
            return value
        if kind == "ndarray":
            return _read_arrays(value, schema)
        if kind == "dataframe":
            return _read_frame(value, schema)
        if kind in [_SPARSE_TYPE + form for form in SPARSE]:
            return _read_sparse(value, kind.removeprefix(_SPARSE_TYPE), schema)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelError(f"The input example of the model is damaged: {type(error).__name__}: {error}.") from None
    raise ModelError(f"The input example is of the type {kind!r:.100}, which this tracker does not know.")


def _forms_of(data: Any) -> tuple[dict[str, str], Any, Any]:
    """What the type of an example is called, its form in JSON, and the request that has it."""
    if is_series(data):
        data = data.to_frame()
    if hasattr(data, "model_dump"):
        data = data.model_dump()
    if is_frame(data):
        form = _form_of_frame(data)
        return {"type": "dataframe", "pandas_orient": "split" if "columns" in form else "values"}, form, _split(form)
    if is_sparse(data):
        form = {"data": data.data, "indices": data.indices, "indptr": data.indptr, "shape": list(data.shape)}
        return {"type": _SPARSE_TYPE + data.format}, _plain(form), {"inputs": _plain(data.toarray())}
    kind = "ndarray" if _is_arrays(data) else "json_object"
    if kind == "json_object" and not _is_plain(data):
        raise InvalidValueError(
            f"An input example cannot be {type(data).__name__}. Give a DataFrame, an array, a dict, a list or one "
            "value, or a tuple of one of them and a dict of params."
        )
    form = _plain(data)
    unwrapped = kind == "json_object" and isinstance(data, dict) and any(key in data for key in UNWRAPPED)
    return {"type": kind}, form, form if unwrapped else {"inputs": form}


def _split(form: dict[str, Any]) -> dict[str, Any]:
    return {"dataframe_split": form}


def _is_arrays(data: Any) -> bool:
    return is_array(data) or (isinstance(data, dict) and bool(data) and all(map(is_array, data.values())))


def _is_plain(data: Any) -> bool:
    return isinstance(data, dict | list | str | bytes | bytearray | int | float | dt.date | dt.time) or is_numpy(data)


def _form_of_frame(frame: Any) -> dict[str, Any]:
    """Columns, unless they are merely numbered, and rows."""
    names = [_plain(name) for name in frame.columns]
    cells = [_column(frame.iloc[:, n]) for n in range(len(names))]
    rows = [list(row) for row in zip(*cells, strict=True)] if cells else [[] for _ in range(len(frame))]
    return {"data": rows} if names == list(range(len(names))) else {"columns": names, "data": rows}


def _column(column: Any) -> list[Any]:
    if column.dtype.kind in "iub" and not column.hasnans:
        return list(column.tolist())
    return [None if is_missing(cell) else _plain(cell) for cell in column.tolist()]


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if is_missing(value):
        return None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if abs(value) != float("inf") else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return _plain_of_others(value)


def _plain_of_others(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return base64.encodebytes(value).decode("ascii")  # with line ends, as MLflow has it
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if is_numpy(value):
        return _plain_of_numpy(value)
    if type(value).__name__ == "Decimal":
        return float(value)
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump())
    raise InvalidValueError(f"An input example cannot hold {type(value).__name__}: JSON has no form for it.")


def _plain_of_numpy(value: Any) -> Any:
    kind = value.dtype.kind
    if kind == "M":
        numpy = numpy_for("An array")
        return _plain(numpy.where(numpy.isnat(value), None, numpy.datetime_as_string(value)).tolist())
    if kind in "cmV":
        raise InvalidValueError(f"An input example cannot hold {value.dtype}: JSON has no form for it.")
    return value.tolist() if kind in "iub" else _plain(value.tolist())


def _json(value: Any, indent: int | None = None) -> bytes:
    return json.dumps(value, allow_nan=False, indent=indent).encode()


def _read_arrays(value: Any, schema: Schema | None) -> Any:
    specs = {} if schema is None else {spec.name: spec.type for spec in schema.tensors}
    if not isinstance(value, dict):
        return _read_array(value, next(iter(specs.values()), None))
    return {name: _read_array(each, specs.get(name)) for name, each in value.items()}


def _read_array(value: Any, dtype: Any) -> Any:
    numpy = numpy_for("Reading an input example that is an array")
    if dtype is not None and dtype.kind == "S":
        return numpy.vectorize(lambda text: base64.decodebytes(text.encode()), otypes=[bytes])(value)
    array = numpy.array(value, dtype=dtype)
    if dtype is None and array.dtype.kind == "O":
        try:
            return array.astype("float64")  # null stands for NaN
        except (TypeError, ValueError):
            return array
    return array


def _read_sparse(value: dict[str, Any], form: str, schema: Schema | None) -> Any:
    from scipy import sparse

    dtype = schema.tensors[0].type if schema is not None and schema.is_tensor_spec() else None
    make = sparse.csr_matrix if form == "csr" else sparse.csc_matrix
    matrix = make((value["data"], value["indices"], value["indptr"]), shape=tuple(value["shape"]), dtype=dtype)
    matrix.check_format(full_check=True)  # an index outside would be read from foreign memory
    return matrix


def _read_frame(value: dict[str, Any], schema: Schema | None) -> Any:
    import pandas

    frame = pandas.DataFrame(value["data"], columns=value.get("columns"))
    for place, spec in enumerate([] if schema is None else schema.columns):
        name = place if spec.name is None else spec.name
        if name in frame and isinstance(spec.type, DataType):
            frame[name] = _read_column(frame[name], spec.type)
    return frame


def _read_column(column: Any, kind: DataType) -> Any:
    if kind is DataType.string:
        return column
    if kind is DataType.binary:
        return column.map(lambda text: base64.decodebytes(text.encode()), na_action="ignore").astype(object)
    if kind is DataType.datetime:
        return column.astype("datetime64[ns]")
    if kind in (DataType.float, DataType.double) or not column.hasnans:
        return column.astype(kind.to_numpy())
    return column
