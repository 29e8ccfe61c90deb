"""The wheel works on its own: built from the sdist, installed away from the checkout, used from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import tracker

ROOT = Path(__file__).resolve().parents[1]
LOG_A_RUN = """
import tracker, site_builder
for package in (tracker, site_builder):
    print(package.__file__)
with tracker.start_run(run_name="from a wheel") as run:
    tracker.log_param("lr", 0.1)
    for step in range(20):
        tracker.log_metric("loss", 1 / (step + 1), step=step)
print(run.info.run_id)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that comes out of the sdist, as `pip install` of a released sdist makes it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands of a virtual environment lie that holds the wheel, and borrows its dependencies from ours."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    Path(packages, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


def run(binaries: Path, folder: Path, *command: str) -> str:
    """Output of a command of that environment, with nothing of ours in its environment variables."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TRACKER_"))}
    variables["TRACKER_CACHE"] = str(folder / "cache")
    result = subprocess.run(
        [str(binaries / command[0]), *command[1:]],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_wheel_carries_the_theme(wheel: Path) -> None:
    """Every file of the theme's three built folders is in the wheel, licences of what is bundled among them."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("material", "pages", "assets"):
        files = [path for path in (ROOT / "theme" / folder).rglob("*") if path.is_file()]
        assert files
        missing = [path for path in files if f"site_builder/{path.relative_to(ROOT).as_posix()}" not in names]
        assert missing == []
    assert [name for name in names if name.startswith("site_builder/theme/assets/") and "licen" in name.lower()]


def test_the_wheel_is_typed_and_licensed(wheel: Path) -> None:
    """Type checkers see our annotations, the licence travels along, and nothing else of the repository does."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"tracker/py.typed", "site_builder/py.typed"} <= names
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    assert {name.split("/")[0].split("-")[0] for name in names} == {"tracker", "site_builder"}


def test_the_installed_command_says_its_version(binaries: Path, tmp_path: Path) -> None:
    """`tracker --version` works from an empty folder."""
    assert tracker.__version__ in run(binaries, tmp_path, "tracker", "--version")


def test_the_installed_wheel_logs_and_builds(binaries: Path, tmp_path: Path) -> None:
    """From an empty folder, a script logs a run and `tracker build` makes its page, all with the installed code."""
    *packages, run_id = run(binaries, tmp_path, "python", "-c", LOG_A_RUN).split("\n")[:3]
    assert all(Path(package).is_relative_to(binaries.parent) for package in packages)
    run(binaries, tmp_path, "tracker", "build", "runs", "--out", "site")
    page = (tmp_path / "site" / "runs" / run_id / "index.html").read_text(encoding="utf-8")
    assert "from a wheel" in page
    assert (tmp_path / "site" / "index.html").is_file()
