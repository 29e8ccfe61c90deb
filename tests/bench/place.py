"""Where a benchmark works: a folder of its own, and the stores that several parts share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .stores import make_store


@dataclass(frozen=True, slots=True)
class Place:
    """Folders of one part."""

    folder: Path
    """Empty, and deleted afterwards."""
    stores: Path
    """Holds the stores that were made so far."""

    def store(self, runs: int, *, params: int = 10, metrics: int = 5, steps: int = 20) -> Path:
        """A store with so many runs; made when it is missing, and to be left as it was found."""
        path = self.stores / f"{runs}x{params}x{metrics}x{steps}"
        if not path.exists():
            aside = path.with_suffix(".new")
            make_store(aside, runs, params=params, metrics=metrics, steps=steps)
            aside.rename(path)
        return path
