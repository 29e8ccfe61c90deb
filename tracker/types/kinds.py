"""What a column may hold: single values, and arrays, objects and maps of them."""

from __future__ import annotations

import builtins
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from tracker.exceptions import InvalidValueError, MissingPackageError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

DEEPEST = 50
"""Levels of arrays, objects and maps in each other that a file may hold."""


class DataType(Enum):
    """The type of a single value, with MLflow's names."""

    boolean = 1
    """True or False."""
    integer = 2
    """Whole numbers of 32 bits."""
    long = 3
    """Whole numbers of 64 bits."""
    float = 4
    """Floating point numbers of 32 bits."""
    double = 5
    """Floating point numbers of 64 bits."""
    string = 6
    binary = 7
    """Bytes."""
    datetime = 8
    """A moment, in nanoseconds and without a time zone."""

    def __repr__(self) -> str:
        return self.name

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        return {"type": self.name}

    def to_numpy(self) -> np.dtype[Any]:
        """The dtype of a numpy array that holds such values."""
        return dtype_named(_DTYPES[self.name])

    def to_pandas(self) -> np.dtype[Any]:
        """The dtype of a pandas column that holds such values."""
        return dtype_named("object" if self.name in ("string", "binary") else _DTYPES[self.name])

    def to_python(self) -> type:
        """Python's own type of such values."""
        return _PYTHON[self.name]

    @classmethod
    def all_types(cls) -> list[DataType]:
        """Each of them."""
        return list(cls)

    @classmethod
    def from_numpy_type(cls, np_type: object) -> DataType | None:
        """The type whose values a numpy array of this dtype holds, or None."""
        return next((kind for kind in cls if kind.to_numpy() == np_type), None)


_DTYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
    "binary": "bytes",
    "datetime": "datetime64[ns]",
}
_PYTHON: dict[str, type] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": builtins.float,
    "double": builtins.float,
    "string": str,
    "binary": bytes,
    "datetime": dt.date,
}


@dataclass(frozen=True, repr=False)
class AnyType:
    """Anything at all: nothing about the values is checked."""

    def __repr__(self) -> str:
        return "Any"

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        return {"type": "any"}


@dataclass(frozen=True, repr=False, init=False)
class Array:
    """A list, or an array of numpy, of any length. `Array("double")` and `Array(DataType.double)` are the same."""

    dtype: ColumnType
    """What each item is."""

    def __init__(self, dtype: ColumnType | str) -> None:
        object.__setattr__(self, "dtype", type_of(dtype))

    def __repr__(self) -> str:
        return f"Array({self.dtype!r})"

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        return {"type": "array", "items": self.dtype.to_dict()}


@dataclass(frozen=True, repr=False, init=False)
class SparkMLVector(Array):
    """A vector of Spark ML, as models from there have it: an array of doubles."""

    def __init__(self) -> None:
        super().__init__(DataType.double)

    def __repr__(self) -> str:
        return "SparkML vector"

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        return {"type": "sparkml_vector"}


@dataclass(frozen=True, repr=False, init=False)
class Map:
    """A dict with text for keys and values of one type."""

    value_type: ColumnType
    """What each value is."""

    def __init__(self, value_type: ColumnType | str) -> None:
        object.__setattr__(self, "value_type", type_of(value_type))

    def __repr__(self) -> str:
        return f"Map(str -> {self.value_type!r})"

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        return {"type": "map", "values": self.value_type.to_dict()}


@dataclass(frozen=True, repr=False, init=False)
class Property:
    """One field of an object."""

    name: str
    dtype: ColumnType
    """What it holds."""
    required: bool
    """Whether it may be missing or None."""

    def __init__(self, name: str, dtype: ColumnType | str, required: bool = True) -> None:
        if not isinstance(name, str):
            raise InvalidValueError(f"The name of a property must be text, but it is {name!r:.100}.")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "dtype", type_of(dtype))
        object.__setattr__(self, "required", bool(required))

    def __repr__(self) -> str:
        return f"{self.name}: {self.dtype!r} ({'required' if self.required else 'optional'})"

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON: one key, the name."""
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}


@dataclass(frozen=True, repr=False, init=False)
class Object:
    """A dict with known fields, each of its own type."""

    properties: list[Property]
    """The fields, by name."""

    def __init__(self, properties: list[Property]) -> None:
        if not properties or not all(isinstance(each, Property) for each in properties):
            raise InvalidValueError(
                f"An Object needs a list of Property, and at least one; it got {properties!r:.100}."
            )
        names = [each.name for each in properties]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidValueError(f"An Object has properties of the same name: {', '.join(twice)}.")
        object.__setattr__(self, "properties", sorted(properties, key=lambda each: each.name))

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self.properties)) + "}"

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        merged: dict[str, Any] = {}
        for each in self.properties:
            merged |= each.to_dict()
        return {"type": "object", "properties": merged}


ColumnType: TypeAlias = DataType | Array | Object | Map | AnyType
"""What a column, an item, a property or a value may be."""


def type_of(given: ColumnType | str) -> ColumnType:
    """The type that a word such as `double` names; types pass. InvalidValueError for anything else."""
    if isinstance(given, DataType | Array | Object | Map | AnyType):
        return given
    if given == "any":
        return AnyType()
    known = [kind.name for kind in DataType]
    if isinstance(given, str) and given in known:
        return DataType[given]
    raise InvalidValueError(
        f"{given!r:.100} is no type of a column.{did_you_mean(str(given), [*known, 'any'])} "
        f"There are {', '.join(known)}, any, and Array, Object and Map of them."
    )


def type_from_dict(data: object, depth: int = 0) -> ColumnType:
    """The type that a JSON object such as `{"type": "array", "items": {...}}` describes; InvalidValueError if none."""
    if depth > DEEPEST:
        raise InvalidValueError(f"A type has more than {DEEPEST} levels in each other.")
    form = field_of(data, "type", data) if isinstance(data, Mapping) else data
    if not isinstance(form, str):
        raise InvalidValueError(f"The type is no text: {data!r:.100}.")
    if form == "array":
        return Array(type_from_dict(field_of(data, "items", data), depth + 1))
    if form == "map":
        return Map(type_from_dict(field_of(data, "values", data), depth + 1))
    if form == "sparkml_vector":
        return SparkMLVector()
    if form == "object":
        return Object(_properties(field_of(data, "properties", data), depth + 1))
    return type_of(form)


def _properties(data: object, depth: int) -> list[Property]:
    if not isinstance(data, Mapping) or not all(isinstance(value, Mapping) for value in data.values()):
        raise InvalidValueError(f"The properties of an object are no JSON objects: {data!r:.100}.")
    return [Property(name, type_from_dict(value, depth), is_required(value)) for name, value in data.items()]


def field_of(data: object, name: str, where: object) -> Any:
    """A field that a JSON object must have."""
    if not isinstance(data, Mapping) or name not in data:
        raise InvalidValueError(f"There is no {name!r} in {where!r:.100}.")
    return data[name]


def is_required(data: Mapping[str, Any]) -> bool:
    """Whether a JSON object calls its column or property required; older files say `optional`, or nothing."""
    required = data.get("required")
    return not data.get("optional", False) if required is None else bool(required)


def numpy_for(purpose: str) -> Any:
    """The module numpy, or MissingPackageError."""
    try:
        import numpy
    except ImportError:
        raise MissingPackageError(purpose, packages=["numpy"]) from None
    return numpy


def dtype_named(given: object) -> np.dtype[Any]:
    """What numpy.dtype() makes of it. MissingPackageError without numpy; TypeError for no dtype."""
    found: np.dtype[Any] = numpy_for("Working with dtypes").dtype(given)
    return found
