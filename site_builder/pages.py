"""The views of all pages but those of runs, made from what was read. Pure: no file is touched here."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from site_builder import figures, notes
from site_builder.frames import frame, plural
from site_builder.model import Site, SiteExperiment, SiteRun, SiteVersion
from site_builder.model_pages import model_rows
from site_builder.sparkline import spark_of_text, spark_of_values
from site_builder.tables import is_own_tag, runs_table, shown_value
from site_builder.views import (
    Best,
    ChartSlot,
    CompareView,
    Crumb,
    ExperimentRow,
    ExperimentView,
    Figure,
    HomeView,
    ModelRow,
    ProblemRow,
    ProblemsView,
    RecentRun,
    RunLink,
    RunsView,
    VersionLink,
)
from tracker.logs import Problem

RECENT = 10
PROBLEMS = 1000
EXAMPLES = 4
PRODUCTION = 20
"""Models in production that the first page lists, those that came there last."""
COMPARED = 3
"""Runs in a comparison to start from."""


def home(site: Site, problems: int) -> HomeView:
    """The first page."""
    tagline = _tagline(site)
    return HomeView(
        frame=frame("home", site.title, tagline, "index.html"),
        site_title=site.title,
        tagline=tagline,
        total_runs=site.total,
        experiments=_experiment_rows(site),
        recent=tuple(map(_recent, heapq.nlargest(RECENT, site.runs(), key=_start))),
        models=_in_production(site),
        total_models=len(site.models),
        problems=problems,
    )


def experiments(site: Site, problems: int) -> HomeView:
    """The list of experiments."""
    description = f"The {plural(len(site.experiments), 'experiment')} of {site.title}"
    return HomeView(
        frame=frame("experiments", "Experiments", description, "experiments/index.html"),
        site_title=site.title,
        tagline=_tagline(site),
        total_runs=site.total,
        experiments=_experiment_rows(site),
        recent=(),
        models=(),
        total_models=len(site.models),
        problems=problems,
    )


def experiment(found: SiteExperiment, chunks: Sequence[str]) -> ExperimentView:
    """The page of an experiment."""
    file = found.read.file
    summary = notes.first_sentence(file.description) or f"{plural(len(found.runs), 'run')} of {found.name}"
    crumbs = (Crumb("Experiments", "experiments/index.html"), Crumb(found.name, None))
    return ExperimentView(
        frame=frame("experiment", found.name, summary, found.href, crumbs, chunks),
        name=found.name,
        description=notes.to_html(file.description),
        tags=tuple((key, text) for key, text in file.tags.items() if is_own_tag(key)),
        figures=_figures(found),
        table=runs_table(found.runs, [found]),
        charts=_charts(found),
    )


def runs(site: Site, chunks: Sequence[str]) -> RunsView:
    """The runs of all experiments."""
    ordered = sorted(site.runs(), key=_start, reverse=True)
    description = f"All {plural(site.total, 'run')} of {site.title}"
    return RunsView(
        frame=frame("runs", "Runs", description, "runs/index.html", (), chunks),
        table=runs_table(ordered, site.experiments),
    )


def compare(site: Site) -> CompareView:
    """The page that compares the runs named in its address."""
    description = "Parameters, metrics and curves of runs side by side"
    found = [runs for runs in map(_best_runs, site.experiments) if len(runs) > 1]
    return CompareView(
        frame=frame("compare", "Compare", description, "compare/index.html"),
        examples=tuple(map(_example, found[:EXAMPLES])),
    )


def problems(site: Site, found: Sequence[Problem]) -> ProblemsView:
    """What could not be read or shown."""
    versions = {version.place: version for model in site.models for version in model.versions}
    rows = [ProblemRow(p.path, p.line, p.message, _link(site, p), _version_link(versions, p)) for p in found[:PROBLEMS]]
    description = f"{plural(len(found), 'problem')} in the store"
    return ProblemsView(
        frame=frame("problems", "Problems", description, "problems/index.html"),
        problems=tuple(rows),
        total=len(found),
    )


def _link(site: Site, problem: Problem) -> RunLink | None:
    run = site.run(problem.run_id)
    return run.link if run else None


def _version_link(versions: Mapping[str, SiteVersion], problem: Problem) -> VersionLink | None:
    version = versions.get(problem.path)
    return version.link if version else None


def _in_production(site: Site) -> tuple[ModelRow, ...]:
    rows = model_rows(model for model in site.models if model.production)
    return tuple(heapq.nlargest(PRODUCTION, rows, key=lambda row: (row.since or 0, row.name)))


def _tagline(site: Site) -> str:
    return f"{plural(site.total, 'run')} in {plural(len(site.experiments), 'experiment')}"


def _start(run: SiteRun) -> tuple[int, str]:
    return run.file.start_time, run.id


def _recent(run: SiteRun) -> RecentRun:
    metric = run.experiment.primary
    found = run.file.metrics.get(metric) if metric else None
    return RecentRun(
        run=run.link,
        experiment=run.experiment.name,
        experiment_href=run.experiment.href,
        start_time=run.file.start_time,
        duration=run.duration,
        metric=metric if found else None,
        value=shown_value(run, metric) if metric else None,
        spark=spark_of_text(found.spark) if found else Markup(""),
    )


def _experiment_rows(site: Site) -> tuple[ExperimentRow, ...]:
    rows = [_experiment_row(found) for found in site.experiments]
    return tuple(sorted(rows, key=lambda row: (-(row.last_activity or 0), row.name)))


def _experiment_row(found: SiteExperiment) -> ExperimentRow:
    return ExperimentRow(
        name=found.name,
        href=found.href,
        summary=notes.first_sentence(found.read.file.description),
        runs=len(found.runs),
        failed=_count(found, "FAILED"),
        running=_count(found, "RUNNING"),
        last_activity=_last_activity(found),
        best=best(found),
        progress=spark_of_values(_best_so_far(found)),
    )


def _count(found: SiteExperiment, status: str) -> int:
    return sum(run.file.status == status for run in found.runs)


def _last_activity(found: SiteExperiment) -> int | None:
    return max((max(run.file.start_time, run.file.end_time or 0) for run in found.runs), default=None)


def best(found: SiteExperiment) -> Best | None:
    """The best value of the primary metric, and the run that reached it first."""
    metric, goal = found.primary, found.goal(found.primary or "")
    ranked = _ranked(found, 1)
    if metric is None or goal is None or not ranked:
        return None
    (value, step), run = ranked[0]
    return Best(metric, goal, value, step, run.link)


def _ranked(found: SiteExperiment, most: int) -> list[tuple[tuple[float, int], SiteRun]]:
    """Best values of the primary metric with their steps and runs, the best first, of equals the oldest."""
    metric = found.primary
    sign = -1 if metric and found.goal(metric) == "maximize" else 1
    pairs = [
        (reached, run)
        for run in reversed(found.runs)
        if metric and (summary := run.file.metrics.get(metric)) and (reached := found.best(metric, summary))
    ]
    return heapq.nsmallest(most, pairs, key=lambda pair: sign * pair[0][0])


def _best_so_far(found: SiteExperiment) -> list[float]:
    metric = found.primary
    if metric is None:
        return []
    better = max if found.goal(metric) == "maximize" else min
    reached: list[float] = []
    for run in reversed(found.runs):
        summary = run.file.metrics.get(metric)
        value = found.best(metric, summary) if summary else None
        if value:
            reached.append(better(reached[-1], value[0]) if reached else value[0])
    return reached


def _figures(found: SiteExperiment) -> tuple[Figure, ...]:
    failed = _count(found, "FAILED")
    running = _count(found, "RUNNING")
    top = best(found)
    spent = sum(run.duration or 0 for run in found.runs)
    figure = [Figure("Runs", len(found.runs), "count", f"{figures.count(running)} running" if running else "")]
    if failed:
        figure.append(Figure("Failed", failed, "count"))
    if top:
        figure.append(Figure(f"Best {top.metric}", top.value, "number", f"by {top.run.name}", top.run.href))
    if spent:
        figure.append(Figure("Time spent", spent, "duration"))
    if found.runs:
        figure.append(Figure("Last activity", _last_activity(found), "date"))
    return tuple(figure)


def _charts(found: SiteExperiment) -> tuple[ChartSlot, ...]:
    """Best so far, a parameter against the metric, and the curves of the metric, where there is something to draw."""
    metric = found.primary
    if metric is None or len(found.runs) < 2:
        return ()
    slots = [ChartSlot("progress", f"{metric}, best so far", (metric,))]
    if any(run.file.params for run in found.runs):
        slots.append(ChartSlot("scatter", f"{metric} by parameter", (metric,)))
    if any(metric in run.file.metrics and run.file.metrics[metric].count > 1 for run in found.runs):
        slots.append(ChartSlot("curves", metric, (metric,)))
    return tuple(slots)


def _best_runs(found: SiteExperiment) -> list[SiteRun]:
    return [run for _, run in _ranked(found, COMPARED)]


def _example(compared: Sequence[SiteRun]) -> tuple[str, str]:
    found = compared[0].experiment
    text = f"The best {len(compared)} runs of {found.name} by {found.primary}"
    return text, f"compare/index.html?runs={','.join(run.id for run in compared)}"
