"""CRC-32C (Castagnoli, RFC 3720 appendix B.4) in plain Python.

The check is linear: it may be worked out of four bytes at a time with a table for each, and rows of a long text can be
folded into one row first. `bytes.translate` and whole numbers of any size do that for thousands of bytes at once.
"""

from __future__ import annotations

from functools import cache
from struct import Struct

_POLYNOMIAL = 0x82F63B78
"""Reversed, as the check works from the lowest bit on."""
_ONES = 0xFFFFFFFF
_MASK_DELTA = 0xA282EAD8
_PLANE = 1 << 12
_ROW = 4 * _PLANE
"""Bytes of a row. A plane is every fourth of them."""


def masked_crc32c(data: bytes) -> int:
    """The check as it stands beside the bytes that it is of: rotated and shifted, lest it be taken for data."""
    check = crc32c(data)
    return (check >> 15 | check << 17) + _MASK_DELTA & _ONES


def crc32c(data: bytes) -> int:
    """The check of some bytes, as a number of 32 bits."""
    if len(data) < 2 * _ROW:
        return _ONES ^ _update(_ONES, data)
    head = len(data) % _ROW
    return _ONES ^ _update(0, _folded(_update(_ONES, data[:head]), data, head))


def _update(check: int, data: bytes) -> int:
    first, second, third, fourth = _tables()
    whole = len(data) >> 2
    for word in _words(whole).unpack_from(data):
        word ^= check
        check = first[word & 255] ^ second[word >> 8 & 255] ^ third[word >> 16 & 255] ^ fourth[word >> 24]
    for byte in data[whole << 2 :]:
        check = fourth[(check ^ byte) & 255] ^ check >> 8
    return check


def _folded(check: int, data: bytes, start: int) -> bytes:
    """One row that has, from 0 on, the check that all rows have from `check` on."""
    planes = [int.from_bytes(data[start + part : start + _ROW : 4], "little") for part in range(4)]
    for part in range(4):
        planes[part] ^= check >> 8 * part & 255
    for place in range(start + _ROW, len(data), _ROW):
        texts = [plane.to_bytes(_PLANE, "little") for plane in planes]
        planes = [int.from_bytes(data[place + part : place + _ROW : 4], "little") for part in range(4)]
        for text, tables in zip(texts, _row_tables(), strict=True):
            for part, table in enumerate(tables):
                planes[part] ^= int.from_bytes(text.translate(table), "little")
    row = bytearray(_ROW)
    for part, plane in enumerate(planes):
        row[part::4] = plane.to_bytes(_PLANE, "little")
    return bytes(row)


@cache
def _tables() -> tuple[list[int], ...]:
    """What each byte of a word does to the check, the lowest byte first."""
    return tuple(_spread([_shifted(1 << bit, 32) for bit in range(32)]))


@cache
def _row_tables() -> list[list[bytes]]:
    """What each byte of a check becomes in each byte of the check that is a row further."""
    moved, distance = [_shifted(1 << bit, 32) for bit in range(32)], 4
    while distance < _ROW:
        tables = _spread(moved)
        moved = [_through(tables, check) for check in moved]
        distance *= 2
    return [[bytes(check >> 8 * part & 255 for check in table) for part in range(4)] for table in _spread(moved)]


def _shifted(check: int, bits: int) -> int:
    for _ in range(bits):
        check = check >> 1 ^ (_POLYNOMIAL if check & 1 else 0)
    return check


def _spread(images: list[int]) -> list[list[int]]:
    """Tables for the four bytes of a number, from what becomes of its bits."""
    tables = []
    for first in range(0, 32, 8):
        table = [0]
        for image in images[first : first + 8]:
            table += [value ^ image for value in table]
        tables.append(table)
    return tables


def _through(tables: list[list[int]], check: int) -> int:
    result = 0
    for part, table in enumerate(tables):
        result ^= table[check >> 8 * part & 255]
    return result


@cache
def _words(count: int) -> Struct:
    return Struct(f"<{count}I")
