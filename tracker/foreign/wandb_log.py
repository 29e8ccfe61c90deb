"""The `.wandb` file of a run: LevelDB's log format behind a header of its own.

Blocks of 32 KiB hold pieces of records. A piece is the CRC-32 of its type and bytes (4 bytes), its length (2), its type
(1) and its bytes; a record that does not fit into a block goes on in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

from tracker import _io

START = b":W&B\xe1\xbe\x00"
"""The header, with a magic number and the version of the format."""
MAX_LOG = 1 << 30
"""Bytes of the largest file that is read."""
MAX_SEARCH = 200_000
"""Places of one file where a piece may be looked for behind a damaged one."""
_BLOCK, _HEAD = 1 << 15, 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
Damage = Callable[[int, str], None]
"""Takes the offset of a record and what is wrong with it."""


def is_log(path: Path) -> bool:
    """Whether a file begins as one; never raises."""
    try:
        with _io.open_regular(path) as file:
            return file.read(len(START)) == START
    except OSError:
        return False


def read_log(path: Path, damage: Damage, *, most: int = 0) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each whole record, or of those in the first `most` bytes; what is not whole is told.

    Raises OSError where the file cannot be read.
    """
    if most:
        with _io.open_regular(path) as file:
            data = file.read(most)
    else:
        data = _io.read_file(path, limit=MAX_LOG)
    if not data.startswith(START):
        damage(0, "is not the header of such a file" if data else "is not there: the file is empty")
    begun: list[bytes] = []
    offset = 0
    for place, kind, piece in _pieces(data, damage):
        if kind in (_FULL, _FIRST):
            if begun:
                damage(offset, "has no end, and is left out")
            begun, offset = [piece], place
        elif begun:
            begun.append(piece)
        else:
            damage(place, "has no beginning, and is left out")
        if kind in (_FULL, _LAST) and begun:
            yield offset, b"".join(begun)
            begun = []
    if begun:
        damage(offset, "is incomplete, and left out")


def _pieces(data: bytes, damage: Damage) -> Iterator[tuple[int, int, bytes]]:
    """Offset, type and bytes of the pieces that are whole."""
    place, searched = len(START), 0
    while place < len(data):
        end = min(len(data), place - place % _BLOCK + _BLOCK)
        size = _size_at(data, place, end)
        if size is not None:
            yield place, data[place + 6], data[place + _HEAD : place + _HEAD + size]
            place += _HEAD + size
            continue
        if end - place < _HEAD and (end % _BLOCK == 0 or not data[place:end].strip(b"\0")):
            place = end  # too short for a piece
            continue
        found = place + 1
        while found < end and _size_at(data, found, end) is None and searched < MAX_SEARCH:
            found += 1
            searched += 1
        found = end if searched >= MAX_SEARCH else found
        what = "is incomplete, and left out" if found >= len(data) else "is damaged; what follows is read"
        damage(place, what if found >= len(data) else f"{what} from byte {found:,} on")
        place = found


def _size_at(data: bytes, place: int, end: int) -> int | None:
    """The length of the piece that begins at a place of a block; None where none does."""
    if end - place < _HEAD or not _FULL <= data[place + 6] <= _LAST:
        return None
    size = data[place + 4] | data[place + 5] << 8
    if size > end - place - _HEAD:
        return None
    check = int.from_bytes(data[place : place + 4], "little")
    return size if crc32(data[place + 6 : place + _HEAD + size]) == check else None
