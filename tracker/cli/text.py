"""Values as text for a terminal. What a run logged is never trusted: control characters do not reach the terminal."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

DIGITS = 4
MAX_DIGITS = 10
ARROWS = {"maximize": " ↑", "minimize": " ↓", None: ""}
"""Which way a metric should go."""
_SPARKS = "▁▂▃▄▅▆▇█"
_LEVELS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BARS = {level: _SPARKS[index * len(_SPARKS) // len(_LEVELS)] for index, level in enumerate(_LEVELS)}
_JOINERS = "\u200c\u200d"
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000))


def clean(text: object) -> str:
    """One line of text in which control, direction and invisible characters show as escapes."""
    return "".join(character if _is_safe(character) else _escaped(character) for character in str(text))


def clean_lines(text: str) -> str:
    """The same, keeping line breaks."""
    return "\n".join(map(clean, text.split("\n")))


def _is_safe(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def value(item: object) -> str:
    """A param or tag as text, numbers as they were given."""
    if item is None:
        return "none"
    if isinstance(item, bool):
        return str(item).lower()
    return number(item, MAX_DIGITS) if isinstance(item, float) else clean(item)


def number(item: float, digits: int = DIGITS) -> str:
    """A number with so many significant digits, in full where that is short."""
    if not math.isfinite(item):
        return {math.inf: "inf", -math.inf: "-inf"}.get(item, "nan")
    text = f"{item:.{digits}g}"
    return f"{item:.0f}" if "e" in text and 1 <= abs(item) < 1e15 else text


def numbers(items: Sequence[float]) -> list[str]:
    """Numbers with as many significant digits as it takes to tell them apart, at least four."""
    different = len({item for item in items if not math.isnan(item)})
    for digits in range(DIGITS, MAX_DIGITS):
        texts = [number(item, digits) for item in items]
        if len(set(texts) - {"nan"}) == different:
            return texts
    return [number(item, MAX_DIGITS) for item in items]


def moment(milliseconds: int | None) -> str:
    """A time in the terminal's time zone, to the second."""
    if milliseconds is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(milliseconds / 1000):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return str(milliseconds)


def duration(milliseconds: float | None) -> str:
    """A span of time in at most two units."""
    if milliseconds is None:
        return ""
    if milliseconds < 60_000:
        return f"{milliseconds:.0f} ms" if milliseconds < 1_000 else f"{milliseconds / 1000:.1f} s"
    for (name, size), (smaller, part) in pairwise(_UNITS):
        if milliseconds >= size:
            rest = int(milliseconds % size // part)
            return f"{milliseconds // size:.0f} {name}" + (f" {rest} {smaller}" if rest else "")
    return ""


def size(count: int) -> str:
    """A number of bytes, in steps of 1,000."""
    if count < 1_000:
        return f"{count} B"
    scaled = float(count)
    for unit in ("kB", "MB", "GB"):
        scaled /= 1_000
        if scaled < 999.5:
            return f"{scaled:.3g} {unit}"
    return f"{scaled / 1_000:.3g} TB"


def counted(number: int, what: str) -> str:
    """How many there are of something: `1 version`, `2 versions`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def sparkline(spark: str) -> str:
    """The curve of a metric's summary as block characters; a gap where it was not finite."""
    return "".join(_BARS.get(level, " ") for level in spark)
