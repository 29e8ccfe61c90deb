"""How files of a source get into a store: copied, or given a second name."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tracker import _io, layout

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


class Artifact(Struct, frozen=True):
    """A file that becomes an artifact of a run."""

    path: str
    """Below artifacts/."""
    line: bytes
    """Its record in the log, which changes when a whole file of the source does."""
    size: int
    """In bytes."""
    source: Path | None = None
    start: int | None = None
    """Where it begins in its source, when it is a part of it."""
    data: bytes = b""
    """What stands in it, where it has no source."""

    @property
    def is_made(self) -> bool:
        """Whether it is no whole file of the source."""
        return self.source is None or self.start is not None

    def is_in(self, folder: Path) -> bool:
        """Whether the folder of a run has it: of a whole file the size tells, of others all that stands in them."""
        place = folder / layout.ARTIFACTS / self.path
        try:
            if not self.is_made:
                info = place.lstat()
                return stat.S_ISREG(info.st_mode) and info.st_size == self.size
            return _io.read_file(place, limit=self.size) == self._content()
        except (OSError, UnreadableError):
            return False

    def put(self, folder: Path, placing: Placing) -> None:
        """Put it below the artifacts of a run. Raises UnreadableError and LeftOutError."""
        place = folder / layout.ARTIFACTS / self.path
        _io.make_folder(place.parent, inside=folder)
        if self.source is None or self.is_made:
            _io.replace_file(place, self._content(), durable=False)
        else:
            placing.put(self.source, place)

    def _content(self) -> bytes:
        if self.source is None:
            return self.data
        try:
            with _io.open_regular(self.source) as file:
                file.seek(self.start or 0)
                data = file.read(self.size)
        except OSError as error:
            raise UnreadableError(f"{self.source} cannot be read: {error.strerror}") from error
        if len(data) < self.size:
            raise UnreadableError(f"{self.source} has become shorter")
        return data


MIRRORED = Placing(LARGEST_SHOWN + 1, LARGEST_PUBLISHED)
"""For a store that only a site is built from: sites publish no file with two names, and copy no large one."""
PLACINGS: dict[ArtifactMode, Placing] = {"copy": Placing(), "link": Placing(link_from=0), "leave": Placing()}
