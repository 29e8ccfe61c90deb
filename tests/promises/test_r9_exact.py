"""R9: what was logged comes back exactly, or is refused at once. Nothing changes on the way."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import tracker
from tracker import reader
from tracker.exceptions import InvalidValueError, TrackerError
from tracker.session import session

from .conftest import Figure

WORDS = (
    "",
    *(
        "x",
        "loss",
        "val/loss",
        "a b",
        "recall@5",
        "0",
        "1",
        "1e3",
        "1.0",
        "-0",
        "0x10",
        "1_000",
        "NaN",
        "nan",
        "Infinity",
    ),
    *(
        "true",
        "True",
        "yes",
        "no",
        "on",
        "null",
        "None",
        "~",
        "undefined",
        "[]",
        "{}",
        "{a}",
        "%s%n",
        "${HOME}",
        "$(id)",
    ),
    *(
        "`id`",
        "; rm -rf x",
        "' OR '1'='1",
        '"',
        "'",
        "\\",
        "\\n",
        "\\u0041",
        "\\x41",
        "&amp;",
        "&#0;",
        "<b>",
        "</script>",
    ),
    *(
        "<!--",
        "]]>",
        "{{ 7*7 }}",
        "{% raw %}",
        "<%= 1 %>",
        "=1+1",
        "+1",
        "@a",
        "-1",
        "|",
        "#",
        "# title",
        "*",
        "&a",
        "!tag",
    ),
    *(
        "%YAML 1.2",
        "---",
        "...",
        "? ",
        ": ",
        "- ",
        "key: value",
        "a: b: c",
        " lead",
        "trail ",
        "  ",
        "a,b",
        "a;b",
        "a\tb",
    ),
    *("../up", "/etc/passwd", "C:\\x", "con", "nul", ".", "..", ".new-x", "a/b/c", "%2e%2e", "file:///x", "http://h/x"),
    *(
        "é",
        "e\u0301",
        "Å",
        "Å",
        "ﬁ",
        "ß",
        "İ",
        "ı",
        "Ω",
        "日本語",
        "한국어",
        "العربية",
        "עברית",
        "ไทย",
        "हिन्दी",
        "🦦",
        "👩‍💻",
        "🏳️‍🌈",
        "𝔘𝔫𝔦",
    ),
)
CHARACTERS = (
    *(chr(code) for code in range(32)),
    *(chr(code) for code in range(0x7F, 0xA1)),
    *"\u00ad\u034f\u061c\u115f\u1680\u180e\u2000\u2003\u2007\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u202f",
    *"\u2060\u2066\u2069\u3000\ufe0f\ufeff\ufff9\ufffc\ufffd\ufffe\uffff\ue000\uf8ff\ufdd0\ufdef",
    *"\U0001f3fb\U000e0001\U000e007f\U000f0000\U000fffff\U00100000\U0010ffff\U0001fffe",
    *"\ud800\udbff\udc00\udfff",
)
LONG = ("x" * 499, "x" * 500, "x" * 501, "é" * 500, "🦦" * 500, "a/" * 249 + "a", "x" * 10_000, "\u0301" * 300)


def hostile_texts() -> list[str]:
    """Words that mean something to somebody, characters that are trouble, and each of these within a word."""
    around = ("{}", "a{}b", "{}a", "a{}")
    odd = (form.format(character) for character, form in itertools.product(CHARACTERS, around))
    return list(dict.fromkeys([*WORDS, *odd, *LONG, *(word + "\r\n" + word for word in WORDS[:20])]))


TEXTS = hostile_texts()
Logged = Iterator[tuple[str, Callable[[], Any]]]


class Tally:
    """How often a value came back exactly, was refused, or was changed."""

    def __init__(self) -> None:
        self.exact = 0
        self.refused = 0
        self.changed: list[tuple[str, str]] = []

    def count(self, field: str, text: str, found: object) -> None:
        """Note what came back for a text."""
        self.exact += found == text
        if found != text:
            self.changed.append((field, text))

    def attempt(self, call: Callable[[], Any]) -> Any:
        """The answer of a call, or None when the value is refused with an error that names it."""
        try:
            return call() or True
        except InvalidValueError as error:
            self.refused += 1
            assert len(str(error)) > 20
            return None


def log_everywhere(text: str, tally: Tally) -> list[tuple[str, Callable[[reader.ReadRun], object]]]:
    """Log the text in every field of the active run; returns what is to be read where."""
    attempts: dict[str, tuple[Callable[[], object], Callable[[reader.ReadRun], object]]] = {
        "param key": (lambda: tracker.log_param(text, 1), lambda run: key_of(run.file.params, text)),
        "param value": (lambda: tracker.log_param("the value", text), lambda run: run.file.params.get("the value")),
        "metric": (lambda: tracker.log_metric(text, 1.0), lambda run: key_of(run.file.metrics, text)),
        "tag key": (lambda: tracker.set_tag(text, "1"), lambda run: key_of(run.file.tags, text)),
        "tag value": (lambda: tracker.set_tag("the tag", text), lambda run: run.file.tags.get("the tag")),
        "artifact path": (lambda: tracker.log_text("here", text), lambda run: artifact(run, text, "here") and text),
        "artifact text": (lambda: tracker.log_text(text, "text"), lambda run: artifact_text(run)),
    }
    return [(field, read) for field, (log, read) in attempts.items() if tally.attempt(log)]


def key_of(found: dict[str, Any], text: str) -> str | None:
    """The key as it was read, if it is there."""
    return next((key for key in found if key == text), None)


def artifact(run: reader.ReadRun, path: str, text: str) -> bool:
    """Whether the artifact is there and says so."""
    file = run.folder / "artifacts" / path
    return file.is_file() and file.read_text("utf-8") == text


def artifact_text(run: reader.ReadRun) -> str:
    """What the artifact `text` holds, byte for byte."""
    return (run.folder / "artifacts" / "text").read_bytes().decode()


def test_hostile_texts_come_back_or_are_refused(quick: None, store: Path, figure: Figure) -> None:
    """In names of runs and experiments, descriptions, keys, values, paths and contents."""
    tally = Tally()
    expected: dict[str, list[tuple[str, str, Callable[[reader.ReadRun], object]]]] = {}
    for text in TEXTS:
        named = tally.attempt(lambda text=text: tracker.start_run(run_name=text or "\0"))
        run = named or tracker.start_run()
        checks = log_everywhere(text, tally)
        if named:
            checks.append(("run name", lambda run: run.file.name))
        tracker.end_run()
        described = tally.attempt(lambda text=text: tracker.start_run(run_id=None, description=text))
        if described:
            tracker.end_run()
            expected[described.run_id] = [
                ("description", text, lambda run: run.file.tags.get("mlflow.note.content", ""))
            ]
        expected[run.run_id] = [(field, text, read) for field, read in checks]
    for cache in (False, True, True):
        found = {run.file.run_id: run for run in reader.read_store(store, cache=cache).runs()}
        assert reader.read_store(store, cache=cache).problems == ()
    for run_id, checks in expected.items():
        assert reader.read_history(found[run_id].folder).problems == ()
        for field, text, read in checks:
            tally.count(field, text, read(found[run_id]))
    assert tally.changed == []
    figure("R9", f"{len(TEXTS)} hostile texts x 9 fields: {tally.exact:,} exact, {tally.refused:,} refused, 0 changed")


def test_hostile_experiments_come_back_or_are_refused(quick: None, store: Path, figure: Figure) -> None:
    """Names, descriptions, tags and the metrics of goals stand in YAML, which has ideas of its own."""
    tally = Tally()
    made: dict[str, dict[str, Any]] = {}
    for text in TEXTS:
        fields: dict[str, Any] = {"description": text, "tags": {text: text}, "goal": {text: "minimize"}}
        if tally.attempt(lambda text=text, fields=fields: tracker.set_experiment(text, **fields)):
            made[text] = {"name": text, **fields}
    session.reset()
    found = reader.read_store(store, cache=False)
    assert found.problems == ()
    assert len(found.experiments) == len(made)
    for experiment in found.experiments:
        for field, value in made[experiment.file.name].items():
            tally.count(field, value, getattr(experiment.file, field))
    assert tally.changed == []
    figure(
        "R9", f"{len(TEXTS)} hostile texts x 4 fields of experiments: {tally.exact:,} exact, {tally.refused:,} refused"
    )


NUMBERS: list[Any] = [
    *(0, -0.0, 1, -1, 0.1, 1 / 3, math.pi, 5e-324, 2.2250738585072014e-308, 1e308, 1.7976931348623157e308, -1e-300),
    *(math.nan, math.inf, -math.inf, True, False, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 2**64 + 1),
    *(-(2**53) - 1, -(2**63), -(2**63) - 1, 10**22, 10**23, 10**300, 10**308, 10**309, 2**1023, 2**1024, -(10**400)),
    *(
        np.float64(0.1),
        np.float32(0.1),
        np.float16(0.1),
        np.longdouble(0.1),
        np.int8(-1),
        np.int64(2**62),
        np.uint64(2**63),
    ),
    *(np.bool_(True), np.float32("nan"), np.float64("inf"), np.array(0.1), np.array([7])),
    *(
        Decimal("0.1"),
        Decimal("1e400"),
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("-0"),
        Fraction(1, 3),
        Fraction(10**400),
    ),
    *("0.1", None, 1j, [1], {}, b"1", object()),
]


def plain(number: Any) -> Any:
    """The Python number that a number of another library is; for exact fractions the nearest float."""
    value = number.item() if hasattr(number, "item") else number
    return value if isinstance(value, int | float) else float(value)


def test_odd_numbers_come_back_or_are_refused(quick: None, store: Path, figure: Figure) -> None:
    """As values of metrics, in every one of their summary's fields, and as params with their types."""
    accepted: dict[str, tuple[Any, Any]] = {}
    refused = 0
    with tracker.start_run() as run:
        for index, number in enumerate(NUMBERS):
            try:
                tracker.log_metric(f"m{index}", number, step=index)
            except InvalidValueError:
                refused += 1
            else:
                accepted[f"m{index}"] = (number, plain(number))
            try:
                tracker.log_param(f"p{index}", number)
            except InvalidValueError:
                refused += 1
    for cache in (False, True, True):
        (found,) = reader.read_store(store, cache=cache).runs()
    history = reader.read_history(run.folder)
    for key, (number, value) in accepted.items():
        summary = found.file.metrics[key]
        assert same(history.series[key].values[0], value), number
        assert same(summary.last, value) and same(summary.first, value), number
        if math.isfinite(value):
            assert same(summary.min, value) and same(summary.max, value), number
    for index, number in enumerate(NUMBERS):
        if isinstance(number, bool | int | float) and f"p{index}" in found.file.params:
            assert repr(found.file.params[f"p{index}"]) == repr(
                number if type(number) in (bool, int, float) else number.item()
            )
    assert refused and len(accepted) > 40
    figure("R9", f"{len(NUMBERS)} odd numbers: {len(accepted)} metrics exact, the others refused at once")


def same(found: Any, value: Any) -> bool:
    """Equal, of the same sign, and NaN like NaN."""
    if math.isnan(value):
        return math.isnan(found)
    return bool(found == value) and math.copysign(1, found) == math.copysign(1, value)


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))
POINTS = st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats() | st.integers(-(2**60), 2**60))


@hypothesis_settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    params=st.dictionaries(NAMES, VALUES, max_size=5),
    metrics=st.dictionaries(NAMES, st.lists(POINTS, min_size=1, max_size=8), max_size=4),
    tags=st.dictionaries(
        NAMES.filter(lambda name: not name.startswith("mlflow.")),
        st.text(st.characters(exclude_categories=["Cs"])),
        max_size=4,
    ),
    resumed=st.booleans(),
)
def test_a_run_is_read_as_it_was_logged(
    quick: None,
    store: Path,
    params: dict[str, Any],
    metrics: dict[str, list[tuple[int, float]]],
    tags: dict[str, str],
    resumed: bool,
) -> None:
    """Any params, points and tags, in one sitting or in two, are what a reader finds."""
    with tracker.start_run() as run:
        tracker.log_params(params)
        tracker.set_tags(tags)
        for key, points in metrics.items():
            for step, value in points[:3]:
                tracker.log_metric(key, value, step=step)
    if resumed:
        tracker.start_run(run_id=run.run_id)
    for key, points in metrics.items():
        for step, value in points[3:]:
            tracker.log_metric(key, value, step=step, run_id=None if resumed else run.run_id)
    tracker.end_run()
    found = reader.read_run(store, run.run_id)
    history = reader.read_history(found.folder)
    assert {key: repr(value) for key, value in found.file.params.items()} == {k: repr(v) for k, v in params.items()}
    assert found.file.tags == tags
    for key, points in metrics.items():
        series = history.series[key]
        pairs = sorted(zip(series.steps, map(repr, map(float, series.values)), strict=True))
        assert pairs == sorted((step, repr(float(value))) for step, value in points)
        assert found.file.metrics[key].count == len(points)
    assert set(history.series) == set(metrics)
    assert (found.problems, history.problems, found.file.status) == ((), (), "FINISHED")


def test_errors_of_refused_values_are_ours() -> None:
    """Whoever catches MlflowException or ValueError catches them."""
    assert issubclass(InvalidValueError, TrackerError) and issubclass(InvalidValueError, ValueError)
    with pytest.raises(tracker.MlflowException):
        tracker.set_tracking_uri("")
