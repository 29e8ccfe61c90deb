"""A model of iris logged, registered, loaded and used, beside the same calls of MLflow 3. Wall time, the median."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .measure import ROOT, Figure
from .place import Place
from .sizes import Size

SCRIPT = Path(__file__).with_name("iris_model.py")
TIMES = 10
COLD = {"log": 500.0}
WARM = {"log": 20.0}
"""Milliseconds that the design allows."""


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """Milliseconds of the first time in a process, and of the times after it."""
    times = 2 if size.repeats == 1 else TIMES + 1
    ours = _times(sys.executable, "tracker", place.folder / "tracker", times)
    python = os.environ.get("TRACKER_MLFLOW3") or str(ROOT / ".venv-mlflow3" / "bin" / "python")
    theirs = _times(python, "mlflow", place.folder / "mlflow", times) if Path(python).exists() else {}
    for name, seconds in ours.items():
        others = theirs.get(name, [])
        what = {"import": "import", "load": "load and predict"}.get(name, name.replace("log", "log and register", 1))
        yield _figure(f"{what}, first time", seconds[:1], others[:1], COLD.get(name))
        if len(seconds) > 1:
            yield _figure(f"{what}, median of {len(seconds) - 1}", seconds[1:], others[1:], WARM.get(name))


def _figure(what: str, ours: list[float], theirs: list[float], budget: float | None) -> Figure:
    limit = statistics.median(theirs) * 1000 if theirs else None
    return Figure(what, statistics.median(ours) * 1000, "ms", limit, "MLflow 3, plain files", budget)


def _times(python: str, library: str, folder: Path, times: int) -> dict[str, list[float]]:
    environment = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [python, str(SCRIPT), library, str(folder), str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=folder.parent)
    return dict(json.loads(done.stdout.splitlines()[-1]))
