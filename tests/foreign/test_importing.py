"""Imports that are repeated, interrupted or meet what is there already; and `tracker import`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

import tracker
from tracker import _io, fluent, layout
from tracker.artifact_files import list_artifacts
from tracker.cli import main
from tracker.foreign.importing import import_store
from tracker.foreign.placing import ArtifactMode
from tracker.reader import read_history, read_run, read_store, read_trash
from tracker.registry import Registry, check_registry, read_registry

from .hand import START, Mlruns, run_id, small


@pytest.fixture
def made(tmp_path: Path) -> Mlruns:
    """A small sound folder."""
    return small(tmp_path / "mlruns")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where it is imported to."""
    return tmp_path / "runs"


def content(store: Path) -> dict[str, bytes]:
    """All files of a store but those that carry the time of the import."""
    files = (path for path in store.rglob("*") if path.is_file())
    kept = {path.relative_to(store).as_posix(): path.read_bytes() for path in files}
    return {name: data for name, data in kept.items() if name not in ("store.yaml", "registry/price/model.yaml")}


def test_only_what_is_new(made: Mlruns, store: Path) -> None:
    """Done again, an import adds new runs and versions and brings runs that grew up to date, and leaves the rest."""
    import_store(made.root, store)
    made.run("0", run_id(7), "later")
    metric = f"1/{run_id(2)}/metrics/loss"
    made.write(metric, (made.root / metric).read_text("utf-8") + f"{START + 9} 0.125 4\n")
    made.write(f"1/{run_id(2)}/artifacts/plot.txt", "changed")
    made.version("price", 2, run_id=run_id(2), source=f"runs:/{run_id(2)}/model")
    report = import_store(made.root, store)
    assert (report.runs_new, report.runs_updated, report.runs_unchanged) == (1, 1, 2)
    assert (report.versions_new, report.versions_unchanged) == (1, 1)
    grown = read_run(store, run_id(2))
    assert (grown.file.metrics["loss"].last, grown.file.metrics["loss"].count, grown.problems) == (0.125, 5, ())
    assert (grown.folder / layout.ARTIFACTS / "plot.txt").read_text("utf-8") == "changed"
    fresh = store.with_name("fresh")
    import_store(made.root, fresh)
    assert content(store) == content(fresh)


def test_what_people_added_stays(made: Mlruns, store: Path) -> None:
    """Tags, notes, stages and aliases that were set here survive another import of a run that grew."""
    import_store(made.root, store)
    client = tracker.MlflowClient(str(store))
    client.set_tag(run_id(1), "checked", "yes")
    client.set_tag(run_id(1), "mlflow.note.content", "A better note.")
    fluent.reset()
    registry = Registry(store)
    registry.set_stage("price", 1, "Production")
    registry.set_alias("price", "best", 1)
    made.write(f"0/{run_id(1)}/tags/new", "tag")
    report = import_store(made.root, store)
    assert (report.runs_updated, report.problems) == (1, ())
    tags = read_run(store, run_id(1)).file.tags
    assert (tags["checked"], tags["mlflow.note.content"], tags["new"]) == ("yes", "A better note.", "tag")
    assert registry.by_alias("price", "best") == registry.by_stage("price", "Production")


def test_files_that_come_later(made: Mlruns, store: Path) -> None:
    """A version whose files were missing gets them from a later import; its stage, tags and history stay."""
    model = made.root / "0" / run_id(0) / "artifacts" / "model"
    model.rename(made.root.with_name("aside"))
    made.version("price", 2, run_id=run_id(9), source=f"runs:/{run_id(9)}/model")
    assert len(import_store(made.root, store).problems) == 2
    registry = Registry(store)
    registry.set_stage("price", 1, "Production")
    registry.set_version_tag("price", 1, "checked", "yes")
    before = registry.version("price", 1).file
    made.root.with_name("aside").rename(model)
    report = import_store(made.root, store)
    assert (report.versions_new, report.versions_unchanged, report.problems) == (1, 1, ())
    version = registry.by_alias("price", "champion")
    assert (version.folder / "MLmodel").read_bytes() == (model / "MLmodel").read_bytes()
    changed = {"path": version.file.path, "digest": version.file.digest, "source": f"runs:/{run_id(0)}/model"}
    assert version.file == msgspec.structs.replace(before, **changed)
    assert {finding.version for finding in check_registry(store).findings} == {2}
    assert import_store(made.root, store).versions_unchanged == 2


def test_a_deleted_version_gets_no_files(made: Mlruns, store: Path) -> None:
    """A version without files that was deleted here stays deleted, and as it is."""
    model = made.root / "0" / run_id(0) / "artifacts" / "model"
    model.rename(made.root.with_name("aside"))
    import_store(made.root, store)
    registry = Registry(store)
    registry.delete_alias("price", "champion")
    registry.delete_version("price", 1)
    before = registry.model("price").versions
    made.root.with_name("aside").rename(model)
    assert import_store(made.root, store).versions_unchanged == 1
    assert registry.model("price").versions[0].file == before[0].file


def test_two_sources_in_one_store(made: Mlruns, store: Path, tmp_path: Path) -> None:
    """Experiments of one name become one; versions and runs that are there already are named, never replaced."""
    import_store(made.root, store)
    other = Mlruns(tmp_path / "other")
    other.experiment("77", "Default")
    other.run("77", run_id(50))
    other.version("price", 1, run_id=run_id(50), creation_timestamp=START + 5_000_000, source="x")
    tracker.set_tracking_uri(store)
    with tracker.start_run() as mine:
        pass
    other.run("77", mine.info.run_id)
    report = import_store(other.root, store)
    assert report.runs_new == 1
    assert [(problem.path, problem.message.split(",")[0]) for problem in report.problems] == [
        (f"77/{mine.info.run_id}", "has the id of another run of the store"),
        ("models/price/version-1", "is not imported: 'price' has a version 1 of its own already"),
    ]
    found = read_store(store, cache=False).experiment_named("Default")
    assert {run.file.run_id for run in found.runs} == {
        run_id(0), run_id(1), run_id(50), mine.info.run_id,
    }  # fmt: skip
    assert Registry(store).version("price", 1).file.run_id == run_id(0)


def test_one_id_twice(made: Mlruns, store: Path) -> None:
    """A run that was copied into another experiment is imported once, and the copy is named."""
    shutil.copytree(made.root / "0" / run_id(0), made.root / "1" / run_id(0))
    report = import_store(made.root, store)
    assert report.runs_new == 3
    assert [problem.path for problem in report.problems] == [f"1/{run_id(0)}"]


def test_the_trash(made: Mlruns, store: Path) -> None:
    """Deleted runs and runs of deleted experiments are in the trash, and come back with their experiment."""
    made.root.joinpath(".trash").mkdir()
    (made.root / "1").rename(made.root / ".trash" / "1")
    text = (made.root / "0" / run_id(1) / "meta.yaml").read_text("utf-8")
    made.write(f"0/{run_id(1)}/meta.yaml", f"{text}lifecycle_stage: deleted\n")
    assert import_store(made.root, store).problems == ()
    assert {run.file.run_id for run in read_trash(store)} == {run_id(1), run_id(2)}
    assert [one.file.name for one in read_store(store, cache=False).experiments] == ["Default"]
    tracker.set_tracking_uri(store)
    for deleted in (run_id(1), run_id(2)):
        tracker.restore_run(deleted)
    read = read_store(store, cache=False)
    assert {one.file.name: len(one.runs) for one in read.experiments} == {
        "Default": 2,
        "digits": 1,
    }
    assert read.problems == ()
    assert import_store(made.root, store).runs_unchanged == 3


def test_what_is_deleted_in_the_source_stays(made: Mlruns, store: Path) -> None:
    """A run that is deleted there after it was imported stays, and so do tags and aliases of a registered model."""
    import_store(made.root, store)
    text = (made.root / "0" / run_id(1) / "meta.yaml").read_text("utf-8")
    made.write(f"0/{run_id(1)}/meta.yaml", f"{text}lifecycle_stage: deleted\n")
    shutil.rmtree(made.root / "1" / run_id(2))
    made.version("price", 2, run_id=run_id(0), source=f"runs:/{run_id(0)}/model")
    made.write("models/price/aliases/champion", "2")
    made.write("models/price/tags/owner", "other")
    before = read_registry(store).models[0].file
    assert import_store(made.root, store).problems == ()
    assert {run.file.run_id for run in read_store(store, cache=False).runs()} == {run_id(0), run_id(1), run_id(2)}
    assert read_registry(store).models[0].file == before


@pytest.mark.parametrize("mode", ["copy", "link", "leave"])
def test_artifacts(made: Mlruns, store: Path, mode: ArtifactMode) -> None:
    """Artifacts are copied, get a second name, or stay where they are, which a tag tells; models are registered."""
    assert import_store(made.root, store, artifacts=mode).problems == ()
    assert import_store(made.root, store, artifacts=mode).runs_unchanged == 3
    run = read_run(store, run_id(0))
    files = {file.name: file.links for file in list_artifacts(run.folder)}
    links = 2 if mode == "link" else 1
    own = {} if mode == "leave" else {"model/MLmodel": links, "plot.txt": links}
    assert files == {**own, "datasets.json": 1}
    assert run.file.tags.get("tracker.artifacts") == (f"0/{run_id(0)}/artifacts" if mode == "leave" else None)
    folder = Registry(store).by_alias("price", "champion").folder
    assert (folder / "MLmodel").read_bytes() == (made.root / "0" / run_id(0) / "artifacts/model/MLmodel").read_bytes()


class Stopped(BaseException):
    """Ends an import at an operation."""


def stopping_at(stop: int) -> Callable[[str, str, bytes], bytes]:
    """Lets so many operations pass."""
    passed = count()

    def fault(operation: str, path: str, data: bytes) -> bytes:
        if next(passed) == stop:
            raise Stopped
        return data

    return fault


def test_every_interruption(made: Mlruns, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped at any operation on files, an import leaves only whole runs, and the next one completes it."""
    whole = store.with_name("whole")
    passed: Counter[str] = Counter()

    def note(operation: str, path: str, data: bytes) -> bytes:
        passed[operation] += 1
        return data

    monkeypatch.setattr(_io, "fault", note)
    import_store(made.root, whole)
    monkeypatch.setattr(_io, "fault", None)
    expected, total = content(whole), sum(passed.values())
    for stop in range(0, total, 3):
        monkeypatch.setattr(_io, "fault", stopping_at(stop))
        with pytest.raises(Stopped):
            import_store(made.root, store)
        monkeypatch.setattr(_io, "fault", None)
        if layout.store_file(store).exists():
            read = read_store(store, cache=False)
            assert read.problems == ()
            assert all(sum(map(len, read_history(run.folder).series.values())) == 4 for run in read.runs())
        assert import_store(made.root, store).problems == ()
        assert {name: data for name, data in content(store).items() if ".new-" not in name} == expected
        shutil.rmtree(store)
    assert total > 100


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_killed(made: Mlruns, store: Path) -> None:
    """An import that is killed leaves whole runs only; the next one adds the others."""
    for number in range(3, 60):
        run = made.run("0", run_id(number))
        made.write(f"{run}/metrics/m", "1 2 3\n")
    script = (
        "import os, signal, sys; from tracker.foreign.importing import import_store\n"
        "def stop(done, total, label=''):\n"
        "    if done == 30: os.kill(os.getpid(), signal.SIGKILL)\n"
        "import_store(sys.argv[1], sys.argv[2], progress=stop)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(made.root), str(store)], check=False)
    assert done.returncode == -9
    read = read_store(store, cache=False)
    assert (len(list(read.runs())), read.problems) == (30, ())
    report = import_store(made.root, store)
    assert (report.runs_new, report.runs_unchanged, report.problems) == (30, 30, ())


def test_command(made: Mlruns, store: Path) -> None:
    """`tracker import` tells what it did and what it could not do; `--strict` makes that an exit code."""
    made.write(f"0/{run_id(0)}/metrics/loss", "nonsense\n")
    run = CliRunner().invoke(main, ["import", str(made.root), "--into", str(store)])
    assert run.exit_code == 0, run.output
    assert "runs: 3 new, 0 updated, 0 unchanged; 8 points; 9 artifacts" in run.output
    assert f"0/{run_id(0)}/metrics/loss:1: is no point of a metric" in run.output
    again = CliRunner().invoke(main, ["import", str(made.root), "--into", str(store), "--json", "--strict"])
    assert again.exit_code == 3
    told = json.loads(again.stdout)
    assert (told["runs_unchanged"], len(told["problems"])) == (3, 1)
    wrong = CliRunner().invoke(main, ["import", str(made.root), "--into", str(store), "--from", "mlrun"])
    assert wrong.exit_code == 1 and 'Did you mean "mlruns"?' in wrong.output
    inside = CliRunner().invoke(main, ["import", str(made.root), "--into", str(made.root)])
    assert inside.exit_code == 1 and "which is only read" in inside.output
    assert len(read_registry(store).models) == 1


def test_two_imports_at_once(made: Mlruns, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that another import has just brought, after this one looked what there is, is unchanged and no error."""
    import_store(made.root, store)
    before = content(store)
    monkeypatch.setattr("tracker.foreign.importing._known_runs", lambda root: iter(()))
    report = import_store(made.root, store)
    assert (report.runs_new, report.runs_unchanged, report.problems) == (0, 3, ())
    assert content(store) == before
