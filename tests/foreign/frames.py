"""Files of W&B's records written by hand."""

from __future__ import annotations

import struct
from pathlib import Path
from zlib import crc32

from tracker.foreign.wandb_log import START

from .wire import blob, varint

BLOCK = 1 << 15
SECONDS = 1_700_000_000


def log_file(path: Path, *records: bytes) -> Path:
    """A file with these records."""
    data = bytearray(START)
    for record in records:
        rest, first = record, True
        while rest or first:
            left = BLOCK - len(data) % BLOCK
            if left < 7:
                data += bytes(left)
                continue
            piece, rest = rest[: left - 7], rest[left - 7 :]
            kind = (1 if first else 4) if not rest else (2 if first else 3)
            body = bytes([kind]) + piece
            data += struct.pack("<IH", crc32(body), len(piece)) + body
            first = False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def run_record(run_id: str, project: str) -> bytes:
    """The record that says which run it is."""
    start = blob(17, b"\x08" + varint(SECONDS))
    return blob(17, blob(1, run_id.encode()) + blob(3, project.encode()) + start)


def text_item(key: str, value: str) -> bytes:
    """A key with its value in JSON."""
    return blob(1, key.encode()) + blob(16, value.encode())
