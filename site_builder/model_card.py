"""The view of the page of a model's version: a card that a reviewer can sign."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

from site_builder import figures, notes
from site_builder.drawings import model_metric
from site_builder.frames import frame, sentence
from site_builder.model import SiteRun, SiteVersion
from site_builder.model_pages import since, told_stage
from site_builder.model_views import (
    ComparedMetric,
    Example,
    ModelFile,
    Origin,
    SignaturePart,
    Snippet,
    StoredModel,
    VersionView,
)
from site_builder.run_page import commit_href
from site_builder.signatures import input_example, signature_parts
from site_builder.tables import is_own_tag, last_value
from site_builder.timeline import stage_since, version_events
from site_builder.views import Crumb, VersionLink
from tracker import layout
from tracker.logs import Problem
from tracker.masking import mask_text
from tracker.models.inspection import ModelFacts
from tracker.schema import Change, Source

METRICS, PARAMS, FILES = 30, 40, 100
"""Metrics and params of its run, and files, that a card lists."""
LINE = 52
"""Characters of the longest line of code that is not broken."""
ADDRESS = "https://address-of-this-site"
"""Stands for the address of the site, which only a browser knows."""

_T = TypeVar("_T")


def card(
    version: SiteVersion,
    facts: ModelFacts | None,
    *,
    unpublished: str = "",
    damaged: bool = False,
    problems: list[Problem] | None = None,
) -> VersionView:
    """The page of a version from its file and the facts of its model's folder.

    Nothing is said of how to load a model that is `damaged`: it would fail, or be another one. What is found wrong with
    the signature and the example is added to `problems`.
    """
    file, run = version.file, version.run
    problems = [] if problems is None else problems
    known = facts or ModelFacts()
    change = stage_since(version) or Change("", "")
    previous, following = version.model.neighbours(version)
    production = version.model.production if version.model.production is not version else None
    other = production.run if production else None
    metrics = _metrics(version, other)
    signature, example = _shape(version, known, problems)
    title = f"{version.model.name}, version {version.number}"
    return VersionView(
        frame=frame("version", title, _description(version), version.href, _crumbs(version)),
        version=version.link,
        model_href=version.model.href,
        previous=_link(previous),
        following=_link(following),
        production=_link(production),
        compare_href=f"compare/index.html?runs={run.id},{other.id}" if run and other and run is not other else None,
        since=since(version),
        by=change.by,
        reason=change.reason,
        aliases=version.aliases,
        description=notes.to_html(file.description),
        tags=tuple((key, text) for key, text in file.tags.items() if is_own_tag(key)),
        created=figures.moment(file.created),
        digest=file.digest,
        origin=_origin(version),
        stored=_stored(version, facts, unpublished, damaged=damaged),
        metrics=metrics[:METRICS],
        metrics_total=len(metrics),
        signature=signature,
        example=example,
        snippets=() if damaged else _snippets(version, known, published=not unpublished),
        uris=() if damaged else _uris(version),
        events=tuple(version_events(version)),
        problems=tuple(map(sentence, [*_own_problems(version), *problems])),
    )


def _origin(version: SiteVersion) -> Origin:
    run = version.run
    source = (run.file.source if run else None) or Source()
    params = run.file.params if run else {}
    return Origin(
        source=mask_text(version.file.source),
        run=run.link if run else None,
        experiment=run.experiment.name if run else "",
        experiment_href=run.experiment.href if run else None,
        commit=source.commit,
        commit_href=commit_href(source),
        params=tuple(params.items())[:PARAMS],
        params_total=len(params),
    )


def _stored(version: SiteVersion, facts: ModelFacts | None, unpublished: str, *, damaged: bool) -> StoredModel:
    known = facts or ModelFacts(format="")
    files = sorted(known.files.items())
    return StoredModel(
        flavors=", ".join(known.flavors),
        format=known.format,
        safe=known.safe,
        sound=not damaged,
        meaning=known.meaning,
        python=known.python,
        requirements=known.requirements,
        size=known.size,
        saved=figures.moment(known.created),
        files=tuple(_file(version, path, entry.bytes, published=not unpublished) for path, entry in files[:FILES]),
        files_total=len(files),
        unpublished=unpublished,
    )


def _crumbs(version: SiteVersion) -> tuple[Crumb, ...]:
    model = version.model
    return Crumb("Models", "models/index.html"), Crumb(model.name, model.href), Crumb(f"Version {version.number}", None)


def _own_problems(version: SiteVersion) -> list[Problem]:
    """What the registry found wrong with the version."""
    return [problem for problem in version.model.read.problems if problem.path == version.place]


def _description(version: SiteVersion) -> str:
    summary = notes.first_sentence(version.file.description)
    return summary or f"Version {version.number} of {version.model.name}: {told_stage(version)}"


def _link(version: SiteVersion | None) -> VersionLink | None:
    return version.link if version else None


def _file(version: SiteVersion, path: str, size: int, *, published: bool) -> ModelFile:
    href = f"{files_folder(version)}{quote(path)}" if published else None
    return ModelFile(path, size, href)


def files_folder(version: SiteVersion) -> str:
    """Where the files of a version are in the site."""
    return f"models/{version.model.slug}/{version.number}/files/"


# Metrics


def _metrics(version: SiteVersion, other: SiteRun | None) -> tuple[ComparedMetric, ...]:
    """The metrics of its run, that of the model first, then those with a goal, each beside that of another run."""
    run = version.run
    if run is None:
        return ()
    first = model_metric(version.model)
    ranked = [key for key in run.experiment.ranked(run.file.metrics) if key != first]
    ranked = [first, *ranked] if first and first in run.file.metrics else ranked
    others = sorted(run.file.metrics.keys() - set(ranked))
    return tuple(_compared(run, other, key) for key in [*ranked, *others])


def _compared(run: SiteRun, other: SiteRun | None, key: str) -> ComparedMetric:
    goal = run.experiment.goal(key)
    value = last_value(run, key)
    beside = last_value(other, key) if other else None
    delta = None
    if value is not None and beside is not None and math.isfinite(value) and math.isfinite(beside):
        delta = value - beside
    return ComparedMetric(key, goal, value, beside, delta, _verdict(delta, goal))


def _verdict(delta: float | None, goal: str | None) -> str:
    if delta is None or goal is None:
        return ""
    if delta == 0:
        return "same"
    return "better" if (delta > 0) == (goal == "maximize") else "worse"


# Signature and example


def _shape(
    version: SiteVersion, facts: ModelFacts, problems: list[Problem]
) -> tuple[tuple[SignaturePart, ...], Example | None]:
    signature = facts.signature.to_dict() if facts.signature is not None else None
    place = f"{version.file.path}/{layout.MLMODEL_FILE}"
    none: tuple[SignaturePart, ...] = ()
    parts = _tried(lambda: signature_parts(signature), none, place, "has a signature that cannot be shown", problems)
    names = _input_names(parts)
    reason = "names an input example that cannot be shown"
    return parts, _tried(lambda: input_example(facts.example, names), None, place, reason, problems)


def _tried(make: Callable[[], _T], default: _T, place: str, reason: str, problems: list[Problem]) -> _T:
    try:
        return make()
    except (ValueError, TypeError, RecursionError) as error:
        problems.append(Problem(place, None, f"{reason}: {error}"))
        return default


def _input_names(parts: tuple[SignaturePart, ...]) -> tuple[str, ...]:
    return tuple(row.name for row in parts[0].rows) if parts and parts[0].title == "Inputs" else ()


# How to load it


def _snippets(version: SiteVersion, facts: ModelFacts, *, published: bool) -> tuple[Snippet, ...]:
    if version.file.deleted or not facts.files:
        return ()
    flavor = facts.flavors[0] if facts.flavors else ""
    loader = "tracker.pyfunc" if facts.has_pyfunc or not flavor.isidentifier() else f"tracker.{flavor}"
    uri = _literal(f"models:/{version.model.name}/{version.number}")
    snippets = [Snippet("From the store", _code(loader, uri), "")]
    if published:
        page = _literal(f"{ADDRESS}/models/{version.model.slug}/{version.number}/")
        trust = () if facts.safe else (f"trust={_literal(version.file.digest)}",)
        snippets.append(Snippet("From this site", _code(loader, page, *trust), ADDRESS))
    return tuple(snippets)


def _code(loader: str, *arguments: str) -> str:
    """The call in one line where it is short, else with a line for each argument."""
    call = f"model = {loader}.load_model({', '.join(arguments)})"
    if len(call) > LINE:
        call = f"model = {loader}.load_model(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"
    return f"import tracker\n\n{call}\nmodel.predict(data)"


def _literal(text: str) -> str:
    """A text as Python writes it in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _uris(version: SiteVersion) -> tuple[str, ...]:
    """The names under which it can be loaded beside its number."""
    name = version.model.name
    if version.file.deleted:
        return ()
    found = [f"models:/{name}@{alias}" for alias in version.aliases]
    if version.model.production is version:
        found.append(f"models:/{name}/{version.file.stage}")
    if version.model.newest is version:
        found.append(f"models:/{name}/latest")
    run = version.run
    home = f"{run.place}/{layout.ARTIFACTS}/" if run else None
    if run and home and version.file.path.startswith(home):
        found.append(f"runs:/{run.file.run_id}/{version.file.path.removeprefix(home)}")
    return tuple(found)


def registry_entry(version: SiteVersion, *, published: bool) -> Mapping[str, object]:
    """The version in `models/registry.json`."""
    files = files_folder(version) if published and not version.file.deleted else None
    return {"stage": version.file.stage, "digest": version.file.digest, "files": files, "deleted": version.file.deleted}
