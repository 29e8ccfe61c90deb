"""What PyTorch Lightning puts beside event files: `hparams.yaml`, and a folder of checkpoints."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tracker import _io
from tracker.codec import Param
from tracker.foreign.text_files import params_of
from tracker.yaml_files import MAX_YAML, read_plain_yaml

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
    wrong = 0
    for part in parts:
        try:
            params.update(params_of(_fields(part), tell))
        except ValueError as error:
            wrong += 1
            if len(parts) > 1:
                tell(f"{part.split(b':')[0].decode(errors='replace')!r:.60} cannot be read: {error}")
    if not params or not wrong:
        tell(f"cannot be read: {whole}")
    return params


def _fields(data: bytes) -> Mapping[object, object]:
    found = read_plain_yaml(data)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ValueError("it holds no fields")
    return found
