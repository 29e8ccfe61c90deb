"""What is wrong with one file, told up to a number."""

from __future__ import annotations

from collections.abc import Callable

from tracker.logs import MAX_PROBLEMS

Tell = Callable[..., None]
"""Takes what is wrong, and maybe the number of a line."""


class Problems:
    """Hands on the first problems of a file, and counts the others."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._count = 0

    def add(self, message: str, line: int | None = None) -> None:
        """One more."""
        self._count += 1
        if self._count <= MAX_PROBLEMS:
            self._tell(message, *(() if line is None else (line,)))

    def end(self) -> None:
        """Say how many there were beyond those."""
        if self._count > MAX_PROBLEMS:
            self._tell(f"has {self._count - MAX_PROBLEMS:,} more problems")
