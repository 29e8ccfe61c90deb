"""The models that a run logged, as its page lists them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from site_builder.model import SiteRun, SiteVersion
from site_builder.views import LoggedModel, VersionLink
from tracker import layout
from tracker.exceptions import TrackerError
from tracker.models.formats import format_of
from tracker.models.mlmodel import Model

MODELS = 50
"""Models that a page lists."""


def logged_models(run: SiteRun, folders: Iterable[str]) -> tuple[tuple[LoggedModel, ...], list[tuple[str, str]]]:
    """The models in some folders below the artifacts of a run; and path and reason of those that cannot be read."""
    found: list[LoggedModel] = []
    problems: list[tuple[str, str]] = []
    for path in list(folders)[:MODELS]:
        place = f"{layout.ARTIFACTS}/{path}"
        versions = registered(run, place)
        try:
            model = Model.load(run.read.folder / place)
        except TrackerError as error:
            problems.append((f"{place}/{layout.MLMODEL_FILE}", told(error, run.read.folder)))
            found.append(LoggedModel(path, "", "", safe=False, versions=versions))
            continue
        stored = format_of(model)
        found.append(LoggedModel(path, ", ".join(model.own_flavors), stored.name, stored.safe, versions))
    return tuple(found), problems


def registered(run: SiteRun, place: str) -> tuple[VersionLink, ...]:
    """The versions that were registered of a folder of a run."""
    return tuple(version.link for version in run.versions if version.file.path == f"{run.place}/{place}")


def registered_elsewhere(run: SiteRun, models: Sequence[LoggedModel]) -> tuple[VersionLink, ...]:
    """The other versions that were registered from a run."""
    listed = {link.href for model in models for link in model.versions}
    return tuple(link for link in map(_link, run.versions) if link.href not in listed)


def told(error: Exception, folder: Path) -> str:
    """What an error says, with paths relative to a folder."""
    return str(error).replace(f"{folder}/", "").replace(str(folder), "the folder")


def _link(version: SiteVersion) -> VersionLink:
    return version.link
