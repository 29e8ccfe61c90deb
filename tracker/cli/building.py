"""What the commands that build share: progress, the summary, and packages that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from tracker.cli.table import cell
from tracker.cli.text import clean, clean_lines, duration, size
from tracker.exceptions import MissingPackageError

if TYPE_CHECKING:
    from site_builder.build import BuildResult
    from tracker.foreign.importing import Progress as Advance
    from tracker.logs import Problem

HOST = "127.0.0.1"
PORT = 8080
INTERVAL = 2.0
"""Seconds between two looks for new runs."""
SHOWN_PROBLEMS = 5
SHOWN_FILES = 3


@contextmanager
def needs(purpose: str, extra: str) -> Iterator[None]:
    """Turn a package that is missing in the block into the command that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("tracker", "site_builder"):
            raise
        raise MissingPackageError(purpose, extra) from error


@contextmanager
def progress(console: Console, title: str) -> Iterator[Advance]:
    """A bar on a terminal, a line elsewhere."""
    if not console.is_terminal:
        console.print(cell(f"{title} ..."))
    label_column = TextColumn("{task.fields[label]}", markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), label_column)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None, label="")

        def advance(done: int, total: int, label: str = "") -> None:
            bar.update(task, completed=done, total=total, label=clean(label))

        yield advance


def build_site(console: Console, stores: Sequence[Path], out: Path, **options: Any) -> BuildResult:
    """Build a site, with progress and a summary; the options are those of `site_builder.build.build`."""
    with needs("Building a site", "site"), progress(console, "Building") as advance:
        from site_builder.build import build

        result = build(stores, out, progress=advance, **options)
    summary = f"{result.written:,} files written, {result.removed:,} removed, in {duration(result.seconds * 1000)}."
    print_result(console, result, summary)
    more = len(result.problems) - SHOWN_PROBLEMS
    if more > 0:
        console.print(cell(f"  and {more:,} more: {out / 'problems' / 'index.html'}"), soft_wrap=True)
    return result


def stage_site(console: Console, stores: Sequence[Path], folder: Path, **options: Any) -> BuildResult:
    """Write the tree of pages that MkDocs would render."""
    with needs("Building a site", "site"):
        from site_builder.stage import stage

        result = stage(stores, folder, **options)
    print_result(console, result, f"Render it with: mkdocs build -f {folder / 'mkdocs.yml'}")
    return result


def serve_site(stores: Sequence[Path], out: Path, host: str, port: int, interval: float, **options: Any) -> None:
    """Build the site, serve it and build again as runs arrive, until Ctrl-C."""
    with needs("Serving a site", "site"):
        from site_builder.serve import serve

        serve(stores, out, host, port, interval, say=lambda text: click.echo(clean_lines(text)), **options)


def print_result(console: Console, result: BuildResult, summary: str) -> None:
    """What was built, what is largest in it, and what could not be read."""
    for source in result.sources:
        console.print(cell(f"Read {source.kind}: {source.path}"), soft_wrap=True)
    built = f": {result.pages:,} pages, {size(result.bytes)}. {summary}"
    console.print(Text.assemble("Built ", cell(result.out, "bold"), cell(built)), soft_wrap=True)
    largest = ", ".join(f"{path} ({size(count)})" for path, count in result.largest[:SHOWN_FILES])
    console.print(cell(f"Largest: {largest}", "dim"), soft_wrap=True)
    if result.problems:
        plural = "s" if len(result.problems) > 1 else ""
        console.print(cell(f"{len(result.problems):,} problem{plural} in the data:", "yellow"))
    for problem in result.problems[:SHOWN_PROBLEMS]:
        console.print(cell(f"  {describe(problem)}"), soft_wrap=True)


def describe(problem: Problem) -> str:
    """File, line if there is one, and what is wrong."""
    line = "" if problem.line is None else f":{problem.line}"
    return f"{problem.path}{line}: {problem.message}"
