"""Values out of JSON and CSV, turned into the types of a signature. What does not fit is refused by name, not bent.

MLflow turns 2.5 into the long 2, 2**40 into the integer 0 and the text "false" into True; here each is an error.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
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
            frame[column] = _cast_column(frame[column], kind, f'Column "{column}"')
    return frame


def cast_array(data: Any, kind: np.dtype[Any], what: str, word: str = "") -> np.ndarray[Any, Any]:
    """An array of a type of numpy, called `word` in errors; RequestError when a value does not fit into it."""
    import numpy as np

    word = word or str(kind)
    try:
        found = np.array(data)
        if kind.kind in "iu" and found.dtype.kind in "iufO":
            _check_whole(found, kind, what, word)
        if kind.kind == "b" and found.dtype.kind != "b":
            _check_boolean(found.ravel().tolist(), what)
        return np.array(data, dtype=kind)
    except RequestError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise _misfit(what, word, error) from error


def _cast_column(values: pd.Series[Any], kind: Any, what: str) -> Any:
    from tracker.types import DataType

    if not isinstance(kind, DataType):
        return _cast_tensor_column(values, kind, what)
    try:
        return _CASTS[kind.name](values, kind, what)
    except RequestError:
        raise
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise _misfit(what, kind.name, error) from error


def _cast_tensor_column(values: pd.Series[Any], kind: Any, what: str) -> Any:
    """A column of numbers for a tensor. The model's own check takes lists and objects."""
    import numpy as np

    if not isinstance(kind, np.dtype) or not len(values) or isinstance(values.iloc[0], list):
        return values
    return cast_array(values.to_numpy(), kind, what)


def _to_text(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    """Text as it is; of a column of numbers the model's own check sees each value."""
    return values if values.dtype.kind == "O" else values.astype(object)


def _to_float(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    return values.astype(kind.to_pandas())


def _to_whole(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    import pandas as pd

    numbers = pd.to_numeric(values)
    missing = numbers.isna().to_numpy()
    if missing.any():
        raise RequestError(f"{what}: expected {kind.name}, got no value in row {missing.argmax()}.")
    _check_whole(numbers.to_numpy(), kind.to_numpy(), what, kind.name)
    return numbers.astype(kind.to_pandas())


def _to_boolean(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    _check_boolean(values.tolist(), what)
    return values.astype(bool)


def _to_bytes(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    """Base64, over several lines too, as MLflow writes it."""
    try:
        return values.map(lambda text: base64.b64decode("".join(text.split()), validate=True)).astype(object)
    except ValueError as error:
        raise RequestError(f"{what}: expected bytes as base64: {_short(error)}.") from error


def _to_datetime(values: pd.Series[Any], kind: DataType, what: str) -> Any:
    import pandas as pd

    found = pd.to_datetime(values)
    if getattr(found.dt, "tz", None) is not None:
        raise RequestError(f"{what}: expected times in UTC without a time zone, such as 2026-03-01T10:00:00.")
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


def _check_whole(numbers: np.ndarray[Any, Any], kind: np.dtype[Any], what: str, word: str) -> None:
    """RequestError for a fraction, or for a number that the type cannot hold."""
    import numpy as np

    limits = np.iinfo(kind)
    for number in _odd(numbers, limits.min, limits.max):
        if not isinstance(number, int | float) or number != number or number % 1:
            raise RequestError(f"{what}: expected whole numbers ({word}), got {_shown(number)}.")
        if not limits.min <= number <= limits.max:
            raise RequestError(f"{what}: expected {word}, and {_shown(number)} does not fit into it.")


def _odd(numbers: np.ndarray[Any, Any], lowest: int, highest: int) -> list[Any]:
    """The numbers worth a closer look, found fast."""
    import numpy as np

    if numbers.dtype.kind == "O":
        return numbers.ravel().tolist()
    if numbers.dtype.kind == "f":
        # the largest long is no float and the next power of two is, so that one is "not less"
        whole = np.floor(numbers) == numbers
        return numbers[~whole | (numbers < lowest) | ~(numbers < highest)].tolist()  # type: ignore[no-any-return]
    own = np.iinfo(numbers.dtype)
    if lowest <= own.min and own.max <= highest:
        return []
    return numbers[(numbers < max(lowest, own.min)) | (numbers > min(highest, own.max))].tolist()  # type: ignore[no-any-return]


def _check_boolean(values: Iterable[Any], what: str) -> None:
    for value in values:
        if not (isinstance(value, bool) or value in (0, 1)):
            raise RequestError(f"{what}: expected true or false, got {_shown(value)}.")


def _misfit(what: str, kind: str, error: Exception) -> RequestError:
    return RequestError(f"{what}: expected {kind}, got something else: {_short(error)}.")


def _shown(value: Any) -> str:
    """A value as it stood in the JSON."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
