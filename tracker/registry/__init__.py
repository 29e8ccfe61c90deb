"""Registered models and their versions: read, changed with a history, searched, and checked against a policy."""

from __future__ import annotations

from tracker.registry.changing import Registry
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

__all__ = [
    "Event",
    "ModelState",
    "ReadModel",
    "ReadRegistry",
    "ReadVersion",
    "Registry",
    "check_alias",
    "check_registered_name",
    "events_of",
    "find_model",
    "find_version",
    "read_registry",
    "state_at",
    "unsafe_path",
]
