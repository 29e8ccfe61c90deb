"""Skops files that touch a canary if what they say is believed, and archives that are small until they are unpacked."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from .hostile import call


def archive_of(schema: Any, **members: bytes) -> bytes:
    """A skops file; underscores of the names of members stand for dots."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
        archive.writestr("schema.json", schema if isinstance(schema, str | bytes) else json.dumps(schema))
    return stream.getvalue()


def node(loader: str, module: str, name: str, **state: Any) -> dict[str, Any]:
    """One node of a schema."""
    return {"__loader__": loader, "__module__": module, "__class__": name, **state}


def text(value: object) -> dict[str, Any]:
    """A plain value."""
    return node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


def sequence(*items: Any, kind: str = "tuple") -> dict[str, Any]:
    """A list or tuple."""
    return node(f"{kind.title()}Node", "builtins", kind, content=list(items))


def mapping(module: str = "builtins", name: str = "dict", **items: Any) -> dict[str, Any]:
    """A dict with texts as keys."""
    keys = sequence(*[node("TypeNode", "builtins", "str") for _ in items], kind="list")
    return node("DictNode", module, name, content=items, key_types=keys)


def inside(value: Any) -> dict[str, Any]:
    """Something as the attribute of an honest estimator."""
    module = "sklearn.preprocessing._function_transformer"
    return node("ObjectNode", module, "FunctionTransformer", content=mapping(func=value))


def skops_files(canary: Path) -> dict[str, bytes]:
    """Skops files that touch the canary if they are believed."""
    found = {name: schema(value) for name, value in _hostile_nodes(canary)}
    command, load = f"touch '{canary}'", call("os", "system", f"touch '{canary}'")
    array = _pickled_array(load)
    ndarray = node("NdArrayNode", "numpy", "ndarray", type="numpy", file="x.npy")
    sparse = node("SparseMatrixNode", "scipy.sparse._csr", "csr_matrix", type="scipy", file="x.npz")
    old = node("FunctionNode", "numpy", "absolute", content={"module_path": "os", "function": "system"})
    generator = node(
        "RandomGeneratorNode",
        "numpy.random._generator",
        "Generator",
        content={"bit_generator": {"bit_generator": "seed"}},
    )
    files = {name: archive_of(value) for name, value in found.items()}
    return {
        **files,
        "its own list of trust": archive_of(
            {
                **schema(inside(node("FunctionNode", "os", "system"))),
                "trusted": ["os.system"],
                "skops_trusted_types": ["os.system"],
            }
        ),
        "a pickle in an array": archive_of(schema(ndarray), x_npy=array),
        "a pickle as an array": archive_of(schema(ndarray), x_npy=load),
        "an archive as an array": archive_of(schema(ndarray), x_npy=_npz(array)),
        "a pickle in a sparse matrix": archive_of(schema(sparse), x_npz=_npz(array)),
        "an old protocol": archive_of({**inside(old), "protocol": 0}),
        "an old generator": archive_of({**inside(generator), "protocol": 0}),
        "an odd protocol": archive_of({**inside(node("FunctionNode", "os", "system")), "protocol": True}),
        "a future protocol": archive_of({**inside(text(command)), "protocol": 99}),
    }


def schema(value: dict[str, Any], protocol: int = 2) -> dict[str, Any]:
    """A node as the top of a file."""
    return {**value, "protocol": protocol, "_skops_version": "0.16.0"}


def _hostile_nodes(canary: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    command = f"touch '{canary}'"
    code = f"open({str(canary)!r}, 'w').close()"
    system = node("FunctionNode", "os", "system")
    yield "a function", inside(system)
    yield "eval as a type", inside(node("TypeNode", "builtins", "eval"))
    yield "a constructor", node("ConstructorFromReduceNode", "os", "system", content=sequence(text(command)))
    yield "exec as a constructor", node("ConstructorFromReduceNode", "builtins", "exec", content=sequence(text(code)))
    yield (
        "Popen as a constructor",
        node("ConstructorFromReduceNode", "subprocess", "Popen", content=sequence(text(["touch", str(canary)]))),
    )
    yield "a container", node("ListNode", "os", "system", content=[text(command)])
    yield "a set", node("SetNode", "subprocess", "call", content=[text("touch"), text(str(canary))])
    yield "a tuple", node("TupleNode", "os", "system", content=[text(command)])
    keys = sequence(node("TypeNode", "builtins", "eval"), kind="list")
    yield (
        "eval of keys",
        node(
            "DictNode", "builtins", "dict", content={f"__import__('os').system({command!r})": text(1)}, key_types=keys
        ),
    )
    yield "a kind of dict", mapping("os", "system")
    yield (
        "a factory",
        node("DefaultDictNode", "collections", "defaultdict", content={"main": mapping(), "default_factory": system}),
    )
    yield "a loss", node("LossNode", "os", "system", __reduce__={"args": sequence(text(command))}, content=mapping())
    yield from _hostile_parts(canary)


def _hostile_parts(canary: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    command, code = f"touch '{canary}'", f"open({str(canary)!r}, 'w').close()"
    system = node("FunctionNode", "os", "system")
    partial = {"func": system, "args": sequence(text(command)), "kwds": mapping(), "namespace": mapping()}
    yield "a partial", inside(node("PartialNode", "functools", "partial", content=partial))
    fine = {**partial, "func": node("TypeNode", "builtins", "map"), "args": sequence(system)}
    yield "a partial of map", inside(node("PartialNode", "functools", "partial", content=fine))
    yield (
        "an attrgetter",
        inside(node("OperatorFuncNode", "operator", "attrgetter", attrs=sequence(text("__globals__")))),
    )
    yield (
        "a methodcaller",
        inside(node("OperatorFuncNode", "operator", "methodcaller", attrs=sequence(text("system"), text(command)))),
    )
    estimator = node("ObjectNode", "sklearn.linear_model._base", "LinearRegression", content=mapping())
    yield (
        "a method",
        inside(
            node(
                "MethodNode",
                "sklearn.linear_model._base",
                "LinearRegression",
                content={"obj": estimator, "func": "fit"},
            )
        ),
    )
    yield "an object", node("ObjectNode", "subprocess", "Popen", content=mapping(args=text(command)))
    yield (
        "a memory map",
        node(
            "ConstructorFromReduceNode",
            "numpy",
            "memmap",
            content=sequence(text(str(canary)), text("u1"), text("w+"), text(0), sequence(text(4))),
        ),
    )
    yield "a scalar", node("NdArrayNode", "os", "system", type="json", content=[text(command)], shape=sequence(text(1)))
    template = {"_parse_arg_template": text(code), "shapes": text(None), "numargs": text(0), "badvalue": text(None)}
    yield (
        "a distribution",
        node("ObjectNode", "scipy.stats._continuous_distns", "norm_gen", content=mapping(**template)),
    )
    same = node("FunctionNode", "numpy", "absolute", __id__=7)
    yield "one id twice", sequence(inside(same), inside({**system, "__id__": 8}), inside({**same, "__id__": 8}))
    yield "an id of something else", sequence(text(1), inside(node("CachedNode", "os", "system", __id__=99)))
    yield "an unknown loader", node("EvilNode", "os", "system", content=text(command))
    yield (
        "a vetted type made another way",
        node("ConstructorFromReduceNode", "sklearn.neighbors._kd_tree", "KDTree", content=sequence(text([[1.0]]))),
    )
    yield "a tree as a list", node("ListNode", "sklearn.tree._tree", "Tree", content=[text(1), text([1]), text(1)])
    yield (
        "its state an object",
        node("TreeNode", "sklearn.tree._tree", "Tree", __reduce__={"args": system}, content=mapping()),
    )


def _pickled_array(load: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + load


def _npz(array: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("format", "data", "indices", "indptr", "shape"):
            archive.writestr(f"{name}.npy", array)
    return stream.getvalue()


@cache
def bombs() -> dict[str, bytes]:
    """Archives that are small until somebody unpacks them."""
    zeros, many, nested = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zeros, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("schema.json", json.dumps(schema(text(1))))
        for number in range(6):
            archive.writestr(f"{number}.bin", b"\0" * (100 * 1024 * 1024))
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(100_001):
            archive.writestr(str(number), b"")
    with zipfile.ZipFile(nested, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("format.npy", b"\0")
        archive.writestr("data.npy", b"\0" * (520 * 1024 * 1024))
    sparse = node("SparseMatrixNode", "scipy.sparse._csr", "csr_matrix", type="scipy", file="x.npz")
    deep = '{"a":' * 200_000 + "1" + "}" * 200_000
    array = _pickled_array(b"").replace(b"'|O'", b"'<f8'").replace(b"(1,)", b"(99999999999,)")
    return {
        "zeros": zeros.getvalue(),
        "many members": many.getvalue(),
        "an archive in the archive": archive_of(schema(sparse), x_npz=nested.getvalue()),
        "a deep schema": archive_of(deep),
        "a huge array": archive_of(
            schema(node("NdArrayNode", "numpy", "ndarray", type="numpy", file="x.npy")), x_npy=array
        ),
        "a bomb for the parser": archive_of(f'{{"protocol": 2, "x": {"9" * 100_000}}}'),
    }
