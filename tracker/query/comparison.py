"""From tokens to one comparison: which operators a field takes, and which values."""

from __future__ import annotations

import math
from typing import NoReturn

from tracker.query.cursor import KEYWORDS, NEGATABLE, Cursor
from tracker.query.fields import Kind, Vocabulary
from tracker.query.literals import EXPECTED, read_value, to_number
from tracker.query.naming import read_field, split_prefix
from tracker.query.nodes import Compare, Field, Operator, Value
from tracker.query.tokens import Token

_SYMBOLS: dict[str, tuple[Operator, bool]] = {
    "=": ("in", False),
    "==": ("in", False),
    "!=": ("in", True),
    "<>": ("in", True),
    "<": ("<", False),
    "<=": ("<=", False),
    ">": (">", False),
    ">=": (">=", False),
}
_AN_OPERATOR = "an operator such as =, <, IN, LIKE, BETWEEN or IS NULL"


def read_comparison(cursor: Cursor, vocabulary: Vocabulary, now: int) -> Compare:
    """The comparison that comes next. Raises QueryError for operators and values that do not fit the field."""
    field = read_field(cursor, vocabulary)
    return _Comparison(cursor, vocabulary, now, field).read()


class _Comparison:
    def __init__(self, cursor: Cursor, vocabulary: Vocabulary, now: int, field: Field) -> None:
        self.cursor = cursor
        self.vocabulary = vocabulary
        self.now = now
        self.field = field
        self.kind: Kind = vocabulary.kind(field)

    def read(self) -> Compare:
        if not self.cursor.at_operator():
            self.cursor.surprise(_AN_OPERATOR)
        if self.cursor.token.kind == "operator":
            return self.symbol()
        if self.cursor.accept("IS"):
            return self.null()
        negated = bool(self.cursor.accept("NOT"))
        operator = self.cursor.token
        match self.cursor.accept(*NEGATABLE):
            case "IN":
                return Compare(self.field, "in", self.members(), negated)
            case "BETWEEN":
                return Compare(self.field, "between", self.bounds(operator), negated)
            case "LIKE":
                return Compare(self.field, "like", self.pattern(operator), negated)
        return Compare(self.field, "ilike", self.pattern(operator), negated)

    def symbol(self) -> Compare:
        token = self.cursor.advance()
        operator, negated = _SYMBOLS[token.text]
        value = self.value() if operator == "in" else self.ordered(token)
        return Compare(self.field, operator, (value,), negated)

    def null(self) -> Compare:
        negated = bool(self.cursor.accept("NOT"))
        if not self.cursor.accept("NULL"):
            self.cursor.surprise("NULL" if negated else "NULL or NOT NULL")
        return Compare(self.field, "null", negated=negated)

    def members(self) -> tuple[Value, ...]:
        self.cursor.expect("(")
        values = [self.value()]
        while self.cursor.at_mark(","):
            self.cursor.advance()
            if not self.cursor.at_mark(")"):
                values.append(self.value())
        self.cursor.expect(")")
        return tuple(values)

    def bounds(self, operator: Token) -> tuple[Value, Value]:
        low = self.ordered(operator)
        if not self.cursor.accept("AND"):
            self.cursor.surprise("AND and the upper bound")
        token = self.cursor.token
        high = self.ordered(operator)
        if isinstance(low, str) != isinstance(high, str):
            self.cursor.fail("the two bounds are of different kinds", "two numbers or two texts", token)
        return low, high

    def pattern(self, operator: Token) -> tuple[str]:
        if self.kind not in ("typed", "text", "status"):
            self.cursor.fail(f"{operator.keyword} is for text only", "=, !=, <, <=, >, >=, IN or BETWEEN", operator)
        return (self.value_token("text").text,)

    def ordered(self, operator: Token) -> Value:
        """A value that has an order."""
        if self.kind == "status":
            self.cursor.fail("a status has no order", "=, !=, IN or LIKE", operator)
        token = self.cursor.token
        value = self.value()
        if isinstance(value, bool) or value != value:
            self.cursor.fail(f"{token.text} has no order", "=, != or IN", operator)
        if self.kind == "typed" and isinstance(value, str) and to_number(value) is not None:
            self.cursor.fail("numbers in quotes are text", f"{value} without quotes", token)
        return value

    def value(self) -> Value:
        token = self.value_token(self.kind)
        value = read_value(self.kind, token, self.now)
        if value is None:
            self.refuse(token)
        return math.nan if value != value else value

    def value_token(self, kind: Kind) -> Token:
        token = self.cursor.token
        if token.kind not in ("word", "string") or token.keyword in KEYWORDS:
            if token.keyword == "NULL":
                self.refuse(token)
            self.cursor.surprise(EXPECTED[kind])
        if split_prefix(token, self.vocabulary)[0] not in (None, "attribute"):
            self.cursor.fail("a field cannot be compared with another field", EXPECTED[kind])
        return self.cursor.advance()

    def refuse(self, token: Token) -> NoReturn:
        expected = "IS NULL or IS NOT NULL" if token.keyword in ("NULL", "NONE") else EXPECTED[self.kind]
        self.cursor.fail(f"{token.text!r} is no value for {self.field.key}", expected, token)
