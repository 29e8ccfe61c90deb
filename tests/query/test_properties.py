"""What holds for every query: it reads back as the tree it was written from, and only QueryError leaves the parser."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracker.exceptions import QueryError
from tracker.query import RUNS, compile_query, parse
from tracker.query.fields import FUNCTIONS, STATUSES
from tracker.query.nodes import And, Compare, Field, Node, Not, Or, Text, Value

PREFIXES = {"metric": "metrics", "param": "params", "tag": "tags"}
ORDERS = ("<", "<=", ">", ">=")
SYMBOLS = " \n'\"`()<>=!,.%_\\-+/@&|"
WORDS = ["and", "OR", "not", "IN", "like", "between", "is", "null", "metrics.acc", "params.", "best(", "status", "1e3"]

texts = st.text(max_size=12)
numbers = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
keys = st.text(min_size=1, max_size=12).filter(lambda key: key not in RUNS.tags)


def compares(fields: st.SearchStrategy[Field], values: st.SearchStrategy[Value]) -> st.SearchStrategy[Compare]:
    return st.one_of(
        st.builds(Compare, fields, st.just("in"), st.lists(values, min_size=1, max_size=3).map(tuple), st.booleans()),
        st.builds(Compare, fields, st.just("null"), st.just(()), st.booleans()),
    )


def orders(fields: st.SearchStrategy[Field], values: st.SearchStrategy[Value]) -> st.SearchStrategy[Compare]:
    return st.one_of(
        st.builds(Compare, fields, st.sampled_from(ORDERS), st.tuples(values), st.just(False)),
        st.builds(Compare, fields, st.just("between"), st.tuples(values, values), st.booleans()),
    )


def likes(fields: st.SearchStrategy[Field]) -> st.SearchStrategy[Compare]:
    return st.builds(Compare, fields, st.sampled_from(["like", "ilike"]), st.tuples(texts), st.booleans())


metrics = st.builds(Field, st.just("metric"), keys, st.sampled_from(FUNCTIONS))
typed = st.builds(Field, st.sampled_from(["param", "tag"]), keys)
named = st.sampled_from([Field("attribute", name) for name in ("run_id", "run_name", "experiment_name", "parent")])
moments = st.sampled_from([Field("attribute", "start_time"), Field("attribute", "end_time")])
comparisons = st.one_of(
    compares(metrics, numbers | st.sampled_from([math.inf, -math.inf])),
    orders(metrics, numbers),
    compares(typed, numbers | st.booleans() | texts),
    orders(typed, numbers),
    likes(typed | named),
    compares(named, texts),
    orders(named, texts),
    compares(moments, st.integers(0, 10**15)),
    orders(moments, st.integers(0, 10**15)),
    compares(st.just(Field("attribute", "status")), st.sampled_from(STATUSES)),
)
trees: st.SearchStrategy[Node] = st.recursive(
    comparisons | st.builds(Text, texts),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        *(st.builds(kind, st.lists(inner, min_size=2, max_size=4).map(tuple)) for kind in (And, Or)),
    ),
    max_leaves=12,
)


def quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


def written_value(value: Value) -> str:
    if isinstance(value, str):
        return quoted(value, "'")
    return str(value).lower() if isinstance(value, bool) else repr(value)


def written_field(field: Field) -> str:
    if field.family == "attribute":
        return field.key
    name = f"{PREFIXES[field.family]}.{quoted(field.key, '`')}"
    return name if field.fold == "last" else f"{field.fold}({name})"


def written_comparison(node: Compare) -> str:
    name, values = written_field(node.field), [written_value(value) for value in node.values]
    negated = "NOT " if node.negated else ""
    match node.operator:
        case "null":
            return f"{name} IS {negated}NULL"
        case "in":
            return f"{name} {negated}IN ({', '.join(values)})"
        case "between":
            return f"{name} {negated}BETWEEN {values[0]} AND {values[1]}"
        case "like" | "ilike":
            return f"{name} {negated}{node.operator} {values[0]}"
    return f"{name} {node.operator} {values[0]}"


def written(node: Node) -> str:
    if isinstance(node, Compare):
        return written_comparison(node)
    if isinstance(node, Text):
        return quoted(node.text, '"')
    if isinstance(node, Not):
        return f"NOT ({written(node.item)})"
    word = " AND " if isinstance(node, And) else " OR "
    return word.join(f"({written(item)})" for item in node.items)


@given(trees)
def test_a_tree_reads_back_from_its_text(tree: Node) -> None:
    assert parse(written(tree)) == tree


@given(st.text() | st.text(alphabet=SYMBOLS, max_size=20) | st.lists(st.sampled_from([*WORDS, *SYMBOLS])).map(" ".join))
@example("best(" * 5000)
@example("NOT " * 5000)
@example("(" * 5000)
@example("'" * 5001)
@example("`" * 5001)
@example("params.x = " + "9" * 5000)
def test_only_a_query_error_leaves_the_parser(text: str) -> None:
    try:
        compile_query(text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        assert error.expected


@given(trees, st.sampled_from(["=", ")", ",", "AND", "`"]))
def test_what_is_wrong_at_the_end_is_found_there(tree: Node, rest: str) -> None:
    query = f"({written(tree)}) {rest}"
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert caught.value.position >= len(query) - len(rest)
