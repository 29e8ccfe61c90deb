"""What the environment can set, and the defaults that have a name.

Environment variables are read when they are used, so a script may still set them after the import.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, cast

from tracker.exceptions import InvalidValueError

Fsync = Literal["always", "interval", "end", "never"]

DEFAULT_STORE = "runs"
DEFAULT_EXPERIMENT = "Default"
HEARTBEAT_SECONDS = 5.0
"""A living writer brings its log to the disk, and its modification time up to date, this often."""
STALE_MS = 90_000
"""A log without a heartbeat for so long belongs to a writer that is gone, if nothing better is known."""


def tracking_uri() -> str | None:
    """`TRACKER_URI`: the store, where `set_tracking_uri` was not called."""
    return os.environ.get("TRACKER_URI") or None


def experiment_name() -> str | None:
    """`TRACKER_EXPERIMENT`: the experiment, where `set_experiment` was not called."""
    return os.environ.get("TRACKER_EXPERIMENT") or None


def run_id() -> str | None:
    """`TRACKER_RUN_ID`: the run that `start_run()` without arguments resumes or joins."""
    return os.environ.get("TRACKER_RUN_ID") or None


def fsync() -> Fsync:
    """`TRACKER_FSYNC`: always, interval (the default: every five seconds and at the end), end or never."""
    return cast(Fsync, _choice("TRACKER_FSYNC", "interval", ("always", "interval", "end", "never")))


def on_error() -> Literal["raise", "warn"]:
    """`TRACKER_ON_ERROR`: raise (the default), or warn: go on through a full disk and say so loudly at the end."""
    return cast(Literal["raise", "warn"], _choice("TRACKER_ON_ERROR", "raise", ("raise", "warn")))


def user() -> str:
    """`TRACKER_USER`: who makes changes in the registry; empty by default."""
    return os.environ.get("TRACKER_USER", "").strip()


def captures() -> bool:
    """`TRACKER_CAPTURE`: `off` records nothing about source and environment; `on` is the default."""
    return _choice("TRACKER_CAPTURE", "on", ("on", "off")) == "on"


def cache_folder() -> Path:
    """`TRACKER_CACHE`: folder of rebuildable indexes; by default `tracker` in the user's cache folder."""
    named = os.environ.get("TRACKER_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(base) / "tracker" if base else Path("~/.cache/tracker").expanduser()


def _choice(variable: str, default: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(variable) or default
    if value not in allowed:
        raise InvalidValueError(f"{variable} is {value!r}, which is not one of {', '.join(allowed)}.")
    return value
