"""`tracker show`: everything about one run on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from tracker.artifact_files import list_artifacts
from tracker.cli.data import duration_of, print_json, run_data
from tracker.cli.find import Found, find_run
from tracker.cli.options import json_option, store_option
from tracker.cli.table import Column, cell, make_console, print_table, status_cell
from tracker.cli.text import ARROWS, duration, moment, numbers, size, sparkline, value
from tracker.reader import read_store
from tracker.snapshot import NOTE_TAG
from tracker.summary import best_of, goal_of

SHOWN_ARTIFACTS = 20
GAP = "  "


@click.command("show")
@click.argument("run")
@store_option
@json_option
def command(run: str, store: Path, as_json: bool) -> None:
    """Show everything about RUN: its id, the beginning of its id, or its name."""
    found = find_run(read_store(store), run)
    artifacts = [(file.name, file.bytes) for file in list_artifacts(found.run.folder) if not file.problem]
    if as_json:
        files = [{"path": path, "bytes": count} for path, count in artifacts]
        print_json({**run_data(found.subject), "artifacts": files, "problems": problems_of(found)})
    else:
        print_run(make_console(), found, artifacts)


def problems_of(found: Found) -> list[str]:
    """What could not be read of a run, as text with file and line."""
    return [f"{problem.path}:{problem.line or 1}: {problem.message}" for problem in found.run.problems]


def print_run(console: Console, found: Found, artifacts: Sequence[tuple[str, int]]) -> None:
    """All sections that have something in them."""
    run = found.run.file
    for line in head_of(found):
        console.print(line)
    print_pairs(console, "Parameters", run.params)
    if run.metrics:
        print_metrics(console, found)
    print_pairs(console, "Tags", {key: tag for key, tag in run.tags.items() if not key.startswith("mlflow.")})
    files = [f"{path}{GAP}({size(count)})" for path, count in artifacts[:SHOWN_ARTIFACTS]]
    more = [f"and {len(artifacts) - SHOWN_ARTIFACTS} more"] if len(artifacts) > SHOWN_ARTIFACTS else []
    print_section(console, "Artifacts", [*files, *more])
    print_section(console, "Note", run.tags.get(NOTE_TAG, "").rstrip().split("\n"))
    print_section(console, "Problems", problems_of(found))


def head_of(found: Found) -> Iterator[Text]:
    """Name and status, then where it belongs, when it ran and which code it was."""
    run, experiment = found.subject
    ended_by = f" by {run.ended_by}" if run.ended_by else ""
    yield Text.assemble(cell(run.name, "bold"), GAP, status_cell(run.status), cell(ended_by))
    lasted = duration_of(run)
    took = "" if lasted is None else f", took {duration(lasted)}"
    yield cell(f"{experiment.name}{GAP}started {moment(run.start_time)}{took}")
    yield cell(f"id {run.run_id}" + (f"{GAP}parent {run.parent}" if run.parent else ""))
    source = run.source
    if source and source.script:
        dirty = ", uncommitted changes" if source.dirty else ""
        commit = f" at {source.commit[:12]}{dirty}" if source.commit else ""
        yield cell(f"{source.script}{commit}")


def print_section(console: Console, title: str, lines: Sequence[str]) -> None:
    """A title and indented lines; nothing at all without lines."""
    if any(lines):
        console.print(Text(f"\n{title}", style="bold"))
        for line in lines:
            console.print(cell(f"{GAP}{line}"))


def print_pairs(console: Console, title: str, pairs: Mapping[str, object]) -> None:
    """Keys and values, one below the other."""
    width = max(map(len, pairs), default=0)
    print_section(console, title, [f"{key:<{width}}{GAP}{value(pairs[key])}" for key in sorted(pairs)])


def print_metrics(console: Console, found: Found) -> None:
    """A row for each metric: its curve, its last value, its best one and where that was."""
    run, experiment = found.subject
    keys = sorted(run.metrics)
    goals = [goal_of(key, experiment.goal) for key in keys]
    metrics = [run.metrics[key] for key in keys]
    bests = [best_of(metric, goal) for metric, goal in zip(metrics, goals, strict=True)]
    shown = [numbers([metric.last, *(best or ())[:1]]) for metric, best in zip(metrics, bests, strict=True)]
    console.print()
    print_table(
        console,
        [
            Column("Metric", [cell(f"{GAP}{key}{ARROWS[goal]}") for key, goal in zip(keys, goals, strict=True)]),
            Column("last", [cell(pair[0]) for pair in shown], right=True),
            Column("best", [cell(pair[1] if pair[1:] else "") for pair in shown], right=True),
            Column("at step", [cell(best[1] if best else "") for best in bests], right=True, rank=1),
            Column("points", [cell(metric.count) for metric in metrics], right=True, rank=2),
            Column("not finite", [cell(metric.nonfinite or "") for metric in metrics], right=True, rank=3),
            Column("curve", [cell(sparkline(metric.spark)) for metric in metrics], rank=4),
        ],
        hint="--json has everything.",
    )
