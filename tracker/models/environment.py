"""The files that say what to install for a model, as MLflow has them: requirements.txt, python_env.yaml, conda.yaml."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker import _io
from tracker.exceptions import InvalidValueError, NotFoundError
from tracker.installed import installed_version
from tracker.yaml_files import read_plain_yaml, yaml_bytes

REQUIREMENTS_FILE = "requirements.txt"
CONSTRAINTS_FILE = "constraints.txt"
PYTHON_ENV_FILE = "python_env.yaml"
CONDA_FILE = "conda.yaml"

_MAX_FILE = 1024 * 1024
_MAX_NESTED = 10
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[\w.*+!-]+"
_REQUIREMENT = re.compile(
    rf"{_NAME.pattern}\s*(?:\[[\w\s,.-]*\])?\s*"
    rf"(?:@\s*(?!file:)\S+|\(?\s*{_VERSION}(?:\s*,\s*{_VERSION})*\s*\)?)?\s*(?:;.*)?(?:\s--hash[= ]\S+)*"
)
_URL = re.compile(r"(?:git|hg|svn|bzr)\+\w+://\S+|https?://\S+")
_OPTION = re.compile(
    r"(?:--(?:extra-)?index-url|-i|--find-links|-f|--trusted-host|--no-binary|--only-binary|--no-index|--pre"
    r"|--prefer-binary|--require-hashes)(?:[ =].*)?"
)
_CREDENTIALS = re.compile(r"://(?!git@)[^/@\s]+@")

PipRequirements = Sequence[str] | str | os.PathLike[str]


def python_version() -> str:
    """The version of this Python, `3.11.7`."""
    return platform.python_version()


def environment_files(
    packages: Iterable[str],
    *,
    pip_requirements: PipRequirements | None = None,
    extra_pip_requirements: PipRequirements | None = None,
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None = None,
) -> dict[str, bytes]:
    """The files of a model's environment by name.

    `packages` are the inferred requirements; `pip_requirements` or `conda_env` take their place, and
    `extra_pip_requirements` adds to them, a line about the same package replacing the inferred one.
    Raises InvalidValueError for more than one of the three, or for lines that would not install elsewhere.
    """
    given = {"pip_requirements": pip_requirements, "extra_pip_requirements": extra_pip_requirements}
    named = [name for name, value in {**given, "conda_env": conda_env}.items() if value is not None]
    if len(named) > 1:
        raise InvalidValueError(f"{' and '.join(named)} cannot be given together. Give one of them.")
    conda = None if conda_env is None else _read_conda(conda_env)
    if conda is not None:
        lines, constraints = _parse(_pip_part(conda), Path())
    elif pip_requirements is not None:
        lines, constraints = _read_requirements(pip_requirements, "pip_requirements")
    else:
        extra, constraints = _read_requirements(extra_pip_requirements or (), "extra_pip_requirements")
        lines = _added(list(packages), extra)
    lines = list(dict.fromkeys(lines))
    if constraints:
        lines.append(f"-c {CONSTRAINTS_FILE}")
    files = {
        REQUIREMENTS_FILE: _text(lines),
        PYTHON_ENV_FILE: yaml_bytes(_python_env()),
        CONDA_FILE: yaml_bytes(conda_of(lines) if conda is None else _with_pip_part(conda, lines)),
    }
    return {**files, CONSTRAINTS_FILE: _text(constraints)} if constraints else files


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _python_env() -> dict[str, Any]:
    tools = ((name, installed_version(name)) for name in ("pip", "setuptools", "wheel"))
    return {
        "python": python_version(),
        "build_dependencies": [f"{name}=={version}" if version else name for name, version in tools],
        "dependencies": [f"-r {REQUIREMENTS_FILE}"],
    }


def conda_of(lines: list[str]) -> dict[str, Any]:
    """What `conda.yaml` says for some lines of requirements."""
    pip = installed_version("pip")
    return {
        "channels": ["conda-forge"],
        "dependencies": [f"python={python_version()}", f"pip<={pip}" if pip else "pip", {"pip": lines}],
        "name": "mlflow-env",
    }


def _added(packages: list[str], extra: list[str]) -> list[str]:
    """Inferred lines and the user's, which win where both name a package."""
    theirs = {_package(line) for line in extra}
    return [line for line in packages if _package(line) not in theirs] + extra


def _package(line: str) -> str:
    found = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else line


def _read_requirements(given: PipRequirements, argument: str) -> tuple[list[str], list[str]]:
    """Requirements and constraints of a list of lines, or of a file."""
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        return _parse(_lines_of(path, argument), path.parent)
    if not all(isinstance(line, str) for line in given):
        raise InvalidValueError(f"{argument} is a list of lines, or the path of a file.")
    return _parse(given, Path())


def _lines_of(path: Path, what: str) -> list[str]:
    try:
        text = _io.read_file(path.resolve(), limit=_MAX_FILE).decode()
    except FileNotFoundError:
        raise NotFoundError(
            f'{what} names the file {str(path)!r}, which does not exist. A single requirement goes into a list: ["..."]'
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError(f"{what} names {str(path)!r}, which cannot be read: {error}") from error
    return re.sub(r"\\\r?\n", "", text).splitlines()


def _parse(lines: Iterable[str], base: Path) -> tuple[list[str], list[str]]:
    requirements: list[str] = []
    constraints: list[str] = []
    for line, is_constraint in _flat(lines, base, False, 0):
        _check(line)
        (constraints if is_constraint else requirements).append(line)
    return requirements, constraints


def _flat(lines: Iterable[str], base: Path, is_constraint: bool, depth: int) -> Iterator[tuple[str, bool]]:
    """Lines without comments, those of files that they include in their place; and whether each is a constraint."""
    if depth > _MAX_NESTED:
        raise InvalidValueError(f"The requirements in {base} include each other without an end.")
    for raw in lines:
        line = re.sub(r"(^|\s+)#.*$", "", raw).strip()
        included = re.fullmatch(r"(-r|--requirement|-c|--constraint)[ =]*(\S.*)", line)
        if included:
            path = base / included[2].strip("'\"")
            inner = _lines_of(path, f"{included[1]} of the requirements")
            yield from _flat(inner, path.parent, is_constraint or "-c" in included[1], depth + 1)
        elif line:
            yield line, is_constraint


def _check(line: str) -> None:
    """Refuse a line that cannot be installed elsewhere, or that would publish a password."""
    if _CREDENTIALS.search(line):
        raise InvalidValueError(
            "A requirement has a password or token in its URL, which would be saved with the model: "
            f"{_CREDENTIALS.sub('://***@', line)}. Leave it out, and set it where the package is installed."
        )
    if not (_REQUIREMENT.fullmatch(line) or _URL.fullmatch(line) or _OPTION.fullmatch(line)):
        raise InvalidValueError(
            f"{line!r} is no requirement that can be installed elsewhere. Write a package such as 'numpy>=2'; "
            "for your own code use code_paths=."
        )


def _read_conda(given: Mapping[str, Any] | str | os.PathLike[str]) -> dict[str, Any]:
    value: object = given
    if isinstance(given, str | os.PathLike):
        try:
            value = read_plain_yaml("\n".join(_lines_of(Path(given), "conda_env")).encode())
        except ValueError as error:
            raise InvalidValueError(f"conda_env names {str(given)!r}, which is no YAML: {error}") from error
    if not isinstance(value, Mapping) or not isinstance(value.get("dependencies", []), list):
        raise InvalidValueError("conda_env is a dict with a list of dependencies, or the path of such a YAML file.")
    return dict(value)


def _is_pip_part(entry: object) -> bool:
    return isinstance(entry, Mapping) and "pip" in entry


def _pip_part(conda: Mapping[str, Any]) -> list[str]:
    lines: object = next((entry["pip"] for entry in conda.get("dependencies", []) if _is_pip_part(entry)), [])
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InvalidValueError("The pip part of conda_env is a list of lines.")
    return lines


def _with_pip_part(conda: Mapping[str, Any], lines: list[str]) -> dict[str, Any]:
    others = [entry for entry in conda.get("dependencies", []) if not _is_pip_part(entry)]
    return {**conda, "dependencies": [*others, {"pip": lines}]}
