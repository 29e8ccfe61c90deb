"""What `tracker import` and `tracker export` share: how artifacts get there, and what is said of it at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

import click
import msgspec
from rich.console import Console
from rich.text import Text

from tracker.cli.build import PROBLEMS
from tracker.cli.building import describe
from tracker.cli.data import print_json
from tracker.cli.options import json_option
from tracker.cli.table import cell
from tracker.cli.text import counted, duration
from tracker.exporting.mlruns import ExportReport
from tracker.exporting.tables import TableReport
from tracker.foreign.importing import ImportReport
from tracker.foreign.placing import ArtifactMode
from tracker.logs import Problem

SHOWN_PROBLEMS = 20
_F = TypeVar("_F", bound=Callable[..., Any])


def transfer_options(command: _F) -> _F:
    """`--artifacts`, `--strict` and `--json`."""
    artifacts = click.option(
        "--artifacts",
        type=click.Choice(get_args(ArtifactMode)),
        default="copy",
        show_default=True,
        help="Copy artifacts, make hard links, or leave them where they are.",
    )
    strict = click.option(
        "--strict", is_flag=True, help=f"Exit with code {PROBLEMS} when something could not be taken over as it is."
    )
    return artifacts(strict(json_option(command)))


def finish(
    ctx: click.Context, console: Console, report: ImportReport | ExportReport, *, strict: bool, as_json: bool
) -> None:
    """Say what was done, and end with the exit code of `--strict` where there were problems."""
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        _print_report(console, report)
    if strict and report.problems:
        ctx.exit(PROBLEMS)


def _print_report(console: Console, report: ImportReport | ExportReport) -> None:
    runs = f"{report.runs_new:,} new, {report.runs_updated:,} updated, {report.runs_unchanged:,} unchanged"
    parts = [
        counted(report.experiments, "experiment"),
        f"runs: {runs}",
        counted(report.points, "point"),
        counted(report.artifacts, "artifact"),
    ]
    if report.models:
        parts.append(f"{counted(report.models, 'registered model')} ({_versions(report)})")
    print_head(console, report)
    console.print(cell("; ".join(parts) + "."), soft_wrap=True)
    print_problems(console, report.problems, more="--json has them all")


def _versions(report: ImportReport | ExportReport) -> str:
    if isinstance(report, ExportReport):
        return counted(report.versions, "version")
    return f"versions: {report.versions_new:,} new, {report.versions_unchanged:,} unchanged"


def print_head(console: Console, report: ImportReport | ExportReport | TableReport) -> None:
    """From where to where, and how long it took."""
    if isinstance(report, ImportReport):
        words = ("Imported ", cell(report.source), " into ", cell(report.store, "bold"))
    else:
        words = ("Exported ", cell(report.store), " to ", cell(report.out, "bold"))
    console.print(Text.assemble(*words), cell(f"in {duration(report.seconds * 1000)}."), soft_wrap=True)


def print_problems(console: Console, problems: Sequence[Problem], *, more: str = "") -> None:
    """The first problems; `more` says where the others are."""
    if problems:
        console.print(cell(f"{counted(len(problems), 'problem')} in the data:", "yellow"))
    for problem in problems[:SHOWN_PROBLEMS]:
        console.print(cell(f"  {describe(problem)}"), soft_wrap=True)
    left = len(problems) - SHOWN_PROBLEMS
    if left > 0:
        console.print(cell("; ".join([f"  and {left:,} more", *([more] if more else [])])), soft_wrap=True)
