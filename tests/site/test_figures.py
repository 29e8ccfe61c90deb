"""Numbers, times, sizes, sparklines and samples come out as a person would write them."""

from __future__ import annotations

import math
import random

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_builder import figures
from site_builder.downsample import pick
from site_builder.sparkline import LEVELS, spark_of_text, spark_of_values

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.972222222, "0.97222"), (1.0, "1"), (-0.0, "0"), (3, "3"), (1e-5, "1e-5"), (1234567.25, "1.2346e6"),
        (123456.0, "123456"), (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "-∞"), (None, "–"),
        (10**20, "1e20"), (1e300, "1e300"), (-2.5, "-2.5"), (0.1 + 0.2, "0.3"),
    ],
)  # fmt: skip
def test_numbers(value: object, text: str) -> None:
    """A number shows five significant digits at most and no padding."""
    assert figures.number(value) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"), (0, "0 ms"), (340, "340 ms"), (12_345, "12.3 s"), (59_960, "1 min"), (252_000, "4 min 12 s"),
        (3_600_000, "1 h"), (7_500_000, "2 h 5 min"), (190_800_000, "2 d 5 h"), (-5, "-5 ms"),
    ],
)  # fmt: skip
def test_durations(ms: int | None, text: str) -> None:
    """A duration has at most two units."""
    assert figures.duration(ms) == text


def test_dates_are_absolute_utc() -> None:
    """A date names its zone; one that no calendar holds stays a number."""
    assert figures.date(1_700_000_000_000) == "2023-11-14 22:13 UTC"
    assert figures.isodate(1_700_000_000_000) == "2023-11-14T22:13:20Z"
    assert figures.date(10**18) == "1000000000000000000 ms"
    assert figures.date(None) == "–"


def test_sizes_counts_values_and_ids() -> None:
    """Sizes are decimal, counts grouped, params as typed, ids short."""
    sizes = [figures.size(n) for n in (0, 999, 1234, 48_000_000, 10**13)]
    assert sizes == ["0 B", "999 B", "1.2 kB", "48 MB", "10.0 TB"]
    assert figures.number(10**5000) == "1e5000"
    assert figures.count(50_000) == "50,000"
    assert [figures.value(x) for x in (True, False, 0.0003, "a", None)] == ["true", "false", "0.0003", "a", "–"]
    assert figures.short_id("0" * 24 + "abcdef12") == "abcdef12"


@given(st.one_of(ANY_FLOAT, st.integers(), st.booleans(), st.text(), st.none()))
def test_every_value_has_a_text(value: object) -> None:
    """No value of a param or metric is too odd to be shown."""
    assert isinstance(figures.value(value), str)
    assert isinstance(figures.number(value), str)


@given(st.text(alphabet=LEVELS + "-?<", max_size=60))
def test_a_sparkline_is_one_small_svg(text: str) -> None:
    """Whatever stands in a summary, its sparkline is empty or one svg with one path, below 1 kB."""
    svg = spark_of_text(text)
    names = [str(node.tag) for node in html5lib.parseFragment(svg, namespaceHTMLElements=False).iter()][1:]
    assert [name.rpartition("}")[2] for name in names] in ([], ["svg", "path"])
    assert len(svg.encode()) < 1000


def test_a_sparkline_of_values_has_gaps_where_a_run_diverged() -> None:
    """A value that is not finite breaks the line; a lone value beside it stays visible."""
    assert spark_of_values([1.0, math.nan, 2.0]).count("h0") == 2
    assert spark_of_values([math.nan, math.nan]) == ""
    assert spark_of_values([5.0]) == ""
    assert "L" in spark_of_values([1e308, -1e308, 3.0])


@given(st.lists(ANY_FLOAT, max_size=300), st.integers(8, 60))
def test_a_sample_keeps_what_people_look_for(values: list[float], limit: int) -> None:
    """A sample has the ends, the least and the greatest value, something not finite if there is any, and fits."""
    chosen = pick(values, limit)
    kept = [values[index] for index in chosen]
    assert list(chosen) == sorted(set(chosen)) and len(kept) <= limit
    if len(values) <= limit:
        assert kept == values or any(map(math.isnan, values))
        return
    finite = list(filter(math.isfinite, values))
    assert chosen[0] == 0 and chosen[-1] == len(values) - 1
    assert not finite or {min(finite), max(finite)} <= set(kept)
    assert len(finite) == len(values) or not all(map(math.isfinite, kept))


def test_a_spike_of_one_point_survives() -> None:
    """One outlier among a million points is in the sample."""
    values = [random.Random(1).random() for _ in range(100_000)]
    values[77_777] = 50.0
    assert 77_777 in pick(values)
    assert len(pick(values)) <= 400
