"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from tracker import settings

KINDS = "tracker, mlruns, mlflow-db, trackio, wandb, sacred, dvclive, tensorboard, csv or jsonl"
"""Those of `tracker.foreign.kinds`, which takes longer to import than a help text may."""
_PATH = click.Path(path_type=Path)
_F = TypeVar("_F", bound=Callable[..., Any])


def store_option(command: _F) -> _F:
    """`--store`: passes `store`, a folder, to the command."""
    return click.option(
        "--store",
        "-s",
        callback=store_folder,
        metavar="STORE",
        help="Folder that the runs were logged to. [default: $TRACKER_URI or ./runs]",
    )(command)


def store_argument(command: _F) -> _F:
    """The same as an argument."""
    return click.argument("store", required=False, callback=store_folder)(command)


def stores_argument(command: _F) -> _F:
    """Stores of ours or of other trackers: passes `stores`, a list of paths, and `reading`, the options of `build`."""

    @wraps(command)
    def reading(*args: Any, kind: str | None, roles: tuple[str, ...], **others: Any) -> Any:
        from tracker.foreign.table_columns import parse_map

        return command(*args, reading={"kind": kind, "columns": parse_map(roles)}, **others)

    argument = click.argument("stores", nargs=-1, metavar="[STORE]...", callback=_store_paths)
    return cast(_F, argument(foreign_options(reading)))


def foreign_options(command: _F) -> _F:
    """`--from` and `--map`: passes `kind` and `roles`, which say what another tracker's store is."""
    kind = click.option(
        "--from", "kind", metavar="KIND", help=f"What the source is, where it is not recognised: {KINDS}."
    )
    roles = click.option(
        "--map",
        "roles",
        multiple=True,
        metavar="ROLE=COLUMN,...",
        help="What columns of a table are, where their names do not tell: run, name, experiment, step, time, params, "
        "tags, metrics, metric, value or ignore; repeatable.",
    )
    return kind(roles(command))


def site_options(command: _F) -> _F:
    """`--out`, `--title`, `--pages` and `--force`: what is built, and where."""
    options = (
        click.option("--out", metavar="DIR", default="site", show_default=True, type=_PATH, help="Folder of the site."),
        click.option("--title", metavar="TEXT", help="Title of the site. [default: that of store.yaml]"),
        click.option(
            "--pages", metavar="DIR", type=_PATH, help="Markdown pages of yours. [default: pages in the store]"
        ),
        click.option("--force", is_flag=True, help="Build over other files, or over another store's site."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def json_option(command: _F) -> _F:
    """`--json`: passes `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def store_folder(ctx: click.Context, param: click.Parameter, value: str | None) -> Path:
    """The folder that was named, else the one that the environment names, else ./runs."""
    from tracker import names

    return names.folder_of(value or settings.tracking_uri() or settings.DEFAULT_STORE)


def _store_paths(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> list[Path]:
    from tracker import names

    return [names.source_of(name) for name in value] or [store_folder(ctx, param, None)]
