"""What a reader of foreign stores gives, in the form that tests compare."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tracker.foreign.mlflow_db import MlflowDbStore
from tracker.foreign.records import ForeignRun, ForeignStore
from tracker.summary import Series


def read_all(store: ForeignStore) -> dict[str, ForeignRun]:
    """All runs by name, each with the name of its experiment in place of the key."""
    experiments = {one.key: one.name for one in store.experiments()}
    runs = list(store.runs())
    assert all(run.experiment in experiments for run in runs)
    assert len({run.run_id for run in runs}) == len(runs)
    found = {run.name: run for run in runs}
    assert len(found) == len(runs)
    return found


def points(series: Series) -> list[tuple[int, Any]]:
    """Steps and values; a NaN is the text `nan`, so that it equals itself."""
    return list(zip(series.steps, map(comparable, series.values), strict=True))


def comparable(value: Any) -> Any:
    """The value, with a text for NaN."""
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    """Files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def told(store: ForeignStore) -> list[str]:
    """Problems as `path:line reason`, the first words of the reason."""
    return [f"{one.path}:{one.line or ''} {first_words(one.message)}" for one in store.problems]


def first_words(message: str, count: int = 3) -> str:
    """The beginning of a message."""
    return " ".join(message.split()[:count])


def steps(values: Iterable[float]) -> list[tuple[int, Any]]:
    """Points at the steps 0, 1, 2, ..."""
    return list(enumerate(map(comparable, values)))


def runs_in(path: Path) -> dict[str, ForeignRun]:
    """The runs of a database of MLflow's by name."""
    return {run.name: run for run in MlflowDbStore(path).runs()}


def told_in(path: Path) -> list[str]:
    """The problems of a database that was read as a whole."""
    store = MlflowDbStore(path)
    for part in (store.experiments, store.runs, store.models):
        list(part())
    return [f"{problem.path}: {problem.message}" for problem in store.problems]
