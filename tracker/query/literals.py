"""The values that stand in a query: numbers, durations, dates, truth values, text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tracker.query.fields import STATUSES, Kind
from tracker.query.nodes import Value
from tracker.query.tokens import Token

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER_ONLY = re.compile(_NUMBER)
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_LOOKS_NUMERIC = re.compile(r"[+-]?\.?[0-9]")
_NONFINITE = re.compile(r"([+-]?)(nan|inf|infinity)", re.IGNORECASE)
_SPAN = re.compile(rf"({_NUMBER})(ms|s|m|h|d|w)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

EXPECTED: dict[Kind, str] = {
    "number": "a number",
    "typed": "a number, true, false or text in quotes",
    "text": "text in quotes",
    "status": f"one of {', '.join(STATUSES)}",
    "time": "milliseconds, a date such as '2025-01-31' or '2025-01-31T12:00', or a time ago such as -7d",
    "duration": "seconds, or a duration such as 90s, 5m, 2h or 1d",
}


class Literal(NamedTuple):
    """A value as it stands in the query, about to be read."""

    text: str
    quoted: bool


def to_number(text: str) -> int | float | None:
    """The number that a text is written as (`1e-3`, `-.5`), else None. ASCII digits only; no NaN or infinity."""
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER_ONLY.fullmatch(text) else None


def read_value(kind: Kind, token: Token, now: int) -> Value | None:
    """The value in the unit of its field; None when it is none. `now` is in UTC milliseconds."""
    literal = Literal(token.text, quoted=token.kind == "string")
    match kind:
        case "number":
            return None if literal.quoted else _number(literal.text)
        case "typed":
            return literal.text if literal.quoted else _typed(literal.text)
        case "text":
            return literal.text
        case "status":
            return literal.text.upper() if literal.text.upper() in STATUSES else None
        case "time":
            return _time(literal, now)
        case "duration":
            return _duration(literal.text)


def _number(text: str) -> int | float | None:
    number = to_number(text)
    if number is None and (match := _NONFINITE.fullmatch(text)):
        return float(match[0])
    return number


def _typed(text: str) -> Value | None:
    number = _number(text)
    if number is not None:
        return number
    word = text.lower()
    if word in ("true", "false"):
        return word == "true"
    return None if word in ("null", "none") or _LOOKS_NUMERIC.match(text) else text


def _time(literal: Literal, now: int) -> int | float | None:
    if not literal.quoted and literal.text.startswith("-"):
        span = _span(literal.text)
        return None if span is None else now + span
    if not literal.quoted and (number := to_number(literal.text)) is not None:
        return number
    return _date(literal.text) if _DATE.fullmatch(literal.text) else None


def _date(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND


def _duration(text: str) -> int | float | None:
    seconds = to_number(text)
    return _span(text) if seconds is None else seconds * 1000


def _span(text: str) -> float | None:
    """Milliseconds of `90s`, `1.5h` and so on."""
    match = _SPAN.fullmatch(text)
    return float(match[1]) * _UNIT_MS[match[2]] if match else None
