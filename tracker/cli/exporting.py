"""`tracker export`: from a store to files that other programs read."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import click
from rich.console import Console

from tracker.cli.building import progress
from tracker.cli.options import store_argument
from tracker.cli.table import cell, make_console
from tracker.cli.text import clean_lines, counted
from tracker.cli.transfers import finish, print_head, print_problems, transfer_options
from tracker.exceptions import InvalidValueError, NotAStoreError
from tracker.exporting.mlruns import export_mlflow
from tracker.exporting.tables import TableReport, export_table
from tracker.foreign.kinds import kind_of
from tracker.foreign.placing import ArtifactMode

STDOUT = "-"
_F = TypeVar("_F", bound=Callable[..., Any])


def choice_options(command: _F) -> _F:
    """STORE, QUERY and `--experiment`: which runs."""
    options = (
        store_argument,
        click.argument("query", nargs=-1),
        click.option(
            "--experiment", "-e", multiple=True, metavar="NAME", help="Only runs of this experiment; repeatable."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def table_options(command: _F) -> _F:
    """What a table shows, and where it goes."""
    options = (
        click.option(
            "--out",
            metavar="FILE",
            help="File or folder to write; - for standard output. [default: such as runs.csv, points.csv]",
        ),
        click.option("--points", is_flag=True, help="A row for every point of a metric rather than for every run."),
        click.option(
            "--summary", is_flag=True, help="Best, min, max, first and mean of each metric, with their steps."
        ),
        click.option(
            "--order-by",
            "-o",
            multiple=True,
            metavar="FIELD",
            help='Such as "metrics.acc DESC"; repeatable. [default: newest first]',
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def _store_first(store: Path) -> Iterator[None]:
    """Say so where a query stands in the place of the store; and how to bring over that of another tracker."""
    try:
        yield
    except NotAStoreError as error:
        if not store.exists() and re.search("[<>=]", str(store)):
            remedy = "A query comes after the store, as in: runs 'params.lr < 1'."
        elif store.exists() and (kind := kind_of(store)):
            remedy = f"It is {kind}. Bring it over first: tracker import {shlex.quote(str(store))} --into runs"
        else:
            raise
        raise NotAStoreError(f"{error.message} {remedy}") from error


@click.group("export")
def command() -> None:
    """Write a store, or some of its runs, to files that other programs read.

    STORE is a folder; by default that of $TRACKER_URI, else ./runs. QUERY picks runs as in `tracker list`, such as
    'metrics.acc > 0.9 and params.lr < 0.1'.
    """


@command.command("mlflow")
@choice_options
@click.option(
    "--out",
    metavar="DIR",
    default="mlruns",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder to write, which is missing, empty, or an earlier export.",
)
@transfer_options
@click.pass_context
def mlflow(
    ctx: click.Context,
    store: Path,
    query: tuple[str, ...],
    experiment: tuple[str, ...],
    out: Path,
    artifacts: ArtifactMode,
    strict: bool,
    as_json: bool,
) -> None:
    """Write an mlruns folder that MLflow 2 and 3 open.

    Done again, an export adds what is new; one that was interrupted goes on.
    """
    console = Console(stderr=True) if as_json else make_console()
    with _store_first(store), progress(console, "Exporting") as advance:
        report = export_mlflow(
            store, out, query=" ".join(query), experiments=experiment, artifacts=artifacts, progress=advance
        )
    finish(ctx, console, report, strict=strict, as_json=as_json)


@command.command("csv")
@choice_options
@table_options
@click.option("--exact", is_flag=True, help="Leave text that a spreadsheet would take for a formula as it is.")
def csv(store: Path, exact: bool, **options: Any) -> None:
    """Write the runs, or their points, as CSV.

    What is missing is an empty cell. Text that begins like a formula gets an apostrophe in front.
    """
    _write_table("csv", store, exact=exact, **options)


@command.command("json")
@choice_options
@table_options
@click.option("--lines", is_flag=True, help="One object a line rather than one array.")
def json(store: Path, lines: bool, **options: Any) -> None:
    """Write the runs, or their points, as JSON.

    What is missing is left out; a number that is not finite is a text.
    """
    _write_table("jsonl" if lines else "json", store, **options)


@command.command("parquet")
@choice_options
@table_options
def parquet(store: Path, **options: Any) -> None:
    """Write the runs, or their points, as Parquet, with typed columns."""
    _write_table("parquet", store, **options)


def _write_table(
    format: str,  # noqa: A002
    store: Path,
    *,
    query: tuple[str, ...],
    experiment: tuple[str, ...],
    out: str | None,
    points: bool,
    **options: Any,
) -> None:
    target: str | IO[bytes] = out or f"{'points' if points else 'runs'}.{format}"
    if target == STDOUT:
        if format == "parquet":
            raise InvalidValueError("Parquet is no text, so it needs a file: --out runs.parquet.")
        target = cast(IO[bytes], _Terminal()) if sys.stdout.isatty() else sys.stdout.buffer
    console = Console(stderr=True)
    with _store_first(store), progress(console, "Exporting") as advance:
        report = export_table(
            store,
            target,
            format=format,
            query=" ".join(query),
            experiments=experiment,
            points=points,
            progress=advance,
            **options,
        )
    if out == STDOUT:
        print_problems(console, report.problems)
    else:
        print_table_report(make_console(), report, "point" if points else "run")


class _Terminal:
    """Takes the bytes of a table for somebody to look at: control characters show as escapes."""

    def write(self, data: bytes) -> int:
        """Print them."""
        click.echo(clean_lines(data.decode(errors="replace")), nl=False)
        return len(data)


def print_table_report(console: Console, report: TableReport, what: str) -> None:
    """What was written."""
    print_head(console, report)
    runs = f" of {counted(report.runs, 'run')}" if what == "point" else ""
    console.print(cell(f"{counted(report.rows, what)}{runs}; {counted(report.columns, 'column')}."), soft_wrap=True)
    print_problems(console, report.problems)
