"""`tracker serve`: the site on this machine, up to date while runs arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tracker.cli.building import HOST, INTERVAL, PORT, serve_site
from tracker.cli.options import site_options, stores_argument


@click.command("serve")
@stores_argument
@site_options
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=INTERVAL, show_default=True, help="Seconds between two looks."
)
def command(
    stores: list[Path],
    reading: dict[str, Any],
    out: Path,
    title: str | None,
    pages: Path | None,
    force: bool,
    host: str,
    port: int,
    interval: float,
) -> None:
    """Build the site of STORE, serve it, and build again as runs arrive. Ctrl-C ends it.

    A STORE may be that of another tracker, such as ./mlruns; it is only read. Several become one site.
    """
    serve_site(stores, out, host, port, interval, title=title, pages=pages, force=force, **reading)
