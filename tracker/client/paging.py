"""Long results, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tracker.exceptions import InvalidValueError

T = TypeVar("T")


class PagedList(list[T]):
    """A page of results."""

    def __init__(self, items: Sequence[T], token: str | None) -> None:
        super().__init__(items)
        self.token = token
        """Give it as `page_token` to get the next page; None on the last one."""

    def to_list(self) -> list[T]:
        """The same as a plain list."""
        return list(self)


def page_of(found: Sequence[T], max_results: int | None, token: str | None, key: Callable[[T], str]) -> PagedList[T]:
    """The page that a token asks for, at most `max_results` long; `key` tells things apart.

    A token names the last thing of the page before, so things that came or went meanwhile shift nothing.
    Raises InvalidValueError for what is no token.
    """
    if max_results is not None and max_results < 0:
        raise InvalidValueError(f"max_results must be 0 or more, but it is {max_results}.")
    start = _start(found, token, key) if token else 0
    end = len(found) if max_results is None else start + max_results
    page = found[start:end]
    return PagedList(page, f"{end}:{key(page[-1])}" if page and end < len(found) else None)


def _start(found: Sequence[T], token: str, key: Callable[[T], str]) -> int:
    place, colon, last = token.partition(":")
    if not (colon and place.isascii() and place.isdecimal()):
        raise InvalidValueError(f"{token!r:.100} is no page_token. Give the `token` of the page before.")
    number = int(place)
    if not (0 < number <= len(found) and key(found[number - 1]) == last):
        number = next((index for index, thing in enumerate(found, 1) if key(thing) == last), number)
    return number
