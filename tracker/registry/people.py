"""Who makes a change, as they chose to be named."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path

from tracker import settings
from tracker.names import check_text

GIT_TIMEOUT = 5.0
MAX_NAME = 200


def named(by: str | None) -> str:
    """The name that was given, else `TRACKER_USER`, else an empty text."""
    return " ".join(check_text(settings.user() if by is None else by, "A name in `by`").split())[:MAX_NAME]


def who(by: str | None, root: Path) -> str:
    """The same, and at last the `user.name` of git; an empty text without one."""
    return named(by) or ("" if by is not None else _git_name(root))


@functools.cache
def _git_name(root: Path) -> str:
    import subprocess

    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run(
            ["git", "-C", str(root), "config", "user.name"],
            capture_output=True,
            timeout=GIT_TIMEOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        return " ".join(answer.stdout.decode("utf-8", "replace").split())[:MAX_NAME]
    return ""
