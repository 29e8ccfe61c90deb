"""Data and params held against a signature, before a model sees them.

Columns come in the order of the schema and with its types, where no value changes by that; what does not fit is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracker.exceptions import MissingPackageError, SchemaMismatchError, did_you_mean
from tracker.models.columns import fit_column
from tracker.models.inference import is_frame, is_moment, is_series, is_sparse
from tracker.models.tensors import fit_tensors, quoted
from tracker.types.kinds import AnyType, DataType
from tracker.types.misfits import MisfitError, describe, dimensions, is_array, is_numpy
from tracker.types.params import ParamSchema
from tracker.types.schema import ColSpec, Schema
from tracker.warning import warn

MOST_NAMES = 20
"""Names of columns that a message lists, unless they are missing ones."""
LARGEST_FLOAT = 3.4028234663852886e38
"""The largest number that has a float of 32 bits."""
_SINGLE = (str, bytes, bytearray, bool, int, float, complex)


def enforce_schema(data: Any, schema: Schema) -> Any:
    """The data as a model with this schema wants them.

    For a schema of columns that is a DataFrame: columns in order, extra ones dropped, types converted where every
    value stays what it was. It is made of frames, series, arrays, lists, lists of dicts, dicts of lists and single
    values. For a schema of tensors it is an array (or a sparse matrix), or a dict of arrays where tensors have names.

    Raises SchemaMismatchError, which names each column that is missing or has another type.
    """
    if schema.is_tensor_spec():
        return fit_tensors(data, schema)
    if not schema.has_input_names() and all(isinstance(each.type, AnyType) for each in schema.columns):
        return data
    frame = _frame_of(data, schema)
    return _fit_named(frame, schema) if schema.has_input_names() else _fit_unnamed(frame, schema)


def enforce_params(params: Mapping[Any, Any] | None, schema: ParamSchema | None) -> dict[str, Any]:
    """All params of the schema: the given ones, with their types checked, and the defaults of the others.

    Unknown ones are left out with a warning. Raises SchemaMismatchError for values of another type.
    """
    given = {str(name): value for name, value in _checked(params).items()}
    known = {spec.name: spec for spec in schema or ()}
    if unknown := [name for name in given if name not in known]:
        _warn_of(unknown, list(known))
    values: dict[str, Any] = {}
    problems = []
    for name, spec in known.items():
        try:
            values[name] = spec.fit(given[name]) if name in given else spec.default
        except SchemaMismatchError as error:
            problems.append(error.message)
    if problems:
        raise SchemaMismatchError("\n".join(problems))
    return values


def _checked(params: Mapping[Any, Any] | None) -> Mapping[Any, Any]:
    if params is not None and not isinstance(params, Mapping):
        raise SchemaMismatchError(f"params must be a dict of names and values, but they are {describe(params)}.")
    return params or {}


def _warn_of(unknown: list[str], known: list[str]) -> None:
    takes = f"It takes {quoted(known)}.{did_you_mean(unknown[0], known)}" if known else "Its signature has no params."
    warn(f"The model does not know these params, which are left out: {quoted(unknown)}. {takes}")


def _frame_of(data: Any, schema: Schema) -> Any:
    """The data as a DataFrame, whatever they are."""
    if is_frame(data):
        return data
    try:
        import pandas
    except ImportError:
        raise MissingPackageError("A model whose signature has columns", "pandas") from None
    if is_series(data):
        return data.to_frame()
    rows = _rows_of(data, schema)
    try:
        frame = pandas.DataFrame(rows)
    except (ValueError, TypeError) as error:
        raise SchemaMismatchError(f"The model takes columns, and these data make none: {error}.") from None
    return frame if is_array(data) else _narrowed(frame, schema, rows)


def _narrowed(frame: Any, schema: Schema, rows: Any) -> Any:
    """Python has floats of one length only, so they take that of the schema; arrays among the data keep theirs."""
    dtypes = {
        name: "float32"
        for name, spec in zip(schema.input_names(), schema.columns, strict=True)
        if spec.type is DataType.float and name in frame and frame[name].dtype == "float64"
        if not (isinstance(rows, dict) and hasattr(rows[name], "dtype")) and not frame[name].abs().max() > LARGEST_FLOAT
    }
    return frame.astype(dtypes) if dtypes else frame


def _rows_of(data: Any, schema: Schema) -> Any:
    """What pandas makes a frame of, that has the rows and columns that the schema means."""
    if isinstance(data, Mapping):
        return [data] if _is_one_row(data, schema) else _flattened(data)
    if isinstance(data, list) or is_array(data):
        nested = not isinstance(schema.columns[0].type, DataType)
        alone = len(schema) == 1 and not schema.has_input_names()
        return {0: list(data)} if alone and (nested or not len(data)) else data
    if isinstance(data, _SINGLE) or is_numpy(data) or is_moment(data):
        return [data]
    what = "a sparse matrix" if is_sparse(data) else describe(data)
    raise SchemaMismatchError(
        f"The model takes columns {_takes(schema)}, and cannot take {what}. "
        "Give a DataFrame, a list of dicts or a dict of lists."
    )


def _is_one_row(data: Mapping[Any, Any], schema: Schema) -> bool:
    """A dict is one row, unless there is a list where the schema has single values."""
    lists = [name for name, each in data.items() if isinstance(each, list) or dimensions(each) or is_series(each)]
    if not schema.has_input_names():
        return not lists
    single = {spec.name for spec in schema.columns if isinstance(spec.type, DataType)}
    return single.isdisjoint(lists)


def _flattened(data: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: list(value) if dimensions(value) > 1 else value for name, value in data.items()}


def _takes(schema: Schema) -> str:
    names = schema.input_names()
    if not schema.has_input_names():
        return f"without names ({len(names)} of them)"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return quoted(names[:MOST_NAMES]) + more


def _fit_named(frame: Any, schema: Schema) -> Any:
    present = list(frame.columns)
    known = set(present)
    names = schema.input_names()
    if missing := [name for name in schema.required_input_names() if name not in known]:
        raise SchemaMismatchError(_of_missing(missing, [each for each in present if each not in set(names)], present))
    if len(known) < len(present):
        _refuse_twins(present, names)
    taken = [(name, spec) for name, spec in zip(names, schema.columns, strict=True) if name in known]
    if len(taken) < len(names):
        _warn_of_misspelt([name for name in names if name not in known], present, names)
    return _fitted(frame, taken, present == names)


def _fit_unnamed(frame: Any, schema: Schema) -> Any:
    present = list(frame.columns)
    if len(present) < len(schema):
        raise SchemaMismatchError(
            f"The model takes {len(schema)} columns, and the data have {len(present)}. Its columns have no names, so "
            "their places count."
        )
    taken = list(zip(present, schema.columns, strict=False))
    return _fitted(frame, taken, len(present) == len(schema))


def _fitted(frame: Any, taken: Sequence[tuple[Any, ColSpec]], whole: bool) -> Any:
    """The columns with their types, in this order. The frame of the caller stays as it is."""
    changed: dict[Any, Any] = {}
    problems = []
    dtypes = dict(zip(frame.columns, frame.dtypes, strict=True))
    for name, spec in taken:
        try:
            fitted = fit_column(frame, name, dtypes[name], spec)
        except MisfitError as misfit:
            problems.append(f'Column "{name}": {misfit}.')
        else:
            if fitted is not None:
                changed[name] = fitted
    if problems:
        raise SchemaMismatchError("\n".join(problems))
    result = frame.copy(deep=False) if whole else frame[[name for name, _ in taken]]
    if not changed:
        return result
    import pandas

    return pandas.DataFrame({name: changed.get(name, result[name]) for name, _ in taken}, index=frame.index)


def _of_missing(missing: list[Any], extra: list[Any], present: list[Any]) -> str:
    """All columns that are missing, each with what it may be called in the data."""
    words = []
    for name in missing:
        hint = did_you_mean(str(name), map(str, extra)).strip()
        words.append(f'"{name}"' + (f" ({hint[0].lower()}{hint[1:]})" if hint else ""))
    noun = "column" if len(missing) == 1 else f"{len(missing)} columns"
    if not any(isinstance(name, str) for name in present):
        return (
            f"The model takes columns by name, and the data have none. Missing: {', '.join(words)}. "
            "Give a DataFrame with these columns."
        )
    more = f" and {len(present) - MOST_NAMES} more" if len(present) > MOST_NAMES else ""
    return f"The data lack the {noun} {', '.join(words)}. They have {quoted(present[:MOST_NAMES])}{more}."


def _refuse_twins(present: list[Any], names: list[Any]) -> None:
    twice = sorted({str(name) for name in names if present.count(name) > 1})
    if twice:
        raise SchemaMismatchError(f"The data have more than one column {quoted(twice)}. Rename or drop the others.")


def _warn_of_misspelt(absent: list[Any], present: list[Any], names: list[Any]) -> None:
    """An optional column may be missing; one that is there under almost its name was misspelt."""
    extra = [str(name) for name in present if name not in names]
    for name in absent:
        if hint := did_you_mean(str(name), extra):
            warn(f'The column "{name}" may be missing, and it is; a column of almost that name was dropped.{hint}')
