"""The file of an XGBoost model, checked before XGBoost reads it.

XGBoost takes the numbers in its files on trust: a child, a feature or a category that does not exist makes it read
memory that is not its own. What passes here describes trees. It is asked of models that nobody vouched for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tracker.exceptions import ModelError, UntrustedModelError
from tracker.models.ubjson import DEEPEST, read_ubjson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST = 2**31 - 1
_LARGEST_CATEGORY = 2**24
_BY_NODE = (
    *("base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children"),
    *("split_conditions", "split_indices", "split_type", "sum_hessian"),
)


class _UncheckedError(Exception):
    """Something that is not looked into."""


def check_model(data: bytes, *, where: str) -> None:
    """ModelError unless the bytes are a whole model, as JSON or UBJSON, whose trees hang together.

    `where` names the file. UntrustedModelError for the rarer kinds that are not looked into.
    """
    try:
        _check_learner(_read(data)["learner"])
    except _UncheckedError as error:
        raise UntrustedModelError(
            f"{where} was not loaded: it holds {error}, which cannot be checked, and XGBoost may crash on a file that "
            "was made to. If you trust where it is from, load it with trust=True."
        ) from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{where} is no XGBoost model, or a damaged one: {reason}. It was not given to it.") from None


def _read(data: bytes) -> Any:
    if data[1:2] == b"L":
        return read_ubjson(data)
    value = json.loads(data, object_pairs_hook=_once)
    _check_depth(value, DEEPEST)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _check_depth(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        for part in value.values():
            _check_depth(part, depth - 1)
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        for part in value:
            _check_depth(part, depth - 1)


def _check_learner(learner: Mapping[str, Any]) -> None:
    params, booster = learner["learner_model_param"], learner["gradient_booster"]
    features, classes = _number(params["num_feature"]), _number(params["num_class"])
    targets = _number(params.get("num_target", 1))
    named = [_number(part["num_class"]) for part in learner["objective"].values() if _has(part, "num_class")]
    if any(number != classes for number in named):
        raise ValueError("its classes do not fit together")
    for name in ("feature_names", "feature_types"):
        if len(learner.get(name, ())) not in (0, features):
            raise ValueError(f"{name} are not as many as the features")
    kind = booster["name"]
    if kind == "gblinear":
        if len(booster["model"]["weights"]) != (features + 1) * max(classes, targets, 1):
            raise ValueError("its weights are not as many as the features")
        return
    if kind not in ("gbtree", "dart"):
        raise ValueError(f"{kind!r:.50} is no kind of booster")
    model = booster["model"] if kind == "gbtree" else booster["gbtree"]["model"]
    if kind == "dart" and len(booster["weight_drop"]) != len(model["trees"]):
        raise ValueError("its weights are not as many as its trees")
    _check_trees(model, features, max(classes, targets, 1))


def _has(part: Any, name: str) -> bool:
    return isinstance(part, dict) and name in part


def _check_trees(model: Mapping[str, Any], features: int, groups: int) -> None:
    import numpy as np

    trees = model["trees"]
    if model.get("cats", {}).get("enc"):
        raise _UncheckedError("the categories of a DataFrame")
    if _number(model["gbtree_model_param"]["num_trees"]) != len(trees):
        raise ValueError("its trees are not as many as it says")
    _check_range(_ints(model["tree_info"], len(trees)), 0, groups, "the group of a tree")
    rounds = _ints(model.get("iteration_indptr", [0, len(trees)]))
    if not len(rounds) or rounds[0] != 0 or rounds[-1] != len(trees) or (np.diff(rounds) < 0).any():
        raise ValueError("its rounds do not fit to its trees")
    for number, tree in enumerate(trees):
        if _number(tree.get("id", number)) != number:
            raise ValueError(f"tree {number} has another number")
        _check_tree(tree, features, number)


def _check_tree(tree: Mapping[str, Any], features: int, number: int) -> None:
    import numpy as np

    param = tree["tree_param"]
    nodes = _number(param["num_nodes"])
    if _number(param.get("size_leaf_vector", 1)) > 1:
        raise _UncheckedError("trees with several outputs")
    if nodes < 1 or _number(param["num_deleted"]) >= nodes or _number(param.get("num_feature", features)) > features:
        raise ValueError(f"tree {number} is not of the size that it says")
    for name in _BY_NODE:
        if len(tree[name]) != nodes:
            raise ValueError(f"{name} of tree {number} are not as many as its nodes")
    left, right = _ints(tree["left_children"]), _ints(tree["right_children"])
    inner = left != -1
    if ((right != -1) != inner).any():
        raise ValueError(f"a node of tree {number} has one child")
    children = np.concatenate([left[inner], right[inner]])
    _check_range(children, 1, nodes, f"a child in tree {number}")
    if len(np.unique(children)) != len(children):
        raise ValueError(f"the nodes of tree {number} are no tree")
    parents = _ints(tree["parents"])
    if (parents[children] != np.tile(np.flatnonzero(inner), 2)).any():
        raise ValueError(f"the nodes of tree {number} do not agree about their parents")
    _check_range(_ints(tree["split_indices"])[inner], 0, features, f"a feature in tree {number}")
    _check_categories(tree, np.flatnonzero(inner & (_ints(tree["split_type"]) == 1)), nodes, number)


def _check_categories(tree: Mapping[str, Any], wanted: NDArray[np.int64], nodes: int, number: int) -> None:
    """Each node that asks for a category has its set, inside of the list of all."""
    import numpy as np

    owners, categories = _ints(tree["categories_nodes"]), _ints(tree["categories"])
    starts, sizes = (_ints(tree[name], len(owners)) for name in ("categories_segments", "categories_sizes"))
    _check_range(categories, 0, _LARGEST_CATEGORY, f"a category in tree {number}")
    _check_range(owners, 0, nodes, f"a node in tree {number}")
    ends = np.cumsum(sizes)
    if (sizes < 0).any() or (starts != ends - sizes).any() or (ends[-1] if len(ends) else 0) != len(categories):
        raise ValueError(f"the categories of tree {number} are no sets")
    if (np.diff(owners) <= 0).any() or not np.isin(wanted, owners).all():
        raise ValueError(f"the categories of tree {number} do not fit to its nodes")


def _check_range(values: NDArray[np.int64], start: int, end: int, what: str) -> None:
    if values.size and not ((values >= start) & (values < end)).all():
        raise ValueError(f"{what} does not exist")


def _number(value: Any) -> int:
    found = int(value)
    if not 0 <= found <= _MOST:
        raise ValueError("a number is too large")
    return found


def _ints(values: Any, count: int | None = None) -> NDArray[np.int64]:
    import numpy as np

    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iub") or (count is not None and len(found) != count):
        raise ValueError("a list is not of whole numbers, or not of the right length")
    return found.astype(np.int64)
