"""What happened to registered models, and how they were at any time."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from msgspec import Struct

from tracker import _clock
from tracker.entities import time_of
from tracker.exceptions import InvalidValueError
from tracker.registry.naming import NO_STAGE
from tracker.registry.reading import ReadModel
from tracker.schema import Change, VersionFile

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Event(Struct, frozen=True):
    """One change of a model or of one of its versions."""

    time: int | None
    """UTC milliseconds; None where the file has no date that can be read."""
    version: int | None
    """None for a change of the model itself: of an alias or of its name."""
    change: Change


class ModelState(Struct, frozen=True):
    """A registered model at one time."""

    time: int
    """UTC milliseconds."""
    name: str
    """What it was called then."""
    stages: dict[int, str] = {}
    """The stage of each version that was there."""
    aliases: dict[str, str] = {}
    """The version or the alias that each alias stood for."""

    def in_stage(self, stage: str) -> list[int]:
        """The versions that were in a stage, whatever the case of its name."""
        return [number for number, found in self.stages.items() if found.lower() == stage.lower()]


def now_text() -> str:
    """The time as it stands in the registry, such as 2026-03-01T09:30:00Z."""
    return text_of(_clock.now_ms())


def text_of(time: int) -> str:
    """UTC milliseconds in the same form; as a number where no date has a name for it."""
    try:
        moment = datetime.datetime.fromtimestamp(time // 1000, datetime.UTC)
    except (OverflowError, OSError, ValueError):
        return str(time)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def events_of(model: ReadModel) -> list[Event]:
    """Everything that happened to a model and its versions, in order. Of the same second, registrations come first."""
    found = [Event(time_of(change.time), None, change) for change in model.file.history]
    for version in model.versions:
        number = version.file.version
        found += [Event(time_of(change.time), number, change) for change in version.file.history]
    return sorted(found, key=lambda event: (event.time or 0, event.change.action != "registered"))


def state_at(model: ReadModel, time: str | int | datetime.date) -> ModelState:
    """A model as it was at a time: an ISO date or time, a date object, or UTC milliseconds.

    A date means the end of that day, and times without a zone are UTC. Raises InvalidValueError for what is no time.

    >>> state_at(registry.model("iris"), "2026-03-01").in_stage("Production")
    [3]
    """
    moment = as_time(time)
    stages = {}
    for version in model.versions:
        stage = _stage_at(version.file, moment)
        if stage is not None:
            stages[version.file.version] = stage
    return ModelState(moment, _name_at(model, moment), stages, _aliases_at(model, moment))


def as_time(time: str | int | datetime.date) -> int:
    """UTC milliseconds of a time as people give it; the last one of the day for a date."""
    if isinstance(time, bool) or not isinstance(time, str | int | datetime.date):
        raise InvalidValueError(f"{time!r:.100} is no time. Use a date such as 2026-03-01, or 2026-03-01T09:30:00Z.")
    if isinstance(time, int):
        return time
    text = time.strip() if isinstance(time, str) else time.isoformat()
    found = time_of(text)
    if found is None:
        raise InvalidValueError(f"{text!r:.100} is no time. Use a date such as 2026-03-01, or 2026-03-01T09:30:00Z.")
    return found + 86_399_999 if _DATE.fullmatch(text) else found


def _until(history: Iterable[Change], moment: int) -> list[Change]:
    """The changes up to a time, in the order of the file; those without a date that can be read count as early."""
    return [change for change in history if (time_of(change.time) or 0) <= moment]


def _stage_at(file: VersionFile, moment: int) -> str | None:
    """The stage of a version; None before it was registered and after it was deleted."""
    changes = _until(file.history, moment)
    born = time_of(file.created) or 0
    if born > moment and not changes:
        return None
    if any(change.action == "deleted" for change in changes):
        return None
    moves = [change for change in changes if change.action == "stage"]
    return moves[-1].to if moves else NO_STAGE


def _aliases_at(model: ReadModel, moment: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for change in _until(model.file.history, moment):
        if change.action == "alias" and change.to:
            found[change.alias] = change.to
        elif change.action == "alias":
            found.pop(change.alias, None)
    return found


def _name_at(model: ReadModel, moment: int) -> str:
    """The name before the first renaming that came later."""
    done = len(_until(model.file.history, moment))
    later = [change for change in model.file.history[done:] if change.action == "renamed"]
    return later[0].from_ if later else model.name
