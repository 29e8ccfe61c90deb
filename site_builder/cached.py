"""Things that are slow to make and depend only on their key, kept in the user's cache folder between builds."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable

from tracker import _io, settings

_MAX_FILE = 1 << 30
_DIGEST = 32


def cached_bytes(kind: str, key: str, make: Callable[[], bytes]) -> bytes:
    """What `make` returned for this key, now or earlier; a damaged or missing file is made again."""
    path = settings.cache_folder() / kind / key
    with contextlib.suppress(OSError, ValueError):
        return _checked(_io.read_file(path, limit=_MAX_FILE))
    made = make()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _io.replace_file(path, hashlib.sha256(made).digest() + made, durable=False)
    return made


def _checked(data: bytes) -> bytes:
    if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        raise ValueError("the cached file is damaged")
    return data[_DIGEST:]
