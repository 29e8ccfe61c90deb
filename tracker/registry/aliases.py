"""Where the aliases of a registered model lead."""

from __future__ import annotations

from tracker.exceptions import InvalidValueError, NotFoundError, did_you_mean
from tracker.registry.naming import version_number
from tracker.schema import RegisteredModelFile

_SHOWN_ALIASES = 20


def resolve_alias(file: RegisteredModelFile, alias: str) -> str:
    """What an alias leads to in the end: the number of a version.

    Raises NotFoundError for an alias that does not exist and InvalidValueError when aliases lead in a circle.
    """
    seen = {alias: 0}
    before = last = alias
    while (target := file.aliases.get(last)) is not None:
        if target in seen:
            raise InvalidValueError(
                f"The aliases of {file.name!r} lead in a circle: {_circle(list(seen)[seen[target] :])}. "
                "Change one of them."
            )
        if version_number(target) is not None:
            return target
        seen[target], before, last = len(seen), last, target
    missing = f"{file.name!r} has no alias {last!r}"
    if last != alias:
        raise NotFoundError(f"{missing}, to which its alias {before!r} leads. Set it, or change {before!r}.")
    has = f"It has {', '.join(file.aliases)}." if file.aliases else "It has none."
    raise NotFoundError(f"{missing}.{did_you_mean(alias, file.aliases)} {has}")


def versions_of_aliases(file: RegisteredModelFile) -> dict[int, list[str]]:
    """The aliases that lead to each version; those that lead nowhere are left out."""
    ends: dict[str, int | None] = {}
    for alias in file.aliases:
        path, place = {alias: None}, file.aliases[alias]
        while version_number(place) is None and place in file.aliases and place not in ends and place not in path:
            path[place] = None
            place = file.aliases[place]
        end = None if place in path else ends.get(place, version_number(place))
        ends.update(dict.fromkeys(path, end))
    found: dict[int, list[str]] = {}
    for alias in file.aliases:
        if (number := ends[alias]) is not None:
            found.setdefault(number, []).append(alias)
    return found


def _circle(aliases: list[str]) -> str:
    shown = aliases if len(aliases) <= _SHOWN_ALIASES else [*aliases[:_SHOWN_ALIASES], "…"]
    return " -> ".join([*shown, aliases[0]])
