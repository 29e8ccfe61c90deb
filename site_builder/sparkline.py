"""Word-sized curves as SVG: under 1 kB, in the colour of the text around them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache

from markupsafe import Markup

LEVELS = "0123456789abcdefghijklmnopqrstuvwxyz"
WIDTH = 96
HEIGHT = 24
_PAD = 2
_MAX_POINTS = 48
_MAX_TEXT = 100
_FINITE = re.compile("[0-9a-z]+")
_Y = {level: f"{HEIGHT - _PAD - index * (HEIGHT - 2 * _PAD) / 35:.1f}" for index, level in enumerate(LEVELS)}
_OPEN = (
    f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
    'preserveAspectRatio="none" aria-hidden="true" focusable="false">'
)
_STROKE = (
    '" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round" '
    'vector-effect="non-scaling-stroke"/></svg>'
)


def spark_of_text(text: str) -> Markup:
    """The curve of a `MetricSummary.spark`; whatever is no level is a gap. Empty for fewer than two characters."""
    if not 2 <= len(text) <= _MAX_TEXT:
        return Markup("")
    xs = _xs(len(text))
    path = "".join([_segment(xs[part.start() : part.end()], part.group()) for part in _FINITE.finditer(text)])
    return Markup(f'{_OPEN}<path d="{path}{_STROKE}') if path else Markup("")


def spark_of_values(values: Sequence[float]) -> Markup:
    """The curve of a series, evenly spaced, thinned to 48 points; what is not finite is a gap."""
    thinned = _thin(values)
    finite = [value for value in thinned if math.isfinite(value)]
    if len(thinned) < 2 or not finite:
        return Markup("")
    low, high = min(finite), max(finite)
    return spark_of_text("".join(_level(value, low, high) for value in thinned))


@cache
def _xs(count: int) -> tuple[str, ...]:
    step = (WIDTH - 2 * _PAD) / (count - 1)
    return tuple(f"{_PAD + index * step:.1f} " for index in range(count))


def _segment(xs: tuple[str, ...], levels: str) -> str:
    """A part of the path; a lone point is a line of no length, which the round cap makes visible."""
    path = "M" + "L".join([x + _Y[level] for x, level in zip(xs, levels, strict=True)])
    return path if len(levels) > 1 else path + "h0"


def _level(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "-"
    span = high / 2 - low / 2
    return LEVELS[round((value / 2 - low / 2) / span * 35)] if span > 0 else LEVELS[18]


def _thin(values: Sequence[float]) -> Sequence[float]:
    if len(values) <= _MAX_POINTS:
        return values
    last = len(values) - 1
    return [values[round(index * last / (_MAX_POINTS - 1))] for index in range(_MAX_POINTS)]
