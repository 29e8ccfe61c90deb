"""What the pages of registered models know, in the manner of `views`."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from site_builder.views import Figure, ModelRow, PageFrame, RunLink, VersionLink


@dataclass(frozen=True, slots=True)
class ModelsView:
    """`models/index.html`."""

    frame: PageFrame
    models: tuple[ModelRow, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a model: a line of a history."""

    time: int | None
    """None when the registry has no date that can be read."""
    action: str
    """registered, stage, alias, deleted, renamed or other."""
    version: VersionLink | None
    """Whose history it stands in; None for what happened to the model."""
    before: str
    """The stage, version or name before; "" where there was none."""
    after: str
    """The same afterwards; "" where there is none."""
    before_tone: str
    after_tone: str
    """How these are drawn, where they are stages."""
    alias: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageSpan:
    """A time that a version spent in a stage."""

    version: VersionLink
    left: float
    width: float
    """Percent of the drawing."""
    row: int
    """From the top, 0 first: versions in one stage at one time stand below each other."""
    since: int
    until: int | None
    """None for a version that is still there."""
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageLane:
    """The versions that were in a stage, over time."""

    stage: str
    tone: str
    rows: int
    """How many spans stand below each other, at most."""
    spans: tuple[StageSpan, ...]


@dataclass(frozen=True, slots=True)
class AxisTick:
    """A mark on the axis of a drawing."""

    text: str
    place: float
    """Percent from the left or from the bottom."""


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """A version in the drawing of a metric."""

    version: VersionLink
    value: float
    left: float
    bottom: float
    """Percent of the drawing."""
    labelled: bool
    """Whether its number stands beside it."""


@dataclass(frozen=True, slots=True)
class MetricDrawing:
    """A metric over the versions of a model."""

    metric: str
    goal: str | None
    line: str
    """Path of an SVG in a box of 100 by 100."""
    points: tuple[MetricPoint, ...]
    """The versions that are drawn as points: all, or where they are many, those that matter."""
    ticks: tuple[AxisTick, ...]
    ends: tuple[AxisTick, ...]
    """The first and the last version that have the metric."""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the table of its model."""

    version: VersionLink
    aliases: tuple[str, ...]
    run: RunLink | None
    values: tuple[float | None, ...]
    """One for each metric of the table."""
    format: str
    """How the model is stored, such as skops; "" when that could not be told."""
    safe: bool
    sound: bool
    """Its model is what was registered."""
    size: int
    summary: str
    """First sentence of the description as plain text, or ""."""
    created: int | None


@dataclass(frozen=True, slots=True)
class MetricHead:
    """A column of metrics in the table of versions."""

    key: str
    goal: str | None


@dataclass(frozen=True, slots=True)
class ModelView:
    """`models/<slug>/index.html`."""

    frame: PageFrame
    name: str
    description: Markup
    """Sanitised Markdown, may be empty."""
    tags: tuple[tuple[str, str], ...]
    aliases: tuple[tuple[str, str], ...]
    """Each alias and what it stands for."""
    production: VersionLink | None
    figures: tuple[Figure, ...]
    lanes: tuple[StageLane, ...]
    """Stages that count, the last one first; empty when no version was ever in one."""
    lane_ticks: tuple[AxisTick, ...]
    drawing: MetricDrawing | None
    heads: tuple[MetricHead, ...]
    versions: tuple[VersionRow, ...]
    versions_total: int
    """All versions, of which `versions` are the newest."""
    events: tuple[Event, ...]
    """Newest first."""
    events_total: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """A metric of a version beside that of the version in production."""

    key: str
    goal: str | None
    value: float | None
    other: float | None
    """Of the version in production."""
    delta: float | None
    """None without both, or when one of them is not finite."""
    verdict: str
    """better, worse, same, or "" without a goal or a difference."""


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A column or a parameter that a model takes or gives."""

    name: str
    """"" for one without a name."""
    type: str
    note: str
    """Such as "optional" or the default value."""


@dataclass(frozen=True, slots=True)
class SignaturePart:
    """Inputs, outputs or params of a signature."""

    title: str
    rows: tuple[SignatureRow, ...]
    total: int
    """All rows, of which `rows` are the first."""


@dataclass(frozen=True, slots=True)
class Example:
    """The input example of a model: a table, or else text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: str
    """The JSON, where it is no table."""
    note: str
    """What is left out, or ""."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model."""

    path: str
    bytes: int
    href: str | None
    """Copy in the site."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code that loads the version."""

    title: str
    code: str
    address: str
    """What in `code` the browser replaces by the site's own address; "" where there is nothing to replace."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version is from."""

    source: str
    """What it was registered from, as it was named."""
    run: RunLink | None
    """None, as are the following, when the run is not in the store."""
    experiment: str
    experiment_href: str | None
    commit: str | None
    commit_href: str | None
    params: tuple[tuple[str, object], ...]
    params_total: int


@dataclass(frozen=True, slots=True)
class StoredModel:
    """The model of a version as it is stored."""

    flavors: str
    format: str
    """Such as skops; "" when the model cannot be read or is deleted."""
    safe: bool
    sound: bool
    """It is what was registered, else nothing is said of loading it."""
    meaning: str
    """What the format means for safety."""
    python: str
    requirements: tuple[str, ...]
    size: int
    saved: int | None
    """When the model was saved."""
    files: tuple[ModelFile, ...]
    files_total: int
    unpublished: str
    """Why its files are not in the site; "" when they are."""


@dataclass(frozen=True, slots=True)
class VersionView:
    """`models/<slug>/<version>/index.html`: the model card."""

    frame: PageFrame
    version: VersionLink
    model_href: str
    previous: VersionLink | None
    following: VersionLink | None
    production: VersionLink | None
    """The version in production, when it is another one."""
    compare_href: str | None
    """Its run and that of this version side by side."""
    since: int | None
    """When it came into its stage."""
    by: str
    """Who put it there; "" when nobody said."""
    reason: str
    aliases: tuple[str, ...]
    description: Markup
    """Sanitised Markdown, may be empty."""
    tags: tuple[tuple[str, str], ...]
    created: int | None
    digest: str
    """As it was registered."""
    origin: Origin
    stored: StoredModel
    metrics: tuple[ComparedMetric, ...]
    metrics_total: int
    signature: tuple[SignaturePart, ...]
    example: Example | None
    snippets: tuple[Snippet, ...]
    uris: tuple[str, ...]
    """Other names under which it can be loaded."""
    events: tuple[Event, ...]
    """Newest first."""
    problems: tuple[str, ...]
