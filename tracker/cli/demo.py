"""`tracker demo`: trains models, logs them and builds their site."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

import tracker
from tracker import _io, layout
from tracker.cli.building import HOST, INTERVAL, PORT, build_site, needs, progress, serve_site
from tracker.cli.table import cell, make_console
from tracker.cli.text import duration
from tracker.exceptions import AlreadyExistsError
from tracker.reader import read_store
from tracker.registry import read_registry
from tracker.schema import SCHEMA

if TYPE_CHECKING:
    from tracker.demo import Job

PACKAGES = ("sklearn", "skops", "mkdocs", "material", "jinja2", "altair")
STORE_FILE = f"schema: {SCHEMA}\ntitle: Tracker demo\n"
_PATH = click.Path(path_type=Path)


@click.command("demo")
@click.option("--out", metavar="DIR", default="tracker-demo", show_default=True, type=_PATH, help="Folder to work in.")
@click.option("--fresh/--keep", default=True, help="Replace the runs of an earlier demo, or add to them.")
@click.option("--serve", "serves", is_flag=True, help=f"Serve the site on http://{HOST} when it is built.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port for --serve.")
def command(out: Path, fresh: bool, serves: bool, port: int) -> None:
    """Train real models on data that scikit-learn ships, and build the site of their runs.

    Takes about half a minute and needs no network.
    """
    store, site = out / "runs", out / "site"
    console = make_console()
    with needs("The demo", "demo"):
        check_packages()
        from tracker.demo import EXPERIMENTS, MODELS, jobs
    if fresh:
        remove_demo(store, EXPERIMENTS, MODELS)
    make_store(store)
    train(console, store, jobs())
    build_site(console, [store], site)
    print_next(console, store, site)
    if serves:
        serve_site([store], site, HOST, port, INTERVAL)


def check_packages() -> None:
    """ModuleNotFoundError before the work, rather than after it."""
    for name in PACKAGES:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def remove_demo(store: Path, experiments: Sequence[str], models: Sequence[str]) -> None:
    """Remove what an earlier demo logged; AlreadyExistsError when there are experiments or models of somebody else."""
    if not layout.experiments(store).exists():
        return
    found = {experiment.file.name for experiment in read_store(store).experiments}
    registered = {model.file.name for model in read_registry(store).models}
    others = sorted(found.difference(experiments)) + sorted(registered.difference(models))
    if others:
        raise AlreadyExistsError(
            f"{store} holds {others[0]!r}, which is not the demo's, so it is left alone. "
            "Use --keep to add the demo's runs to it, or --out to name another folder."
        )
    with _io.explained("remove the runs of the earlier demo in", store):
        shutil.rmtree(layout.experiments(store))
        if layout.registry(store).exists():
            shutil.rmtree(layout.registry(store))


def make_store(store: Path) -> None:
    """A store with a title, as a person would write it."""
    path = layout.store_file(store)
    if not path.exists():
        with _io.explained("make a store in", store):
            _io.make_folder(store, inside=store)
            _io.replace_file(path, STORE_FILE.encode(), durable=False)


def train(console: Console, store: Path, jobs: Sequence[Job]) -> None:
    """Do all jobs, one thread each: on models this small more threads only wait for each other."""
    from threadpoolctl import threadpool_limits

    tracker.set_tracking_uri(store)
    began = time.monotonic()
    with threadpool_limits(1), progress(console, f"Training {len(jobs)} models and studies") as advance:
        for index, job in enumerate(jobs):
            advance(index, len(jobs), job.label)
            job.work()
    took = duration((time.monotonic() - began) * 1000)
    console.print(cell(f"Trained and logged {count_runs(store)} runs in {took}."))


def count_runs(store: Path) -> int:
    """How many runs a store has."""
    return sum(1 for _ in read_store(store).runs())


def print_next(console: Console, store: Path, site: Path) -> None:
    """Where the site is, and what to try."""
    page = (site / "index.html").absolute()
    where, there = shlex.quote(os.fspath(store)), shlex.quote(os.fspath(site))
    lines = {
        "Open": [os.fspath(site / "index.html"), page.as_uri()],
        "Try": [
            f'tracker list -s {where} "best(metrics.val/accuracy) > 0.97"',
            f"tracker compare -s {where} mlp-32-0.01-s0 mlp-128x64-0.01-s0",
            f"tracker serve {where} --out {there}",
        ],
    }
    for title, items in lines.items():
        for index, item in enumerate(items):
            head = cell(f"{title if not index else '':<6}", "bold")
            console.print(Text.assemble(head, cell(item)), soft_wrap=True)
