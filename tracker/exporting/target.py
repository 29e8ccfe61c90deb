"""The folder that an export writes to: new, empty, or one that an export of the same store made before."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tracker import _io, codec, names
from tracker.exceptions import InvalidValueError

MARKER = ".tracker-export.json"
"""Says that a folder is an export, and of which store."""
STATE = ".tracker-export"
"""A file in the folder of each thing, with the digest of what it was made of; written last."""
WORK = ".new.trash"
"""Where things are made before they have their place. MLflow passes over folders that end like its own trash."""
_FORMAT = 1
_MAX_MARKER = 1 << 16


class Marker(msgspec.Struct, frozen=True):
    """`.tracker-export.json`."""

    format: int
    store: str
    """The id of the store."""


class Target:
    """The folder of an export, made when it is missing.

    Raises InvalidValueError for a folder that holds something else, StorageError where it cannot be written.
    """

    def __init__(self, out: Path | str, store: Path, store_id: str) -> None:
        self.root = names.folder_of(out)
        self._work = self.root / WORK
        self._count = 0
        self._refuse_nesting(store)
        with _io.explained("export to", self.root):
            self._refuse_strangers(store_id)
            _io.make_folder(self.root, inside=self.root)
            _io.remove_tree(self._work)  # an export was stopped
            self.write(self.root / MARKER, codec.json_file(Marker(_FORMAT, store_id)))

    def _refuse_nesting(self, store: Path) -> None:
        out, source = self.root.resolve(), store.resolve()
        if out.is_relative_to(source) or source.is_relative_to(out):
            raise InvalidValueError(f"{self.root} and the store {store} lie in each other. Name another folder.")

    def _refuse_strangers(self, store_id: str) -> None:
        if not os.path.lexists(self.root):
            return
        if not self.root.is_dir():
            raise InvalidValueError(f"{self.root} is a file. Name a folder for the export.")
        strangers = sorted(path.name for path in self.root.iterdir() if not path.name.startswith("."))
        marker = self._marker()
        if marker is None and strangers:
            raise InvalidValueError(
                f"{self.root} is not empty, and no export of tracker's (it holds {strangers[0]!r:.100}). "
                "Name an empty folder or one that does not exist yet."
            )
        if marker is not None and marker.store != store_id:
            raise InvalidValueError(f"{self.root} is the export of another store. Name another folder.")

    def _marker(self) -> Marker | None:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(_io.read_file(self.root / MARKER, limit=_MAX_MARKER), type=Marker)
        return None

    def write(self, path: Path, data: bytes) -> None:
        """Put a file in place of what is there."""
        _io.make_folder(self._work, inside=self.root)
        _io.replace_file(path, data, durable=False, work=self._work)

    def write_state(self, folder: Path, *digests: str) -> None:
        """Note what a folder that has its place already was made of."""
        self.write(folder / STATE, _state(digests))

    def aside(self) -> Path:
        """A new folder to fill, which `put` then gives its place."""
        self._count += 1
        folder = self._work / str(self._count)
        _io.make_folder(folder, inside=self.root)
        return folder

    def put(self, aside: Path, folder: Path) -> Path | None:
        """Give a finished folder its place, and return where the one is that was there."""
        _io.make_folder(folder.parent, inside=self.root)
        old = None
        if os.path.lexists(folder):
            old = self._work / f"{aside.name}-old"
            _io.move_folder(folder, old, durable=False)
        _io.move_folder(aside, folder, durable=False)
        return old

    def clean(self) -> None:
        """Remove what is left over when the export is complete."""
        _io.remove_tree(self._work)


def digest_of(*parts: object) -> str:
    """A digest of what a thing is made of."""
    return hashlib.blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def read_state(folder: Path) -> list[str]:
    """The digests of what a folder was made of; none for one that is not there or not finished."""
    try:
        return _io.read_file(f"{folder}{os.sep}{STATE}", limit=_MAX_MARKER).decode().split()
    except (OSError, UnicodeDecodeError):
        return []


def write_state(aside: Path, *digests: str) -> None:
    """Note them in a folder that has no place yet."""
    _io.write_new(f"{aside}{os.sep}{STATE}", _state(digests))


def _state(digests: Sequence[str]) -> bytes:
    return "\n".join(digests).encode()
