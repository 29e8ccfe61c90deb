"""Recursive descent from a query to its tree. `docs/querying.md` has the grammar."""

from __future__ import annotations

from typing import NamedTuple

from tracker._clock import now_ms
from tracker.query.comparison import read_comparison
from tracker.query.cursor import KEYWORDS, Cursor
from tracker.query.fields import RUNS, Vocabulary
from tracker.query.naming import read_field, starts_field
from tracker.query.nodes import And, Field, Node, Not, Or, Text

MAX_DEPTH = 50
"""How deep parentheses and NOT may be nested."""


class Order(NamedTuple):
    """One key of an order."""

    field: Field
    descending: bool


def parse(query: str, vocabulary: Vocabulary = RUNS, *, now: int | None = None) -> Node:
    """The tree of a query; an empty query matches everything.

    Times such as `-7d` count back from `now`, in UTC milliseconds. Raises QueryError for any mistake.
    """
    return _Parser(query, vocabulary, now_ms() if now is None else now).query()


def parse_order(item: str, vocabulary: Vocabulary = RUNS) -> Order:
    """One item of an `order_by`, such as `metrics.acc DESC`; ascending by default. Raises QueryError."""
    cursor = Cursor(item)
    field = read_field(cursor, vocabulary)
    direction = cursor.accept("ASC", "DESC")
    if not cursor.at_end():
        cursor.surprise("ASC, DESC or the end")
    return Order(field, direction == "DESC")


class _Parser:
    def __init__(self, text: str, vocabulary: Vocabulary, now: int) -> None:
        self.cursor = Cursor(text)
        self.vocabulary = vocabulary
        self.now = now
        self.depth = 0

    def query(self) -> Node:
        if self.cursor.at_end():
            return And(())
        node = self.either()
        if not self.cursor.at_end():
            self.cursor.surprise("AND, OR or the end of the query")
        return node

    def either(self) -> Node:
        items = [self.both()]
        while self.cursor.accept("OR"):
            items.append(self.both())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def both(self) -> Node:
        items = [self.condition()]
        while self.cursor.accept("AND") or self.starts_condition():
            items.append(self.condition())
        return items[0] if len(items) == 1 else And(tuple(items))

    def starts_condition(self) -> bool:
        token = self.cursor.token
        if token.kind == "word":
            return token.keyword == "NOT" or token.keyword not in KEYWORDS
        return token.kind in ("string", "key") or self.cursor.at_mark("(")

    def condition(self) -> Node:
        if not self.starts_condition():
            self.cursor.surprise("a condition such as metrics.acc > 0.9, or a text to find")
        if self.cursor.token.keyword == "NOT" or self.cursor.at_mark("("):
            return self.nested()
        if self.cursor.token.kind == "string" or not starts_field(self.cursor, self.vocabulary):
            return Text(self.cursor.advance().text)
        return read_comparison(self.cursor, self.vocabulary, self.now)

    def nested(self) -> Node:
        if self.depth == MAX_DEPTH:
            self.cursor.fail("the query is nested too deeply", f"at most {MAX_DEPTH} levels of parentheses and NOT")
        self.depth += 1
        node: Node
        if self.cursor.advance().keyword == "NOT":
            node = Not(self.condition())
        else:
            node = self.either()
            self.cursor.expect(")", "AND, OR or )")
        self.depth -= 1
        return node
