"""S6: common estimators load safely without asking."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.models.estimators import all_names, fitted_estimators, outputs, same
from tracker.models.pickles import load_pickle
from tracker.models.skops_files import dump_skops, load_skops, trusted_types_needed

from .conftest import Figure

NEVER = {"Birch"}
"""skops itself cannot store these."""


def through_cloudpickle(estimator: Any) -> bytes:
    """Its bytes."""
    import cloudpickle

    return bytes(cloudpickle.dumps(estimator))


WAYS: dict[str, tuple[Callable[[Any], bytes], Callable[..., Any]]] = {
    "cloudpickle": (through_cloudpickle, load_pickle),
    "skops": (dump_skops, load_skops),
}


@pytest.mark.parametrize("word", WAYS)
def test_every_estimator_comes_back(word: str, figure: Figure) -> None:
    """Each estimator of scikit-learn that can be fitted gives the same after a round trip through bytes."""
    dump, load = WAYS[word]
    fitted = fitted_estimators()
    failed, size, dumping, loading, plain = [], 0, 0.0, 0.0, 0
    for each in fitted:
        try:
            started = time.process_time()
            data = dump(each.estimator)
            between = time.process_time()
            loaded = load(data, where=each.name)
            ended = time.process_time()
        except Exception as error:
            failed.append((each.name, str(error)))
            continue
        dumping, loading, size = dumping + between - started, loading + ended - between, size + len(data)
        plain += word == "skops" and not trusted_types_needed(data)
        before, after = outputs(each, each.estimator), outputs(each, loaded)
        if before.keys() != after.keys() or not all(same(before[key], after[key]) for key in before):
            failed.append((each.name, "other predictions"))
    assert {name for name, _ in failed} <= (NEVER if word == "skops" else set()), failed
    count = len(fitted) - len(failed)
    assert count >= 140 and len(fitted) >= 0.98 * len(all_names())
    besides = f" (skops alone {plain})" if word == "skops" else ""
    each_save, each_load = 1000 * dumping / count, 1000 * loading / count
    cost = f"{size / count / 1000:.1f} kB, {each_save:.1f} ms to save, {each_load:.1f} ms to load"
    told = f"{count} of {len(fitted)} fitted estimators through {word}{besides}, predictions equal"
    figure("S6", f"{told}; on average {cost}")
