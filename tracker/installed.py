"""Installed packages by the names of their metadata folders: opening each would cost fifty times as much."""

from __future__ import annotations

import contextlib
import os
import sys
from functools import cache


@cache
def installed_packages() -> dict[str, str]:
    """Versions by the lower-case names of packages, with hyphens."""
    found: dict[str, str] = {}
    for folder in sys.path:
        with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if entry.name.endswith(".dist-info"):
                    name, _, version = entry.name.removesuffix(".dist-info").partition("-")
                    found.setdefault(name.replace("_", "-").lower(), version)
    return dict(sorted(found.items()))


def is_importable(module: str) -> bool:
    """Whether there is a module of this name; it is not imported, though the packages above it are."""
    import importlib.util

    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def installed_version(package: str) -> str | None:
    """The version of a package, also of one that has no such folder; None when it is not installed."""
    known = installed_packages().get(package)
    if known is not None:
        return known
    import importlib.metadata

    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None
