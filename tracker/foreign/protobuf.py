"""Protocol buffers' wire format, decoded without a schema: who reads a message names its fields by their numbers."""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_FIELDS = 1_000_000
"""Fields of one message, and numbers of a packed list, at most."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. The two of groups are gone from the format for long, and refused."""
Field = tuple[int, int, "int | bytes"]
"""Number, wire type, and the value: a whole number, or the bytes of a text, of a message or of a fixed width."""

_SIGN, _WRAP = 1 << 63, 1 << 64


class WireError(ValueError):
    """Bytes are no message, or a field is not what is asked for. Nothing else is raised here."""


def read_fields(data: bytes) -> Iterator[Field]:
    """The fields of a message in their order. Messages within it stay bytes, so its depth costs nothing."""
    place, end, count = 0, len(data), 0
    while place < end:
        key, place = read_varint(data, place)
        number, wire = key >> 3, key & 7
        count += 1
        if count > MAX_FIELDS:
            raise WireError(f"it has more than {MAX_FIELDS:,} fields")
        if not 0 < number < 1 << 29:
            raise WireError("it has a field of an impossible number")
        if wire == VARINT:
            value, place = read_varint(data, place)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, place = read_varint(data, place)
        elif wire == FIXED64:
            size = 8
        elif wire == FIXED32:
            size = 4
        else:
            raise WireError(f"it has a field of the unknown type {wire}")
        if size > end - place:
            raise WireError("it ends within a field")
        yield number, wire, data[place : place + size]
        place += size


def read_varint(data: bytes, place: int) -> tuple[int, int]:
    """A whole number of up to 64 bits, and the place behind it."""
    value = shift = 0
    try:
        while True:
            byte = data[place]
            place += 1
            if byte < 128:
                return (value | byte << shift) & (_WRAP - 1), place
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise WireError("it has a number of more than 64 bits")
    except IndexError:
        raise WireError("it ends within a number") from None


def signed(value: int) -> int:
    """A varint as the signed number that it stands for."""
    return value - _WRAP if value >= _SIGN else value


class Message:
    """The fields of a message by number. What is missing reads as zero, an empty text or an empty message."""

    __slots__ = ("fields",)

    def __init__(self, data: bytes) -> None:
        self.fields: dict[int, list[tuple[int, int | bytes]]] = {}
        for number, wire, value in read_fields(data):
            self.fields.setdefault(number, []).append((wire, value))

    def __contains__(self, number: object) -> bool:
        return number in self.fields

    def blobs(self, number: int) -> list[bytes]:
        """All values of a field of texts, bytes or messages."""
        return [_bytes(BYTES, wire, value) for wire, value in self.fields.get(number, ())]

    def blob(self, number: int) -> bytes:
        """The last one, as protocol buffers have it."""
        found = self.fields.get(number)
        return _bytes(BYTES, *found[-1]) if found else b""

    def texts(self, number: int) -> list[str]:
        """All values of a field of texts. Bytes that are no text become marks of replacement."""
        return [value.decode(errors="replace") for value in self.blobs(number)]

    def text(self, number: int) -> str:
        """A text."""
        return self.blob(number).decode(errors="replace")

    def messages(self, number: int) -> list[Message]:
        """All messages of a field."""
        return [Message(value) for value in self.blobs(number)]

    def message(self, number: int) -> Message:
        """A message."""
        return Message(self.blob(number))

    def integer(self, number: int) -> int:
        """A whole number: int32, int64, bool or of an enumeration."""
        found = self.fields.get(number)
        return signed(_number(*found[-1])) if found else 0

    def double(self, number: int) -> float:
        """A number of 64 bits."""
        found = self.fields.get(number)
        return _unpacked("<d", _bytes(FIXED64, *found[-1])) if found else 0.0

    def single(self, number: int) -> float:
        """A number of 32 bits."""
        found = self.fields.get(number)
        return _unpacked("<f", _bytes(FIXED32, *found[-1])) if found else 0.0

    def integers(self, number: int) -> list[int]:
        """All whole numbers of a field, packed or not."""
        numbers: list[int] = []
        for wire, value in self.fields.get(number, ()):
            if wire == BYTES:
                data, place = _bytes(BYTES, wire, value), 0
                while place < len(data):
                    one, place = read_varint(data, place)
                    numbers.append(signed(one))
                    if len(numbers) > MAX_FIELDS:
                        raise WireError(f"it has a list of more than {MAX_FIELDS:,} numbers")
            else:
                numbers.append(signed(_number(wire, value)))
        return numbers

    def packed(self, number: int, width: int) -> bytes:
        """All values of a field of numbers of a fixed width in bytes, one after the other."""
        wires = (BYTES, FIXED32 if width == 4 else FIXED64)
        parts = [value for wire, value in self.fields.get(number, ()) if wire in wires and isinstance(value, bytes)]
        data = b"".join(parts)
        if len(parts) != len(self.fields.get(number, ())) or len(data) % width:
            raise WireError("a list of numbers is not whole")
        return data


def _bytes(wanted: int, wire: int, value: int | bytes) -> bytes:
    if wire != wanted or not isinstance(value, bytes):
        raise WireError("a field has another type than it should have")
    return value


def _number(wire: int, value: int | bytes) -> int:
    if wire != VARINT or not isinstance(value, int):
        raise WireError("a field has another type than it should have")
    return value


def _unpacked(form: str, data: bytes) -> float:
    value: float = struct.unpack(form, data)[0]
    return value
