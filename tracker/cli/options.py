"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tracker import settings

_F = TypeVar("_F", bound=Callable[..., Any])


def store_option(command: _F) -> _F:
    """`--store`: passes `store`, a folder, to the command."""
    return click.option(
        "--store",
        "-s",
        callback=_folder,
        metavar="STORE",
        help="Folder that the runs were logged to. [default: $TRACKER_URI or ./runs]",
    )(command)


def store_argument(command: _F) -> _F:
    """The same as an argument."""
    return click.argument("store", required=False, callback=_folder)(command)


def json_option(command: _F) -> _F:
    """`--json`: passes `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def _folder(ctx: click.Context, param: click.Parameter, value: str | None) -> Path:
    from tracker.session import folder_of

    return folder_of(value or settings.tracking_uri() or settings.DEFAULT_STORE)
