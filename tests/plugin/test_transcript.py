"""The transcript in docs/mlflow-plugin.md is what its script and its commands print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.environments import ROOT, python_of
from tests.plugin.conftest import QUIET

PAGE = (ROOT / "docs" / "mlflow-plugin.md").read_text(encoding="utf-8")
NAMES = re.compile(r"\b[a-z]+-[a-z]+-\d+\b *")
NUMBERS = re.compile(r"0[0-9a-f]{31}|\b[0-9a-f]{8}\b|[\d.,:-]*\d")


def block(language: str) -> str:
    """The block of the page in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def plain(text: str) -> list[str]:
    """Lines without what is another one each time: ids, times, sizes and names that are made up."""
    lines = [NUMBERS.sub("#", NAMES.sub("NAME ", line)) for line in text.splitlines()]
    return [
        " ".join(line.replace("# ms", "# s").split()) for line in lines if not line.startswith(("Building", "Largest"))
    ]


def test_the_transcript(tmp_path: Path) -> None:
    """The script runs in the environment of the plugin and the commands run in ours; each prints what stands there."""
    (tmp_path / "train.py").write_text(block("python3"), encoding="utf-8")
    environment = {
        **os.environ,
        **QUIET,
        "PYTHONUTF8": "1",
        "COLUMNS": "100",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": "tracker:./runs",
    }
    steps = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block("console"), re.MULTILINE)
    assert [command.split()[0] for command, _ in steps] == ["python", "tracker", "tracker", "tracker"]
    for command, wanted in steps:
        words = command.split()
        words[:1] = [sys.executable, "-m", "tracker.cli"] if words[0] == "tracker" else [python_of("plugin")]
        done = subprocess.run(
            words, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        assert plain(done.stdout) == plain(wanted), command
    assert (tmp_path / "site" / "models" / "iris" / "1" / "index.html").is_file()
