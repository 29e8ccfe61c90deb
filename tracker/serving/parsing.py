"""The body of a request, by MLflow's scoring protocol: JSON with one of four keys, or CSV."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tracker.exceptions import did_you_mean
from tracker.serving.casting import cast_array, cast_frame
from tracker.serving.errors import RequestError, TypeNotSupportedError

if TYPE_CHECKING:
    import pandas as pd

    from tracker.types import ColSpec, Schema, TensorSpec

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"
SPLIT, RECORDS, INSTANCES, INPUTS = "dataframe_split", "dataframe_records", "instances", "inputs"
KEYS = (SPLIT, RECORDS, INSTANCES, INPUTS)
PARAMS = "params"
SPARSE = 1_000_000
"""Cells of the largest table that may have more of them than its body has bytes, so that most of them are empty."""
_FORMATS = f"The body is a JSON object with one of the keys {', '.join(KEYS)}"


class Parsed(Struct, frozen=True):
    """What a request asks for."""

    data: Any
    """A DataFrame, an array, a dict or a list of them: what predict() takes."""
    params: dict[str, Any] | None = None
    """What it says under `params`; the model compares it with its signature."""


def parse(body: bytes, content_type: str, schema: Schema | None) -> Parsed:
    """Data and params of a request, in the types of a schema where there is one.

    Raises TypeNotSupportedError for another type than JSON and CSV, RequestError for what cannot be read.
    """
    kind = _media_type(content_type)
    if kind == CSV_TYPE:
        return Parsed(_parse_csv(body, schema))
    if kind != JSON_TYPE:
        raise TypeNotSupportedError(
            f"Send {JSON_TYPE} or {CSV_TYPE} as the Content-Type; {kind[:80]!r} is not read."
            if kind
            else f"The request has no Content-Type. Send {JSON_TYPE} or {CSV_TYPE}."
        )
    found = _read_json(body)
    key = _key_of(found)
    data = found[key]
    if key in (SPLIT, RECORDS):
        parsed = _parse_frame(key, data, schema, len(body))
    else:
        parsed = _parse_tensors(key, data, schema)
    params = found.get(PARAMS)
    if not isinstance(params, dict | None):
        raise RequestError(f'"{PARAMS}" is an object with a value for each name; it is {_kind(params)}.')
    return Parsed(parsed, params)


def _media_type(content_type: str) -> str:
    kind, *parameters = [part.strip() for part in content_type.split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() != "charset":
            raise TypeNotSupportedError(f"The Content-Type has a parameter that is not known: {name[:40]!r}.")
        if value.strip('"').lower() != "utf-8":
            raise TypeNotSupportedError(f"Send UTF-8; {value[:40]!r} is not read.")
    return kind.lower()


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except RecursionError:
        raise RequestError("The body is no JSON that is read: it is nested too deep.") from None
    except ValueError as error:
        raise RequestError(f"The body is no valid JSON: {error}.") from None
    if not isinstance(found, dict):
        raise RequestError(f"{_FORMATS}, but it is {_kind(found)}.")
    return found


def _key_of(found: Mapping[str, Any]) -> str:
    keys = [key for key in KEYS if key in found]
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise RequestError(f"{_FORMATS}, and it has {len(keys)} of them: {', '.join(keys)}. Send one.")
    others = ", ".join(repr(key)[:40] for key in list(found)[:5]) or "none"
    guess = next((text for key in found if (text := did_you_mean(key, KEYS))), "")
    raise RequestError(f"{_FORMATS}. It has {others}.{guess}")


def _parse_csv(body: bytes, schema: Schema | None) -> pd.DataFrame:
    import pandas as pd

    # what must keep its spelling is read as text and cast like JSON
    texts = ("string", "binary", "datetime")
    named = schema is not None and schema.has_input_names()
    types = zip(schema.input_names(), schema.input_types(), strict=True) if schema is not None and named else ()
    as_text = {name: str for name, kind in types if getattr(kind, "name", "") in texts}
    try:
        text = body.decode()
        rows = max(text.count("\n"), text.count("\r"))
        _check_cells("The CSV", rows, len(pd.read_csv(io.StringIO(text), nrows=0).columns), len(body))
        frame = pd.read_csv(io.StringIO(text), dtype=as_text)
    except RequestError:
        raise
    except (ValueError, OverflowError, RecursionError) as error:  # those of pandas are ValueErrors
        raise RequestError(f"The body is no valid CSV with a line of column names: {str(error)[:300]}.") from error
    return frame if schema is None else cast_frame(frame, schema)


def _extent(table: Mapping[str, Any]) -> tuple[int, int]:
    """Rows and columns that pandas makes room for: those with data, and those that are named."""
    data = table["data"]
    rows = [row for row in data if isinstance(row, dict | list)] if isinstance(data, list) else []
    keys = data if isinstance(data, dict) else {key for row in rows if isinstance(row, dict) for key in row}
    index, columns = (len(named) if isinstance(named := table.get(key), list) else 0 for key in ("index", "columns"))
    return max(index, len(rows)), max(columns, len(keys), *map(len, rows))


def _check_cells(what: str, rows: int, columns: int, size: int) -> None:
    """RequestError for a table that is far larger than the body that it came in, and would fill the memory."""
    if rows * columns > max(SPARSE, size):
        raise RequestError(
            f"{what} makes a table of {rows:,} rows and {columns:,} columns out of {size:,} bytes, so most of its "
            "cells are empty. Send fewer rows at once, or a value for each cell."
        )


def _parse_frame(key: str, data: Any, schema: Schema | None, size: int) -> pd.DataFrame:
    import pandas as pd

    options = _records(data) if key == RECORDS else _split(data)
    _check_cells(key, *_extent(options), size)
    try:
        frame = pd.DataFrame(**options)
    except Exception as error:  # lists of any shape fail in any way that pandas has
        raise RequestError(f"{key} is no table: {' '.join(str(error).split())[:300]}.") from error
    return frame if schema is None else cast_frame(frame, schema)


def _records(data: Any) -> dict[str, Any]:
    if not isinstance(data, list):
        raise RequestError(f"{RECORDS} is a list of objects, one for each row; it is {_kind(data)}.")
    return {"data": data}


def _split(data: Any) -> dict[str, Any]:
    form = f'{SPLIT} is an object with "columns" and "data"'
    if not isinstance(data, dict):
        raise RequestError(f"{form}; it is {_kind(data)}.")
    unknown = [key for key in data if key not in ("columns", "data", "index")]
    if unknown or "data" not in data:
        found = ", ".join(repr(key)[:40] for key in data) or "no key"
        raise RequestError(f'{form}, and "index" if need be; it has {found}.')
    return {"data": data["data"], "columns": data.get("columns"), "index": data.get("index")}


def _parse_tensors(key: str, data: Any, schema: Schema | None) -> Any:
    """Arrays: one, or one for each name. Rows of `instances` become columns, as in TensorFlow Serving."""
    if key == INSTANCES and isinstance(data, list) and data and isinstance(data[0], dict):
        data = _transposed(data)
    found = _cast_tensors(key, data, schema)
    if key == INSTANCES and isinstance(found, dict):
        _check_lengths(found, schema)
    return found


def _transposed(rows: list[Any]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for row in rows:
        if not isinstance(row, dict):
            raise RequestError(f"{INSTANCES} has objects, so each row is one; here is {_kind(row)}.")
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns


def _cast_tensors(key: str, data: Any, schema: Schema | None) -> Any:
    specs = schema.input_dict() if schema is not None and schema.has_input_names() else {}
    if len(specs) == 1 and isinstance(data, list) and not any(isinstance(item, dict) for item in data):
        data = {next(iter(specs)): data}
    if schema is not None and not specs and not isinstance(data, list | int | float | str):
        raise RequestError(
            f"The inputs of this model have no names, so {key} is a list of its rows; it is {_kind(data)}."
        )
    if isinstance(data, dict):
        return {name: _cast_value(value, specs.get(name), f'Input "{name}"') for name, value in data.items()}
    if isinstance(data, list) and all(isinstance(item, dict) for item in data):
        return [
            {name: _cast_value(value, specs.get(name), f'Input "{name}"') for name, value in row.items()}
            for row in data
        ]
    return _cast_value(data, None if schema is None else schema.inputs[0], f'The value of "{key}"')


def _cast_value(data: Any, spec: ColSpec | TensorSpec | None, what: str) -> Any:
    """An array or scalar of the type of a column or tensor; lists and objects are left to the model's own check."""
    import numpy as np

    from tracker.types import DataType, TensorSpec

    if isinstance(spec, TensorSpec):
        return cast_array(data, spec.type, what)
    if spec is not None and isinstance(spec.type, DataType):
        found = cast_array(data if isinstance(data, list) else [data], spec.type.to_numpy(), what, spec.type.name)
        return found if isinstance(data, list) else found[0]
    if spec is not None:
        return data
    try:
        return np.array(data)
    except (ValueError, OverflowError) as error:
        raise RequestError(f"{what} is no array: {' '.join(str(error).split())[:300]}.") from error


def _check_lengths(found: dict[str, Any], schema: Schema | None) -> None:
    needed = set(found) if schema is None or not schema.has_input_names() else set(schema.required_input_names())
    lengths = {
        name: len(value) for name, value in found.items() if name in needed and bool(getattr(value, "shape", ()))
    }
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} has {count}" for name, count in list(lengths.items())[:5])
        raise RequestError(f"The columns of {INSTANCES} are not of one length: {told}.")


def _kind(value: object) -> str:
    """A JSON value by its kind."""
    words = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return words.get(type(value), "a number")
