"""R6: any number of ranks may log into one run, while somebody reads it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import tracker
from tracker import reader
from tracker.session import session

from .conftest import Figure

RANKS = 32
POINTS = 500


def rank(root: Path, run_id: str, number: int, start: int) -> None:
    """What each process does: join the run at the same moment as the others, log its points, leave."""
    code = 1
    try:
        session._forget()  # as a process that was not forked from the owner
        tracker.set_tracking_uri(root)
        os.read(start, 1)
        with tracker.start_run(run_id=run_id):
            tracker.log_param("world", RANKS)
            for step in range(POINTS):
                tracker.log_metric("loss", number + step / POINTS, step=step * RANKS + number)
                time.sleep(0.001)  # so that the reader comes in between
            tracker.set_tag(f"rank {number}", "done")
        code = 0
    finally:
        os._exit(code)


def test_many_ranks_log_into_one_run(quick: None, store: Path, figure: Figure) -> None:
    """Every point of every rank is there, each line is whole, and a reader meets no torn state meanwhile."""
    go, gate = os.pipe()
    children = []
    with tracker.start_run() as run:
        for number in range(RANKS):
            child = os.fork()
            if child == 0:
                os.close(gate)
                rank(store, run.run_id, number, go)
            children.append(child)
        os.close(go)
        os.close(gate)
        counts = [0]
        while children:
            counts.append(look(store))
            assert counts[-1] >= counts[-2]
            children = [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]
    (found,) = reader.read_store(store, cache=False).runs()
    history = reader.read_history(found.folder)
    assert history.series["loss"].steps == list(range(RANKS * POINTS))
    assert (found.problems, history.problems) == ((), ())
    assert (found.file.status, found.file.metrics["loss"].count) == ("FINISHED", RANKS * POINTS)
    assert (found.file.params, len(found.file.tags), len(found.file.logs)) == ({"world": RANKS}, RANKS, RANKS + 1)
    lines = [line for log in found.folder.glob("log/*.jsonl") for line in log.read_bytes().splitlines()]
    assert sum("metric" in json.loads(line) for line in lines) == RANKS * POINTS
    figure(
        "R6", f"{RANKS} processes x {POINTS} points into one run, read {len(counts) - 1} times meanwhile: "
        f"{found.file.metrics['loss'].count:,} of {RANKS * POINTS:,}, 0 bad lines, 0 torn reads"
    )  # fmt: skip


def look(store: Path) -> int:
    """Read the run while it is written: RUNNING, without a problem; returns how many points are there."""
    (found,) = reader.read_store(store).runs()
    history = reader.read_history(found.folder)
    assert (found.file.status, found.problems, history.problems) == ("RUNNING", (), ())
    series = history.series.get("loss")
    return len(series) if series else 0
