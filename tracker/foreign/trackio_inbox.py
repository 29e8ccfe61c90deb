"""What Trackio keeps in lines of JSON until its server takes them into a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracker import _io
from tracker.foreign.files import Files
from tracker.foreign.trackio_values import object_in

INBOX = "inbox"
MAX_FILE = 1 << 28
"""Bytes of the largest file that is read."""
KINDS = ("metric", "system_metric", "alert")


def project_key(project: str) -> str:
    """The name of a project's database, without its ending."""
    return "".join(sign for sign in project if sign.isalnum() or sign in "-_").rstrip() or "default"


def has_inbox(root: Path) -> bool:
    """Whether a folder has such lines, as far as a glance at the first file tells."""
    for path in _waiting(Files(root)):
        try:
            with _io.open_regular(path) as file:
                return object_in(file.readline(MAX_FILE)).get("kind") in KINDS
        except (OSError, ValueError):
            return False
    return False


def read_inbox(files: Files) -> Iterator[dict[str, Any]]:
    """All lines that are records of a run, those of one writer in order."""
    for path in _waiting(files):
        try:
            lines = _io.read_file(path, limit=MAX_FILE).splitlines()
        except OSError as error:
            files.problem(path, f"cannot be read: {error.strerror}")
            continue
        problems = files.problems_of(path)
        for number, line in enumerate(lines, 1):
            try:
                record = object_in(line) if line.strip() else {}
                if record and not (record.get("kind") in KINDS and _is_named(record)):
                    raise ValueError("it names no project and run")
            except ValueError as error:
                problems.add(f"is no record: {error}", number)
                continue
            if record:
                yield record
        problems.end()


def _is_named(record: dict[str, Any]) -> bool:
    return all(isinstance(record.get(key), str) and record[key] for key in ("project", "run"))


def _waiting(files: Files) -> Iterator[Path]:
    """The files of all writers, by name. No link is followed."""
    for writer in files.folders(files.root / INBOX):
        for entry in files.entries(writer):
            if entry.name.endswith(".jsonl"):
                yield writer / entry.name
