"""The rows of `tracker models list`: what runs logged, and what is registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tracker import layout
from tracker.cli.data import print_json
from tracker.cli.show import GAP
from tracker.cli.table import cell, make_console
from tracker.exceptions import TrackerError
from tracker.model_uri import logged_models
from tracker.models.formats import format_of
from tracker.models.mlmodel import Model
from tracker.reader import read_store
from tracker.registry import ReadVersion, read_registry


class ListedModel(Struct, frozen=True):
    """One model of a store."""

    uri: str
    """Loads it."""
    flavors: tuple[str, ...] = ()
    format: str = ""
    safe: bool = False
    """Loading runs no code that comes with it."""
    created: str = ""
    """UTC, as its MLmodel file has it."""
    run: str = ""
    """Name of the run that logged it."""
    registered: tuple[str, ...] = ()
    """The versions that it is registered as, each with its stage: `iris 3 Production`."""
    problem: str = ""
    """Why it cannot be read."""


def list_models(root: Path) -> list[ListedModel]:
    """The models of a store: those of runs, the newest run first, then those that were registered from elsewhere."""
    versions: dict[str, list[ReadVersion]] = {}
    for registered in read_registry(root).models:
        for version in registered.live:
            versions.setdefault(version.file.path, []).append(version)
    logged = list(_logged(root, versions))
    return logged + [_registered_elsewhere(others) for others in versions.values()]


def _logged(root: Path, versions: dict[str, list[ReadVersion]]) -> Iterator[ListedModel]:
    """Models of runs; what is registered of them is taken out of `versions`."""
    runs = sorted(read_store(root).runs(), key=lambda run: run.file.start_time, reverse=True)
    for run in runs:
        artifacts = run.folder / layout.ARTIFACTS
        for folder in logged_models(artifacts):
            uri = f"runs:/{run.file.run_id}/{folder.relative_to(artifacts).as_posix()}"
            mine = versions.pop(folder.relative_to(root).as_posix(), [])
            yield _listed(folder, uri, run.file.name, mine)


def _registered_elsewhere(versions: Sequence[ReadVersion]) -> ListedModel:
    """A model that no run of the store has; or a path that leads out of the store, which is not followed."""
    newest = versions[-1]
    uri = f"models:/{newest.model_name}/{newest.version}"
    try:
        return _listed(newest.folder, uri, "", versions)
    except TrackerError as error:
        return ListedModel(uri, registered=tuple(map(_registered, versions)), problem=error.message)


def _listed(folder: Path, uri: str, run: str, versions: Sequence[ReadVersion]) -> ListedModel:
    registered = tuple(_registered(version) for version in versions)
    try:
        model = Model.load(folder)
    except TrackerError as error:
        return ListedModel(uri, run=run, registered=registered, problem=error.message)
    stored = format_of(model)
    created = model.utc_time_created.partition(".")[0]
    flavors = model.own_flavors or ("python_function",)
    return ListedModel(uri, flavors, stored.name, stored.safe, created, run, registered)


def _registered(version: ReadVersion) -> str:
    stage = "" if version.file.stage == "None" else f" {version.file.stage}"
    return f"{version.model_name} {version.version}{stage}"


def print_models(models: Sequence[ListedModel], as_json: bool) -> None:
    """Two lines for each: its URI whole, so that it can be copied, and what it is."""
    if as_json:
        print_json([msgspec.to_builtins(model) for model in models])
        return
    console = make_console()
    if not models:
        console.print(cell('No run has logged a model. tracker.sklearn.log_model(model, name="model") logs one.'))
    for model in models:
        console.print(cell(model.uri, "bold"), soft_wrap=True)
        console.print(cell(f"{GAP}{_facts_line(model)}"), soft_wrap=True)


def _facts_line(model: ListedModel) -> str:
    if model.problem:
        return model.problem
    registered = f"registered as {', '.join(model.registered)}" if model.registered else ""
    stored = model.format if model.safe else f"{model.format}, which can run code"
    run = f"by {model.run}" if model.run else ""
    parts = [", ".join(model.flavors), stored, registered, run, f"{model.created} UTC" if model.created else ""]
    return GAP.join(part for part in parts if part)
