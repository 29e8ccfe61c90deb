"""Files of records as TensorFlow frames them. After a damaged record, reading goes on at the next one that is whole.

A record is its length (8 bytes), a check of that (4), its bytes, and a check of those (4): CRC-32C, masked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path

from tracker import _io
from tracker.foreign.crc32c import masked_crc32c

MAX_RECORD = 1 << 28
"""Bytes of the largest record that is read."""
MAX_SEARCH = 1 << 20
"""Places of one file where a header may be looked for; a KiB that is checked in vain behind one counts as one, too."""
HEADER, FOOTER = 12, 4
_CHUNK = 1 << 20
_MAX_KNOWN = 10_000
_UPPER_HALF = b"\0\0\0\0"
"""Of a length that any record may have."""
_SOMETHING = re.compile(rb"[^\0]")
Damage = Callable[[int, str], None]
"""Takes the offset of a record and what is wrong with it."""


def has_records(path: Path) -> bool:
    """Whether a file begins with the header of a record; never raises."""
    try:
        with _io.open_regular(path) as file:
            return length_of(file.read(HEADER)) is not None
    except OSError:
        return False


def length_of(header: bytes) -> int | None:
    """The length that a header says, or None for what is no header."""
    if len(header) < HEADER or header[4:8] != _UPPER_HALF:
        return None
    length = int.from_bytes(header[:8], "little")
    right = masked_crc32c(header[:8]) == int.from_bytes(header[8:], "little")
    return length if right and length <= MAX_RECORD else None


def read_records(path: Path, damage: Damage) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each whole record; what is not is told. Raises OSError where the file cannot be read."""
    with _io.open_regular(path) as file:
        yield from _Reader(file, damage).records()


class _Reader:
    """One file, a piece of which is in memory."""

    def __init__(self, file: BufferedReader, damage: Damage) -> None:
        self._file, self._damage = file, damage
        self._data = b""
        self._base = 0
        """Where the piece begins in the file."""
        self._place = 0
        """Where reading is in the piece."""
        self._known: dict[bytes, int] = {}
        """Lengths by header: most records of a file have one of a few lengths."""
        self._searched = 0

    def records(self) -> Iterator[tuple[int, bytes]]:
        while self._has(1):
            length = self._length() if self._has(HEADER) else None
            what = ""
            if length is None:
                what = "is damaged in its length" if self._has(HEADER) else "is incomplete"
            elif not self._has(size := HEADER + length + FOOTER):
                what = "is incomplete"
            else:
                data, place = self._data, self._place
                record = data[place + HEADER : place + size - FOOTER]
                if masked_crc32c(record) == int.from_bytes(data[place + size - FOOTER : place + size], "little"):
                    yield self._base + place, record
                    self._place += size
                elif self._is_boundary(size):
                    self._damage(self._base + self._place, "is damaged, and left out")
                    self._place += size
                else:
                    what = "is damaged"
                    self._searched += length >> 10
            if what and not self._resume(what):
                return

    def _has(self, size: int) -> bool:
        """Whether so many bytes follow; they are in memory then."""
        left = len(self._data) - self._place
        if left >= size:
            return True
        unread = os.fstat(self._file.fileno()).st_size - self._base - len(self._data)
        if unread > 0:
            self._data = self._data[self._place :] + self._file.read(min(unread, max(size - left, _CHUNK)))
            self._base += self._place
            self._place = 0
        return len(self._data) - self._place >= size

    def _length(self) -> int | None:
        header = self._data[self._place : self._place + HEADER]
        length = self._known.get(header)
        if length is None:
            length = length_of(header)
            if length is not None and len(self._known) < _MAX_KNOWN:
                self._known[header] = length
        return length

    def _is_boundary(self, size: int) -> bool:
        """Whether a header stands behind so many bytes, or nothing."""
        if not self._has(size + 1):
            return True
        self._has(size + HEADER)
        place = self._place + size
        return length_of(self._data[place : place + HEADER]) is not None

    def _resume(self, what: str) -> bool:
        """Go to the next header that is whole; False where there is none, or after too long a search."""
        offset = self._base + self._place
        self._place += 1
        while self._has(HEADER) and self._searched < MAX_SEARCH:
            found = self._data.find(_UPPER_HALF, self._place + 4, -4)
            if found < 0:
                self._place = max(self._place + 1, len(self._data) - HEADER + 1)
                continue
            something = _SOMETHING.search(self._data, found)
            found = max(found, (something.start() if something else len(self._data)) - 7)  # a check is not zero
            self._place = found - 4
            self._searched += 1
            if self._has(HEADER) and self._length() is not None:
                self._damage(offset, f"{what}, and what follows is read from byte {self._base + self._place:,} on")
                return True
            self._place += 1
        more = "" if what == "is incomplete" else ", and nothing that follows can be read"
        self._damage(offset, f"{what}{more or ', and left out'}")
        return False
