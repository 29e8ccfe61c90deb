"""Versions held against the rules of their stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tracker import _io, reader
from tracker.exceptions import TrackerError
from tracker.registry.policy import Policy, StageRules
from tracker.registry.reading import ReadModel, ReadVersion
from tracker.registry.report import Finding

Place = Callable[[ReadVersion], str]


def policy_findings(model: ReadModel, policy: Policy, place: Place) -> Iterator[Finding]:
    """What is wrong with the stages of a model by the rules."""
    yield from crowded(model, policy, place)
    yield from lacking(model, policy, place)


def crowded(model: ReadModel, policy: Policy, place: Place) -> Iterator[Finding]:
    """Stages with more versions than there may be."""
    for stage, rules in policy.stages.items():
        versions = [version for version in model.live if version.file.stage == stage]
        if rules.at_most is not None and len(versions) > rules.at_most:
            numbers = ", ".join(version.version for version in versions)
            message = (
                f"{len(versions)} versions of {model.name!r} are in {stage}, and {rules.at_most} may be: {numbers}."
            )
            yield Finding("error", place(versions[-1]), message, model.name)


def lacking(model: ReadModel, policy: Policy, place: Place) -> Iterator[Finding]:
    """What the versions of a model lack for the stages that they are in."""
    for stage, rules in policy.stages.items():
        for version in model.live:
            for message in lacks(version, stage, rules) if version.file.stage == stage else ():
                yield Finding("error", place(version), message, model.name, version.file.version)


def lacks(version: ReadVersion, stage: str, rules: StageRules) -> Iterator[str]:
    """What a version lacks for a stage, a sentence each."""
    what = f"{stage} needs"
    yield from _lacking_files(version, what, rules)
    if "description" in rules.requires and not version.file.description.strip():
        yield f"{what} a description of the version, and it has none."
    yield from _lacking_run(version, what, rules)
    entry = next((c for c in reversed(version.file.history) if c.action == "stage" and c.to == stage), None)
    if entry is not None:
        if rules.reason and not entry.reason.strip():
            yield f"{what} a reason for the transition, and none was given."
        if rules.by and entry.by not in rules.by:
            yield f"{what} one of {', '.join(rules.by)} to move a version there, and {entry.by or 'nobody'!r} did."


def _lacking_files(version: ReadVersion, what: str, rules: StageRules) -> Iterator[str]:
    wanted = {"signature", "input_example", "safe_format"} & set(rules.requires)
    if not wanted:
        return
    from tracker.models.formats import format_of
    from tracker.models.mlmodel import Model

    try:
        folder = version.folder
        if not _io.is_folder(folder):
            return  # the check of references says so
        model = Model.load(folder)
        if "signature" in wanted and model.signature is None:
            yield f"{what} a signature, and the model has none."
    except TrackerError as error:
        yield f"{what} a model that can be looked at: {error.message.replace(f'{version.root}/', '')}"
        return
    if "input_example" in wanted and not model.saved_input_example_info:
        yield f"{what} an input example, and the model has none."
    if "safe_format" in wanted and not format_of(model).safe:
        yield f"{what} a safe format, and loading {format_of(model).name} can run code. Save it as skops, for example."


def _lacking_run(version: ReadVersion, what: str, rules: StageRules) -> Iterator[str]:
    if "run" not in rules.requires and not rules.metrics:
        return
    try:
        metrics = reader.read_run(version.root, version.file.run_id).file.metrics
    except TrackerError:
        there = f"the run {version.file.run_id} is not in the store" if version.file.run_id else "none is named"
        yield f"{what} the run that made the version, and {there}."
        return
    for name, threshold in rules.thresholds().items():
        if name not in metrics:
            yield f"{what} {name} {threshold}, and its run did not log {name}."
        elif not threshold.holds(float(metrics[name].last)):
            yield f"{what} {name} {threshold}, and its run has {float(metrics[name].last):g}."
