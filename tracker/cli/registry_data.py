"""Registered models as plain values for `--json`."""

from __future__ import annotations

from typing import Any

import msgspec

from tracker.registry import ModelState, ReadModel, ReadVersion, Report


def model_data(model: ReadModel) -> dict[str, Any]:
    """A model with its versions and its history."""
    return {
        **msgspec.structs.asdict(model.entity()),
        "latest_versions": [version.version for version in model.entity().latest_versions],
        "slug": model.slug,
        "stages": model.stages,
        "versions": [version_data(version) for version in model.live],
        "history": msgspec.to_builtins(model.file.history),
        "problems": [f"{problem.path}: {problem.message}" for problem in model.problems],
    }


def version_data(version: ReadVersion) -> dict[str, Any]:
    """A version with its history."""
    return {
        **msgspec.structs.asdict(version.entity()),
        "path": version.file.path,
        "history": msgspec.to_builtins(version.file.history),
    }


def state_data(state: ModelState, numbers: set[int] | None) -> dict[str, Any]:
    """A model as it was at a time, or some of its versions."""
    return {
        "name": state.name,
        "time": state.time,
        "stages": {str(number): stage for number, stage in chosen(state, numbers).items()},
        "aliases": state.aliases,
    }


def chosen(state: ModelState, numbers: set[int] | None) -> dict[int, str]:
    """The stages of all versions of a state, or of some."""
    return {number: stage for number, stage in state.stages.items() if numbers is None or number in numbers}


def report_data(report: Report) -> dict[str, Any]:
    """What a check found."""
    return {"passed": report.passed, "summary": report.summary, **msgspec.to_builtins(report)}
