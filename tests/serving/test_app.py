"""The application: its other addresses, its limits, the page."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import html5lib
import pytest

import tracker
from tracker.models.inspection import ModelFacts
from tracker.opening import inspect_model
from tracker.serving.answers import answer_bytes
from tracker.serving.app import make_app
from tracker.serving.examples import LARGEST, curl_line, example_request
from tracker.serving.page import POLICY, About, render_page

from . import corpus
from .conftest import Ask, CorpusModel

HOSTILE = "</pre><script>alert(1)</script>'; rm -rf ~; \" \u202e"


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_ping_answers(ask: Ask, path: str) -> None:
    """Both addresses that MLflow's clients ask for health answer."""
    assert ask("plain", "GET", path) == corpus.Answer(200, "application/json", "\n")


def test_version_is_ours(ask: Ask) -> None:
    """/version has the version of tracker."""
    assert ask("plain", "GET", "/version").body == tracker.__version__


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/invocations", 405), ("POST", "/ping", 405), ("GET", "/../MLmodel", 404)],
)
def test_other_addresses_say_what_there_is(ask: Ask, method: str, path: str, status: int) -> None:
    """A wrong address or method gets JSON that names the right ones."""
    answer = ask("plain", method, path)
    assert answer.status == status
    assert "/invocations" in json.loads(answer.body)["message"]


def test_a_body_that_is_too_large_is_refused(ask: Ask) -> None:
    """One byte over the limit is 413, a body at the limit is read."""
    at_limit = json.dumps({"inputs": "x" * 99_986})
    assert len(at_limit) == 100_000
    assert ask("plain", "POST", "/invocations", corpus.JSON, at_limit).status == 200
    answer = ask("plain", "POST", "/invocations", corpus.JSON, at_limit + " ")
    assert answer.status == 413
    assert "100,000 bytes" in json.loads(answer.body)["message"]


@pytest.mark.parametrize("told", [[], [b"9" * 5000]], ids=["nothing", "a number that Python does not read"])
def test_the_limit_holds_for_bodies_that_lie_about_their_length(apps: Callable[[str], Any], told: list[bytes]) -> None:
    """A body without a length, or with a false one, is cut off at the limit."""

    async def lying(scope: Any, receive: Any, send: Any) -> None:
        scope["headers"] = [head for head in scope["headers"] if head[0] != b"content-length"]
        scope["headers"] += [(b"content-length", length) for length in told]
        await apps("plain")(scope, receive, send)

    body = json.dumps({"inputs": "x" * 200_000}).encode()
    assert corpus.call(lying, "POST", "/invocations", corpus.JSON, body).status == 413


def test_an_exception_of_the_model_is_logged(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets a sentence; the traceback is in the log of the server."""
    with caplog.at_level(logging.WARNING, "tracker.serving"):
        answer = ask("failing", "POST", "/invocations", corpus.JSON, '{"inputs": [1]}')
    assert answer.status == 400
    assert "Traceback" in caplog.text and "corpus.py" in caplog.text
    assert "corpus.py" not in answer.body


def test_predictions_without_a_form_are_an_error_of_the_server(ask: Ask) -> None:
    """What JSON cannot hold is 500, with the type named."""
    answer = ask("answers", "POST", "/invocations", corpus.JSON, '{"inputs": [1.0], "params": {"kind": "unknown"}}')
    assert answer.status == 500
    assert "no form for" in json.loads(answer.body)["message"]


def test_the_log_stays_one_line_for_a_request(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """Text of a request cannot write lines of its own into the log."""
    with caplog.at_level(logging.WARNING, "tracker.serving"):
        ask("columns", "POST", "/invocations", corpus.JSON, '{"dataframe_records": [{"a\\n2026 ERROR fake": 1}]}')
    assert caplog.text.count("\n") == 1


def test_the_page_shows_the_signature(ask: Ask) -> None:
    """Columns with their types and whether they may be missing, and params with their defaults."""

    def rows(model: str) -> list[list[str]]:
        tree = html5lib.parse(ask(model, "GET", "/").body, namespaceHTMLElements=False)
        return [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]

    assert rows("columns")[1:] == [
        ["a", "double", ""],
        ["b", "long", ""],
        ["c", "string", ""],
        ["d", "boolean", "optional"],
    ]
    assert ["top", "long", "3"] in rows("params")
    assert ["x", "float64 (-1, 2)", ""] in rows("tensors")


@pytest.mark.parametrize("model", list(corpus.SIGNATURES))
def test_the_request_on_the_page_works(ask: Ask, model: str) -> None:
    """What the page shows to copy is answered, for each model with a signature of columns."""
    tree = html5lib.parse(ask(model, "GET", "/").body, namespaceHTMLElements=False)
    (body,) = ["".join(pre.itertext()) for pre in tree.iter("pre") if pre.get("id") == "body"]
    answer = ask(model, "POST", "/invocations", corpus.JSON, body)
    assert answer.status == (400 if model == "failing" else 200), answer.body


def test_the_page_carries_its_own_style_and_script_only(ask: Ask) -> None:
    """The policy allows nothing but the two blocks of the page, by their hashes, and the page has nothing else."""
    page = ask("plain", "GET", "/").body
    for block in ("style", "script"):
        (text,) = re.findall(f"<{block}>(.*?)</{block}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{block}-src 'sha256-{digest}'" in POLICY
    assert "unsafe" not in POLICY and POLICY.startswith("default-src 'none'")
    assert not re.findall(r"<[^>]+\s(?:style|on\w+|src)=", page)


def test_hostile_text_stays_text() -> None:
    """Names out of a model change nothing in the tree of the page."""

    def shape(text: str) -> list[str]:
        facts = ModelFacts(
            flavors=(text,), format=text, digest=text, example={"columns": [text], "data": [[text]]},
            example_type="dataframe",
        )  # fmt: skip
        page = render_page(About(text, facts), f"http://{text}/")
        return [element.tag for element in html5lib.parse(page, namespaceHTMLElements=False).iter()]

    assert shape(HOSTILE) == shape("plain")


def test_the_curl_line_is_quoted_for_a_shell() -> None:
    """Pasting the line sends the body, whatever it holds, and runs nothing else."""
    import shlex

    words = shlex.split(curl_line("http://127.0.0.1:1/", HOSTILE))
    assert words[-1] == HOSTILE
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:1/invocations"]


def test_a_large_example_is_cut() -> None:
    """Of an example only the first rows are shown, and of one with large rows nothing."""
    rows = ModelFacts(example={"columns": ["a"], "data": [[1]] * 1000}, example_type="dataframe")
    assert json.loads(example_request(rows)) == {"dataframe_split": {"columns": ["a"], "data": [[1], [1]]}}
    wide = ModelFacts(example={"columns": ["a"], "data": [["x" * LARGEST]]}, example_type="dataframe")
    assert "…" in example_request(wide)


def examples() -> dict[str, Any]:
    """Input examples of many kinds."""
    import numpy as np
    import pandas as pd

    times = pd.to_datetime(["2026-01-01", "2026-01-02"])
    frame = {
        "t": times,
        "b": [b"\x00\xff", b"x"],
        "s": ["ä", None],
        "f": [1.5, np.nan],
        "i": [1, 2],
        "ok": [True, False],
    }
    return {
        "frame": pd.DataFrame(frame),
        "array": np.arange(6.0).reshape(3, 2),
        "tensors": {"x": np.arange(4.0).reshape(2, 2), "y": np.array([1, 2])},
        "texts": ["a", "b"],
        "records": [{"a": 1, "b": [1, 2]}],
        "columns": {"a": 1.5, "b": "x"},
        "params": (pd.DataFrame({"x": [1.0, 2.0]}), {"top": 5}),
    }


@pytest.mark.parametrize("kind", list(examples()))
def test_the_input_example_is_the_request_that_is_shown(tmp_path: Path, kind: str) -> None:
    """Whatever example a model was saved with is shown, and answered with the very data."""
    folder, example = tmp_path / "model", examples()[kind]
    tracker.pyfunc.save_model(folder, python_model=CorpusModel("plain"), input_example=example, pip_requirements=[])
    facts, model = inspect_model(folder), tracker.pyfunc.load_model(folder)
    answer = corpus.call(
        make_app(model, About(kind, facts)), "POST", "/invocations", corpus.JSON, example_request(facts).encode()
    )
    assert answer.status == 200, answer.body
    (found,) = json.loads(answer.body)["predictions"]
    data, params = example if kind == "params" else (example, None)
    rows = data[:2] if kind == "array" else data
    (expected,) = json.loads(answer_bytes(model.predict(rows, params)))["predictions"]
    assert json.dumps(found) == json.dumps(expected)
    assert found["params"] == params
