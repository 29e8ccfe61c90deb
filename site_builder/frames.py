"""What the views of all pages share: the frame, counts in words, problems in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from site_builder import figures
from site_builder.views import Crumb, PageFrame
from tracker.logs import Problem


def frame(
    kind: str, title: str, description: str, path: str, crumbs: Sequence[Crumb] = (), chunks: Iterable[str] = ()
) -> PageFrame:
    """The frame of a page; the way back to the root follows from where it lies."""
    return PageFrame(kind, title, description, path, "../" * path.count("/"), tuple(crumbs), tuple(chunks))


def plural(number: int, word: str) -> str:
    """`1 run`, `2,000 runs`."""
    return f"{figures.count(number)} {word}{'' if number == 1 else 's'}"


def sentence(problem: Problem) -> str:
    """A problem in a line."""
    place = problem.path if problem.line is None else f"{problem.path}, line {problem.line}"
    return f"{place} {problem.message}"
