"""Stores made by the real library, and sites built from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from site_builder.build import BuildResult, build

Build = Callable[..., BuildResult]
NOW = "1700000000"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that the library logs into."""
    monkeypatch.setenv("TRACKER_FSYNC", "never")
    monkeypatch.setenv("TRACKER_CAPTURE", "off")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    tracker.set_tracking_uri(str(tmp_path / "store"))
    yield tmp_path / "store"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Where the site goes."""
    return tmp_path / "site"


@pytest.fixture
def sample(store: Path) -> Path:
    """Two experiments, a family of runs, a diverged and a failed run, a long series, notes and artifacts."""
    make_sample()
    return store


def make_sample() -> None:
    """Log the sample."""
    tracker.set_experiment("digits", description="A **sweep** over digits. See [us](https://example.org/x).")
    with tracker.start_run(run_name="parent", description="# Why\n\nTo *see*."):
        for depth in (1, 2):
            with tracker.start_run(run_name=f"child {depth}", nested=True):
                log_run(depth)
    with tracker.start_run(run_name="long"):
        for step in range(1000):
            tracker.log_metric("loss", 1 / (step + 1), step=step)
        tracker.log_text("a,b\n1,2\n3,4\n", "tables/t.csv")
        tracker.log_text("<h1>hi</h1><script>window.PWN=1</script>", "page.html")
        tracker.log_dict({"a": [1, 2]}, "config.json")
    with tracker.start_run(run_name="diverged"):
        for step, value in enumerate((1.0, float("inf"), float("nan"), 2.0)):
            tracker.log_metric("loss", value, step=step)
    tracker.set_experiment("other")
    with pytest.raises(ZeroDivisionError), tracker.start_run(run_name="broken"):
        log_run(3)
        _ = 1 / 0


def log_run(depth: int, **params: Any) -> None:
    """A few params, points and tags in the run that is open."""
    tracker.log_params({"depth": depth, "lr": 0.1 / depth, "opt": "adam", **params})
    for step in range(5):
        tracker.log_metrics({"val/accuracy": 1 - 1 / (depth + step + 1), "val/loss": 1 / (step + depth)}, step=step)
    tracker.set_tag("team", "a" if depth % 2 else "b")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def cold(store: Path, out: Path, **options: Any) -> dict[str, bytes]:
    """The files of a site that is built where there was none."""
    build(store, out, **options)
    return tree(out)
