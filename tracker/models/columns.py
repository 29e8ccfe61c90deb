"""One column of a DataFrame as its type wants it."""

from __future__ import annotations

from typing import Any

from tracker.types.casting import FLOATING, WHOLE, cast_array, dtype_of
from tracker.types.kinds import AnyType, DataType
from tracker.types.misfits import MisfitError, is_missing
from tracker.types.schema import ColSpec
from tracker.types.values import fit

_TEXT = (DataType.string, DataType.binary)


def fit_column(frame: Any, name: Any, dtype: Any, spec: ColSpec) -> Any:
    """The column with the type of its specification, or None where it has it. Raises MisfitError."""
    kind = spec.type
    if isinstance(kind, AnyType):
        return None
    if not isinstance(kind, DataType):
        return _fit_cells(frame[name], spec)
    if dtype.kind == "O" and dtype.name != "category":
        return _fit_objects(frame[name], kind, spec) if kind not in _TEXT else None
    if dtype == dtype_of(kind):
        return None
    return _fit_typed(frame[name], kind, spec)


def _series(values: Any, like: Any, dtype: Any = None) -> Any:
    import pandas

    return pandas.Series(values, index=like.index, name=like.name, dtype=dtype)


def _fit_cells(column: Any, spec: ColSpec) -> Any:
    """Lists and dicts: each cell is looked at."""
    cells = []
    for row, cell in enumerate(column):
        try:
            cells.append(fit(cell, spec.type, required=spec.required))
        except MisfitError as misfit:
            misfit.row = row
            raise
    made = _series(None, column, dtype=object)
    made[:] = cells if cells else None
    return made


def _fit_typed(column: Any, kind: DataType, spec: ColSpec) -> Any:
    """A column whose dtype tells what it holds."""
    dtype = column.dtype
    if dtype.name == "category":
        cast_array(dtype.categories.to_numpy(), kind)
        return None
    if getattr(dtype, "tz", None) is not None:
        note = 'take it off with .dt.tz_convert("UTC").dt.tz_localize(None)' if kind is DataType.datetime else ""
        raise MisfitError(kind.name, None, came="datetime with a time zone", note=note)
    if hasattr(dtype, "numpy_dtype"):
        return _fit_nullable(column, kind, spec)
    values = column.to_numpy()
    if kind in WHOLE and dtype.kind == "f" and not spec.required and _is_whole(column.dropna()):
        return None
    fitted = cast_array(values, kind)
    return None if fitted is values else _series(fitted, column)


def _is_whole(column: Any) -> bool:
    """Floats that stand for whole numbers, as pandas has them beside missing ones."""
    return bool((column % 1 == 0).all())


def _fit_nullable(column: Any, kind: DataType, spec: ColSpec) -> Any:
    """A column of one of pandas' own dtypes, which know missing values of any type."""
    known = column.dropna()
    values = known.to_numpy(dtype=column.dtype.numpy_dtype)
    fitted = cast_array(values, kind)
    if len(known) == len(column):
        return _series(fitted, column)
    if kind in FLOATING:
        return _series(column.to_numpy(dtype=dtype_of(kind), na_value=float("nan")), column)
    if not spec.required:
        return None
    raise _missing_at(column, kind)


def _missing_at(column: Any, kind: DataType) -> MisfitError:
    row = int(column.isna().to_numpy().argmax())
    return MisfitError(kind.name, None, came="a missing value", row=row)


def _fit_objects(column: Any, kind: DataType, spec: ColSpec) -> Any:
    """A column of texts or of anything, for a type that is neither: each value is looked at."""
    plain = column if column.hasnans else column.infer_objects()  # beside None, pandas makes floats of whole numbers
    if plain.dtype.kind != "O":
        fitted = fit_column({column.name: plain}, column.name, plain.dtype, spec)
        return plain if fitted is None else fitted
    cells = column.tolist()
    missing = [is_missing(cell) for cell in cells]
    fitted = [None if lacks else _fit_one(cell, kind, cells, row) for row, (cell, lacks) in _numbered(cells, missing)]
    if kind is DataType.boolean:
        return None
    if kind in WHOLE and any(missing):
        if spec.required:
            raise _missing_at(column, kind)
        return None
    return _series(fitted, column, dtype=dtype_of(kind))


def _numbered(cells: list[Any], missing: list[bool]) -> Any:
    return enumerate(zip(cells, missing, strict=True))


def _fit_one(cell: Any, kind: DataType, cells: list[Any], row: int) -> Any:
    if kind in FLOATING and type(cell).__name__ == "Decimal":
        return float(cell)
    try:
        return fit(cell, kind)
    except MisfitError as misfit:
        if isinstance(cell, str) and kind in (*WHOLE, *FLOATING):
            raise _of_texts(cells, row, kind) from None
        misfit.row = row
        raise


def _of_texts(cells: list[Any], first: int, kind: DataType) -> MisfitError:
    """Texts in a column of numbers: the first that is no number tells most."""
    for row, cell in enumerate(cells):
        if isinstance(cell, str) and not _is_number(cell):
            return MisfitError(kind.name, cell, row=row)
    note = f'convert the column with .astype("{dtype_of(kind).name}")'
    return MisfitError(kind.name, cells[first], row=first, note=note)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
