"""What an image of a model installs: the model's own requirements and those of the server, pinned."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tracker.installed import installed_version
from tracker.opening import OpenedModel

SERVER = ("click", "msgspec", "pandas", "pyyaml", "rich", "starlette", "anyio", "uvicorn")
"""What `tracker models serve` imports besides the model's own packages."""
OLDEST_PANDAS = "2.2.2"
MLFLOW = ("mlflow", "mlflow-skinny")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def image_requirements(opened: OpenedModel) -> list[str]:
    """Lines of a requirements.txt. Where both name a package, the model's line counts."""
    lines = model_requirements(opened)
    named = {package_of(line): line for line in lines}
    server = [_pin(package, named) for package in SERVER if package not in named]
    return ["# of the model", *_without_mlflow(lines, opened), "# of the server", *server]


def package_of(line: str) -> str:
    """The package that a requirement names, in lower case with hyphens; the line itself where it names none."""
    found = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else line


def model_requirements(opened: OpenedModel) -> list[str]:
    """The lines of a model's own requirements.txt, without comments."""
    if not opened.has("requirements.txt"):
        return []
    text = opened.read("requirements.txt").decode(errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def _without_mlflow(lines: Iterable[str], opened: OpenedModel) -> list[str]:
    """MLflow names itself in each of its models. Models of a library load without it; Python code may use it."""
    if not opened.model.own_flavors:
        return list(lines)
    return [f"# {line}: tracker takes its place" if package_of(line) in MLFLOW else line for line in lines]


def _pin(package: str, named: dict[str, str]) -> str:
    """A package in the version that is installed here; pandas in any that goes with the model's numpy."""
    version = installed_version(package)
    numpy = named.get("numpy", "")
    if package == "pandas" and numpy and not numpy.endswith(f"=={installed_version('numpy')}"):
        return f"pandas>={OLDEST_PANDAS}"
    return f"{package}=={version.partition('+')[0]}" if version else package
