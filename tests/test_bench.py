"""The benchmarks run through on a tiny size; what they measure is told by running them, see docs/benchmarks.md."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tracker.reader import read_history, read_store

from .bench import __main__ as bench
from .bench import report, stores
from .bench.measure import Figure

pytestmark = pytest.mark.skipif(os.name == "nt", reason="CPU time and memory of children are asked the POSIX way")


@pytest.mark.parametrize("part", [part for part in bench.PARTS if part not in ("builds", "browser")])
def test_every_part_runs(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part gives figures with positive values, as a table and as JSON."""
    monkeypatch.setenv("TRACKER_MLFLOW2", str(tmp_path / "none"))  # one MLflow to stand beside is enough here
    bench.main([part, "--tiny", "--json", str(tmp_path / "figures.json"), "--stores", str(tmp_path / "stores")])
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["parts"][part]
    assert figures
    assert all(figure["value"] > 0 and figure["unit"] for figure in figures)


def test_stores_hold_what_they_should(tmp_path: Path) -> None:
    """A store has the runs, params, metrics and steps that were asked for."""
    stores.make_store(tmp_path / "store", 3, params=4, metrics=2, steps=5)
    runs = list(read_store(tmp_path / "store", cache=False).runs())
    assert [len(run.file.params) for run in runs] == [4, 4, 4]
    assert [len(series) for run in runs for series in read_history(run.folder).series.values()] == [5] * 6


def test_a_missed_budget_is_told() -> None:
    """The table says which budgets are kept and which are missed, and puts the limit beside the figure."""
    text = report.table([Figure("a", 2.0, "ms", 1.0, "bare", 3.0), Figure("b", 4.0, "ms", budget=3.0)])
    kept, missed = text.splitlines()[2:]
    assert "2 ms" in kept and "1 ms (bare)" in kept and "2.00" in kept and "kept" in kept
    assert "MISSED" in missed
