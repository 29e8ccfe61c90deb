"""A query's text as tokens."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, cast

from tracker.exceptions import QueryError

Kind = Literal["word", "string", "key", "operator", "mark", "end"]

_TOKEN = re.compile(
    r"""
    (?P<space>[\t-\r\ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+)
  | (?P<string>'(?:[^']|'')*'(?!') | "(?:[^"]|"")*"(?!"))
  | (?P<key>`(?:[^`]|``)*`(?!`))
  | (?P<operator>==|!=|<>|<=|>=|=|<|>)
  | (?P<mark>[(),])
  | (?P<word>[^\t-\r\ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000'"`=<>!(),]+)
    """,
    re.VERBOSE,
)
_OTHER_SPELLINGS = {"&&": "AND", "&": "AND", "||": "OR", "|": "OR", "!": "NOT, or != between a field and a value"}


class Token(NamedTuple):
    """A piece of a query, with the text that it stands for."""

    kind: Kind
    """"string" stood in single or double quotes, "key" in backticks."""
    text: str
    """Without its quotes."""
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in upper case; "" for anything else, so that quoted words are never keywords."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def shown(self) -> str:
        """How an error names it."""
        return "the end of the query" if self.kind == "end" else self.text


def tokenize(query: str) -> list[Token]:
    """All tokens, an "end" last. Raises QueryError for a quote that is not closed and for foreign operators."""
    tokens = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise _unreadable(query, position)
        position = match.end()
        if match.lastgroup != "space":
            tokens.append(_token(cast(Kind, match.lastgroup), match[0], match.start(), query))
    return [*tokens, Token("end", "", len(query), len(query))]


def _token(kind: Kind, raw: str, start: int, query: str) -> Token:
    if raw in _OTHER_SPELLINGS:
        raise _foreign(query, start, raw)
    text = raw[1:-1].replace(raw[0] * 2, raw[0]) if kind in ("string", "key") else raw
    return Token(kind, text, start, start + len(raw))


def _unreadable(query: str, position: int) -> QueryError:
    mark = query[position]
    if mark in _OTHER_SPELLINGS:
        return _foreign(query, position, mark)
    return QueryError(
        "a quote is not closed",
        query=query,
        position=position,
        expected=f"another {mark} after it; within quotes, {mark * 2} stands for one {mark}",
    )


def _foreign(query: str, position: int, mark: str) -> QueryError:
    return QueryError(
        f"{mark} is not an operator here", query=query, position=position, expected=_OTHER_SPELLINGS[mark]
    )
