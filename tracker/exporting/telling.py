"""Problems of an export, each told once, with paths relative to the store."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tracker.logs import Problem


class Problems:
    """What could not be exported as it is."""

    def __init__(self, root: Path) -> None:
        self._prefix = f"{root}{os.sep}"
        self._found: dict[Problem, None] = {}

    def tell(self, place: Path | str, reason: str, run_id: str | None = None) -> None:
        """Note a problem of a file or folder."""
        self.add(Problem(str(place), None, reason), run_id)

    def add(self, problem: Problem, run_id: str | None = None) -> None:
        """Note one that a reader found."""
        path = problem.path.removeprefix(self._prefix).replace(os.sep, "/")
        self._found[msgspec.structs.replace(problem, path=path, run_id=problem.run_id or run_id)] = None

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> tuple[Problem, ...]:
        """All of them, in the order in which they were found."""
        return tuple(self._found)
