"""docs/querying.md is true: its examples find what it says, and it names everything that the language knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tracker
from tracker.exceptions import QueryError
from tracker.query import EXPERIMENTS, RUNS, compile_query
from tracker.query.cursor import KEYWORDS
from tracker.query.fields import FUNCTIONS, STATUSES
from tracker.query.parser import MAX_DEPTH

PAGE = (Path(__file__).parents[2] / "docs" / "querying.md").read_text(encoding="utf-8")
SETUP = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
TABLES = re.findall(r"^\| query \| finds \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
ROW = re.compile(r"\| (`+)(.+?)\1 \| (.*?) ?\|")
EXAMPLES = [(row[2], row[3]) for table in TABLES for line in table.splitlines() if (row := ROW.fullmatch(line))]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs that the page logs in its first block."""
    root = tmp_path_factory.mktemp("docs") / "store"
    tracker.set_tracking_uri(root)
    exec(compile(SETUP, "docs/querying.md", "exec"), {})
    return root


def test_every_row_of_the_examples_is_read() -> None:
    assert len(EXAMPLES) == sum(len(table.splitlines()) for table in TABLES) > 40


@pytest.mark.parametrize(("query", "finds"), EXAMPLES, ids=[query for query, _ in EXAMPLES])
def test_an_example_finds_what_the_page_says(store: Path, query: str, finds: str) -> None:
    tracker.set_tracking_uri(store)
    found = tracker.search_runs(
        filter_string=query, order_by=["name"], search_all_experiments=True, output_format="list"
    )
    assert ", ".join(run.info.run_name for run in found) == finds


def test_the_error_that_the_page_shows_is_the_one_that_comes() -> None:
    [shown] = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    with pytest.raises(QueryError) as caught:
        compile_query(shown.splitlines()[1].strip())
    assert str(caught.value) == shown.rstrip("\n")


@pytest.mark.parametrize(
    "name",
    sorted({*RUNS.attributes, *EXPERIMENTS.attributes, *RUNS.tags, *STATUSES} - {"SCHEDULED"}),
)
def test_every_attribute_and_status_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_keyword_prefix_and_function_is_in_the_grammar() -> None:
    terminals = re.findall(r'"([^"\s]+)"', PAGE[PAGE.index("```ebnf") :])
    assert {*KEYWORDS, *FUNCTIONS, *(f"{prefix}." for prefix in RUNS.prefixes)} <= set(terminals)
    assert f"nested {MAX_DEPTH} deep" in PAGE
