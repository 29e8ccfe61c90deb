"""Estimators as skops files: zip archives that name the types of all they hold, so that these can be judged first.

Loading goes in this order: is it such an archive, and of a sane size; which types does it name, and is each on the list
of skops or on ours; do the parts that compiled code follows unchecked fit together; only then is anything made of them.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tracker.exceptions import InvalidValueError, MissingPackageError, ModelError, UntrustedModelError
from tracker.models import lightgbm_checks, skops_checks
from tracker.models.pickles import missing_module
from tracker.models.skops_types import VETTED

MAX_MEMBERS = 100_000
"""Files in the archive; a forest has three for each tree."""
MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes of all files unpacked that are always read; beyond, the archive must not grow more than MAX_GROWTH times."""
MAX_GROWTH = 50
MAX_SCHEMA = 256 * 1024 * 1024
"""Bytes of schema.json."""

_SKOPS = "skops>=0.16"
_SCHEMA = "schema.json"
_OLDEST_PROTOCOL = 1
"""Files of protocol 0 name functions in a second place, which the audit does not look at."""
_PARTIAL_OF = "sklearn.utils.validation.check_array"


def dump_skops(obj: Any) -> bytes:
    """An estimator as the bytes of a skops file; compressed, which makes it some five times smaller.

    Raises InvalidValueError for one that skops cannot store.
    """
    skops_io = _skops("Saving a model with skops")
    try:
        return bytes(skops_io.dumps(obj, compression=zipfile.ZIP_DEFLATED, compresslevel=1))
    except Exception as error:  # objects of all sorts refuse in their own way
        reason = " ".join(str(error).split())
        raise InvalidValueError(
            f"{type(obj).__name__} cannot be stored with skops: {reason} Use serialization_format='cloudpickle'."
        ) from error


def load_skops(data: bytes, *, where: str, also_trusted: Sequence[str] = ()) -> Any:
    """The estimator in a skops file. No code of the file runs: it can only name types that are on a list.

    `where` names the file in errors. `also_trusted` are further types, by the names that the refusal shows; take
    them from yourself, never from the model. Raises UntrustedModelError for types that nobody vetted, ModelError for
    bytes that are no skops file, are damaged or do not fit together, and MissingPackageError without skops.
    """
    _skops(f"Loading {where}")
    with _opened(data, where) as archive, _explained(where), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*numpy.core.*", category=DeprecationWarning)
        root = _tree(archive, _trusted(also_trusted))
        nodes = list(_nodes(root))
        refused = _untrusted(root, nodes, also_trusted)
        if refused:
            raise UntrustedModelError(_refusal(where, refused))
        for node in nodes:
            _check_before(node)
        for node in nodes:
            _check_made(node)
        return root.construct()


def types_in(data: bytes, *, where: str = "The file") -> tuple[str, ...]:
    """The types and functions that a skops file names, sorted; nothing is imported or loaded, and skops is not needed.

    Raises ModelError for bytes that are no skops file.
    """
    with _opened(data, where) as archive, _explained(where):
        return tuple(sorted(set(_named(json.loads(archive.read(_SCHEMA))))))


def trusted_types_needed(data: bytes) -> tuple[str, ...]:
    """The types in a skops file that skops itself does not trust: what MLflow wants to find as skops_trusted_types."""
    return tuple(_skops("Reading a skops file").get_untrusted_types(data=data))


def types_refused(data: bytes, *, where: str = "The file") -> tuple[str, ...]:
    """The types for which `load_skops` would refuse a file."""
    _skops(f"Reading {where}")
    with _opened(data, where) as archive, _explained(where):
        root = _tree(archive, _trusted(()))
        return tuple(_untrusted(root, list(_nodes(root)), ()))


def _skops(purpose: str) -> Any:
    try:
        import skops.io
    except ImportError:
        raise MissingPackageError(purpose, packages=[_SKOPS]) from None
    return skops.io


def _refusal(where: str, refused: list[str]) -> str:
    return (
        f"{where} was not loaded: it names {', '.join(refused)}, which tracker did not vet. A type can run code when "
        "it is loaded. If you know these and trust where the file is from, name them in also_trusted=; "
        "for a model of your own, save it with cloudpickle."
    )


class _explained:  # noqa: N801
    """Errors of the parsers, which hostile bytes raise in any way they like, as a ModelError that names the file."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ModuleNotFoundError) and not isinstance(error, MissingPackageError):
            raise missing_module(error, self._where) from error
        if isinstance(error, Exception) and not isinstance(error, ModelError | MissingPackageError):
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise ModelError(
                f"{self._where} could not be loaded: {reason}. It is damaged, was changed, or is of another version; "
                "compare with the model's requirements.txt."
            ) from error


def _opened(data: bytes, where: str) -> zipfile.ZipFile:
    """The archive, if it is one of skops and of a sane size."""
    if not data.startswith(b"PK\x03\x04"):
        raise ModelError(f"{where} is no skops file, whatever its name says: it does not begin as a zip archive.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        _check_archive(archive, len(data), _SCHEMA)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise ModelError(f"{where} is no skops file, or a damaged one: {error}.") from error
    return archive


def _check_archive(archive: zipfile.ZipFile, size: int, needed: str) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"it has {len(members):,} files, more than {MAX_MEMBERS:,}")
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(MAX_UNPACKED, MAX_GROWTH * size):
        raise ValueError(f"{size:,} bytes would unpack to {unpacked:,}, as those of a zip bomb do")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ValueError("it is compressed in an unusual way")
    sizes = [member.file_size for member in members if member.filename == needed]
    if len(sizes) != 1 or sizes[0] > MAX_SCHEMA:
        raise ValueError(
            f"it has {len(sizes)} files {needed} instead of one" if len(sizes) != 1 else f"{needed} is huge"
        )


def _trusted(also_trusted: Sequence[str]) -> list[str]:
    return [*VETTED, *also_trusted]


def _tree(archive: zipfile.ZipFile, trusted: list[str]) -> Any:
    """The nodes that skops would make objects of; none is made yet, and nothing that the file names is imported."""
    try:
        from skops.io._audit import get_tree
        from skops.io._utils import read_schema
    except ImportError as error:
        raise MissingPackageError("Loading a skops file", packages=[f"{_SKOPS},<0.17"]) from error
    schema, context = read_schema(archive)
    if context.protocol < _OLDEST_PROTOCOL:
        raise ValueError("it is of an outdated version of skops; load and save it with a newer one")
    return get_tree(schema, context, trusted=trusted)


class _Node(NamedTuple):
    """A node of skops with the facts that the checks ask for."""

    kind: str
    """Name of its class, which says how it is made."""
    name: str
    """The type, or function, that it stands for."""
    node: Any


def _nodes(root: Any) -> Iterator[_Node]:
    """A node and all below it, children before their parents, each once."""
    seen: set[int] = set()
    stack = [(root, False)]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            yield _Node(type(node).__name__, f"{node.module_name}.{node.class_name}", node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(child, False) for child in _children(node)]


def _children(node: Any) -> Iterator[Any]:
    if hasattr(node, "cached"):
        yield node.cached
    for name, child in node.children.items():
        if name == "constructor":
            continue  # made up by skops from the node itself
        entries = child.values() if isinstance(child, dict) else child if isinstance(child, list) else (child,)
        yield from (entry for entry in entries if hasattr(entry, "get_unsafe_set"))


def _untrusted(root: Any, nodes: list[_Node], also_trusted: Sequence[str]) -> list[str]:
    """What skops does not trust, and vetted types in a form in which skops does not write them."""
    refused = set(root.get_unsafe_set()) - {*VETTED, *also_trusted}
    for kind, name, node in nodes:
        if kind in ("JsonNode", "CachedNode", "MethodNode") or name in also_trusted or name not in VETTED:
            continue
        if kind not in VETTED[name].loaders:
            refused.add(f"{name} (as {kind})")
        elif kind == "PartialNode" and _partial_of(node) != ("FunctionNode", _PARTIAL_OF):
            refused.add(f"{name} of {_partial_of(node)[1]}")
    return sorted(refused)


def _partial_of(node: Any) -> tuple[str, str]:
    return type(node.func).__name__, f"{node.func.module_name}.{node.func.class_name}"


_PLAIN_NODES = {"DictNode", "TupleNode", "ListNode", "JsonNode", "NdArrayNode", "TypeNode", "CachedNode"}


def _check_before(found: _Node) -> None:
    """What has to be right before an object is made: sizes of arrays, the parts of decision trees."""
    if found.kind == "NdArrayNode" and found.node.type == "numpy":
        _check_array(found.node.buffer)
    elif found.kind == "SparseMatrixNode":
        size = found.node.content.getbuffer().nbytes
        with zipfile.ZipFile(found.node.content) as archive:
            _check_archive(archive, size, "format.npy")
        found.node.content.seek(0)
    elif found.kind == "TreeNode":
        parts = [*_nodes(found.node.args), *_nodes(found.node.attrs)]
        if not {part.kind for part in parts} <= _PLAIN_NODES:
            raise ValueError("a decision tree is made of more than numbers")
        skops_checks.check_tree_parts(found.node.args.construct(), found.node.attrs.construct())


def _check_array(buffer: io.BytesIO) -> None:
    """An array must be as large as it says before room for it is made."""
    import numpy as np

    version = np.lib.format.read_magic(buffer)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(buffer)
    count = 1
    for length in shape:
        count *= length
    if dtype.hasobject or count * dtype.itemsize != buffer.getbuffer().nbytes - buffer.tell():
        raise ValueError("an array is not as large as it says")
    buffer.seek(0)


_MADE: dict[str, Callable[[Any], None]] = {
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": skops_checks.check_predictor,
    "sklearn.neighbors._kd_tree.KDTree": skops_checks.check_neighbors_tree,
    "sklearn.neighbors._ball_tree.BallTree": skops_checks.check_neighbors_tree,
    "scipy.interpolate._bsplines.BSpline": skops_checks.check_spline,
}


def _check_made(found: _Node) -> None:
    """Make the object of a node, whose parts are made and checked, and look at what compiled code will follow."""
    if found.kind == "SparseMatrixNode":
        skops_checks.check_sparse(found.node.construct())
    elif found.kind == "ObjectNode":
        if found.name == "lightgbm.basic.Booster":
            lightgbm_checks.check_state(found.node.attrs.construct() if found.node.attrs else None)
        made = found.node.construct()
        if found.name in _MADE:
            _MADE[found.name](made)
        elif found.name.startswith(("sklearn.", "lightgbm.")):
            skops_checks.check_estimator(made)


def _named(state: object) -> Iterator[str]:
    """Types and functions in a schema, those of its JSON values left out."""
    stack = [state]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "__class__" in value and value.get("__loader__") not in ("JsonNode", "CachedNode"):
                yield f"{value.get('__module__')}.{value['__class__']}{_method(value)}"
            stack += value.values()
        elif isinstance(value, list):
            stack += value


def _method(state: dict[str, Any]) -> str:
    content = state.get("content")
    return f".{content.get('func')}" if state.get("__loader__") == "MethodNode" and isinstance(content, dict) else ""
