"""R2: what ended or was registered survives a power cut, and nothing that a cut leaves makes a store unreadable."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tracker import reader
from tracker.exceptions import NotAStoreError
from tracker.models import digests
from tracker.registry import read_registry

from . import power
from .conftest import Figure

STATES = 1500
"""States that are looked at, evenly over all there are."""
SCRIPT = """
import json, sys
from pathlib import Path
import tracker, tracker.sklearn
from sklearn.linear_model import LinearRegression
from tests.promises.power import Recorder
from tracker.registry import Registry

root = Path(sys.argv[1])
model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
tracker.set_tracking_uri(root / "store")
with Recorder(root) as recorder:
    for number in range(2):
        with tracker.start_run(run_name=f"run-{number}") as run:
            tracker.log_params({"lr": 0.1, "number": number})
            for step in range(5):
                tracker.log_metric("loss", 1 / (step + 1), step=step)
            tracker.log_text("words", "notes.txt")
            tracker.sklearn.log_model(model, name="model", registered_model_name="line", pip_requirements=[])
            recorder.promise(f"registered {number + 1}")
        recorder.promise(f"ended {run.run_id}")
    Registry(root / "store").set_stage("line", 1, "Production", reason="best")
    recorder.promise("promoted")
found = [[one.kind, one.path, one.target, one.data.decode("latin-1")] for one in recorder.operations]
Path(sys.argv[2]).write_text(json.dumps(found))
"""


def record(folder: Path, fsync: str) -> list[power.Operation]:
    """Operations below `folder/root` of a script that logs, registers and promotes, in a process of its own."""
    (folder / "root").mkdir(parents=True)
    answer = folder / "operations.json"
    repository = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", SCRIPT, str(folder / "root"), str(answer)]
    subprocess.run(command, check=True, cwd=repository, env={**os.environ, "TRACKER_FSYNC": fsync})
    return [power.Operation(*entry[:3], entry[3].encode("latin-1")) for entry in json.loads(answer.read_text())]


def broken(root: Path, promises: list[str]) -> list[str]:
    """Which promises a store does not keep."""
    try:
        store = reader.read_store(root, cache=False)
    except NotAStoreError:
        return promises
    runs = {run.file.run_id: run.file for run in store.runs()}
    versions = {
        str(version.file.version): version for model in read_registry(root).models for version in model.versions
    }
    lost = []
    for promise in promises:
        kind, _, what = promise.partition(" ")
        if kind == "ended":
            run = runs.get(what)
            whole = run and run.status == "FINISHED" and len(run.params) == 2 and run.metrics["loss"].count == 5
            lost += [] if whole else [promise]
        elif kind == "registered":
            version = versions.get(what)
            whole = version and digests.folder_digest(version.folder) == version.file.digest
            lost += [] if whole else [promise]
        elif "1" not in versions or versions["1"].file.stage != "Production":
            lost.append(promise)
    return lost


def lost_in(folder: Path, fsync: str, states: int) -> tuple[list[tuple[int, int, str, str]], int, int]:
    """Promises that some state of the disk does not keep; how many states were looked at, and how many there are."""
    recorded = record(folder, fsync)
    everything = [(*cut, kept) for cut in power.cuts(recorded) for kept in power.KEPT]
    lost, looked = [], 0
    for count, changes, kept in everything[:: max(1, len(everything) // states)]:
        state = power.after_cut(recorded, count, changes, kept)
        target = folder / "state"
        power.write_state(state, str(folder / "root"), target)
        promises = [operation.path for operation in recorded[:count] if operation.kind == "promise"]
        if promises or (target / "store" / "store.yaml").exists():
            looked += 1
            lost += [(count, changes, kept, promise) for promise in broken(target / "store", promises)]
        shutil.rmtree(target, ignore_errors=True)
    return lost, looked, len(everything)


def test_a_power_cut_loses_nothing_that_had_ended(fast_folder: Path, figure: Figure) -> None:
    """After each cut the store can be read, and every run that had ended, every model and version that a call had
    returned for, and the promotion are there as they were."""
    lost, looked, all_of_them = lost_in(fast_folder / "synced", "interval", STATES)
    assert lost == []
    assert looked > STATES / 2
    figure("R2", f"{looked:,} states of the disk after a power cut, of {all_of_them:,}: 0 lost, 0 unreadable")


def test_the_model_of_the_disk_is_hard_enough(fast_folder: Path) -> None:
    """Without syncs the same script loses what it promised, so the test above can tell."""
    assert lost_in(fast_folder / "never", "never", 200)[0] != []
