"""Writes runs with Trackio's own API, and prints what that API says of them. Runs with the Python of the peers.

`TRACKIO_DIR` is where it writes. The folder is copied before the API looks at it, which may change it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import trackio
from trackio.sqlite_storage import SQLiteStorage

QUIET = {"embed": False, "auto_log_gpu": False, "auto_log_cpu": False}
HARD = [0.1, float("nan"), float("inf"), float("-inf"), 1e-300, -5]
CONFIG: dict[str, Any] = {
    "lr": 0.1,
    "optimizer": {"name": "adam", "betas": [0.9, 0.999], "decay": {"rate": 1}},
    "none": None,
    "on": True,
    "nan": float("nan"),
    "text": "精度",
    "empty": {},
}


def write(folder: Path) -> None:
    """Two projects; two runs of one name."""
    trackio.init(project="my digits.v1", name="first", config=CONFIG, group="sweep", **QUIET)
    for step, value in enumerate(HARD):
        trackio.log({"hard": value, "loss/train": 1 / (step + 1), "nested": {"x": step, "y": {"z": step * 2}}})
    trackio.log({"loss/train": 0.01}, step=20)
    trackio.log({"loss/train": 0.02}, step=20)
    trackio.log({"note": "going well", "list": [1, 2]})
    trackio.log_system({"gpu/0/utilization": 0.5, "cpu": 12})
    trackio.log_system({"cpu": 13})
    trackio.alert("Diverges", text="The loss is infinite.", level=trackio.AlertLevel.WARN)
    media(folder)
    trackio.finish()
    trackio.init(project="my digits.v1", name="first", **QUIET)
    trackio.log({"loss/train": 3.0})
    trackio.finish()
    trackio.init(project="other", name="alone", **QUIET)
    trackio.log({"n": 1 << 60})
    trackio.finish()


def media(folder: Path) -> None:
    """Files of all kinds, and an artifact."""
    image = trackio.Image(np.zeros((4, 4, 3), dtype=np.uint8), caption="black")
    rows = [[1, "x"], [2, trackio.Image(np.full((4, 4, 3), 255, dtype=np.uint8))]]
    table = trackio.Table(columns=["a", "b"], data=rows)
    trackio.log({"image": image, "table": table, "histogram": trackio.Histogram([1, 2, 3], num_bins=2)}, step=30)
    trackio.log({"report": trackio.Markdown("# Done"), "page": trackio.Html("<b>x</b>")}, step=30)
    weights = folder / "weights.bin"
    weights.write_bytes(b"weights")
    if os.environ.get("TRACKIO_STORAGE_MODE") != "jsonl":
        model = trackio.Artifact("model", type="model")
        model.add_file(str(weights), name="deep/weights.bin")
        trackio.log_artifact(model)


def report() -> list[dict[str, Any]]:
    """What Trackio's API returns, numbers that are none as text."""
    projects = SQLiteStorage.get_projects()
    return [run_report(name, run) for name in projects for run in SQLiteStorage.get_run_records(name)]


def run_report(project: str, run: dict[str, Any]) -> dict[str, Any]:
    """A run with everything."""
    name, key = run["name"], run["id"]
    made = SQLiteStorage.get_run_artifacts(project, name, key)["output"]
    return {
        "project": project,
        "run_id": key,
        "name": name,
        "config": SQLiteStorage.get_run_config(project, name, key),
        "logs": SQLiteStorage.get_logs(project, name, run_id=key),
        "system": SQLiteStorage.get_system_logs(project, name, run_id=key),
        "alerts": SQLiteStorage.get_alerts(project, name, run_id=key),
        "artifacts": [[one["name"], one["version"]] for one in made],
    }


if __name__ == "__main__":
    place, copy = Path(os.environ["TRACKIO_DIR"]), Path(sys.argv[1])
    place.parent.mkdir(parents=True, exist_ok=True)
    write(place.parent)
    shutil.copytree(place, copy)
    if (place / "inbox").exists():
        from trackio.fragments import import_inbox_dir

        import_inbox_dir()
    print(json.dumps({"version": trackio.__version__, "runs": report()}))
