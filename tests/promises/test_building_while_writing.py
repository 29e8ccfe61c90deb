"""The site is built in a loop while many processes write: nothing is lost, nothing is torn, no build fails."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from site_builder.build import build
from tests.core.processes import fork
from tracker import reader
from tracker.session import session

from .built import points_of, torn_pages
from .conftest import Figure

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.skipif(os.name == "nt", reason="needs fork")]

PROCESSES = 32
RUNS = 4
POINTS = 30
RANK_POINTS = 500
PAUSE = 0.025
"""Seconds between some of the calls, so that builds get their turn on a small machine."""
PAGES = 25
"""Pages of a build in between that are looked at, the newest ones; of the last build it is all of them."""


@pytest.fixture(autouse=True)
def _shells(quick: None, tmp_path: Path) -> None:
    """What all sites have in common is made before."""
    tracker.set_tracking_uri(tmp_path / "other")
    with tracker.start_run():
        pass
    build(tmp_path / "other", tmp_path / "other site")
    session.reset()


def alive(children: list[int]) -> Iterator[None]:
    """Goes on while any of the children does; each has to end without an error."""
    while children:
        for child in list(children):
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                assert status == 0
                children.remove(child)
        yield


def write_runs(store: Path, number: int) -> None:
    """What each process does, from an empty folder on: whole runs with all that a run can have."""
    session._forget()
    tracker.set_tracking_uri(store)
    tracker.set_experiment("together", description="All at *once*.", goal={"loss": "minimize"})
    for count in range(RUNS):
        with tracker.start_run(run_name=f"{number}/{count}", tags={"process": str(number)}, description="A *note*."):
            tracker.log_params({"process": number, "count": count, "lr": 0.1 / (count + 1)})
            for step in range(POINTS):
                tracker.log_metrics({"loss": 1 / (step + 1 + number), "acc": step / POINTS}, step=step)
                time.sleep(PAUSE)
            tracker.log_text("a,b\n1,2\n", "tables/t.csv")
            tracker.log_dict({"process": number}, "config.json")
            with tracker.start_run(run_name=f"{number}/{count}/child", nested=True):
                tracker.log_metric("loss", 1.0)


def test_many_processes_write_whole_runs(store: Path, tmp_path: Path, figure: Figure) -> None:
    """Into one experiment, which all make at once; the last incremental build equals a cold one to the byte."""
    site = tmp_path / "site"
    children = [fork(lambda number=number: write_runs(store, number)) for number in range(PROCESSES)]
    builds, looked, seen = 0, 0, 0
    for _ in alive(children):
        if not (store / "store.yaml").exists():
            continue
        assert build(store, site).problems == ()
        pages = sorted(site.rglob("*.html"), key=lambda page: page.stat().st_mtime_ns)
        assert torn_pages(site, pages[-PAGES:]) == []
        assert len(pages) >= seen
        builds, looked, seen = builds + 1, looked + len(pages[-PAGES:]), len(pages)
    assert build(store, site).problems == ()
    found = reader.read_store(store, cache=False)
    assert found.problems == ()
    _all_is_there(found, site)
    pages = list(site.rglob("*.html"))
    assert torn_pages(site, pages) == []
    build(store, tmp_path / "cold")
    assert files_of(site) == files_of(tmp_path / "cold")
    runs, points = len(list(found.runs())), sum(points_of(site).values())
    figure(
        "R8", f"{PROCESSES} processes x {2 * RUNS} runs into one experiment, built {builds} times meanwhile: "
        f"{runs} runs and {points:,} points all there, 0 failed builds, 0 torn among {looked + len(pages):,} pages, "
        "the last build equal to a cold one"
    )  # fmt: skip


def _all_is_there(found: reader.ReadStore, site: Path) -> None:
    (experiment,) = found.experiments
    runs = {run.file.name: run for run in experiment.runs}
    parents = {f"{number}/{count}" for number in range(PROCESSES) for count in range(RUNS)}
    assert set(runs) == parents | {f"{name}/child" for name in parents}
    assert len(experiment.runs) == len(runs)
    shown = points_of(site)
    for name, run in runs.items():
        expected = {"loss": POINTS, "acc": POINTS} if name in parents else {"loss": 1}
        series = reader.read_history(run.folder).series
        assert {key: points.steps for key, points in series.items()} == {
            key: list(range(count)) for key, count in expected.items()
        }
        assert run.file.status == "FINISHED"
        assert shown[run.file.run_id] == sum(expected.values())
        if name in parents:
            assert run.file.params["count"] == int(name.partition("/")[2])
            copies = sorted(path.name for path in (site / "runs" / run.file.run_id).rglob("*") if path.is_file())
            assert copies == ["config.json", "index.html", "t.csv"]


def files_of(site: Path) -> dict[str, bytes]:
    """Every file of a site by its path."""
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def write_rank(store: Path, run_id: str, rank: int) -> None:
    """What each rank does: join, log its points, leave."""
    session._forget()
    tracker.set_tracking_uri(store)
    with tracker.start_run(run_id=run_id):
        for step in range(RANK_POINTS):
            tracker.log_metric("loss", 1 / (step + 1), step=step * PROCESSES + rank)
            time.sleep(PAUSE if step % 5 == 0 else 0)


def test_many_ranks_write_into_one_run(store: Path, tmp_path: Path, figure: Figure) -> None:
    """Each build in between shows more points than the one before, and the last one shows all."""
    site = tmp_path / "site"
    shown = [0]
    tracker.set_tracking_uri(store)
    with tracker.start_run() as run:
        children = [fork(lambda rank=rank: write_rank(store, run.run_id, rank)) for rank in range(PROCESSES)]
        for _ in alive(children):
            assert build(store, site).problems == ()
            shown.append(points_of(site)[run.run_id])
            assert shown[-1] >= shown[-2]
    assert build(store, site).problems == ()
    assert points_of(site) == {run.run_id: PROCESSES * RANK_POINTS}
    rows = (site / "data" / "v1" / "runs" / f"{run.run_id}.csv").read_text().splitlines()
    assert [int(row.split(",")[1]) for row in rows[1:]] == list(range(PROCESSES * RANK_POINTS))
    figure(
        "R6", f"{PROCESSES} ranks x {RANK_POINTS} points, built {len(shown) - 1} times meanwhile: "
        f"{len(rows) - 1:,} of {PROCESSES * RANK_POINTS:,} in the site, 0 failed builds"
    )  # fmt: skip
