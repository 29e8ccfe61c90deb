"""What the tests of the promises measured: told at the end of a test run, and kept for docs/promises.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest import TestReport

if TYPE_CHECKING:
    from pytest import TerminalReporter

PROPERTY = "figure"


def figures_of(stats: Mapping[str, Sequence[object]]) -> list[dict[str, str]]:
    """Promise, figure and test of all that was recorded in passed tests, in order; from any number of workers."""
    reports = [report for report in stats.get("passed", ()) if isinstance(report, TestReport)]
    found = [
        {"promise": value[0], "figure": value[1], "test": report.nodeid}
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    return sorted(found, key=lambda entry: (entry["promise"], entry["test"]))


def tell_figures(reporter: TerminalReporter, file: str | None) -> None:
    """Print the figures below the results, and write them as JSON where a file is named."""
    figures = figures_of(reporter.stats)
    if figures:
        reporter.section("what was measured")
        for entry in figures:
            reporter.write_line(f"{entry['promise']:<3} {entry['figure']}")
    if file:
        Path(file).write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
