"""One log call, acknowledged by the operating system, beside the bare encoder and `os.write` of the same bytes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import tracker
from tracker import fluent

from .measure import Figure, least
from .place import Place
from .sizes import Size

KEYS = ("loss", "accuracy", "f1", "recall", "precision")
THREADS = 4


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """Microseconds a call."""
    fluent.reset()
    tracker.set_tracking_uri(place.folder / "calls")
    bare = os.open(place.folder / "bare.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with tracker.start_run() as run:
        rivals: dict[str, Callable[[], object]] = {
            "bare": lambda: _bare(bare, size.calls),
            "bare 5": lambda: _bare_batch(bare, size.calls),
            "fluent": lambda: _fluent(size.calls),
            "method": lambda: _method(run, size.calls),
            "batch": lambda: _batch(size.calls),
            "threads": lambda: _threads(size.calls),
        }
        micro = {name: seconds / size.calls * 1e6 for name, seconds in least(rivals, size.repeats).items()}
    os.close(bare)
    fluent.reset()
    one, five = "encoder + os.write", "encoder + os.write of 5"
    yield Figure("tracker.log_metric", micro["fluent"], "µs", micro["bare"], one, 3.5)
    yield Figure("run.log_metric", micro["method"], "µs", micro["bare"], one, 3.5)
    yield Figure(f"tracker.log_metric, {THREADS} threads", micro["threads"], "µs", micro["bare"], f"{one}, 1 thread")
    yield Figure("tracker.log_metrics of 5", micro["batch"], "µs", micro["bare 5"], five)


def _value(step: int) -> float:
    return 1.0 / (step + 3.7)


def _bare(fd: int, calls: int) -> None:
    for step in range(calls):
        value = _value(step)
        os.write(
            fd,
            f'{{"metric":"loss","value":{value!r},"step":{step},"time":{time.time_ns() // 1_000_000}}}\n'.encode(),
        )


def _bare_batch(fd: int, calls: int) -> None:
    for step in range(calls):
        value, now = _value(step), time.time_ns() // 1_000_000
        lines = [f'{{"metric":"{key}","value":{value!r},"step":{step},"time":{now}}}\n' for key in KEYS]
        os.write(fd, "".join(lines).encode())


def _fluent(calls: int) -> None:
    for step in range(calls):
        tracker.log_metric("loss", _value(step), step=step)


def _method(run: tracker.ActiveRun, calls: int) -> None:
    for step in range(calls):
        run.log_metric("loss", _value(step), step=step)


def _batch(calls: int) -> None:
    for step in range(calls):
        value = _value(step)
        tracker.log_metrics(dict.fromkeys(KEYS, value), step=step)


def _threads(calls: int) -> None:
    threads = [threading.Thread(target=_fluent, args=(calls // THREADS,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
