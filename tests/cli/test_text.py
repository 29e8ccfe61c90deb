"""Values as text, and tables that fit."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.cli import text
from tracker.cli.table import Column, cell, fit


@given(st.text())
def test_clean_text_is_one_printable_line(value: str) -> None:
    """Whatever goes in, no control, direction or line character comes out."""
    cleaned = text.clean(value)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", cleaned)
    cleaned.encode("utf-8")


def test_ordinary_text_stays() -> None:
    """Letters of all scripts, symbols and joined emoji are left alone."""
    assert text.clean("naïve 学習 😀 👩\u200d🔬 β=0.9") == "naïve 学習 😀 👩\u200d🔬 β=0.9"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123456, "0.1235"),
        (12.0, "12"),
        (123456.7, "123457"),
        (0.00001234, "1.234e-05"),
        (1e20, "1e+20"),
        (-2.5, "-2.5"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_numbers(value: float, shown: str) -> None:
    """Numbers have four significant digits, and no exponent where that is shorter to read."""
    assert text.number(value) == shown


def test_as_many_digits_as_differ() -> None:
    """Numbers side by side get the digits that tell them apart."""
    assert text.numbers([0.98765, 0.98766, math.nan]) == ["0.98765", "0.98766", "nan"]
    assert text.numbers([1.0, 1.0]) == ["1", "1"]


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, ""),
        (0, "0 ms"),
        (999, "999 ms"),
        (1500, "1.5 s"),
        (60_000, "1 min"),
        (125_000, "2 min 5 s"),
        (3_600_000, "1 h"),
        (5_000_000, "1 h 23 min"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_durations(milliseconds: int | None, shown: str) -> None:
    """A duration has at most two units."""
    assert text.duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_345, "12.3 kB"), (999_999, "1 MB"), (3 * 10**12, "3 TB")],
)
def test_sizes(count: int, shown: str) -> None:
    """Bytes come in steps of a thousand with three digits."""
    assert text.size(count) == shown


@given(st.integers())
def test_any_time_can_be_shown(milliseconds: int) -> None:
    """A time beyond the calendar is shown as its number."""
    assert text.moment(milliseconds)


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "none"), (True, "true"), (0.1, "0.1"), (3, "3"), ("a\nb", "a\\nb")]
)
def test_values(value: object, shown: str) -> None:
    """Params are shown as they were given, on one line."""
    assert text.value(value) == shown


def test_sparklines() -> None:
    """A curve is drawn with blocks, and a gap where it was not finite."""
    assert text.sparkline("0iz-9") == "▁▅█ ▃"


def test_fit_drops_the_least_important() -> None:
    """Columns of the highest rank go first, the rightmost of several; rank 0 stays whatever the width."""
    columns = [Column(head, [cell("x" * 10)], rank=rank) for head, rank in (("a", 0), ("b", 2), ("c", 1), ("d", 2))]
    assert [column.head for column in fit(columns, 36)[0]] == ["a", "b", "c"]
    assert fit(columns, 24) == ([columns[0], columns[2]], ["b", "d"])
    assert [column.head for column in fit(columns, 1)[0]] == ["a"]
