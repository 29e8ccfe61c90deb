"""From tokens to the field that they name."""

from __future__ import annotations

from typing import NoReturn

from tracker.exceptions import did_you_mean
from tracker.query.cursor import Cursor
from tracker.query.fields import FUNCTIONS, Vocabulary
from tracker.query.nodes import Family, Field
from tracker.query.tokens import Token


def starts_field(cursor: Cursor, vocabulary: Vocabulary) -> bool:
    """Whether the next word begins a comparison, rather than being a text to find."""
    family = split_prefix(cursor.token, vocabulary)[0]
    return (
        cursor.token.kind == "key"
        or cursor.at_operator(1)
        or _calls_function(cursor)
        or _quotes_key(cursor, vocabulary)
        or family not in (None, "attribute")
    )


def read_field(cursor: Cursor, vocabulary: Vocabulary) -> Field:
    """The field that comes next. Raises QueryError for a name that does not exist."""
    if cursor.token.kind not in ("word", "key"):
        cursor.surprise("a field such as metrics.acc")
    if _calls_function(cursor):
        return _function(cursor, vocabulary)
    quoted = _quotes_key(cursor, vocabulary)
    token = cursor.advance()
    family, key = split_prefix(token, vocabulary)
    if quoted:
        key = cursor.advance().text
    if family is None or family == "attribute":
        return _attribute(cursor, vocabulary, token, token.text if family is None else key)
    if not key:
        cursor.fail(f"{token.text!r} names no key", f"a key right after it, such as {token.text}name", token)
    if family == "tag" and key in vocabulary.tags:
        return Field("attribute", vocabulary.tags[key])
    return Field(family, key)


def split_prefix(token: Token, vocabulary: Vocabulary) -> tuple[Family | None, str]:
    """The family that a word's prefix names and the rest of the word; None without such a prefix."""
    prefix, dot, key = token.text.partition(".")
    family = vocabulary.prefixes.get(prefix.lower()) if dot and token.kind == "word" else None
    return family, key


def _calls_function(cursor: Cursor) -> bool:
    return cursor.token.kind == "word" and cursor.at_mark("(", ahead=1) and cursor.adjacent()


def _quotes_key(cursor: Cursor, vocabulary: Vocabulary) -> bool:
    """Whether a bare prefix is next, and right behind it a key in quotes, as in metrics.`my key`."""
    family, key = split_prefix(cursor.token, vocabulary)
    return family is not None and not key and cursor.adjacent() and cursor.peek(1).kind in ("string", "key")


def _attribute(cursor: Cursor, vocabulary: Vocabulary, token: Token, name: str) -> Field:
    found = vocabulary.attributes.get(name.lower())
    return Field("attribute", found.name) if found else _unknown(cursor, vocabulary, token, name)


def _unknown(cursor: Cursor, vocabulary: Vocabulary, token: Token, name: str) -> NoReturn:
    families = [f"{prefix}.<key>" for prefix in ("metrics", "params", "tags") if prefix in vocabulary.prefixes]
    expected = f"one of {', '.join([*vocabulary.attributes, *families])}"
    cursor.fail(f"there is no attribute {name!r}.{_hint(vocabulary, name)}", expected, token)


def _hint(vocabulary: Vocabulary, name: str) -> str:
    prefix, dot, _ = name.lower().partition(".")
    if prefix in ("dataset", "datasets"):
        return " Datasets cannot be searched."
    if dot:
        return did_you_mean(prefix, vocabulary.prefixes)
    close = did_you_mean(name.lower(), vocabulary.attributes)
    return close if close or "metrics" not in vocabulary.prefixes else f" Did you mean metrics.{name} or params.{name}?"


def _function(cursor: Cursor, vocabulary: Vocabulary) -> Field:
    name = cursor.token.text.lower()
    if name not in FUNCTIONS or "metrics" not in vocabulary.prefixes:
        cursor.fail(
            f"there is no function {cursor.token.text!r}.{did_you_mean(name, FUNCTIONS)}",
            f"one of {', '.join(FUNCTIONS)}; a text with parentheses needs quotes",
        )
    cursor.advance()
    cursor.expect("(")
    argument = cursor.token
    field = None if _calls_function(cursor) else read_field(cursor, vocabulary)
    if field is None or field.family != "metric":
        cursor.fail(f"{name}() takes a metric", "a metric such as metrics.acc", argument)
    cursor.expect(")")
    return Field("metric", field.key, name)
