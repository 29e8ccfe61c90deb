"""Arrays of numpy as a type wants them: only casts that change no value."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tracker.types.kinds import DataType
from tracker.types.misfits import MisfitError, word_of

if TYPE_CHECKING:
    import numpy as np

WHOLE = (DataType.integer, DataType.long)
FLOATING = (DataType.float, DataType.double)
_LETTERS = {DataType.boolean: "b", DataType.string: "UTO", DataType.binary: "SO", DataType.datetime: "M"}
_BITS = {DataType.float: 24, DataType.double: 53}


@cache
def dtype_of(kind: DataType) -> np.dtype[Any]:
    """The dtype of numpy for a type."""
    return kind.to_numpy()


def cast_array(array: Any, kind: DataType) -> Any:
    """The array with the dtype of the type; text and bytes stay as they are. MisfitError where a value would change."""
    if array.dtype == dtype_of(kind):
        return array
    letter = array.dtype.kind
    if kind in WHOLE and letter in "iu":
        return cast_to_whole(array, kind)
    if kind in FLOATING and letter in "iu":
        return cast_to_float(array, kind)
    if kind in FLOATING and letter == "f" and array.dtype.itemsize <= dtype_of(kind).itemsize:
        return array.astype(dtype_of(kind))
    if letter in _LETTERS.get(kind, ""):
        return array.astype(dtype_of(kind)) if letter == "M" else array
    if letter == "O":
        return _cast_objects(array, kind)
    if not array.size:
        return array.astype(dtype_of(kind))
    raise MisfitError(kind.name, array, came=word_of(array.dtype), note=_why_not(array, kind))


def cast_to_whole(array: Any, kind: DataType) -> Any:
    """Whole numbers with the length of the type."""
    target = dtype_of(kind)
    if array.size and not _can_hold(target, array.dtype):
        highest, lowest = int(array.max()), int(array.min())
        limit = 2 ** (target.itemsize * 8 - 1)
        if highest >= limit or lowest < -limit:
            value = highest if highest >= limit else lowest
            raise _misfit_at(array, value, kind, f"{value} needs more than {target.itemsize * 8} bits")
    return array.astype(target)


def _can_hold(target: np.dtype[Any], source: np.dtype[Any]) -> bool:
    return source.itemsize < target.itemsize or (source.kind == "i" and source.itemsize == target.itemsize)


def cast_to_float(array: Any, kind: DataType) -> Any:
    """Whole numbers as floats, where each of them has one."""
    target, limit = dtype_of(kind), 2 ** _BITS[kind]
    floats = array.astype(target)
    if array.size and array.dtype.itemsize * 8 > _BITS[kind] and (array.max() > limit or array.min() < -limit):
        top = 2.0 ** (array.dtype.itemsize * 8 - (array.dtype.kind == "i"))
        inside = floats < top  # the highest one rounds up to what no whole number of this length reaches
        wrong = ~inside
        wrong[inside] = floats[inside].astype(array.dtype) != array[inside]
        if wrong.any():
            value = int(array[wrong].flat[0])
            raise _misfit_at(array, value, kind, f"{value} has no exact {kind.name}")
    return floats


def _misfit_at(array: Any, value: int, kind: DataType, note: str) -> MisfitError:
    row = int((array == value).argmax()) if array.ndim == 1 else None
    return MisfitError(kind.name, None, came=word_of(array.dtype), row=row, note=note)


def _cast_objects(array: Any, kind: DataType) -> Any:
    from tracker.types.values import fit  # an object may be anything, so each is looked at

    fitted = array.copy()
    for place, value in enumerate(array.flat):
        if value is None:
            continue
        try:
            fitted.flat[place] = fit(value, kind)
        except MisfitError as misfit:
            misfit.row = place if array.ndim == 1 else None
            raise
    return fitted


def _why_not(array: Any, kind: DataType) -> str:
    """What helps to understand a cast that is refused."""
    if kind in WHOLE and array.dtype.kind == "f":
        if (array != array).any():
            return "whole numbers cannot be missing; the column has missing values, so it came as floats"
        return "floats are not taken for whole numbers"
    if kind is DataType.float and array.dtype.kind == "f":
        return 'digits would be lost; convert it with .astype("float32")'
    return ""
