"""Skops files: honest ones load, vetted types are looked at, and nothing leads out of its arrays."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from tests.models import hostile_skops
from tests.models.hostile_skops import archive_of, inside, node, schema, sequence, text
from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError, UntrustedModelError
from tracker.models.skops_files import dump_skops, load_skops, trusted_types_needed, types_refused
from tracker.models.skops_types import VETTED

RNG = np.random.RandomState(0)
DATA = RNG.rand(60, 4)
CLASSES = np.arange(60) % 3
NUMBERS = DATA[:, 0] + 1


def fitted(name: str, target: Any = CLASSES, data: Any = DATA, **arguments: Any) -> Any:
    """An estimator by its path, fitted."""
    module, _, kind = name.rpartition(".")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(importlib.import_module(f"sklearn.{module}"), kind)(**arguments).fit(data, target)


def variants() -> dict[str, Callable[[], Any]]:
    """Estimators whose options bring other types than their defaults."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.feature_selection import chi2
    from sklearn.gaussian_process import kernels
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score, make_scorer
    from sklearn.model_selection import RepeatedStratifiedKFold

    frame = pd.DataFrame(DATA[:, :2], columns=["a", "b"]).assign(c=pd.Categorical(["u", "v", "w"] * 20))
    search = {"estimator": LogisticRegression(), "param_grid": {"C": [1, 2]}}
    columns = ColumnTransformer([("n", "passthrough", make_column_selector(dtype_include="number"))])
    scorers = {"a": "accuracy", "f": make_scorer(f1_score, average="macro")}
    kernel = kernels.Matern() * kernels.ConstantKernel() + kernels.WhiteKernel() + kernels.DotProduct() ** 2
    hgb = "ensemble.HistGradientBoosting"
    return {
        "search by accuracy": lambda: fitted("model_selection.GridSearchCV", scoring="accuracy", **search),
        "search by two": lambda: fitted("model_selection.GridSearchCV", scoring=scorers, refit="a", **search),
        "repeated folds": lambda: fitted(
            "model_selection.GridSearchCV", cv=RepeatedStratifiedKFold(n_splits=2), **search
        ),
        "kernels": lambda: fitted("gaussian_process.GaussianProcessRegressor", NUMBERS, kernel=kernel),
        "categories": lambda: fitted(f"{hgb}Classifier", data=frame, max_iter=3, categorical_features="from_dtype"),
        "quantiles": lambda: fitted(f"{hgb}Regressor", NUMBERS, loss="quantile", quantile=0.4, max_iter=3),
        "columns": lambda: columns.fit(frame),
        "ball tree": lambda: fitted("neighbors.KNeighborsClassifier", algorithm="ball_tree", metric="manhattan"),
        "weighted Minkowski": lambda: fitted("neighbors.KNeighborsClassifier", p=3, metric_params={"w": np.ones(4)}),
        "sparse machine": lambda: fitted("svm.SVC", data=scipy.sparse.csr_matrix(DATA)),
        "precomputed machine": lambda: fitted("svm.SVC", data=DATA @ DATA.T, kernel="precomputed"),
        "sparse neighbors": lambda: fitted("neighbors.KNeighborsClassifier", data=scipy.sparse.csr_matrix(DATA)),
        "chi2": lambda: fitted("feature_selection.SelectKBest", score_func=chi2, k=2),
        "median": lambda: fitted("cluster.FeatureAgglomeration", pooling_func=np.median),
        "logarithm": lambda: fitted("preprocessing.FunctionTransformer", func=np.log1p, inverse_func=np.expm1),
        "pruned tree": lambda: fitted("tree.DecisionTreeRegressor", NUMBERS, ccp_alpha=0.01),
        "two outputs": lambda: fitted("ensemble.RandomForestClassifier", np.c_[CLASSES, CLASSES], n_estimators=3),
        "some features": lambda: fitted("ensemble.IsolationForest", n_estimators=3, max_features=2),
        "bagged trees": lambda: fitted("ensemble.BaggingClassifier", n_estimators=3, max_features=2),
        "isotonic": lambda: fitted("calibration.CalibratedClassifierCV", method="isotonic"),
        "periodic spline": lambda: fitted("preprocessing.SplineTransformer", extrapolation="periodic", degree=2),
        "Tweedie": lambda: fitted("linear_model.TweedieRegressor", NUMBERS, power=1.5),
    }


@pytest.mark.parametrize("name", variants())
def test_options_bring_no_type_that_is_refused(name: str) -> None:
    """Estimators with other options than their defaults load without asking, too."""
    model = variants()[name]()
    data = dump_skops(model)
    assert types_refused(data) == ()
    loaded = load_skops(data, where=name)
    for method in ("predict", "transform"):
        if hasattr(model, method) and name not in ("categories", "columns", "sparse machine", "precomputed machine"):
            ours, theirs = getattr(model, method)(DATA), getattr(loaded, method)(DATA)
            assert np.array_equal(ours, theirs, equal_nan=True)


@pytest.mark.parametrize("name", VETTED)
def test_vetted_types_have_a_reason(name: str) -> None:
    """Each type on the list says why it is there, and none reaches the system."""
    vetted = VETTED[name]
    assert len(vetted.reason) > 20 and vetted.loaders
    known = ("functools.partial", "collections.OrderedDict")
    assert name.split(".")[0] in ("sklearn", "numpy", "scipy", "lightgbm") or name in known
    assert not {"os", "sys", "subprocess", "builtins", "operator", "stats"} & set(name.split("."))
    if set(vetted.loaders) & {"ConstructorFromReduceNode", "OperatorFuncNode", "MethodNode"}:
        pytest.fail("these call what they name with arguments of the file")


def test_types_are_told_without_loading(tmp_path: Path) -> None:
    """The types of a file are listed by a process that never imports skops or scikit-learn."""
    (tmp_path / "m.skops").write_bytes(dump_skops(fitted("tree.DecisionTreeClassifier")))
    program = (
        "import sys; from pathlib import Path; from tracker.models.skops_files import types_in\n"
        f"print(*types_in(Path({str(tmp_path / 'm.skops')!r}).read_bytes()))\n"
        "assert not {'skops', 'sklearn', 'numpy'} & set(sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"sklearn.tree._classes.DecisionTreeClassifier", "sklearn.tree._tree.Tree"} <= set(answer.stdout.split())


def test_what_mlflow_has_to_be_told_is_known() -> None:
    """The list for MLflow has the types that skops itself refuses, and only those."""
    assert trusted_types_needed(dump_skops(fitted("tree.DecisionTreeClassifier"))) == ("sklearn.tree._tree.Tree",)
    assert trusted_types_needed(dump_skops(fitted("linear_model.LogisticRegression"))) == ()


class Own:
    """A class of a user, which no list knows."""

    def __init__(self) -> None:
        self.fitted = True


def test_further_types_are_trusted_by_name() -> None:
    """A type of one's own is refused with its name, and loaded when the caller gives that name."""
    data = dump_skops(Own())
    name = f"{Own.__module__}.Own"
    with pytest.raises(UntrustedModelError, match=rf"^m\.skops was not loaded: it names {name}, .*also_trusted="):
        load_skops(data, where="m.skops")
    assert types_refused(data) == (name,)
    assert load_skops(data, where="m.skops", also_trusted=[name]).fitted


def test_the_list_of_a_model_changes_nothing() -> None:
    """Trust that a file claims for itself is not read."""
    file = archive_of({**schema(inside(node("FunctionNode", "os", "system"))), "trusted": ["os.system"]})
    assert types_refused(file) == ("os.system",)


def test_a_vetted_type_is_refused_in_another_form() -> None:
    """A vetted type may only stand where skops writes it: its constructor is not called with what a file says."""
    made = node("ConstructorFromReduceNode", "sklearn.neighbors._kd_tree", "KDTree", content=sequence(text([[1.0]])))
    with pytest.raises(UntrustedModelError, match=r"KDTree \(as ConstructorFromReduceNode\)"):
        load_skops(archive_of(schema(made)), where="x")


def test_what_cannot_be_stored_is_said() -> None:
    """An object that skops has no form for is refused on saving, with the way out."""
    with pytest.raises(InvalidValueError, match=r"Birch cannot be stored with skops: .*'cloudpickle'"):
        dump_skops(fitted("cluster.Birch"))


def test_a_missing_skops_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without skops, loading and saving say what to install."""
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    for act in (lambda: dump_skops(1), lambda: load_skops(b"", where="x")):
        with pytest.raises(MissingPackageError, match=r'Run: pip install "skops>=0\.16"'):
            act()


def test_a_missing_package_of_a_type_is_named() -> None:
    """A trusted type whose package is missing points at the package."""
    file = archive_of(schema(node("ObjectNode", "umap.umap_", "UMAP")))
    with pytest.raises(MissingPackageError, match='"umap-learn"'):
        load_skops(file, where="x", also_trusted=["umap.umap_.UMAP"])


@pytest.mark.parametrize("name", hostile_skops.bombs())
def test_bombs_do_not_go_off(name: str) -> None:
    """Archives that grow, nest or promise too much are refused before they are unpacked."""
    with pytest.raises(ModelError, match=r"^m\.skops .+"):
        load_skops(hostile_skops.bombs()[name], where="m.skops")


def test_damage_is_never_more_than_an_error() -> None:
    """Flipped bytes give the estimator or a ModelError, never another exception."""
    data = bytearray(dump_skops(fitted("tree.DecisionTreeClassifier", max_depth=2)))
    outcomes = set()
    for place in range(0, len(data), max(1, len(data) // 200)):
        data[place] ^= 0x55
        try:
            outcomes.add(type(load_skops(bytes(data), where="x")).__name__)
        except ModelError:
            outcomes.add("refused")
        data[place] ^= 0x55
    assert "refused" in outcomes
    assert outcomes <= {"refused", "DecisionTreeClassifier"}


def of_tree(**changes: Any) -> Callable[[Any], None]:
    """Spoil the state of the decision tree of an estimator."""

    def spoil(model: Any) -> None:
        tree = (
            model.tree_ if hasattr(model, "tree_") else np.ravel(np.asarray(model.estimators_, dtype=object))[0].tree_
        )
        state = tree.__getstate__()
        for key, value in changes.items():
            if key in state["nodes"].dtype.names:
                state["nodes"][key][0] = value
            else:
                state[key] = value
        tree.__setstate__(state)

    return spoil


def of_state(place: int, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Spoil one part of the state of the tree of a neighbors model."""

    def spoil(model: Any) -> None:
        state = list(model._tree.__getstate__())
        state[place] = change(state[place])
        model._tree.__setstate__(tuple(state))

    return spoil


def field(name: str, value: int) -> Callable[[Any], Any]:
    """The array with one field of its first record changed."""

    def change(array: Any) -> Any:
        array = array.copy()
        array[name][0] = value
        return array

    return change


def attribute(name: str, value: Any) -> Callable[[Any], None]:
    """Set an attribute, to what a function makes of the old value where it is one."""
    made = isinstance(value, FunctionType)
    return lambda model: setattr(model, name, value(getattr(model, name)) if made else value)


def of_predictor(name: str, value: int) -> Callable[[Any], None]:
    """Spoil the root of the first tree of histogram gradient boosting."""

    def spoil(model: Any) -> None:
        model._predictors[0][0].nodes[name][0] = value

    return spoil


def of_spline(**changes: Any) -> Callable[[Any], None]:
    """Spoil the attributes of a spline, whatever scipy calls them."""

    def spoil(model: Any) -> None:
        spline = model.bsplines_[0]
        for key, value in changes.items():
            name = key if key in vars(spline) else f"_{key}"
            setattr(spline, name, value(vars(spline)[name]) if callable(value) else value)

    return spoil


TREE, FOREST = "tree.DecisionTreeClassifier", "ensemble.RandomForestClassifier"
NEIGHBORS, HGB = "neighbors.KNeighborsClassifier", "ensemble.HistGradientBoostingClassifier"
SPOILT: dict[str, tuple[str, Callable[[Any], None]]] = {
    "a feature that is missing": (TREE, of_tree(feature=4)),
    "a huge feature": (TREE, of_tree(feature=10**9)),
    "a negative feature": (TREE, of_tree(feature=-5)),
    "a child outside": (TREE, of_tree(left_child=10**6)),
    "a negative child": (TREE, of_tree(right_child=-7)),
    "a loop": (TREE, of_tree(left_child=0)),
    "a shallow depth": (TREE, of_tree(max_depth=0)),
    "a huge depth": (TREE, of_tree(max_depth=10**6)),
    "another width": (TREE, attribute("n_features_in_", 2)),
    "no look at the data": (FOREST, attribute("_validate_X_predict", np.positive)),
    "a forest of another width": (FOREST, attribute("n_features_in_", 2)),
    "a tree in a forest": (FOREST, of_tree(feature=99)),
    "boosted trees of another width": ("ensemble.GradientBoostingClassifier", attribute("n_features_in_", 2)),
    "fewer columns of trees": ("ensemble.GradientBoostingClassifier", attribute("n_trees_per_iteration_", 1)),
    "an isolated tree": (
        "ensemble.IsolationForest",
        lambda model: vars(model).update(n_features_in_=2, _max_features=2),
    ),
    "a point outside": (NEIGHBORS, of_state(1, lambda order: order + 1)),
    "a negative point": (NEIGHBORS, of_state(1, lambda order: order - 1)),
    "a node of missing points": (NEIGHBORS, of_state(2, field("idx_end", 10**6))),
    "a node that ends before it starts": (NEIGHBORS, of_state(2, field("idx_start", 61))),
    "a leaf with children": (NEIGHBORS, of_state(2, field("is_leaf", 0))),
    "too many levels": (NEIGHBORS, of_state(5, lambda _: 20)),
    "too many neighbor nodes": (NEIGHBORS, of_state(6, lambda _: 1000)),
    "fewer bounds": (NEIGHBORS, of_state(3, lambda bounds: np.ascontiguousarray(bounds[:, :, :1]))),
    "a histogram feature outside": (HGB, of_predictor("feature_idx", 99)),
    "a histogram child outside": (HGB, of_predictor("left", 10**6)),
    "a histogram loop": (HGB, of_predictor("right", 0)),
    "a category that is missing": (HGB, of_predictor("is_categorical", 1)),
    "more support vectors": ("svm.SVC", attribute("_n_support", lambda counts: counts * 100)),
    "negative support vectors": (
        "svm.SVC",
        attribute("_n_support", lambda counts: counts * np.array([-1, 1, 1], "i4")),
    ),
    "fewer coefficients": ("svm.SVC", attribute("_dual_coef_", lambda values: values[:1].copy())),
    "fewer intercepts": ("svm.SVC", attribute("_intercept_", lambda values: values[:1].copy())),
    "another kind of machine": ("svm.SVR", attribute("_impl", "c_svc")),
    "fewer spline coefficients": ("preprocessing.SplineTransformer", of_spline(c=lambda values: values[:1].copy())),
    "a huge degree": ("preprocessing.SplineTransformer", of_spline(k=50)),
    "knots out of order": ("preprocessing.SplineTransformer", of_spline(t=lambda knots: knots[::-1].copy())),
}


@pytest.mark.parametrize("name", SPOILT)
def test_nothing_leads_out_of_its_arrays(name: str) -> None:
    """Indices, sizes and depths that compiled code would follow out of its arrays are refused."""
    path, spoil = SPOILT[name]
    options = {"n_estimators": 3} if path.startswith("ensemble") and "Hist" not in path else {}
    model = fitted(path, max_iter=3) if "Hist" in path else fitted(path, **options)
    assert type(load_skops(dump_skops(model), where="x")) is type(model)
    spoil(model)
    with pytest.raises(ModelError, match=r"^m\.skops could not be loaded: .+ It is damaged, was changed"):
        load_skops(dump_skops(model), where="m.skops")


@pytest.mark.parametrize(
    ("key", "value"),
    [("node_count", 10**6), ("node_count", 0), ("node_count", 1.5), ("max_depth", -1), ("max_depth", "x")],
)
def test_numbers_beside_the_arrays_are_compared_with_them(key: str, value: object) -> None:
    """A tree that claims more or fewer nodes than it has is refused before it is made: it could not even be shown."""
    with zipfile.ZipFile(BytesIO(dump_skops(fitted(TREE)))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    described = json.loads(members.pop("schema.json"))
    described["content"]["content"]["tree_"]["content"]["content"][key] = text(value)
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in {**members, "schema.json": json.dumps(described).encode()}.items():
            archive.writestr(name, data)
    with pytest.raises(ModelError, match=r"^m\.skops could not be loaded"):
        load_skops(stream.getvalue(), where="m.skops")


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr"])
def test_sparse_matrices_hold_their_indices(kind: str) -> None:
    """A sparse matrix whose indices lie outside of it is refused."""
    matrix = scipy.sparse.csr_matrix(np.eye(4)).asformat(kind)
    model = fitted("preprocessing.StandardScaler")
    model.extra = matrix
    assert (load_skops(dump_skops(model), where="x").extra != matrix).nnz == 0
    (matrix.indices if hasattr(matrix, "indices") else matrix.coords[0])[0] = 99
    with pytest.raises(ModelError):
        load_skops(dump_skops(model), where="x")


def test_files_are_compressed_and_read_by_skops_itself() -> None:
    """A file is smaller than its parts, and plain skops reads it with the list that we give MLflow."""
    import skops.io

    data = dump_skops(fitted(FOREST, n_estimators=5))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert sum(member.file_size for member in archive.infolist()) > 2 * len(data)
    assert skops.io.loads(data, trusted=list(trusted_types_needed(data))).predict(DATA).shape == (60,)
