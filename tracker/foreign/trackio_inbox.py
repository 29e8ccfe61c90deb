"""What Trackio keeps in lines of JSON until its server takes them into a database."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tracker import _io
from tracker.foreign.trackio_values import object_in
from tracker.logs import MAX_PROBLEMS

INBOX = "inbox"
MAX_FILE = 1 << 28
"""Bytes of the largest file that is read."""
KINDS = ("metric", "system_metric", "alert")


def project_key(project: str) -> str:
    """The name of a project's database, without its ending."""
    return "".join(sign for sign in project if sign.isalnum() or sign in "-_").rstrip() or "default"


def has_inbox(root: Path) -> bool:
    """Whether a folder has such lines, as far as a glance at the first file tells."""
    for path in _files(root):
        try:
            with _io.open_regular(path) as file:
                return object_in(file.readline(MAX_FILE)).get("kind") in KINDS
        except (OSError, ValueError):
            return False
    return False


def read_inbox(root: Path, tell: Callable[[Path, int | None, str], None]) -> Iterator[dict[str, Any]]:
    """All lines that are records of a run, those of one writer in order."""
    for path in _files(root):
        try:
            lines = _io.read_file(path, limit=MAX_FILE).splitlines()
        except OSError as error:
            tell(path, None, f"cannot be read: {error.strerror}")
            continue
        wrong = 0
        for number, line in enumerate(lines, 1):
            try:
                record = object_in(line) if line.strip() else {}
                if record and not (record.get("kind") in KINDS and _is_named(record)):
                    raise ValueError("it names no project and run")
            except ValueError as error:
                wrong += 1
                if wrong <= MAX_PROBLEMS:
                    tell(path, number, f"is no record: {error}")
                continue
            if record:
                yield record
        if wrong > MAX_PROBLEMS:
            tell(path, None, f"has {wrong - MAX_PROBLEMS:,} more problems of this kind")


def _is_named(record: dict[str, Any]) -> bool:
    return all(isinstance(record.get(key), str) and record[key] for key in ("project", "run"))


def _files(root: Path) -> Iterator[Path]:
    """The files of all writers, by name. No link is followed."""
    inbox = root / INBOX
    if not _io.is_folder(inbox):
        return
    with contextlib.suppress(OSError):
        for writer in sorted(path for path in inbox.iterdir() if _io.is_folder(path)):
            yield from sorted(path for path in writer.iterdir() if path.suffix == ".jsonl")
