"""What the compiled parts of scikit-learn follow without looking is looked at here: indices, sizes and depths.

A skops file names only types, so one with vetted types could still lead a prediction out of its arrays. Each check
raises ValueError that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

LEAF = -1
_MOST_CLASSES = 2**31
_BITSET_WORDS = 8


def _demand(holds: object, what: str) -> None:
    if not holds:
        raise ValueError(what)


def check_tree_parts(arguments: Any, state: Any) -> None:
    """The constructor's arguments and the state of a decision tree, before it is made of them."""
    import numpy as np

    n_features, n_classes, n_outputs = arguments
    _demand(isinstance(n_features, int) and isinstance(n_outputs, int), "a tree whose sizes are no integers")
    _demand(isinstance(n_classes, np.ndarray) and n_classes.dtype.kind in "iu", "a tree whose classes are no integers")
    _demand(n_classes.ndim == 1 and n_classes.size == n_outputs >= 1, "a tree with another number of outputs")
    _demand(n_classes.min() >= 1 and n_classes.max() < _MOST_CLASSES, "a tree with an odd number of classes")
    nodes, values = state["nodes"], state["values"]
    count = state["node_count"]
    _demand(
        isinstance(nodes, np.ndarray) and nodes.ndim == 1 and nodes.dtype.names, "a tree whose nodes are no records"
    )
    _demand(isinstance(count, int) and count == nodes.size >= 1, "a tree with another number of nodes")
    _demand(isinstance(values, np.ndarray) and values.shape == (count, n_outputs, n_classes.max()), "odd values")
    left, right = nodes["left_child"], nodes["right_child"]
    depth = _depth(left, right, left == LEAF)
    _demand(depth <= state["max_depth"] <= count, "a tree that is deeper than it says")
    _check_features(nodes["feature"][left != LEAF], n_features)


def _check_features(features: Array, count: int) -> None:
    _demand(features.size == 0 or (features.min() >= 0 and features.max() < count), "a node about a missing feature")


def _depth(left: Array, right: Array, leaves: Array) -> int:
    """The depth of a binary tree in arrays, each node but the first being the child of one before it."""
    import numpy as np

    inner = np.flatnonzero(~leaves)
    ours, theirs = left[inner].astype(np.int64), right[inner].astype(np.int64)
    children = np.sort(np.concatenate([ours, theirs]))
    _demand(np.array_equal(children, np.arange(1, left.size)), "nodes that are not a tree")
    _demand(bool(((ours > inner) & (theirs > inner)).all()), "nodes that lead back")
    level, depth = np.zeros(1, dtype=np.int64), 0
    while (level := level[~leaves[level]]).size:
        level = np.concatenate([left[level], right[level]]).astype(np.int64)
        depth += 1
    return depth


def check_neighbors_tree(tree: Any) -> None:
    """A KDTree or BallTree."""
    import numpy as np

    state = tree.__getstate__()
    data, order, nodes, bounds, leaf_size, n_levels, n_nodes = state[:7]
    metric, weights = state[11:13]
    n_points, n_features = data.shape
    kinds = 2 if type(tree).__name__.startswith("KD") else 1
    _demand(n_points >= 1 and n_features >= 1 and leaf_size >= 1, "a tree of neighbors without points")
    _demand(0 < n_levels < 63 and n_nodes == 2**n_levels - 1 == nodes.size, "another number of nodes")
    _demand(bounds.shape == (kinds, n_nodes, n_features), "bounds of another size")
    _demand(order.shape == (n_points,) and _within(order, n_points), "indices of missing points")
    starts, ends = nodes["idx_start"], nodes["idx_end"]
    _demand(bool(((starts >= 0) & (starts <= ends) & (ends <= n_points)).all()), "nodes of missing points")
    _demand(bool(nodes["is_leaf"][n_nodes // 2 :].all()), "nodes without children that are no leaves")
    _demand(weights is None or np.shape(weights) == (n_points,), "weights of another size")
    _demand(metric is not None and type(metric).__name__.endswith("Distance64"), "an unknown distance")
    if type(metric).__name__.startswith("Minkowski"):
        _demand(metric.__getstate__()[1].size in (0, n_features), "weights of another number of features")


def _within(indices: Array, count: int) -> bool:
    return bool(indices.min() >= 0 and indices.max() < count) if indices.size else True


def check_predictor(predictor: Any) -> None:
    """A tree of histogram gradient boosting, as far as it tells itself."""
    import numpy as np

    nodes, bitsets = predictor.nodes, predictor.raw_left_cat_bitsets
    _demand(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and nodes.size >= 1, "a tree without nodes")
    _demand(isinstance(bitsets, np.ndarray) and bitsets.ndim == 2, "odd sets of categories")
    _demand(bitsets.shape[1] == _BITSET_WORDS, "sets of categories of another size")
    leaves = nodes["is_leaf"] != 0
    _depth(nodes["left"], nodes["right"], leaves)
    _check_features(nodes["feature_idx"][~leaves], 2**31)
    by_category = nodes[~leaves & (nodes["is_categorical"] != 0)]
    _demand(_within(by_category["bitset_idx"], bitsets.shape[0]), "a node about missing categories")


def check_spline(spline: Any) -> None:
    """A B-spline: enough knots and coefficients for its degree."""
    import numpy as np

    knots, coefficients, degree = np.asarray(spline.t), np.asarray(spline.c), spline.k
    _demand(isinstance(degree, int) and 0 <= degree <= 100, "a spline of an odd degree")
    _demand(knots.ndim == 1 and knots.dtype == np.float64 and bool(np.isfinite(knots).all()), "odd knots")
    _demand(knots.size >= 2 * degree + 2 and bool((np.diff(knots) >= 0).all()), "knots out of order, or too few")
    _demand(coefficients.dtype == np.float64 and coefficients.ndim >= 1, "odd coefficients")
    _demand(coefficients.shape[0] >= knots.size - degree - 1, "too few coefficients")


def check_sparse(matrix: Any) -> None:
    """A sparse matrix: all of its indices lie in it."""
    if matrix.format in ("csr", "csc", "bsr"):
        matrix.check_format(full_check=True)
    elif matrix.format == "coo":
        for indices, count in zip(matrix.coords, matrix.shape, strict=True):
            _demand(_within(indices, count), "indices outside of a sparse matrix")
    else:
        _demand(matrix.format == "dia", f"a sparse matrix of the unknown format {matrix.format}")


def check_estimator(estimator: Any) -> None:
    """An object of scikit-learn: its methods are its own, and what it hands to compiled code fits together."""
    parts = vars(estimator) if hasattr(estimator, "__dict__") else {}
    for name in parts:
        _demand(not callable(getattr(type(estimator), name, None)), f"an attribute in place of the method {name}")
    for kinds, check in _owners():
        if isinstance(estimator, kinds):
            check(estimator, parts)


def _owners() -> Iterable[tuple[type, Callable[[Any, dict[str, Any]], None]]]:
    from sklearn.ensemble import IsolationForest
    from sklearn.ensemble._forest import BaseForest
    from sklearn.ensemble._gb import BaseGradientBoosting
    from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
    from sklearn.svm._base import BaseLibSVM
    from sklearn.tree import BaseDecisionTree

    return (
        (BaseDecisionTree, _check_decision_tree),
        (BaseForest, _check_forest),
        (IsolationForest, _check_isolation_forest),
        (BaseGradientBoosting, _check_gradient_boosting),
        (BaseHistGradientBoosting, _check_hist_gradient_boosting),
        (BaseLibSVM, _check_svm),
    )


def _check_decision_tree(_: Any, parts: dict[str, Any]) -> None:
    if "tree_" in parts:
        _demand(parts["tree_"].n_features == parts["n_features_in_"], "a tree of another number of features")


def _features_of(estimators: Iterable[Any]) -> set[object]:
    return {vars(estimator).get("n_features_in_") for estimator in estimators}


def _check_forest(_: Any, parts: dict[str, Any]) -> None:
    if "estimators_" in parts:
        _demand(_features_of(parts["estimators_"]) <= {parts["n_features_in_"]}, "trees of other features")


def _check_isolation_forest(_: Any, parts: dict[str, Any]) -> None:
    if "estimators_" not in parts:
        return
    whole = parts["_max_features"] == parts["n_features_in_"]
    for tree, chosen in zip(parts["estimators_"], parts["estimators_features_"], strict=True):
        width = parts["n_features_in_"] if whole else len(chosen)
        _demand(_features_of([tree]) == {width}, "a tree of other features")


def _check_gradient_boosting(_: Any, parts: dict[str, Any]) -> None:
    if "estimators_" not in parts:
        return
    trees = parts["estimators_"]
    per_stage = parts.get("n_trees_per_iteration_", parts.get("_n_classes"))
    _demand(trees.ndim == 2 and trees.shape[1] == per_stage, "another number of trees in a stage")
    _demand(_features_of(trees.flat) <= {parts["n_features_in_"]}, "trees of other features")


def _check_hist_gradient_boosting(_: Any, parts: dict[str, Any]) -> None:
    import numpy as np

    if "_predictors" not in parts:
        return
    count = parts["n_features_in_"]
    categorical = np.asarray(parts["_bin_mapper"].is_categorical_, dtype=bool)
    _demand(categorical.shape == (count,) and len(parts["_bin_mapper"].bin_thresholds_) >= count, "other features")
    for stage in parts["_predictors"]:
        for predictor in stage:
            inner = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            _check_features(inner["feature_idx"], count)
            by_category = inner["feature_idx"][inner["is_categorical"] != 0]
            _demand(bool(categorical[by_category].all()), "categories of a feature that has none")
    _check_preprocessor(parts.get("_preprocessor"), count)


def _check_preprocessor(preprocessor: Any, count: int) -> None:
    """What puts the categories first must bring all features: one encoder, and the others as they are."""
    from functools import partial

    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

    if preprocessor is None:
        return
    _demand(type(preprocessor) is ColumnTransformer, "an odd encoder of categories")
    width = 0
    for _, transformer, columns in preprocessor.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        keeps = type(transformer) is FunctionTransformer and isinstance(transformer.func, partial | type(None))
        _demand(keeps or type(transformer) is OrdinalEncoder, "an odd encoder of categories")
        mask = np.asarray(columns)
        _demand(mask.dtype == bool and mask.shape == (count,), "an odd choice of categories")
        width += int(mask.sum())
    _demand(width == count, "an encoder of other features")


def _check_svm(machine: Any, parts: dict[str, Any]) -> None:
    """The sizes that libsvm takes from one array and uses for all."""
    import numpy as np

    if "support_vectors_" not in parts:
        return
    counts, vectors = np.asarray(parts["_n_support"]), parts["support_vectors_"]
    coefficients, support = parts["_dual_coef_"], np.asarray(parts["support_"])
    n_vectors, n_classes = support.size, counts.size
    pairs = n_classes * (n_classes - 1) // 2
    if machine._impl in ("c_svc", "nu_svc"):  # the others do not use the counts
        _demand(bool((counts >= 0).all()) and int(counts.sum()) == n_vectors, "other numbers of support vectors")
    _demand(n_classes >= 2 and coefficients.shape == (n_classes - 1, n_vectors), "odd coefficients")
    stored = coefficients.data.size if parts["_sparse"] else coefficients.size
    _demand(stored == (n_classes - 1) * n_vectors and vectors.shape[0] in (0, n_vectors), "other support vectors")
    _demand(np.size(parts["_intercept_"]) == pairs, "odd intercepts")
    for name in ("_probA", "_probB"):
        _demand(np.size(parts.get(name, ())) in (0, pairs), "odd probabilities")
    _demand(_within(support, parts["shape_fit_"][0]), "missing support vectors")
