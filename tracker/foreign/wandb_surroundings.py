"""What a run of W&B ran in and from, without anything personal: no user, host, mail address or path of a machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tracker import _io
from tracker.foreign.protobuf import WireError
from tracker.foreign.text_files import text
from tracker.foreign.wandb_records import RunState
from tracker.masking import clean_remote, mask_command, mask_text
from tracker.reader import Environment
from tracker.schema import Source

MAX_FILE = 8_000_000
MAX_DIFF = 1_000_000
_PACKAGE = re.compile(r"([A-Za-z0-9][\w.-]*)==([\w.+!-]+)")


def source_of(state: RunState, folder: Path) -> Source | None:
    """Script, commit and remote."""
    facts = _facts(state, folder)
    commit, remote = state.commit, state.remote
    if not commit and isinstance(git := facts.get("git"), dict):
        commit, remote = text(git.get("commit")), text(git.get("remote"))
    script = _script(facts)
    if not script and not commit:
        return None
    return Source(script or None, commit or None, remote=clean_remote(remote) if remote else None)


def environment_of(state: RunState, folder: Path) -> Environment | None:
    """Python, packages, command line and processors."""
    facts = _facts(state, folder)
    packages = dict(_PACKAGE.findall(_read(folder / "requirements.txt")))
    diff = mask_text(_read(folder / "diff.patch")[:MAX_DIFF])
    if not facts and not packages and not diff:
        return None
    arguments = facts.get("args")
    words = [text(one) for one in arguments] if isinstance(arguments, list) else []
    script = _script(facts)
    return Environment(
        python=text(facts.get("python")).rpartition(" ")[2],
        platform=_platform(text(facts.get("os"))),
        command=mask_command([script, *words], None) if script else [],
        packages=packages,
        cpu=text(facts.get("cpu")),
        gpu=[text(one) for one in facts.get("gpu_names", ())],
        diff=diff,
    )


def _facts(state: RunState, folder: Path) -> dict[str, Any]:
    """From the records, or from the file that older versions write."""
    if state.has_environment:
        found = state.environment
        try:
            return {
                "os": found.text(1),
                "python": found.text(2),
                "args": found.texts(5),
                "program": found.text(6),
                "codePath": found.text(7),
                "cpu": found.message(22).text(3),
                "gpu_names": [gpu.text(1) for gpu in found.messages(24)],
            }
        except WireError:
            return {}
    try:
        facts = json.loads(_read(folder / "wandb-metadata.json") or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(facts, dict):
        return {}
    gpus, cpu = facts.get("gpu_nvidia"), facts.get("cpu")
    facts["gpu_names"] = [gpu.get("name") for gpu in gpus if isinstance(gpu, dict)] if isinstance(gpus, list) else []
    facts["cpu"] = cpu.get("model") if isinstance(cpu, dict) else ""
    return facts


def _script(facts: dict[str, Any]) -> str:
    """The path below the repository; of any other only the name, for the rest may name its owner."""
    path = text(facts.get("codePath")).replace("\\", "/")
    parts = path.split("/")
    if path and not path.startswith(("/", "~")) and ":" not in path and ".." not in parts:
        return path
    return (path or text(facts.get("program")).replace("\\", "/")).rpartition("/")[2]


def _platform(system: str) -> str:
    """System and machine, of `Linux-6.1.0-generic-x86_64-with-glibc2.36` or `macOS-14.1-arm64-arm-64bit`."""
    words = system.split("-")
    machine = next((word for word in words if word in ("x86_64", "AMD64", "arm64", "aarch64", "ppc64le", "i386")), "")
    return f"{words[0]} {machine}".strip()


def _read(path: Path) -> str:
    """The text of a file; nothing where there is none."""
    try:
        return _io.read_file(path, limit=MAX_FILE).decode(errors="replace")
    except OSError:
        return ""
