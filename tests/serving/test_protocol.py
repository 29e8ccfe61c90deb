"""The scoring protocol: our answers beside those of MLflow's own server, which answers.json keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from . import corpus
from .conftest import Ask

THEIRS: dict[str, Any] = json.loads((Path(__file__).parent / "answers.json").read_text("utf-8"))["answers"]
BENT = "MLflow makes another value of it without a word"
DIFFERENT = {
    "a fraction for a long": (400, BENT),
    "text for a boolean": (400, BENT),
    "null for a boolean": (400, BENT),
    "an integer beyond a long": (400, BENT),
    "an integer too large": (400, BENT),
    "no base64": (400, BENT),
    "inputs, a fraction for a long": (400, BENT),
    "inputs, a fraction for an integer tensor": (400, BENT),
    "csv with base64 and a date": (200, "MLflow reads neither from CSV"),
    "csv for a tensor": (200, "MLflow reads none from CSV"),
    "JSON too deep": (400, "MLflow has an internal error"),
    "a number too long": (400, "MLflow has an internal error"),
}
"""Where ours is to be another answer, its status, and why."""
CODES = {"BAD_REQUEST", "INVALID_PARAMETER_VALUE"}


@pytest.mark.parametrize("request_", corpus.REQUESTS, ids=lambda request: request.name)
@pytest.mark.filterwarnings("ignore:The model does not know these params")
def test_answers_are_those_of_mlflow(ask: Ask, request_: corpus.Request) -> None:
    """Status and predictions are MLflow's, but where that would bend data or fail."""
    theirs = THEIRS[request_.name]
    ours = ask(request_.model, "POST", "/invocations", request_.content_type, request_.body)
    if request_.name in DIFFERENT:
        assert ours.status == DIFFERENT[request_.name][0] != theirs["status"]
        return
    assert ours.status == theirs["status"], ours.body
    if ours.status == 200:
        assert _sorted(ours.body) == _sorted(theirs["body"])
    elif ours.status == 400:
        assert json.loads(ours.body)["error_code"] in CODES


def _sorted(text: str) -> str:
    """JSON with its keys in order; NaN is like NaN."""
    return json.dumps(json.loads(text), sort_keys=True)


def test_the_corpus_is_the_one_that_mlflow_answered() -> None:
    """Each request has an answer of MLflow, and no answer is left over."""
    assert [request.name for request in corpus.REQUESTS if request.name not in THEIRS] == []
    assert len(THEIRS) == len(corpus.REQUESTS)
    assert set(DIFFERENT) <= set(THEIRS)


REFUSED = [request for request in corpus.REQUESTS if THEIRS[request.name]["status"] != 200]


@pytest.mark.parametrize("request_", REFUSED, ids=lambda request: request.name)
def test_an_error_is_json_without_a_traceback(ask: Ask, request_: corpus.Request) -> None:
    """What is refused comes back as JSON with a code and a sentence, and nothing of the code that refused it."""
    answer = ask(request_.model, "POST", "/invocations", request_.content_type, request_.body)
    if answer.status != 200:
        body = json.loads(answer.body)
        assert sorted(body) == ["error_code", "message"]
        assert "Traceback" not in answer.body and ".py" not in answer.body
        assert body["message"].rstrip().endswith(".")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text for a double", ['"a"', "double", "many"]),
        ("a column is missing", ['"b"']),
        ("a fraction for a long", ['"b"', "long", "2.5"]),
        ("null for a long", ['"b"', "long", "row 0"]),
        ("no date", ['"at"', "datetime"]),
        ("a date with a zone", ['"at"', "UTC"]),
        ("no base64", ['"raw"', "base64"]),
        ("inputs of another type", ['"a"', "double"]),
        ("nested of another type", ['"xs"', "double"]),
        ("csv of another type", ['"a"', "double"]),
        ("params of another type", ['"top"', "long"]),
        ("two inputs", ["instances", "inputs"]),
        ("a dict without an input", ["dataframe_split", "'data'"]),
        ("XML", ["application/json", "text/csv"]),
        ("a model that fails", ["ValueError", "the model does not like this"]),
    ],
)
def test_an_error_names_what_is_wrong(ask: Ask, name: str, words: list[str]) -> None:
    """The message has the column, what was expected and what came."""
    request = next(request for request in corpus.REQUESTS if request.name == name)
    answer = ask(request.model, "POST", "/invocations", request.content_type, request.body)
    message = json.loads(answer.body)["message"]
    assert [word for word in words if word not in message] == []


def test_a_mistyped_key_is_guessed(ask: Ask) -> None:
    """The nearest of the four keys is proposed."""
    answer = ask("plain", "POST", "/invocations", corpus.JSON, '{"input": [1]}')
    assert 'Did you mean "inputs"?' in json.loads(answer.body)["message"]


def test_a_request_without_a_type_is_refused(ask: Ask) -> None:
    """Without a Content-Type nothing is guessed."""
    answer = ask("plain", "POST", "/invocations", "", '{"inputs": [1]}')
    assert answer.status == 415
    assert "application/json" in answer.body
