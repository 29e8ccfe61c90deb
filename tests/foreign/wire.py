"""Event files and fields of messages written by hand."""

from __future__ import annotations

import struct
from pathlib import Path

from tracker.foreign.crc32c import masked_crc32c

WALL = 1_700_000_000.25
VERSION = b"brain.Event:2"


def varint(number: int) -> bytes:
    """A whole number; negative ones as 64 bits."""
    number %= 1 << 64
    text = bytearray()
    while number > 127:
        text.append(number & 127 | 128)
        number >>= 7
    return bytes([*text, number])


def blob(number: int, data: bytes) -> bytes:
    """A field of a text or message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def double(number: int, value: float) -> bytes:
    """A field of 64 bits."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def scalar(tag: str, value: float, step: int, wall: float | None = None) -> bytes:
    """An event with one scalar."""
    time = double(1, WALL + step if wall is None else wall)
    number = varint(2 << 3 | 5) + struct.pack("<f", value)
    return time + b"\x10" + varint(step) + blob(5, blob(1, blob(1, tag.encode()) + number))


def record(data: bytes) -> bytes:
    """A record in its frame."""
    length = struct.pack("<Q", len(data))
    return b"".join([length, check(length), data, check(data)])


def check(data: bytes) -> bytes:
    """The check beside some bytes."""
    return struct.pack("<I", masked_crc32c(data))


def write_events(folder: Path, *events: bytes, name: str = "events.out.tfevents.1700000000.eves-laptop") -> Path:
    """An event file, which begins with its version."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"".join(map(record, [double(1, WALL) + blob(3, VERSION), *events])))
    return path
