"""From points to a few numbers, and which of two values is better."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.summary import Series, best_of, goal_of, summarize

NAN, INF = math.nan, math.inf


def series(*points: tuple[int, float]) -> Series:
    """Points (step, value), a millisecond apart."""
    made = Series([step for step, _ in points], [value for _, value in points], list(range(len(points))))
    made.sort()
    return made


def test_a_summary_has_every_number_and_its_step() -> None:
    """Last, first, min, max, mean and count, each with the step it was at."""
    found = summarize(series((0, 3.0), (10, 1.0), (20, 4.0), (30, 2.0)))
    assert (found.count, found.nonfinite) == (4, 0)
    assert (found.first, found.first_step, found.last, found.last_step) == (3.0, 0, 2.0, 30)
    assert (found.min, found.min_step, found.max, found.max_step, found.mean) == (1.0, 10, 4.0, 20, 2.5)


def test_points_are_ordered_by_step_not_by_when_they_were_logged() -> None:
    """A late point of an early step is not the last one."""
    found = summarize(series((5, 0.5), (1, 0.1), (3, 0.3)))
    assert (found.first, found.last, found.last_step) == (0.1, 0.5, 5)


def test_the_last_of_points_at_one_step_is_the_latest() -> None:
    """At the same step the later point counts; at the same time, as in MLflow, the larger value."""
    assert summarize(Series([1, 1], [9.0, 2.0], [10, 20])).last == 2.0
    assert summarize(Series([1, 1], [9.0, 2.0], [10, 10])).last == 9.0
    assert summarize(Series([1, 1], [2.0, NAN], [10, 10])).last == 2.0


def test_nan_and_infinity_count_but_never_win() -> None:
    """A diverged run keeps its finite best; how many points were not finite is told."""
    found = summarize(series((0, 2.0), (1, NAN), (2, 1.0), (3, INF), (4, -INF), (5, NAN)))
    assert (found.count, found.nonfinite) == (6, 4)
    assert (found.min, found.min_step, found.max, found.max_step, found.mean) == (1.0, 2, 2.0, 0, 1.5)
    assert math.isnan(found.last)
    assert best_of(found, "minimize") == (1.0, 2)


def test_a_metric_without_a_finite_point_has_no_best() -> None:
    """Then min, max and mean are missing rather than NaN."""
    found = summarize(series((0, NAN), (1, INF)))
    assert (found.min, found.max, found.mean, found.spark) == (None, None, None, "")
    assert best_of(found, "minimize") is best_of(found, "maximize") is None


def test_the_mean_of_huge_values_does_not_overflow() -> None:
    """The sum of the values may be beyond a float although their mean is not."""
    assert summarize(series((0, 1e308), (1, 1e308), (2, 1e308))).mean == pytest.approx(1e308)


def test_large_integers_stay_exact() -> None:
    """An integer that no float holds is the same in last, min and max."""
    found = summarize(series((0, 2**53 + 1)))
    assert found.last == found.min == found.max == 2**53 + 1


@pytest.mark.parametrize(
    ("metric", "goal"),
    [
        *(("loss", "minimize"), ("val/loss", "minimize"), ("valLoss", "minimize"), ("rmse_mean", "minimize")),
        *(("perplexity", "minimize"), ("error_rate", None), ("accuracy", "maximize"), ("val_acc", "maximize")),
        *(("recall@5", "maximize"), ("f1_score", "maximize"), ("f1_macro", "maximize"), ("mAP", "maximize")),
        *(("test.score", "maximize"), ("hinge_loss", "minimize"), ("log_loss", "minimize"), ("r2", "maximize")),
        *(("learning_rate", None), ("epoch", None), ("lossy_frames", None), ("memory", None), ("损失", None)),
    ],
)
def test_goals_are_guessed_from_well_known_names(metric: str, goal: str | None) -> None:
    """Losses go down, scores go up, and what is not known has no direction."""
    assert goal_of(metric, {}) == goal


def test_a_declared_goal_wins() -> None:
    """What the experiment says about a metric is not guessed again."""
    assert goal_of("loss", {"loss": "maximize"}) == "maximize"


def test_best_follows_the_goal() -> None:
    """The best value comes with its step; without a goal there is none."""
    found = summarize(series((0, 2.0), (1, 1.0), (2, 3.0)))
    assert best_of(found, "minimize") == (1.0, 1)
    assert best_of(found, "maximize") == (3.0, 2)
    assert best_of(found, None) is None


@given(st.lists(st.tuples(st.integers(-9, 9), st.floats()), min_size=1, max_size=100))
def test_a_summary_agrees_with_the_points(points: list[tuple[int, float]]) -> None:
    """Every number of a summary is one that the points have, at the step that it names."""
    made = series(*points)
    found = summarize(made)
    finite = [value for _, value in points if math.isfinite(value)]
    assert (found.count, found.nonfinite) == (len(points), len(points) - len(finite))
    assert (found.min, found.max) == ((min(finite), max(finite)) if finite else (None, None))
    if finite:
        assert (found.min_step, found.min) in list(zip(made.steps, made.values, strict=True))
        assert (found.max_step, found.max) in list(zip(made.steps, made.values, strict=True))
    assert len(found.spark) <= 24
    assert set(found.spark) <= set("0123456789abcdefghijklmnopqrstuvwxyz-")


def test_a_spark_keeps_a_spike() -> None:
    """One outlier among ten thousand points is seen in the twenty-four characters."""
    points = [(step, 0.0) for step in range(10_000)]
    points[7000] = (7000, 100.0)
    assert summarize(series(*points)).spark.count("z") == 1
