"""Ask MLflow's own scoring server every request of the corpus, and keep what it says in answers.json.

Run it with a Python that has MLflow, FastAPI and scikit-learn, no tracker: `python tests/serving/make_answers.py`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import corpus
import mlflow
from mlflow.models import ModelSignature
from mlflow.pyfunc import PythonModel, scoring_server


class CorpusModel(PythonModel):
    """A model of the corpus."""

    def __init__(self, name: str) -> None:
        self.name = name

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return corpus.predict(self.name, model_input, params)


def scoring_app(name: str, folder: Path) -> Any:
    """MLflow's server for one model."""
    signature = corpus.SIGNATURES[name]
    path = folder / name
    mlflow.pyfunc.save_model(
        path,
        python_model=CorpusModel(name),
        signature=ModelSignature.from_dict(signature) if signature else None,
        pip_requirements=[],
    )
    return scoring_server.init(mlflow.pyfunc.load_model(str(path)))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        apps = {name: scoring_app(name, Path(folder)) for name in corpus.SIGNATURES}
        answers = {}
        for request in corpus.REQUESTS:
            answer = corpus.call(
                apps[request.model], "POST", "/invocations", request.content_type, request.body.encode()
            )
            answers[request.name] = kept(answer)
    found = {"mlflow": mlflow.__version__, "answers": answers}
    Path(__file__).with_name("answers.json").write_text(
        json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )


def kept(answer: corpus.Answer) -> dict[str, Any]:
    """What of an answer a client depends on: of an error its code, else the whole text."""
    if answer.status == 200:
        return {"status": answer.status, "body": answer.body}
    code = json.loads(answer.body)["error_code"] if answer.content_type == corpus.JSON else ""
    return {"status": answer.status, "error_code": code}


if __name__ == "__main__":
    main()
