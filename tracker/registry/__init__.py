"""Registered models and their versions: read, changed with a history, searched, and checked against a policy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracker.registry.changing import Registry
    from tracker.registry.check import check_registry
    from tracker.registry.history import Event, ModelState, events_of, state_at
    from tracker.registry.naming import check_alias, check_registered_name
    from tracker.registry.reading import (
        ReadModel,
        ReadRegistry,
        ReadVersion,
        find_model,
        find_version,
        read_registry,
        unsafe_path,
    )
    from tracker.registry.report import Finding, Report
    from tracker.registry.search import search_model_versions, search_registered_models

__all__ = [
    "Event",
    "Finding",
    "ModelState",
    "ReadModel",
    "ReadRegistry",
    "ReadVersion",
    "Registry",
    "Report",
    "check_alias",
    "check_registered_name",
    "check_registry",
    "events_of",
    "find_model",
    "find_version",
    "read_registry",
    "search_model_versions",
    "search_registered_models",
    "state_at",
    "unsafe_path",
]

_HOMES = {
    name: f"tracker.registry.{module}"
    for module, names in {
        "changing": "Registry",
        "check": "check_registry",
        "history": "Event ModelState events_of state_at",
        "naming": "check_alias check_registered_name",
        "reading": "ReadModel ReadRegistry ReadVersion find_model find_version read_registry unsafe_path",
        "report": "Finding Report",
        "search": "search_model_versions search_registered_models",
    }.items()
    for name in names.split()
}


def __getattr__(name: str) -> Any:
    """Load what is asked for."""
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    from tracker.exceptions import did_you_mean

    raise AttributeError(f"tracker.registry has no {name!r}.{did_you_mean(name, _HOMES)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
