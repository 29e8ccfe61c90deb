"""`tracker export`: from a store to files that other programs read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
import msgspec
from rich.console import Console
from rich.text import Text

from tracker.cli.build import PROBLEMS
from tracker.cli.building import progress
from tracker.cli.data import print_json
from tracker.cli.importing import print_problems
from tracker.cli.options import json_option, store_argument
from tracker.cli.table import cell, make_console
from tracker.cli.text import counted, duration
from tracker.exporting.mlruns import ExportReport, export_mlflow
from tracker.foreign.run_files import ArtifactMode

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
    help="Folder to write; missing, empty, or an earlier export.",
)
@click.option(
    "--artifacts",
    type=click.Choice(get_args(ArtifactMode)),
    default="copy",
    show_default=True,
    help="Copy them, give the files a second name, or leave them where they are.",
)
@click.option("--strict", is_flag=True, help=f"Exit with code {PROBLEMS} when something could not be written as it is.")
@json_option
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
    with progress(console, "Exporting") as advance:
        report = export_mlflow(
            store, out, query=" ".join(query), experiments=experiment, artifacts=artifacts, progress=advance
        )
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        print_report(console, report)
    if strict and report.problems:
        ctx.exit(PROBLEMS)


def print_report(console: Console, report: ExportReport) -> None:
    """What was written, and what could not be as it is."""
    runs = f"{report.runs_new:,} new, {report.runs_updated:,} updated, {report.runs_unchanged:,} unchanged"
    parts = [
        counted(report.experiments, "experiment"),
        f"runs: {runs}",
        counted(report.points, "point"),
        counted(report.artifacts, "artifact"),
    ]
    if report.models:
        parts.append(f"{counted(report.models, 'registered model')} ({counted(report.versions, 'version')})")
    head = Text.assemble("Exported ", cell(report.store), " to ", cell(report.out, "bold"))
    console.print(head, cell(f"in {duration(report.seconds * 1000)}."), soft_wrap=True)
    console.print(cell("; ".join(parts) + "."), soft_wrap=True)
    print_problems(console, report.problems)
