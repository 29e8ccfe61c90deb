"""What a built site says, read back from its files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.site.links import Link, Page


def chunk(file: Path) -> Any:
    """The JSON inside a data script."""
    first, content, last, _ = file.read_text("utf-8").split("\n")
    assert first.startswith("tracker(") and last == ")", f"{file} is torn"
    return json.loads(content)


def points_of(site: Path) -> dict[str, int]:
    """How many points each run with a page has."""
    pages = {path.parent.name for path in site.glob("runs/*/index.html")}
    return {run: _points(site / "data" / "v1" / "runs" / f"{run}.js") for run in pages}


def _points(file: Path) -> int:
    return sum(series["total"] for series in chunk(file)["series"])


def torn_pages(site: Path, pages: Iterable[Path]) -> list[str]:
    """Pages that do not end as they should, and references to files of the site that are not there."""
    found = []
    for path in pages:
        text, name = path.read_text("utf-8"), path.relative_to(site).as_posix()
        if not text.lower().startswith("<!doctype html>") or not text.rstrip().endswith("</html>"):
            found.append(f"{name} is torn")
        found += [f"{name} -> {link.value}" for link in references(name, text) if not (site / link.target).is_file()]
    return found


def references(name: str, text: str) -> list[Link]:
    """What a page refers to in its own site, its data included."""
    links = []
    for tag, attributes in Page(text).elements:
        values = [value for key in ("href", "src") if (value := attributes.get(key))]
        root = attributes.get("data-root") or ""
        values += [root + part for part in (attributes.get("data-chunks") or "").split()]
        links += [Link(name, tag, "", value) for value in values]
    return [link for link in links if not link.is_external]
