"""What a run came from and ran in, asked once in a process. No user, host, variables or absolute paths."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import sys
from pathlib import Path

from tracker import settings
from tracker.installed import installed_packages
from tracker.masking import as_text, clean_remote, mask_command, mask_text
from tracker.reader import Environment
from tracker.schema import Source

GIT_TIMEOUT = 5.0
"""Seconds that git may take for one answer; a slow repository must not hold up a training."""
MAX_DIFF = 1_000_000


@functools.cache
def capture() -> tuple[Source | None, Environment | None]:
    """Source and environment of this process, or two Nones with TRACKER_CAPTURE=off."""
    if not settings.captures():
        return None, None
    script = _script()
    root = _git_root(script.parent if script else Path.cwd())
    source = _source(script, root)
    environment = Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        command=mask_command(_arguments(script), root),
        packages={as_text(name): as_text(version) for name, version in installed_packages().items()},
        cpu=_cpu(),
        gpu=_gpus(),
        diff=mask_text(_git(root, "diff", "HEAD")[:MAX_DIFF]) if root and source.dirty else "",
    )
    return source, environment


def _script() -> Path | None:
    """The script that runs, or None in a notebook or an interactive session."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if not file or "ipykernel" in str(file):
        return None
    return Path(file).resolve()


def _arguments(script: Path | None) -> list[str]:
    return [str(script), *sys.argv[1:]] if script else []


def _source(script: Path | None, root: Path | None) -> Source:
    name = None
    if script:
        name = as_text(script.relative_to(root).as_posix() if root and script.is_relative_to(root) else script.name)
    if root is None:
        return Source(script=name)
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    branch = _git(root, "rev-parse", "--abbrev-ref", "HEAD")
    dirty = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    remote = clean_remote(_git(root, "config", "--get", "remote.origin.url"))
    return Source(name, commit or None, branch if branch != "HEAD" else None, dirty, remote)


def _git_root(folder: Path) -> Path | None:
    """The folder above that holds `.git`; found without asking git, which is slow to say no."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate if _git(candidate, "rev-parse", "--show-toplevel") else None
    return None


def _git(root: Path, *arguments: str) -> str:
    """What git answers, or an empty text when it is missing, slow or unwilling."""
    import subprocess

    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            timeout=GIT_TIMEOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        return answer.stdout.decode("utf-8", "replace").strip()
    return ""


def _cpu() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        for text in file:
            if text.startswith("model name"):
                return f"{text.partition(':')[2].strip()} ({os.cpu_count()} cores)"
    return f"{platform.processor() or platform.machine()} ({os.cpu_count()} cores)"


def _gpus() -> list[str]:
    found = []
    for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        with contextlib.suppress(OSError):
            for text in file.read_text("utf-8", "replace").splitlines():
                if text.startswith("Model:"):
                    found.append(text.partition(":")[2].strip())
    return found
