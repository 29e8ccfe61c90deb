"""Building again gives what building anew would give, to the byte, and writes only what changed."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import tracker
from site_builder.build import build
from site_builder.output import MANIFEST
from tracker import layout
from tracker.models import digests
from tracker.reader import read_store
from tracker.schema import VersionFile
from tracker.yaml_files import read_yaml, yaml_bytes

from .conftest import cold, log_run, make_sample, tree
from .registry import make_registry, moved, save_model, write_model, write_version

ACTIONS = ("add", "nest", "log", "delete", "rename", "goal", "describe", "damage", "forget")


def act(action: str, store: Path, choice: int) -> None:
    """Do something to a store that changes its site."""
    tracker.set_tracking_uri(str(store))
    runs = sorted(read_store(store, cache=False).runs(), key=lambda run: run.file.run_id)
    run = runs[choice % len(runs)].file if runs else None
    tracker.set_experiment(f"e{choice % 2}")
    if action == "add" or run is None:
        with tracker.start_run(run_name=f"run {choice}"):
            log_run(choice % 5 + 1, seed=choice)
    elif action == "nest":
        with tracker.start_run(run_name="inner", parent_run_id=run.run_id):
            log_run(2)
    elif action == "log":
        with tracker.start_run(run_id=run.run_id):
            tracker.log_metric("val/loss", choice / 100, step=99)
            tracker.log_text(f"note {choice}", f"notes/{choice % 3}.txt")
    elif action == "delete":
        tracker.delete_run(run.run_id)
    elif action in REGISTRY_CHANGES:
        REGISTRY_CHANGES[action](store, f"m{choice % 2}", runs[choice % len(runs)].folder, choice)
    else:
        CHANGES[action](store, runs[choice % len(runs)].folder, choice)


def _rename(store: Path, folder: Path, choice: int) -> None:
    with tracker.start_run(run_id=folder.name):
        tracker.set_tag("mlflow.runName", f"renamed {choice}")


def _goal(store: Path, folder: Path, choice: int) -> None:
    file = folder.parent.parent / "experiment.yaml"
    text = "".join(line for line in file.read_text().splitlines(True) if not line.startswith(("goal", "  val")))
    file.write_text(text + f"goal:\n  val/loss: {('minimize', 'maximize')[choice % 2]}\n")


def _describe(store: Path, folder: Path, choice: int) -> None:
    (store / "pages").mkdir(exist_ok=True)
    (store / "pages" / f"page{choice % 2}.md").write_text(f"# Page {choice}\n\nText.\n")


def _damage(store: Path, folder: Path, choice: int) -> None:
    file = folder / "run.json"
    file.write_bytes(file.read_bytes()[: 10 * choice])


def _forget(store: Path, folder: Path, choice: int) -> None:
    shutil.rmtree(folder.parent.parent)


def _register(store: Path, name: str, run: Path, choice: int) -> None:
    """A new version, of a model of the run or of one that lies in the registry."""
    folder = layout.registered_model(store, name)
    if not (folder / layout.REGISTERED_MODEL_FILE).exists():
        write_model(store, name)
    number = max((int(path.stem) for path in (folder / layout.VERSIONS).glob("*.yaml")), default=0) + 1
    place = (run / layout.ARTIFACTS if choice % 3 else folder / layout.MODELS) / f"model{number}{name}"
    if not place.exists():
        form = "skops" if choice % 2 else "cloudpickle"
        save_model(place, serialization=form, manifest=choice % 5 > 0, files={"n.txt": bytes([65 + choice])})
        with tracker.start_run(run_id=run.name):  # as everything that logs into a run leaves a record
            tracker.set_tag("model", place.name)
    digest = digests.folder_digest(place)
    write_version(folder, number, place.relative_to(store).as_posix(), digest, run_id=run.name if choice % 3 else "")


def _edit_version(change: Callable[[VersionFile, int], VersionFile]) -> Callable[[Path, str, Path, int], None]:
    def edit(store: Path, name: str, run: Path, choice: int) -> None:
        file = _chosen_version(store, name, choice)
        if file:
            file.write_bytes(yaml_bytes(change(read_yaml(VersionFile, file.read_bytes()), choice)))

    return edit


def _chosen_version(store: Path, name: str, choice: int) -> Path | None:
    files = sorted((layout.registered_model(store, name) / layout.VERSIONS).glob("*.yaml"))
    return files[choice % len(files)] if files else None


def _promoted(file: VersionFile, choice: int) -> VersionFile:
    stage = ("Production", "Staging", "Archived", "None")[choice % 4]
    history = [*file.history, moved(choice % 28 + 1, file.stage, stage, f"why {choice}")]
    return replace(file, stage=stage, history=history)


def _alias(store: Path, name: str, run: Path, choice: int) -> None:
    if layout.registered_model(store, name).exists():
        write_model(store, name, aliases={"best": str(choice % 4), "same": "best"})


def _model_of(store: Path, name: str, choice: int) -> Path | None:
    file = _chosen_version(store, name, choice)
    version = read_yaml(VersionFile, file.read_bytes()) if file else None
    place = store / version.path if version and not version.deleted else None
    return place if place and place.is_dir() else None


def _tear(store: Path, name: str, run: Path, choice: int) -> None:
    if place := _model_of(store, name, choice):
        (place / "MLmodel").write_bytes(b"flavors: [" if choice % 2 else b"")


def _lose(store: Path, name: str, run: Path, choice: int) -> None:
    if place := _model_of(store, name, choice):
        shutil.rmtree(place)


def _replace(store: Path, name: str, run: Path, choice: int) -> None:
    if place := _model_of(store, name, choice):
        shutil.rmtree(place)
        save_model(place, example=None, files={"new.txt": b"x" * choice})


def _shrink(store: Path, name: str, run: Path, choice: int) -> None:
    if place := _model_of(store, name, choice):
        (place / "n.txt").write_bytes(b"shorter" * (choice % 3))


def _drop(store: Path, name: str, run: Path, choice: int) -> None:
    shutil.rmtree(layout.registered_model(store, name), ignore_errors=True)


REGISTRY_CHANGES: dict[str, Callable[[Path, str, Path, int], None]] = {
    "register": _register,
    "promote": _edit_version(_promoted),
    "explain": _edit_version(lambda file, choice: replace(file, description=f"Because of *{choice}*.")),
    "unregister": _edit_version(lambda file, choice: replace(file, deleted=True)),
    "alias": _alias,
    "tear": _tear,
    "lose": _lose,
    "replace": _replace,
    "shrink": _shrink,
    "drop": _drop,
}
CHANGES: dict[str, Callable[[Path, Path, int], None]] = {
    "rename": _rename,
    "goal": _goal,
    "describe": _describe,
    "damage": _damage,
    "forget": _forget,
}


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(st.lists(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 50)), max_size=4), min_size=1, max_size=4))
def test_an_incremental_build_equals_a_cold_one(store: Path, steps: list[list[tuple[str, int]]]) -> None:
    """After any changes to a store, building again gives the same bytes as building into an empty folder."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tracker.set_tracking_uri(str(folder / "store"))
        make_sample()
        for number, actions in enumerate(steps):
            for action, choice in actions:
                act(action, folder / "store", choice)
            build(folder / "store", folder / "site")
            assert tree(folder / "site") == cold(folder / "store", folder / str(number))


MOVES = st.tuples(st.sampled_from((*REGISTRY_CHANGES, "register", "register", "promote", "delete")), st.integers(0, 50))


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(st.lists(st.lists(MOVES, min_size=1, max_size=6), min_size=2, max_size=5))
def test_an_incremental_build_of_a_registry_equals_a_cold_one(store: Path, steps: list[list[tuple[str, int]]]) -> None:
    """The same for whatever is done to registered models, to their files and to the runs that they came from."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tracker.set_tracking_uri(str(folder / "store"))
        make_sample()
        for choice in (1, 2, 3, 4):
            act("register", folder / "store", choice)
        for number, actions in enumerate(steps):
            for action, choice in actions:
                act(action, folder / "store", choice)
            build(folder / "store", folder / "site")
            assert tree(folder / "site") == cold(folder / "store", folder / str(number))


def test_a_promotion_rewrites_little(store: Path, site: Path) -> None:
    """A version that comes into production changes the pages of its model and of its run, not those of other models."""
    make_registry(store)
    build(store, site)
    before = {path: path.stat().st_ino for path in site.rglob("*") if path.is_file()}
    file = store / "registry" / "iris" / "versions" / "3.yaml"
    file.write_bytes(yaml_bytes(_promoted(read_yaml(VersionFile, file.read_bytes()), 0)))
    build(store, site)
    files = [path for path in site.rglob("*") if path.is_file()]
    new = {path.relative_to(site).as_posix() for path in files if before.get(path) != path.stat().st_ino}
    assert {path for path in new if path.endswith(".html") and path.startswith("models/copied")} == set()
    assert len([path for path in new if path.startswith("runs/") and path.count("/") == 2]) == 1
    assert {"index.html", "models/index.html", "models/iris/index.html", "models/registry.json"} <= new


def test_a_build_with_nothing_new_writes_nothing(sample: Path, site: Path) -> None:
    """The second build of an unchanged store touches no file."""
    build(sample, site)
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    result = build(sample, site)
    assert (result.written, result.removed) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before


def test_one_new_run_rewrites_little(sample: Path, site: Path) -> None:
    """A new run makes its own files, its experiment's and the index pages; no other run's page is written."""
    build(sample, site)
    before = {path: path.stat().st_ino for path in site.rglob("index.html")}
    with tracker.start_run():
        log_run(4)
    build(sample, site)
    same = {path.parent.name for path, inode in before.items() if path.stat().st_ino == inode}
    old_runs = {path.parent.name for path in before if path.parent.parent.name == "runs"}
    assert same == {*old_runs, "digits"}


def test_a_page_that_was_lost_is_made_again(sample: Path, site: Path) -> None:
    """Files that somebody deleted from the site come back."""
    files = cold(sample, site)
    shutil.rmtree(site / "data" / "v1" / "experiments")
    shutil.rmtree(next((site / "runs").glob("*/index.html")).parent)
    (site / "index.html").unlink()
    build(sample, site)
    assert tree(site) == files


def test_full_makes_everything_again(sample: Path, site: Path) -> None:
    """With full=True every file is written, and the bytes are the same."""
    files = cold(sample, site)
    assert build(sample, site, full=True).written == len(files) - len([MANIFEST])
    assert tree(site) == files


def test_the_time_is_in_one_file(sample: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two builds of one store at different times differ in site.js alone."""
    first = cold(sample, site)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    second = cold(sample, site.with_name("again"))
    assert {path for path in first if first[path] != second[path]} <= {"data/v1/site.js", MANIFEST}


@pytest.mark.parametrize("point", range(0, 40, 3))
def test_a_stopped_commit_is_put_right(sample: Path, site: Path, monkeypatch: pytest.MonkeyPatch, point: int) -> None:
    """Wherever a build is stopped while it moves files, the next one leaves what a cold build would."""
    build(sample, site)
    _change(sample)
    moves = 0
    replace = Path.replace

    def stop(self: Path, target: Any) -> Path:
        nonlocal moves
        moves += 1
        if moves > point:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with contextlib.suppress(KeyboardInterrupt):
            build(sample, site)
    tracker.delete_run(read_store(sample).experiments[0].runs[0].file.run_id)
    build(sample, site)
    assert tree(site) == cold(sample, site.with_name("cold"))
    assert not list(site.parent.glob("*.staging-*"))


def _change(store: Path) -> None:
    tracker.set_experiment("digits")
    for depth in (5, 6):
        with tracker.start_run(run_name=f"late {depth}"):
            log_run(depth)
            tracker.log_text("x", "a.txt")
    tracker.delete_run(read_store(store).experiments[0].runs[-1].file.run_id)
