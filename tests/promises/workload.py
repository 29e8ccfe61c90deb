"""A script that uses every way of writing to a store, and remembers what each call that returned has promised."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tracker
from tracker import reader

Promise = tuple[Any, ...]
Call = tuple[Callable[[], object], list[Promise]]
"""Something to do, and what holds from the moment it returned."""
ARTIFACT = "0123456789" * 500
POINTS = 48
"""Single points that each part logs."""


class Script:
    """The calls one by one, as a generator, so that a test decides what surrounds each of them."""

    def __init__(self, root: Path, points: int = POINTS) -> None:
        self.root = root
        self.points = points
        self.runs: list[tracker.ActiveRun] = []

    def calls(self) -> Iterator[Call]:
        """Two runs in each other, everything that can be logged, an end, a resume, an end."""
        tracker.set_tracking_uri(self.root)
        yield lambda: tracker.set_experiment("crash", goal={"loss": "minimize"}), [("experiment", "crash")]
        yield from self._start(run_name="outer", tags={"given": "1"}, description="# Notes")
        yield from self._log("outer")
        yield from self._start(run_name="inner", nested=True)
        yield from self._log("inner")
        yield from self._end("FINISHED")
        yield from self._late()
        yield from self._end("FAILED")
        yield from self._start(run_id=self.runs[0].run_id)
        yield from self._log("again")
        yield from self._end("FINISHED")

    def _start(self, **options: Any) -> Iterator[Call]:
        promises: list[Promise] = []

        def start() -> None:
            run = tracker.start_run(**options)
            self.runs.append(run)
            promises.append(("run", run.run_id))

        yield start, promises

    @property
    def _id(self) -> str:
        run = tracker.active_run()
        assert run is not None
        return run.run_id

    def _log(self, name: str) -> Iterator[Call]:
        run = self._id
        params = {f"{name}.lr": 0.1, f"{name}.layers": 3, f"{name}.note": "text " * 20}
        yield lambda: tracker.log_params(params), [("param", run, key, value) for key, value in params.items()]
        yield lambda: tracker.log_param(f"{name}.one", 1), [("param", run, f"{name}.one", 1)]
        for step in range(self.points):
            point = (f"{name}/loss", step, 1 / (step + 1))
            yield lambda point=point: tracker.log_metric(point[0], point[2], step=point[1]), [("metric", run, *point)]
        batch = {f"{name}/a": 0.25, f"{name}/b": float("inf")}
        yield (
            lambda: tracker.log_metrics(batch, step=7),
            [("metric", run, key, 7, value) for key, value in batch.items()],
        )
        yield lambda: tracker.set_tags({f"{name}.t": "1", f"{name}.u": "2"}), [("tag", run, f"{name}.t", "1")]
        yield lambda: tracker.delete_tag(f"{name}.u"), [("tag", run, f"{name}.u", None)]
        yield lambda: tracker.log_text(ARTIFACT, f"{name}/a.txt"), [("artifact", run, f"{name}/a.txt", ARTIFACT)]
        yield lambda: tracker.log_dict({"a": 1}, f"{name}.json"), [("artifact", run, f"{name}.json", '{\n  "a": 1\n}')]

    def _late(self) -> Iterator[Call]:
        run = self.runs[1].run_id
        yield lambda: tracker.log_metric("late", 0.5, run_id=run), [("metric", run, "late", 0, 0.5)]
        yield lambda: tracker.log_artifact(__file__, "code"), [("artifact", self._id, "code/workload.py", None)]

    def _end(self, status: str) -> Iterator[Call]:
        run = self._id
        yield lambda: tracker.end_run(status), [("status", run, status)]


def perform(root: Path, acknowledge: Callable[[list[Promise]], object]) -> None:
    """The whole script; `acknowledge` is told what holds after each call."""
    for call, promises in Script(root).calls():
        call()
        acknowledge(promises)


class Pipe:
    """Carries promises out of a process that may die at any moment: each is sent with one write."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()

    def send(self, promises: list[Promise]) -> None:
        """Tell what holds."""
        os.write(self.write_end, "".join(json.dumps(promise) + "\n" for promise in promises).encode())

    def received(self) -> list[Promise]:
        """Everything that was sent, once no process can send any more."""
        os.close(self.write_end)
        with os.fdopen(self.read_end) as file:
            return [tuple(json.loads(line)) for line in file]


class Found:
    """A store as somebody new reads it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = reader.read_store(root, cache=False)
        self.runs = {run.file.run_id: run for run in self.store.runs()}
        self.histories = {run_id: reader.read_history(run.folder) for run_id, run in self.runs.items()}

    def broken(self, promises: list[Promise]) -> list[Promise]:
        """The promises that do not hold. Of those about the same thing only the last has to."""
        latest = {promise[:-1] if promise[0] in ("tag", "status") else promise: promise for promise in promises}
        return [promise for promise in latest.values() if not self._holds(promise)]

    def _holds(self, promise: Promise) -> bool:
        kind, *rest = promise
        if kind == "experiment":
            return rest[0] in [experiment.file.name for experiment in self.store.experiments]
        run = self.runs.get(rest[0])
        return run is not None and (kind == "run" or getattr(self, f"_{kind}")(run, *rest[1:]))

    def _param(self, run: reader.ReadRun, key: str, value: object) -> bool:
        return run.file.params.get(key) == value

    def _tag(self, run: reader.ReadRun, key: str, value: str | None) -> bool:
        return run.file.tags.get(key) == value

    def _metric(self, run: reader.ReadRun, key: str, step: int, value: float) -> bool:
        series = self.histories[run.file.run_id].series.get(key)
        return series is not None and (step, value) in zip(series.steps, series.values, strict=True)

    def _artifact(self, run: reader.ReadRun, path: str, text: str | None) -> bool:
        file = run.folder / "artifacts" / path
        return file.is_file() and file.read_text() == (Path(__file__).read_text() if text is None else text)

    def _status(self, run: reader.ReadRun, status: str) -> bool:
        return run.file.status == status

    def repeated(self) -> list[tuple[str, int]]:
        """Points that are there more than once, although the script logs each step once."""
        return [
            (key, step)
            for history in self.histories.values()
            for key, series in history.series.items()
            for step in set(series.steps)
            if series.steps.count(step) > 1
        ]

    def unreadable(self) -> list[str]:
        """Problems, but for last lines that a crash has torn: these belong to calls that did not return."""
        histories = [problem for history in self.histories.values() for problem in history.problems]
        return [p.message for p in (*self.store.problems, *histories) if "is incomplete" not in p.message]
