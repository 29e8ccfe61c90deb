"""Models to serve: those of the corpus, and a real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.models import ModelSignature, infer_signature
from tracker.opening import inspect_model
from tracker.serving.app import make_app
from tracker.serving.page import About

from . import corpus


class CorpusModel(tracker.pyfunc.PythonModel):
    """A model of the corpus."""

    def __init__(self, name: str) -> None:
        self.name = name

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return corpus.predict(self.name, model_input, params)


Ask = Callable[..., corpus.Answer]


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """The application around a model of the corpus, which was saved and loaded."""
    folder = tmp_path_factory.mktemp("corpus")

    @cache
    def made(name: str) -> Any:
        signature = corpus.SIGNATURES[name]
        tracker.pyfunc.save_model(
            folder / name,
            python_model=CorpusModel(name),
            signature=ModelSignature.from_dict(signature) if signature else False,
            pip_requirements=[],
        )
        model = tracker.pyfunc.load_model(folder / name)
        return make_app(model, About(name, inspect_model(folder / name)), limit=100_000)

    return made


@pytest.fixture
def ask(apps: Callable[[str], Any]) -> Ask:
    """Sends a request to a model of the corpus: `ask("plain", "POST", "/invocations", type, body)`."""

    def sent(model: str, method: str, path: str, content_type: str = "", body: str | bytes = b"") -> corpus.Answer:
        data = body.encode() if isinstance(body, str) else body
        return corpus.call(apps(model), method, path, content_type, data)

    return sent


@pytest.fixture(scope="session")
def iris() -> Any:
    """The flowers as a frame, their kinds, and a model of them."""
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    data, kinds = load_iris(return_X_y=True, as_frame=True)
    return data, kinds, LogisticRegression(max_iter=500).fit(data, kinds)


@pytest.fixture
def saved(iris: Any, tmp_path: Path) -> Callable[..., Path]:
    """Saves the model of the flowers to a folder outside of any store."""

    def save(serialization_format: str = "cloudpickle", **options: Any) -> Path:
        data, _, model = iris
        options.setdefault("signature", infer_signature(data, model.predict(data)))
        folder = tmp_path / f"flowers-{serialization_format}"
        tracker.sklearn.save_model(model, folder, serialization_format=serialization_format, **options)
        return folder

    return save


def split(data: Any) -> str:
    """The body of a request with the rows of a frame."""
    return json.dumps({"dataframe_split": json.loads(data.to_json(orient="split", index=False))})
