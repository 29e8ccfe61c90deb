"""What PyTorch Lightning puts beside event files: `hparams.yaml`, and a folder of checkpoints."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tracker import _io
from tracker.codec import Param
from tracker.foreign.text_files import params_of
from tracker.yaml_files import MAX_YAML, YamlError, read_plain_yaml

HPARAMS_FILE = "hparams.yaml"
CHECKPOINTS = "checkpoints"
_TOP = re.compile(rb"^(?=[^\s#-])", re.MULTILINE)
"""Where a field of the outermost level begins."""


def read_hparams(path: Path, tell: Callable[[str], None]) -> dict[str, Param]:
    """The hyperparameters in a file, nested ones with dotted keys; nothing where it is missing.

    Fields with objects of Python are told and left out, for making one would run code.
    """
    try:
        data = _io.read_file(path, limit=MAX_YAML)
    except FileNotFoundError:
        return {}
    except OSError as error:
        tell(f"cannot be read: {error.strerror}")
        return {}
    try:
        return params_of(_fields(data), tell)
    except ValueError as error:
        whole = str(error)
    params: dict[str, Param] = {}
    parts = [part for part in _TOP.split(data) if part.strip()]
    wrong, before = 0, data[: data.index(parts[0])].count(b"\n") if parts else 0
    for part in parts:
        try:
            params.update(params_of(_fields(part), tell))
        except ValueError as error:
            wrong += 1
            if len(parts) > 1:
                name = part.split(b":")[0].decode(errors="replace")
                tell(f"{name!r:.60}{_place(error, before, part)} cannot be read: {getattr(error, 'reason', error)}")
        before += part.count(b"\n")
    if not params or not wrong:
        tell(f"cannot be read: {whole}")
    return params


def _place(error: ValueError, before: int, part: bytes) -> str:
    """In which line of the file a part of it is wrong: there at the latest where it ends."""
    if not isinstance(error, YamlError) or error.line is None:
        return ""
    return f" in line {before + min(error.line, len(part.rstrip().splitlines())):,}"


def _fields(data: bytes) -> Mapping[object, object]:
    found = read_plain_yaml(data)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ValueError("it holds no fields")
    return found
