"""Where the artifacts of a database of MLflow's lie: beside it, whatever machine its URIs are of."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from tracker import _io, layout
from tracker.foreign.places import below
from tracker.foreign.sqlite_files import Database

BASES = ("mlruns", "mlartifacts", "artifacts")
"""Folders beside a database where artifacts are looked for, and in its own folder."""
_DEEPEST = 12
"""Parts of a path that are looked at."""


class Folders:
    """Finds folders by the last parts of URIs. Nothing outside of the folder of the database is looked at."""

    def __init__(self, root: Path) -> None:
        self._bases = [root, *(root / name for name in BASES if _io.is_folder(root / name))]
        self._parents = lru_cache(maxsize=1000)(self._look)
        self._found = self._missing = self._certainly_missing = 0

    def of_run(self, uri: str, run: str, experiment: str) -> Path | None:
        """The artifacts of a run."""
        return self._of(uri, run, [experiment])

    def of_model(self, uri: str, model: str, experiment: str) -> Path | None:
        """The artifacts of a model that MLflow 3 logged."""
        return self._of(uri, model, [experiment, "models"])

    def missing(self, uri: str, *, is_certain: bool) -> None:
        """Count what is not there, or was never: only if `is_certain` there are artifacts at all."""
        self._certainly_missing += is_certain
        self._missing += not uri.removeprefix("file://").startswith(f"{self._bases[0].as_posix()}/")

    def tell_of_missing(self, database: Database) -> None:
        """Say it once where artifacts lie elsewhere: runs that have none look the same, one by one."""
        if self._certainly_missing:
            what = f"the artifacts of {self._certainly_missing:,} runs or models are not in the folder of the database"
        elif self._missing and not self._found and len(self._bases) == 1:
            what = "artifacts, if its runs have any, lie outside of the folder of the database, where nothing is read"
        else:
            return
        database.tell("", f"{what}. Put the folder that holds them ({', '.join(BASES)}) beside it, and import it again")

    def _of(self, uri: str, key: str, standard: list[str]) -> Path | None:
        parts = _parts(uri)
        named = [index for index, part in enumerate(parts) if part == key]
        places = [(parts[: named[-1]], parts[named[-1] :])] if named else []
        for above, rest in (*places, (standard, [key, layout.ARTIFACTS])):
            for parent in self._parents(tuple(above[-_DEEPEST:])):
                if (folder := below(parent, rest)) is not None:
                    self._found += 1
                    return folder
        return None

    def _look(self, parts: tuple[str, ...]) -> list[Path]:
        """Folders here whose path ends as these parts do, the longest ends first."""
        tails = [parts[start:] for start in range(len(parts) + 1)]
        return [folder for tail in tails for base in self._bases if (folder := below(base, tail)) is not None]


def _parts(uri: str) -> list[str]:
    """The parts of the path of a URI of any machine; what is before `..` is unknown."""
    text = uri.replace("\\", "/")
    parts = [part for part in (unquote(text) if text.startswith("file:") else text).split("/") if part not in ("", ".")]
    return parts[len(parts) - parts[::-1].index("..") :] if ".." in parts else parts
