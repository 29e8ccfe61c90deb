"""Long series made short without losing what people look for: ends, spikes and points that are not finite."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tracker.summary import Series

MAX_POINTS = 400
"""Points of a series that a page draws."""


def sample(series: Series) -> Series:
    """The points of a series that a page draws; the series itself when it is short."""
    chosen = pick(series.values)
    if len(chosen) == len(series):
        return series
    return Series(
        [series.steps[index] for index in chosen],
        [series.values[index] for index in chosen],
        [series.times[index] for index in chosen],
    )


def pick(values: Sequence[float], limit: int = MAX_POINTS) -> Sequence[int]:
    """Indexes of at most `limit` values, ascending: the ends, and of each bucket its least, its greatest and its
    first value that is not finite.

    Short series are kept whole. The choice depends on the values alone; it is made in one pass of plain Python.
    """
    count = len(values)
    if count <= limit:
        return range(count)
    kept_of_each = 2 if all(map(math.isfinite, values)) else 3
    buckets = (limit - 2) // kept_of_each
    chosen = {0, count - 1}
    for index in range(buckets):
        chosen.update(_extremes(values, index * count // buckets, (index + 1) * count // buckets))
    return sorted(chosen)


def _extremes(values: Sequence[float], start: int, end: int) -> Iterator[int]:
    part = values[start:end]
    finite = part if all(map(math.isfinite, part)) else [value for value in part if math.isfinite(value)]
    if finite:
        yield start + part.index(min(finite))
        yield start + part.index(max(finite))
    if len(finite) < len(part):
        yield start + next(index for index, value in enumerate(part) if not math.isfinite(value))
