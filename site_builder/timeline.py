"""What happened to a registered model, as lines of a history and as a drawing of its stages over time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from site_builder import figures
from site_builder.model import ARCHIVED, NO_STAGE, SiteModel, SiteVersion
from site_builder.model_views import AxisTick, Event, StageLane, StageSpan
from tracker.schema import Change

ACTIONS = frozenset({"registered", "stage", "alias", "deleted", "renamed"})
ROWS = 4
"""Versions that are drawn below each other in one stage."""
SPANS = 60
"""Spans of a stage that are drawn, the last ones."""

_TICKS = 5
_LEAST = 0.1
"""Part of the axis that each stay has for itself, so that its number can be read and met with a finger."""
_REST = 0.08
"""Part of the axis after the last change: what is so still."""
_MINUTE, _DAY, _MONTH = 60_000, 86_400_000, 2_629_800_000
_STEPS = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, 3_600_000, 3 * 3_600_000, 12 * 3_600_000, _DAY, 2 * _DAY, 7 * _DAY)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 600)


@dataclass(frozen=True, slots=True)
class _Stay:
    """A version in a stage."""

    version: SiteVersion
    since: int
    until: int | None
    start: int
    """Where on the axis it begins: its time, or its turn."""
    end: int | None
    by: str
    reason: str


def version_events(version: SiteVersion) -> list[Event]:
    """The history of a version, newest first."""
    return [_event(change, version.model, version) for change in reversed(version.file.history)]


def model_events(model: SiteModel) -> list[Event]:
    """What happened to a model and to its versions but their registration, newest first."""
    found = [_event(change, model, None) for change in reversed(model.read.file.history)]
    for version in model.versions:
        found += [event for event in version_events(version) if event.action != "registered"]
    return sorted(found, key=lambda event: -(event.time or 0))


def stage_since(version: SiteVersion) -> Change | None:
    """The change that brought a version into its stage, or deleted it."""
    for change in reversed(version.file.history):
        if version.file.deleted and change.action == "deleted":
            return change
        if change.action == "stage" and change.to.lower() == version.file.stage.lower():
            return change
    return None


def _event(change: Change, model: SiteModel, version: SiteVersion | None) -> Event:
    is_stage = change.action == "stage"
    return Event(
        time=figures.moment(change.time),
        action=change.action if change.action in ACTIONS else "other",
        version=version.link if version else None,
        before=change.from_,
        after=change.to,
        before_tone=model.tone_of(change.from_) if is_stage else "none",
        after_tone=model.tone_of(change.to) if is_stage else "none",
        alias=change.alias,
        by=change.by,
        reason=change.reason,
    )


def stage_lanes(model: SiteModel) -> tuple[tuple[StageLane, ...], tuple[AxisTick, ...]]:
    """The stages that count, with the versions in them over time, and the marks of the axis."""
    stays: dict[str, list[_Stay]] = {}
    places, in_turns = _places(model)
    for version in model.versions:
        for stage, stay in _stays(version, places):
            stays.setdefault(stage, []).append(stay)
    order = {stage.lower(): place for place, stage in enumerate(model.read.stages)}
    counted = [stage for stage in stays if model.tone_of(stage) not in (NO_STAGE, ARCHIVED)]
    counted.sort(key=lambda stage: (-order.get(stage.lower(), -1), stage))
    shown = {stage: sorted(stays[stage], key=lambda stay: stay.start)[-SPANS:] for stage in counted}
    if not shown:
        return (), ()
    start, end = min(stay.start for found in shown.values() for stay in found), max(places.values())
    axis = _Axis(start, end + max(int((end - start) * _REST), _MINUTE))
    lanes = tuple(_lane(stage, model.tone_of(stage), found, axis) for stage, found in shown.items())
    return lanes, () if in_turns else tuple(axis.ticks())


def _places(model: SiteModel) -> tuple[dict[tuple[int, int], int], bool]:
    """Where on the axis each change of each version stands: at its time, or in its turn where all came in a minute."""
    times = {
        (version.number, turn): at
        for version in reversed(model.versions)
        for turn, change in enumerate(version.file.history)
        if change.action in ("stage", "deleted") and (at := figures.moment(change.time)) is not None
    }
    if not times or max(times.values()) - min(times.values()) >= _MINUTE:
        return times, False
    start = min(times.values())
    ordered = sorted(times, key=lambda key: (times[key], key))
    return {key: start + turn * _MINUTE for turn, key in enumerate(ordered)}, True


def _stays(version: SiteVersion, places: dict[tuple[int, int], int]) -> Iterator[tuple[str, _Stay]]:
    """The stages that a version was in, by its history."""
    now: tuple[str, _Stay] | None = None
    for turn, change in enumerate(version.file.history):
        place, at = places.get((version.number, turn)), figures.moment(change.time)
        if place is None or at is None:
            continue
        if now:
            yield now[0], replace(now[1], until=max(at, now[1].since), end=max(place, now[1].start))
        stay = _Stay(version, at, None, place, None, change.by, change.reason)
        now = (change.to, stay) if change.action == "stage" else None
    if now:
        yield now


def _lane(stage: str, tone: str, stays: Sequence[_Stay], axis: _Axis) -> StageLane:
    """Each stay in the first row where nothing is in its way; what would need a row too many is in the list alone."""
    free: list[float] = []
    spans: list[StageSpan] = []
    for stay in stays:
        end = axis.end if stay.end is None else stay.end
        row = next((row for row, until in enumerate(free) if until <= stay.start), len(free))
        if row >= ROWS:
            continue
        free[row : row + 1] = [max(end, stay.start + _LEAST * (axis.end - axis.start))]
        left = axis.place(stay.start)
        width = round(axis.place(end) - left, 2)
        spans.append(
            StageSpan(stay.version.link, left, width, row, stay.since, stay.until, stay.by, stay.reason)
        )  # fmt: skip
    return StageLane(stage, tone, len(free), tuple(spans))


@dataclass(frozen=True, slots=True)
class _Axis:
    """Times on a line."""

    start: int
    end: int

    def place(self, moment: int) -> float:
        """Percent from the left."""
        return round(min(max((moment - self.start) / (self.end - self.start), 0), 1) * 100, 2)

    def ticks(self) -> Iterable[AxisTick]:
        """Up to six round times."""
        span = self.end - self.start
        step = next((step for step in _STEPS if span / step <= _TICKS), None)
        if step is None:
            return [AxisTick(figures.day(at)[:7], self.place(at)) for at in self._months(span)]
        first = -(-self.start // step) * step
        form = "%Y-%m-%d" if step >= _DAY else "%m-%d %H:%M"
        return [
            AxisTick(time.strftime(form, time.gmtime(at // 1000)), self.place(at))
            for at in range(first, self.end + 1, step)
        ]

    def _months(self, span: int) -> Iterator[int]:
        step = next((months for months in _MONTHS if span / (months * _MONTH) <= _TICKS), _MONTHS[-1])
        first = time.gmtime(self.start // 1000)
        month = first.tm_year * 12 + first.tm_mon
        month = -(-month // step) * step
        while (at := _start_of_month(month)) <= self.end:
            yield at
            month += step


def _start_of_month(month: int) -> int:
    """UTC milliseconds; months count from the year 0."""
    return int(figures.moment(f"{month // 12:04}-{month % 12 + 1:02}-01") or 0)
