"""What is wrong in the files of a registry, as far as these files alone can tell: the check and sites say the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, pairwise
from pathlib import Path

import msgspec

from tracker import layout
from tracker.entities import time_of
from tracker.exceptions import InvalidValueError, NotFoundError, StoreError, did_you_mean
from tracker.logs import Problem
from tracker.registry.aliases import resolve_alias, versions_of_aliases
from tracker.registry.model_files import version_numbers
from tracker.registry.naming import NO_STAGE, check_alias, find_stage, is_alias
from tracker.registry.policy import DEFAULT_POLICY, Policy, read_policy
from tracker.registry.policy_check import crowded
from tracker.registry.reading import ReadModel, ReadRegistry, ReadVersion, read_registry
from tracker.registry.report import Finding

MAX_NAMED = 10
"""Missing versions, or broken aliases, that are named for one model."""


def read_checked_registry(root: Path | str) -> ReadRegistry:
    """Everything that is registered in a store; errors that the check would find in these files are problems, too.

    The models themselves and their runs are not looked at, and nothing is hashed.
    """
    found = read_registry(root)
    policy, findings = policy_or_default(found.root)
    general = [*findings, *unknown_stages(found, policy)]
    models = [_with_faults(model, policy) for model in found.models]
    added = [
        problem for old, new in zip(found.models, models, strict=True) for problem in new.problems[len(old.problems) :]
    ]
    return ReadRegistry(found.root, tuple(models), (*found.problems, *map(_problem, general), *added))


def _with_faults(model: ReadModel, policy: Policy) -> ReadModel:
    errors = [_problem(finding) for finding in faults_of(model, policy) if finding.severity == "error"]
    return msgspec.structs.replace(model, problems=(*model.problems, *errors))


def _problem(finding: Finding) -> Problem:
    return Problem(finding.path, None, finding.message)


def policy_or_default(root: Path) -> tuple[Policy, list[Finding]]:
    """The policy of a store; the default one, with the reason, where its file is wrong."""
    try:
        return read_policy(root), []
    except InvalidValueError as error:
        path = layout.policy_file(root)
        return DEFAULT_POLICY, [Finding("error", _place(path, root), error.message.removeprefix(f"{path}: "))]


def faults_of(model: ReadModel, policy: Policy) -> Iterator[Finding]:
    """What is wrong in the files of one model: numbers, aliases, histories, and too many versions in a stage."""
    yield from _numbers(model)
    yield from _aliases(model)
    for version in model.versions:
        yield from _history(model, version)
    yield from crowded(model, policy, lambda version: version_place(model, version))


def _place(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def version_place(model: ReadModel, version: ReadVersion) -> str:
    """The file of a version, relative to the store."""
    return _place(layout.version_file(model.root, model.slug, version.file.version), model.root)


def _numbers(model: ReadModel) -> Iterator[Finding]:
    """Numbers without gaps: a version that is deleted leaves its file."""
    numbers = version_numbers(model.root, model.slug)
    gaps = (range(before + 1, after) for before, after in pairwise([0, *numbers]))
    for number in islice(chain.from_iterable(gaps), MAX_NAMED):
        path = _place(layout.version_file(model.root, model.slug, number), model.root)
        yield Finding("error", path, "is missing. Bring the file back: deleted versions keep it.", model.name, number)


def _aliases(model: ReadModel) -> Iterator[Finding]:
    """Aliases that are words, lead to versions that are there, and were set with a line in the history."""
    place = _place(layout.model_file(model.root, model.slug), model.root)
    logged = {change.alias: change.to for change in model.file.history if change.action == "alias"}
    live = {version.file.version for version in model.live}
    working = {alias for number, found in versions_of_aliases(model.file).items() if number in live for alias in found}
    broken = [alias for alias in model.file.aliases if alias not in working or not is_alias(alias, model.stages)]
    for alias in broken[:MAX_NAMED]:
        try:
            check_alias(alias, model.stages)
            model.version(resolve_alias(model.file, alias))
        except StoreError:
            continue  # the file that it leads to is named already
        except (InvalidValueError, NotFoundError) as error:
            yield Finding("error", place, f"The alias {alias!r} does not work: {error.message}", model.name)
    for alias, target in model.file.aliases.items():
        if logged.get(alias, "") != target:
            message = f"The alias {alias!r} was set to {target!r} without a line in the history."
            yield Finding("warning", place, message, model.name)
    for alias, target in logged.items():
        if target and alias not in model.file.aliases:
            message = f"The alias {alias!r} was removed without a line in the history."
            yield Finding("warning", place, message, model.name)
    yield from _times([change.time for change in model.file.history], place, model.name, None)


def _history(model: ReadModel, version: ReadVersion) -> Iterator[Finding]:
    """A known stage, to which the history leads step by step."""
    file, place = version.file, version_place(model, version)

    def error(message: str) -> Finding:
        return Finding("error", place, message, model.name, file.version)

    if find_stage(file.stage, model.stages) != file.stage and _has_stages(model):
        near = did_you_mean(file.stage, model.stages)
        yield error(f"{file.stage!r} is no stage of {model.name!r}.{near} Its stages are {', '.join(model.stages)}.")
    moves = [change for change in file.history if change.action == "stage"]
    led = moves[-1].to if moves else NO_STAGE
    if led != file.stage:
        yield error(
            f"The stage is {file.stage}, but the history leads to {led}. "
            "Add a line to the history, as `tracker registry promote` does."
        )
    for before, after in zip([NO_STAGE, *(move.to for move in moves)], moves, strict=False):
        if after.from_ != before:
            yield error(f"The history goes on from {after.from_}, but it had led to {before}: a line is missing.")
    if file.deleted != any(change.action == "deleted" for change in file.history):
        yield error("`deleted` and the history say different things.")
    yield from _times([change.time for change in file.history], place, model.name, file.version)


def _has_stages(model: ReadModel) -> bool:
    """Whether `model.yaml` could be read, which says which stages there are."""
    place = _place(layout.model_file(model.root, model.slug), model.root)
    return all(problem.path != place for problem in model.unreadable)


def _times(texts: list[str], place: str, name: str, number: int | None) -> Iterator[Finding]:
    times = [time_of(text) for text in texts]
    for text, time in zip(texts, times, strict=True):
        if time is None:
            yield Finding("error", place, f"{text!r:.50} in the history is no time.", name, number)
    known = [(time, text) for time, text in zip(times, texts, strict=True) if time is not None]
    for (before, _), (after, text) in pairwise(known):
        if after < before:
            message = f"The history goes back in time at {text}. Lines are only ever added at its end."
            yield Finding("warning", place, message, name, number)


def unknown_stages(found: ReadRegistry, policy: Policy) -> Iterator[Finding]:
    """Rules for stages that no model has protect nothing."""
    known = sorted({stage for model in found.models for stage in model.stages})
    for stage in policy.stages:
        if known and stage not in known:
            message = (
                f"No model has the stage {stage!r}.{did_you_mean(stage, known)} The stages are {', '.join(known)}."
            )
            yield Finding("error", f"{layout.REGISTRY}/{layout.POLICY_FILE}", message)
