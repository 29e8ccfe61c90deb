"""Names that MLflow takes: ours as they are where it does, else the nearest that it does."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from tracker.foreign.files import MAX_DEPTH
from tracker.registry.naming import LATEST

MAX_KEY = 250
"""Characters in a key."""
MAX_PART = 255
"""Bytes between two slashes: each part is the name of a file."""
_REFUSED = re.compile(r"[^/\w.\- ]" if os.name == "nt" else r"[^/\w.\- :]")
_REFUSED_IN_MODELS = re.compile(r"[/\\:%\x00-\x1f\x7f\ud800-\udfff]")
_ALIAS = re.compile(r"[\w-]{1,255}")
_LIKE_A_VERSION = re.compile(r"[vV]?[0-9]+")
_KEPT = 180
"""Bytes that stay of a part that is too long."""
_ROOM = 8
"""Characters that are left free, for a number behind a name that is taken."""
_V = TypeVar("_V")


class Names:
    """The names of one kind in all runs of a store. A name that MLflow refuses gets the same one in every run."""

    def __init__(self, runs: Iterable[Iterable[str]]) -> None:
        found: set[str] = set()
        parents: set[str] = set()
        for keys in runs:
            found.update(keys)
            if any("/" in key for key in keys):
                parents |= _parents(keys)
        taken = {key for key in found if key not in parents and is_key(key)}
        self.changed: dict[str, str] = {}
        """The name that MLflow takes, by ours, where they differ."""
        changing = sorted(found - taken)
        folders = {folder for key in taken for folder in _folders(key)} if changing else set()
        for key in changing:
            name = _free(_tamed(f"{key}_" if is_key(key) else key), taken, folders)
            self.changed[key] = name
            taken.add(name)
            folders.update(_folders(name))

    def of(self, key: str) -> str:
        """The name of a key to MLflow."""
        return self.changed.get(key, key)

    def changed_in(self, keys: Iterable[str]) -> dict[str, str]:
        """Our names by those to MLflow, where they differ."""
        return {self.changed[key]: key for key in keys if key in self.changed} if self.changed else {}

    def apply(self, values: Mapping[str, _V]) -> Mapping[str, _V]:
        """Values by the name to MLflow."""
        return {self.of(key): value for key, value in values.items()} if self.changed else values


def _parents(keys: Iterable[str]) -> set[str]:
    """Keys that would be a file and a folder at once: `loss` beside `loss/train`."""
    return {folder for key in keys for folder in _folders(key)} & set(keys)


def _folders(key: str) -> list[str]:
    """The folders that the file of a key lies in."""
    return [key[:index] for index, letter in enumerate(key) if letter == "/"]


def is_key(key: str) -> bool:
    """Whether MLflow takes the name of a metric, param or tag, and a file can have it."""
    if _REFUSED.search(key) or len(key) > MAX_KEY or key.count("/") > MAX_DEPTH:
        return False
    normal = posixpath.normpath(key)
    if normal != key or normal == "." or normal.startswith(("..", "/")):
        return False
    return len(key) * 4 <= MAX_PART or all(len(part.encode()) <= MAX_PART for part in key.split("/"))


def _tamed(key: str) -> str:
    *first, last = key.split("/", MAX_DEPTH)
    parts = [_fitting(_REFUSED.sub("_", part)) for part in (*first, last.replace("/", "_"))]
    tamed = "/".join(f"_{part}" if part in ("", ".") or part.startswith("..") else part for part in parts)
    most = MAX_KEY - _ROOM
    return tamed if len(tamed) <= most else f"{tamed[: most - 9].rstrip('/')}-{_hash(key)}"


def _fitting(part: str) -> str:
    if len(part.encode()) <= MAX_PART - _ROOM:
        return part
    return f"{part.encode()[:_KEPT].decode(errors='ignore')}-{_hash(part)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _free(name: str, taken: set[str], folders: set[str]) -> str:
    """The name, or one with a number, that is neither that of another file nor of a folder with one in it."""
    if not taken.isdisjoint(_folders(name)):
        name = _fitting(name.replace("/", "_"))
    found, number = name, 1
    while found in taken or found in folders:
        number += 1
        found = f"{name}_{number}"
    return found


def model_names(names: Iterable[str]) -> dict[str, str]:
    """The name of each registered model to MLflow, which is the name of a folder too."""
    given = list(dict.fromkeys(names))
    kept = {name for name in given if _is_model_name(name)}
    found = {}
    for name in given:
        found[name] = name
        if name not in kept:
            tamed = _fitting(_REFUSED_IN_MODELS.sub("_", name))
            found[name] = _free(tamed if _is_model_name(tamed) else f"_{tamed}", kept, set())
            kept.add(found[name])
    return found


def _is_model_name(name: str) -> bool:
    if _REFUSED_IN_MODELS.search(name) or len(name.encode()) > MAX_PART:
        return False
    return bool(name.strip()) and name != "." and not name.startswith("..")


def is_alias(alias: str) -> bool:
    """Whether MLflow takes an alias, and a file can have its name."""
    if not _ALIAS.fullmatch(alias) or len(alias.encode()) > MAX_PART:
        return False
    return alias.lower() != LATEST and not _LIKE_A_VERSION.fullmatch(alias)


def tell_changed(kind: str, names: Names, used: Iterable[Iterable[str]], tell: Callable[[str], None]) -> None:
    """Say which of the names that are used are others to MLflow."""
    if not names.changed:
        return
    counts = Counter(key for keys in used for key in keys if key in names.changed)
    for key, count in sorted(counts.items()):
        where = f" ({count:,} times)" if count > 1 else ""
        reason = "it would be a file and a folder at once" if is_key(key) else "MLflow refuses the name"
        tell(f"the {kind} {key!r:.100} is named {names.of(key)!r:.100}, since {reason}{where}")
