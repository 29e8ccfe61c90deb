"""An export can be stopped at any moment and done again; it touches nothing that is not its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tracker
from tests.core.processes import wait
from tests.foreign.hand import Mlruns, run_id, small
from tracker import _io
from tracker.exceptions import InvalidValueError, NotFoundError
from tracker.exporting import export_mlflow
from tracker.foreign.importing import import_store
from tracker.foreign.mlruns import MlrunsStore
from tracker.reader import read_store

from .conftest import stamps

Tree = dict[str, bytes]


def tree(folder: Path) -> Tree:
    """The files of a folder with what is in them."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three runs, a registered model."""
    import_store(small(tmp_path / "source").root, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def tiny_store(tmp_path: Path) -> Path:
    """One run, which has a registered model."""
    made = small(tmp_path / "source").root
    shutil.rmtree(made / "1")
    shutil.rmtree(made / "0" / run_id(1))
    import_store(made, tmp_path / "runs")
    return tmp_path / "runs"


class Crash:
    """What `_io.fault` is called for: ends the process before an operation."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, operation: str, path: str, data: bytes) -> bytes:
        self.left -= 1
        if self.left == 0:
            os._exit(9)
        return data


def crashes(act: Callable[[], object], restore: Callable[[], None], check: Callable[[], None]) -> int:
    """End a process at each operation in turn; returns how many there are."""
    point = 0
    while True:
        point += 1
        restore()
        child = os.fork()
        if child == 0:
            _io.fault = Crash(point)
            act()
            os._exit(0)
        code = wait(child)[0]
        check()
        if code == 0:
            return point
        assert code == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_export_is_repeated(tiny_store: Path, tmp_path: Path) -> None:
    """Wherever an export is killed, every run that is there is whole, and the next export completes it."""
    store, out = tiny_store, tmp_path / "mlruns"
    export_mlflow(store, out)
    wanted = tree(out)

    def check() -> None:
        for run in MlrunsStore(out).runs() if out.exists() else ():
            below = f"{run.place}/"
            if not run.place.endswith(".trash"):
                assert {key: wanted[key] for key in wanted if key.startswith(below)} == {
                    below + key: data for key, data in tree(out / run.place).items()
                }
        export_mlflow(store, out)
        assert tree(out) == wanted

    assert crashes(lambda: export_mlflow(store, out), lambda: shutil.rmtree(out), check) > 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_update_is_repeated(tiny_store: Path, tmp_path: Path) -> None:
    """The same holds where an earlier export is brought up to date, artifacts that are kept included."""
    store, out, before = tiny_store, tmp_path / "mlruns", tmp_path / "before"
    export_mlflow(store, out)
    shutil.copytree(out, before)
    tracker.set_tracking_uri(store)
    with tracker.start_run(run_id=run_id(0)):
        tracker.log_metric("loss", 9.0, step=9)
    tracker.Client().set_registered_model_tag("price", "later", "yes")
    export_mlflow(store, out)
    wanted = tree(out)

    def restore() -> None:
        shutil.rmtree(out)
        shutil.copytree(before, out)

    def check() -> None:
        export_mlflow(store, out)
        assert tree(out) == wanted

    assert crashes(lambda: export_mlflow(store, out), restore, check) > 20


def test_only_what_changed_is_written(store: Path, tmp_path: Path) -> None:
    """A run that changed is written again; its artifacts only where they have changed too."""
    out = tmp_path / "mlruns"
    export_mlflow(store, out)
    before = stamps(out)
    tracker.set_tracking_uri(store)
    with tracker.start_run(run_id=run_id(1)):
        tracker.set_tag("later", "yes")
    with tracker.start_run(run_id=run_id(2)):
        tracker.log_text("changed", "plot.txt")
    report = export_mlflow(store, out)
    assert (report.runs_new, report.runs_updated, report.runs_unchanged) == (0, 2, 1)
    after = stamps(out)
    kept = {path for path in after if "artifacts" in path.parts and before.get(path) == after[path]}
    assert {path.parts[-3] for path in kept if path.name == "plot.txt"} == {run_id(0), run_id(1)}
    assert report.artifacts == len([path for path in after if run_id(2) in path.parts and "artifacts" in path.parts])


def test_a_moved_export_is_made_anew(store: Path, tmp_path: Path) -> None:
    """Addresses in an export are absolute: where it was moved, the next one writes the new ones."""
    export_mlflow(store, tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    report = export_mlflow(store, tmp_path / "there")
    assert report.runs_updated == 3
    metas = [path.read_text() for path in (tmp_path / "there").rglob("meta.yaml")]
    assert not [text for text in metas if "/here/" in text]
    assert len([text for text in metas if "/there/" in text]) == 6


@pytest.mark.parametrize("what", ["file", "folder", "real mlruns", "inside", "around", "other store"])
def test_other_folders_are_refused(store: Path, tmp_path: Path, what: str) -> None:
    """An export goes into no folder that holds something else, nor into or around its store."""
    out = tmp_path / "out"
    if what == "file":
        out.write_text("mine")
    elif what == "folder":
        out.mkdir()
        (out / "thesis.tex").write_text("mine")
    elif what == "real mlruns":
        Mlruns(out).experiment()
    elif what == "other store":
        import_store(tmp_path / "source", tmp_path / "other")
        export_mlflow(tmp_path / "other", out)
    else:
        out = store / "mlruns" if what == "inside" else tmp_path
    before = tree(tmp_path)
    with pytest.raises(InvalidValueError, match=r"Name (a|another|an empty) folder"):
        export_mlflow(store, out)
    assert tree(tmp_path) == before


def test_some_runs_can_be_chosen(store: Path, tmp_path: Path) -> None:
    """A query and names of experiments choose runs, with the versions of their models; exports add up."""
    out = tmp_path / "mlruns"
    report = export_mlflow(store, out, query="params.lr >= 0.1", experiments=["Default"])
    assert (report.runs_new, report.models, report.experiments) == (1, 0, 1)
    assert [run.run_id for run in MlrunsStore(out).runs()] == [run_id(1)]
    report = export_mlflow(store, out, query="params.lr < 0.1")
    assert (report.runs_new, report.models, report.versions) == (1, 1, 1)
    report = export_mlflow(store, out, experiments=["digits"])
    assert (report.runs_new, report.models) == (1, 1)
    export_mlflow(store, tmp_path / "whole")
    assert tree(out).keys() == tree(tmp_path / "whole").keys()
    with pytest.raises(NotFoundError, match="digits"):
        export_mlflow(store, out, experiments=["digit"])


def test_what_was_deleted_since_is_deleted(store: Path, tmp_path: Path) -> None:
    """A run that went to the trash is deleted to MLflow too, and one that was restored is not."""
    out = tmp_path / "mlruns"
    export_mlflow(store, out)
    tracker.set_tracking_uri(store)
    tracker.delete_run(run_id(1))
    export_mlflow(store, out)
    assert [run.run_id for run in MlrunsStore(out).runs() if run.deleted] == [run_id(1)]
    tracker.restore_run(run_id(1))
    export_mlflow(store, out)
    assert [run for run in MlrunsStore(out).runs() if run.deleted] == []
    assert len(list(read_store(store).runs())) == len(list(MlrunsStore(out).runs())) == 3
