"""A store as a table: a row for every run, or one for every point."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, get_args

from msgspec import Struct

from tracker import _io, names
from tracker.exceptions import InvalidValueError, did_you_mean
from tracker.exporting.choosing import choose
from tracker.exporting.parquet import ParquetWriter
from tracker.exporting.rows import POINTS, Kind, columns_of, row_of
from tracker.exporting.telling import Problems
from tracker.exporting.writers import CsvWriter, JsonWriter, TableWriter
from tracker.logs import Problem
from tracker.reader import read_history
from tracker.search import FoundRun, sort_runs

if TYPE_CHECKING:
    from tracker.foreign.importing import Progress

Format = Literal["csv", "json", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)


class TableReport(Struct, frozen=True):
    """What an export of a table wrote."""

    store: str
    out: str
    runs: int
    rows: int
    """Lines of the table, the names of the columns not counted."""
    columns: int
    seconds: float = 0
    problems: tuple[Problem, ...] = ()
    """What could not be read; paths are relative to the store."""


def export_table(
    store: Path | str,
    out: Path | str | IO[bytes],
    *,
    format: str = "",  # noqa: A002
    query: str = "",
    experiments: Sequence[str] = (),
    order_by: Sequence[str] = (),
    points: bool = False,
    summary: bool = False,
    exact: bool = False,
    progress: Progress | None = None,
) -> TableReport:
    """Write a table with a row for every run that matches a query, newest first unless `order_by` says otherwise; or
    with `points` a row for every point of their metrics.

    `out` is a file, whose name tells the format where `format` (csv, json, jsonl, parquet) is not given; a folder,
    which gets a file `runs` or `points`; or an open binary file. With `summary` there are columns for the best,
    smallest, largest, first and mean value of each metric. In CSV, text that a spreadsheet would take for a formula
    gets an apostrophe in front, unless `exact` is set.

    Raises QueryError, NotFoundError for an unknown experiment, NotAStoreError, InvalidValueError for other arguments,
    MissingPackageError for Parquet without pyarrow, StorageError when the disk is full.

    >>> export_table("runs", "runs.csv", query="metrics.acc > 0.9").rows
    3
    """
    began = time.monotonic()
    root = names.folder_of(store)
    target = _target(out, format, points) if isinstance(out, str | Path) else out
    chosen_format = _format(target, format)
    if points and summary:
        raise InvalidValueError("A table of points has no summaries. Leave one of the two out.")
    choice = choose(root, query, experiments)
    runs = sort_runs(choice.runs(), order_by)
    problems = Problems(root)
    for problem in choice.store.problems:
        problems.add(problem)
    columns = POINTS if points else columns_of(runs, summary=summary)
    with _stream(target) as stream:
        writer = _writer(chosen_format, stream, columns, exact=exact, named=isinstance(target, Path))
        rows = _fill(writer, runs, points, summary, problems, progress)
        writer.close()
    where = str(target) if isinstance(target, Path) else ""
    return TableReport(str(root), where, len(runs), rows, len(columns), time.monotonic() - began, problems.all())


def _fill(
    writer: TableWriter,
    runs: Sequence[FoundRun],
    points: bool,
    summary: bool,
    problems: Problems,
    progress: Progress | None,
) -> int:
    rows = 0
    for done, run in enumerate(runs):
        if progress:
            progress(done, len(runs), run.file.name)
        if not points:
            writer.add_row(row_of(run, summary=summary))
            rows += 1
            continue
        history = read_history(run.read.folder)
        for problem in history.problems:
            problems.add(problem, run.file.run_id)
        for metric, series in history.series.items():
            writer.add_points(run.file.run_id, metric, series)
            rows += len(series)
    if progress:
        progress(len(runs), len(runs))
    return rows


def _target(out: Path | str, format: str, points: bool) -> Path:  # noqa: A002
    """The file to write; InvalidValueError for what is neither a file nor a folder."""
    path = names.folder_of(out)
    if path.is_dir():
        if not format:
            raise InvalidValueError(f"{path} is a folder. Name a file, or say the format: {', '.join(FORMATS)}.")
        path /= f"{'points' if points else 'runs'}.{format}"
    if path.exists() and not path.is_file():
        raise InvalidValueError(f"{path} is no regular file. Name another one.")
    return path


def _format(target: Path | IO[bytes], format: str) -> str:  # noqa: A002
    found = format or (target.suffix.lstrip(".").lower() if isinstance(target, Path) else "")
    if found not in FORMATS:
        raise InvalidValueError(
            f"{found!r:.60} is no format of tables.{did_you_mean(found, FORMATS)} There are {', '.join(FORMATS)}."
        )
    return found


@contextmanager
def _stream(target: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """The open file; one that is named takes its place when it is complete."""
    if not isinstance(target, Path):
        yield target
        return
    with _io.explained("write", target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _io.replacing(target) as stream:
            yield stream


def _writer(
    format: str,  # noqa: A002
    stream: IO[bytes],
    columns: Mapping[str, Kind],
    *,
    exact: bool,
    named: bool,
) -> TableWriter:
    if format == "csv":
        return CsvWriter(stream.write, columns, exact=exact)
    if format == "parquet":
        return ParquetWriter(stream, columns)
    return JsonWriter(stream.write, columns, lines=format == "jsonl", ascii_only=not named)
