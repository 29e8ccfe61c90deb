"""Two versions of a registered model side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tracker import reader
from tracker.cli.compare import MISSING, Row, cells_of
from tracker.cli.find import Found
from tracker.cli.registry_data import version_data
from tracker.cli.table import Column, cell, make_console, print_table
from tracker.cli.text import ARROWS, size
from tracker.exceptions import TrackerError
from tracker.models.inspection import ModelFacts, inspect_folder
from tracker.reader import ReadExperiment, read_experiment_file
from tracker.registry import ReadVersion
from tracker.schema import ExperimentFile
from tracker.summary import goal_of

Pair = tuple[ReadVersion, ReadVersion]


def rows_of(pair: Pair) -> Iterator[Row]:
    """Stage and run, then what the runs logged, then what the models are."""
    files = [version.file for version in pair]
    yield Row("stage", [file.stage for file in files])
    yield Row("run", [file.run_id or MISSING for file in files])
    yield from _run_rows([_run_of(version) for version in pair])
    yield from _model_rows([_facts_of(version) for version in pair])
    yield Row("digest", [file.digest for file in files])


def _run_of(version: ReadVersion) -> Found | None:
    """The run that made a version, with its experiment; None when it is gone."""
    try:
        run = reader.read_run(version.root, version.file.run_id)
    except TrackerError:
        return None
    folder = run.runs.parent
    try:
        file = read_experiment_file(folder)
    except (OSError, ValueError):
        file = ExperimentFile(id=run.slug, name=run.slug)
    return Found(run, ReadExperiment(run.slug, folder, file))


def _run_rows(runs: Sequence[Found | None]) -> Iterator[Row]:
    found = [each for each in runs if each is not None]
    for key in sorted({key for each in found for key in each.run.file.params}):
        yield Row(f"params.{key}", [each.run.file.params.get(key, MISSING) if each else MISSING for each in runs])
    for key in sorted({key for each in found for key in each.run.file.metrics}):
        goal = goal_of(key, found[0].experiment.file.goal)
        yield Row(f"metrics.{key}", [_last(each, key) for each in runs], goal)


def _last(run: Found | None, key: str) -> object:
    """What the model ended its training with."""
    metric = run.run.file.metrics.get(key) if run else None
    return metric.last if metric else MISSING


def _facts_of(version: ReadVersion) -> ModelFacts:
    try:
        return inspect_folder(version.folder)
    except TrackerError as error:
        return ModelFacts(problems=(error.message,))


def _model_rows(facts: Sequence[ModelFacts]) -> Iterator[Row]:
    yield Row("format", [each.format for each in facts])
    yield Row("python", [each.python or MISSING for each in facts])
    yield Row("size", [each.size or MISSING for each in facts])
    columns = [dict(_columns(each)) for each in facts]
    for name in dict.fromkeys(name for each in columns for name in each):
        yield Row(name, [each.get(name, MISSING) for each in columns])
    requirements = [dict(_requirement(line) for line in each.requirements) for each in facts]
    for package in sorted({package for each in requirements for package in each}):
        yield Row(f"requirements.{package}", [each.get(package, MISSING) for each in requirements])


def _columns(facts: ModelFacts) -> Iterator[tuple[str, str]]:
    """What a signature says of each input, output and param."""
    texts = facts.signature.to_dict() if facts.signature else {}
    for part in ("inputs", "outputs", "params"):
        for number, spec in enumerate(json.loads(texts.get(part) or "[]")):
            tensor = spec.get("tensor-spec", {})
            kind = f"{tensor['dtype']} {tensor['shape']}" if tensor else str(spec.get("type"))
            optional = " (optional)" if spec.get("required") is False else ""
            yield f"{part}.{spec.get('name', number)}", kind + optional


def _requirement(line: str) -> tuple[str, str]:
    """A package, and what is asked of its version."""
    for mark in ("==", ">=", "<=", "~=", "!=", ">", "<", "@"):
        name, found, rest = line.partition(mark)
        if found:
            return name.strip(), rest.strip() if mark == "==" else f"{mark}{rest.strip()}"
    return line.strip(), "any"


def compare_data(pair: Pair, rows: Sequence[Row]) -> dict[str, Any]:
    """Both versions, and each row with its two values; null where one has none."""
    return {
        "versions": [version_data(version) for version in pair],
        "rows": {row.label: [None if item is MISSING else item for item in row.values] for row in rows},
        "differs": [row.label for row in rows if row.differs],
    }


def print_rows(pair: Pair, rows: Sequence[Row]) -> None:
    """A column for each version."""
    shown = [_readable(row) for row in rows]
    lines = [cells_of(row) for row in shown]
    columns = [Column("", [cell(row.label + ARROWS[row.goal]) for row in shown])]
    for index, version in enumerate(pair):
        head = f"{version.model_name} {version.version}"
        columns.append(Column(head, [line[index] for line in lines], right=True))
    print_table(make_console(), columns, hint="--json has everything.")


def _readable(row: Row) -> Row:
    if row.label == "size":
        return Row(row.label, [item if item is MISSING else size(int(str(item))) for item in row.values])
    return row
