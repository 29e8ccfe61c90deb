"""Data as tensors: arrays of numpy with the shape and dtype of a schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tracker.exceptions import SchemaMismatchError, did_you_mean
from tracker.models.inference import is_frame, is_series, is_sparse
from tracker.types.casting import cast_array
from tracker.types.kinds import DataType, numpy_for
from tracker.types.misfits import MisfitError, describe, dimensions, is_array
from tracker.types.schema import Schema, TensorSpec

_KINDS = {
    "int32": DataType.integer,
    "int64": DataType.long,
    "float32": DataType.float,
    "float64": DataType.double,
}


def fit_tensors(data: Any, schema: Schema) -> Any:
    """An array, or a dict of arrays where the tensors have names. Raises SchemaMismatchError."""
    if is_series(data):
        data = data.to_frame()
    if not schema.has_input_names():
        return _checked(data, schema.tensors[0])
    if len(schema) == 1 and (is_array(data) or is_sparse(data) or isinstance(data, list)):
        data = {schema.tensors[0].name: data}
    if not is_frame(data) and not isinstance(data, Mapping):
        raise SchemaMismatchError(
            f"The model takes tensors by name, and cannot take {describe(data)}. Give a dict of arrays with the keys "
            f"{quoted(schema.input_names())}."
        )
    present = list(data)
    if missing := [name for name in schema.input_names() if name not in present]:
        hint = did_you_mean(str(missing[0]), map(str, present))
        raise SchemaMismatchError(f"The data lack the tensors {quoted(missing)}.{hint} They have {quoted(present)}.")
    return {spec.name: _checked(data[spec.name], spec) for spec in schema.tensors}


def quoted(names: Iterable[Any]) -> str:
    """Names as messages show them."""
    return ", ".join(f'"{name}"' for name in names)


def _checked(data: Any, spec: TensorSpec) -> Any:
    try:
        return _fit_tensor(_array_of(data, spec), spec)
    except MisfitError as misfit:
        what = "The data do not fit" if spec.name is None else f'Tensor "{spec.name}"'
        raise SchemaMismatchError(f"{what}: {misfit}.") from None


def _array_of(data: Any, spec: TensorSpec) -> Any:
    if is_array(data) or is_sparse(data):
        return data
    if is_frame(data) and len(data.columns) > 1:
        return data.to_numpy()
    if is_frame(data):
        return _array_of_column(data.iloc[:, 0], spec)
    if is_series(data):
        return _array_of_column(data, spec)
    if isinstance(data, list):
        return _array_of_list(data, spec)
    raise MisfitError("an array of numpy", data)


def _array_of_list(data: list[Any], spec: TensorSpec) -> Any:
    """Lists have no dtype of their own, so they take that of the tensor when their numbers can have it."""
    numpy = numpy_for("A model whose signature has tensors")
    try:
        array = numpy.array(data)
    except ValueError:
        raise MisfitError(f"shape {spec.shape}", data, note="the lists in it have different lengths") from None
    return array.astype(spec.type) if array.dtype.kind == "f" and spec.type.kind == "f" else array


def _array_of_column(column: Any, spec: TensorSpec) -> Any:
    """A column of numbers, of lists or of arrays as one array, a row for each cell."""
    numpy = numpy_for("A model whose signature has tensors")
    if spec.shape[:1] != (-1,) or -1 in spec.shape[1:]:
        raise MisfitError("", None, note=f"no column can have the shape {spec.shape}; give an array")
    cells = column.tolist() if column.dtype.kind == "O" else column.to_numpy()
    first = cells[0] if len(cells) else None
    try:
        if not isinstance(first, list) and not dimensions(first):
            if spec.shape not in ((-1,), (-1, 1)):
                raise MisfitError(f"a list or array in each row, for the shape {spec.shape}", first)
            return numpy.array(cells, dtype=spec.type).reshape(spec.shape)
        shape = (len(cells), *spec.shape[1:])
        array = numpy.vstack([numpy.ravel(cell) for cell in cells]).reshape(shape)
        return array if dimensions(first) else array.astype(spec.type)
    except MisfitError:
        raise
    except (ValueError, TypeError) as error:
        raise MisfitError("", None, note=f"the column makes no array of the shape {spec.shape}: {error}") from None


def _fit_tensor(array: Any, spec: TensorSpec) -> Any:
    if spec.shape == (-1,) and spec.dtype_name == "object":
        return array
    ragged = len(array.shape) == 1 and array.dtype.kind == "O"
    if ragged and len(spec.shape) > 1 and -1 in spec.shape[1:]:
        return array
    fits = len(array.shape) == len(spec.shape) and all(
        there in (-1, here) for there, here in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise MisfitError(f"shape {spec.shape}", None, came=f"shape {array.shape}")
    return _fit_dtype(array, spec)


def _fit_dtype(array: Any, spec: TensorSpec) -> Any:
    wanted, letter = spec.type, array.dtype.kind
    if array.dtype == wanted or (letter == wanted.kind and letter in "US"):
        return array
    refused = MisfitError(f"an array of {spec.dtype_name}", None, came=str(array.dtype))
    if (kind := _KINDS.get(spec.dtype_name)) and letter in "iuf" and is_array(array):
        try:
            return cast_array(array, kind)
        except MisfitError as misfit:
            refused.note = misfit.note
    elif letter in "iufcM" and numpy_for("A tensor").can_cast(array.dtype, wanted, "safe"):
        return array.astype(wanted)
    raise refused
