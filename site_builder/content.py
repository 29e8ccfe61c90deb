"""What the files of a site contain: from the model to bytes, one kind of unit after the other."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from site_builder import chunks, model_pages, notes, pages
from site_builder.downsample import sample
from site_builder.logged_models import logged_models
from site_builder.model import Site, SiteExperiment, SiteRun, digest_of
from site_builder.output import Made
from site_builder.preview import read_artifacts
from site_builder.registry_content import INDEX, Versions, registry_index, searched_models
from site_builder.run_page import run_view
from tracker import __version__, layout
from tracker.logs import Problem
from tracker.reader import Environment, History, load_environment, read_history
from tracker.summary import Series

if TYPE_CHECKING:
    from site_builder.press import Press

SEARCHED_RUNS = 20_000
SEARCHED_TEXT = 1000


def make_run(run: SiteRun, press: Press, root: Path) -> Made:
    """The page of a run, its data and its artifacts. What goes wrong is told on the page, which is made in any case."""
    try:
        return _whole_run(run, press, root)
    except Exception as error:
        reason = f"could not be shown in full: {type(error).__name__}: {error}"
        problem = Problem(run.place, None, reason, run.id)
        return _bare_run(run, press, problem)


def _whole_run(run: SiteRun, press: Press, root: Path) -> Made:
    history = read_history(run.read.folder)
    samples = {key: sample(series) for key, series in sorted(history.series.items())}
    artifacts = read_artifacts(run.read.folder, f"runs/{run.id}/artifacts")
    environment, damage = _environment(run)
    new = _new_problems(run, history, root)
    models, unread = logged_models(run, artifacts.models)
    found = [*damage, *unread, *artifacts.problems]
    new += [Problem(f"{run.place}/{path}", None, reason, run.id) for path, reason in found]
    is_sampled = any(len(samples[key].values) < len(series) for key, series in history.series.items())
    full = f"data/v1/runs/{run.id}.csv" if is_sampled else None
    view = run_view(
        run,
        chunk=run_data(run),
        full=full,
        drawn={key: len(series) for key, series in samples.items()},
        artifacts=artifacts,
        models=models,
        environment=environment,
        problems=[*run.read.problems, *new],
    )
    files: dict[str, bytes | int] = {run.href: press.page(view), **_run_files(run, samples, full)}
    if full:
        files[full] = _csv(history.series)
    return Made(files, {copy.target: copy.source for copy in artifacts.copies}, new)


def _environment(run: SiteRun) -> tuple[Environment | None, list[tuple[str, str]]]:
    """What the run ran in; path and reason where that cannot be read."""
    try:
        return load_environment(run.read.folder), []
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    except ValueError as error:
        reason = f"is damaged: {error}"
    return None, [(layout.ENVIRONMENT_FILE, reason)]


def _bare_run(run: SiteRun, press: Press, problem: Problem) -> Made:
    """The least that can be said of a run: its summary without history and artifacts, or its name alone."""
    told = [*run.read.problems, problem]
    try:
        page, data = press.page(run_view(run, chunk=run_data(run), problems=told)), _run_files(run, {}, None)
    except Exception:
        bare = SiteRun(run.read, run.experiment, run.id)
        bare.file = msgspec.structs.replace(run.file, params={}, tags={}, metrics={}, source=None)
        page, data = press.page(run_view(bare, chunk=run_data(run), problems=told)), _run_files(bare, {}, None)
    return Made({run.href: page, **data}, {}, [problem], failed=True)


def run_data(run: SiteRun) -> str:
    """The address of a run's data, with its version."""
    return f"data/v1/runs/{run.id}.js?{run.version}"


def _run_files(run: SiteRun, samples: Mapping[str, Series], full: str | None) -> dict[str, bytes]:
    return {f"data/v1/runs/{run.id}.js": chunks.wrapped(f"run/{run.id}", chunks.run_chunk(run, samples, full))}


def _new_problems(run: SiteRun, history: History, root: Path) -> list[Problem]:
    """Problems of the history that the listing did not know, with paths relative to the store."""
    known = {(problem.path, problem.line, problem.message) for problem in run.read.problems}
    prefix = f"{root}/"
    found = [
        Problem(problem.path.replace("\\", "/").removeprefix(prefix), problem.line, problem.message, run.id)
        for problem in history.problems
    ]
    return [problem for problem in found if (problem.path, problem.line, problem.message) not in known]


def _csv(series: dict[str, Series]) -> bytes:
    """Every point of every metric; times are UTC milliseconds."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("metric", "step", "time", "value"))
    for key, found in sorted(series.items()):
        writer.writerows((key, *point) for point in zip(found.steps, found.times, found.values, strict=True))
    return text.getvalue().encode(errors="replace")


def experiment_chunks(found: SiteExperiment) -> dict[str, Sequence[SiteRun]]:
    """Names of the experiment's data, newest first, and the runs in each.

    A name changes with what the chunk is made of, so that an unchanged chunk need not be made to be named.
    """
    parts = chunks.experiment_parts(found.runs)
    return {_chunk_name(found, len(parts) - index - 1, part): part for index, part in enumerate(parts)}


def _chunk_name(found: SiteExperiment, number: int, part: Sequence[SiteRun]) -> str:
    inputs = digest_of(found.digest, found.primary or "", *(f"{run.id}{run.inputs}{run.parent_id}" for run in part))
    return f"data/v1/experiments/{found.slug}-{number}.{inputs[:10]}.js"


def make_experiment(found: SiteExperiment, press: Press, known: Mapping[str, int]) -> Made:
    """The page of an experiment, and those of its chunks that are not known yet by name and size."""
    parts = experiment_chunks(found)
    files: dict[str, bytes | int] = {found.href: press.page(pages.experiment(found, list(parts)))}
    for number, (name, runs) in enumerate(parts.items()):
        files[name] = known.get(name) or _experiment_data(found, len(parts) - number - 1, runs)
    return Made(files)


def _experiment_data(found: SiteExperiment, number: int, runs: Sequence[SiteRun]) -> bytes:
    return chunks.wrapped(f"experiment/{found.slug}/{number}", chunks.experiment_chunk(found, runs))


def make_site(
    site: Site,
    problems: Sequence[Problem],
    data: Sequence[str],
    versions: Versions,
    press: Press,
    specifications: bytes,
) -> Made:
    """Index pages, the search, the charts and the list of models; `site.js` comes apart, since it holds the time."""
    search = chunks.wrapped("search", _search(site, press))
    charts = chunks.wrapped("charts", specifications)
    listed = (model_pages.models(site),) if site.models else ()
    views = (
        *listed,
        pages.home(site, len(problems)),
        pages.experiments(site, len(problems)),
        pages.runs(site, data),
        pages.compare(site),
        pages.problems(site, problems),
    )
    files: dict[str, bytes | int] = {view.frame.path: press.page(view) for view in views}
    files[chunks.hashed_name("search", search)] = search
    files[chunks.hashed_name("charts", charts)] = charts
    files[INDEX] = registry_index(site, versions)
    return Made(files)


def site_data(site: Site, files: Sequence[str], built: int, problems: int) -> bytes:
    """`site.js`, which every page loads."""
    content = {
        "schema": chunks.SCHEMA,
        "title": site.title,
        "built": built,
        "version": __version__,
        "runs": site.total,
        "experiments": len(site.experiments),
        "models": len(site.models),
        "problems": problems,
        "search": next(path for path in files if path.startswith("data/v1/search.")),
        "charts": next(path for path in files if path.startswith("data/v1/charts.")),
        "sources": site.kinds,
        "live": False,
    }
    return chunks.wrapped("site", msgspec.json.encode(content))


def _search(site: Site, press: Press) -> bytes:
    entries = [
        {"kind": "experiment", "title": found.name, "text": _searched(found), "href": found.href}
        for found in site.experiments
    ]
    runs = [(run, index) for index, found in enumerate(site.experiments) for run in found.runs]
    runs.sort(key=lambda pair: pair[0].file.start_time, reverse=True)
    shown = runs[:SEARCHED_RUNS]
    return msgspec.json.encode(
        {
            "pages": [*entries, *searched_models(site), *press.rendered.prose],
            "runs": {
                "id": [run.id for run, _ in shown],
                "name": [run.file.name for run, _ in shown],
                "experiment": [index for _, index in shown],
            },
        }
    )


def _searched(found: SiteExperiment) -> str:
    return " ".join(notes.to_html(found.read.file.description).striptags().split())[:SEARCHED_TEXT]


def make_theme(press: Press) -> Made:
    """Authored pages, scripts and styles."""
    problems = [Problem("pages", None, message) for message in press.rendered.problems]
    return Made(dict(press.rendered.files), {}, problems)
