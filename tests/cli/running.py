"""Ways to run the command line, and texts that try to misuse the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from click.testing import Result

Cli = Callable[..., Result]

HOSTILE = "evil \u202e[bold red]name[/] \u200b"
"""A name that would turn the direction of text, style a rich table and hide a character."""
ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m"
"""A value that would clear the terminal, name its window and colour it."""
posix_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has neither SIGINT for children nor SIGPIPE")
TRACKER = [sys.executable, "-m", "tracker.cli"]


def run_process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """`tracker` in a process of its own, its output not a terminal."""
    command = [*TRACKER, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **options)  # type: ignore[call-overload, no-any-return]
