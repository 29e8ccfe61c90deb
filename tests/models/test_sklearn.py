"""Estimators saved, logged, registered and loaded again predict the same, and what cannot be saved leaves nothing."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import tracker
from tracker import layout
from tracker.exceptions import (
    AlreadyExistsError,
    ChangedModelError,
    InvalidValueError,
    ModelError,
    NotFoundError,
)
from tracker.models import infer_signature
from tracker.models.mlmodel import Model

X, Y = load_iris(return_X_y=True, as_frame=True)
FORMATS = ("cloudpickle", "pickle", "skops")
ESTIMATORS: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: LogisticRegression(max_iter=300),
    "linear regression": LinearRegression,
    "ridge in a pipeline": lambda: make_pipeline(StandardScaler(), PCA(2), Ridge()),
    "forest": lambda: RandomForestClassifier(n_estimators=5, random_state=0),
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "gradient boosting": lambda: GradientBoostingClassifier(n_estimators=3, random_state=0),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "isolation forest": lambda: IsolationForest(n_estimators=5, random_state=0),
    "support vectors": lambda: SVC(probability=False, random_state=0),
    "neighbours": KNeighborsClassifier,
    "naive Bayes": GaussianNB,
    "network": lambda: MLPClassifier((4,), max_iter=20, random_state=0),
    "clusters": lambda: KMeans(3, n_init=1, random_state=0),
    "search": lambda: GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1.0]}, cv=2),
    "vote": lambda: VotingClassifier([("a", GaussianNB()), ("b", KNeighborsClassifier())]),
    "stack": lambda: StackingClassifier([("a", GaussianNB())], LogisticRegression(max_iter=300), cv=2),
    "columns": lambda: Pipeline(
        [
            ("columns", make_column_transformer((StandardScaler(), list(X.columns[:2])), remainder="passthrough")),
            ("model", GaussianNB()),
        ]
    ),
}
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("store"),
]


class Halves(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator that no library ships."""

    def fit(self, data: Any, target: Any) -> Halves:
        """Remembers the mean."""
        self.mean_ = float(np.asarray(data)[:, 0].mean())
        self.classes_ = np.unique(target)
        return self

    def predict(self, data: Any) -> Any:
        """Whether the first column is above it."""
        return (np.asarray(data)[:, 0] > self.mean_).astype(int)


@pytest.fixture(scope="module")
def model() -> Any:
    """A fitted estimator that is small and quick."""
    return LogisticRegression(max_iter=300).fit(X, Y)


def logged(store: Path) -> list[Path]:
    """The folders of all models in the store, finished or not."""
    return sorted(path.parent for path in store.rglob(layout.MLMODEL_FILE))


@pytest.mark.parametrize("word", FORMATS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_comes_back_and_predicts_the_same(name: str, word: str) -> None:
    """Logged in each format, an estimator predicts the same by itself and as a python_function."""
    model = ESTIMATORS[name]().fit(X, Y)
    info = tracker.sklearn.log_model(model, name="model", serialization_format=word)
    assert np.array_equal(tracker.sklearn.load_model(info.model_uri).predict(X), model.predict(X))
    assert np.array_equal(tracker.pyfunc.load_model(info.model_uri).predict(X), model.predict(X))


@pytest.mark.parametrize("word", FORMATS)
def test_text_and_categories_in_a_pipeline_come_back(word: str) -> None:
    """Encoders and vectorizers, with the words and categories that they learned, come back whole."""
    frame = pd.DataFrame({"text": ["red car", "blue sky", "red sky", "blue car"], "kind": ["a", "b", "a", "b"]})
    columns = ColumnTransformer([("text", TfidfVectorizer(), "text"), ("kind", OneHotEncoder(), ["kind"])])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1, 0, 1])
    info = tracker.sklearn.log_model(model, name="words", serialization_format=word, input_example=frame[:2])
    assert np.array_equal(tracker.pyfunc.load_model(info.model_uri).predict(frame), model.predict(frame))


def test_a_saved_estimator_loads_from_its_path(tmp_path: Path, model: Any) -> None:
    """save_model writes a folder outside of any store, which this process loads without being asked for trust."""
    tracker.sklearn.save_model(model, tmp_path / "saved", input_example=X[:2])
    assert np.array_equal(tracker.sklearn.load_model(tmp_path / "saved").predict(X), model.predict(X))
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == [
        "MLmodel",
        "conda.yaml",
        "input_example.json",
        "manifest.json",
        "model.pkl",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
    ]


def test_a_folder_with_something_in_it_is_not_overwritten(tmp_path: Path, model: Any) -> None:
    """Saving where something lies is refused, and what lies there stays; an empty folder is fine."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AlreadyExistsError, match="taken"):
        tracker.sklearn.save_model(model, tmp_path / "taken")
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["mine.txt"]
    tracker.sklearn.save_model(model, tmp_path / "empty")
    assert tracker.sklearn.load_model(tmp_path / "empty").predict(X).shape == (150,)


def test_the_mlmodel_file_says_what_mlflow_says(store: Path, model: Any) -> None:
    """Flavors, signature and example stand in the MLmodel file as MLflow writes them."""
    info = tracker.sklearn.log_model(model, name="model", input_example=X[:2], metadata={"by": "us"})
    said = Model.load(logged(store)[0])
    assert said.flavors["sklearn"]["pickled_model"] == said.flavors["python_function"]["model_path"] == "model.pkl"
    assert said.flavors["python_function"]["loader_module"] == "mlflow.sklearn"
    assert said.flavors["python_function"]["predict_fn"] == "predict"
    assert said.flavors["sklearn"]["serialization_format"] == "cloudpickle"
    assert said.signature is not None
    assert said.signature.inputs.input_names() == list(X.columns)
    assert (said.run_id, said.artifact_path, said.metadata) == (info.run_id, "model", {"by": "us"})
    assert said.saved_input_example_info == {
        "artifact_path": "input_example.json",
        "pandas_orient": "split",
        "serving_input_path": "serving_input_example.json",
        "type": "dataframe",
    }


@pytest.mark.parametrize("word", ["predict_proba", "predict_log_proba", "decision_function"])
def test_another_method_predicts(word: str, model: Any) -> None:
    """pyfunc_predict_fn= names the method behind predict() of the python_function."""
    info = tracker.sklearn.log_model(model, name="model", pyfunc_predict_fn=word)
    assert np.allclose(tracker.pyfunc.load_model(info.model_uri).predict(X), getattr(model, word)(X))
    assert np.array_equal(tracker.sklearn.load_model(info.model_uri).predict(X), model.predict(X))


def test_a_method_that_is_not_there_is_refused(store: Path, model: Any) -> None:
    """An estimator without the method for predict() is not saved at all."""
    with pytest.raises(InvalidValueError, match="LinearRegression has no method 'predict_proba'"):
        tracker.sklearn.log_model(LinearRegression().fit(X, Y), name="model", pyfunc_predict_fn="predict_proba")
    with pytest.raises(InvalidValueError, match=r"Did you mean .skops"):
        tracker.sklearn.log_model(model, name="model", serialization_format="skop")
    assert logged(store) == []


def test_params_reach_the_method(store: Path) -> None:
    """Params that the method takes are given to it; others are told, and left out."""
    model = GaussianProcessRegressor().fit(X[:20], Y[:20])
    signature = infer_signature(X, params={"return_std": True, "loud": 1})
    info = tracker.sklearn.log_model(model, name="model", signature=signature)
    loaded = tracker.pyfunc.load_model(info.model_uri)
    with pytest.warns(UserWarning, match="'loud': 1"):
        _, deviation = loaded.predict(X[:3])
    with pytest.warns(UserWarning, match="'loud': 2"):
        alone = loaded.predict(X[:3], params={"return_std": False, "loud": 2})
    assert deviation.shape == alone.shape == (3,)
    assert loaded.get_raw_model().predict(X[:3]).shape == (3,)


# Requirements and code


def test_requirements_are_what_the_model_imports(store: Path, model: Any) -> None:
    """requirements.txt pins the libraries of the model, and python_env.yaml refers to it."""
    tracker.sklearn.log_model(model, name="model")
    lines = (logged(store)[0] / "requirements.txt").read_text().splitlines()
    import sklearn

    assert f"scikit-learn=={sklearn.__version__}" in lines
    assert [line.partition("==")[0] for line in lines] == ["cloudpickle", "numpy", "scikit-learn"]


def test_requirements_can_be_given_or_added(store: Path, model: Any) -> None:
    """pip_requirements= takes the place of what was found, extra_pip_requirements= stands beside it."""
    tracker.sklearn.log_model(model, name="given", pip_requirements=["scikit-learn", "numpy<3"])
    tracker.sklearn.log_model(model, name="more", extra_pip_requirements=["tqdm==4.66.1"])
    given, more = (folder / "requirements.txt" for folder in logged(store))
    assert given.read_text().splitlines() == ["scikit-learn", "numpy<3"]
    assert {line.partition("==")[0] for line in more.read_text().splitlines()} >= {"scikit-learn", "tqdm"}


def test_own_classes_travel_as_code(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """code_paths= brings modules along: the model loads where they cannot be imported otherwise."""
    source = tmp_path / "source"
    (source / "own_steps" / "__pycache__").mkdir(parents=True)
    (source / "own_steps" / "__init__.py").write_text("def twice(data):\n    return data * 2\n")
    (source / "own_steps" / "__pycache__" / "old.pyc").write_bytes(b"old")
    (source / "own_file.py").write_text("import own_steps\n\ndef four(data):\n    return own_steps.twice(data) * 2\n")
    monkeypatch.syspath_prepend(source)
    from own_file import four  # type: ignore[import-not-found]

    model = make_pipeline(FunctionTransformer(four), LogisticRegression(max_iter=500)).fit(X, Y)
    info = tracker.sklearn.log_model(
        model, name="model", code_paths=[str(source / "own_file.py"), str(source / "own_steps")]
    )
    folder = logged(store)[0]
    assert sorted(path.relative_to(folder).as_posix() for path in (folder / "code").rglob("*.py*")) == [
        "code/own_file.py",
        "code/own_steps/__init__.py",
    ]
    monkeypatch.undo()
    tracker.set_tracking_uri(store)
    for name in ("own_file", "own_steps"):
        del sys.modules[name]
    before = sys.path[:]
    try:
        loaded = tracker.sklearn.load_model(info.model_uri)
        assert np.array_equal(loaded.predict(X), model.predict(X))
        assert sys.modules["own_file"].__file__ != str(source / "own_file.py")
    finally:
        sys.path[:] = before
        for name in ("own_file", "own_steps"):
            sys.modules.pop(name, None)


def test_code_that_is_not_there_is_told(store: Path, model: Any) -> None:
    """A path of code that does not exist stops log_model, and nothing is left."""
    with pytest.raises(NotFoundError, match="nowhere"):
        tracker.sklearn.log_model(model, name="model", code_paths=["nowhere.py"])
    assert logged(store) == []


# What goes wrong


def test_an_example_that_the_model_does_not_take_is_a_warning(store: Path, model: Any) -> None:
    """With an input example that fails, the model is kept, without a signature, and the reason is told."""
    with pytest.warns(UserWarning, match="No signature was inferred"):
        info = tracker.sklearn.log_model(model, name="model", input_example=pd.DataFrame({"a": [1.0]}))
    assert info.signature is None
    assert np.array_equal(tracker.pyfunc.load_model(info.model_uri).predict(X), model.predict(X))


@pytest.mark.parametrize("word", FORMATS)
def test_what_cannot_be_saved_is_told_and_leaves_nothing(store: Path, word: str) -> None:
    """An estimator with a lock in it cannot be saved: the error says so, and no folder stays."""
    model = LogisticRegression(max_iter=300).fit(X, Y)
    model.lock = threading.Lock()
    with pytest.raises(InvalidValueError, match=r"LogisticRegression|lock"):
        tracker.sklearn.log_model(model, name="model", serialization_format=word)
    run = tracker.active_run()
    assert run is not None
    assert tracker.artifacts.list_artifacts(run_id=run.info.run_id) == []
    assert [path for path in store.rglob("*") if path.name.startswith(layout.ASIDE)] == []


def test_a_lambda_needs_cloudpickle() -> None:
    """Plain pickle cannot hold a lambda, and the error names the format that can."""
    model = make_pipeline(FunctionTransformer(lambda data: data * 2), LinearRegression()).fit(X, Y)
    with pytest.raises(InvalidValueError, match="Try cloudpickle"):
        tracker.sklearn.log_model(model, name="model", serialization_format="pickle")
    info = tracker.sklearn.log_model(model, name="model")
    assert np.allclose(tracker.sklearn.load_model(info.model_uri).predict(X), model.predict(X))


def test_an_unknown_option_is_refused(store: Path, model: Any) -> None:
    """An argument that there is not is an error with the nearest one, before anything is written."""
    with pytest.raises(InvalidValueError, match=r"Did you mean .signature"):
        tracker.sklearn.log_model(model, name="model", signatur=None)  # type: ignore[call-arg]
    assert logged(store) == []


def test_an_own_class_is_not_for_skops(store: Path) -> None:
    """The safe format holds vetted types only: an estimator of one's own is refused when it is saved, by name."""
    model = Halves().fit(X, Y)
    with pytest.raises(InvalidValueError, match=r"Halves.* cloudpickle"):
        tracker.sklearn.log_model(model, name="model", serialization_format="skops")
    assert logged(store) == []
    info = tracker.sklearn.log_model(model, name="model")
    assert np.array_equal(tracker.sklearn.load_model(info.model_uri).predict(X), model.predict(X))


def test_the_wrong_flavor_is_told(model: Any) -> None:
    """A Python model is no estimator: the error names the flavors that it has."""
    info = tracker.pyfunc.log_model(name="model", python_model=lambda model_input: model_input)
    with pytest.raises(ModelError, match="no sklearn model: it has the flavors python_function"):
        tracker.sklearn.load_model(info.model_uri)


def test_a_changed_file_is_named(store: Path, model: Any) -> None:
    """A model whose file was changed after it was logged does not load, and the error names the file."""
    info = tracker.sklearn.log_model(model, name="model")
    (logged(store)[0] / "model.pkl").write_bytes(b"something else")
    for load in (tracker.sklearn.load_model, tracker.pyfunc.load_model):
        with pytest.raises(ChangedModelError, match=r"model\.pkl"):
            load(info.model_uri)


def test_loading_says_when_versions_differ(store: Path, model: Any) -> None:
    """A model that was saved with other versions warns, unless it is told to be quiet."""
    info = tracker.sklearn.log_model(model, name="model", pip_requirements=["scikit-learn==0.1", "numpy"])
    with pytest.warns(UserWarning, match=r"scikit-learn 0\.1, here"):
        tracker.pyfunc.load_model(info.model_uri)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tracker.pyfunc.load_model(info.model_uri, suppress_warnings=True)
