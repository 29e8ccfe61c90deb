"""S3: no name, path or link leaves the store."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker import reader
from tracker.exceptions import TrackerError
from tracker.session import session
from tracker.store import Store

from .conftest import Figure

UPS = (
    *("../", "..\\", "..//", "../.", "./../", "x/../../", ".../", "..../", "....//", "..;/", "../\0", "..%00/"),
    *("%2e%2e/", "%2E%2E%2F", "..%2f", "..%5c", "%252e%252e%252f", "%c0%ae%c0%ae/", "%uff0e%uff0e/", "..%c0%af"),
    *(
        "\uff0e\uff0e/",
        "\u2024\u2024/",
        "..\u2215",
        "..\u2044",
        "..\uff0f",
        ".\u200b./",
        "..\u200b/",
        " ../",
        "../ ",
        "..\t/",
    ),
)
TARGETS = ("outside/secret.txt", "outside/new.txt", "outside", "outside/" + "0" * 31 + "1", "store.yaml")
ABSOLUTE = (
    *(
        "/",
        "//",
        "///",
        "\\",
        "\\\\",
        "/./",
        "/../",
        "~/",
        "~root/",
        "$HOME/",
        "%HOME%/",
        "C:/",
        "C:\\",
        "c:",
        "\\\\?\\C:\\",
    ),
    *(
        "\\\\server\\share\\",
        "file:",
        "file:/",
        "file://",
        "file:///",
        "FILE:///",
        "http://h/",
        "s3://b/",
        "runs:/",
        "models:/",
    ),
    *("/proc/self/root/", "/proc/self/cwd/", "/dev/fd/3/", "/dev/stdin", "/etc/", "jar:file:/", "data:,"),
)
ODD = (
    *(
        "",
        ".",
        "..",
        "...",
        "-",
        "--",
        "-rf",
        "*",
        "?",
        "CON",
        "NUL",
        "COM1",
        "aux.txt",
        "a:b",
        "a::$DATA",
        "a|b",
        "a\nb",
    ),
    *(
        ".new-x",
        ".new-",
        "run.json",
        "log",
        "log/x.jsonl",
        "artifacts",
        "experiment.yaml",
        "../run.json",
        "../log/x.jsonl",
    ),
    *(
        "a" * 300,
        "a/" * 700 + "a",
        "\ud800",
        "..\ud800/",
        "..",
        "../",
        "../..",
        "../../",
        "a/..",
        "a/.",
        "a//b",
        "a/",
        " ",
    ),
)


FORMS_AT_ONCE = 10
SECRET = b"plugh-xyzzy"
PYTHON = (Path(sys.prefix), Path(sys.base_prefix), Path(tracker.__file__).parent, Path("/proc"))


def forms(outside: Path) -> list[str]:
    """Ways to spell a path that leads elsewhere."""
    deep = (up * depth + target for up, depth, target in itertools.product(UPS, (1, 2, 3, 9), TARGETS[:3]))
    rooted = (root + target for root, target in itertools.product(ABSOLUTE, TARGETS))
    real = (form.format(outside) for form in ("{}", "{}/new.txt", "/{}", "file://{}", "{}/", "x/{}", "..{}"))
    return list(dict.fromkeys([*deep, *rooted, *real, *ODD]))


class Watch:
    """Sees every file that is opened and every change of a folder, whoever does it."""

    WRITES = (
        "os.mkdir",
        "os.rename",
        "os.remove",
        "os.rmdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "os.chmod",
        "shutil",
    )
    READS = ("open", "os.listdir", "os.scandir")

    def __init__(self, *allowed: Path) -> None:
        self._allowed = [os.path.realpath(path) for path in allowed]
        self._on = False
        self.seen = 0
        self.outside: list[tuple[str, str]] = []
        sys.addaudithook(self._hook)

    def __enter__(self) -> Watch:
        self._on = True
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on or not event.startswith(self.READS + self.WRITES):
            return
        self._on = False
        try:
            for path in arguments[:2]:
                if isinstance(path, str | bytes) and (event != "open" or path is arguments[0]):
                    self._note(event, os.fsdecode(path), arguments)
        finally:
            self._on = True

    def _note(self, event: str, path: str, arguments: tuple[Any, ...]) -> None:
        self.seen += 1
        flags = arguments[2] if event == "open" and isinstance(arguments[2], int) else 0
        itself = event.startswith(self.WRITES) or flags & os.O_NOFOLLOW  # a link in the last place is not followed
        folder, name = os.path.split(path)
        real = os.path.join(os.path.realpath(folder), name) if itself else os.path.realpath(path)  # noqa: PTH118
        if not any(real == allowed or real.startswith(allowed + os.sep) for allowed in self._allowed):
            self.outside.append((event, path))


def calls(form: str, file: Path, run: str) -> Iterator[Callable[[], object]]:
    """Every call that takes a name or a path that decides where something lies, or that is looked up."""
    yield lambda: tracker.set_experiment(form)
    yield lambda: tracker.set_experiment(experiment_id=form)
    yield lambda: tracker.create_experiment(form)
    yield lambda: tracker.get_experiment(form)
    yield lambda: tracker.get_experiment_by_name(form)
    yield lambda: end(tracker.start_run(run_name=form, nested=True))
    yield lambda: form and end(tracker.start_run(run_id=form, nested=True))
    yield lambda: form and end(tracker.start_run(experiment_id=form, nested=True))
    yield lambda: form and end(tracker.start_run(parent_run_id=form, nested=True))
    yield lambda: end(tracker.start_run(tags={form: form}, nested=True))
    yield lambda: tracker.log_param(form, form)
    yield lambda: tracker.log_metric(form, 1.0)
    yield lambda: tracker.set_tag(form, form)
    yield lambda: tracker.delete_tag(form)
    yield lambda: tracker.log_text("mine", form)
    yield lambda: tracker.log_dict({"mine": 1}, form)
    yield lambda: form and tracker.log_artifact(file, form)
    yield lambda: form and tracker.log_artifacts(file.parent, form)
    yield lambda: form and tracker.get_artifact_uri(form)
    yield lambda: tracker.log_text("mine", "late.txt", run_id=form)
    yield lambda: tracker.log_metric("late", 1.0, run_id=form)
    yield lambda: tracker.get_run(form)
    yield lambda: tracker.get_parent_run(form)
    yield lambda: tracker.get_metric_history(form, "loss")
    yield lambda: tracker.get_metric_history(run, form)
    yield lambda: tracker.delete_run(form)
    yield lambda: tracker.restore_run(form)
    yield lambda: tracker.search_runs([form], output_format="list")
    yield lambda: tracker.search_runs(experiment_names=[form], output_format="list")


def end(run: tracker.ActiveRun) -> None:
    """End a run that was started although it should perhaps not have been."""
    session.leave(run, "FINISHED", None)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the store with a secret, a run of somebody else, and a note that nobody may change."""
    other = tmp_path / "outside"
    tracker.set_tracking_uri(other / "store")
    with tracker.start_run(run_name="theirs"):
        tracker.log_param("secret", SECRET.decode())
    (other / "secret.txt").write_text(SECRET.decode())
    session.reset()
    return other


def snapshot(folder: Path, *but: Path) -> dict[str, tuple[int, int, bytes]]:
    """All that lies in a folder, with times and contents."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
        if not any(path == other or path.is_relative_to(other) for other in but)
    }


def attempt(spelt: list[str], store: Path, file: Path) -> tuple[int, int]:
    """Use the forms in a store of their own; returns how many calls there were and how many of them were refused."""
    tried = refused = 0
    tracker.set_tracking_uri(store)
    with tracker.start_run() as run:
        for call in (call for form in spelt for call in calls(form, file, run.run_id)):
            tried += 1
            try:
                call()
            except TrackerError:
                refused += 1
    session.reset()
    return tried, refused


def test_no_name_leaves_the_store(
    quick: None, tmp_path: Path, outside: Path, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each form in each call: nothing beside the store is written, and nothing beside it is opened."""
    store, mine, cache = tmp_path / "store", tmp_path / "mine", tmp_path / "cache"
    mine.mkdir()
    (mine / "file.txt").write_text("mine")
    monkeypatch.setenv("TRACKER_CACHE", str(cache))
    before = snapshot(tmp_path)
    spelt = forms(outside)
    tried = refused = 0
    watch = Watch(store, mine, cache, *PYTHON)
    for start in range(0, len(spelt), FORMS_AT_ONCE):
        with watch:
            counts = attempt(spelt[start : start + FORMS_AT_ONCE], store, mine / "file.txt")
        tried, refused = tried + counts[0], refused + counts[1]
        assert all(SECRET not in path.read_bytes() for path in store.rglob("*") if path.is_file())
        shutil.rmtree(store)
    assert snapshot(tmp_path, cache) == before
    assert watch.outside == []
    assert watch.seen > 10_000
    assert len(spelt) >= 500
    figure(
        "S3",
        f"{len(spelt)} forms x {tried // len(spelt)} calls ({refused:,} of {tried:,} refused): "
        "0 bytes written outside the store, 0 files opened there",
    )


LINKS = (
    "experiments",
    "experiments/default",
    "{runs}",
    "{run}",
    "{run}/log",
    "{run}/artifacts",
    "{run}/run.json",
    "{log}",
)


@pytest.mark.parametrize(
    "place", [*LINKS, "experiments/default/experiment.yaml", "trash", "{run}/artifacts/a", "store.yaml"]
)
def test_no_link_leads_out_of_the_store(
    quick: None, tmp_path: Path, outside: Path, figure: Figure, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Whatever is replaced by a link to the same thing elsewhere: it is neither read nor written through."""
    store, cache = tmp_path / "store", tmp_path / "cache"
    monkeypatch.setenv("TRACKER_CACHE", str(cache))
    tracker.set_tracking_uri(store)
    with tracker.start_run() as run:
        tracker.log_metric("loss", 1.0)
        tracker.log_text("mine", "a/b.txt")
    session.reset()
    tracker.set_tracking_uri(store)
    (log,) = run.folder.glob("log/*")
    names = {"runs": run.folder.parent, "run": run.folder, "log": log}
    path = store / place.format(**{name: str(found.relative_to(store)) for name, found in names.items()})
    target = outside / "target"
    if path.exists():
        path.rename(target)
    else:
        target.mkdir()
    path.symlink_to(target)
    before = snapshot(outside)
    with Watch(store, cache, *PYTHON) as watch:
        for call in use(store, run.run_id):
            with contextlib.suppress(TrackerError):
                call()
    assert snapshot(outside) == before
    assert watch.outside == []
    if place == "store.yaml":
        figure("S3", f"{len(LINKS) + 4} places in a store replaced by links out of it: 0 followed")


def use(store: Path, run: str) -> Iterator[Callable[[], object]]:
    """Reading and writing of all kinds."""
    yield lambda: reader.read_store(store, cache=False)
    yield lambda: reader.read_store(store)
    yield lambda: tracker.search_runs(output_format="list")
    yield lambda: tracker.get_run(run)
    yield lambda: tracker.get_metric_history(run, "loss")
    yield lambda: reader.read_environment(reader.find_run(store, run))
    yield lambda: tracker.set_experiment("Default", tags={"a": 1})
    yield lambda: tracker.log_text("mine", "a/c.txt", run_id=run)
    yield lambda: tracker.log_metric("loss", 0.5, step=1, run_id=run)
    yield lambda: end(tracker.start_run(run_id=run))
    yield lambda: end(tracker.start_run())
    yield lambda: tracker.delete_run(run)
    yield lambda: tracker.restore_run(run)
    yield lambda: Store.open(store).trash_run(run)
