"""Schemas: what goes into a model and what comes out, as columns or as tensors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from tracker.exceptions import InvalidValueError
from tracker.types.kinds import (
    AnyType,
    Array,
    ColumnType,
    DataType,
    Map,
    Object,
    Property,
    SparkMLVector,
    dtype_named,
    field_of,
    is_required,
    type_from_dict,
    type_of,
)
from tracker.types.params import ParamSchema, ParamSpec, json_list

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "ColumnType",
    "DataType",
    "Map",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "SparkMLVector",
    "TensorSpec",
]

_SIMPLE_DTYPE = re.compile(
    r"bool|u?int(8|16|32|64)|float(16|32|64|96|128)|complex(64|128|192|256)|str|bytes|object|"
    r"(datetime64|timedelta64)(\[\w{1,6}\])?|void\d{0,9}"
)
"""Names that numpy gives its own dtypes, so that reading them needs no numpy."""


ColumnName: TypeAlias = str | int | float | tuple[str | int | float, ...]


@dataclass(frozen=True, repr=False, init=False)
class ColSpec:
    """One column: its type, its name and whether it has to be there."""

    type: ColumnType
    name: ColumnName | None
    """None for one that is known by its place alone. Frames without names have numbers, those with levels tuples."""
    required: bool
    """Whether it may be missing, and its values too."""

    def __init__(
        self,
        type: ColumnType | str,  # noqa: A002
        name: ColumnName | None = None,
        required: bool = True,
    ) -> None:
        object.__setattr__(self, "type", type_of(type))
        object.__setattr__(self, "name", _checked_name(name))
        object.__setattr__(self, "required", bool(required))

    def __repr__(self) -> str:
        word = "required" if self.required else "optional"
        return f"{self.type!r} ({word})" if self.name is None else f"{self.name!r}: {self.type!r} ({word})"

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        name = {} if self.name is None else {"name": self.name}
        return {**self.type.to_dict(), **name, "required": self.required}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ColSpec:
        """Read that form. Raises InvalidValueError."""
        return cls(type_from_dict(data), data.get("name"), is_required(data))


def _checked_name(name: Any) -> Any:
    """A name that JSON can hold and that a column can have; lists, which JSON makes of tuples, become tuples again."""
    if isinstance(name, list | tuple) and all(isinstance(part, str | int | float) for part in name):
        return tuple(name)
    if name is None or isinstance(name, str | int | float):
        return name
    raise InvalidValueError(f"The name of a column must be text or a number, but it is {name!r:.100}.")


@dataclass(frozen=True, repr=False, init=False)
class TensorSpec:
    """One tensor: the dtype of its elements, its shape and its name.

    >>> TensorSpec(np.dtype("float32"), (-1, 28, 28))
    Tensor('float32', (-1, 28, 28))
    """

    dtype_name: str
    """What numpy calls the dtype: `float32`; of texts and bytes without their length: `str`."""
    shape: tuple[int, ...]
    """Length of each dimension, -1 where it varies."""
    name: str | None

    def __init__(
        self,
        type: np.dtype[Any] | str,  # noqa: A002
        shape: Sequence[int],
        name: str | None = None,
    ) -> None:
        if not isinstance(shape, list | tuple) or not all(isinstance(n, int) and n >= -1 for n in shape):
            raise InvalidValueError(f"A shape is a tuple of whole numbers, -1 where it varies; it is {shape!r:.100}.")
        object.__setattr__(self, "dtype_name", _dtype_name(type))
        object.__setattr__(self, "shape", tuple(shape))
        object.__setattr__(self, "name", _checked_name(name))

    @property
    def type(self) -> np.dtype[Any]:
        """The dtype itself. Raises MissingPackageError without numpy."""
        return dtype_named(self.dtype_name)

    @property
    def required(self) -> bool:
        """Tensors always are."""
        return True

    def __repr__(self) -> str:
        text = f"Tensor({self.dtype_name!r}, {self.shape!r})"
        return text if self.name is None else f"{self.name!r}: {text}"

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        name = {} if self.name is None else {"name": self.name}
        return {**name, "type": "tensor", "tensor-spec": {"dtype": self.dtype_name, "shape": self.shape}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TensorSpec:
        """Read that form. Raises InvalidValueError."""
        spec = field_of(data, "tensor-spec", data)
        return cls(field_of(spec, "dtype", data), field_of(spec, "shape", data), data.get("name"))


def _dtype_name(given: Any) -> str:
    """The name of a dtype as numpy spells it, without the length of texts and bytes."""
    if isinstance(given, str) and _SIMPLE_DTYPE.fullmatch(given):
        return given
    if isinstance(given, str) and not re.fullmatch(r"[\w<>=|\[\]]{1,32}", given):
        raise InvalidValueError(f"{given!r:.100} is no dtype of numpy.")
    try:
        dtype = dtype_named(given)
    except (TypeError, ValueError):
        raise InvalidValueError(f"{given!r:.100} is no dtype of numpy.") from None
    return {"U": "str", "S": "bytes"}.get(dtype.kind) or str(dtype.name)


@dataclass(frozen=True, repr=False, init=False)
class Schema:
    """The columns, or the tensors, of what goes into a model or comes out of it.

    All have names, or none has. Columns without names are known by their places.

    >>> Schema([ColSpec("double", "height"), ColSpec("string", "name", required=False)])
    ['height': double (required), 'name': string (optional)]
    """

    inputs: list[ColSpec | TensorSpec]

    def __init__(self, inputs: Sequence[ColSpec | TensorSpec]) -> None:
        specs = list(inputs) if isinstance(inputs, list | tuple) else []
        if not specs:
            raise InvalidValueError(f"A Schema needs a list with at least one column or tensor; it is {inputs!r:.100}.")
        tensors = [each for each in specs if isinstance(each, TensorSpec)]
        if len(tensors) not in (0, len(specs)) or not all(isinstance(each, ColSpec | TensorSpec) for each in specs):
            raise InvalidValueError("A Schema holds columns (ColSpec), or else tensors (TensorSpec), and nothing else.")
        _check_names(specs, bool(tensors))
        object.__setattr__(self, "inputs", specs)

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[ColSpec | TensorSpec]:
        return iter(self.inputs)

    def __repr__(self) -> str:
        return repr(self.inputs)

    @property
    def columns(self) -> list[ColSpec]:
        """The columns; none in a schema of tensors."""
        return [each for each in self.inputs if isinstance(each, ColSpec)]

    @property
    def tensors(self) -> list[TensorSpec]:
        """The tensors; none in a schema of columns."""
        return [each for each in self.inputs if isinstance(each, TensorSpec)]

    def is_tensor_spec(self) -> bool:
        """Whether it holds tensors rather than columns."""
        return isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Whether its columns or tensors have names."""
        return self.inputs[0].name is not None

    def input_names(self) -> list[ColumnName]:
        """Names, or places where there are none."""
        return [place if each.name is None else each.name for place, each in enumerate(self.inputs)]

    def required_input_names(self) -> list[ColumnName]:
        """Names of those that have to be there."""
        return [name for name, each in zip(self.input_names(), self.inputs, strict=True) if each.required]

    def optional_input_names(self) -> list[ColumnName]:
        """Names of those that may be missing."""
        return [name for name, each in zip(self.input_names(), self.inputs, strict=True) if not each.required]

    def input_types(self) -> list[ColumnType | np.dtype[Any]]:
        """Type of each column, or dtype of each tensor."""
        return [each.type for each in self.inputs]

    def input_types_dict(self) -> dict[ColumnName, ColumnType | np.dtype[Any]]:
        """The same by name. Raises InvalidValueError for a schema without names."""
        return {name: each.type for name, each in self.input_dict().items()}

    def input_dict(self) -> dict[ColumnName, ColSpec | TensorSpec]:
        """Columns or tensors by name. Raises InvalidValueError for a schema without names."""
        if not self.has_input_names():
            raise InvalidValueError("This schema has no names. Ask for its inputs by place.")
        return dict(zip(self.input_names(), self.inputs, strict=True))

    def numpy_types(self) -> list[np.dtype[Any]]:
        """Dtypes of numpy. Raises InvalidValueError where a column holds arrays, objects or maps."""
        if self.is_tensor_spec():
            return [each.type for each in self.tensors]
        return [kind.to_numpy() for kind in self._single_types()]

    def pandas_types(self) -> list[np.dtype[Any]]:
        """Dtypes of pandas. Raises InvalidValueError for tensors and where a column holds arrays, objects or maps."""
        if self.is_tensor_spec():
            raise InvalidValueError("Tensors have no dtypes of pandas. Ask for numpy_types().")
        return [kind.to_pandas() for kind in self._single_types()]

    def _single_types(self) -> list[DataType]:
        types = [each.type for each in self.columns if isinstance(each.type, DataType)]
        if len(types) < len(self.inputs):
            raise InvalidValueError("Some columns hold arrays, objects or maps, which have no dtype of their own.")
        return types

    def to_dict(self) -> list[dict[str, Any]]:
        """Its form in JSON: a list with an object for each column or tensor."""
        return [each.to_dict() for each in self.inputs]

    def to_json(self) -> str:
        """The same as text, as it stands in MLmodel files."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> Schema:
        """Read that text. Raises InvalidValueError where it is damaged."""
        return cls([_input(each) for each in json_list(json_str)])


def _input(data: Mapping[str, Any]) -> ColSpec | TensorSpec:
    return TensorSpec.from_dict(data) if data.get("type") == "tensor" else ColSpec.from_dict(data)


def _check_names(specs: list[ColSpec | TensorSpec], tensors: bool) -> None:
    named = [each for each in specs if each.name is not None]
    if not named and tensors and len(specs) > 1:
        raise InvalidValueError("Several tensors need names, to be told apart.")
    if not named and not all(each.required for each in specs):
        raise InvalidValueError("A column that may be missing needs a name: give names to all, or make all required.")
    if named and len(named) < len(specs):
        raise InvalidValueError(
            f"Give names to all columns or to none; there are {[each.name for each in specs]!r:.200}."
        )
