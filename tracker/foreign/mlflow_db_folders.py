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
        self._found = 0
        self._missing: set[str] = set()
        self._is_certain = False

    def of_run(self, uri: str, run: str, experiment: str) -> Path | None:
        """The artifacts of a run."""
        return self._of(uri, run, [experiment])

    def of_model(self, uri: str, model: str, experiment: str) -> Path | None:
        """The artifacts of a model that MLflow 3 logged."""
        return self._of(uri, model, [experiment, "models"])

    def missing(self, uri: str, run: str, *, is_certain: bool) -> None:
        """Note a run whose artifacts are not there, or were never: only if `is_certain` there are some at all."""
        self._is_certain |= is_certain
        if is_certain or not uri.removeprefix("file://").startswith(f"{self._bases[0].as_posix()}/"):
            self._missing.add(run)

    def tell_of_missing(self, database: Database) -> None:
        """Say it once where artifacts lie elsewhere: runs that have none look the same, one by one."""
        runs = "1 run" if len(self._missing) == 1 else f"{len(self._missing):,} runs"
        if self._is_certain:
            what = f"the artifacts of {runs} are not in the folder of the database"
        elif self._missing and not self._found and len(self._bases) == 1:
            what = f"the artifacts of {runs}, if there are any, lie outside of its folder, where nothing is read"
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
