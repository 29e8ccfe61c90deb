"""Pickles that run something when they are loaded, each touching a canary.

`pickles(canary)`, `cloudpickled(canary)` and `packed(canary)` give bytes by name. Write them wherever the data file of
a model lies, under any name, and load it by any way in: the canary must not appear. hostile_skops.py has skops files.
"""

from __future__ import annotations

import bz2
import copyreg
import gzip
import io
import lzma
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXTENSION = 0x1F00
"""A code of the registry of extensions that stands for os.system while `extension()` holds."""


class Calls:
    """Pickles as a call of a function: what happens when it is loaded."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self._reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced


class Named:
    """Pickles as the import of a name, whether or not it exists here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    def save(self, obj: Any, *arguments: Any, **options: Any) -> None:
        """Names as opcodes, all else as ever."""
        if isinstance(obj, Named):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        else:
            super().save(obj, *arguments, **options)

    def save_reduce(self, func: Any, args: Any, *rest: Any, **options: Any) -> None:
        """A call of a name, or of what another call gives."""
        if isinstance(func, Named | Calls):
            self.save(func)
            self.save(args)
            self.write(pickle.REDUCE)
        else:
            super().save_reduce(func, args, *rest, **options)


def dumped(obj: Any, protocol: int = 4) -> bytes:
    """A pickle that may call names."""
    stream = io.BytesIO()
    _Pickler(stream, protocol).dump(obj)
    return stream.getvalue()


def call(module: str, name: str, *arguments: Any) -> bytes:
    """A pickle that calls a function."""
    return dumped(Calls(Named(module, name), *arguments))


def pickles(canary: Path) -> dict[str, bytes]:
    """Pickles by the way in which they touch the canary."""
    path, command = str(canary), f"touch '{canary}'"
    code = f"open({path!r}, 'w').close()"
    return {
        **_system_calls(path, command, code),
        **_interpreter(path, command, code),
        **_files(path),
        **_opcodes(path, command),
        **_beside_honest_ones(call("os", "system", command)),
    }


def _system_calls(path: str, command: str, code: str) -> dict[str, bytes]:
    found = {
        f"os.system, protocol {number}": dumped(Calls(Named("os", "system"), command), number) for number in range(6)
    }
    return {
        **found,
        "posix.system": call("posix", "system", command),
        "os.popen": dumped([Calls(Named("os", "popen"), command), Calls(Named("os", "system"), "true")]),
        "os.mkdir": call("os", "mkdir", path),
        "subprocess.Popen": call("subprocess", "Popen", ["touch", path]),
        "subprocess.call": call("subprocess", "call", ["touch", path]),
        "subprocess.check_output": call("subprocess", "check_output", ["touch", path]),
        "subprocess.getoutput": call("subprocess", "getoutput", command),
        "pty.spawn": call("pty", "spawn", ["touch", path]),
        "multiprocessing": call("multiprocessing.util", "spawnv_passfds", b"/usr/bin/touch", ["touch", path], []),
    }


def _interpreter(path: str, command: str, code: str) -> dict[str, bytes]:
    get, os_ = Named("builtins", "getattr"), Calls(Named("builtins", "__import__"), "os")
    later = Calls(Named("functools", "partial"), Named("os", "system"), command)
    return {
        "builtins.eval": call("builtins", "eval", f"__import__('os').system({command!r})"),
        "builtins.exec": call("builtins", "exec", code),
        "builtins.compile": call("builtins", "exec", Calls(Named("builtins", "compile"), code, "x", "exec")),
        "builtins.getattr": dumped(Calls(Calls(get, os_, "system"), command)),
        "builtins.map": dumped(
            Calls(Named("builtins", "list"), Calls(Named("builtins", "map"), Named("os", "system"), [command]))
        ),
        "importlib": dumped(Calls(Calls(get, Calls(Named("importlib", "import_module"), "os"), "system"), command)),
        "operator.attrgetter": dumped(Calls(Calls(Calls(Named("operator", "attrgetter"), "system"), os_), command)),
        "operator.methodcaller": dumped(Calls(Calls(Named("operator", "methodcaller"), "system", command), os_)),
        "functools.partial": dumped(Calls(later)),
        "runpy": call("runpy", "_run_code", Calls(Named("builtins", "compile"), code, "x", "exec"), {}),
        "timeit": call("timeit", "timeit", code, "pass", Named("time", "perf_counter"), 1),
        "bdb": dumped(Calls(Calls(get, Calls(Named("bdb", "Bdb")), "run"), code)),
        "code": dumped(Calls(Calls(get, Calls(Named("code", "InteractiveInterpreter")), "runsource"), code)),
        "through numpy": call("numpy.testing._private.utils", "runstring", code, {}),
        "pickle in a pickle": call("pickle", "loads", call("os", "system", command)),
    }


def _files(path: str) -> dict[str, bytes]:
    get, place = Named("builtins", "getattr"), Calls(Named("pathlib", "PosixPath"), path)
    return {
        "builtins.open": call("builtins", "open", path, "w"),
        "io.open": call("io", "open", path, "w"),
        "io.FileIO": call("io", "FileIO", path, "w"),
        "codecs.open": call("codecs", "open", path, "w"),
        "gzip.open": call("gzip", "open", path, "w"),
        "lzma.open": call("lzma", "open", path, "w"),
        "zipfile.ZipFile": call("zipfile", "ZipFile", path, "w"),
        "tarfile.open": call("tarfile", "open", path, "w"),
        "sqlite3.connect": call("sqlite3", "connect", path),
        "shutil.copy": call("shutil", "copy", __file__, path),
        "pathlib": dumped(Calls(Calls(get, place, "touch"))),
        "logging": call("logging", "FileHandler", path),
        "numpy.memmap": call("numpy", "memmap", path, "u1", "w+", 0, (4,)),
        "numpy.save": call("numpy", "save", path, [1]),
        "joblib.dump": call("joblib", "dump", [1], path),
    }


def _opcodes(path: str, command: str) -> dict[str, bytes]:
    """The same through opcodes that few know."""
    text = f"S{command!r}\n".encode()
    word = b"\x8c" + bytes([len(command)]) + command.encode()
    setter = b"}" + b"S'__setstate__'\ncos\nsystem\ns"
    return {
        "INST": b"(" + text + b"ios\nsystem\n.",
        "OBJ": b"(cos\nsystem\n" + text + b"o.",
        "BUILD": b"ctypes\nSimpleNamespace\n)\x81" + setter + b"b" + text + b"b.",
        "EXT": b"\x80\x02\x83" + struct.pack("<H", EXTENSION) + b"(" + text + b"tR.",
        "names from the memo": b"\x80\x04\x8c\x06system\x94\x8c\x02os\x940h\x01h\x00\x93" + word + b"\x85R.",
        "a name twice": b"\x80\x04\x8c\x02os2\x8c\x06system\x93" + word + b"\x85R.",
        "a computed name": b"\x80\x04cbuiltins\nstr\n\x8c\x02os\x85R\x8c\x06system\x93" + word + b"\x85R.",
        "a path of attributes": b"\x80\x04\x8c\x05runpy\x8c\x09os.system\x93" + word + b"\x85R.",
        "after much else": b"\x80\x04" + b"(K\x01K\x02l0" * 5000 + b"cos\nsystem\n" + word + b"\x85R.",
        "then damage": b"cos\nsystem\n(" + text + b"tRgarbage",
    }


def _beside_honest_ones(inner: bytes) -> dict[str, bytes]:
    """In the same file as an honest estimator, which is what the file gives."""
    import joblib
    import numpy as np
    from sklearn.linear_model import LinearRegression

    body = _unframed(inner[2:-1])
    honest = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    stream = io.BytesIO()
    joblib.dump({"model": honest, "array": np.arange(50.0)}, stream)
    return {
        "before an estimator": b"\x80\x04" + body + b"0" + pickle.dumps(honest, 4)[2:],
        "before one of joblib": b"\x80\x04" + body + b"0" + stream.getvalue()[2:],
    }


def packed(canary: Path) -> dict[str, bytes]:
    """Pickles that run when the library unpacks them that packed them."""
    inner = call("os", "system", f"touch '{canary}'")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", inner)
        archive.writestr("archive/version", "3")
    return {
        "joblib with zlib": zlib.compress(inner),
        "joblib with gzip": gzip.compress(inner),
        "joblib with xz": lzma.compress(inner),
        "joblib with bz2": bz2.compress(inner),
        "a zip as of PyTorch": zipped.getvalue(),
    }


def _unframed(body: bytes) -> bytes:
    """Without the mark of a frame, which counts the bytes."""
    return body[9:] if body[:1] == b"\x95" else body


def extension() -> Callable[[], None]:
    """Let the code stand for os.system in this process; returns what takes that back."""
    copyreg.add_extension("os", "system", EXTENSION)  # type: ignore[arg-type, unused-ignore]
    return lambda: copyreg.remove_extension("os", "system", EXTENSION)  # type: ignore[arg-type, unused-ignore]


def cloudpickled(canary: Path) -> dict[str, bytes]:
    """Pickles that carry code of their own and run it when they are loaded."""
    import cloudpickle

    place = str(canary)

    def touch() -> None:
        from pathlib import Path

        Path(place).touch()

    class Model:
        """A model whose class is in the pickle."""

        def __setstate__(self, _: object) -> None:
            touch()

    made = Model()
    made.__dict__["x"] = 1
    return {"cloudpickle, a function": cloudpickle.dumps(Calls(touch)), "cloudpickle, a class": cloudpickle.dumps(made)}
