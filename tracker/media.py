"""Figures, images and tables as artifacts. What they are made with is imported only where it is needed."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from tracker import _io, codec, names
from tracker.exceptions import InvalidValueError, MissingPackageError, NotFoundError, did_you_mean
from tracker.run import ActiveRun
from tracker.session import session

if TYPE_CHECKING:
    import pandas

MAX_TABLE = 256 * 1024 * 1024
"""Bytes of the largest table that is read."""


class Table(msgspec.Struct, frozen=True):
    """A table as it stands in a file."""

    columns: list[str]
    data: list[list[Any]]
    """A list for each row."""


def log_figure(
    figure: object,
    artifact_file: str,
    *,
    save_kwargs: Mapping[str, Any] | None = None,
    run_id: str | None = None,
) -> None:
    """Write a figure of matplotlib (.png, .svg, .pdf, ...) or Plotly (.html, or .png with kaleido) as an artifact.

    `save_kwargs` go to what writes it, such as `{"dpi": 200}`.
    """
    with session.run_of(run_id) as run:
        add_figure(run, figure, artifact_file, save_kwargs)


def log_image(
    image: object,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
    *,
    run_id: str | None = None,
) -> None:
    """Write an image of Pillow, or an array, as an artifact: as `artifact_file`, or as one of a series by `key`.

    Arrays are (height, width) or (height, width, 1, 3 or 4): bool, whole numbers 0 to 255, or floats 0 to 1. The images
    of a series are `images/<key>/<step>.png`; the time is not kept.
    """
    with session.run_of(run_id) as run:
        add_image(run, image, artifact_file, key, step)


def log_table(data: object, artifact_file: str, run_id: str | None = None) -> None:
    """Write a dict of columns or a DataFrame as a .json artifact; rows are added to a table that is there.

    Missing and NaN values become null. load_table() reads the tables of many runs at once.
    """
    with session.run_of(run_id) as run:
        add_table(run, data, artifact_file)


def load_table(
    artifact_file: str, run_ids: Sequence[str] | None = None, extra_columns: Sequence[str] | None = None
) -> pandas.DataFrame:
    """The rows of a table of all runs of the chosen experiment, or of some runs, as one DataFrame.

    `extra_columns` are columns of search_runs, such as run_id or params.lr. NotFoundError when no run has the table.
    """
    chosen = session.find_experiment()
    return tables_of(session.root, [chosen.file.id] if chosen else [], artifact_file, run_ids, extra_columns)


# The same for any run


def add_figure(run: ActiveRun, figure: Any, artifact_file: str, options: Mapping[str, Any] | None) -> None:
    """Write a figure into a run; see log_figure."""
    kind = PurePosixPath(artifact_file).suffix.lower().lstrip(".")
    if hasattr(figure, "savefig"):
        data = _by_matplotlib(figure, kind or "png", options or {})
    elif hasattr(figure, "to_html") and hasattr(figure, "to_image"):
        data = _by_plotly(figure, kind, options or {})
    else:
        raise InvalidValueError(
            f"{type(figure).__name__} is no figure of matplotlib or Plotly. Save it, and log the file."
        )
    run.log_bytes(data, artifact_file)


def _by_matplotlib(figure: Any, kind: str, options: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    try:
        figure.savefig(buffer, **{"format": kind, **options})
    except ValueError as error:
        raise InvalidValueError(f"The figure cannot be written as {kind!r}: {error}.") from error
    return buffer.getvalue()


def _by_plotly(figure: Any, kind: str, options: Mapping[str, Any]) -> bytes:
    if kind == "html":
        text: str = figure.to_html(**options)
        return text.encode()
    try:
        data: bytes = figure.to_image(**{"format": kind, **options})
    except (ImportError, ValueError, RuntimeError) as error:
        if "kaleido" in str(error).lower():
            raise MissingPackageError(
                "A picture of a Plotly figure (rather than .html)", packages=["kaleido"]
            ) from None
        raise InvalidValueError(f"The figure cannot be written as {kind!r}: {error}.") from error
    return data


def add_image(run: ActiveRun, image: Any, artifact_file: str | None, key: str | None, step: int | None) -> None:
    """Write an image into a run; see log_image."""
    if (artifact_file is None) == (key is None):
        raise InvalidValueError("Give log_image() artifact_file= or key=, one of them.")
    number = codec.as_integer(step or 0, "A step")
    path = artifact_file or f"images/{key}/{number}.png"
    names.check_artifact_path(path, "An artifact file")
    try:
        from PIL import Image
    except ImportError:
        raise MissingPackageError("Logging an image", packages=["pillow"]) from None
    picture = image if isinstance(image, Image.Image) else Image.fromarray(_pixels(image))
    buffer = io.BytesIO()
    kind = Image.registered_extensions().get(PurePosixPath(path).suffix.lower())
    try:
        picture.save(buffer, format=kind or "PNG")
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"The image cannot be written as {kind}: {error}. Use .png.") from error
    run.log_bytes(buffer.getvalue(), path)


def _pixels(image: Any) -> Any:
    """An array of bytes, of the shape that Pillow takes."""
    import numpy as np

    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or not array.size:
        raise InvalidValueError(
            f"An image has the shape (height, width) or (height, width, 1, 3 or 4), but this one has {array.shape}."
        )
    if array.dtype.kind not in "buif":
        raise InvalidValueError(f"An image holds numbers, but this one has the type {array.dtype}.")
    largest = 1 if array.dtype.kind in "bf" else 255
    if not (array.min() >= 0 and array.max() <= largest):
        raise InvalidValueError(
            f"The values of this image lie between {array.min()} and {array.max()}, not between 0 and {largest}. Scale "
            "them: floats are 0 to 1, whole numbers 0 to 255."
        )
    return (array * (255 // largest)).round().astype(np.uint8) if largest == 1 else array.astype(np.uint8)


# Tables


def add_table(run: ActiveRun, data: Any, artifact_file: str) -> None:
    """Write a table into a run, or add rows to it; see log_table."""
    path = names.check_artifact_path(artifact_file, "An artifact file")
    if path.suffix != ".json":
        raise InvalidValueError(f"{artifact_file!r} must end in .json. For other forms, log the file that you write.")
    new = _table_of(data)
    place = run.artifact_folder / path
    table = _joined(_read_table(place), new) if place.exists() else new
    run.log_bytes(msgspec.json.encode(table), artifact_file)


def tables_of(
    root: Path,
    experiment_ids: Sequence[str],
    artifact_file: str,
    run_ids: Sequence[str] | None,
    extra_columns: Sequence[str] | None,
) -> pandas.DataFrame:
    """The rows of a table of some runs, as one DataFrame; see load_table."""
    from tracker import search

    path = names.check_artifact_path(artifact_file, "An artifact file")
    runs: Any = search.search_runs(root, experiment_ids=experiment_ids) if experiment_ids else None
    frames = []
    for _, run in () if runs is None else runs.iterrows():
        place = Path(run["artifact_uri"]) / path
        if (run_ids is None or run["run_id"] in run_ids) and place.exists():
            frames.append(_framed(_read_table(place), run, extra_columns or ()))
    if not frames:
        raise NotFoundError(f"None of these runs has a table {artifact_file!r}. log_table() writes one.")
    import pandas as pd

    return pd.concat(frames, ignore_index=True)


def _framed(table: Table, run: Any, extra_columns: Sequence[str]) -> pandas.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(table.data, columns=table.columns)
    for column in extra_columns:
        if column not in run.index:
            raise InvalidValueError(f"search_runs has no column {column!r}.{did_you_mean(column, run.index)}")
        frame[column] = run[column]
    return frame


def _read_table(place: Path) -> Table:
    try:
        table = msgspec.json.decode(_io.read_file(place, limit=MAX_TABLE), type=Table)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidValueError(f"{place} is no table: {error}. Use another name, or load_dict().") from None
    if any(len(row) != len(table.columns) for row in table.data):
        raise InvalidValueError(f"{place} is no table: its rows differ in length.")
    return table


def _table_of(data: Any) -> Table:
    columns: Any = data.to_dict("list") if hasattr(data, "columns") and hasattr(data, "to_dict") else data
    if not isinstance(columns, Mapping) or not columns:
        raise InvalidValueError(f"A table is a dict of columns or a DataFrame, but this is {type(data).__name__}.")
    lists = {str(key): _values(value) for key, value in columns.items()}
    sizes = {key: len(values) for key, values in lists.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{key!r} {size}" for key, size in sizes.items())
        raise InvalidValueError(f"The columns of the table differ in length: {told}.")
    return Table(list(lists), [list(row) for row in zip(*lists.values(), strict=True)])


def _values(column: Any) -> list[Any]:
    """The values of a column; a single one is a column of one row."""
    plain = column.tolist() if hasattr(column, "tolist") else column
    values = list(plain) if isinstance(plain, list | tuple) else [plain]
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        raise InvalidValueError("A table holds no infinite numbers, since JSON has none. Write them as text.")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(f"A table cannot hold {value!r:.60}: {error}. Write it as text or number.") from None
    return value


def _joined(old: Table, new: Table) -> Table:
    """The rows of both; a column that one of them lacks is null there."""
    columns = list(dict.fromkeys([*old.columns, *new.columns]))
    rows = [dict(zip(table.columns, row, strict=True)) for table in (old, new) for row in table.data]
    return Table(columns, [[row.get(column) for column in columns] for row in rows])
