"""The metric of a registered model over its versions, as numbers that a template draws with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from site_builder import figures
from site_builder.model import SiteModel, SiteVersion
from site_builder.model_views import AxisTick, MetricDrawing, MetricPoint
from site_builder.tables import last_value

POINTS = 40
"""Versions up to which each is a point."""
LINE = 300
"""Points of the line."""

_MARGIN = 3
_PLACES = (1, 2, 2.5, 5, 10)

Measured = tuple[SiteVersion, float]
"""A version and its value."""


def model_metric(model: SiteModel) -> str | None:
    """The metric that stands for a model: that of the experiment of its version in production, else of the newest."""
    for version in (model.production, *model.versions):
        if version and version.run and not version.file.deleted:
            run = version.run
            primary = run.experiment.primary
            if primary in run.file.metrics:
                return primary
            return next(iter(run.experiment.ranked(run.file.metrics)), None)
    return None


def measured(model: SiteModel, metric: str | None) -> list[Measured]:
    """The versions that have the metric, oldest first, with its values where they are finite."""
    if metric is None:
        return []
    found = [
        (version, last_value(version.run, metric))
        for version in reversed(model.versions)
        if version.run and not version.file.deleted
    ]
    return [(version, value) for version, value in found if value is not None and math.isfinite(value)]


def goal_of(points: Sequence[Measured], metric: str) -> str | None:
    """Whether more or less of the metric is better, as the experiment of the newest version has it."""
    run = points[-1][0].run if points else None
    return run.experiment.goal(metric) if run else None


def metric_drawing(model: SiteModel, metric: str | None) -> MetricDrawing | None:
    """The drawing of a metric; None for less than two versions that have it."""
    points = measured(model, metric)
    if metric is None or len(points) < 2:
        return None
    goal = goal_of(points, metric)
    values = [value for _, value in points]
    ticks = _ticks(min(values), max(values))
    low, high = min(*values, *ticks), max(*values, *ticks)
    places = _places([version.number for version, _ in points])
    drawn = [(*point, left, _percent(point[1], low, high)) for point, left in zip(points, places, strict=True)]
    kept = _kept(points, goal)
    return MetricDrawing(
        metric=metric,
        goal=goal,
        line=_path([(left, bottom) for _, _, left, bottom in drawn]),
        points=tuple(
            MetricPoint(version.link, value, left, bottom, version.number in kept)
            for version, value, left, bottom in drawn
            if len(drawn) <= POINTS or version.number in kept
        ),
        ticks=tuple(AxisTick(figures.number(tick), _percent(tick, low, high)) for tick in ticks),
        ends=tuple(AxisTick(f"{points[place][0].number}", places[place]) for place in (0, -1)),
    )


def _kept(points: Sequence[Measured], goal: str | None) -> set[int]:
    """The versions that matter: the best, the newest and the one in production."""
    best = (min if goal == "minimize" else max)(points, key=lambda point: point[1])
    production = points[0][0].model.production
    return {points[-1][0].number, *([best[0].number] if goal else []), *([production.number] if production else [])}


def _places(numbers: Sequence[int]) -> list[float]:
    first, last = numbers[0], numbers[-1]
    return [round(_MARGIN + (number - first) / (last - first) * (100 - 2 * _MARGIN), 2) for number in numbers]


def _percent(value: float, low: float, high: float) -> float:
    span = high / 2 - low / 2
    return round(8 + (value / 2 - low / 2) / span * 84, 2) if span > 0 else 50.0


def _path(places: Sequence[tuple[float, float]]) -> str:
    last = len(places) - 1
    if last >= LINE:
        places = [places[round(index * last / (LINE - 1))] for index in range(LINE)]
    return "M" + "L".join(f"{left:g} {100 - bottom:g}" for left, bottom in places)


def _ticks(low: float, high: float) -> list[float]:
    """Two to four round numbers within the values, or the only value there is."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low]
    size = 10.0 ** math.floor(math.log10(span / 3))
    step = next(place * size for place in _PLACES if span / (place * size) <= 3.5)
    first = math.ceil(low / step - 1e-9)
    found = [
        float(f"{number * step:.12g}") for number in range(first, first + 6) if number * step <= high + step * 1e-9
    ]
    return found or [low, high]
