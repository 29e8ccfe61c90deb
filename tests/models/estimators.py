"""Every estimator of scikit-learn, fitted on a few rows; and what one gives for its data."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, NamedTuple

import numpy as np


class Fitted(NamedTuple):
    """An estimator with the data that it was fitted on."""

    name: str
    estimator: Any
    data: Any


@cache
def fitted_estimators() -> tuple[Fitted, ...]:
    """All of `all_estimators()` that can be fitted, in some 5 seconds."""
    from sklearn.utils import all_estimators

    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore")
        before = np.random.get_state()
        np.random.seed(0)  # what estimators draw from by default; which types they hold can depend on it
        found = [_fitted(name, kind) for name, kind in all_estimators()]
        np.random.set_state(before)
        return tuple(each for each in found if each is not None)


def one_thread() -> AbstractContextManager[Any]:
    """No pools of threads meanwhile: for so few rows they only wait for each other."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)  # type: ignore[no-any-return]


def all_names() -> list[str]:
    """Names of all estimators that scikit-learn has."""
    from sklearn.utils import all_estimators

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [name for name, _ in all_estimators()]


def _fitted(name: str, kind: type) -> Fitted | None:
    for data, target in _data_sets():
        estimator = kind(**_arguments(name, kind))
        try:
            estimator.fit(data) if target is None else estimator.fit(data, target)
            fitted = Fitted(name, estimator, data)
            outputs(fitted, estimator)
        except Exception:  # a wrong kind of data fails in any way
            continue
        return fitted
    return None


def _arguments(name: str, kind: type) -> dict[str, Any]:
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    special: dict[str, dict[str, Any]] = {
        "ColumnTransformer": {"transformers": [("a", StandardScaler(), [0, 1])]},
        "CountVectorizer": {"token_pattern": r"\w"},
        "FeatureUnion": {"transformer_list": [("a", StandardScaler())]},
        "FixedThresholdClassifier": {"estimator": LogisticRegression()},
        "FrozenEstimator": {"estimator": LinearRegression().fit([[0.0, 1.0, 2.0, 3.0]] * 2, [0.0, 1.0])},
        "GaussianRandomProjection": {"n_components": 2},
        "Pipeline": {"steps": [("a", StandardScaler()), ("b", LogisticRegression())]},
        "SparseCoder": {"dictionary": np.eye(4)},
        "SparseRandomProjection": {"n_components": 2},
        "StackingClassifier": {"estimators": [("a", LogisticRegression()), ("b", DecisionTreeClassifier())]},
        "StackingRegressor": {"estimators": [("a", LinearRegression()), ("b", Ridge())]},
        "TfidfVectorizer": {"token_pattern": r"\w"},
        "VotingClassifier": {"estimators": [("a", LogisticRegression()), ("b", DecisionTreeClassifier())]},
        "VotingRegressor": {"estimators": [("a", LinearRegression()), ("b", Ridge())]},
    }
    if name in special:
        return special[name]
    parameters = inspect.signature(kind).parameters
    arguments: dict[str, Any] = {}
    for word in ("estimator", "base_estimator"):
        if word in parameters and (
            parameters[word].default is inspect.Parameter.empty or name.startswith("SelfTraining")
        ):
            arguments[word] = Ridge() if "Regress" in name else LogisticRegression()
            break
    for grid in ("param_grid", "param_distributions"):
        if grid in parameters:
            arguments |= {"estimator": LogisticRegression(), grid: {"C": [0.1, 1.0]}}
    if name == "RandomizedSearchCV":
        arguments["n_iter"] = 2
    if name in ("MLPClassifier", "MLPRegressor"):
        arguments["max_iter"] = 20
    return arguments


def _data_sets() -> Iterator[tuple[Any, Any]]:
    """From the usual to the odd, until one fits."""
    from sklearn.datasets import load_iris

    data, target = load_iris(return_X_y=True)
    chosen = np.random.RandomState(0).permutation(len(target))[:60]
    data, target = data[chosen], target[chosen]
    yield data, target
    yield data, target % 2
    yield data, target + 1.0
    yield data + 0.1, np.c_[target, target]
    yield data + 0.1, data[:, :2]
    yield data[:, 0], target
    yield ["a b c", "b c d", "c d e"] * 20, target
    yield [{"a": float(row[0]), "b": float(row[1])} for row in data], target
    yield data, None
    yield data @ data.T, None
    yield target, None
    yield [[int(value)] for value in target], None


RANDOM = {("BernoulliRBM", "score_samples")}
"""What differs from call to call."""
METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples", "kneighbors")


def outputs(fitted: Fitted, estimator: Any) -> dict[str, Any]:
    """What an estimator gives for its data by each method that it has; its arrays, where it has none."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore")
        for method in METHODS:
            if hasattr(estimator, method) and (fitted.name, method) not in RANDOM:
                given = fitted.data[:5] if hasattr(fitted.data, "__getitem__") else fitted.data
                found[method] = _tried(getattr(estimator, method), given)
    return found or {key: value for key, value in vars(estimator).items() if isinstance(value, np.ndarray)}


def _tried(method: Any, data: Any) -> Any:
    """What it gives; the kind of its error where it cannot, such as probabilities of three classes in a chain."""
    try:
        return method(data)
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def same(ours: Any, theirs: Any) -> bool:
    """Whether two outputs are equal to the last bit; no number equals no number."""
    if isinstance(ours, tuple | list) and not isinstance(ours, str):
        return len(ours) == len(theirs) and all(same(a, b) for a, b in zip(ours, theirs, strict=True))
    if hasattr(ours, "toarray"):
        ours, theirs = ours.toarray(), theirs.toarray()
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return bool(ours.dtype == theirs.dtype and np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"))
