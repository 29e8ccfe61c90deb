"""Registered models on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from tracker.cli.registry_data import chosen
from tracker.cli.show import GAP, print_pairs, print_section
from tracker.cli.table import Column, cell, make_console, print_table
from tracker.cli.text import counted, moment
from tracker.registry import ModelState, ReadModel, ReadVersion, events_of
from tracker.registry.history import text_of
from tracker.schema import Change

STAGE_STYLES = {"production": "green", "staging": "cyan", "archived": "dim"}
SHOWN_EVENTS = 20


def print_models(models: Sequence[ReadModel]) -> None:
    """A row for each model."""
    entities = [model.entity() for model in models]
    columns = [
        Column("model", [cell(model.name) for model in models]),
        Column("versions", [cell(len(model.live)) for model in models], right=True),
        Column("stages", [cell(stages_of(model)) for model in models], rank=1),
        Column("aliases", [cell(", ".join(entity.aliases)) for entity in entities], rank=2),
        Column("last change", [cell(moment(entity.last_updated_timestamp)) for entity in entities], rank=3),
        Column("description", [cell(first_line(model.file.description)) for model in models], rank=4),
    ]
    print_table(make_console(), columns, hint="--json has everything.")


def stages_of(model: ReadModel) -> str:
    """The versions in each stage but `None`."""
    pairs = [(stage, model.in_stage(stage)) for stage in model.stages if stage != "None"]
    return ", ".join(
        f"{stage} {' '.join(found.version for found in versions)}" for stage, versions in pairs if versions
    )


def print_model(model: ReadModel) -> None:
    """A model, its versions, and what happened to it last."""
    console = make_console()
    console.print(cell(model.name, "bold"))
    console.print(cell(f"{counted(len(model.live), 'version')}{GAP}registered {model.file.created}"))
    if model.live:
        console.print()
        print_versions(console, list(reversed(model.live)))
    print_pairs(console, "Aliases", {alias: f"-> {target}" for alias, target in model.file.aliases.items()})
    print_pairs(console, "Tags", model.file.tags)
    print_section(console, "Description", model.file.description.rstrip().split("\n"))
    events = events_of(model)
    lines = [line_of(event.change, event.version) for event in reversed(events[-SHOWN_EVENTS:])]
    more = [f"and {len(events) - SHOWN_EVENTS} more"] if len(events) > SHOWN_EVENTS else []
    print_section(console, "History", [*lines, *more])
    print_section(console, "Problems", [f"{problem.path}: {problem.message}" for problem in model.problems])


def print_versions(console: Console, versions: Sequence[ReadVersion]) -> None:
    """A row for each version."""
    files = [version.file for version in versions]
    columns = [
        Column("version", [cell(file.version) for file in files], right=True),
        Column("stage", [stage_cell(file.stage) for file in files]),
        Column("aliases", [cell(", ".join(version.aliases)) for version in versions], rank=1),
        Column("registered", [cell(file.created) for file in files], rank=2),
        Column("run", [cell(file.run_id[-8:]) for file in files], rank=3),
        Column("description", [cell(first_line(file.description)) for file in files], rank=4),
    ]
    print_table(console, columns, hint="--json has everything.")


def print_version(version: ReadVersion) -> None:
    """Everything about a version."""
    console, file = make_console(), version.file
    console.print(cell(f"{version.model_name} {version.version}", "bold"), stage_cell(file.stage), sep=GAP)
    facts = {
        "registered": file.created,
        "from": file.source,
        "run": file.run_id,
        "aliases": ", ".join(version.aliases),
        "model": file.path,
        "digest": file.digest,
    }
    for key, fact in facts.items():
        if fact:
            console.print(cell(f"{key:<10}{GAP}{fact}"))
    print_pairs(console, "Tags", file.tags)
    print_section(console, "Description", file.description.rstrip().split("\n"))
    print_section(console, "History", [line_of(change, None) for change in reversed(file.history)])


def print_state(state: ModelState, numbers: set[int] | None) -> None:
    """The stages and aliases of a time."""
    console = make_console()
    console.print(cell(f"{state.name} at {text_of(state.time)}", "bold"))
    stages = chosen(state, numbers)
    if not stages:
        console.print(cell("There was no version yet." if numbers is None else "The version was not there."))
        return
    console.print()
    print_table(
        console,
        [
            Column("version", [cell(number) for number in reversed(stages)], right=True),
            Column("stage", [stage_cell(stage) for stage in reversed(stages.values())]),
        ],
    )
    print_pairs(console, "Aliases", {alias: f"-> {target}" for alias, target in state.aliases.items()})


def line_of(change: Change, version: int | None) -> str:
    """A change in a line: when, what, who and why."""
    subject = "" if version is None else f"version {version} "
    what = {
        "registered": f"{subject or 'version '}{'' if subject else change.to + ' '}registered",
        "stage": f"{subject}{change.from_ or 'None'} -> {change.to}",
        "alias": f"alias {change.alias} {'-> ' + change.to if change.to else 'removed'}",
        "renamed": f"renamed from {change.from_}",
        "deleted": f"{subject}deleted",
    }.get(change.action, change.action)
    who = f"{GAP}by {change.by}" if change.by else ""
    why = f": {first_line(change.reason)}" if change.reason else ""
    return f"{change.time}{GAP}{what}{who}{why}"


def stage_cell(stage: str) -> Text:
    """The stage of a version."""
    return cell(stage, STAGE_STYLES.get(stage.lower(), ""))


def first_line(text: str) -> str:
    """The first line of prose."""
    return text.strip().partition("\n")[0]
