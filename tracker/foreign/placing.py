"""How files of a source get into a store: copied, or given a second name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import Struct

from tracker import _io

ArtifactMode = Literal["copy", "link", "leave"]


class UnreadableError(Exception):
    """A file of the source cannot be read."""


class LeftOutError(Exception):
    """A file of the source is too large to be copied."""


LARGEST_SHOWN, LARGEST_PUBLISHED = 5_000_000, 50_000_000
"""Bytes of the largest artifact, and of the largest model, that a site holds a copy of."""
LEFT_OUT = (
    f"is left out: it is larger than {LARGEST_PUBLISHED // 1_000_000} MB and on another disk than the cache folder. "
    "Set TRACKER_CACHE to a folder on its disk to have it listed"
)


class Placing(Struct, frozen=True):
    """Which files are copied, and which are linked."""

    link_from: int | None = None
    """Bytes from which on a file is given a second name, where the file system can; None: it never is."""
    copy_to: int | None = None
    """Bytes up to which a file is copied; a larger one is left out. None: all are."""

    def put(self, source: Path, target: Path) -> None:
        """Put a file in its place. Raises UnreadableError and LeftOutError."""
        try:
            reader = _io.open_regular(source)
        except OSError as error:
            raise UnreadableError(f"{source} cannot be read: {error.strerror}") from error
        with reader:
            size = _io.size_of(reader)
            if self.link_from is not None and size >= self.link_from:
                try:
                    return _io.link_file(source, target)
                except OSError:
                    pass  # another disk, or one without links
            if self.copy_to is not None and size > self.copy_to:
                raise LeftOutError(LEFT_OUT)
            _io.copy_file(reader, target, durable=False)
        return None


MIRRORED = Placing(LARGEST_SHOWN + 1, LARGEST_PUBLISHED)
"""For a store that only a site is built from: sites publish no file with two names, and copy no large one."""
PLACINGS: dict[ArtifactMode, Placing] = {"copy": Placing(), "link": Placing(link_from=0), "leave": Placing()}
