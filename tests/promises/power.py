"""What a disk may hold after a power cut: operations on files, recorded, and replayed as a file system may keep them.

The model is that of a journaling file system at its least helpful. Names change in order, and nothing after the last
sync of a folder need have happened. What was written to a file but not synced is there wholly, by half, as zeros, or
not at all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracker import _io

KEPT = ("none", "half", "zeros", "all")
_NAMES = {"os.mkdir": "mkdir", "os.rename": "rename", "os.link": "link", "os.remove": "remove", "os.rmdir": "rmdir"}


@dataclass
class File:
    """The bytes of a file: what has been synced is kept."""

    written: bytearray = field(default_factory=bytearray)
    synced: int = 0

    def after(self, kept: str) -> bytes:
        """What is there after the cut."""
        rest = bytes(self.written[self.synced :])
        part = {"none": b"", "half": rest[: len(rest) // 2], "zeros": bytes(len(rest)), "all": rest}[kept]
        return bytes(self.written[: self.synced]) + part


@dataclass(frozen=True)
class Operation:
    """One step: a change of names, bytes for a file, a sync, or a promise that was made."""

    kind: str
    path: str = ""
    target: str = ""
    data: bytes = b""


class Recorder:
    """Notes every operation below a folder while it is on; one for each process, since audit hooks stay."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.operations: list[Operation] = []
        self.on = False
        sys.addaudithook(self._audit)

    def __enter__(self) -> Recorder:
        self.on, _io.fault = True, self._note
        return self

    def __exit__(self, *_: object) -> None:
        self.on, _io.fault = False, None

    def promise(self, text: str) -> None:
        """Note that a call returned."""
        self.operations.append(Operation("promise", text))

    def _note(self, operation: str, path: str, data: bytes) -> bytes:
        if operation in ("append", "fsync", "fsync-folder") and path.startswith(self.root):
            self.operations.append(Operation(operation, path, data=bytes(data)))
        return data

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT:
            self._change("create", arguments[0])
        elif event in _NAMES:
            two = event in ("os.rename", "os.link")
            self._change(_NAMES[event], arguments[0], arguments[1] if two else "")

    def _change(self, kind: str, path: object, target: object = "") -> None:
        text, to = os.fspath(path) if isinstance(path, str | Path) else "", str(target)  # type: ignore[arg-type]
        if text.startswith(self.root):
            if kind in ("rename", "link"):
                self._catch_up(text)
            self.operations.append(Operation(kind, text, to))

    def _catch_up(self, path: str) -> None:
        """Bytes that a library wrote by itself are noted before the file gets its name."""
        if Path(path).is_file():
            self.operations.append(Operation("content", path, data=Path(path).read_bytes()))


class Disk:
    """The names and files that the first operations leave, with a part of them kept."""

    def __init__(self) -> None:
        self.names: dict[str, File | None] = {}
        """None for a folder."""

    def apply(self, operation: Operation) -> None:
        """Change a name."""
        if operation.kind == "mkdir":
            self.names.setdefault(operation.path, None)
        elif operation.kind == "create":
            self.names.setdefault(operation.path, File())
        elif operation.kind == "link" and operation.path in self.names:
            self.names.setdefault(operation.target, self.names[operation.path])
        elif operation.kind == "rename":
            moved = [name for name in self.names if name == operation.path or name.startswith(f"{operation.path}/")]
            for name in moved:
                self.names[operation.target + name[len(operation.path) :]] = self.names.pop(name)
        elif operation.kind in ("remove", "rmdir"):
            self.names.pop(operation.path, None)


CHANGES = ("mkdir", "create", "link", "rename", "remove", "rmdir")


def cuts(operations: list[Operation]) -> Iterator[tuple[int, int]]:
    """Every moment of a cut, as the number of operations that had begun, and how many changes of names it may leave."""
    done, forced = 0, 0
    for count, operation in enumerate(operations):
        if operation.kind in CHANGES:
            done += 1
        elif operation.kind == "fsync-folder":
            forced = done
        if operation.kind in (*CHANGES, "fsync", "fsync-folder", "promise"):
            yield from ((count + 1, kept) for kept in range(forced, done + 1))


def after_cut(operations: list[Operation], count: int, changes: int, kept: str) -> dict[str, bytes | None]:
    """Names and bytes after a cut: bytes and syncs of all operations that had begun, but only some changes of names."""
    now, disk = Disk(), Disk()
    for operation in operations[:count]:
        if operation.kind in CHANGES:
            now.apply(operation)
            if changes > 0:
                _mirror(disk, now, operation)
            changes -= 1
            continue
        file = now.names.get(operation.path)
        if file is None:
            continue
        if operation.kind == "append":
            file.written += operation.data
        elif operation.kind == "content":
            file.written[file.synced :] = operation.data[file.synced :]
        elif operation.kind == "fsync":
            file.synced = len(file.written)
    return {name: None if file is None else file.after(kept) for name, file in disk.names.items()}


def _mirror(disk: Disk, now: Disk, operation: Operation) -> None:
    """Make a change on the disk too; a new file is the very one that the process writes to."""
    if operation.kind == "create":
        disk.names.setdefault(operation.path, now.names[operation.path])
    else:
        disk.apply(operation)


def write_state(state: dict[str, bytes | None], root: str, target: Path) -> None:
    """Lay a state down below another folder."""
    for name in sorted(state):
        path = target / os.path.relpath(name, root)
        data = state[name]
        if data is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
