"""What MLflow has beside log_model and load_model: facts, requirements, refusals, and whose line a warning names."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

import tracker
from tracker.exceptions import InvalidValueError

MODEL = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])


def test_facts_of_a_model_by_uri_and_by_path(store: Path) -> None:
    """get_model_info tells what log_model told; Model.load has the MLmodel file."""
    info = tracker.sklearn.log_model(MODEL, name="line", registered_model_name="line")
    folder = tracker.artifacts.download_artifacts(info.model_uri)
    for uri in (info.model_uri, "models:/line/1", folder):
        found = tracker.models.get_model_info(uri)
        assert (found.digest, found.model_id, found.name, found.run_id) == (
            info.digest,
            info.model_id,
            "line",
            info.run_id,
        )
        assert tracker.models.Model.load(uri) == found.model


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("set_signature", r"log it again with signature="),
        ("predict", "tracker models predict"),
        ("build_docker", "tracker models dockerfile"),
        ("get_model_inf", 'Did you mean "get_model_info"'),
    ],
)
def test_what_is_not_there_says_what_to_use(name: str, instead: str) -> None:
    """Models are not changed, since their digests would be."""
    with pytest.raises(AttributeError, match=instead):
        getattr(tracker.models, name)


def test_default_requirements_of_scikit_learn(store: Path) -> None:
    """They are pinned, and an environment of conda made of them can be given back."""
    import sklearn

    pinned = f"scikit-learn=={sklearn.__version__}"
    assert tracker.sklearn.get_default_pip_requirements() == [pinned]
    also = tracker.sklearn.get_default_pip_requirements(include_cloudpickle=True, include_skops=True)
    assert [line.partition("==")[0] for line in also] == ["cloudpickle", "scikit-learn", "skops"]
    conda = tracker.sklearn.get_default_conda_env()
    assert conda["dependencies"][-1] == {"pip": [pinned]}
    info = tracker.sklearn.log_model(MODEL, conda_env=conda)
    folder = Path(tracker.artifacts.download_artifacts(info.model_uri))
    assert (folder / "requirements.txt").read_text() == f"{pinned}\n"


@pytest.mark.parametrize("thing", [{"a": 1}, 1, None, "model", LinearRegression], ids=str)
def test_what_is_no_estimator_is_refused(thing: object, store: Path) -> None:
    """By what it is, with where it belongs; nothing is left in the run."""
    with tracker.start_run() as run:
        with pytest.raises(InvalidValueError, match=r"no estimator.*tracker\.pyfunc"):
            tracker.sklearn.log_model(thing)
        assert list(run.artifact_folder.rglob("*")) == []


def test_warnings_name_the_line_of_the_script(store: Path) -> None:
    """Of an example that does not fit, of a second model of a name, of params that are unknown."""
    with tracker.start_run(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        info = tracker.sklearn.log_model(MODEL, input_example=["text"])
        tracker.sklearn.log_model(MODEL)
        tracker.pyfunc.load_model(info.model_uri).predict([[1.0]], params={"x": 1})
    ours = [found for found in caught if "tracker" in str(found.message) or found.filename == __file__]
    assert [Path(found.filename).name for found in ours] == [Path(__file__).name] * len(ours)
    texts = " ".join(str(found.message) for found in ours)
    assert all(part in texts for part in ("No signature was inferred", "has logged 'model' before", "params"))
