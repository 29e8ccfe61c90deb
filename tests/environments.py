"""The Pythons that have other trackers, and what scripts print that run there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_NAMED = {name: value for name, value in os.environ.items() if name.startswith("TRACKER_")}
"""What was set before a test began, for tests see none of it."""
_QUIET = {
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "WANDB_ERROR_REPORTING": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "DVC_NO_ANALYTICS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def python_of(name: str) -> str:
    """The Python of an environment that `tests/all.py` makes: mlflow2, mlflow3, peers, plugin.

    `TRACKER_MLFLOW2` and so on name another one. The tests fail where there is none.
    """
    scripts = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    found = Path(_NAMED.get(f"TRACKER_{name.upper()}") or ROOT / f".venv-{name}" / scripts)
    assert found.exists(), f"{name} is missing: run `python tests/all.py --only python` once, which installs it"
    return str(found)


def run_there(name: str, script: Path | str, *arguments: object, folder: Path | None = None, **variables: str) -> Any:
    """Run a script with the Python of an environment, and return what its last line of JSON says."""
    done = subprocess.run(
        [python_of(name), str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **_QUIET, "PYTHONPATH": "", **variables},
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
