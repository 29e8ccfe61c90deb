"""S3 for those who read: nothing that lies in a store, and no name given to a command, leads out of it."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import tracker
from site_builder.build import build
from site_builder.stage import stage
from tests.core.processes import in_child
from tracker import reader
from tracker.cli import main

from .conftest import Figure
from .listing import contents
from .test_s3_traversal import forms

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")]

CANARY = "plugh-xyzzy-canary"
SUFFIXES = (".txt", ".md", ".csv", ".tsv", ".json", ".jsonl", ".png", ".svg", ".html", ".pdf", ".yaml", "")
RUN_PARTS = ("", "run.json", "environment.json", "log", "log/new.jsonl", "artifacts", "artifacts/deep")
EXPERIMENT_PARTS = ("", "experiment.yaml", "runs")


class Outside:
    """A folder beside a store with secrets that would show wherever they were believed; knows when they are opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tracker.set_tracking_uri(folder / "store")
        tracker.set_experiment(CANARY)
        with tracker.start_run(run_name=CANARY) as run:
            tracker.log_param(CANARY, CANARY)
            tracker.log_text(CANARY, f"{CANARY}.txt")
        self.run = run.folder
        record = {"param": CANARY, "value": CANARY, "python": CANARY, "id": "7", "name": CANARY}
        for suffix in SUFFIXES:
            (folder / f"secret{suffix}").write_text(json.dumps(record) + "\n")
        self._before = contents(folder)
        self._inodes = {(path.stat().st_dev, path.stat().st_ino) for path in (folder, *folder.rglob("*"))}
        self.opened: list[str] = []

    def watch(self) -> None:
        """From now on note each secret that this process opens, by whatever name; there is no way to stop it."""
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "os.listdir", "os.scandir") or not isinstance(arguments[0], str | bytes | Path):
            return
        path = Path(os.fsdecode(arguments[0]))
        refused = event == "open" and arguments[2] & os.O_NOFOLLOW and path.is_symlink()
        if not refused and path.exists() and (path.stat().st_dev, path.stat().st_ino) in self._inodes:
            self.opened.append(str(path))

    def is_as_before(self) -> bool:
        """Whether nothing in the folder changed."""
        return contents(self.folder) == self._before


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    """Secrets beside the store."""
    return Outside(tmp_path / "outside")


def plant(store: Path, outside: Outside) -> int:
    """Everything that could lead out, each kind in a run or an experiment of its own; returns how many."""
    count = 0
    for kind, act in KINDS.items():
        for part in RUN_PARTS:
            count += put(new_run(store, "links") / part, act, outside)
        for part in EXPERIMENT_PARTS:
            count += put(new_run(store, f"{kind} {part}").parent.parent / part, act, outside)
        artifacts = new_run(store, "artifacts") / "artifacts"
        count += sum(put(artifacts / f"new{suffix}", act, outside) for suffix in SUFFIXES)
        (pages := store / "pages" / kind.replace(" ", "-")).mkdir(parents=True)
        count += sum(put(pages / f"new{suffix}", act, outside) for suffix in SUFFIXES)
    hard_linked = new_run(store, "hard links") / "artifacts"
    for suffix in SUFFIXES:
        (hard_linked / f"hard{suffix}").hardlink_to(outside.folder / f"secret{suffix}")
    return count + len(SUFFIXES)


def new_run(store: Path, experiment: str) -> Path:
    """The folder of another run."""
    tracker.set_tracking_uri(store)
    tracker.set_experiment(experiment)
    with tracker.start_run() as run:
        tracker.log_metric("loss", 1.0)
        tracker.log_text("fine", "deep/fine.txt")
    return run.folder


Act = Callable[[Path, Path], None]


def put(path: Path, act: Act, outside: Outside) -> int:
    """Do it in the place of what lies there; what it leads to is of the same kind."""
    target = outside.folder / f"secret{path.suffix}"
    if path.is_dir():
        theirs = {"log": outside.run / "log", "artifacts": outside.run / "artifacts", "runs": outside.run.parent}
        target = theirs.get(path.name, outside.run)
        path.rename(path.with_name(f".old-{path.name}"))
    path.unlink(missing_ok=True)
    act(path, target)
    return 1


def _chain(path: Path, target: Path) -> None:
    path.with_name(f".{path.name}-2").symlink_to(target)
    path.symlink_to(f".{path.name}-2")


KINDS: dict[str, Act] = {
    "link": lambda path, target: path.symlink_to(target),
    "relative link": lambda path, target: path.symlink_to(os.path.relpath(target, path.parent)),
    "chain of links": _chain,
    "link to a folder": lambda path, target: path.symlink_to(target if target.is_dir() else target.parent),
    "link to a process": lambda path, _: path.symlink_to("/proc/self/environ"),
    "pipe": lambda path, _: os.mkfifo(path),
}


def test_nothing_planted_leads_out(store: Path, tmp_path: Path, outside: Outside, figure: Figure) -> None:
    """Links, hard links and pipes in place of every part of a store: none is opened, no secret is shown anywhere."""
    planted = plant(store, outside)

    def read() -> None:
        outside.watch()
        shown = repr(reader.read_store(store)) + repr(
            [reader.read_history(r.folder) for r in reader.read_store(store).runs()]
        )
        shown += "".join(output for output in command_outputs(store))
        assert CANARY not in shown
        result = build(store, tmp_path / "site")
        stage(store, tmp_path / "stage")
        assert outside.opened == []
        (tmp_path / "problems").write_text(str(len(result.problems)))
        assert (store / "pages" / "link" / "new.txt").read_text() and outside.opened, "the watch is blind"

    in_child(read)
    assert outside.is_as_before()
    files = [path for path in (tmp_path / "site", tmp_path / "stage") for path in path.rglob("*") if path.is_file()]
    assert [str(path) for path in files if holds_canary(path.read_bytes())] == []
    assert [path for path in files if path.is_symlink()] == []
    named = int((tmp_path / "problems").read_text())
    assert named >= planted / 2
    figure(
        "S3", f"{planted} links, hard links and pipes in the place of every part of a store and its pages, listed, "
        f"shown and built: 0 opened, the secret behind them in 0 of {len(files):,} files, {named} named as problems"
    )  # fmt: skip


def command_outputs(store: Path) -> Iterator[str]:
    """What the command line tells of a store and of each of its runs."""
    for command in (["list"], ["list", "--json"], ["experiments"]):
        yield CliRunner().invoke(main, [*command, "-s", str(store)], catch_exceptions=False).output
    for run in reader.read_store(store).runs():
        yield CliRunner().invoke(main, ["show", run.file.run_id, "-s", str(store)], catch_exceptions=False).output


def holds_canary(data: bytes) -> bool:
    """Whether the secret is in there, as it is or as base64 from any byte on."""
    texts = [CANARY.encode(), *(b64encode(b"x" * shift + CANARY.encode())[4:-4] for shift in range(3))]
    return any(text in data for text in texts)


def test_pages_that_are_a_link_are_not_published(store: Path, tmp_path: Path, outside: Outside) -> None:
    """A folder of pages in a store that is a link is named and not followed."""
    new_run(store, "x")
    (store / "pages").symlink_to(outside.folder)
    result = build(store, tmp_path / "site")
    assert [problem.path for problem in result.problems] == ["pages/."]
    assert not any(holds_canary(path.read_bytes()) for path in (tmp_path / "site").rglob("*") if path.is_file())


def test_names_in_a_store_stay_in_the_site(store: Path, tmp_path: Path, outside: Outside, figure: Figure) -> None:
    """Files, runs and experiments that are called like ways out are shown, and nothing is written beside the site."""
    folder = new_run(store, "x")
    names = [name for form in forms(outside.folder) if (name := file_name(form))]
    for name in names:
        (folder / "artifacts" / name).write_text("fine")
    for name in names[::20]:
        (store / "experiments" / name / "runs" / name).mkdir(parents=True, exist_ok=True)
    (place := tmp_path / "place").mkdir()
    build(store, place / "site")
    stage(store, place / "stage")
    assert sorted(path.name for path in place.iterdir()) == ["site", "stage"]
    assert outside.is_as_before()
    real = os.path.realpath(place)
    assert all(os.path.realpath(path).startswith(real) for path in place.rglob("*"))
    figure("S3", f"{len(names)} names of files, {len(names[::20])} of folders like ways out: 0 files beside the site")


def file_name(form: str) -> str:
    """The form as far as a file can be called so."""
    name = form.replace("/", "\\").replace("\0", "%00").encode(errors="replace")
    return "" if name in (b"", b".", b"..") or len(name) > 200 else name.decode()


def test_no_name_given_to_a_command_leads_out(store: Path, outside: Outside, figure: Figure) -> None:
    """Each form is no run of the store, whatever lies there, and is answered in a sentence."""
    new_run(store, "x")
    spelt = [form for form in forms(outside.folder) if form and "\ud800" not in form]

    def ask() -> None:
        outside.watch()
        for form in spelt:
            for command in (["show"], ["compare", form]):
                result = CliRunner().invoke(main, [*command, "-s", str(store), "--", form])
                assert (result.exit_code != 0, CANARY in result.output) == (True, False), form
                assert result.exception is None or isinstance(result.exception, SystemExit), form
        assert outside.opened == []

    in_child(ask)
    assert outside.is_as_before()
    figure("S3", f"{len(spelt)} forms given to tracker show and compare: 0 files opened outside, all refused")
