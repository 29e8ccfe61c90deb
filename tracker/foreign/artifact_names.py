"""Paths of artifacts for what another tracker knows by a name of any characters."""

from __future__ import annotations

import re

from tracker import names
from tracker.exceptions import InvalidNameError
from tracker.foreign.records import derived_id

_LONGEST = 100
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff<>:"|?*\\%~]')


class ArtifactNames:
    """Gives each name one path, and no path to two names."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def path(self, folder: str, name: str) -> str:
        """The path below a folder; slashes of the name are folders in it."""
        key = (folder, name)
        if key not in self._paths:
            base = f"{folder}/{_allowed(name)}"
            free, number = base, 1
            while free.casefold() in self._taken:
                number += 1
                free = f"{base}-{number}"
            self._taken.add(free.casefold())
            self._paths[key] = free
        return self._paths[key]


def _allowed(name: str) -> str:
    parts = [_FORBIDDEN.sub("_", part).strip(" .")[:_LONGEST].strip(" .") for part in name.split("/")]
    path = "/".join(part for part in parts if part)
    try:
        names.check_artifact_path(path)
    except InvalidNameError:
        return derived_id(name)[:16]
    return path
