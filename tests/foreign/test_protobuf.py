"""The wire format of protocol buffers, the check of records, and tensors."""

from __future__ import annotations

import random
import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.foreign.crc32c import crc32c, masked_crc32c
from tracker.foreign.protobuf import Message, WireError, read_fields, read_varint, signed
from tracker.foreign.tensors import number_of, numbers_of, strings_of

from .wire import blob, double, varint

CHECKED = [
    (b"", 0),
    (b"123456789", 0xE3069283),
    (b"\0" * 32, 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
]
"""From RFC 3720, appendix B.4, and the check value of the catalogue of CRCs."""


def slow_crc32c(data: bytes) -> int:
    """The definition, bit by bit."""
    check = 0xFFFFFFFF
    for byte in data:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ (0x82F63B78 if check & 1 else 0)
    return check ^ 0xFFFFFFFF


@pytest.mark.parametrize(("data", "check"), CHECKED)
def test_the_check_is_the_published_one(data: bytes, check: int) -> None:
    """CRC-32C gives the values that its specification lists."""
    assert crc32c(data) == check
    assert masked_crc32c(data) == ((check >> 15 | check << 17) + 0xA282EAD8) % (1 << 32)


@pytest.mark.parametrize("size", [*range(9), 32_767, 32_768, 32_769, 49_152, 49_155, 70_001])
def test_long_texts_have_the_same_check(size: int) -> None:
    """The quick way for many bytes gives what the definition gives."""
    data = random.Random(size).randbytes(size)
    assert crc32c(data) == slow_crc32c(data)


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_whole_numbers_come_back(number: int) -> None:
    """Each number of 64 bits is read as it was written."""
    value, place = read_varint(varint(number), 0)
    assert (signed(value), place) == (number, len(varint(number)))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    """Whatever the bytes are, nothing but WireError is raised, here and where fields are asked for."""
    try:
        message = Message(data)
    except WireError:
        return
    assert sum(map(len, message.fields.values())) == len(list(read_fields(data)))
    for number in message.fields:
        for ask in (message.blob, message.integer, message.double, message.text, message.integers, message.message):
            try:
                ask(number)
            except WireError:
                continue
    for read in (numbers_of, strings_of):
        try:
            read(message)
        except WireError:
            continue


def test_fields_are_what_was_written() -> None:
    """Texts, messages, numbers, lists of them, and the last of several values of one field."""
    inner = blob(1, "ö".encode()) + double(2, 0.5)
    message = Message(blob(3, inner) + blob(3, inner) + b"\x20" + varint(-7) + blob(5, varint(1) + varint(300)))
    assert message.message(3).text(1) == "ö"
    assert [one.double(2) for one in message.messages(3)] == [0.5, 0.5]
    assert (message.integer(4), message.integers(5), message.integers(4)) == (-7, [1, 300], [-7])
    assert (message.text(9), message.integer(9), message.double(9), message.messages(9)) == ("", 0, 0.0, [])
    assert 3 in message
    assert 9 not in message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80", "within a number"),
        (b"\xff" * 11, "more than 64 bits"),
        (b"\x0a\x05ab", "within a field"),
        (b"\x0b\x0c", "unknown type"),
        (b"\x00\x00", "impossible number"),
    ],
)
def test_what_is_no_message_is_told(data: bytes, reason: str) -> None:
    """Bytes that are no message have a reason."""
    with pytest.raises(WireError, match=reason):
        Message(data)


def test_types_of_fields_are_checked() -> None:
    """A number is not read as a text, nor a text as a number."""
    message = Message(b"\x08\x05" + blob(2, b"x"))
    for ask, number in ((message.blob, 1), (message.integer, 2), (message.double, 1), (message.message, 1)):
        with pytest.raises(WireError):
            ask(number)


def test_tensors_of_several_numbers_are_no_scalars() -> None:
    """A tensor of two numbers has both, and not one; one of texts has none."""
    tensor = Message(b"\x08\x01" + blob(5, struct.pack("<2f", 1, 2)))
    assert numbers_of(tensor) == [1.0, 2.0]
    for wrong in (tensor, Message(b"\x08\x07" + blob(8, b"text")), Message(b"\x08\x01" + blob(4, b"abc"))):
        with pytest.raises(WireError):
            number_of(wrong)


def test_the_other_check_is_not_this_one() -> None:
    """CRC-32 of zlib is another function, so neither can stand for the other by accident."""
    assert crc32(b"123456789") != crc32c(b"123456789")
