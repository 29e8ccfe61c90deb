"""`tracker experiments`: what was tried, and how well it went."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from tracker.cli.data import print_json
from tracker.cli.goals import Best, best_run, goal_metrics
from tracker.cli.options import json_option, store_option
from tracker.cli.table import Column, cell, make_console, print_table
from tracker.cli.text import ARROWS, moment, number
from tracker.query import RunSubject
from tracker.reader import ReadExperiment, read_store


@click.command("experiments")
@store_option
@json_option
def command(store: Path, as_json: bool) -> None:
    """List the experiments, each with its runs and the best value of its first metric with a goal."""
    read = read_store(store)
    if as_json:
        print_json([experiment_data(experiment) for experiment in read.experiments])
    elif read.experiments:
        print_experiments(read.experiments)
    else:
        click.echo(f"There are no experiments in {read.root}.")


def best_of_experiment(experiment: ReadExperiment) -> Best | None:
    """The best value of the first metric with a goal."""
    subjects = [RunSubject(run.file, experiment.file) for run in experiment.runs]
    metrics = goal_metrics(subjects)
    return best_run(subjects, *metrics[0]) if metrics else None


def last_activity(experiment: ReadExperiment) -> int | None:
    """Latest start or end of a run in UTC milliseconds; None without runs."""
    return max((run.file.end_time or run.file.start_time for run in experiment.runs), default=None)


def experiment_data(experiment: ReadExperiment) -> dict[str, Any]:
    """An experiment for programs."""
    best, file = best_of_experiment(experiment), experiment.file
    return {
        "experiment_id": file.id,
        "name": file.name,
        "slug": experiment.slug,
        "description": file.description,
        "tags": file.tags,
        "goal": file.goal,
        "runs": len(experiment.runs),
        "status": Counter(run.file.status for run in experiment.runs),
        "last_activity": last_activity(experiment),
        "best": best and {**best._asdict(), "run": best.run.run_id, "run_name": best.run.name},
    }


def print_experiments(experiments: tuple[ReadExperiment, ...]) -> None:
    """A row for each experiment."""
    bests = [best_of_experiment(experiment) for experiment in experiments]
    statuses = [Counter(run.file.status for run in experiment.runs) for experiment in experiments]
    active = [last_activity(experiment) for experiment in experiments]
    columns = [
        Column("experiment", [cell(experiment.file.name) for experiment in experiments]),
        Column("runs", [cell(len(experiment.runs)) for experiment in experiments], right=True),
        Column("failed", [cell(count["FAILED"] or "", "red") for count in statuses], right=True, rank=4),
        Column("running", [cell(count["RUNNING"] or "", "cyan") for count in statuses], right=True, rank=5),
        Column("last activity", [cell(moment(time)) for time in active], rank=3),
        Column("best", [cell(number(best.value, 5) if best else "") for best in bests], right=True, rank=1),
        Column("of", [cell(best.metric + ARROWS[best.goal] if best else "") for best in bests], rank=1),
        Column("by", [cell(best.run.name if best else "") for best in bests], rank=2),
    ]
    print_table(make_console(), columns, hint="--json has everything.")
