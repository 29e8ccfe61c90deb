"""What a page knows: one frozen dataclass for each kind of page, and nothing else reaches its template.

Values are plain text and numbers, never markup, except fields of type `Markup`, which were made safe by
`site_builder.notes` or `site_builder.sparkline`. Hrefs are relative to the site's root; templates put `root`
before them. Times are UTC milliseconds. `tests/site/test_views.py` holds that templates use exactly these fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the breadcrumbs."""

    text: str
    href: str | None
    """None for the page itself."""


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What every page has around its content."""

    kind: str
    """home, experiments, experiment, runs, run, models, model, version, compare, problems: selects the template and
    the browser code."""
    title: str
    """Plain text for <title> and the header."""
    description: str
    """Plain text for <meta name=description>."""
    path: str
    """Where the page lies below the site's root, such as `runs/0192.../index.html`."""
    root: str
    """Relative way back to the site's root: "", "../" or "../../"."""
    crumbs: tuple[Crumb, ...] = ()
    chunks: tuple[str, ...] = ()
    """Data scripts that the page needs, relative to the root."""


@dataclass(frozen=True, slots=True)
class RunLink:
    """A run as it is named elsewhere: in lists, as parent, as the holder of a best value."""

    id: str
    name: str
    href: str
    status: str
    """RUNNING, FINISHED, FAILED, KILLED or STALE."""


@dataclass(frozen=True, slots=True)
class VersionLink:
    """A version of a registered model as it is named elsewhere."""

    model: str
    number: int
    href: str
    stage: str
    """As the registry has it, such as Production."""
    tone: str
    """production, staging, archived, none, other or deleted: how the stage is drawn."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A registered model on the home page and in the list of models."""

    name: str
    href: str
    summary: str
    """First sentence of the description as plain text, or ""."""
    versions: int
    latest: VersionLink | None
    """The newest version that is not deleted."""
    production: VersionLink | None
    """The newest version in the last stage before the archive, which is Production unless the model names others."""
    since: int | None
    """When that version came there."""
    aliases: tuple[tuple[str, str], ...]
    """Each alias and what it stands for."""
    metric: str | None
    """The metric that stands for the model, when its version in production, or else its newest, has it."""
    goal: str | None
    value: float | None
    spark: Markup
    """Sparkline of the metric over the versions, or empty."""
    last_activity: int | None


@dataclass(frozen=True, slots=True)
class Best:
    """The best value of a metric in an experiment and the run that reached it."""

    metric: str
    goal: str
    """maximize or minimize."""
    value: float
    step: int
    run: RunLink


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """An experiment on the home page and in the list of experiments."""

    name: str
    href: str
    summary: str
    """First sentence of the description as plain text, or ""."""
    runs: int
    failed: int
    running: int
    last_activity: int | None
    """Latest start or end of a run; None without runs."""
    best: Best | None
    """Best of the primary metric; None when no metric has a goal."""
    progress: Markup
    """Sparkline of best-so-far over the runs in order of start, or empty."""


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A run in the list of recent runs of the home page."""

    run: RunLink
    experiment: str
    experiment_href: str
    start_time: int
    duration: int | None
    """Milliseconds; None while it runs."""
    metric: str | None
    """The primary metric's name, when the run has it."""
    value: float | None
    spark: Markup


@dataclass(frozen=True, slots=True)
class HomeView:
    """`index.html` and `experiments/index.html`."""

    frame: PageFrame
    site_title: str
    tagline: str
    total_runs: int
    experiments: tuple[ExperimentRow, ...]
    recent: tuple[RecentRun, ...]
    """Empty on the list of experiments."""
    models: tuple[ModelRow, ...]
    """Those with a version in production; empty on the list of experiments."""
    total_models: int
    problems: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the runs table as pressed into the page."""

    kind: str
    """param, metric or tag."""
    key: str
    goal: str | None = None
    """maximize or minimize for metrics that have a direction."""
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """A run in the table that is readable without JavaScript."""

    run: RunLink
    depth: int
    """0 for a run without a parent in the table, 1 for its children, and so on."""
    start_time: int
    duration: int | None
    cells: tuple[object, ...]
    """One value for each column: number, text, bool or None."""


@dataclass(frozen=True, slots=True)
class RunsTable:
    """The first rows of a runs table; the browser part replaces it by all of them."""

    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    total: int
    """All runs, of which `rows` are the first."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the strip under a title."""

    label: str
    value: object
    """Number or text; formatted by `unit`."""
    unit: str = "number"
    """number, count, duration (ms), date (ms) or text."""
    note: str = ""
    href: str | None = None


@dataclass(frozen=True, slots=True)
class ChartSlot:
    """Where a chart appears once the browser part mounts it."""

    kind: str
    """curves, scatter or progress: a key of the chart specifications."""
    title: str
    metrics: tuple[str, ...]
    note: str = ""
    """Such as "400 of 50,000 points, extremes kept"."""


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """`experiments/<slug>/index.html`."""

    frame: PageFrame
    name: str
    description: Markup
    """Sanitised Markdown, may be empty."""
    tags: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    table: RunsTable
    charts: tuple[ChartSlot, ...]


@dataclass(frozen=True, slots=True)
class RunsView:
    """`runs/index.html`: the runs of all experiments."""

    frame: PageFrame
    table: RunsTable


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric on the run page."""

    key: str
    goal: str | None
    count: int
    last: float
    """May be NaN or infinite."""
    last_step: int
    best: float | None
    """None without a goal or without a finite point."""
    best_step: int | None
    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None
    first: float
    mean: float | None
    nonfinite: int
    spark: Markup


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """A file of a run."""

    path: str
    """Relative path inside artifacts/, as logged."""
    bytes: int
    href: str | None
    """Copy in the site; None when it was too large or not of a kind that is safe to publish."""
    preview: str
    """image, text, table, json or "" (none)."""
    text: str = ""
    """Start of a text or JSON file."""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """Start of a CSV file."""
    truncated: bool = False
    note: str = ""
    """Why there is no preview or no copy."""
    image: str = ""
    """Source of an image that stands in the page itself (SVG); "" means that the copy is the source."""


@dataclass(frozen=True, slots=True)
class ChartGroup:
    """Charts of the metrics that share a prefix, such as `train/`."""

    name: str
    charts: tuple[ChartSlot, ...]


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model among the artifacts of a run."""

    path: str
    """Its folder below artifacts/."""
    flavors: str
    """How it can be loaded, such as "sklearn"; "" when its MLmodel file cannot be read."""
    format: str
    safe: bool
    """Loading runs no code that comes with the model."""
    versions: tuple[VersionLink, ...]
    """What was registered of it."""


@dataclass(frozen=True, slots=True)
class RunView:
    """`runs/<id>/index.html`."""

    frame: PageFrame
    run: RunLink
    experiment: str
    experiment_href: str
    parent: RunLink | None
    children: tuple[RunLink, ...]
    """The first 200."""
    children_total: int
    start_time: int
    end_time: int | None
    duration: int | None
    ended_by: str
    """Signal or exception type, or ""."""
    commit: str | None
    commit_href: str | None
    """Only for https remotes that are known to show commits."""
    branch: str | None
    dirty: bool | None
    script: str | None
    remote: str | None
    note: Markup
    """Description of the run, sanitised Markdown."""
    headline: tuple[MetricRow, ...]
    """Metrics with a declared or guessed goal, the primary one first; at most six."""
    metrics: tuple[MetricRow, ...]
    params: tuple[tuple[str, object], ...]
    tags: tuple[tuple[str, str], ...]
    chart_groups: tuple[ChartGroup, ...]
    models: tuple[LoggedModel, ...]
    versions: tuple[VersionLink, ...]
    """Registered from this run, but of none of its `models`."""
    artifacts: tuple[ArtifactRow, ...]
    artifacts_total: int
    environment: tuple[tuple[str, str], ...]
    """Python, platform, command line and so on."""
    packages: tuple[str, ...]
    problems: tuple[str, ...]
    full_href: str | None
    """CSV with every point, when the chart data are a sample of them."""


@dataclass(frozen=True, slots=True)
class CompareView:
    """`compare/index.html`: filled by the browser part from the address."""

    frame: PageFrame
    examples: tuple[tuple[str, str], ...]
    """Text and href of a few comparisons to start from."""


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """Something a reader could not read."""

    path: str
    line: int | None
    message: str
    run: RunLink | None = None
    version: VersionLink | None = None
    """The version of a registered model whose page tells more."""


@dataclass(frozen=True, slots=True)
class ProblemsView:
    """`problems/index.html`."""

    frame: PageFrame
    problems: tuple[ProblemRow, ...] = field(default=())
    total: int = 0
    """All problems, of which `problems` are the first 1,000."""
