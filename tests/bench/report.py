"""Figures as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from .measure import Figure

HEAD = ("what", "measured", "limit", "ratio", "budget", "")


def load() -> str:
    """The load averages of the machine, or nothing where it has none."""
    try:
        return " ".join(f"{value:.1f}" for value in os.getloadavg())
    except (AttributeError, OSError):
        return ""


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table."""
    rows = [HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    limit = "" if figure.limit is None else f"{number(figure.limit)} {figure.unit} ({figure.limit_is})"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    budget = "" if figure.budget is None else f"{number(figure.budget)} {figure.unit}"
    verdict = {None: "", True: "kept", False: "MISSED"}[figure.kept]
    return (figure.what, f"{number(figure.value)} {figure.unit}", limit, ratio, budget, verdict)


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 or not value else f"{value:.5f}"


def write_json(path: Path, parts: dict[str, list[Figure]]) -> None:
    """All figures by part, with the machine that they are from."""
    content = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "load": load(),
        "parts": {
            name: [{**asdict(figure), "ratio": figure.ratio, "kept": figure.kept} for figure in figures]
            for name, figures in parts.items()
        },
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
