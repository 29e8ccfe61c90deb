"""The views of the list of registered models and of each model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from site_builder import figures, notes
from site_builder.drawings import goal_of, measured, metric_drawing, model_metric
from site_builder.frames import frame, plural, sentence
from site_builder.model import NO_STAGE, Site, SiteModel, SiteVersion
from site_builder.model_views import MetricHead, ModelsView, ModelView, VersionRow
from site_builder.output import VersionTold
from site_builder.sparkline import spark_of_values
from site_builder.tables import is_own_tag, last_value
from site_builder.timeline import model_events, stage_lanes, stage_since
from site_builder.views import Crumb, Figure, ModelRow

VERSIONS = 1_000
"""Versions in the table of a model."""
EVENTS = 100
"""Changes in the history of a model's page."""
NAMED = 5
"""Versions in production that the head of a page names."""
METRICS = 3
"""Metrics in the table of versions."""

Told = Callable[[SiteVersion], VersionTold]
"""What the page of a version found out."""


def models(site: Site) -> ModelsView:
    """The list of registered models."""
    description = f"The {plural(len(site.models), 'registered model')} of {site.title}"
    return ModelsView(
        frame=frame("models", "Models", description, "models/index.html"),
        models=tuple(sorted(model_rows(site.models), key=lambda row: (-(row.last_activity or 0), row.name))),
    )


def model_rows(found: Iterable[SiteModel]) -> list[ModelRow]:
    """Models as rows of a list."""
    return [_model_row(model) for model in found]


def _model_row(model: SiteModel) -> ModelRow:
    metric = model_metric(model)
    points = measured(model, metric)
    shown = model.production or model.newest
    value = last_value(shown.run, metric) if shown and shown.run and metric else None
    return ModelRow(
        name=model.name,
        href=model.href,
        summary=notes.first_sentence(model.read.file.description),
        versions=sum(not version.file.deleted for version in model.versions),
        latest=model.newest.link if model.newest else None,
        production=model.production.link if model.production else None,
        since=since(model.production) if model.production else None,
        aliases=tuple(sorted(model.read.file.aliases.items())),
        metric=metric if value is not None else None,
        goal=goal_of(points, metric) if metric else None,
        value=value,
        spark=spark_of_values([value for _, value in points]),
        last_activity=last_activity(model),
    )


def since(version: SiteVersion) -> int | None:
    """When a version came into its stage; when it was registered, for one that was never moved."""
    change = stage_since(version)
    if change:
        return figures.moment(change.time)
    return figures.moment(version.file.created) if version.tone == NO_STAGE else None


def told_stage(version: SiteVersion) -> str:
    """Its stage as people say it."""
    return "no stage yet" if version.tone == NO_STAGE else version.shown_stage


def last_activity(model: SiteModel) -> int | None:
    """The latest time in any history of the model."""
    texts = [change.time for change in model.read.file.history]
    for version in model.versions:
        texts += [version.file.created, *(change.time for change in version.file.history)]
    return max(filter(None, map(figures.moment, texts)), default=None)


def model(found: SiteModel, told: Told) -> ModelView:
    """The page of a registered model."""
    file = found.read.file
    metric = model_metric(found)
    drawing = metric_drawing(found, metric)
    heads = _heads(found, metric)
    lanes, ticks = stage_lanes(found)
    events = model_events(found)
    summary = notes.first_sentence(file.description) or f"{plural(len(found.versions), 'version')} of {found.name}"
    return ModelView(
        frame=frame(
            "model", found.name, summary, found.href, (Crumb("Models", "models/index.html"), Crumb(found.name, None))
        ),
        name=found.name,
        description=notes.to_html(file.description),
        tags=tuple((key, text) for key, text in file.tags.items() if is_own_tag(key)),
        aliases=tuple(sorted(file.aliases.items())),
        production=found.production.link if found.production else None,
        figures=_figures(found, metric),
        lanes=lanes,
        lane_ticks=ticks,
        drawing=drawing,
        heads=heads,
        versions=tuple(_version_row(version, heads, told(version)) for version in found.versions[:VERSIONS]),
        versions_total=len(found.versions),
        events=tuple(events[:EVENTS]),
        events_total=len(events),
        problems=(*_doubts(found), *map(sentence, found.read.problems)),
    )


def _doubts(found: SiteModel) -> list[str]:
    """What the page cannot know while a file of the model cannot be read."""
    if not found.read.unreadable:
        return []
    return [f"Since a file cannot be read, another version may be the newest one or in {found.production_stage}."]


def _heads(found: SiteModel, metric: str | None) -> tuple[MetricHead, ...]:
    """The metric of the model and the next ones with a goal."""
    runs = [version.run for version in found.versions[:VERSIONS] if version.run]
    if not runs:
        return ()
    newest = runs[0]
    ranked = [metric] if metric else []
    ranked += [key for key in newest.experiment.ranked(newest.file.metrics) if key != metric]
    others = [key for key in sorted(newest.file.metrics) if key not in ranked]
    goals = newest.experiment.goal
    return tuple(MetricHead(key, goals(key)) for key in [*ranked, *others][:METRICS])


def _version_row(version: SiteVersion, heads: tuple[MetricHead, ...], told: VersionTold) -> VersionRow:
    return VersionRow(
        version=version.link,
        aliases=version.aliases,
        run=version.run.link if version.run else None,
        values=tuple(last_value(version.run, head.key) if version.run else None for head in heads),
        format=told.format,
        safe=told.safe,
        sound=not told.damaged,
        size=told.size,
        summary=notes.first_sentence(version.file.description),
        created=figures.moment(version.file.created),
    )


def _numbers(versions: list[SiteVersion]) -> str:
    """A version, or several, as people name them."""
    numbers = ", ".join(str(version.number) for version in versions[:NAMED])
    more = f" and {len(versions) - NAMED} more" if len(versions) > NAMED else ""
    return f"version{'s' if len(versions) > 1 else ''} {numbers}{more}"


def _figures(found: SiteModel, metric: str | None) -> tuple[Figure, ...]:
    production, newest = found.production, found.newest
    strip: list[Figure] = []
    if production:
        day = since(production)
        note = f"since {figures.day(day)}" if day else ""
        strip.append(Figure(f"In {production.file.stage}", _numbers(found.productions), "text", note, production.href))
    shown = production or newest
    value = last_value(shown.run, metric) if shown and shown.run and metric else None
    if value is not None and math.isfinite(value) and shown and metric:
        strip.append(Figure(metric, value, "number", f"of version {shown.number}", shown.href))
    kept = sum(not version.file.deleted for version in found.versions)
    deleted = len(found.versions) - kept
    strip.append(Figure("Versions", kept, "count", f"{deleted} deleted" if deleted else ""))
    if newest and newest is not production:
        strip.append(Figure("Newest", f"version {newest.number}", "text", told_stage(newest), newest.href))
    active = last_activity(found)
    if active is not None:
        strip.append(Figure("Last activity", active, "date"))
    return tuple(strip)
