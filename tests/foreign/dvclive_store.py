"""Run where DVCLive is installed: writes folders of it, and prints what it reads back of them, as JSON."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
from dvclive import Live
from dvclive.utils import parse_metrics

PARAMS = {
    "lr": 0.1,
    "epochs": 3,
    "opt": {"name": "adam", "betas": [0.9, 0.99], "amsgrad": False},
    "version": "1.0",
    "never": float("inf"),
    "nothing": None,
}


def log(live: Live, factor: float) -> None:
    """Three steps with everything that DVCLive takes."""
    live.log_params(PARAMS)
    for step in range(3):
        live.log_metric("loss", factor / (step + 1))
        live.log_metric("train/acc", np.float32(0.25 * step), timestamp=True)
        live.log_metric("grad.norm", float("nan") if step == 1 else -float("inf"))
        live.log_metric("count", 2**53 + 1)
        live.log_metric("phase", f"phase {step}")
        live.log_metric("final/score", 0.5, plot=False)
        live.log_image(f"pixels/{step}.png", np.full((4, 4, 3), step, dtype=np.uint8))
        live.next_step()
    live.log_plot("curve", [{"x": 1, "y": 2}, {"x": 2, "y": 3}], x="x", y="y")
    live.log_sklearn_plot("confusion_matrix", [0, 1, 1], [0, 1, 0])


def main(root: Path) -> None:
    """A folder of the usual name, and two others below one more folder."""
    told = {}
    for number, name in enumerate(("dvclive", "sweep/small", "sweep/large")):
        with Live(str(root / name), save_dvc_exp=False, dvcyaml=str(root / "dvc.yaml")) as live:
            log(live, number + 1)
        history, latest = parse_metrics(live)
        told[name] = {
            "latest": latest,
            "history": {
                Path(path).relative_to(root / name / "plots" / "metrics").as_posix(): rows
                for path, rows in history.items()
            },
        }
    answer = {"version": importlib.metadata.version("dvclive"), "runs": told, "params": PARAMS}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
