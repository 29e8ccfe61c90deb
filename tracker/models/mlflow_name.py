"""`import mlflow` in the Python files of models, where MLflow is not installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

from tracker.installed import is_importable

_NAME = "mlflow"


@contextmanager
def mlflow_is_tracker() -> Iterator[None]:
    """Within the block `import mlflow` gives tracker, and `mlflow.pyfunc` tracker.pyfunc, unless it is installed."""
    if is_importable(_NAME):
        yield
        return
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]:
            del sys.modules[name]


class _Finder:
    """Finds modules of tracker under MLflow's names."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the import system asks for."""
        top, dot, rest = name.partition(".")
        return ModuleSpec(name, _Loader(f"tracker{dot}{rest}")) if top == _NAME else None


class _Loader(Loader):
    """Puts a module of tracker in the place of the one that was asked for."""

    def __init__(self, ours: str) -> None:
        self.ours = ours

    def create_module(self, spec: ModuleSpec) -> None:
        """An empty one, as usual."""

    def exec_module(self, module: ModuleType) -> None:
        """The import system takes what stands here afterwards."""
        sys.modules[module.__name__] = importlib.import_module(self.ours)
