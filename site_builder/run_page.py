"""The view of a run's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from site_builder import figures, notes
from site_builder.frames import frame, sentence
from site_builder.logged_models import registered_elsewhere
from site_builder.model import SiteRun
from site_builder.preview import Artifacts
from site_builder.sparkline import spark_of_text
from site_builder.tables import is_own_tag
from site_builder.views import ChartGroup, ChartSlot, Crumb, LoggedModel, MetricRow, RunView
from tracker.logs import Problem
from tracker.reader import Environment
from tracker.schema import MetricSummary, Source
from tracker.snapshot import NOTE_TAG

CHILDREN = 200
HEADLINES = 6
CHARTS = 200
"""Charts of a page; the table has all metrics."""

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_REPOSITORY = re.compile(r"https://(github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)(/[\w.-]+){2,}")
_COMMIT_PATHS = {"gitlab.com": "/-/commit/", "bitbucket.org": "/commits/"}


def run_view(
    run: SiteRun,
    *,
    chunk: str,
    full: str | None = None,
    drawn: Mapping[str, int] | None = None,
    artifacts: Artifacts | None = None,
    models: Sequence[LoggedModel] = (),
    environment: Environment | None = None,
    problems: Sequence[Problem] = (),
) -> RunView:
    """The page of a run from its summary and what lies beside it; `drawn` are the points of each metric in charts."""
    file = run.file
    source = file.source or Source()
    artifacts = artifacts or Artifacts()
    rows = {key: _metric_row(run, key, metric) for key, metric in sorted(file.metrics.items())}
    return RunView(
        frame=frame("run", file.name, _description(run), run.href, _crumbs(run), [chunk]),
        run=run.link,
        experiment=run.experiment.name,
        experiment_href=run.experiment.href,
        parent=run.parent.link if run.parent else None,
        children=tuple(child.link for child in run.children[:CHILDREN]),
        children_total=len(run.children),
        start_time=file.start_time,
        end_time=file.end_time,
        duration=run.duration,
        ended_by=file.ended_by or "",
        commit=source.commit,
        commit_href=commit_href(source),
        branch=source.branch,
        dirty=source.dirty,
        script=source.script,
        remote=source.remote,
        note=notes.to_html(file.tags.get(NOTE_TAG, "")),
        headline=tuple(rows[key] for key in run.experiment.ranked(file.metrics)[:HEADLINES]),
        metrics=tuple(rows.values()),
        params=tuple(file.params.items()),
        tags=tuple((key, text) for key, text in file.tags.items() if is_own_tag(key)),
        chart_groups=tuple(_chart_groups(file.metrics, drawn or {})),
        models=tuple(models),
        versions=registered_elsewhere(run, models),
        artifacts=artifacts.rows,
        artifacts_total=artifacts.total,
        environment=tuple(_environment(environment)) if environment else (),
        packages=tuple(f"{name}=={version}" for name, version in environment.packages.items()) if environment else (),
        problems=tuple(sentence(problem) for problem in problems),
        full_href=full,
    )


def commit_href(source: Source) -> str | None:
    """Where the commit can be looked at, for hosts that are known to show commits."""
    remote, commit = source.remote or "", source.commit or ""
    host = _REPOSITORY.fullmatch(remote)
    if not host or not _COMMIT.fullmatch(commit):
        return None
    return f"{remote.removesuffix('.git')}{_COMMIT_PATHS.get(host[1], '/commit/')}{commit}"


def _description(run: SiteRun) -> str:
    return f"{run.file.status.capitalize()} run of {run.experiment.name}, started {figures.date(run.file.start_time)}"


def _crumbs(run: SiteRun) -> tuple[Crumb, ...]:
    above = (Crumb("Experiments", "experiments/index.html"), Crumb(run.experiment.name, run.experiment.href))
    parent = (Crumb(run.parent.file.name, run.parent.href),) if run.parent else ()
    return (*above, *parent, Crumb(run.file.name, None))


def _metric_row(run: SiteRun, key: str, metric: MetricSummary) -> MetricRow:
    best = run.experiment.best(key, metric)
    return MetricRow(
        key=key,
        goal=run.experiment.goal(key),
        count=metric.count,
        last=metric.last,
        last_step=metric.last_step,
        best=best[0] if best else None,
        best_step=best[1] if best else None,
        min=metric.min,
        min_step=metric.min_step,
        max=metric.max,
        max_step=metric.max_step,
        first=metric.first,
        mean=metric.mean,
        nonfinite=metric.nonfinite,
        spark=spark_of_text(metric.spark),
    )


def _chart_groups(metrics: Mapping[str, MetricSummary], drawn: Mapping[str, int]) -> Iterable[ChartGroup]:
    """A chart for each metric with a curve, together where the names begin alike; those without a prefix first."""
    groups: dict[str, list[ChartSlot]] = {}
    curves = sorted(key for key, metric in metrics.items() if metric.count > 1)
    for key in curves[:CHARTS]:
        prefix, slash, _ = key.partition("/")
        groups.setdefault(prefix if slash else "", []).append(_slot(key, drawn.get(key, 0), metrics[key].count))
    return [ChartGroup(name, tuple(slots)) for name, slots in sorted(groups.items())]


def _slot(key: str, drawn: int, count: int) -> ChartSlot:
    note = f"{figures.count(drawn)} of {figures.count(count)} points, extremes kept" if 0 < drawn < count else ""
    return ChartSlot("curves", key, (key,), note)


def _environment(found: Environment) -> Iterable[tuple[str, str]]:
    pairs = (
        ("Python", found.python),
        ("Platform", found.platform),
        ("Command", " ".join(found.command)),
        ("CPU", found.cpu),
        ("GPU", ", ".join(found.gpu)),
    )
    return [pair for pair in pairs if pair[1]]
