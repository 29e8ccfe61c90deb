"""A `.keras` file of a stranger, checked before Keras reads it.

Keras has a safe mode, and found ways around it several times. So only layers and the like of Keras itself are let
through, none of which holds code or reads other files, and weights that lie in the file itself.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Iterator
from typing import Any

from tracker.exceptions import MissingPackageError, ModelError, UntrustedModelError

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {_CONFIG, "metadata.json", _WEIGHTS}
_MODULES = {
    "keras",
    *(
        f"keras.{name}"
        for name in (
            *("activations", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "models"),
            *("optimizers", "optimizers.schedules", "quantizers", "regularizers"),
            *("src.models.functional", "src.models.model", "src.models.sequential"),
        )
    ),
}
_VALUES = {"__tensor__", "__keras_tensor__", "__numpy__", "__tuple__", "__bytes__", "__ellipsis__"}
_HOLD_CODE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer"}
_PATHS = ("vocabulary", "idf_weights")
"""Settings of layers that may be the path of a file to be read."""
_LARGEST_CONFIG = 64 * 1024 * 1024


def check_archive(data: bytes, *, where: str, known: Collection[str] = ()) -> None:
    """UntrustedModelError for a file that holds code or reads others, ModelError for one that is damaged.

    `where` names the file; `known` are names of custom objects that the caller brings along.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = sorted(set(_refused(archive, known)))
            _check_weights(archive)
    except UntrustedModelError as error:
        raise UntrustedModelError(f"{where} was not loaded: {error}") from None
    except (zipfile.BadZipFile, ValueError, KeyError, OSError, RuntimeError, RecursionError, EOFError) as error:
        raise ModelError(f"{where} is no .keras file, or a damaged one: {error}.") from None
    if found:
        raise UntrustedModelError(
            f"{where} was not loaded: it holds {', '.join(found)}, which can run code or read other files. "
            "If you trust where it is from, load it with trust=True."
        )


def _refused(archive: zipfile.ZipFile, known: Collection[str]) -> Iterator[str]:
    names = archive.namelist()
    if len(set(names)) != len(names):
        raise ValueError("a file stands there twice")
    if archive.getinfo(_CONFIG).file_size > _LARGEST_CONFIG:
        raise ValueError(f"{_CONFIG} is huge")
    yield from (f"the file {name!r:.100}" for name in names if name not in _MEMBERS)
    stack = [json.loads(archive.read(_CONFIG))]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            yield from _refused_part(value, known)
            stack += value.values()
        elif isinstance(value, list):
            stack += value


def _refused_part(part: dict[str, Any], known: Collection[str]) -> Iterator[str]:
    """What one object of the configuration holds."""
    for name in _PATHS:
        if isinstance(part.get(name), str):
            yield f"a {name} in the file {part[name]!r:.100}"
    if "class_name" not in part or part["class_name"] in known or part.get("registered_name") in known:
        return
    name, module = part["class_name"], part.get("module")
    if module is None and isinstance(name, str) and name in _VALUES:
        return
    is_ours = isinstance(name, str) and name.isidentifier() and name[:1].isupper() and name not in _HOLD_CODE
    if not is_ours or module not in _MODULES:
        yield f"{module}.{name}"[:100]


def _check_weights(archive: zipfile.ZipFile) -> None:
    """HDF5 can point at other files; these weights may not."""
    try:
        import h5py
    except ImportError:
        raise MissingPackageError("Loading a Keras model", packages=["keras", "h5py"]) from None
    with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as file:
        groups = [file]
        while groups:
            group = groups.pop()
            for name in group:
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    raise UntrustedModelError(f"its weights are a link at {name!r:.100}")
                member = group[name]
                if isinstance(member, h5py.Group):
                    groups.append(member)
                elif member.external or member.is_virtual:
                    raise UntrustedModelError(f"its weights {name!r:.100} lie in another file")
