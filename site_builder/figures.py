"""Numbers, sizes, times and ids as people read them. Pure functions; templates know them as filters.

What is missing (None) is an en dash everywhere. Nothing here raises for a value that a run can hold.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from decimal import Decimal

MISSING = "–"
DIGITS = 5
"""Significant digits of a metric."""
PARAM_DIGITS = 10
"""Significant digits of a param: as typed, without the noise of binary fractions."""

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_LAST_DATE = 253_402_300_799_999
"""The end of the year 9999 in UTC milliseconds."""


def number(value: object, digits: int = DIGITS) -> str:
    """A number with at most `digits` significant digits: `0.97222`, `1.5e-5`, `NaN`, `∞`; whole numbers in full."""
    if type(value) is float:
        return _float(value, digits)
    if isinstance(value, int):
        return _integer(int(value), digits)
    return MISSING if value is None else str(value)


def count(value: int | None) -> str:
    """A whole number with thousands separated: `50,000`."""
    return MISSING if value is None else f"{value:,}"


def duration(ms: int | None) -> str:
    """A span in at most two units: `340 ms`, `12.3 s`, `4 min 12 s`, `2 d 5 h`."""
    if ms is None:
        return MISSING
    if ms < 0:
        return f"-{duration(-ms)}"
    if ms < 1_000:
        return f"{ms} ms"
    return f"{ms / 1_000:.3g} s" if ms < 59_950 else _two_units(max(ms, 60_000))


def date(ms: int | None) -> str:
    """An absolute date: `2026-11-23 01:48 UTC`."""
    return _date(ms, "%Y-%m-%d %H:%M UTC")


def isodate(ms: int | None) -> str:
    """A date for `<time datetime>`: `2026-11-23T01:48:05Z`."""
    return _date(ms, "%Y-%m-%dT%H:%M:%SZ")


def day(ms: int | None) -> str:
    """The same without the time of day: `2026-11-23`."""
    return _date(ms, "%Y-%m-%d")


def moment(text: str) -> int | None:
    """UTC milliseconds of a date as files have it, `2026-03-01T09:30:00Z`; None for what is no date."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    ms = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000
    return int(ms) if 0 <= ms <= _LAST_DATE else None


def signed(value: float | None, digits: int = 3) -> str:
    """A difference with its sign: `+0.012`, `−0.3`, `±0`."""
    if value is None:
        return MISSING
    if value == 0:
        return "±0"
    return f"{'+' if value > 0 else '−'}{number(abs(value), digits)}"


def size(count_of_bytes: int | None) -> str:
    """Bytes in decimal units: `340 B`, `1.2 kB`, `48 MB`."""
    if count_of_bytes is None:
        return MISSING
    amount = float(count_of_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 9.95 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def value(thing: object) -> str:
    """A param, tag or cell: numbers short, bools as `true` and `false`, text as it is."""
    if type(thing) is str:
        return thing
    if thing is True:
        return "true"
    return "false" if thing is False else number(thing, PARAM_DIGITS)


def short_id(run_id: str) -> str:
    """The last eight digits of a run id; the first ones only tell the time."""
    return run_id[-8:]


def short_digest(digest: str) -> str:
    """The first twelve digits of a SHA-256."""
    return digest.removeprefix("sha256:")[:12]


def _float(value: float, digits: int) -> str:
    if value.is_integer() and abs(value) < 1e7:
        return str(int(value))
    if math.isfinite(value):
        return _tidy(f"{value:.{digits}g}")
    return "NaN" if value != value else "∞" if value > 0 else "-∞"


def _integer(value: int, digits: int) -> str:
    return str(value) if abs(value) < 10**15 else _tidy(f"{Decimal(value):.{digits}g}")


def _tidy(text: str) -> str:
    """`1.5e-05` and `1.00e+06` as `1.5e-5` and `1e6`."""
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"


def _two_units(ms: int) -> str:
    for index, (length, unit) in enumerate(_UNITS[:-1]):
        if ms >= length:
            below, name = _UNITS[index + 1]
            whole, rest = divmod(ms // below, length // below)
            return f"{whole:,} {unit} {rest} {name}" if rest else f"{whole:,} {unit}"
    raise ValueError(f"{ms} ms is less than a minute")


def _date(ms: int | None, form: str) -> str:
    if ms is None:
        return MISSING
    if not 0 <= ms <= _LAST_DATE:
        return f"{ms} ms"
    return time.strftime(form, time.gmtime(ms // 1000))
