"""A run with one very long series: logging, ending, reading and building it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

import tracker
from tracker import codec, fluent, reader

from .measure import Figure, cpu_of, least, run_python
from .place import Place
from .sizes import Size


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """Seconds for all points together."""
    fluent.reset()
    tracker.set_tracking_uri(place.folder / "points")
    run = tracker.start_run()
    logged = cpu_of(lambda: _log(size.points))
    ended = cpu_of(tracker.end_run)
    fluent.reset()
    times = least({"read": lambda: reader.read_history(run.folder), "decode": lambda: _decode(run.folder)}, 3)
    points = f"{size.points:,} points"
    yield Figure(f"log {points}", logged, "s")
    yield Figure(f"end a run of {points}", ended, "s", times["decode"], "decoding the lines")
    yield Figure(f"read_history of {points}", times["read"], "s", times["decode"], "decoding the lines")
    site = place.folder / "site"
    built = run_python("-m", "tracker.cli", "build", place.folder / "points", "--out", site)
    yield Figure(f"cold build of the run of {points}", built.cpu, "s", times["decode"], "decoding the lines")
    yield Figure("... peak memory", built.peak / 1e6, "MB")
    yield Figure("HTML of its page", (site / "runs" / run.run_id / "index.html").stat().st_size / 1000, "kB", budget=25)


def _log(points: int) -> None:
    for step in range(points):
        tracker.log_metric("loss", 1.0 / (step + 3.7), step=step)


def _decode(folder: Path) -> list[object]:
    decoder = msgspec.json.Decoder(type(codec.record_decoder.decode(b"{}")))
    data = next((folder / "log").iterdir()).read_bytes()
    return decoder.decode_lines(data)
