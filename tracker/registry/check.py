"""The gate of a registry: references, digests, stages, aliases, numbers, histories, and the policy.

It reads, and changes nothing. No model is loaded, and no content of the store makes it raise.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, pairwise
from pathlib import Path

from tracker import _io, layout, reader
from tracker.entities import time_of
from tracker.exceptions import InvalidValueError, NotFoundError, TrackerError, did_you_mean
from tracker.registry.naming import NO_STAGE, check_alias, find_stage, is_alias
from tracker.registry.policy import DEFAULT_POLICY, Policy, read_policy
from tracker.registry.policy_check import policy_findings
from tracker.registry.reading import (
    ReadModel,
    ReadRegistry,
    ReadVersion,
    read_registry,
    resolve_alias,
    version_numbers,
    versions_of_aliases,
)
from tracker.registry.report import Finding, ModelSummary, Report

MAX_NAMED = 10
"""Missing versions, or broken aliases, that are named for one model."""


def check_registry(root: Path | str, *, policy: Policy | None = None) -> Report:
    """Check the registry of a store; `policy` stands in for its policy file.

    Raises NotAStoreError for a folder that is no store, and nothing for what is in it.
    """
    root = Path(root)
    reader.read_store_file(root)
    found = read_registry(root)
    findings = [Finding("error", problem.path, problem.message) for problem in found.problems]
    if policy is None:
        try:
            policy = read_policy(root)
        except InvalidValueError as error:
            path = layout.policy_file(root)
            findings.append(Finding("error", _place(path, root), error.message.removeprefix(f"{path}: ")))
            policy = DEFAULT_POLICY
    findings += _unknown_stages(found, policy)
    for model in found.models:
        findings += check_model(model, policy)
    order = {"error": 0, "warning": 1}
    findings.sort(key=lambda finding: (order[finding.severity], finding.path))
    return Report(tuple(findings), tuple(map(_summary, found.models)))


def check_model(model: ReadModel, policy: Policy) -> Iterator[Finding]:
    """What is wrong with one model and its versions."""
    yield from _numbers(model)
    yield from _aliases(model)
    for version in model.versions:
        yield from _history(model, version)
    for version in model.live:
        yield from _reference(version, version_place(model, version))
    yield from policy_findings(model, policy, lambda version: version_place(model, version))


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
    broken = [alias for alias in model.file.aliases if alias not in working or not is_alias(alias)]
    for alias in broken[:MAX_NAMED]:
        try:
            check_alias(alias)
            model.version(resolve_alias(model.file, alias))
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

    if find_stage(file.stage, model.stages) != file.stage:
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


def _reference(version: ReadVersion, place: str) -> Iterator[Finding]:
    """The model that is named is there, and is what it was; so is its run."""
    from tracker.models import digests

    name, number = version.model_name, version.file.version
    try:
        folder = version.folder
        if not _io.is_folder(folder):
            gone = f"there is no {version.file.path}. Restore them, or delete the version."
            yield Finding("error", place, f"The files of the model are gone: {gone}", name, number)
        else:
            manifest = digests.read_manifest(folder)
            if manifest is not None:
                digests.verify(folder, manifest)
            found = manifest.digest if manifest else digests.folder_digest(folder)
            if found != version.file.digest:
                message = f"The model in {version.file.path} has the digest {found}, not the one that was registered."
                yield Finding("error", place, message, name, number)
    except TrackerError as error:
        yield Finding("error", place, error.message.replace(f"{version.root}/", ""), name, number)
    if version.file.run_id and not _has_run(version):
        message = f"The run {version.file.run_id} that made it is not in the store."
        yield Finding("warning", place, message, name, number)


def _has_run(version: ReadVersion) -> bool:
    try:
        return bool(reader.find_run(version.root, version.file.run_id))
    except TrackerError:
        return False


def _unknown_stages(found: ReadRegistry, policy: Policy) -> Iterator[Finding]:
    """Rules for stages that no model has protect nothing."""
    known = sorted({stage for model in found.models for stage in model.stages})
    for stage in policy.stages:
        if known and stage not in known:
            message = (
                f"No model has the stage {stage!r}.{did_you_mean(stage, known)} The stages are {', '.join(known)}."
            )
            yield Finding("error", f"{layout.REGISTRY}/{layout.POLICY_FILE}", message)


def _summary(model: ReadModel) -> ModelSummary:
    stages: dict[str, list[int]] = {}
    for version in model.live:
        if version.file.stage != NO_STAGE:
            stages.setdefault(version.file.stage, []).append(version.file.version)
    return ModelSummary(model.name, len(model.live), stages, dict(model.file.aliases))
