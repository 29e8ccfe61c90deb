"""Params, metrics and tags: what a call keeps, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracker
from tracker import reader
from tracker.exceptions import InvalidNameError, InvalidValueError, NotFoundError, ParamClashError


@pytest.fixture
def run(store: Path) -> tracker.ActiveRun:
    """A run to log to."""
    return tracker.start_run(run_name="bold-otter-1")


# Params


def test_a_param_is_write_once(run: tracker.ActiveRun) -> None:
    """The error names the run, the param, both values and what to do instead; the first value stays."""
    tracker.log_param("lr", 0.1)
    with pytest.raises(ParamClashError, match=r"'lr'.*bold-otter-1.*is 0\.1 and cannot become 0\.2.*another key"):
        tracker.log_param("lr", 0.2)
    assert run.data.params == {"lr": "0.1"}


@pytest.mark.parametrize(
    ("first", "second"), [(0.1, 0.1), (0.1, "0.1"), (1, np.int64(1)), (math.nan, math.nan), ("", "")]
)
def test_the_same_param_may_be_logged_again(run: tracker.ActiveRun, first: object, second: object) -> None:
    """A value with the same text is no clash, as when every rank logs the same params."""
    tracker.log_param("p", first)
    tracker.log_param("p", second)
    assert len(run.data.params) == 1


def test_params_stay_write_once_in_a_resumed_run(store: Path) -> None:
    """Who resumes a run knows what it logged before."""
    with tracker.start_run() as run:
        tracker.log_param("lr", 0.1)
    with tracker.start_run(run_id=run.run_id), pytest.raises(ParamClashError, match=r"0\.1.*0\.2"):
        tracker.log_param("lr", 0.2)


def test_a_clash_keeps_the_whole_call_out(run: tracker.ActiveRun) -> None:
    """log_params writes all of them, or none: also when two keys of one call flatten to the same."""
    tracker.log_param("b", 1)
    with pytest.raises(ParamClashError):
        tracker.log_params({"a": 1, "b": 2, "c": 3})
    with pytest.raises(ParamClashError):
        tracker.log_params({"x": {"y": 1}, "x.y": 2})
    with pytest.raises(InvalidNameError):
        tracker.log_params({"a": 1, "": 2})
    assert run.data.params == {"b": "1"}


def test_two_processes_that_log_different_values_are_told_later(store: Path) -> None:
    """Nobody can refuse what another machine logs at the same time: the first value counts, the clash is named."""
    from tracker.run import open_existing
    from tracker.store import Store

    with tracker.start_run() as run:
        other = open_existing(Store.open(store), run.run_id)
        run.log_param("lr", 0.1)
        other.log_param("lr", 0.2)
        other.end()
    (found,) = reader.read_store(store).runs()
    assert found.file.params == {"lr": 0.1}
    (problem,) = reader.read_history(found.folder).problems
    assert "'lr' was logged as 0.1 and later as 0.2; the first one is kept" in problem.message


def test_log_param_returns_the_value(run: tracker.ActiveRun) -> None:
    """As in MLflow."""
    value = [1, 2]
    assert tracker.log_param("p", value) is value


# Metrics


@pytest.mark.parametrize(
    "key", ["recall@5", "a", "a/b", "a/b/c", "val loss (mean)", "损失", "AR@100", "f[0], g", "..", "🦦"]
)
def test_a_metric_can_have_any_visible_name(run: tracker.ActiveRun, key: str) -> None:
    """Also `a` beside `a/b`: names of metrics are no paths."""
    tracker.log_metric("a", 1.0)
    tracker.log_metric(key, 2.0)
    assert run.data.metrics == {"a": 1.0, key: 2.0} if key != "a" else {"a": 2.0}


def test_nan_and_infinities_are_points(run: tracker.ActiveRun) -> None:
    """They are kept as what they are, and the file stays strict JSON."""
    for step, value in enumerate([1.0, math.nan, math.inf, -math.inf, -0.0]):
        tracker.log_metric("loss", value, step=step)
    (log,) = run.folder.glob("log/*.jsonl")
    assert "NaN" in log.read_text() and ":NaN" not in log.read_text()
    assert [repr(m.value) for m in tracker.get_metric_history(run.run_id, "loss")] == [
        "1.0",
        "nan",
        "inf",
        "-inf",
        "-0.0",
    ]
    tracker.end_run()
    found = tracker.get_run(run.run_id).metrics["loss"]
    assert (found.count, found.nonfinite, found.max, repr(found.last)) == (5, 3, 1.0, "-0.0")


def test_a_metric_without_a_step_has_step_0(run: tracker.ActiveRun) -> None:
    """As in MLflow; the points keep the order of their times."""
    for value in (3.0, 2.0, 1.0):
        tracker.log_metric("loss", value)
    history = tracker.get_metric_history(run.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(0, 3.0), (0, 2.0), (0, 1.0)]
    assert run.data.metrics == {"loss": 1.0} or history[1].timestamp == history[2].timestamp


@pytest.mark.parametrize("step", [-1, 0, 2**53 + 1, 2**63 - 1, -(2**63), 7.0, np.int32(7)])
def test_steps_are_integers_of_64_bits(run: tracker.ActiveRun, step: Any) -> None:
    """Negative and huge ones too."""
    tracker.log_metric("loss", 1.0, step=step)
    tracker.log_metrics({"acc": 1.0}, step=step)
    for key in ("loss", "acc"):
        assert tracker.get_metric_history(run.run_id, key)[0].step == int(step)


@pytest.mark.parametrize("value", ["0.5", None, [1.0], object(), np.zeros(2), 10**400])
def test_a_metric_that_is_no_number_is_refused(run: tracker.ActiveRun, value: Any) -> None:
    """Before anything is written; of several metrics none is kept."""
    with pytest.raises(InvalidValueError, match="'bad'"):
        tracker.log_metric("bad", value)
    with pytest.raises(InvalidValueError, match="'bad'"):
        tracker.log_metrics({"good": 1.0, "bad": value})
    assert run.data.metrics == {}


@pytest.mark.parametrize("key", ["", " ", "a\0", None, 5, ["a"], "x" * 501])
def test_bad_names_are_refused_by_every_call(run: tracker.ActiveRun, key: Any) -> None:
    """For metrics, params and tags alike; nothing of the call is kept."""
    calls = [
        lambda: tracker.log_metric(key, 1.0),
        lambda: tracker.set_tag(key, "x"),
        *([] if isinstance(key, list) else [lambda: tracker.log_metrics({"ok": 1.0, key: 1.0})]),
        *([] if isinstance(key, list) else [lambda: tracker.set_tags({"ok": "1", key: "x"})]),
        *([lambda: tracker.log_params({"ok": 1, key: 1})] if isinstance(key, str) else []),
    ]
    for call in calls:
        with pytest.raises(InvalidNameError, match=r"(metric|param|tag) name"):
            call()
    data = run.data
    assert (data.metrics, data.params, data.tags) == ({}, {}, {"mlflow.runName": "bold-otter-1"})


def test_history_of_a_metric_that_was_not_logged(run: tracker.ActiveRun) -> None:
    """The error asks whether a similar one was meant."""
    tracker.log_metric("accuracy", 1.0)
    with pytest.raises(NotFoundError, match='Did you mean "accuracy"'):
        tracker.get_metric_history(run.run_id, "acuracy")


# Tags


def test_a_tag_can_be_set_again_and_deleted(run: tracker.ActiveRun) -> None:
    """The latest value counts; a deleted one is gone, also after the end, and can be set again."""
    tracker.set_tags({"stage": "draft", "keep": True, "gone": 1})
    tracker.set_tag("stage", "final")
    tracker.delete_tag("gone")
    assert run.data.tags == {"stage": "final", "keep": "True", "mlflow.runName": "bold-otter-1"}
    tracker.end_run()
    assert tracker.get_run(run.run_id).data.tags == {"stage": "final", "keep": "True", "mlflow.runName": "bold-otter-1"}
    with tracker.start_run(run_id=run.run_id):
        tracker.set_tag("gone", "back")
    assert tracker.get_run(run.run_id).data.tags["gone"] == "back"


def test_deleting_a_tag_that_is_not_there(run: tracker.ActiveRun) -> None:
    """The error names the run and asks whether a similar one was meant."""
    tracker.set_tag("stage", "x")
    with pytest.raises(NotFoundError, match=f"{run.run_id} has no tag 'stag'.*Did you mean \"stage\""):
        tracker.delete_tag("stag")


def test_a_tag_given_at_the_start_can_be_deleted(store: Path) -> None:
    """It stands in run.json rather than in a log, and goes all the same."""
    with tracker.start_run(tags={"a": "1", "b": "2"}) as run:
        tracker.delete_tag("a")
    assert "a" not in tracker.get_run(run.run_id).data.tags


@pytest.mark.parametrize("value", ["x" * 1_000_001, "\ud800"])
def test_a_tag_that_cannot_be_kept_is_refused(store: Path, value: str) -> None:
    """At the start of a run as later; then no run is made."""
    with pytest.raises(InvalidValueError, match="'long'"):
        tracker.start_run(tags={"long": value})
    with pytest.raises(InvalidValueError):
        tracker.start_run(description=value)
    assert not list(store.glob("experiments/*/runs/*"))
    with tracker.start_run(), pytest.raises(InvalidValueError, match="'long'"):
        tracker.set_tag("long", value)


def test_values_of_a_million_characters_are_kept(run: tracker.ActiveRun) -> None:
    """The longest values come back whole, whatever their characters take in the file."""
    tracker.log_param("long", "\x01" * 1_000_000)
    tracker.set_tag("long", "🦦" * 1_000_000)
    tracker.end_run()
    found = tracker.get_run(run.run_id)
    assert found.params["long"] == "\x01" * 1_000_000
    assert found.data.tags["long"] == "🦦" * 1_000_000
    assert reader.read_history(run.folder).problems == ()
