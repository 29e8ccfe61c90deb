"""The query language: MLflow's filter strings and beyond. `docs/querying.md` is its reference.

```python
matches = compile_query("metrics.acc > 0.9 and params.lr <= 3e-4")
[subject for subject in subjects if matches(subject)]
```
The browser has the same language in `theme/src/query/`; `tests/query/cases.json` holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable

from tracker.query.evaluate import MISSING, as_number, compile_node
from tracker.query.fields import EXPERIMENTS, MODEL_VERSIONS, REGISTERED_MODELS, RUNS
from tracker.query.nodes import Field
from tracker.query.parser import Order, parse, parse_order
from tracker.query.subjects import (
    ExperimentLike,
    ExperimentSource,
    ModelVersionLike,
    ModelVersionSource,
    RegisteredModelLike,
    RegisteredModelSource,
    RunLike,
    RunSource,
    RunSubject,
)

__all__ = [
    "EXPERIMENTS",
    "MISSING",
    "MODEL_VERSIONS",
    "REGISTERED_MODELS",
    "RUNS",
    "ExperimentLike",
    "ExperimentSource",
    "Field",
    "ModelVersionLike",
    "ModelVersionSource",
    "Order",
    "RegisteredModelLike",
    "RegisteredModelSource",
    "RunLike",
    "RunSource",
    "RunSubject",
    "as_number",
    "compile_experiment_query",
    "compile_model_query",
    "compile_query",
    "compile_version_query",
    "parse",
    "parse_order",
]


def compile_query(query: str, *, now: int | None = None) -> Callable[[RunLike], bool]:
    """A function that says whether a run matches. Raises QueryError; `now` is in UTC milliseconds."""
    return compile_node(parse(query, RUNS, now=now), RunSource())


def compile_experiment_query(query: str, *, now: int | None = None) -> Callable[[ExperimentLike], bool]:
    """A function that says whether an experiment matches. Raises QueryError."""
    return compile_node(parse(query, EXPERIMENTS, now=now), ExperimentSource())


def compile_model_query(query: str, *, now: int | None = None) -> Callable[[RegisteredModelLike], bool]:
    """A function that says whether a registered model matches. Raises QueryError."""
    return compile_node(parse(query, REGISTERED_MODELS, now=now), RegisteredModelSource())


def compile_version_query(query: str, *, now: int | None = None) -> Callable[[ModelVersionLike], bool]:
    """A function that says whether a version of a registered model matches. Raises QueryError."""
    return compile_node(parse(query, MODEL_VERSIONS, now=now), ModelVersionSource())
