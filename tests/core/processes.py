"""Runs functions in forked children and programs in fresh interpreters, and hands back what happened there."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path


def fork(function: Callable[[], object]) -> int:
    """Start a child that runs the function and then leaves without a word; returns its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            function()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def wait(*children: int) -> list[int]:
    """Exit codes of children, negative for a signal."""
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def in_child(function: Callable[[], object]) -> None:
    """Run the function in a forked child; AssertionError when it fails there."""
    assert wait(fork(function)) == [0]


def run_script(folder: Path, text: str, *arguments: str, env: dict[str, str] | None = None) -> str:
    """Run a program in a fresh interpreter, in `folder`; returns what it printed."""
    script = folder / "train.py"
    script.write_text(text, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout
