"""Runs in an environment with MLflow: code that traces, in a run that logs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
from mlflow.exceptions import MlflowException
from scripts import Answers

answers = Answers()


@mlflow.trace
def add(a: int, b: int) -> int:
    """A function that somebody traces."""
    return a + b


def message_of(call) -> str:  # type: ignore[no-untyped-def]
    """What a call that is refused says."""
    try:
        call()
    except MlflowException as error:
        return str(error.message)
    return ""


mlflow.set_experiment("traced")
with mlflow.start_run(run_name="traced"):
    answers.say("sum", add(1, 2))
    mlflow.log_metric("sum", 3)
    mlflow.flush_trace_async_logging()
answers.say("search", message_of(lambda: mlflow.search_traces()))
answers.say("prompt", message_of(lambda: mlflow.genai.register_prompt("p", "Say {{x}}")))
answers.say("webhook", message_of(lambda: mlflow.MlflowClient().list_webhooks()))
answers.print()
