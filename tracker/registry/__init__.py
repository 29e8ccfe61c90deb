"""Registered models and their versions: read, changed with a history, searched, and checked against a policy."""

from __future__ import annotations

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
