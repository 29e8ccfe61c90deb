"""Logs runs with W&B offline, and prints what was logged and what W&B's own classes read back.

Runs with the Python of the environment `peers`.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import wandb
from wandb.proto import wandb_internal_pb2

BLOCK = 1 << 15


def write(folder: Path) -> None:
    """Runs of every kind. Two processes do it, one of which is killed and one ended by an exception."""
    started = [
        (code, subprocess.Popen([sys.executable, __file__, kinds, str(folder)], stderr=subprocess.PIPE, cwd=folder))
        for kinds, code in (("full,long,other,killed", -signal.SIGKILL), ("failed", 1))
    ]
    for code, process in started:
        _, told = process.communicate()
        assert process.returncode == code, (process.returncode, told.decode()[-2000:])


def log(kind: str, folder: Path) -> None:
    """One run."""
    options: dict[str, Any] = {"dir": str(folder), "project": "my project", "id": f"{kind}id"}
    if kind == "full":
        full(wandb.init(name="the first", notes="A *note*.\nTwo lines.", tags=["baseline", "größe"], group="sweep",
                        job_type="train", config={"lr": 0.1, "model": {"layers": [1, 2], "depth": 3}, "on": True,
                        "none": None, "text": "x", "gone": 1, "deep": {"er": {"est": "y"}}}, **options))  # fmt: skip
    elif kind == "failed":
        wandb.init(**options).log({"loss": 1.0})
        raise ValueError("on purpose")
    elif kind == "long":
        run = wandb.init(**options)
        for step in range(400):
            run.log({"loss": 1 / (step + 1), "epoch": step // 100})
        run.log({"text": "x" * 100_000})
        run.finish()
    elif kind == "killed":
        run = wandb.init(**options)
        for step in range(400):
            run.log({"loss": step})
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        options.pop("project")
        wandb.init(**options).finish()


def full(run: Any) -> None:
    """Everything that a run can hold."""
    for step in range(5):
        run.log({"loss": 1 / (step + 1), "val/acc": step, "nested": {"a": step, "b": {"c": step * 2}}})
    run.log({"nan": float("nan"), "inf": float("inf"), "ninf": -float("inf"), "note": "hello", "flag": True})
    run.log({"big": 1 << 60, "list": [1, 2, 3], "note": "bye"})
    black = np.zeros((8, 8, 3), dtype=np.uint8)
    run.log({"image": wandb.Image(black, caption="c"), "images": [wandb.Image(black), wandb.Image(black + 10)]})
    run.log({"table": wandb.Table(columns=["a"], data=[[1]]), "html": wandb.Html("<p>x</p>")})
    run.log({"bins": wandb.Histogram([1, 2, 3])})
    run.log({"later": 3}, step=20)
    run.define_metric("best", summary="max")
    for value in (1, 3, 2):
        run.log({"best": value})
    run.summary["final"] = 0.5
    run.summary["verdict"] = "good"
    run.summary["nest"] = {"x": 1}
    run.config.update({"added": 5})
    (Path(run.dir) / "saved.txt").write_text("kept")
    Path(run.dir, "sub").mkdir()
    (Path(run.dir) / "sub" / "deep.txt").write_text("deep")
    artifact = wandb.Artifact("weights", type="model")
    with artifact.new_file("w.txt") as file:
        file.write("w")
    run.log_artifact(artifact)
    print("printed line")
    run.finish()


def records(path: Path) -> list[Any]:
    """The records of a file as W&B's own message class reads them."""
    data, place, begun, found = path.read_bytes(), 7, b"", []
    while place + 7 <= len(data):
        left = BLOCK - place % BLOCK
        if left < 7:
            place += left
            continue
        check, size, kind = struct.unpack("<IHB", data[place : place + 7])
        piece = data[place + 7 : place + 7 + size]
        if len(piece) < size or check != zlib.crc32(bytes([kind]) + piece):
            break
        place += 7 + size
        begun = piece if kind in (1, 2) else begun + piece
        if kind in (1, 4):
            found.append(wandb_internal_pb2.Record.FromString(begun))
    return found


def report(folder: Path) -> dict[str, Any]:
    """What stands in the records of each run."""
    runs = {}
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        run: dict[str, Any] = {"history": [], "stats": 0, "exit": None, "folder": path.parent.name}
        for record in records(path):
            if record.HasField("history"):
                row = [[list(item.nested_key) or [item.key], item.value_json] for item in record.history.item]
                run["history"].append([record.history.step.num, row])
            elif record.HasField("run"):
                run |= {"project": record.run.project, "start": record.run.start_time.ToMilliseconds()}
                run |= {"name": record.run.display_name, "host": record.run.host}
            elif record.HasField("exit"):
                run["exit"] = record.exit.exit_code
            run["stats"] += len(record.stats.item)
        runs[path.parent.name.rpartition("-")[2]] = run
    return runs


if __name__ == "__main__":
    if len(sys.argv) == 3:
        for one in sys.argv[1].split(","):
            log(one, Path(sys.argv[2]))
    else:
        place = Path(sys.argv[1])
        write(place)
        print(json.dumps({"version": wandb.__version__, "runs": report(place)}))
