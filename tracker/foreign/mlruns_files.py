"""The files that MLflow's file store is made of: folders of small texts, and a `meta.yaml` for each thing."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tracker import _io
from tracker.foreign.files import Files
from tracker.foreign.mlflow_terms import Fields, Point
from tracker.schema import MAX_TIME
from tracker.yaml_files import MAX_YAML, read_plain_yaml

META = "meta.yaml"
TRASH = ".trash"
MAX_VALUE = 4_000_000
"""Bytes of the largest param or tag that is read."""

_PLAIN_LINE = re.compile(
    r"([A-Za-z_]\w*):(?: (?:'((?:[^']|'')*)'|(\[\]|\{\}|[\w./+-][^'\"#:{}\[\],&*]*(?::[^\s'\"#]+)*)))?"
)


class MlrunsFiles(Files):
    """The same with the texts, fields and points that MLflow keeps."""

    def texts(self, folder: Path) -> dict[str, str]:
        """Params, tags or aliases: a file each."""
        found = {}
        for key, path in self.keyed(folder):
            try:
                found[key] = _io.read_file(path, limit=MAX_VALUE).decode()
            except OSError as error:
                self.problem(path, f"cannot be read: {error.strerror}")
            except UnicodeDecodeError:
                self.problem(path, "is no text")
            else:
                if "\0" in found[key]:
                    self.problem(path, "holds bytes that are no text, and is left out")
                    del found[key]
        return found

    def fields(self, folder: Path, *needed: str, **identity: str) -> Fields | None:
        """What a meta.yaml says; None where it is missing or damaged, which is told.

        `needed` are fields that every MLflow writes, the last one of the file among them; `identity` are fields that
        must have this value, where they stand in the file at all.
        """
        path = folder / META
        try:
            data = _io.read_file(path, limit=MAX_YAML)
            found = _plain_fields(data) or _yaml_fields(data)
            _check_identity(found, identity)
            missing = [key for key in needed if key not in found]
            if missing or not data.endswith(b"\n"):
                self.problem(path, "is not whole: " + (f"it lacks {missing[0]}" if missing else "its end is missing"))
            return found
        except FileNotFoundError:
            self.problem(path, "is missing")
        except OSError as error:
            self.problem(path, f"cannot be read: {error.strerror}")
        except ValueError as error:
            self.problem(path, f"cannot be read: {error}")
        return None

    def points(self, path: Path, *, limit: int) -> Collection[Point]:
        """The points of a metric's file, each once: MLflow itself writes some twice."""
        try:
            data = _io.read_file(path, limit=limit)
        except OSError as error:
            self.problem(path, f"cannot be read: {error.strerror}")
            return []
        whole, _, torn = data.rpartition(b"\n")
        found: dict[Point, None] = {}
        problems = self.problems_of(path)
        for number, line in enumerate(whole.split(b"\n"), 1):
            point = point_of(line)
            if point is not None:
                found[point] = None
            elif line.strip():
                problems.add(f"is no point of a metric: {line.decode(errors='replace')!r:.60}", number)
        problems.end()
        if torn:
            self.problem(path, "is incomplete, and left out", whole.count(b"\n") + 1 + bool(whole))
        elif not data:
            self.problem(path, "is empty")
        return found.keys()


def point_of(line: bytes) -> Point | None:
    """The point of a line of two to six fields; None for what is no point.

    Behind time, value and step come a run or a dataset, whose name may hold blanks.
    """
    fields = line.split(None, 3)
    try:
        time, value = int(float(fields[0])), float(fields[1])
        step = int(fields[2]) if len(fields) > 2 else 0
    except (ValueError, IndexError, OverflowError):
        return None
    if not (0 <= time <= MAX_TIME and abs(step) < 1 << 63):
        return None
    return (step, time, value if value == value else math.nan)  # one NaN, so that its points are equal


def _check_identity(found: Fields, identity: Fields) -> None:
    for key, value in identity.items():
        if found.get(key) and found[key] != value:
            raise ValueError(f"it is that of {found[key]!r:.60}, not of the folder it lies in")


def fields_in(path: Path) -> set[str]:
    """Names of the fields of a file, as far as a glance tells; none where it cannot be read."""
    try:
        text = _io.read_file(path, limit=MAX_YAML).decode()
    except (OSError, UnicodeDecodeError):
        return set()
    return {line.partition(":")[0] for line in text.splitlines()}


def _plain_fields(data: bytes) -> Fields:
    """The fields of a file where each line is a key and a plain scalar, as nearly all are; else nothing.

    A YAML parser takes thirty times as long, and there is one such file for every run.
    """
    found = {}
    for line in data.decode().splitlines():
        match = _PLAIN_LINE.fullmatch(line)
        if match is None:
            return {}
        key, quoted, plain = match.groups()
        value = quoted.replace("''", "'") if quoted is not None else (plain or "").strip()
        found[key] = "" if quoted is None and value in ("null", "~") else value
    return found


def _yaml_fields(data: bytes) -> Fields:
    value = read_plain_yaml(data)
    if not isinstance(value, dict) or not value:
        raise ValueError("it holds no fields")
    return {str(key): _text(entry) for key, entry in value.items()}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}={entry}" for key, entry in value.items())
    return "" if value is None else str(value)
