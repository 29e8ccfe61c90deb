"""`tracker import`: from the store of another tracker to one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
import msgspec
from rich.console import Console
from rich.text import Text

from tracker.cli.build import PROBLEMS
from tracker.cli.building import describe, progress
from tracker.cli.data import print_json
from tracker.cli.options import foreign_options, json_option, store_folder
from tracker.cli.table import cell, make_console
from tracker.cli.text import counted, duration
from tracker.foreign.importing import ImportReport, import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.placing import ArtifactMode
from tracker.foreign.table_columns import parse_map
from tracker.logs import Problem

SHOWN_PROBLEMS = 20


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--into",
    "store",
    metavar="STORE",
    callback=store_folder,
    help="Store to add to; made when it is missing. [default: $TRACKER_URI or ./runs]",
)
@foreign_options
@click.option(
    "--artifacts",
    type=click.Choice(get_args(ArtifactMode)),
    default="copy",
    show_default=True,
    help="Copy them, give the files a second name, or leave them where they are.",
)
@click.option("--strict", is_flag=True, help=f"Exit with code {PROBLEMS} when something could not be imported.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    source: Path,
    store: Path,
    kind: str | None,
    roles: tuple[str, ...],
    artifacts: ArtifactMode,
    strict: bool,
    as_json: bool,
) -> None:
    """Add the runs and models of another tracker's store to a store of yours.

    SOURCE is only read. Done again, an import adds what is new; one that was interrupted goes on. Models in the store
    count as trusted, so import only what you trust.
    """
    console = Console(stderr=True) if as_json else make_console()
    foreign = open_foreign(source, kind, columns=parse_map(roles))
    with progress(console, f"Importing {foreign.kind}") as advance:
        report = import_store(foreign, store, artifacts=artifacts, progress=advance)
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        print_report(console, report)
    if strict and report.problems:
        ctx.exit(PROBLEMS)


def print_report(console: Console, report: ImportReport) -> None:
    """What was imported, and what could not be."""
    runs = f"{report.runs_new:,} new, {report.runs_updated:,} updated, {report.runs_unchanged:,} unchanged"
    parts = [
        counted(report.experiments, "experiment"),
        f"runs: {runs}",
        counted(report.points, "point"),
        counted(report.artifacts, "artifact"),
    ]
    if report.models:
        versions = f"{report.versions_new:,} new, {report.versions_unchanged:,} unchanged"
        parts.append(f"{counted(report.models, 'registered model')} (versions: {versions})")
    head = Text.assemble("Imported ", cell(report.source), " into ", cell(report.store, "bold"))
    console.print(head, cell(f"in {duration(report.seconds * 1000)}."), soft_wrap=True)
    console.print(cell("; ".join(parts) + "."), soft_wrap=True)
    print_problems(console, report.problems)


def print_problems(console: Console, problems: Sequence[Problem]) -> None:
    """The first problems of an import or export."""
    if problems:
        console.print(cell(f"{counted(len(problems), 'problem')} in the data:", "yellow"))
    for problem in problems[:SHOWN_PROBLEMS]:
        console.print(cell(f"  {describe(problem)}"), soft_wrap=True)
    more = len(problems) - SHOWN_PROBLEMS
    if more > 0:
        console.print(cell(f"  and {more:,} more; --json has them all"), soft_wrap=True)
