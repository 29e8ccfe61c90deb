"""Run where Sacred is installed: writes a folder of its FileStorageObserver, and prints what it restores of it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import sacred  # noqa: E402
from sacred.observers import FileStorageObserver  # noqa: E402
from sacred.serializer import restore  # noqa: E402
from sacred.utils import TimeoutInterrupt  # noqa: E402

CODE = Path("project")
SCRIPT = """
import numpy as np

def make(sacred, TimeoutInterrupt):
    ex = sacred.Experiment("digits")

    @ex.config
    def config():
        lr = 0.1
        opt = {"name": "adam", "betas": [0.9, 0.999], "eps": np.float32(1e-8)}
        weights = np.arange(3)
        nothing = None
        never = float("inf")
        how = "well"

    @ex.main
    def main(_run, lr, how):
        print("training")
        for step in range(5):
            ex.log_scalar("train.loss", 1 / (step + 1), step * 10)
            ex.log_scalar("grad", float("nan") if step == 2 else np.float64(step), step)
            ex.log_scalar("count", 2**53 + step)
        _run.info["note"] = "fine"
        _run.info["mean"] = np.float64(0.5)
        _run.info["table"] = {"a": [1, 2]}
        ex.add_artifact("weights.bin", "weights.bin")
        ex.open_resource("data.csv").close()
        if how == "badly":
            raise ValueError("diverged\\nin step 4")
        if how == "stopped":
            raise KeyboardInterrupt
        if how == "late":
            raise TimeoutInterrupt
        return 0.75 if how == "well" else "some text"

    return ex
"""


def git(*arguments: str) -> None:
    """Run git in the folder of the code."""
    name = ("-c", "user.name=eve", "-c", "user.email=eve@example.com")
    subprocess.run(["git", *name, *arguments], cwd=CODE, check=True, capture_output=True)


def main(base: Path) -> None:
    """Runs that end in every way, one of them only queued."""
    CODE.mkdir()
    (CODE / "train.py").write_text(SCRIPT, "utf-8")
    git("init", "-q")
    git("remote", "add", "origin", "https://eve:t0ken@example.com/eve/digits.git")
    git("add", ".")
    git("commit", "-q", "-m", "All")
    os.chdir(CODE)
    Path("weights.bin").write_bytes(bytes(range(100)))
    Path("data.csv").write_text("a,b\n1,2\n", "utf-8")
    script = {"__file__": str(Path("train.py").resolve()), "__name__": "train"}
    exec(compile(SCRIPT, script["__file__"], "exec"), script)
    make: Any = script["make"]
    options = {0: {"--comment": "The first."}, 5: {"--queue": True}}
    for number, how in enumerate(("well", "texts", "badly", "stopped", "late", "well")):
        experiment = make(sacred, TimeoutInterrupt)
        experiment.observers.append(FileStorageObserver(base))
        with contextlib.suppress(ValueError, KeyboardInterrupt, TimeoutInterrupt):
            experiment.run(config_updates={"how": how}, options=options.get(number, {}))
    runs = {}
    for folder in sorted(base.glob("[0-9]*")):
        config = restore(json.loads((folder / "config.json").read_text("utf-8")))
        runs[folder.name] = {
            "config": {
                **{f"opt.{key}": value for key, value in config.pop("opt").items()},
                **{key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in config.items()},
            },
            "head": json.loads((folder / "run.json").read_text("utf-8")),
            "metrics": {
                name: [restore(points[column]) for column in ("steps", "values", "timestamps")]
                for name, points in json.loads((folder / "metrics.json").read_text("utf-8")).items()
            }
            if (folder / "metrics.json").exists()
            else {},
        }
    print(json.dumps({"version": sacred.__version__, "runs": runs}, default=float))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
