"""`tracker build` and `tracker serve`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from .running import TRACKER, Cli, posix_signals


def test_summary(cli: Cli, store: Path, tmp_path: Path) -> None:
    """A build ends with pages, bytes, files written and removed, and the largest files."""
    result = cli("build", store, "--out", tmp_path / "site")
    assert result.exit_code == 0
    pages = len(list((tmp_path / "site").rglob("*.html")))
    assert re.search(rf"Built .*site: {pages} pages, [\d.]+ [kM]B\. \d+ files written, 0 removed, in ", result.stdout)
    assert re.search(r"^Largest: \S+ \([\d.]+ [kM]B\), ", result.stdout, re.MULTILINE)
    assert "problem" not in result.stdout


def test_unchanged(cli: Cli, store: Path, tmp_path: Path) -> None:
    """A second build of the same store writes nothing, and with --full everything."""
    cli("build", store, "--out", tmp_path / "site")
    assert " 0 files written" in cli("build", store, "--out", tmp_path / "site").stdout
    assert " 0 files written" not in cli("build", store, "--out", tmp_path / "site", "--full").stdout


def test_title(cli: Cli, store: Path, tmp_path: Path) -> None:
    """--title names the site."""
    cli("build", store, "--out", tmp_path / "site", "--title", "Bed & <Breakfast>")
    assert "Bed &amp; &lt;Breakfast&gt;" in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_pages(cli: Cli, store: Path, tmp_path: Path) -> None:
    """--pages puts Markdown into the site; a folder that is not there is an error."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "method.md").write_text("# Our method\n\nGuessing.\n", encoding="utf-8")
    cli("build", store, "--out", tmp_path / "site", "--pages", tmp_path / "pages")
    assert any("Guessing." in page.read_text("utf-8") for page in (tmp_path / "site").rglob("*.html"))
    assert cli("build", store, "--out", tmp_path / "site", "--pages", tmp_path / "none").exit_code == 1


def test_a_foreign_folder_is_left_alone(cli: Cli, store: Path, tmp_path: Path) -> None:
    """A folder with other files is refused without --force, which keeps them."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine.txt").write_text("mine")
    result = cli("build", store, "--out", tmp_path / "site")
    assert (result.exit_code, [path.name for path in (tmp_path / "site").iterdir()]) == (1, ["mine.txt"])
    assert cli("build", store, "--out", tmp_path / "site", "--force").exit_code == 0
    assert (tmp_path / "site" / "mine.txt").read_text() == "mine"
    assert (tmp_path / "site" / "index.html").is_file()


@pytest.fixture
def damaged(store: Path) -> Path:
    """The store with a file of each of seven runs damaged."""
    for number in range(7):
        folder = store / "experiments" / "sweep" / "runs" / f"{number:032x}"
        (folder / "log").mkdir(parents=True)
        (folder / "run.json").write_text("{")
    return store


def test_problems_are_named(cli: Cli, damaged: Path, tmp_path: Path) -> None:
    """Problems in the data are counted, the first ones named with their file, and the page with all of them."""
    result = cli("build", damaged, "--out", tmp_path / "site")
    assert result.exit_code == 0
    assert "7 problems in the data:" in result.stdout
    assert f"  experiments/sweep/runs/{6:032x}/run.json: " in result.stdout
    (more,) = re.findall(r"and 2 more: (.*)", result.stdout)
    assert f"{0:032x}" in Path(more).read_text("utf-8")


def test_strict(cli: Cli, store: Path, damaged: Path, tmp_path: Path) -> None:
    """With --strict problems make the exit code 3, after the site was built."""
    assert cli("build", damaged, "--out", tmp_path / "site", "--strict").exit_code == 3
    assert (tmp_path / "site" / "index.html").is_file()


def test_strict_without_problems(cli: Cli, store: Path, tmp_path: Path) -> None:
    """With --strict and sound data the exit code is 0."""
    assert cli("build", store, "--out", tmp_path / "site", "--strict").exit_code == 0


def test_stage_only(cli: Cli, store: Path, tmp_path: Path) -> None:
    """--stage-only writes a tree with mkdocs.yml, and no site."""
    result = cli("build", store, "--out", tmp_path / "site", "--stage-only", tmp_path / "tree")
    assert result.exit_code == 0
    assert (tmp_path / "tree" / "mkdocs.yml").is_file()
    assert not (tmp_path / "site").exists()


def test_a_missing_extra_names_the_command_that_installs_it(store: Path, tmp_path: Path) -> None:
    """Where MkDocs is not installed, `tracker build` says what to install."""
    program = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('mkdocs', 'jinja2', 'sklearn'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from tracker.cli import main; main(sys.argv[1:])"
    )
    for arguments, package in ((["build", str(store), "--out", "site"], "mkdocs-material"), (["demo"], "scikit-learn")):
        command = [sys.executable, "-c", program, *arguments]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert result.returncode == 1
        assert "Run: pip install " in result.stderr
        assert package in result.stderr
        assert "Traceback" not in result.stderr


@posix_signals
def test_serve(store: Path, tmp_path: Path) -> None:
    """`tracker serve` says where it serves, serves there, and ends on Ctrl-C without a traceback."""
    command = [*TRACKER, "serve", str(store), "--out", str(tmp_path / "site"), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    address = next(found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
    with urllib.request.urlopen(address) as answer:
        assert b"sweep" in answer.read()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert "Traceback" not in errors
    assert process.returncode in (0, 130)
