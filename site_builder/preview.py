"""Artifacts of a run in the site: what is copied under which name, and what a page shows of it.

Nothing that a run logged may run in the site's origin. Images that browsers only draw, plain text, CSV and JSON keep
their names; every other text (HTML, SVG, XML, scripts, ...) and PDF is published as `<name>.txt`, which browsers show
and never execute. Other files stay in the store. Links, pipes and devices are not followed, nor hard links published.
"""

from __future__ import annotations

import csv
import io
import itertools
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from site_builder.views import ArtifactRow
from tracker import _io, layout
from tracker.artifact_files import ArtifactFile, list_artifacts
from tracker.foreign.placing import LARGEST_SHOWN

MAX_COPY = LARGEST_SHOWN
"""Bytes of the largest artifact that is copied into the site."""
MAX_PATH, MAX_PART = 1_200, 250
"""Bytes in the longest path in a site, and between two slashes of it; the library logs no longer ones."""
MAX_LISTED = 200
"""Artifacts that a page names."""
MAX_INLINE = 32_000
"""Bytes of the largest SVG that is drawn; it goes into the page, as an image that cannot run scripts."""
HEAD = 100_000
"""Bytes of a file that are looked at."""
TEXT_SHOWN = 4_000
ROWS_SHOWN, COLUMNS_SHOWN, CELL_SHOWN = 10, 12, 80
PREVIEWS = 20
"""Artifacts of a page that show their content, images aside."""

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
KEPT = IMAGES | {".csv", ".json", ".txt"}
NEUTRAL = ".txt"


@dataclass(frozen=True, slots=True)
class Copy:
    """A file to copy from the store into the site."""

    source: Path
    target: str
    """Below the site's root."""
    bytes: int


@dataclass(frozen=True, slots=True)
class Artifacts:
    """The files of a run."""

    rows: tuple[ArtifactRow, ...] = ()
    copies: tuple[Copy, ...] = ()
    total: int = 0
    models: tuple[str, ...] = ()
    """Folders below artifacts/ that hold a model."""
    problems: tuple[tuple[str, str], ...] = ()
    """Path below the folder of the run, and reason, of what could not be read."""


def read_artifacts(run_folder: Path, target: str) -> Artifacts:
    """What a page shows of a run's artifacts; copies go below `target`, a folder in the site."""
    models: list[str] = []
    files = _watched(list_artifacts(run_folder), models)
    found = list(itertools.islice(files, MAX_LISTED))
    if not found:
        return Artifacts()
    taken: set[str] = set()
    rows: list[ArtifactRow] = []
    copies: list[Copy] = []
    problems: list[tuple[str, str]] = []
    for shown, file in enumerate(found):
        head, reason = _head(file) if file.bytes <= MAX_COPY else (b"", file.problem)
        if reason:
            rows.append(_bare_row(file, reason))
            problems.append((f"{layout.ARTIFACTS}/{_shown(file)}", reason))
            continue
        row, copy = _artifact(file, head, target, taken, shown < PREVIEWS)
        rows.append(row)
        copies += [copy] if copy else []
    total = len(found) + sum(1 for _ in files)
    return Artifacts(tuple(rows), tuple(copies), total, tuple(models), tuple(problems))


def _watched(files: Iterable[ArtifactFile], models: list[str]) -> Iterator[ArtifactFile]:
    """The files as they come; folders of models are noted on the way, but none in another."""
    for file in files:
        folder, slash, name = file.name.rpartition("/")
        if name == layout.MLMODEL_FILE and slash and not (models and folder.startswith(f"{models[-1]}/")):
            models.append(folder)
        yield file


def _head(file: ArtifactFile) -> tuple[bytes, str]:
    """The start of a file, and why it is not shown: it cannot be read, or may lie outside the store as well."""
    if file.problem:
        return b"", file.problem
    if file.links > 1:
        return b"", "is a hard link, maybe to what lies outside the store; put a copy in its place to publish it"
    try:
        with _io.open_regular(file.path) as opened:
            return opened.read(HEAD), ""
    except OSError as error:
        return b"", f"cannot be read: {error.strerror}"


def _artifact(
    file: ArtifactFile, head: bytes, target: str, taken: set[str], shows: bool
) -> tuple[ArtifactRow, Copy | None]:
    suffix = file.path.suffix.lower()
    if file.bytes > MAX_COPY:
        return _bare_row(file, f"larger than {MAX_COPY // 1_000_000} MB, kept in the store"), None
    if suffix not in IMAGES and suffix != ".pdf" and _is_binary(head):
        return _bare_row(file, "no text or image, kept in the store"), None
    public = f"{target}/{_free_name(_public_name(file.name), taken)}"
    if len(public.encode()) > MAX_PATH or any(len(part.encode()) > MAX_PART for part in public.split("/")):
        return _bare_row(file, "its path is too long to publish, kept in the store"), None
    row = _row(_shown(file), suffix, head, file.bytes, quote(public), shows)
    return row, Copy(file.path, public, file.bytes)


def _bare_row(file: ArtifactFile, note: str) -> ArtifactRow:
    return ArtifactRow(_shown(file), file.bytes, None, "", note=note)


def _shown(file: ArtifactFile) -> str:
    return file.name.encode(errors="replace").decode()


def _row(name: str, suffix: str, head: bytes, size: int, href: str, shows: bool) -> ArtifactRow:
    if suffix in IMAGES:
        return ArtifactRow(name, size, href, "image")
    if suffix == ".svg" and size <= MAX_INLINE:
        source = f"data:image/svg+xml;base64,{b64encode(head).decode()}"
        return ArtifactRow(name, size, href, "image", image=source)
    if not shows or not size or suffix == ".pdf":
        return ArtifactRow(name, size, href, "")
    if suffix in (".csv", ".tsv"):
        return _table(name, head, size, href, "\t" if suffix == ".tsv" else ",")
    text = head.decode("utf-8-sig", errors="replace")
    kind = "json" if suffix in (".json", ".jsonl") else "text"
    truncated = len(text) > TEXT_SHOWN or size > len(head)
    return ArtifactRow(name, size, href, kind, text=text[:TEXT_SHOWN], truncated=truncated)


def _table(name: str, head: bytes, size: int, href: str, delimiter: str) -> ArtifactRow:
    """The first rows and columns of a file of comma-separated values."""
    lines = io.StringIO(head.decode("utf-8-sig", errors="replace"), newline="")
    try:
        rows = list(itertools.islice(csv.reader(lines, delimiter=delimiter), ROWS_SHOWN + 2))
    except csv.Error:
        return ArtifactRow(name, size, href, "", note="no table of comma-separated values")
    cut = [tuple(_cell(cell) for cell in row[:COLUMNS_SHOWN]) for row in rows]
    truncated = len(rows) > ROWS_SHOWN + 1 or any(len(row) > COLUMNS_SHOWN for row in rows)
    names, body = (cut[0], cut[1 : ROWS_SHOWN + 1]) if cut else ((), [])
    return ArtifactRow(name, size, href, "table", head=names, rows=tuple(body), truncated=truncated)


def _cell(text: str) -> str:
    return text if len(text) <= CELL_SHOWN else text[: CELL_SHOWN - 1] + "…"


def _is_binary(head: bytes) -> bool:
    start = head[:8192]
    if b"\0" in start:
        return True
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start < len(start) - 4
    return False


def _public_name(name: str) -> str:
    """A path that no server runs, hides or reads as a page."""
    parts = name.encode(errors="replace").decode().replace("\\", "_").split("/")
    path = "/".join(f"dot{part}" if part.startswith(".") else part for part in parts)
    return path if PurePosixPath(path).suffix.lower() in KEPT else path + NEUTRAL


def _free_name(path: str, taken: set[str]) -> str:
    """The path, numbered where another file took it, and in one part where a folder of it is a file.

    Files are told apart on systems that ignore case, too.
    """
    if any(str(folder).lower() in taken for folder in PurePosixPath(path).parents):
        path = path.replace("/", "_")
    stem, dot, suffix = path.rpartition(".")
    for number in itertools.count(2):
        if not _is_taken(path.lower(), taken):
            break
        path = f"{stem}-{number}{dot}{suffix}"
    taken.add(path.lower())
    return path


def _is_taken(path: str, taken: set[str]) -> bool:
    return path in taken or any(other.startswith(f"{path}/") for other in taken)
