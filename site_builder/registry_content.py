"""What the files of the registry's part of a site contain: the pages of models and versions, and `registry.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from site_builder import model_pages, notes
from site_builder.logged_models import told
from site_builder.model import Site, SiteModel, SiteVersion
from site_builder.model_card import card, files_folder, registry_entry
from site_builder.model_folders import Published, read_published
from site_builder.output import Made, VersionTold
from tracker import layout
from tracker.logs import Problem
from tracker.models.digests import digest_of
from tracker.models.inspection import ModelFacts, inspect_folder
from tracker.registry.reading import unsafe_path
from tracker.schema import SCHEMA, Manifest

if TYPE_CHECKING:
    from site_builder.press import Press

INDEX = "models/registry.json"
INDEX_SCHEMA = 1
SEARCHED_TEXT = 1000

Versions = Mapping[str, VersionTold]
"""What the pages of versions found out, by the paths of these pages."""


def make_version(version: SiteVersion, press: Press, root: Path) -> Made:
    """The card of a version, made in any case and telling what went wrong, and the files of its model."""
    try:
        return _whole_version(version, press, root)
    except Exception as error:
        reason = f"could not be shown in full: {type(error).__name__}: {error}"
        problem = Problem(version.place, None, reason)
        page = press.page(card(version, None, unpublished="they could not be read", damaged=True, problems=[problem]))
        return Made({version.href: page}, {}, [problem], failed=True, version=VersionTold(damaged=True))


def _whole_version(version: SiteVersion, press: Press, root: Path) -> Made:
    if version.folder is None:
        return _without_folder(version, press)
    facts = inspect_folder(version.folder)
    problems = [Problem(version.file.path, None, _text(reason, root)) for reason in facts.problems]
    if facts.example_problem:
        reason = f"has an input example that cannot be shown: {_text(facts.example_problem, root)}"
        problems.append(Problem(version.file.path, None, reason))
    published = _published(version, facts)
    if published.is_problem:
        problems.append(Problem(version.file.path, None, f"is not published: {published.reason}"))
    damaged = published.is_problem or not _is_model(facts) or not facts.files
    page = press.page(card(version, facts, unpublished=published.reason, damaged=damaged, problems=problems))
    files: dict[str, bytes | int] = {version.href: page}
    if published.files:
        folder = files_folder(version)
        files |= {f"{folder}{path}": data for path, data in published.files.items()}
        files[f"{folder}{layout.MANIFEST_FILE}"] = _manifest(facts)
    out = VersionTold(facts.format, facts.safe, facts.size, bool(published.files), damaged)
    return Made(files, {}, problems, version=out)


def _without_folder(version: SiteVersion, press: Press) -> Made:
    """The card of a version that is deleted, or whose model cannot be found."""
    problems = []
    if version.damage and not unsafe_path(version.file.path):  # of which the registry told already
        problems = [Problem(version.place, None, f"leads to no model: {version.damage}")]
    reason = "they cannot be read" if version.damage else "the version is deleted"
    damaged = bool(version.damage)
    page = press.page(card(version, None, unpublished=reason, damaged=damaged, problems=problems))
    return Made({version.href: page}, {}, problems, version=VersionTold(damaged=damaged))


def _published(version: SiteVersion, facts: ModelFacts) -> Published:
    assert version.folder is not None
    if facts.digest and facts.digest != version.file.digest:
        reason = "its files are not those that were registered: their digest is another one"
        return Published(reason=reason, is_problem=True)
    if not _is_model(facts):
        return Published(reason="the folder holds no model that can be read")
    return read_published(version.folder, facts.files, facts.size)


def _is_model(facts: ModelFacts) -> bool:
    return bool(facts.flavors or facts.has_pyfunc)


def _manifest(facts: ModelFacts) -> bytes:
    files = dict(sorted(facts.files.items()))
    return msgspec.json.encode(Manifest(SCHEMA, digest_of(files), files)) + b"\n"


def _text(reason: str, root: Path) -> str:
    return told(ValueError(reason), root)


def make_model(model: SiteModel, versions: Versions, press: Press) -> Made:
    """The page of a registered model."""
    view = model_pages.model(model, lambda version: versions.get(version.href, VersionTold()))
    return Made({model.href: press.page(view)})


def registry_index(site: Site, versions: Versions) -> bytes:
    """`models/registry.json`, from which a script finds the files of a version."""
    models: dict[str, object] = {}
    for model in site.models:
        models.setdefault(
            model.name,
            {
                "slug": model.slug,
                "aliases": dict(sorted(model.read.file.aliases.items())),
                "stages": model.read.stages,
                "unreadable": [problem.path for problem in model.read.problems],
                "versions": {
                    str(version.number): registry_entry(
                        version, published=versions.get(version.href, VersionTold()).published
                    )
                    for version in reversed(model.versions)
                },
            },
        )
    return msgspec.json.encode({"schema": INDEX_SCHEMA, "models": models}) + b"\n"


def searched_models(site: Site) -> list[dict[str, str]]:
    """What the search finds of the registry."""
    entries = []
    for model in site.models:
        text = " ".join(notes.to_html(model.read.file.description).striptags().split())[:SEARCHED_TEXT]
        entries.append({"kind": "model", "title": model.name, "text": text, "href": model.href})
        entries += [_searched(version) for version in model.versions]
    return entries


def _searched(version: SiteVersion) -> dict[str, str]:
    words = (version.shown_stage, *version.aliases, notes.first_sentence(version.file.description))
    text = " · ".join(word for word in words if word and word != "None")
    return {"kind": "version", "title": f"{version.model.name} {version.number}", "text": text, "href": version.href}
