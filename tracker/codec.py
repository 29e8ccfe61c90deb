"""Values, records and files to bytes and back.

JSON is strict: a metric that is not finite is one of the texts "NaN", "Infinity" and "-Infinity", a param that is not
finite is `{"float": "NaN"}`, so that the text "NaN" stays a text. Nothing changes on the way: what comes back
equals what went in, or it was refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from tracker.exceptions import InvalidValueError
from tracker.names import check_name, check_text
from tracker.schema import MAX_TIME, MetricSummary, Record, RunFile

Param = float | int | bool | str | None

MAX_TEXT = 1_000_000
"""Characters in the value of a param or tag."""

_NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_EXACT = 1 << 53
_MAX_BITS = 4096
_MAX_DEPTH = 50
_PLAIN = (str, int, float, bool, type(None))
_T = TypeVar("_T")

record_decoder = msgspec.json.Decoder(Record)
run_decoder = msgspec.json.Decoder(RunFile)
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_text(value: object) -> str:
    """Compact strict JSON, with text as UTF-8 rather than escapes."""
    return _encoder.encode(value)


def json_file(value: object) -> bytes:
    """A struct or plain value as an indented JSON file that reads well in a diff."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def line(**fields: object) -> bytes:
    """One record of a log."""
    return (json_text(fields) + "\n").encode()


# Metrics


def metric_prefix(key: object) -> str:
    """The beginning of every record of a metric, up to its value."""
    return f'{{"metric":{json_text(check_name(key, "A metric name"))},"value":'


def metric_text(key: str, value: object) -> str:
    """A metric's value as JSON: a float where one holds it exactly, else an integer; NaN and infinities as texts."""
    if type(value) is float and value - value == 0.0:  # the quick way for what nearly every call logs: finite floats
        return repr(value)
    number = _as_number(value)
    if number is None:
        raise InvalidValueError(
            f"Metric {key!r} must be a number, but it is {_described(value)}. "
            "Log a list point by point, with a step each; text belongs into log_param or set_tag."
        )
    if isinstance(number, int):
        return _integer_text(key, number)
    return repr(number) if math.isfinite(number) else f'"{_nonfinite_text(number)}"'


def _integer_text(key: str, number: int) -> str:
    if -_EXACT <= number <= _EXACT:
        return repr(float(number))
    try:
        float(number)
    except OverflowError:
        raise InvalidValueError(f"Metric {key!r} is beyond the range of a float: {_short(number)}.") from None
    return repr(number)


def read_number(value: object) -> float:
    """A metric's value as it stands in a file, as a float (an int where no float holds it); ValueError otherwise."""
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            exact = float(value)
        except OverflowError:
            raise ValueError("it is beyond the range of a float") from None
        return exact if exact == value else value
    if isinstance(value, str) and value in _NONFINITE:
        return _NONFINITE[value]
    raise ValueError(f"{value!r:.60} is no number")


def _nonfinite_text(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _as_number(value: object) -> float | int | None:
    """A Python float or int for whatever behaves like one number (numpy, torch, Decimal, ...), else None."""
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str | bytes | bytearray | memoryview):
        return None
    item = getattr(value, "item", None)
    try:
        inner: Any = item() if callable(item) else value
        if isinstance(inner, int):
            return int(inner)
        number = float(inner)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return None if isinstance(inner, str) or (math.isinf(number) and inner != number) else number


def as_integer(value: object, what: str) -> int:
    """A step or a time: an integer or a number without a fraction; InvalidValueError otherwise."""
    number = value if type(value) is int else _as_number(value)
    if number is None or (isinstance(number, float) and not number.is_integer()):
        raise InvalidValueError(f"{what} must be a whole number, but it is {_described(value)}.")
    number = int(number)
    if not -(1 << 63) <= number < 1 << 63:
        raise InvalidValueError(f"{what} must fit 64 bits, but it is {_short(number)}.")
    return number


def as_time(value: object) -> int:
    """A timestamp in UTC milliseconds; InvalidValueError for what is none."""
    time = as_integer(value, "A timestamp")
    if not 0 <= time <= MAX_TIME:
        raise InvalidValueError(f"A timestamp is in UTC milliseconds, between 1970 and 9999, but it is {time}.")
    return time


# Params and tags


def param_value(key: str, value: object) -> Param:
    """What is kept of a param: a number, bool, text or None as it is; anything else as its `str()`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return check_value(key, str(value))
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return _check_size(key, int(value))
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", 0) == 0:
        inner = item()
        if isinstance(inner, bool | int | float | str):
            return param_value(key, inner)
    return check_value(key, str(value))


def _check_size(key: str, value: int) -> int:
    if value.bit_length() > _MAX_BITS:
        raise InvalidValueError(f"The value of {key!r} is an integer of {value.bit_length():,} bits; log it as text.")
    return value


def check_value(key: str, value: str) -> str:
    """Text as the value of a param or tag; InvalidValueError when it is no text or too long."""
    check_text(value, f"The value of {key!r}")
    if len(value) > MAX_TEXT:
        raise InvalidValueError(
            f"The value of {key!r} has {len(value):,} characters; {MAX_TEXT:,} are allowed. Use log_text() for it."
        )
    return value


def flatten(params: Mapping[Any, object], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Pairs of dotted key and value: `{"opt": {"lr": 1}}` gives `("opt.lr", 1)`. An empty mapping stays as `{}`."""
    if depth > _MAX_DEPTH:
        raise InvalidValueError(f"Params are nested deeper than {_MAX_DEPTH} levels at {prefix:.100}.")
    for name, value in params.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{key}.", depth + 1)
        else:
            yield key, value


def param_json(value: Param) -> object:
    """A param as it stands in a file."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": _nonfinite_text(value)}
    return value


def read_param(value: object) -> Param:
    """A param from what stands in a file; ValueError when it cannot be one."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    word = value.get("float") if isinstance(value, dict) and len(value) == 1 else None
    if isinstance(word, str) and word in _NONFINITE:
        return _NONFINITE[word]
    raise ValueError(f"{value!r:.60} is no value of a param")


param_text: Callable[[Param], str] = str
"""MLflow's text form of a param."""


def param_lines(params: Mapping[str, Param], time: int) -> list[bytes]:
    """The records of params."""
    return [line(param=key, value=param_json(value), time=time) for key, value in params.items()]


def tag_lines(tags: Mapping[str, object], time: int) -> list[bytes]:
    """The records of tags, with checked names and the values as text."""
    return [
        line(tag=check_name(key, "A tag name"), value=check_value(key, str(value)), time=time)
        for key, value in tags.items()
    ]


# run.json


def run_file_bytes(run: RunFile) -> bytes:
    """`run.json`."""
    strict = msgspec.structs.replace(
        run,
        params={key: param_json(value) for key, value in run.params.items()},
        metrics={key: _strict_summary(metric) for key, metric in run.metrics.items()},
    )
    return json_file(strict)


def _strict_summary(metric: MetricSummary) -> MetricSummary:
    if math.isfinite(metric.last) and math.isfinite(metric.first):
        return metric
    return msgspec.structs.replace(metric, last=_strict(metric.last), first=_strict(metric.first))


def _strict(value: float) -> object:
    return value if math.isfinite(value) else _nonfinite_text(value)


def read_run_file(data: bytes) -> RunFile:
    """The struct of `run.json`, with params and metrics as plain values; ValueError says what is wrong."""
    try:
        run = run_decoder.decode(data.decode())  # as text, since names that are not ours are not looked at as bytes
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error  # of older releases it is none
    for key, value in run.params.items():
        if type(value) not in _PLAIN:
            run.params[key] = read_param(value)
    for key, metric in run.metrics.items():
        if int in (type(metric.min), type(metric.max)):
            _check_bounds(key, metric)
        if type(metric.last) is not float or type(metric.first) is not float:
            run.metrics[key] = msgspec.structs.replace(
                metric, last=read_number(metric.last), first=read_number(metric.first)
            )
    return run


def _check_bounds(key: str, metric: MetricSummary) -> None:
    for bound in (metric.min, metric.max):
        try:
            float(bound or 0)
        except OverflowError:
            raise ValueError(f"metric {key!r:.60} is beyond the range of a float") from None


def _short(number: int) -> str:
    bits = number.bit_length()
    return repr(number) if bits < 100 else f"an integer of {bits:,} bits"


def _described(value: object) -> str:
    return f"{type(value).__name__} {value!r:.60}"
