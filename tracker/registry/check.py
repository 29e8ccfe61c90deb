"""The gate of a registry: references, digests, stages, aliases, numbers, histories, and the policy.

It reads, and changes nothing. No model is loaded, and no content of the store makes it raise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracker import _io, reader
from tracker.exceptions import TrackerError
from tracker.registry.faults import faults_of, policy_or_default, unknown_stages, version_place
from tracker.registry.naming import NO_STAGE
from tracker.registry.policy import Policy
from tracker.registry.policy_check import lacking
from tracker.registry.reading import ReadModel, ReadVersion, read_registry
from tracker.registry.report import Finding, ModelSummary, Report


def check_registry(root: Path | str, *, policy: Policy | None = None) -> Report:
    """Check the registry of a store; `policy` stands in for its policy file.

    Raises NotAStoreError for a folder that is no store, and nothing for what is in it.
    """
    root = Path(root)
    reader.read_store_file(root)
    found = read_registry(root)
    findings = [Finding("error", problem.path, problem.message) for problem in found.problems]
    if policy is None:
        policy, wrong = policy_or_default(root)
        findings += wrong
    findings += unknown_stages(found, policy)
    for model in found.models:
        findings += check_model(model, policy)
    order = {"error": 0, "warning": 1}
    findings.sort(key=lambda finding: (order[finding.severity], finding.path))
    return Report(tuple(findings), tuple(map(_summary, found.models)))


def check_model(model: ReadModel, policy: Policy) -> Iterator[Finding]:
    """What is wrong with one model and its versions."""
    yield from faults_of(model, policy)
    for version in model.live:
        yield from _reference(version, version_place(model, version))
    yield from lacking(model, policy, lambda version: version_place(model, version))


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


def _summary(model: ReadModel) -> ModelSummary:
    stages: dict[str, list[int]] = {}
    for version in model.live:
        if version.file.stage != NO_STAGE:
            stages.setdefault(version.file.stage, []).append(version.file.version)
    return ModelSummary(model.name, len(model.live), stages, dict(model.file.aliases))
