"""`tracker import`: from the store of another tracker to one of ours."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from tracker.cli.building import progress
from tracker.cli.options import foreign_options, store_folder
from tracker.cli.table import make_console
from tracker.cli.transfers import finish, transfer_options
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.placing import ArtifactMode
from tracker.foreign.table_columns import parse_map


@click.command("import")
@click.argument("source")
@click.option(
    "--into",
    "store",
    metavar="STORE",
    callback=store_folder,
    help="Store to add to; made when it is missing. [default: $TRACKER_URI or ./runs]",
)
@foreign_options
@transfer_options
@click.pass_context
def command(
    ctx: click.Context,
    source: str,
    store: Path,
    kind: str | None,
    roles: tuple[str, ...],
    artifacts: ArtifactMode,
    strict: bool,
    as_json: bool,
) -> None:
    """Add the runs and models of another tracker's store to a store of yours.

    SOURCE is a file or folder of MLflow, TensorBoard, W&B, Trackio, DVCLive or Sacred, a table in CSV or JSON, or
    another store of tracker. It is only read. Done again, an import adds what is new; one that was interrupted goes on.
    Models in the store count as trusted, so import only what you trust.
    """
    console = Console(stderr=True) if as_json else make_console()
    foreign = open_foreign(source, kind, columns=parse_map(roles))
    with progress(console, f"Importing {foreign.kind}") as advance:
        report = import_store(foreign, store, artifacts=artifacts, progress=advance)
    finish(ctx, console, report, strict=strict, as_json=as_json)
