"""What folders of texts have in common: where runs lie in them; JSON and YAML; numbers, times and params in these."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tracker import _io, codec
from tracker.exceptions import InvalidValueError
from tracker.foreign.files import Files
from tracker.foreign.records import derived_id
from tracker.masking import as_text
from tracker.schema import MAX_TIME
from tracker.yaml_files import MAX_YAML, read_plain_yaml

MAX_JSON = 1 << 28
"""Bytes of the largest JSON file that is read."""
DEPTH = 5
"""How far below the folder that was named runs are looked for."""
MAX_FOLDERS = 200_000
"""Folders that are looked into for runs."""
GLANCE = 500
"""The same for the question whether there are any."""
_EXACT = 1 << 53
_LONGEST_INTEGER = 400
_SHORT_INTEGER = 19
"""Digits below which a whole number fits 64 bits, plus one."""
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)
_NO_RUNS = {"__pycache__", "node_modules", "site-packages"}


# Folders


def walk(
    files: Files, limit: int = MAX_FOLDERS, is_run: Callable[[Path], bool] = lambda _: False
) -> Iterator[tuple[Path, bool]]:
    """The root and the folders below it, near ones first, and whether each is a run's; no run's is gone into."""
    level = [files.root]
    looked_at = 0
    for depth in range(DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            looked_at += 1
            if looked_at > limit:
                files.problem(files.root, f"holds more than {limit:,} folders; the others are not looked at")
                return
            found = is_run(folder)
            yield folder, found
            if not found and depth < DEPTH:
                below += (one for one in files.folders(folder) if not one.name.startswith("_"))
        level = [one for one in below if one.name not in _NO_RUNS]


def find_folders(files: Files, is_run: Callable[[Path], bool], limit: int = MAX_FOLDERS) -> Iterator[Path]:
    """The folders of runs at or below the root."""
    return (folder for folder, found in walk(files, limit, is_run) if found)


def has_any(root: Path, is_run: Callable[[Path], bool]) -> bool:
    """Whether a glance into a folder finds a run."""
    return next(find_folders(Files(root), is_run, GLANCE), None) is not None


def root_identity(root: Path) -> str:
    """What the ids of runs without an id of their own are made from: the last two names of the path to the source."""
    return as_text("/".join(root.parts[-2:]))


def experiment_key(kind: str, name: str) -> str:
    """An id for an experiment of a tracker that knows it by its name only: 18 digits, as MLflow gives them."""
    return f"{int(derived_id(kind, name)[:16], 16) % 10**18:018d}"


def modified(path: Path) -> int:
    """When a file was last changed, UTC milliseconds; 0 where none is."""
    try:
        return min(max(0, os.lstat(path).st_mtime_ns // 1_000_000), MAX_TIME)
    except (OSError, ValueError):
        return 0


# JSON and YAML


def read_json(files: Files, path: Path, *, needed: bool = False, limit: int = MAX_JSON) -> dict[str, Any]:
    """The object in a JSON file, with NaN and Infinity as Python writes them; an empty one where it cannot be read.

    That is told, and that it is missing where it is `needed`.
    """
    return _read(files, path, limit, lambda data: json.loads(data.decode()), needed)


def read_yaml_fields(files: Files, path: Path, *, ends: bool = False) -> dict[str, Any]:
    """The same for YAML with plain values; where a program wrote it that `ends` each line, one without end is told."""

    def parse(data: bytes) -> object:
        if ends and data and not data.endswith(b"\n"):
            files.problem(path, "is not whole: its end is missing")
        return read_plain_yaml(data)

    return _read(files, path, MAX_YAML, parse, False)


def _read(files: Files, path: Path, limit: int, parse: Callable[[bytes], object], needed: bool) -> dict[str, Any]:
    try:
        value = parse(_io.read_file(path, limit=limit))
        if not isinstance(value, dict):
            raise ValueError("it holds no fields")
    except FileNotFoundError:
        if needed:
            files.problem(path, "is missing")
        return {}
    except OSError as error:
        files.problem(path, f"cannot be read: {error.strerror}")
        return {}
    except (ValueError, RecursionError) as error:
        files.problem(path, f"cannot be read: {error}")
        return {}
    return value


def params_of(fields: Mapping[Any, object], tell: Callable[[str], None]) -> dict[str, codec.Param]:
    """Params with dotted keys, as `log_params` would keep them. What it would refuse is told, and left out."""
    found: dict[str, codec.Param] = {}
    for name, field in fields.items():
        try:
            for key, value in codec.flatten({name: field}):
                found |= _param(key, value, tell)
        except InvalidValueError as error:
            tell(error.message)  # it is nested too deep
    return found


def _param(key: str, value: object, tell: Callable[[str], None]) -> dict[str, codec.Param]:
    try:
        return {key: codec.param_value(key, value)}
    except (ValueError, RecursionError) as error:
        tell(f"param {key!r:.100} is left out: {error}")
        return {}


# Texts, numbers and times


def text(value: object) -> str:
    """A text that has a UTF-8 form; an empty one for anything else."""
    return as_text(value) if isinstance(value, str) else ""


def number_in(cell: str) -> float | None:
    """The number that a text is: a float, or an integer where no float holds it; None for anything else."""
    try:
        value = float(cell)
    except ValueError:
        return None
    if "_" in cell:
        return None
    if abs(value) >= _EXACT and len(cell) < _LONGEST_INTEGER and cell.strip().lstrip("+-").isdigit():
        return number_of(int(cell))
    return value


def number_of(value: object) -> float | None:
    """A number of JSON or YAML, a text such as `NaN` too; None for anything else."""
    if type(value) is float:
        return value
    if isinstance(value, int):
        try:
            return codec.read_number(int(value))
        except ValueError:
            return None
    if isinstance(value, str) and value.strip().lstrip("+-").lower() in ("nan", "inf", "infinity"):
        return float(value)
    return None


def whole(value: object) -> int | None:
    """A step: a whole number, or the text of one; None for anything else."""
    if isinstance(value, str):
        if value.isascii() and value.isdigit() and len(value) < _SHORT_INTEGER:
            return int(value)
        number = number_in(value)
    else:
        number = number_of(value)
    if number is None or number != number or abs(number) >= 1 << 63 or number != int(number):
        return None
    return int(number)


def iso_time(value: object) -> int | None:
    """UTC milliseconds of a date and time in ISO 8601, UTC where it does not say; None for anything else."""
    try:
        time = datetime.datetime.fromisoformat(value)  # type: ignore[arg-type]
        if time.tzinfo is None:
            time = time.replace(tzinfo=datetime.UTC)
        found = (time - _EPOCH) // _MILLISECOND
    except (ValueError, TypeError, OverflowError):
        return None
    return found if 0 <= found <= MAX_TIME else None
