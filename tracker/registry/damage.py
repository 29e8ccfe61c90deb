"""Files of a registered model that cannot be read: how they are named, and when a question is refused for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tracker.exceptions import StoreError
from tracker.logs import Problem

UNREADABLE = "cannot be read: "


def unreadable(root: Path, path: Path, error: OSError | ValueError) -> Problem:
    """A file that cannot be read, and why."""
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return Problem(path.relative_to(root).as_posix(), None, f"{UNREADABLE}{reason}")


def refuse_any(root: Path, found: Iterable[Problem], wanted: str) -> None:
    """StoreError when anything cannot be read: then nobody knows which version is newest, or in a stage."""
    for problem in found:
        raise StoreError(
            f"{wanted} may be a version that cannot be read: {_where_and_why(root, problem)}. "
            "Mend the file, or ask for another version by its number."
        )


def refuse_file(root: Path, found: Iterable[Problem], path: Path, what: str) -> None:
    """StoreError when one file, or the folder that it is in, cannot be read."""
    place = path.relative_to(root).as_posix()
    for problem in found:
        if f"{place}/".startswith(f"{problem.path}/"):
            raise StoreError(f"{what} cannot be read: {_where_and_why(root, problem)}. Mend the file first.")


def may_be(root: Path, name: str, problem: Problem) -> StoreError:
    """The error for a name that a file may have that cannot be read."""
    reason = _where_and_why(root, problem)
    return StoreError(f"A file that may be that of {name!r} cannot be read: {reason}. Mend the file first.")


def is_slug_of(slug: str, likely: str) -> bool:
    """Whether a folder may be that of a name whose slug is `likely`: several names can have the same."""
    return re.fullmatch(rf"{re.escape(likely)}(-\d+)?", slug) is not None


def _where_and_why(root: Path, problem: Problem) -> str:
    return f"{root / problem.path}: {problem.message.removeprefix(UNREADABLE)}"
