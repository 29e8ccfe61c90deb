"""The same runs the plain MkDocs way: a Markdown page each, out of the nav, with the points of its metrics inline."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tracker.reader import ReadRun, read_environment, read_history, read_store
from tracker.schema import MetricSummary

CONFIG = """\
site_name: Runs
theme: {name: material, font: false}
markdown_extensions: [tables]
nav: [index.md]
not_in_nav: runs/
"""
METRIC_COLUMNS = [name for name in MetricSummary.__struct_fields__ if name != "spark"]


def write_docs(store: Path, target: Path) -> None:
    """Write `mkdocs.yml` and a page for each run."""
    (target / "docs" / "runs").mkdir(parents=True)
    (target / "mkdocs.yml").write_text(CONFIG, encoding="utf-8")
    (target / "docs" / "index.md").write_text("# Runs\n", encoding="utf-8")
    for run in read_store(store).runs():
        (target / "docs" / "runs" / f"{run.file.run_id}.md").write_text(_page(run), encoding="utf-8")


def _page(run: ReadRun) -> str:
    file = run.file
    environment = read_environment(run.folder)
    metrics = [[key, *(getattr(found, name) for name in METRIC_COLUMNS)] for key, found in file.metrics.items()]
    packages = environment.packages.items() if environment else []
    parts = [
        f"# {file.name}\n\n{file.status}, {file.start_time}\n",
        _table(["Parameter", "Value"], file.params.items()),
        _table(["Metric", *METRIC_COLUMNS], metrics),
        _table(["Tag", "Value"], file.tags.items()),
        "\n".join(f"- {name}=={version}" for name, version in packages),
        f'<script type="application/json">{_points(run)}</script>\n',
    ]
    return "\n\n".join(parts)


def _table(head: list[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def _points(run: ReadRun) -> str:
    series = read_history(run.folder).series
    return msgspec.json.encode(
        {key: [found.steps, found.values, found.times] for key, found in series.items()}
    ).decode()


if __name__ == "__main__":
    write_docs(Path(sys.argv[1]), Path(sys.argv[2]))
