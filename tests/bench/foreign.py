"""Reading and importing MLflow's files, beside their bare bytes, and beside MLflow where it is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tracker.foreign.importing import import_store
from tracker.foreign.mlruns import MlrunsStore

from .measure import ROOT, Figure, Usage, cpu_of, least, run_child, run_python, settings
from .place import Place
from .sizes import Size

PARAMS, METRICS, POINTS = 10, 5, 3
START = 1_700_000_000_000
READING = "reading the bytes"
BUDGET = 10.0
"""CPU seconds that reading 10,000 runs may take."""
_START = "import sys, mlflow; mlflow.set_tracking_uri(sys.argv[1]); mlflow.MlflowClient()"
_SEARCH = """
import sys, mlflow
from mlflow.entities import ViewType
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
token, found = None, 0
while True:
    page = client.search_runs(["1"], run_view_type=ViewType.ALL, max_results=int(sys.argv[2]), page_token=token)
    found, token = found + len(page), page.token
    if not token:
        break
assert found == int(sys.argv[3]), found
"""


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """Seconds to read and to import a folder."""
    root, store = place.folder / "mlruns", place.folder / "store"
    write_mlruns(root, size.many)
    times = least({"read": lambda: read_all(root), "bytes": _bytes_of(root)}, 1)
    budget = BUDGET * max(1.0, size.many / 10_000)
    yield Figure(f"read {size.many:,} runs of mlruns", times["read"], "s", times["bytes"], READING, budget)
    for what in ("import", "import again"):
        seconds = cpu_of(lambda: import_store(root, store))
        yield Figure(f"{what}: {size.many:,} runs", seconds, "s", times["read"], "reading them")
    yield from _builds(root, place, size.many, times["read"])
    few = place.folder / "few"
    write_mlruns(few, size.runs)
    seconds = least({"read": lambda: read_all(few)}, 1)["read"]
    for version in ("2", "3"):
        if python := _mlflow(version):
            yield _beside_mlflow(python, version, few, size.runs, seconds)


def _builds(root: Path, place: Place, runs: int, reading: float) -> Iterator[Figure]:
    """The site of a folder as it lies: from nothing, with nothing new, and with one run more."""

    def build() -> Usage:
        with settings(TRACKER_CACHE=str(place.folder / "cache")):
            code = "import sys; from site_builder.build import build; build(sys.argv[1], sys.argv[2])"
            return run_python("-c", code, str(root), str(place.folder / "site"))

    cold = build()
    yield Figure(f"build the site of {runs:,} runs of mlruns", cold.cpu, "s", reading, "reading them")
    yield Figure("... peak memory", cold.peak / 1e6, "MB")
    yield Figure("... again, nothing new", build().cpu, "s", reading, "reading them")
    added = root / "1" / f"b{0:031x}"
    shutil.copytree(root / "1" / f"a{0:031x}", added)
    (added / "meta.yaml").write_text(_run_meta(added.name, 0), encoding="utf-8")
    yield Figure("... with one run more", build().cpu, "s", reading, "reading them")
    shutil.rmtree(added)


def read_all(root: Path) -> int:
    """Read every run, and give the points back, so that nothing is left out."""
    return sum(len(series) for run in MlrunsStore(root).runs() for series in run.series.values())


def write_mlruns(root: Path, runs: int) -> None:
    """A folder as MLflow 2 writes it: one experiment, 10 params, 5 metrics with 3 points, four tags a run."""
    for number in range(runs):
        folder = root / "1" / f"a{number:031x}"  # of digits alone YAML would make a number
        texts = {f"params/p{index}": f"0.{number}{index}" for index in range(PARAMS)}
        for index in range(METRICS):
            lines = [f"{START + number + step} {1 / (1 + step + number)} {step}\n" for step in range(POINTS)]
            texts[f"metrics/m{index}"] = "".join(lines)
        texts["tags/mlflow.runName"] = f"run {number}"
        texts["tags/mlflow.user"] = "eve"
        texts["tags/mlflow.source.name"] = "/home/eve/train.py"
        texts["tags/mlflow.source.type"] = "LOCAL"
        texts["meta.yaml"] = _run_meta(folder.name, number)
        for part in ("params", "metrics", "tags", "artifacts"):
            (folder / part).mkdir(parents=True)
        for path, text in texts.items():
            (folder / path).write_text(text, encoding="utf-8")
    meta = f"artifact_location: file:///mlruns/1\ncreation_time: {START}\nexperiment_id: '1'\n"
    more = f"last_update_time: {START}\nlifecycle_stage: active\nname: bench\n"
    (root / "1" / "meta.yaml").write_text(meta + more, encoding="utf-8")


def _run_meta(run_id: str, number: int) -> str:
    return (
        f"artifact_uri: file:///mlruns/1/{run_id}/artifacts\nend_time: {START + number + 5}\nentry_point_name: ''\n"
        f"experiment_id: '1'\nlifecycle_stage: active\nrun_id: {run_id}\nrun_name: run {number}\nrun_uuid: {run_id}\n"
        f"source_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: {START + number}\nstatus: 3\ntags: []\n"
        "user_id: eve\n"
    )


def _bytes_of(root: Path) -> Callable[[], object]:
    paths = [path for path in root.rglob("*") if path.is_file()]
    return lambda: [path.read_bytes() for path in paths]


def _mlflow(version: str) -> Path | None:
    """The Python that has an MLflow, where there is one."""
    found = Path(os.environ.get(f"TRACKER_MLFLOW{version}") or ROOT / f".venv-mlflow{version}" / "bin" / "python")
    return found if found.exists() else None


def _beside_mlflow(python: Path, version: str, root: Path, runs: int, ours: float) -> Figure:
    """What MLflow's own search takes, which reads the latest points only; its start is taken off."""
    with settings(MLFLOW_ALLOW_FILE_STORE="true", MLFLOW_DISABLE_TELEMETRY="true", PYTHONPATH=""):
        start = run_child(python, "-c", _START, root.as_uri())
        used = run_child(python, "-c", _SEARCH, root.as_uri(), str(min(runs, 50_000)), str(runs))
    return Figure(
        f"MLflow {version}: search_runs of {runs:,}", max(0.001, used.cpu - start.cpu), "s", ours, "reading here"
    )
