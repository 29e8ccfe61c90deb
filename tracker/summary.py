"""From the points of a metric to a few numbers, and which of two values is better."""

from __future__ import annotations

import itertools
import math
import operator
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tracker.schema import Goal, MetricSummary

SPARK_LENGTH = 24
_LEVELS = "0123456789abcdefghijklmnopqrstuvwxyz"

_MINIMIZE = frozenset(
    "loss error err errors mse rmse mae mape smape msle rmsle nll perplexity ppl latency wer cer mer fid kid lpips "
    "regret logloss crossentropy entropy divergence kl deviance brier hinge eer cost duration runtime seconds "
    "misclassification residual bpc bpb ece distance".split()
)
_MAXIMIZE = frozenset(
    "accuracy acc auc auroc auprc aucpr roc f1 fbeta precision recall sensitivity specificity r2 map ndcg mrr hit hits "
    "score bleu rouge rougel meteor cider chrf iou miou dice jaccard psnr ssim mcc kappa reward return returns "
    "throughput elo winrate likelihood ap ar silhouette ari nmi top1 top5 em".split()
)
_QUALIFIERS = frozenset(
    "macro micro weighted mean avg average val valid validation test train training dev eval best final epoch step "
    "batch k at top score total median sum samples binary ms s sec".split()
)


class Series(Struct):
    """All points of one metric, ordered by step, then time."""

    steps: list[int] = []
    values: list[float] = []
    """NaN and infinities included."""
    times: list[int] = []
    """UTC milliseconds."""

    def __len__(self) -> int:
        return len(self.values)

    def sort(self) -> None:
        """Order by step, then time; points that tie keep the order in which they were logged."""
        if all(map(operator.lt, self.steps, itertools.islice(self.steps, 1, None))):
            return
        keys = list(zip(self.steps, self.times, strict=True))
        if all(map(tuple.__le__, keys, keys[1:])):
            return
        order = sorted(range(len(keys)), key=keys.__getitem__)
        self.steps = [self.steps[i] for i in order]
        self.values = [self.values[i] for i in order]
        self.times = [self.times[i] for i in order]


def summarize(series: Series) -> MetricSummary:
    """The summary of a series that has at least one point."""
    steps, values = series.steps, series.values
    last = _last_index(series)
    finite = values if all(map(math.isfinite, values)) else [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (None, None)
    mean = _mean(finite)
    return MetricSummary(
        count=len(values),
        last=values[last],
        last_step=steps[last],
        last_time=series.times[last],
        first=values[0],
        first_step=steps[0],
        min=low,
        min_step=None if low is None else steps[values.index(low)],
        max=high,
        max_step=None if high is None else steps[values.index(high)],
        mean=mean,
        nonfinite=len(values) - len(finite),
        spark=spark(values, low, high, mean),
    )


def _last_index(series: Series) -> int:
    """MLflow's latest point: the highest (step, time, value), a NaN below every number."""
    end = len(series) - 1
    step, time = series.steps[end], series.times[end]
    best = end
    for index in range(end - 1, -1, -1):
        if series.steps[index] != step or series.times[index] != time:
            break
        if _rank(series.values[index]) > _rank(series.values[best]):
            best = index
    return best


def _rank(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _mean(values: Sequence[float]) -> float | None:
    if not values:
        return None
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        scaled = math.fsum(value / 2**64 for value in values) / len(values) * 2.0**64
        return min(max(values), max(min(values), scaled))


def spark(values: Sequence[float], low: float | None, high: float | None, mean: float | None) -> str:
    """The shape of a curve as text: of each stretch the value farthest from the mean, so that spikes stay."""
    if len(values) < 2 or low is None or high is None or mean is None:
        return ""
    length = min(SPARK_LENGTH, len(values))
    bounds = [index * len(values) // length for index in range(length + 1)]
    return "".join(_level(values[a:b], low, high, mean) for a, b in itertools.pairwise(bounds))


def _level(values: Sequence[float], low: float, high: float, mean: float) -> str:
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < len(values) or not finite:
        return "-"
    chosen = finite[0] if len(finite) == 1 else max(finite, key=lambda value: abs(value - mean))
    span = high / 2 - low / 2
    return _LEVELS[round((chosen / 2 - low / 2) / span * (len(_LEVELS) - 1))] if span > 0 else _LEVELS[18]


def goal_of(metric: str, declared: Mapping[str, Goal]) -> Goal | None:
    """The direction of a metric: as declared, else as its name says (`val/loss`, `recall@5`), else None."""
    return declared.get(metric) or _guess(metric)


_guesses: dict[str, Goal | None] = {}


def _guess(metric: str) -> Goal | None:
    if metric not in _guesses:
        if len(_guesses) > 10_000:
            _guesses.clear()
        _guesses[metric] = _read_goal(metric)
    return _guesses[metric]


def _read_goal(metric: str) -> Goal | None:
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", metric).lower()
    for word in reversed(re.findall(r"[a-z][a-z0-9]*", split)):
        if word in _MINIMIZE:
            return "minimize"
        if word in _MAXIMIZE and word != "score":
            return "maximize"
        if word not in _QUALIFIERS:
            return None
    return "maximize" if "score" in split else None


def best_of(metric: MetricSummary, goal: Goal | None) -> tuple[float, int] | None:
    """Best value and its step along the goal; None without a goal or without a finite point."""
    if goal == "minimize" and metric.min is not None:
        return metric.min, metric.min_step or 0
    if goal == "maximize" and metric.max is not None:
        return metric.max, metric.max_step or 0
    return None
