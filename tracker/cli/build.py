"""`tracker build`: from a store to a site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tracker.cli.building import build_site, stage_site
from tracker.cli.options import site_options, stores_argument
from tracker.cli.table import make_console

PROBLEMS = 3
"""Exit code of `--strict` when there are problems in the data."""


@click.command("build")
@stores_argument
@site_options
@click.option("--full", is_flag=True, help="Write every page again.")
@click.option("--strict", is_flag=True, help=f"Exit with code {PROBLEMS} when the data has problems.")
@click.option(
    "--stage-only", metavar="DIR", type=click.Path(path_type=Path), help="Write what MkDocs would render instead."
)
@click.pass_context
def command(
    ctx: click.Context,
    stores: list[Path],
    reading: dict[str, Any],
    out: Path,
    title: str | None,
    pages: Path | None,
    force: bool,
    full: bool,
    strict: bool,
    stage_only: Path | None,
) -> None:
    """Build the site of STORE: by default that of $TRACKER_URI, else of ./runs.

    A STORE may be that of another tracker, such as ./mlruns; it is only read. Several become one site. Only pages whose
    data changed are written again. Problems in the data are named and never stop a build.
    """
    console = make_console()
    if stage_only:
        result = stage_site(console, stores, stage_only, title=title, pages=pages, **reading)
    else:
        result = build_site(console, stores, out, title=title, pages=pages, force=force, full=full, **reading)
    if strict and result.problems:
        ctx.exit(PROBLEMS)
