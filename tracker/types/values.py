"""Values that fit a type, and what is said of those that do not."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import Any

from tracker.exceptions import did_you_mean
from tracker.types.casting import cast_array
from tracker.types.kinds import AnyType, Array, ColumnType, DataType, Map, Object, numpy_for
from tracker.types.misfits import MisfitError, dimensions, is_missing, is_numpy

_BITS = {DataType.integer: 31, DataType.long: 63}


def fit(value: Any, kind: ColumnType, *, required: bool = True) -> Any:
    """The value as the type wants it: whole numbers become floats where that changes nothing, all else stays.

    A value that is not required may be None. Raises MisfitError.
    """
    if isinstance(kind, AnyType):
        return value
    if not required and is_missing(value):
        return None
    if not required and isinstance(value, dict) and not value:
        return value
    if isinstance(kind, DataType):
        return _SINGLE[kind](value, kind)
    if isinstance(kind, Array):
        return _fit_array(value, kind)
    if isinstance(kind, Map):
        return _fit_map(value, kind)
    return _fit_object(value, kind)


def _fit_array(value: Any, kind: Array) -> Any:
    if dimensions(value):
        return _fit_numpy(value, kind)
    if not isinstance(value, list):
        raise MisfitError("a list", value)
    return [_below(f"[{n}]", _fit_item, each, kind.dtype) for n, each in enumerate(value)]


def _fit_item(value: Any, kind: ColumnType) -> Any:
    """A missing value among the items says nothing of their type, and so it fits."""
    return value if is_missing(value) else fit(value, kind)


def _fit_numpy(value: Any, kind: Array) -> Any:
    if isinstance(kind.dtype, DataType):
        if value.ndim != 1:
            raise MisfitError(f"an array of {kind.dtype.name}", value)
        return cast_array(value, kind.dtype)
    if value.dtype.kind == "O" or not isinstance(kind.dtype, Array):
        return _fit_array(value.tolist(), kind)
    return numpy_for("An array").array([fit(each, kind.dtype) for each in value]) if len(value) else value


def _fit_map(value: Any, kind: Map) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise MisfitError("a dict", value)
    for key in value:
        if not isinstance(key, str):
            raise MisfitError("text for each key", key)
    return {key: _below(f".{key}", _fit_item, each, kind.value_type) for key, each in value.items()}


def _fit_object(value: Any, kind: Object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise MisfitError("a dict", value)
    known = {each.name: each for each in kind.properties}
    missing = [each.name for each in kind.properties if each.required and each.name not in value]
    unknown = [key for key in value if key not in known]
    if missing or unknown:
        raise MisfitError("", None, note=_differences(missing, unknown, list(known)))
    return {
        key: _below(f".{key}", _fit_property, each, known[key].dtype, known[key].required)
        for key, each in value.items()
    }


def _fit_property(value: Any, kind: ColumnType, required: bool) -> Any:
    return fit(value, kind, required=required)


def _differences(missing: list[str], unknown: list[Any], known: list[str]) -> str:
    """What is missing and what is unknown in a dict, in words."""
    parts = []
    if missing:
        parts.append(f"{', '.join(map(repr, missing))} missing")
    if unknown:
        hint = did_you_mean(str(unknown[0]), missing or known)
        parts.append(f"{', '.join(map(repr, unknown))} unknown{'.' + hint if hint else ''}")
    return "; ".join(parts)


def _below(step: str, check: Callable[..., Any], *given: Any) -> Any:
    """Call a check; a misfit that it finds lies one step further down."""
    try:
        return check(*given)
    except MisfitError as misfit:
        misfit.path = step + misfit.path
        raise


def _plain(value: Any) -> Any:
    """A number, text or bytes of numpy as Python has it."""
    return value.item() if is_numpy(value) and not value.ndim and value.dtype.kind != "M" else value


def _fit_boolean(value: Any, kind: DataType) -> Any:
    if isinstance(_plain(value), bool):
        return value
    raise MisfitError(kind.name, value)


def _fit_whole(value: Any, kind: DataType) -> Any:
    plain = _plain(value)
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise MisfitError(kind.name, value)
    if not -(2 ** _BITS[kind]) <= plain < 2 ** _BITS[kind]:
        raise MisfitError(kind.name, value, note=f"{plain} needs more than {_BITS[kind] + 1} bits")
    return value


def _fit_float(value: Any, kind: DataType) -> Any:
    plain = _plain(value)
    if isinstance(plain, float):
        return value
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise MisfitError(kind.name, value)
    exact = plain.bit_length() <= 1024 and int(as_float := _float_of(plain)) == plain
    if not exact or (kind is DataType.float and abs(plain) > 2**24):
        raise MisfitError(kind.name, value, note=f"{plain} has no exact {kind.name}")
    return as_float


def _float_of(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.copysign(1.7976931348623157e308, whole)


def _fit_string(value: Any, kind: DataType) -> Any:
    if isinstance(value, str):
        return value
    raise MisfitError(kind.name, value)


def _fit_binary(value: Any, kind: DataType) -> Any:
    if isinstance(value, bytes | bytearray):
        return value
    raise MisfitError(kind.name, value)


def _fit_datetime(value: Any, kind: DataType) -> Any:
    if isinstance(value, dt.date) or (is_numpy(value) and value.dtype.kind == "M"):
        return value
    if isinstance(value, str):
        try:
            return moment_of(value)
        except ValueError:
            raise MisfitError(kind.name, value, note="it is no ISO 8601 date") from None
    raise MisfitError(kind.name, value)


def moment_of(text: str) -> dt.date:
    """The date, or the date and time, that an ISO 8601 text names. ValueError for another text."""
    return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)


_SINGLE: dict[DataType, Callable[[Any, DataType], Any]] = {
    DataType.boolean: _fit_boolean,
    DataType.integer: _fit_whole,
    DataType.long: _fit_whole,
    DataType.float: _fit_float,
    DataType.double: _fit_float,
    DataType.string: _fit_string,
    DataType.binary: _fit_binary,
    DataType.datetime: _fit_datetime,
}
