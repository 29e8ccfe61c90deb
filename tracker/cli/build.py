"""`tracker build`: from a store to a site."""

from __future__ import annotations

from pathlib import Path

import click

from tracker.cli.building import build_site, print_summary, stage_site
from tracker.cli.options import store_argument
from tracker.cli.table import make_console

PROBLEMS = 3
"""Exit code of `--strict` when there are problems in the data."""


@click.command("build")
@store_argument
@click.option("--out", metavar="DIR", default="site", show_default=True, help="Folder of the site.")
@click.option("--title", metavar="TEXT", help="Title of the site.")
@click.option("--pages", metavar="DIR", help="Folder of Markdown pages to put into the site.")
@click.option("--full", is_flag=True, help="Write every page again.")
@click.option("--force", is_flag=True, help="Build into a folder that holds other files too.")
@click.option("--strict", is_flag=True, help=f"Exit with code {PROBLEMS} when the data has problems.")
@click.option("--stage-only", metavar="DIR", help="Write the tree that MkDocs would render, instead of a site.")
@click.pass_context
def command(
    ctx: click.Context,
    store: Path,
    out: str,
    title: str | None,
    pages: str | None,
    full: bool,
    force: bool,
    strict: bool,
    stage_only: str | None,
) -> None:
    """Build the site of STORE: by default that of $TRACKER_URI, else of ./runs.

    Only pages whose data changed are written again. Problems in the data are named and never stop a build.
    """
    console = make_console()
    folder = Path(pages) if pages else None
    if stage_only:
        stage_site(console, store, Path(stage_only))
        return
    result = build_site(console, store, Path(out), title=title, pages=folder, force=force, full=full)
    print_summary(console, result)
    if strict and result.problems:
        ctx.exit(PROBLEMS)
