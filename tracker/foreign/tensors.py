"""TensorFlow's TensorProto: the numbers and texts of a tensor."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tracker.foreign.protobuf import Message, WireError

MAX_ELEMENTS = 1_000_000
STRING = 7
_HALF, _BFLOAT16 = 19, 14
_DTYPE, _CONTENT, _STRINGS = 1, 4, 8
_FIXED = {1: ("f", 5), 2: ("d", 6)}
"""Types whose numbers stand in a field of their own with a fixed width: form of `struct`, field."""
_VARINTS = {3: ("i", 7), 4: ("B", 7), 5: ("h", 7), 6: ("b", 7), 9: ("q", 10), 10: ("?", 11), 17: ("H", 7)} | {
    22: ("I", 16),
    23: ("Q", 17),
    _HALF: ("H", 13),
    _BFLOAT16: ("H", 13),
}
"""The same for those of a varying width."""


def numbers_of(tensor: Message) -> list[float]:
    """The numbers in a tensor; WireError where it holds none."""
    dtype = tensor.integer(_DTYPE)
    if dtype not in _FIXED and dtype not in _VARINTS:
        raise WireError(f"it is a tensor of the type {dtype}, which holds no numbers")
    form, field = _FIXED.get(dtype) or _VARINTS[dtype]
    content = tensor.blob(_CONTENT)
    if not content and dtype in _FIXED:
        content = tensor.packed(field, struct.calcsize(form))
    if content or dtype in _FIXED:
        width = struct.calcsize("<" + form)
        if len(content) % width or len(content) > width * MAX_ELEMENTS:
            raise WireError("it is a tensor whose content has another length than its type needs")
        values = list(struct.unpack(f"<{len(content) // width}{form}", content))
    else:
        values = tensor.integers(field)
    decode = _DECODED.get(dtype)
    return [decode(value) for value in values] if decode else [float(value) for value in values]


def number_of(tensor: Message) -> float:
    """The number of a tensor that holds one."""
    values = numbers_of(tensor)
    if len(values) != 1:
        raise WireError(f"it is a tensor of {len(values):,} numbers where one was expected")
    return values[0]


def strings_of(tensor: Message) -> list[bytes]:
    """The texts in a tensor of texts; WireError for another one."""
    if tensor.integer(_DTYPE) != STRING:
        raise WireError("it is a tensor without texts")
    return tensor.blobs(_STRINGS)


def shape_of(tensor: Message) -> list[int]:
    """Lengths of its axes; none for a single value."""
    return [axis.integer(1) for axis in tensor.message(2).messages(2)]


def _half(bits: int) -> float:
    value: float = struct.unpack("<e", struct.pack("<H", bits & 0xFFFF))[0]
    return value


def _bfloat16(bits: int) -> float:
    value: float = struct.unpack("<f", struct.pack("<I", (bits & 0xFFFF) << 16))[0]
    return value


_DECODED: dict[int, Callable[[int], float]] = {_HALF: _half, _BFLOAT16: _bfloat16}
