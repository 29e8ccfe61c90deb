"""The packages that a model needs, read off the model itself: its pickle, and the code in it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tracker.models import pickles
from tracker.models.distributions import installed_distribution, is_pinnable, module_file


def requirements_of(modules: Iterable[str]) -> list[str]:
    """Pinned packages for modules, sorted.

    `requirements_of({"sklearn", "os"})` is `["scikit-learn==1.9.1"]`. A local version such as 2.14.1+cpu is pinned
    as 2.14.1, which an index has. What no index can bring is left out: the standard library, people's own modules, and
    packages that were installed from a folder or repository.
    """
    found = map(installed_distribution, {name.partition(".")[0] for name in modules} - _standard())
    return sorted({f"{each[0]}=={each[1].partition('+')[0]}" for each in found if each and is_pinnable(*each)})


def _standard() -> set[str]:
    return {*sys.stdlib_module_names, "__main__", "__mp_main__", "__builtin__", "copy_reg", pickles.COMPUTED}


def modules_of(obj: Any, data: bytes | None = None) -> set[str]:
    """Top-level modules that an object needs to be loaded and used, beyond the standard library.

    `data` is its pickle where there is one already: the classes it names, the modules its functions import when they
    are called, and what people's own modules among them import in turn. An object that cannot be pickled is judged
    by its class alone.
    """
    if data is None:
        data = _pickled(obj)
    named = _modules_in(data) if data is not None else {type(obj).__module__}
    found: set[str] = set()
    _follow({name.partition(".")[0] for name in named}, found)
    return found - _standard()


def _pickled(obj: Any) -> bytes | None:
    try:
        import cloudpickle

        return bytes(cloudpickle.dumps(obj))
    except Exception:  # classes of all sorts refuse in their own way
        return None


def _modules_in(data: bytes) -> set[str]:
    contents = pickles.contents_of(data)
    return {found.module for found in contents.imports} | set(contents.inside_code)


def _follow(modules: Iterable[str], found: set[str]) -> None:
    """Add modules, and those that people's own ones among them import."""
    for name in modules:
        if name in found or name in _standard():
            continue
        found.add(name)
        if name in sys.modules and _is_own(name):
            prefix = f"{name}."
            parts = [module for key, module in list(sys.modules.items()) if key == name or key.startswith(prefix)]
            _follow({top for part in parts for top in _imported_by(part)}, found)


def _is_own(module: str) -> bool:
    return installed_distribution(module) is None and bool(module_file(module))


def _imported_by(module: ModuleType | None) -> Iterator[str]:
    """Top-level modules behind the names of a module, and those that its functions import."""
    for value in list(vars(module).values()) if module else ():
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(name, str):
            yield name.partition(".")[0]
        if isinstance(value, FunctionType):
            yield from _imported_in(value.__code__)
        elif isinstance(value, type):
            methods = [entry for entry in vars(value).values() if isinstance(entry, FunctionType)]
            yield from (top for method in methods for top in _imported_in(method.__code__))


def _imported_in(code: CodeType) -> Iterator[str]:
    import dis

    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME" and instruction.argval:
            yield str(instruction.argval).partition(".")[0]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _imported_in(constant)
