"""What a pickle would import, told without executing it; and loading one that somebody vouched for."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from tracker.exceptions import MissingPackageError, ModelError
from tracker.installed import is_importable
from tracker.models.distributions import distribution_name

if TYPE_CHECKING:
    from pickletools import OpcodeInfo

COMPUTED = "(computed)"
"""Stands for a module or name that a pickle puts together only when it is loaded."""


class PickleImport(msgspec.Struct, frozen=True, order=True):
    """Something that a pickle imports as soon as it is loaded."""

    module: str
    """Module as the pickle spells it, `sklearn.svm._classes`."""
    name: str
    """Class or function in it; a path of attributes has dots, `OneHotEncoder.fit`."""

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class PickleContents(msgspec.Struct, frozen=True):
    """What a pickle names."""

    imports: tuple[PickleImport, ...]
    """What is imported when it is loaded, sorted, each once. A whole module has the name `*`."""
    inside_code: tuple[str, ...]
    """Modules that functions which it carries by value import when they are called. The functions are read as those
    of this version of Python, so believe it for pickles that were made in this process."""


def imports_of(data: bytes, *, where: str = "The pickle") -> tuple[PickleImport, ...]:
    """All that a pickle imports when it is loaded, sorted, each once; nothing is imported or executed.

    Of a file of torch.save it is the pickle inside. Pickles that one keeps as bytes are not looked into. Raises
    ModelError for a file that cannot be followed to its end: a damaged, compressed or zipped one, or one of joblib
    with arrays between the opcodes.
    """
    return contents_of(data, where=where).imports


def contents_of(data: bytes, *, where: str = "The pickle") -> PickleContents:
    """The same, with what functions in the pickle import."""
    import pickletools

    data = _inside_torch(data)
    _refuse_packed(data, where)
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            machine.step(opcode, argument)
    except Exception as error:  # hostile bytes fail in any way that the parser of the library has
        if any(found.module == "joblib.numpy_pickle" for found in machine.imports):
            raise ModelError(
                f"{where} was written by joblib, with arrays between the opcodes, so its imports cannot be listed. "
                "Save it with cloudpickle or skops."
            ) from error
        raise ModelError(
            f"{where} is no whole pickle: {str(error) or type(error).__name__}. It is damaged, or of another format."
        ) from error
    return PickleContents(tuple(sorted(machine.imports)), tuple(sorted(machine.inside_code)))


_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "compressed with gzip",
    b"\x78\x01": "compressed with zlib",
    b"\x78\x5e": "compressed with zlib",
    b"\x78\x9c": "compressed with zlib",
    b"\x78\xda": "compressed with zlib",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x5d\x00\x00": "compressed with lzma",
    b"\x04\x22\x4d\x18": "compressed with lz4",
}


def _inside_torch(data: bytes) -> bytes:
    """The pickle in an archive of torch.save, where there is exactly one of a sane size; else the bytes as they are."""
    if not data.startswith(b"PK\x03\x04"):
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
            if len(found) == 1 and found[0].file_size <= len(data):  # torch does not compress
                return archive.read(found[0])
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError):
        pass  # it is refused as the archive that it is
    return data


def _refuse_packed(data: bytes, where: str) -> None:
    packed = next((text for magic, text in _PACKED.items() if data.startswith(magic)), None)
    if packed:
        raise ModelError(f"{where} is {packed}, and no plain pickle: what it would import cannot be told.")


_MARK = object()
_UNKNOWN = object()
_PUSHES_ITS_ARGUMENT = {
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
_LONGEST_KEPT = 1024 * 1024
"""Bytes of the largest text or code that is kept; what is longer are arrays."""
_TUPLES = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE"}


class _Machine:
    """The stack and the memo of an unpickler, where only texts, bytes and tuples have values."""

    def __init__(self) -> None:
        self.imports: set[PickleImport] = set()
        self.inside_code: set[str] = set()
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def step(self, opcode: OpcodeInfo, argument: Any) -> None:
        """Follow one opcode."""
        name = opcode.name
        if name == "MARK":
            self._stack.append(_MARK)
        elif name == "POP":
            self._stack.pop()
        elif name == "DUP":
            self._stack.append(self._stack[-1])
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[int(argument)] = self._stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[int(argument)])
        else:
            taken = self._take(opcode)
            self._note(name, argument, taken)
            value = self._value(name, argument, taken)
            self._stack += [value] * len(opcode.stack_after)

    def _take(self, opcode: OpcodeInfo) -> list[Any]:
        """Pop what the opcode pops, the lowest first."""
        before = [kind.name for kind in opcode.stack_before]
        taken: list[Any] = []
        if "mark" in before:
            while (value := self._stack.pop()) is not _MARK:
                taken.append(value)
            before = before[: before.index("mark")]
        taken += [self._stack.pop() for _ in before]
        return taken[::-1]

    def _note(self, name: str, argument: Any, taken: list[Any]) -> None:
        if name in ("GLOBAL", "INST"):
            module, _, attribute = argument.partition(" ")
            self._import(module, attribute)
        elif name == "STACK_GLOBAL":
            self._import(*taken)
        elif name in ("EXT1", "EXT2", "EXT4"):
            self._import(*_extension(int(argument)))
        elif name == "REDUCE":
            self._call(*taken)

    def _import(self, module: object, name: object) -> None:
        texts = [text if isinstance(text, str) else COMPUTED for text in (module, name)]
        self.imports.add(PickleImport(*texts))

    def _call(self, function: object, arguments: object) -> None:
        """Cloudpickle imports modules by a call, and carries functions as code."""
        if not isinstance(arguments, tuple):
            return
        if function == PickleImport("cloudpickle.cloudpickle", "subimport") and len(arguments) == 1:
            self._import(arguments[0], "*")
        self.inside_code.update(_imported_by_code(arguments))

    def _value(self, name: str, argument: Any, taken: list[Any]) -> object:
        if name in _PUSHES_ITS_ARGUMENT:
            return argument if len(argument) <= _LONGEST_KEPT else _UNKNOWN
        if name in _TUPLES:
            return tuple(taken)
        if name == "STACK_GLOBAL" and all(isinstance(text, str) for text in taken):
            return PickleImport(*taken)
        return _UNKNOWN


def _extension(code: int) -> tuple[str, str]:
    """What a code of the registry of extensions stands for in this process."""
    import copyreg

    registry: dict[int, tuple[str, str]] = getattr(copyreg, "_inverted_registry", {})
    return registry.get(code, ("copyreg", f"extension {code}"))


def _imported_by_code(arguments: tuple[object, ...]) -> Iterator[str]:
    """The modules that a function imports, if these are the parts of its code: bytes, constants, names."""
    import dis

    for place, code in enumerate(arguments[:-2]):
        names = arguments[place + 2]
        if not (isinstance(code, bytes) and isinstance(names, tuple)):
            continue
        high = 0
        for operation, low in zip(code[::2], code[1::2], strict=False):
            index = high | low
            high = index << 8 if operation == dis.EXTENDED_ARG else 0
            if operation == dis.opmap["IMPORT_NAME"] and index < len(names) and isinstance(names[index], str):
                yield names[index]
        return


_DANGEROUS_MODULES = frozenset(
    """
    _frozen_importlib _frozen_importlib_external _io _osx_support _pickle _posixsubprocess _pyrepl _socket
    _thread asyncio bdb bz2 cProfile code codecs codeop commands concurrent ctypes dill doctest ensurepip
    fileinput ftplib glob gzip http idlelib imaplib imp importlib inspect io linecache lzma marshal mmap
    multiprocessing nt nturl2path os pathlib pdb pickle pickletools pip pkgutil platform poplib posix posixpath
    profile pty pydoc requests runpy setuptools shelve shutil signal site smtplib socket socketserver sqlite3
    ssl subprocess sys tarfile telnetlib tempfile test threading timeit trace unittest urllib urllib3 uuid venv
    webbrowser xmlrpc zipapp zipfile zipimport
    """.split()
)
_DANGEROUS_NAMES = frozenset(
    """
    __builtin__.__import__ __builtin__.apply __builtin__.compile __builtin__.delattr __builtin__.eval
    __builtin__.execfile __builtin__.file __builtin__.getattr __builtin__.globals __builtin__.locals
    __builtin__.open __builtin__.setattr __builtin__.vars builtins.__import__ builtins.breakpoint
    builtins.compile builtins.delattr builtins.eval builtins.exec builtins.getattr builtins.globals
    builtins.input builtins.locals builtins.open builtins.setattr builtins.vars
    cloudpickle.cloudpickle._make_function cloudpickle.load cloudpickle.loads functools.partial
    functools.partialmethod functools.reduce joblib.dump joblib.load joblib.numpy_pickle.dump
    joblib.numpy_pickle.load logging.FileHandler numpy.fromfile numpy.fromregex numpy.genfromtxt numpy.load
    numpy.loadtxt numpy.memmap numpy.save numpy.savetxt numpy.savez operator.attrgetter operator.itemgetter
    operator.methodcaller pandas.eval pandas.read_pickle torch.load types.CodeType types.FunctionType
    types.MethodType
    """.split()
)
_DANGEROUS_PARTS = frozenset(
    {"__builtins__", "__globals__", "__import__", "__loader__", "__subclasses__", "eval", "exec", "popen", "system"}
)


def dangerous(imports: Iterable[PickleImport]) -> tuple[PickleImport, ...]:
    """Those that reach the system, files, the network or the interpreter, or carry code of their own.

    A tripwire, not a gate: a pickle without any can still do harm.
    """
    return tuple(found for found in imports if _is_dangerous(found))


def _is_dangerous(found: PickleImport) -> bool:
    parts = str(found).split(".")
    top = parts[0]
    if COMPUTED in (found.module, found.name) or top in _DANGEROUS_MODULES or str(found) in _DANGEROUS_NAMES:
        return True
    return any(part in _DANGEROUS_PARTS or part in _SYSTEM for part in parts[1:])


_SYSTEM = frozenset("os sys testing subprocess importlib runpy shutil socket ctypes posix pickle".split())


def load_pickle(data: bytes, *, where: str) -> Any:
    """The object of a pickle. **This runs whatever the pickle says**: call it for verified bytes that are trusted.

    `where` names the file in errors. Classes of MLflow's pyfunc become tracker's where MLflow is not installed.
    Raises MissingPackageError when a package is missing, and ModelError for everything else that goes wrong.
    """
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except ModuleNotFoundError as error:
        raise missing_module(error, where) from error
    except ModelError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(
            f"{where} could not be unpickled: {reason}. Is it whole, and are the versions of its requirements.txt "
            "installed? What a script defined itself has to travel with the model: see code_paths=."
        ) from error


_OURS = {
    ("mlflow.pyfunc.model", "PythonModel"): "PythonModel",
    ("mlflow.pyfunc.model", "PythonModelContext"): "PythonModelContext",
    ("mlflow.models.signature", "_TypeHints"): "TypeHints",
    ("mlflow.pyfunc.model", "_FunctionPythonModel"): "FunctionPythonModel",
    ("mlflow.pyfunc", "PythonModel"): "PythonModel",
    ("mlflow.pyfunc", "PythonModelContext"): "PythonModelContext",
}


class _Unpickler(pickle.Unpickler):
    """Finds classes of MLflow in tracker where MLflow is not installed."""

    def find_class(self, module: str, name: str) -> Any:
        """The class or function that the pickle names."""
        ours = _OURS.get((module, name))
        if ours and not is_importable("mlflow"):
            module, name = "tracker.pyfunc.model", ours
        return super().find_class(module, name)


def missing_module(error: ModuleNotFoundError, where: str) -> Exception:
    """What to raise for a module that loading a file did not find: the package to install, where that is known."""
    module = error.name or str(error)
    top = module.split(".")[0]
    package = distribution_name(top)
    if is_importable(top):
        return ModelError(
            f"{where} needs the module {module}, which the installed {package or top} does not have. "
            "Install the version that stands in the model's requirements.txt."
        )
    if package:
        return MissingPackageError(f"Loading {where}, which imports {module},", packages=[package])
    return ModelError(
        f"{where} needs the module {module}, which is not installed. If it is your own, save the model with "
        "code_paths=; if it is a package's, install what stands in the model's requirements.txt."
    )
