"""What the commands that build share: progress, the summary, and packages that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from tracker.cli.table import cell
from tracker.cli.text import clean, duration, size
from tracker.exceptions import MissingPackageError

if TYPE_CHECKING:
    from site_builder.build import BuildResult
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
def progress(console: Console, title: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal, a line elsewhere. Gives a function that takes how many of how many are done, and a label."""
    if not console.is_terminal:
        console.print(cell(f"{title} ..."))
        yield lambda done, total, label="": None
        return
    label_column = TextColumn("{task.fields[label]}", markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), label_column)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None, label="")
        yield lambda done, total, label="": bar.update(task, completed=done, total=total, label=clean(label))


def build_site(
    console: Console,
    store: Path,
    out: Path,
    *,
    title: str | None = None,
    pages: Path | None = None,
    force: bool = False,
    full: bool = False,
) -> BuildResult:
    """Build the site of a store and show the progress."""
    with needs("Building a site", "site"), progress(console, "Building") as advance:
        from site_builder.build import build

        return build(store, out, title=title, pages=pages, force=force, full=full, progress=advance)


def stage_site(console: Console, store: Path, folder: Path) -> None:
    """Write the tree of pages that MkDocs would render."""
    with needs("Building a site", "site"):
        from site_builder.stage import stage

        stage(store, folder)
    console.print(cell(f"Wrote {folder}. Render it with: mkdocs build -f {folder / 'mkdocs.yml'}"), soft_wrap=True)


def print_summary(console: Console, result: BuildResult) -> None:
    """What was built, what is largest in it, and what could not be read."""
    console.print(
        cell(f"Built {result.out}", "bold").append_text(
            cell(
                f": {result.pages:,} pages, {size(result.bytes)}. {result.written:,} files written, "
                f"{result.removed:,} removed, in {duration(result.seconds * 1000)}."
            )
        ),
        soft_wrap=True,
    )
    largest = ", ".join(f"{path} ({size(count)})" for path, count in result.largest[:SHOWN_FILES])
    console.print(cell(f"Largest: {largest}", "dim"), soft_wrap=True)
    print_problems(console, result)


def print_problems(console: Console, result: BuildResult) -> None:
    """The first problems in the data, and where the others are."""
    count = len(result.problems)
    if not count:
        return
    console.print(cell(f"{count:,} problem{'s' if count > 1 else ''} in the data:", "yellow"))
    for problem in result.problems[:SHOWN_PROBLEMS]:
        console.print(cell(f"  {describe(problem)}"), soft_wrap=True)
    if count > SHOWN_PROBLEMS:
        console.print(
            cell(f"  and {count - SHOWN_PROBLEMS:,} more: {result.out / 'problems' / 'index.html'}"), soft_wrap=True
        )


def describe(problem: Problem) -> str:
    """File, line if there is one, and what is wrong."""
    line = "" if problem.line is None else f":{problem.line}"
    return f"{problem.path}{line}: {problem.message}"


def serve_site(store: Path, out: Path, host: str, port: int, interval: float) -> None:
    """Build the site, serve it and build again as runs arrive, until Ctrl-C."""
    with needs("Serving a site", "site"):
        from site_builder.serve import serve

        serve(store, out, host=host, port=port, interval=interval)
