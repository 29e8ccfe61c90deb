"""`tracker list`: the runs that match a query."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from rich.text import Text

from tracker.cli.data import print_json, run_data
from tracker.cli.find import id_length
from tracker.cli.goals import goal_metrics
from tracker.cli.options import json_option, store_option
from tracker.cli.table import Column, cell, make_console, print_table, status_cell
from tracker.cli.text import ARROWS, duration, moment, number, value
from tracker.query import MISSING, RUNS, Field, RunSource, RunSubject, compile_query, parse_order
from tracker.reader import ReadStore, read_store
from tracker.search import sort_runs

DEFAULT_LIMIT = 50
MOST_METRICS = 6
MOST_PARAMS = 8
DIGITS = 5
_ITEMS = re.compile(r"(?:`[^`]*`|[^,`])+")


@click.command("list")
@click.argument("query", nargs=-1)
@store_option
@click.option("--experiment", "-e", multiple=True, metavar="NAME", help="Only runs of this experiment; repeatable.")
@click.option(
    "--order-by",
    "-o",
    multiple=True,
    metavar="FIELD",
    help='Such as "metrics.acc DESC"; repeatable. [default: newest first]',
)
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(min=0),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="How many runs; 0 for all.",
)
@click.option("--columns", "-c", metavar="FIELDS", help="Such as run_name,params.lr,best(metrics.acc).")
@json_option
def command(
    query: tuple[str, ...],
    store: Path,
    experiment: tuple[str, ...],
    order_by: tuple[str, ...],
    limit: int,
    columns: str | None,
    as_json: bool,
) -> None:
    """List runs, newest first, or those that match QUERY, such as 'metrics.acc > 0.9 and params.lr < 0.1'."""
    fields = [(item.strip(), parse_order(item).field) for item in _ITEMS.findall(columns or "")]
    matches = compile_query(" ".join(query))
    read = read_store(store)
    subjects = sort_runs(filter(matches, subjects_of(read, experiment)), order_by)
    shown = subjects[: limit or None]
    if as_json:
        print_json([run_data(subject) for subject in shown])
    elif not shown:
        click.echo("No run matches." if query else f"There are no runs in {read.root}.")
    else:
        table = chosen_columns(shown, fields) if fields else default_columns(shown, read)
        print_table(console := make_console(), list(table), hint="--columns chooses.")
        if read.problems:
            click.echo(f"{len(read.problems):,} problems in {read.root}; `tracker build` lists them.", err=True)
        if len(shown) < len(subjects):
            console.print(cell(f"{len(shown)} of {len(subjects):,} runs. --limit 0 shows all.", "dim"))


def subjects_of(store: ReadStore, experiments: Sequence[str]) -> Iterator[RunSubject]:
    """The runs of the named experiments, or of all."""
    for experiment in map(store.experiment_named, experiments) if experiments else store.experiments:
        for run in experiment.runs:
            yield RunSubject(run.file, experiment.file)


def chosen_columns(subjects: Sequence[RunSubject], fields: Sequence[tuple[str, Field]]) -> Iterator[Column]:
    """A column for each field as it was typed; all but the first may give way."""
    for rank, (head, field) in enumerate(fields):
        yield field_column(head, field, subjects, rank)


def default_columns(subjects: Sequence[RunSubject], store: ReadStore) -> Iterator[Column]:
    """Who it is and how it went; the best of each metric with a goal; parameters that vary."""
    length = id_length(run.file.run_id for run in store.runs())
    yield Column("id", [cell(run.run_id[-length:]) for run, _ in subjects])
    yield Column("name", [cell(run.name) for run, _ in subjects])
    yield Column("status", [status_cell(run.status) for run, _ in subjects], rank=1)
    if len({experiment.name for _, experiment in subjects}) > 1:
        yield field_column("experiment", Field("attribute", "experiment_name"), subjects, 2)
    for rank, (metric, goal) in enumerate(goal_metrics(subjects)[:MOST_METRICS]):
        yield field_column(metric + ARROWS[goal], Field("metric", metric, "best"), subjects, 3 + rank)
    for rank, param in enumerate(varying_params(subjects)):
        yield field_column(param, Field("param", param), subjects, 20 + rank)
    yield field_column("started", Field("attribute", "start_time"), subjects, 10)
    yield field_column("took", Field("attribute", "duration"), subjects, 11)


def varying_params(subjects: Sequence[RunSubject]) -> list[str]:
    """Parameters that have several values, those that most runs have first."""
    counts = Counter(param for run, _ in subjects for param in run.params)
    values = {param: {str(run.params[param]) for run, _ in subjects if param in run.params} for param in counts}
    return [param for param, _ in counts.most_common() if len(values[param]) > 1][:MOST_PARAMS]


def field_column(head: str, field: Field, subjects: Sequence[RunSubject], rank: int) -> Column:
    """The values of a field, in the way of its kind."""
    values = list(map(RunSource().getter(field), subjects))
    show = formatter(field)
    numeric = any(isinstance(item, float | int) for item in values)
    return Column(head, [cell("") if item is MISSING else show(item) for item in values], right=numeric, rank=rank)


def formatter(field: Field) -> Callable[[object], Text]:
    """How a value of a field is shown."""
    kind = RUNS.kind(field)
    if kind == "status":
        return lambda item: status_cell(str(item))
    if kind == "number":
        return lambda item: cell(number(item, DIGITS) if isinstance(item, float) else value(item))
    if kind in ("time", "duration"):
        show = moment if kind == "time" else duration
        return lambda item: cell(show(item) if isinstance(item, int) else item)
    return lambda item: cell(value(item))
