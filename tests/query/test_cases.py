"""The query language answers every case of cases.json, which the browser's implementation passes too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracker.codec import read_number, read_param
from tracker.exceptions import QueryError
from tracker.query import RunSubject, compile_query
from tracker.schema import ExperimentFile, MetricSummary, RunFile
from tracker.summary import Series, summarize

CASES: dict[str, Any] = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))


def summary(values: list[Any]) -> MetricSummary:
    numbers = [read_number(value) for value in values]
    return summarize(Series(steps=list(range(len(numbers))), values=numbers, times=[0] * len(numbers)))


def subject(run: dict[str, Any]) -> RunSubject:
    file = RunFile(
        schema=1,
        run_id=run["id"],
        name=run["name"],
        experiment_id="1",
        status=run["status"],
        start_time=run["start_time"],
        end_time=run["end_time"],
        parent=run["parent"],
        params={key: read_param(value) for key, value in run["params"].items()},
        metrics={key: summary(values) for key, values in run["metrics"].items()},
        tags=run["tags"],
    )
    name = run["experiment"]
    return RunSubject(file, ExperimentFile(id="1", name=name, goal=CASES["goals"][name]))


SUBJECTS = [subject(run) for run in CASES["runs"]]


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["query"])
def test_a_query_finds_the_runs_that_its_case_names(case: dict[str, Any]) -> None:
    matches = compile_query(case["query"], now=CASES["now"])
    assert [subject.file.run_id for subject in SUBJECTS if matches(subject)] == case["expected"]


@pytest.mark.parametrize("case", CASES["errors"], ids=lambda case: case["query"][:60])
def test_a_mistake_is_answered_with_its_position_and_what_was_expected(case: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as caught:
        compile_query(case["query"], now=CASES["now"])
    assert caught.value.position == case["position"]
    assert case["expected"] in caught.value.expected
    assert case.get("message", "") in caught.value.message


def test_an_error_shows_the_query_with_a_caret_under_the_mistake() -> None:
    with pytest.raises(QueryError) as caught:
        compile_query("otter AND\nstatu = 'x'")
    lines = str(caught.value).splitlines()
    assert lines[1:3] == ["  otter AND statu = 'x'", "            ^"]


def test_a_pattern_takes_time_that_grows_with_the_text_only() -> None:
    matches = compile_query(f"params.model LIKE '{'%a' * 30}b'")
    run = {**CASES["runs"][0], "params": {"model": "a" * 5000}}
    assert not matches(subject(run))
