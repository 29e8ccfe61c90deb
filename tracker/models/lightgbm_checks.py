"""The text of a LightGBM model, checked before LightGBM reads it.

LightGBM takes the numbers in such a file on trust: a cut file ends the process, and a child, a feature or a class that
does not exist makes it read and write memory that is not its own. What passes here describes trees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tracker.exceptions import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIRST = b"\nTree="
_SETTINGS = re.compile(r"\nparameters:\n(.*?)\nend of parameters\n", re.DOTALL)
_SETTING = re.compile(r"(\[\w+: [^\n]*\])?")
_LARGEST = 2**31 - 1


def check_text(data: bytes, *, where: str) -> None:
    """ModelError unless the bytes are a whole model whose trees hang together. `where` names the file."""
    try:
        _check(data)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{where} is no LightGBM model, or a damaged one: {reason}. It was not given to it.") from None


def check_state(state: object) -> None:
    """The same for what a booster in a skops file is made of: its text among its attributes. ValueError otherwise."""
    text = state.get("_handle", state.get("handle")) if isinstance(state, dict) else None
    if not isinstance(text, str):
        raise ValueError("a booster of LightGBM has no text")
    _check(text.encode())


def _check(data: bytes) -> None:
    if b"\0" in data:
        raise ValueError("it holds a zero byte")
    start = data.find(_FIRST) + 1
    if not start or not data.startswith(b"tree\n"):
        raise ValueError("it does not begin as one")
    header = _fields(data[len(b"tree\n") : start])
    features = _one(header, "max_feature_idx") + 1
    sizes = _ints(header, "tree_sizes")
    _check_classes(header, len(sizes))
    for name in ("feature_names", "feature_infos"):
        if len(header[name].split()) != features:
            raise ValueError(f"{name} are not as many as the features")
    for number, size in enumerate(sizes.tolist()):
        block = data[start : start + size]
        if size <= 0 or not block.startswith(f"Tree={number}\n".encode()):
            raise ValueError(f"tree {number} is not where the header says")
        _check_tree(_fields(block), features, number)
        start += size
    rest = data[start:].lstrip().decode()
    settings = _SETTINGS.search(rest)
    if not rest.startswith("end of trees") or settings is None:
        raise ValueError("it ends in the middle")
    if not all(_SETTING.fullmatch(line) for line in settings[1].splitlines()):
        raise ValueError("its parameters are not written as LightGBM writes them")


def _fields(text: bytes) -> dict[str, str]:
    """Lines such as `num_leaves=4`, each name once; a line without a value stands for itself."""
    found: dict[str, str] = {}
    for line in text.decode().splitlines():
        name, _, value = line.partition("=")
        if name and name in found:
            raise ValueError(f"{name} stands there twice")
        found[name] = value
    return found


def _check_classes(header: Mapping[str, str], trees: int) -> None:
    classes, together = _one(header, "num_class"), _one(header, "num_tree_per_iteration")
    named = [
        int(word.partition(":")[2]) for word in header.get("objective", "").split() if word.startswith("num_class:")
    ]
    if classes < 1 or classes != together or trees % together or any(number != classes for number in named):
        raise ValueError("its classes and its trees do not fit together")


def _check_tree(tree: Mapping[str, str], features: int, number: int) -> None:
    import numpy as np

    leaves, categorical = _one(tree, "num_leaves"), _one(tree, "num_cat")
    if leaves < 1 or categorical < 0:
        raise ValueError(f"tree {number} has no leaves")
    for name in ("leaf_value", "leaf_weight", "leaf_count"):
        if tree.get(name) or name == "leaf_value":
            _sized(tree, name, leaves)
    if leaves > 1:
        for name in ("threshold", "internal_value", "internal_weight", "internal_count", "split_gain", "decision_type"):
            if tree.get(name) or name == "threshold":
                _sized(tree, name, leaves - 1)
        _check_children(tree, leaves, number)
        _check_range(_ints(tree, "split_feature", leaves - 1), features, f"a feature in tree {number}")
        _check_categories(tree, leaves, categorical, number)
    if int(tree.get("is_linear") or 0):
        counts = _ints(tree, "num_features", leaves)
        _check_range(counts, features + 1, f"a count in tree {number}")
        _sized(tree, "leaf_const", leaves)
        _sized(tree, "leaf_coeff", int(np.sum(counts)))
        _check_range(_ints(tree, "leaf_features", int(np.sum(counts))), features, f"a feature in tree {number}")


def _check_children(tree: Mapping[str, str], leaves: int, number: int) -> None:
    """Each node but the first, and each leaf, is the child of exactly one node that comes before it."""
    import numpy as np

    left, right = (_ints(tree, name, leaves - 1) for name in ("left_child", "right_child"))
    wanted = np.concatenate([np.arange(-leaves, 0), np.arange(1, leaves - 1)])
    parents = np.arange(leaves - 1)
    both = np.sort(np.concatenate([left, right]))
    if not np.array_equal(both, wanted) or any(((side >= 0) & (side <= parents)).any() for side in (left, right)):
        raise ValueError(f"the nodes of tree {number} are no tree")


def _check_categories(tree: Mapping[str, str], leaves: int, count: int, number: int) -> None:
    """Nodes that compare with a set of categories name one that exists."""
    import numpy as np

    kinds = _ints(tree, "decision_type", leaves - 1) if tree.get("decision_type") else np.zeros(leaves - 1, dtype=int)
    named = np.asarray([float(word) for word in tree["threshold"].split()])[(kinds & 1) == 1]
    _check_range(named, count, f"a set of categories in tree {number}")
    if count:
        ends = _ints(tree, "cat_boundaries", count + 1)
        if ends[0] != 0 or (np.diff(ends) < 0).any():
            raise ValueError(f"the categories of tree {number} are no sets")
        _sized(tree, "cat_threshold", int(ends[-1]))


def _check_range(values: NDArray[np.generic], end: int, what: str) -> None:
    if values.size and not ((values >= 0) & (values < end)).all():  # type: ignore[operator]
        raise ValueError(f"{what} does not exist")


def _one(fields: Mapping[str, str], name: str) -> int:
    value = int(fields[name])
    if abs(value) > _LARGEST:
        raise ValueError(f"{name} is too large")
    return value


def _ints(fields: Mapping[str, str], name: str, count: int | None = None) -> NDArray[np.int64]:
    import numpy as np

    values = np.asarray([int(word) for word in fields[name].split()], dtype=np.int64)
    if count is not None and len(values) != count:
        raise ValueError(f"{name} has {len(values)} numbers in place of {count}")
    return values


def _sized(fields: Mapping[str, str], name: str, count: int) -> None:
    found = len(fields[name].split())
    if found != count:
        raise ValueError(f"{name} has {found} numbers in place of {count}")
