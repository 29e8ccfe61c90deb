"""Any order of calls: what a reader finds is what a dict would hold."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

import tracker
from tracker import reader
from tracker.exceptions import ParamClashError
from tracker.session import session

from .processes import fork, wait

KEYS = st.sampled_from(["a", "b", "a/b", "損失"])
TEXTS = st.sampled_from(["", "x", "NaN", "two\nlines"])
VALUES = st.one_of(st.integers(-3, 3), st.booleans(), st.floats(allow_nan=False), TEXTS, st.none())


@dataclass
class Model:
    """What a run should hold."""

    status: str = "RUNNING"
    name: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    deleted: bool = False


class Runs(RuleBasedStateMachine):
    """One run at a time is open; others are resumed, added to, deleted and restored."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="tracker-model-")
        self.root = Path(self.folder.name, "store")
        self.models: dict[str, Model] = {}
        self.open: str | None = None
        session.reset()
        tracker.set_tracking_uri(self.root)

    def teardown(self) -> None:
        session.reset()
        self.folder.cleanup()

    @rule(target=runs, tags=st.dictionaries(KEYS, TEXTS, max_size=2))
    def start(self, tags: dict[str, str]) -> str:
        self._end("FINISHED")
        run = tracker.start_run(tags=tags)
        self.models[run.run_id] = Model(name=run.info.run_name, tags=dict(tags))
        self.open = run.run_id
        return run.run_id

    @rule(run=runs)
    def resume(self, run: str) -> None:
        self._end("FINISHED")
        if not self.models[run].deleted:
            tracker.start_run(run_id=run)
            self.models[run].status = "RUNNING"
            self.open = run

    @rule(run=runs, key=KEYS, value=VALUES)
    def log_param(self, run: str, key: str, value: Any) -> None:
        model = self.models[run]
        if model.deleted:
            return
        if key in model.params and str(model.params[key]) != str(value):
            with pytest.raises(ParamClashError):
                tracker.log_params({key: value}, run_id=run)
        else:
            tracker.log_params({key: value}, run_id=run)
            model.params.setdefault(key, value)

    @rule(run=runs, key=KEYS, step=st.integers(0, 3), value=st.floats(allow_nan=False), in_child=st.booleans())
    def log_metric(self, run: str, key: str, step: int, value: float, in_child: bool) -> None:
        model = self.models[run]
        if model.deleted:
            return

        def log() -> None:
            tracker.log_metric(key, value, step=step, run_id=run)

        if in_child and hasattr(os, "fork"):
            assert wait(fork(log)) == [0]
        else:
            log()
        model.points.setdefault(key, []).append((step, value))

    @rule(key=KEYS, value=TEXTS)
    def set_tag(self, key: str, value: str) -> None:
        if self.open:
            tracker.set_tag(key, value)
            self.models[self.open].tags[key] = value

    @rule(key=KEYS)
    def delete_tag(self, key: str) -> None:
        if self.open and key in self.models[self.open].tags:
            tracker.delete_tag(key)
            del self.models[self.open].tags[key]

    @rule(name=st.sampled_from(["one", "two"]))
    def rename(self, name: str) -> None:
        if self.open:
            tracker.set_tag("mlflow.runName", name)
            self.models[self.open].name = name

    @rule(status=st.sampled_from(["FINISHED", "FAILED", "KILLED"]))
    def end(self, status: str) -> None:
        self._end(status)

    def _end(self, status: str) -> None:
        if self.open:
            tracker.end_run(status)
            self.models[self.open].status = status
            self.open = None

    @rule(run=runs)
    def delete_or_restore(self, run: str) -> None:
        if run == self.open:
            return
        model = self.models[run]
        (tracker.restore_run if model.deleted else tracker.delete_run)(run)
        model.deleted = not model.deleted

    @invariant()
    def a_reader_agrees(self) -> None:
        if not self.models:
            return
        store = reader.read_store(self.root)
        assert store.problems == ()
        assert store == reader.read_store(self.root, cache=False)
        found = {run.file.run_id: run for run in store.runs()}
        assert set(found) == {run for run, model in self.models.items() if not model.deleted}
        for run_id, run in found.items():
            self._compare(self.models[run_id], run)

    def _compare(self, model: Model, run: reader.ReadRun) -> None:
        tags = {key: value for key, value in run.file.tags.items() if key != "mlflow.runName"}
        assert (run.file.status, run.file.name, tags) == (model.status, model.name, model.tags)
        assert {key: repr(value) for key, value in run.file.params.items()} == {
            key: repr(value) for key, value in model.params.items()
        }
        history = reader.read_history(run.folder)
        assert history.problems == ()
        points = {key: list(zip(s.steps, s.values, strict=True)) for key, s in history.series.items()}
        assert {key: sorted(found) for key, found in points.items()} == {
            key: sorted(found) for key, found in model.points.items()
        }
        assert {key: metric.count for key, metric in run.file.metrics.items()} == {
            key: len(found) for key, found in model.points.items()
        }


TestRuns = Runs.TestCase
TestRuns.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
