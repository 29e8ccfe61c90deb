"""Values to bytes and back: exactly, or refused with a reason."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import codec
from tracker.exceptions import InvalidValueError


class Tensor:
    """Behaves like a scalar of a deep-learning framework: `item()` gives the number, `float()` is not promised."""

    def __init__(self, value: object, *, elements: int = 1) -> None:
        self.value, self.elements = value, elements

    def __repr__(self) -> str:
        return f"Tensor({self.value!r})"

    def item(self) -> object:
        """The one number, as torch does it."""
        if self.elements != 1:
            raise RuntimeError("a Tensor with 3 elements cannot be converted to Scalar")
        return self.value


def metric(value: Any) -> Any:
    """What is read back of a metric that was logged with this value."""
    return codec.read_number(json.loads(codec.metric_text("loss", value)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, 0.1),
        (3, 3.0),
        (True, 1.0),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int64(7), 7.0),
        (np.bool_(True), 1.0),
        (np.array(2.5), 2.5),
        (np.array([2.5]), 2.5),
        (pd.Series([4.0]), 4.0),
        (pd.Series([4]).sum(), 4.0),
        (Tensor(0.25), 0.25),
        (Tensor(3), 3.0),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 4), 0.25),
        (5e-324, 5e-324),
        (1e308, 1e308),
        (2**53, 2.0**53),
        (2**53 + 1, 2**53 + 1),
        (-(2**63), -(2.0**63)),
        (2**64 + 1, 2**64 + 1),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (Tensor(math.inf), math.inf),
    ],
    ids=repr,
)
def test_a_metric_takes_whatever_behaves_like_one_number(value: Any, expected: float) -> None:
    """Numbers of Python, numpy, pandas and frameworks come back as the float (or the integer) that they are."""
    found = metric(value)
    assert found == expected
    assert type(found) is type(expected)


def test_nan_and_negative_zero_come_back() -> None:
    """NaN is a number here, and the sign of zero survives."""
    assert math.isnan(metric(math.nan))
    assert math.isnan(metric(np.float32("nan")))
    assert math.copysign(1, metric(-0.0)) == -1


@pytest.mark.parametrize(
    "value",
    [
        *("0.5", b"0.5", bytearray(b"0.5"), None, [1.0], {"a": 1}, object(), 1j),
        *(np.array([1.0, 2.0]), np.array(["0.5"]), np.complex128(1), pd.NA, pd.NaT, pd.Series([1.0, 2.0])),
        *(Tensor("x"), Tensor(1.0, elements=3), Tensor(None)),
        *(10**400, Decimal("1e400"), Fraction(10**400), np.longdouble("1e400"), 10**4000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_is_refused(value: object) -> None:
    """Text, several numbers at once and what no float can hold raise an error that names the metric and the value."""
    with pytest.raises(InvalidValueError, match="'loss'"):
        codec.metric_text("loss", value)


@pytest.mark.parametrize("value", [1, 1.0, True, np.int32(1), np.float64(1), Tensor(1), Decimal(1)], ids=repr)
def test_a_step_is_a_whole_number(value: object) -> None:
    """Whatever equals an integer can be a step."""
    assert codec.as_integer(value, "A step") == 1


@pytest.mark.parametrize("value", [1.5, math.nan, math.inf, "1", None, 2**63, -(2**63) - 1, 10**4000])
def test_other_steps_are_refused(value: object) -> None:
    """A step that is no whole number of 64 bits raises an error that says so."""
    with pytest.raises(InvalidValueError, match="A step must"):
        codec.as_integer(value, "A step")


@pytest.mark.parametrize("value", [-1, 10**15, 1_700_000_000_000_000])
def test_a_timestamp_is_in_milliseconds(value: int) -> None:
    """Micro- and nanoseconds given by mistake are refused at once, for no date could be shown."""
    with pytest.raises(InvalidValueError, match="UTC milliseconds"):
        codec.as_time(value)


PARAMS = [
    *(None, True, False, 0, -1, 2**53 + 1, 2**63, 2**70, -(2**70), 2**4000, 0.1, -0.0, 5e-324, 1e308),
    *(math.inf, -math.inf, "", " ", "NaN", "text\nof lines", "\0", "\u2028", "🦦", "1", "true", "null"),
]


@pytest.mark.parametrize("value", PARAMS)
def test_a_param_keeps_its_type(value: codec.Param) -> None:
    """Numbers, bools, text and None come back as what they were; the text "NaN" stays a text."""
    kept = codec.param_value("p", value)
    found = codec.read_param(json.loads(codec.json_text(codec.param_json(kept))))
    assert (type(found), repr(found)) == (type(value), repr(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("adam"), "adam"),
        (Tensor(0.5), 0.5),
        (np.array(4), 4),
        ([1, 2], "[1, 2]"),
        ({"a": 1}, "{'a': 1}"),
        (Decimal("0.10"), "0.10"),
        (np.array([1, 2]), "[1 2]"),
    ],
    ids=repr,
)
def test_other_params_become_numbers_or_text(value: object, expected: codec.Param) -> None:
    """Scalars of other libraries become Python's; everything else is kept as its text."""
    found = codec.param_value("p", value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("value", [2**4097, "x" * 1_000_001, "\ud800"], ids=lambda value: f"{type(value).__name__}")
def test_params_that_cannot_be_kept_are_refused(value: object) -> None:
    """Too long, too large, or half of a surrogate pair: an error that names the param."""
    with pytest.raises(InvalidValueError, match="'p'"):
        codec.param_value("p", value)


def test_nested_params_become_dotted_keys() -> None:
    """Dicts in dicts are flattened; an empty one stays a value."""
    nested = {"opt": {"name": "adam", "betas": {"1": 0.9}}, "aug": {}, 3: "three"}
    assert dict(codec.flatten(nested)) == {"opt.name": "adam", "opt.betas.1": 0.9, "aug": {}, "3": "three"}


def test_endless_params_are_refused() -> None:
    """A dict that holds itself raises an error instead of running for ever."""
    endless: dict[str, object] = {}
    endless["again"] = endless
    with pytest.raises(InvalidValueError, match="nested deeper"):
        dict(codec.flatten(endless))


@given(st.floats(allow_nan=False) | st.integers(-(2**1000), 2**1000))
def test_every_number_comes_back(value: float) -> None:
    """Whatever float or integer is logged, its equal is read."""
    assert metric(value) == value


@given(st.none() | st.booleans() | st.integers(-(2**4000), 2**4000) | st.floats() | st.text())
def test_every_param_comes_back(value: codec.Param) -> None:
    """Whatever plain value is logged, the same one is read."""
    found = codec.read_param(json.loads(codec.line(value=codec.param_json(codec.param_value("p", value))))["value"])
    assert (type(found), repr(found)) == (type(value), repr(value))
