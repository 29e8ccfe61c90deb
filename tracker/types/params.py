"""Parameters that a model takes beside its data: names, types and defaults."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracker.exceptions import InvalidValueError, SchemaMismatchError
from tracker.types.kinds import ColumnType, DataType, Object, field_of, type_from_dict, type_of
from tracker.types.misfits import MisfitError, dimensions, is_numpy
from tracker.types.values import fit


@dataclass(frozen=True, repr=False, init=False)
class ParamSpec:
    """One parameter: its name, its type and the value it has when none is given.

    >>> ParamSpec("temperature", "double", 0.5)
    'temperature': double (default: 0.5)
    """

    name: str
    dtype: DataType | Object
    default: Any
    """A value of the type, a list of them, or None."""
    shape: tuple[int, ...] | None
    """(-1,) for a list, None for one value."""

    def __init__(
        self, name: str, dtype: DataType | Object | str, default: Any, shape: Sequence[int] | None = None
    ) -> None:
        kind: ColumnType = type_of(dtype)
        if not isinstance(kind, DataType | Object) or kind is DataType.binary:
            raise InvalidValueError(f"Parameter {name!r:.100} cannot be {kind!r}: it has to be one value or an Object.")
        if shape is not None and (tuple(shape) != (-1,) or not isinstance(kind, DataType)):
            raise InvalidValueError(
                f"Parameter {name!r:.100} has the shape {shape!r:.50}: it can be (-1,) for a list, and None."
            )
        object.__setattr__(self, "name", str(name))
        object.__setattr__(self, "dtype", kind)
        object.__setattr__(self, "shape", None if shape is None else (-1,))
        object.__setattr__(self, "default", self.fit(default))

    def __repr__(self) -> str:
        shape = "" if self.shape is None else f" (shape: {self.shape})"
        return f"{self.name!r}: {self.dtype!r} (default: {self.default}){shape}"

    def fit(self, value: Any) -> Any:
        """A value for this parameter, as Python's own type. Raises SchemaMismatchError where it is of another type."""
        try:
            if self.shape is None:
                return _plain(value, self.dtype)
            if dimensions(value) == 1:
                value = list(value)
            if not isinstance(value, list):
                raise MisfitError(f"a list of {self.dtype!r}", value)
            return [_plain(each, self.dtype) for each in value]
        except MisfitError as misfit:
            raise SchemaMismatchError(f'Parameter "{self.name}": {misfit}.') from None

    def to_dict(self) -> dict[str, Any]:
        """Its form in JSON."""
        return {"name": self.name, "default": _json_value(self.default), "shape": self.shape, **self.dtype.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ParamSpec:
        """Read that form. Raises InvalidValueError."""
        kind = type_from_dict(data if "type" in data else {"type": field_of(data, "dtype", data)})
        if not isinstance(kind, DataType | Object):
            raise InvalidValueError(f"Parameters are single values or objects; there is {kind!r:.100}.")
        return cls(str(field_of(data, "name", data)), kind, field_of(data, "default", data), data.get("shape"))


def _plain(value: Any, kind: DataType | Object) -> Any:
    """A value of the type without numpy's part in it; None passes, since it says that nothing was chosen."""
    if value is None:
        return None
    fitted = fit(value, kind)
    if isinstance(kind, Object):
        return value
    if is_numpy(fitted):
        fitted = fitted.astype("datetime64[us]").item() if kind is DataType.datetime else fitted.item()
    return str(fitted) if kind is DataType.string else fitted


def _json_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_json_value(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value


@dataclass(frozen=True, repr=False, init=False)
class ParamSchema:
    """The parameters that a model takes.

    >>> ParamSchema([ParamSpec("temperature", "double", 0.5)])
    ['temperature': double (default: 0.5)]
    """

    params: list[ParamSpec]

    def __init__(self, params: Sequence[ParamSpec]) -> None:
        specs = list(params)
        if not all(isinstance(each, ParamSpec) for each in specs):
            raise InvalidValueError(f"A ParamSchema is made of ParamSpec; it got {params!r:.100}.")
        names = [each.name for each in specs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidValueError(f"There are parameters of the same name: {', '.join(twice)}.")
        object.__setattr__(self, "params", specs)

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def __repr__(self) -> str:
        return repr(self.params)

    def to_dict(self) -> list[dict[str, Any]]:
        """Its form in JSON: a list with an object for each parameter."""
        return [each.to_dict() for each in self.params]

    def to_json(self) -> str:
        """The same as text, as it stands in MLmodel files."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> ParamSchema:
        """Read that text. Raises InvalidValueError where it is damaged."""
        return cls([ParamSpec.from_dict(each) for each in json_list(json_str)])


def json_list(text: str) -> list[dict[str, Any]]:
    """The objects of a JSON list; InvalidValueError when it is something else."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(f"This is no JSON: {text!r:.100} ({error}).") from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidValueError(f"This is no list of JSON objects: {text!r:.100}.")
    return found
