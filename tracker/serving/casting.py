"""Values out of JSON and CSV, turned into the types of a signature. What does not fit is refused by name, not bent.

MLflow turns 2.5 into the long 2, 2**40 into the integer 0 and the text "false" into True; here each is an error.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from tracker.serving.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tracker.types import DataType, Schema

_SHOWN = 60
"""Characters of a value in a message."""


def cast_frame(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """A frame whose columns have the types of a schema; those that the schema does not name stay as they are.

    Missing columns, lists and objects are left to the model, which compares all with its signature.
    """
    if schema.has_input_names():
        wanted = dict(zip(schema.input_names(), schema.input_types(), strict=True))
    elif schema.is_tensor_spec():
        wanted = dict.fromkeys(frame.columns, schema.input_types()[0])
    else:
        wanted = dict(zip(frame.columns, schema.input_types(), strict=False))
    for column, kind in wanted.items():
        if column in frame.columns:
            frame[column] = _cast_column(frame[column], kind, f"Column {column!r}")
    return frame


def cast_array(data: Any, kind: Any, what: str) -> np.ndarray[Any, Any]:
    """An array of a type of numpy; RequestError when a value does not fit into it."""
    import numpy as np

    try:
        found = np.array(data)
        if kind.kind in "iu" and found.dtype.kind in "iufO":
            _check_whole(found, kind, what)
        if kind.kind == "b" and found.size and found.dtype.kind != "b":
            _check_boolean(found.ravel().tolist(), what)
        return np.array(data, dtype=kind)
    except (ValueError, TypeError, OverflowError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(f"{what} is to be of type {kind}, which it cannot be made into: {_short(error)}.") from error


def _cast_column(values: pd.Series[Any], kind: Any, what: str) -> Any:
    from tracker.types import DataType

    if not isinstance(kind, DataType):
        return _cast_tensor_column(values, kind)
    try:
        return _CASTS[kind.name](values, kind, what)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(
            f"{what} is to be of type {kind.name}, which it cannot be made into: {_short(error)}."
        ) from error


def _cast_tensor_column(values: pd.Series[Any], kind: Any) -> Any:
    """A column of numbers for a tensor. The model's own check takes lists and objects."""
    import numpy as np

    if not isinstance(kind, np.dtype) or not len(values) or isinstance(values.iloc[0], list):
        return values
    return cast_array(values.to_numpy(), kind, f"Column {values.name!r}")


def _to_text(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    """Text as it is; of a column of numbers the model's own check sees each value."""
    return values if values.dtype.kind == "O" else values.astype(object)


def _to_float(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    return values.astype(kind.to_pandas())


def _to_whole(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    import pandas as pd

    numbers = pd.to_numeric(values)
    missing = numbers.isna()
    if missing.any():
        raise RequestError(f"{what} is to be of type {kind.name}, but it has no value in row {_first(missing)}.")
    _check_whole(numbers.to_numpy(), kind.to_numpy(), what)
    return numbers.astype(kind.to_pandas())


def _to_boolean(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    _check_boolean(values.tolist(), what)
    return values.astype(bool)


def _to_bytes(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    """Base64, over several lines too, as MLflow writes it."""
    try:
        return values.map(lambda text: base64.b64decode("".join(text.split()), validate=True)).astype(object)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"{what} is binary, so it is sent as base64: {_short(error)}.") from error


def _to_datetime(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    import pandas as pd

    found = pd.to_datetime(values)
    if getattr(found.dt, "tz", None) is not None:
        raise RequestError(f"{what} has a time zone. Send times in UTC without one: 2026-03-01T10:00:00.")
    return found.astype("datetime64[ns]")


_CASTS = {
    "string": _to_text,
    "float": _to_float,
    "double": _to_float,
    "integer": _to_whole,
    "long": _to_whole,
    "boolean": _to_boolean,
    "binary": _to_bytes,
    "datetime": _to_datetime,
}


def _check_whole(numbers: Any, kind: Any, what: str) -> None:
    """RequestError for a fraction, or for a number that the type cannot hold."""
    import numpy as np

    limits = np.iinfo(kind)
    for number in numbers.ravel().tolist() if numbers.dtype.kind == "O" else _odd(numbers, limits):
        if not isinstance(number, int | float) or number != number or number % 1:
            raise RequestError(f"{what} is to hold whole numbers ({kind}), but it has {number!r:.{_SHOWN}}.")
        if not limits.min <= number <= limits.max:
            raise RequestError(f"{what} has {number!r:.{_SHOWN}}, which does not fit into {kind}.")


def _odd(numbers: Any, limits: Any) -> list[Any]:
    """The numbers worth a closer look, found fast."""
    import numpy as np

    if numbers.dtype.kind == "f":
        # the largest long is no float, the next power of two is: so it is told apart by "not less"
        return list(
            numbers[~(np.floor(numbers) == numbers) | (numbers < limits.min) | ~(numbers < limits.max)].tolist()
        )
    if numbers.dtype.kind == "u" or np.iinfo(numbers.dtype).max > limits.max:
        return list(numbers[(numbers < limits.min) | (numbers > limits.max)].tolist())
    return []


def _check_boolean(values: list[Any], what: str) -> None:
    for value in values:
        if not (isinstance(value, bool) or value in (0, 1)):
            raise RequestError(f"{what} is to be true or false, but it has {value!r:.{_SHOWN}}.")


def _first(marked: pd.Series[Any]) -> int:
    return int(marked.to_numpy().argmax())


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
