"""What a source says of places, without the users, passwords and paths of the machine that it was written on."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tracker.masking import as_text, mask_text

_LOCAL = re.compile(r"/|~[\\/]|file:|[A-Za-z]:[\\/]|\\\\|\.\.[\\/]")
"""How a path of a machine begins."""
_SCHEME = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+:")
_USER = "mlflow.user"
_HOME = re.compile(r"^((?:s?ftp|scp|ssh|hdfs)://[^/]*)/(?:home|Users?)/[^/]+", re.IGNORECASE)
"""The home folder of a person on a server."""


def remote(uri: str) -> str:
    """A URI of the web or of a cloud, which names no folder of a machine, without its user; else an empty text."""
    return _masked(uri) if "://" in uri and not uri.startswith("file:") else ""


def lasting(uri: str) -> str:
    """A URI that means the same everywhere, such as those of the web and of runs, without its user; else nothing."""
    return _masked(uri) if _SCHEME.match(uri) else ""


def _masked(uri: str) -> str:
    return _HOME.sub(r"\1/~", mask_text(uri))


def impersonal(source: str) -> str:
    """What MLflow says of where a data set is from, without its user, and with names in place of paths of a machine."""
    try:
        told = json.loads(source)
        kept = _kept(told)
        return source if kept == told else json.dumps(kept)
    except (ValueError, RecursionError):
        return short(source)


def short(text: str) -> str:
    """The last name of a path of a machine; any other text without users and passwords."""
    return re.split(r"[\\/]", text.rstrip("\\/"))[-1] if _LOCAL.match(text) else _masked(text)


def folder_name(folder: Path, otherwise: str) -> str:
    """The name of a folder, unless it is the home folder of a person, or none."""
    return otherwise if not folder.name or mask_text(str(folder)) == "~" else as_text(folder.name)


def _kept(value: object) -> object:
    if isinstance(value, dict):
        return {key: _kept(inner) for key, inner in value.items() if key != _USER}
    if isinstance(value, list):
        return [_kept(inner) for inner in value]
    return short(value) if isinstance(value, str) else value
