"""The schema of data: what MLflow would infer, without looking at cells where dtypes tell all."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from tracker.exceptions import InvalidValueError
from tracker.types.kinds import AnyType, Array, ColumnType, DataType, Map, Object, Property
from tracker.types.misfits import dimensions, is_array, is_missing, is_numpy
from tracker.types.params import ParamSchema, ParamSpec
from tracker.types.schema import ColSpec, Schema, TensorSpec

_SCALARS: dict[type, DataType] = {
    bool: DataType.boolean,
    int: DataType.long,
    float: DataType.double,
    str: DataType.string,
    bytes: DataType.binary,
    bytearray: DataType.binary,
}
_CONTAINERS = (list, dict)
SPARSE = ("csr", "csc")
"""Formats of sparse matrices that count as tensors."""


def infer_schema(data: Any) -> Schema:
    """The schema of a frame, series, array, sparse matrix, dict, list or single value.

    Raises InvalidValueError for data that no schema describes.
    """
    if is_frame(data):
        return Schema([_column_of(data.iloc[:, n], name) for n, name in enumerate(_names(data))])
    if is_series(data):
        return Schema([_column_of(data, data.name)])
    if is_array(data) or is_sparse(data):
        return Schema([_tensor_of(data)])
    if isinstance(data, dict):
        return _schema_of_dict(data)
    if isinstance(data, list):
        return _schema_of_list(data)
    return Schema([ColSpec(_known(infer_type(data), data))])


def infer_params(params: dict[str, Any]) -> ParamSchema:
    """The schema of parameters: single values, flat lists and dicts. Raises InvalidValueError."""
    if not isinstance(params, dict):
        raise InvalidValueError(f"params must be a dict of names and values, but it is {type(params).__name__}.")
    return ParamSchema([_param_of(str(name), value) for name, value in params.items()])


def infer_type(value: Any) -> ColumnType | None:
    """The type of a value; None for an empty array of numpy, which says nothing, and Any for what is missing."""
    if is_missing(value) or (isinstance(value, _CONTAINERS) and not value):
        return AnyType()
    if isinstance(value, dict):
        return Object([_property_of(name, each) for name, each in value.items()])
    if isinstance(value, list):
        return _array_of(_types_among(value))
    if is_array(value):
        return _type_of_array(value)
    return _type_of_scalar(value)


def merged(first: ColumnType, second: ColumnType) -> ColumnType:
    """The type that has room for values of two types; InvalidValueError when they are too different."""
    if isinstance(first, AnyType):
        first, second = second, first
    if isinstance(second, AnyType):
        return _optional(first)
    if isinstance(first, Object) and isinstance(second, Object):
        return first if first == second else _merged_objects(first, second)
    if first == second:
        return first
    if type(first) is Array and type(second) is Array:
        return Array(merged(first.dtype, second.dtype))
    if isinstance(first, Map) and isinstance(second, Map):
        return Map(merged(first.value_type, second.value_type))
    raise InvalidValueError(
        f"Values of different types stand in one place: {first!r:.100} and {second!r:.100}. "
        "Convert them, or give a signature with Array(AnyType())."
    )


def is_frame(data: Any) -> bool:
    """Whether it is a DataFrame of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def is_series(data: Any) -> bool:
    """Whether it is a Series of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.Series)


def is_sparse(data: Any) -> bool:
    """Whether it is a sparse matrix of scipy, in rows or columns."""
    return type(data).__module__.startswith("scipy.sparse") and getattr(data, "format", "") in SPARSE


def _names(frame: Any) -> list[Any]:
    names = [name.item() if is_numpy(name) else name for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidValueError(f"Two columns have the name {twice!r:.100}. Rename one of them.")
    return names


def _schema_of_dict(data: dict[Any, Any]) -> Schema:
    if all(map(is_array, data.values())):
        return Schema([_tensor_of(value, name) for name, value in data.items()])
    _check_keys(data)
    columns = []
    for name, value in data.items():
        required = not (_holds_missing(value) if isinstance(value, list) else is_missing(value))
        columns.append(ColSpec(_known(infer_type(value), value), name, required))
    return Schema(columns)


def _schema_of_list(data: list[Any]) -> Schema:
    if not data:
        return Schema([ColSpec(DataType.string)])  # MLflow's word for it
    if not all(isinstance(row, dict) for row in data):
        return Schema([ColSpec(_item_type(data))])
    cells: dict[Any, list[Any]] = {}
    for row in data:
        for name, value in row.items():
            cells.setdefault(name, []).append(value)
    return Schema(
        [
            ColSpec(_item_type(values), name, len(values) == len(data) and not any(value is None for value in values))
            for name, values in cells.items()
        ]
    )


def _check_keys(data: dict[Any, Any]) -> None:
    for key in data:
        if not isinstance(key, str):
            raise InvalidValueError(f"The names of columns must be text, but there is {key!r:.100}.")


def _tensor_of(data: Any, name: str | None = None) -> TensorSpec:
    if not data.shape:
        raise InvalidValueError("An array without dimensions is no tensor. Give it one with numpy.atleast_1d().")
    return TensorSpec(data.dtype, (-1, *data.shape[1:]), name)


def _item_type(values: list[Any]) -> ColumnType:
    """What the items of a list that is not empty have in common."""
    found = _array_of(_types_among(values))
    if found is None:
        raise InvalidValueError("Arrays without items say nothing of their type. Give an example that has some.")
    return found.dtype


def _known(kind: ColumnType | None, value: Any) -> ColumnType:
    if kind is None:
        raise InvalidValueError(f"An array without items says nothing of its type: {value!r:.100}.")
    return kind


def _property_of(name: Any, value: Any) -> Property:
    kind = _known(infer_type(value), value)
    return Property(name, kind, required=not isinstance(kind, AnyType))


def _array_of(types: Iterable[ColumnType | None]) -> Array | None:
    known = [kind for kind in types if kind is not None]
    return Array(reduce(merged, known)) if known else None


def _types_among(values: Sequence[Any]) -> Iterable[ColumnType | None]:
    """Types of the items: one value speaks for all of its class, unless the class holds other values."""
    classes = dict.fromkeys(map(type, values))
    found: list[ColumnType | None] = []
    for kind in classes:
        if kind in _CONTAINERS or hasattr(kind, "__array_interface__"):
            found += [infer_type(each) for each in values if type(each) is kind]
        elif issubclass(kind, float):
            numbers = (each for each in values if type(each) is kind)
            found.append(DataType.double if any(each == each for each in numbers) else AnyType())
        else:
            found.append(infer_type(next(each for each in values if type(each) is kind)))
    return found


def _type_of_scalar(value: Any) -> DataType:
    if is_numpy(value):
        return type_of_dtype(value.dtype)
    if kind := _SCALARS.get(type(value)):
        return kind
    if is_moment(value):
        return DataType.datetime
    if hasattr(type(value), "model_fields"):
        raise InvalidValueError(
            f"No signature can be inferred from an object of pydantic ({type(value).__name__}). Give its .model_dump()."
        )
    raise InvalidValueError(f"No signature can be inferred from {type(value).__name__} {value!r:.100}.")


def is_moment(value: Any) -> bool:
    """Whether it is a date, or a date and time."""
    import datetime as dt

    return isinstance(value, dt.date) or (is_numpy(value) and value.dtype.kind == "M")


def _type_of_array(array: Any) -> ColumnType | None:
    """An array of numpy within other data: as deep as its dimensions."""
    if array.dtype.kind == "O" and not array.ndim:
        return infer_type(array.item())
    if array.dtype.kind == "O":
        return _array_of(infer_type(each) for each in array)
    if not array.size:
        return None
    kind: ColumnType = type_of_dtype(array.dtype)
    if kind is DataType.double and not (array == array).any():
        kind = AnyType()
    for _ in range(array.ndim):
        kind = Array(kind)
    return kind


def type_of_dtype(dtype: Any) -> DataType:
    """The type that a dtype of numpy or pandas tells. Raises InvalidValueError for one that has none."""
    kind, size = dtype.kind, getattr(dtype, "itemsize", 8)
    if kind == "u":
        kind, size = "i", size * 2
    found = next((word for letter, largest, word in _BY_DTYPE if letter == kind and size <= largest), None)
    if found is None:
        raise InvalidValueError(f"MLflow has no type for the dtype {dtype}. Convert the data.")
    return found


_BY_DTYPE = (
    ("b", 1, DataType.boolean),
    ("i", 4, DataType.integer),
    ("i", 8, DataType.long),
    ("f", 4, DataType.float),
    ("f", 8, DataType.double),
    ("M", 8, DataType.datetime),
    ("U", sys.maxsize, DataType.string),
    ("T", sys.maxsize, DataType.string),
    ("S", sys.maxsize, DataType.binary),
)


def _column_of(column: Any, name: Any) -> ColSpec:
    missing = bool(column.hasnans if hasattr(column, "hasnans") else column.isna().any())
    return ColSpec(_type_of_column(column), name, required=not missing)


def _type_of_column(column: Any) -> ColumnType:
    dtype = getattr(column.dtype, "subtype", column.dtype) if column.dtype.name.startswith("Sparse") else column.dtype
    if dtype.kind != "O":
        return type_of_dtype(dtype)
    if dtype.name.startswith(("string", "str")):
        return AnyType() if len(column) and column.isna().all() else DataType.string
    plain = column.infer_objects() if dtype.name == "object" else column
    if plain.dtype.kind != "O":
        return type_of_dtype(plain.dtype)
    return _item_type(plain.to_list()) if len(plain) else DataType.string


def _holds_missing(values: list[Any]) -> bool:
    return any(map(is_missing, values))


def _param_of(name: str, value: Any) -> ParamSpec:
    try:
        if isinstance(value, dict):
            kind = infer_type(value)
            if not isinstance(kind, Object):
                raise InvalidValueError("an empty dict says nothing of its type")
            return ParamSpec(name, kind, value)
        if isinstance(value, list) or dimensions(value):
            return ParamSpec(name, _type_of_list(value), value, (-1,))
        if value is None:
            raise InvalidValueError("None says nothing of its type")
        return ParamSpec(name, DataType.double if is_missing(value) else _type_of_scalar(value), value)
    except InvalidValueError as error:
        raise InvalidValueError(f"Parameter {name!r:.100} has no type: {error}") from None


def _type_of_list(value: Any) -> DataType:
    """The type of a flat list of single values; whole numbers among floats count as floats."""
    if dimensions(value) > 1 or any(isinstance(each, list) or dimensions(each) for each in value):
        raise InvalidValueError("a parameter is one value, a flat list of values, or a dict")
    if not len(value):
        return DataType.datetime  # MLflow's word for a list that says nothing
    if dimensions(value) and value.dtype.kind != "O":
        return type_of_dtype(value.dtype)
    kinds = {DataType.double if isinstance(each, float) else _type_of_scalar(each) for each in value}
    if kinds == {DataType.long, DataType.double}:
        return DataType.double
    if len(kinds) > 1:
        raise InvalidValueError(f"its items are of different types: {', '.join(sorted(kind.name for kind in kinds))}")
    return kinds.pop()


def _optional(kind: ColumnType) -> ColumnType:
    """A type beside values of no type: all fields of an object may be missing."""
    if isinstance(kind, Object):
        return Object([Property(each.name, each.dtype, required=False) for each in kind.properties])
    return kind


def _merged_objects(first: Object, second: Object) -> Object:
    ours, theirs = ({each.name: each for each in side.properties} for side in (first, second))
    properties = []
    for name in ours | theirs:
        sides = [side[name] for side in (ours, theirs) if name in side]
        kind = reduce(merged, [side.dtype for side in sides])
        properties.append(Property(name, kind, required=len(sides) == 2 and all(side.required for side in sides)))
    return Object(properties)
