"""UBJSON as XGBoost writes it, read with every length checked; XGBoost's own reader runs over the end of a cut file."""

from __future__ import annotations

import struct
from typing import Any

DEEPEST = 64
"""Levels of objects and arrays."""
_NUMBERS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"}
_WORDS = {b"T": True, b"F": False, b"Z": None}


def read_ubjson(data: bytes) -> Any:
    """The value in the bytes; arrays of numbers of one type are numpy arrays. ValueError for anything else."""
    reader = _Reader(data)
    value = reader.value(reader.take(1), DEEPEST)
    if reader.place != len(data):
        raise ValueError("something stands behind its end")
    return value


class _Reader:
    """The bytes and a place in them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        found = self.data[self.place : self.place + count] if count >= 0 else b""
        if len(found) != count:
            raise ValueError("it ends in the middle")
        self.place += count
        return found

    def value(self, kind: bytes, depth: int) -> Any:
        """A value whose type was read."""
        if depth == 0:
            raise ValueError("it is nested too deeply")
        if kind in _NUMBERS:
            return struct.unpack(_NUMBERS[kind], self.take(struct.calcsize(_NUMBERS[kind])))[0]
        if kind in _WORDS:
            return _WORDS[kind]
        if kind == b"S":
            return self._text()
        if kind == b"{":
            return self._object(depth - 1)
        if kind == b"[":
            return self._array(depth - 1)
        raise ValueError(f"{kind!r} is no type of UBJSON that XGBoost writes")

    def _length(self) -> int:
        if self.take(1) != b"L":
            raise ValueError("a length is not written as XGBoost writes it")
        return int(struct.unpack(">q", self.take(8))[0])

    def _text(self) -> str:
        return self.take(self._length()).decode()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.data[self.place : self.place + 1] != b"}":
            name = self._text()
            if name in found:
                raise ValueError(f"{name} stands there twice")
            found[name] = self.value(self.take(1), depth)
        self.place += 1
        return found

    def _array(self, depth: int) -> Any:
        mark = self.take(1)
        if mark == b"$":
            return self._numbers(self.take(1))
        if mark != b"#":
            raise ValueError("an array does not say how long it is")
        length = self._length()
        if not 0 <= length <= len(self.data) - self.place:
            raise ValueError("an array is longer than the file")
        return [self.value(self.take(1), depth) for _ in range(length)]

    def _numbers(self, kind: bytes) -> Any:
        import numpy as np

        if kind not in _NUMBERS or self.take(1) != b"#":
            raise ValueError("an array is not written as XGBoost writes it")
        dtype = np.dtype(_NUMBERS[kind].replace("b", "i1").replace("B", "u1"))
        return np.frombuffer(self.take(self._length() * dtype.itemsize), dtype)
