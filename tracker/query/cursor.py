"""A place in a list of tokens, and the errors that point at it."""

from __future__ import annotations

from typing import NoReturn

from tracker.exceptions import QueryError
from tracker.query.tokens import Token, tokenize

NEGATABLE = ("IN", "BETWEEN", "LIKE", "ILIKE")
WORD_OPERATORS = (*NEGATABLE, "IS")
KEYWORDS = (*WORD_OPERATORS, "AND", "OR", "NOT", "NULL")


class Cursor:
    """Steps through the tokens of a query."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0

    def peek(self, ahead: int = 0) -> Token:
        """The token so far ahead, or the end."""
        return self.tokens[min(self.index + ahead, len(self.tokens) - 1)]

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.index]

    def at_end(self) -> bool:
        """Whether everything was read."""
        return self.token.kind == "end"

    def advance(self) -> Token:
        """Step over the next token and return it. The end stays."""
        token = self.token
        self.index += not self.at_end()
        return token

    def accept(self, *keywords: str) -> str:
        """Step over one of the keywords and return it; "" when none of them is next."""
        return self.advance().keyword if self.token.keyword in keywords else ""

    def at_mark(self, mark: str, ahead: int = 0) -> bool:
        """Whether a parenthesis or comma is there."""
        token = self.peek(ahead)
        return token.kind == "mark" and token.text == mark

    def expect(self, mark: str, expected: str = "") -> None:
        """Step over a parenthesis. Raises QueryError when it is not there."""
        if not self.at_mark(mark):
            self.surprise(expected or mark)
        self.advance()

    def adjacent(self) -> bool:
        """Whether no space stands between the next two tokens."""
        return self.token.end == self.peek(1).start

    def at_operator(self, ahead: int = 0) -> bool:
        """Whether an operator of a comparison begins there."""
        token = self.peek(ahead)
        if token.keyword == "NOT":
            return self.peek(ahead + 1).keyword in NEGATABLE
        return token.kind == "operator" or token.keyword in WORD_OPERATORS

    def fail(self, message: str, expected: str, token: Token | None = None) -> NoReturn:
        """Raise QueryError at a token, by default the next one."""
        position = (token or self.token).start
        raise QueryError(message, query=self.text, position=position, expected=expected)

    def surprise(self, expected: str) -> NoReturn:
        """Raise QueryError because the next token cannot stand there."""
        token = self.token
        self.fail("the query ends too early" if token.kind == "end" else f"{token.text!r} cannot stand here", expected)
