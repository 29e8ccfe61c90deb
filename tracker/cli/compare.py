"""`tracker compare`: runs side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.text import Text

from tracker.cli.data import print_json, run_data
from tracker.cli.find import Found, find_run
from tracker.cli.options import json_option, store_option
from tracker.cli.table import Column, cell, make_console, print_table
from tracker.cli.text import ARROWS, numbers, value
from tracker.reader import read_store
from tracker.schema import Goal
from tracker.summary import best_of, goal_of

MISSING = object()
BEST = " *"


@dataclass(frozen=True)
class Row:
    """One thing that can differ, with its value in each run."""

    label: str
    values: Sequence[object]
    """MISSING where a run does not have it."""
    goal: Goal | None = None

    @property
    def differs(self) -> bool:
        return len({str(item) for item in self.values}) > 1


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@store_option
@click.option(
    "--all/--diff", "everything", default=False, help="Show every row, or those that differ. [default: --diff]"
)
@json_option
def command(runs: tuple[str, ...], store: Path, everything: bool, as_json: bool) -> None:
    """Compare runs side by side: what differs in their parameters, metrics and tags.

    RUN is an id, the beginning of an id, or a name. A metric with a goal shows its best value, others their last.
    """
    if len(runs) < 2:
        raise click.UsageError("Name at least two runs to compare.")
    read = read_store(store)
    found = [find_run(read, reference) for reference in runs]
    rows = [row for row in rows_of(found) if everything or row.differs]
    if as_json:
        print_json(
            {"runs": [run_data(each.subject) for each in found], "differs": [row.label for row in rows if row.differs]}
        )
    elif rows:
        print_rows(found, rows)
    else:
        click.echo("The runs do not differ in parameters, metrics or tags. --all shows what they have.")


def rows_of(found: Sequence[Found]) -> Iterator[Row]:
    """Status, parameters, metrics and tags of all runs."""
    files = [each.run.file for each in found]
    yield Row("status", [file.status.lower() for file in files])
    for key in sorted({key for file in files for key in file.params}):
        yield Row(f"params.{key}", [file.params.get(key, MISSING) for file in files])
    for key in sorted({key for file in files for key in file.metrics}):
        yield metric_row(found, key)
    for key in sorted({key for file in files for key in file.tags if not key.startswith("mlflow.")}):
        yield Row(f"tags.{key}", [file.tags.get(key, MISSING) for file in files])


def metric_row(found: Sequence[Found], key: str) -> Row:
    """The best value of a metric along the goal that the first run's experiment gives it, else the last one."""
    goal = goal_of(key, found[0].experiment.file.goal)
    values: list[object] = []
    for each in found:
        metric = each.run.file.metrics.get(key)
        best = best_of(metric, goal) if metric else None
        values.append(best[0] if best else metric.last if metric else MISSING)
    return Row(f"best(metrics.{key})" if goal else f"metrics.{key}", values, goal)


def print_rows(found: Sequence[Found], rows: Sequence[Row]) -> None:
    """A column for each run, the best values marked."""
    cells = [cells_of(row) for row in rows]
    labels = Column("", [cell(row.label + ARROWS[row.goal]) for row in rows])
    columns = [
        Column(each.run.file.name, [line[index] for line in cells], right=True, rank=index if index > 1 else 0)
        for index, each in enumerate(found)
    ]
    console = make_console()
    print_table(console, [labels, *columns], hint="--json has all runs.")
    if any(row.goal for row in rows):
        console.print(Text(f"{BEST.strip()} best along the metric's goal", style="dim"))


def cells_of(row: Row) -> list[Text]:
    """Values as text, with as many digits as it takes to tell metrics apart."""
    if not row.label.startswith(("metrics.", "best(")):
        return [cell("" if item is MISSING else value(item)) for item in row.values]
    logged = [item for item in row.values if isinstance(item, float | int)]
    texts = iter(numbers(logged))
    best = best_value(logged, row.goal)
    return [
        cell("") if item is MISSING else marked(next(texts), is_best=item == best, goal=row.goal) for item in row.values
    ]


def best_value(values: Sequence[float], goal: Goal | None) -> float | None:
    """The best of several values; None without a goal, or when all are the same."""
    finite = [item for item in values if math.isfinite(item)]
    if goal is None or len(set(finite)) < 2:
        return None
    return max(finite) if goal == "maximize" else min(finite)


def marked(text: str, *, is_best: bool, goal: Goal | None) -> Text:
    """A number with the mark of the best, or with as much room, so that digits stay below digits."""
    if is_best:
        return cell(text + BEST, "bold green")
    return cell(text + " " * len(BEST) if goal else text)
