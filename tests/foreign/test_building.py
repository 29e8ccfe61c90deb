"""Sites of stores that are not ours, and of several: built again they are what they would be if built from nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import tracker
from site_builder import model_folders, preview
from site_builder.build import BuildResult, build
from site_builder.stage import stage
from tracker import settings
from tracker.cli import main
from tracker.exceptions import StoreError
from tracker.foreign import mirror
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.placing import LARGEST_PUBLISHED, LARGEST_SHOWN
from tracker.foreign.run_files import SILENCE_MS
from tracker.layout import ASIDE
from tracker.reader import read_history, read_run, read_store
from tracker.registry import Registry, read_registry

from .hand import START, Mlruns, run_id, small

FLAVORS = "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TRACKER_CAPTURE", "off")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture
def made(tmp_path: Path) -> Mlruns:
    """A small sound folder of MLflow's files."""
    return small(tmp_path / "mlruns")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A store of ours with everything: nested runs, artifacts, a registered model with a history, a deleted run."""
    root = tmp_path / "ours"
    tracker.set_tracking_uri(root)
    tracker.set_experiment("digits", description="Ours.", tags={"team": "a"}, goal={"loss": "minimize"})
    with tracker.start_run(run_name="parent", description="A *note*."):
        tracker.log_params({"lr": 0.5, "on": True, "name": "x", "none": None})
        for step, value in enumerate((0.5, float("nan"), float("inf"), 0.25)):
            tracker.log_metric("loss", value, step=step)
        with tracker.start_run(run_name="child", nested=True) as child:
            tracker.log_text("hello", "a/b.txt")
            tracker.pyfunc.log_model(
                python_model=lambda model_input: model_input, name="model", pip_requirements=[], input_example=[1.0]
            )
    with pytest.raises(ZeroDivisionError), tracker.start_run(run_name="broken"):
        raise ZeroDivisionError("by zero")
    registry = Registry(root)
    tracker.register_model(f"runs:/{child.info.run_id}/model", "echo")
    registry.set_stage("echo", 1, "Staging", reason="try it")
    registry.set_stage("echo", 1, "Production", reason="it is good")
    registry.set_alias("echo", "champion", 1, reason="best")
    with tracker.start_run(run_name="gone") as gone:
        tracker.log_metric("loss", 9)
    tracker.delete_run(gone.info.run_id)
    tracker.fluent.reset()
    return root


def tree(folder: Path) -> dict[str, bytes]:
    """All files of a site, but for the time of the build."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pressed(sources: Path | list[Path], out: Path) -> dict[str, bytes]:
    """Build, and give the files."""
    build(sources, out)
    return tree(out)


def cold(sources: Path | list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Build into a new folder, with nothing in the cache but what MkDocs and Altair made."""
    with monkeypatch.context() as patch:
        patch.setenv("TRACKER_CACHE", str(tmp_path / "cold"))
        for name in ("shells", "charts"):
            shutil.copytree(tmp_path / "cache" / name, tmp_path / "cold" / name)
        found = pressed(sources, tmp_path / "cold-site")
    shutil.rmtree(tmp_path / "cold")
    shutil.rmtree(tmp_path / "cold-site")
    return found


def mirror_of(tmp_path: Path) -> Path:
    """The store in the cache that the site was built of."""
    (found,) = (tmp_path / "cache" / mirror.STORES).iterdir()
    return found


def built(made: Mlruns, tmp_path: Path) -> BuildResult:
    """Build the site of the folder."""
    return build(made.root, tmp_path / "site")


def test_a_folder_of_mlflow_is_built(made: Mlruns, tmp_path: Path) -> None:
    """`tracker build mlruns` names what it read, and the site has every run, artifact and version."""
    result = CliRunner().invoke(main, ["build", str(made.root), "--out", str(tmp_path / "site")])
    assert result.exit_code == 0, result.output
    assert f"Read MLflow files: {made.root}" in result.output.replace("\n", "")
    site = tmp_path / "site"
    for number in range(3):
        page = (site / "runs" / run_id(number) / "index.html").read_text("utf-8")
        assert f"run-{number}" in page and "A note." in page and "digits" in page
        assert (site / "runs" / run_id(number) / "artifacts" / "plot.txt").read_text() == "x" * 40
    assert "champion" in (site / "models" / "price" / "index.html").read_text("utf-8")
    assert '"sources":["MLflow files"]' in (site / "data/v1/site.js").read_text("utf-8")
    assert "/home/eve" not in "".join(data.decode(errors="replace") for data in tree(site).values())


def test_the_source_is_only_read(made: Mlruns, tmp_path: Path) -> None:
    """Not a file of the source is added, changed or touched, and no link to it is made."""
    before = {path: (path.stat().st_mtime_ns, path.stat().st_nlink) for path in made.root.rglob("*")}
    built(made, tmp_path)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_nlink) for path in made.root.rglob("*")} == before


def test_built_again_it_is_as_from_nothing(made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever changes in the source, an incremental build and one from nothing give the same bytes."""
    site = tmp_path / "site"
    run = f"0/{run_id(0)}"
    changes = [
        lambda: made.run("0", run_id(7), "later"),
        lambda: made.write(f"{run}/metrics/loss", f"{START} 0.5 0\n"),
        lambda: made.write(f"{run}/tags/mlflow.runName", "renamed"),
        lambda: made.write(f"{run}/artifacts/plot.txt", "other"),
        lambda: (made.root / run / "artifacts/plot.txt").unlink(),
        lambda: made.write(f"{run}/params/new", "1"),
        lambda: made.write("1/tags/team", "audio"),
        lambda: made.write("1/tags/mlflow.note.content", "Described."),
        lambda: made.version("price", 2, run_id=run_id(0), source=f"runs:/{run_id(0)}/model", current_stage="Staging"),
        lambda: made.version("price", 2, run_id=run_id(0), source=f"runs:/{run_id(0)}/model", current_stage="Archived"),
        lambda: made.write("models/price/aliases/champion", "2"),
        lambda: made.write(f"{run}/meta.yaml", "broken: ["),
        lambda: made.meta(f"0/{run_id(7)}", lifecycle_stage="deleted", status=3, start_time=START),
        lambda: shutil.rmtree(made.root / "models"),
        lambda: shutil.rmtree(made.root / f"0/{run_id(1)}"),
        lambda: shutil.rmtree(made.root / "1"),
    ]
    before = pressed(made.root, site)
    for number, change in enumerate(changes):
        change()
        after = pressed(made.root, site)
        assert after != before, number
        expected = cold(made.root, tmp_path, monkeypatch)
        assert {key for key in after.keys() | expected if after.get(key) != expected.get(key)} == set(), number
        before = after
    assert build(made.root, site).written == 0


def test_problems_are_told_every_time(made: Mlruns, tmp_path: Path) -> None:
    """What could not be read is named by the first build and by the next ones, and stands on the problems page."""
    made.write(f"0/{run_id(0)}/metrics/loss", "no number\n")
    made.version("price", 2, run_id=run_id(9), source="s3://bucket/model")
    first, second = built(made, tmp_path), built(made, tmp_path)
    assert first.problems == second.problems
    assert sorted(problem.path for problem in first.problems) == [
        f"0/{run_id(0)}/metrics/loss",
        "models/price/version-2",
        "registry/price/versions/2.yaml",
    ]
    page = (tmp_path / "site" / "problems" / "index.html").read_text("utf-8")
    assert f"0/{run_id(0)}/metrics/loss" in page and "no number" in page


def test_several_become_one(made: Mlruns, own: Path, tmp_path: Path) -> None:
    """Stores of several kinds become one site: experiments of one name are one, models keep their history."""
    result = build([made.root, own], tmp_path / "site")
    assert result.problems == ()
    found = read_store(mirror_of(tmp_path), cache=False)
    runs = {run.file.name: run for run in found.runs()}
    assert sorted(runs) == ["broken", "child", "parent", "run-0", "run-1", "run-2"]
    assert {one.file.name: len(one.runs) for one in found.experiments} == {"Default": 2, "digits": 4}
    digits = found.experiment_named("digits").file
    assert (digits.id, digits.description, digits.tags) == ("1", "Ours.", {"team": "vision"})
    assert digits.goal == {"loss": "minimize"}
    assert {run.file.experiment_id for run in found.experiment_named("digits").runs} == {"1"}
    assert [model.name for model in read_registry(found.root).models] == ["echo", "price"]


def test_a_store_of_ours_loses_nothing(own: Path, tmp_path: Path) -> None:
    """Merged into another store, runs, points, environment, endings and the registry are as they were."""
    target = tmp_path / "merged"
    report = import_store(own, target)
    assert (report.kind, report.runs_new, report.models, report.problems) == ("a tracker store", 4, 1, ())
    old, new = (read_store(root, cache=False) for root in (own, target))
    for before in old.runs():
        after = read_run(target, before.file.run_id)
        kept = ("name", "status", "start_time", "end_time", "ended_by", "parent", "source", "tags", "params")
        assert {key: getattr(after.file, key) for key in kept} == {key: getattr(before.file, key) for key in kept}
        assert repr(after.file.metrics) == repr(before.file.metrics)
        assert repr(read_history(after.folder).series) == repr(read_history(before.folder).series)
    assert [one.file for one in new.experiments] == [one.file for one in old.experiments]
    before, after = (Registry(root).model("echo") for root in (own, target))
    assert (after.file, after.versions[0].file) == (before.file, before.versions[0].file)
    tracker.set_tracking_uri(target)
    assert tracker.pyfunc.load_model("models:/echo@champion").predict([1.0]).to_numpy().tolist() == [[1.0]]
    again = import_store(own, target)
    assert (again.runs_new, again.runs_unchanged, again.versions_unchanged) == (0, 4, 1)


def test_collisions_are_named(made: Mlruns, tmp_path: Path) -> None:
    """Of two runs with one id, and of two versions with one number, the first is shown and the second is a problem."""
    other = Mlruns(tmp_path / "other")
    other.experiment("0")
    run = other.run("0", run_id(0), "impostor")
    other.write(f"{run}/artifacts/model/MLmodel", "flavors: {}\n")
    other.version("price", 1, run_id=run_id(0), source="x", creation_timestamp=START + 9_000)
    result = build([made.root, other.root], tmp_path / "site")
    assert [(problem.path, problem.message) for problem in result.problems] == [
        (f"other/0/{run_id(0)}", f"has the id of mlruns/0/{run_id(0)}, and is left out"),
        ("other/models/price/version-1", "is not imported: 'price' has a version 1 of its own already"),
    ]
    assert "impostor" not in (tmp_path / "site" / "runs" / run_id(0) / "index.html").read_text("utf-8")


def test_sources_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """The problems of `a/mlruns` and `b/mlruns` have paths that say which of them they lie in."""
    folders = [small(tmp_path / place / "mlruns") for place in "ab"]
    folders[0].write(f"0/{run_id(0)}/metrics/loss", "")
    for number in range(3):
        shutil.rmtree(folders[1].root / str(number // 2) / run_id(number))
    result = build([one.root for one in folders], tmp_path / "site")
    assert [problem.path for problem in result.problems][:1] == [f"a/mlruns/0/{run_id(0)}/metrics/loss"]


def test_large_files_take_no_space(made: Mlruns, tmp_path: Path) -> None:
    """Files that no site copies get a second name, and their page says that they were kept; models are published."""
    big = made.write(f"0/{run_id(0)}/artifacts/big.bin", b"\0" * (LARGEST_SHOWN + 1))
    made.write(
        f"0/{run_id(0)}/artifacts/model/MLmodel", "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"
    )
    weights = made.write(f"0/{run_id(0)}/artifacts/model/weights.bin", b"\1" * (LARGEST_SHOWN + 1))
    result = built(made, tmp_path)
    assert result.problems == ()
    assert (big.stat().st_nlink, weights.stat().st_nlink) == (2, 2)
    page = (tmp_path / "site" / "runs" / run_id(0) / "index.html").read_text("utf-8")
    assert "big.bin" in page and "kept in the store" in page
    published = [path for path in (tmp_path / "site" / "models").rglob("weights.bin") if path.is_file()]
    assert [path.read_bytes() for path in published] == [weights.read_bytes()]
    assert (preview.MAX_COPY, model_folders.MAX_PUBLISHED) == (LARGEST_SHOWN, LARGEST_PUBLISHED)


def test_on_another_disk_large_files_are_left_out(
    made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no second name can be given, a file that is too large to copy is a problem, in every build."""

    def refuse(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("tracker._io.link_file", refuse)
    big = made.write(f"0/{run_id(0)}/artifacts/big.bin", b"")
    os.truncate(big, LARGEST_PUBLISHED + 1)
    first, second = built(made, tmp_path), built(made, tmp_path)
    assert [(problem.path, "TRACKER_CACHE" in problem.message) for problem in first.problems] == [
        (f"0/{run_id(0)}/artifacts/big.bin", True)
    ]
    assert (second.problems, second.written) == (first.problems, 0)


def test_links_are_not_published(made: Mlruns, tmp_path: Path) -> None:
    """What a link in a source leads to does not get into the site."""
    secret = tmp_path / "secret.txt"
    secret.write_text("do not publish")
    (made.root / f"0/{run_id(0)}/artifacts/link.txt").symlink_to(secret)
    (made.root / f"0/{run_id(1)}/artifacts/folder").symlink_to(tmp_path)
    result = built(made, tmp_path)
    assert [problem.path for problem in result.problems] == [
        f"0/{run_id(0)}/artifacts/link.txt",
        f"0/{run_id(1)}/artifacts/folder",
    ]
    assert all(b"do not publish" not in data for data in tree(tmp_path / "site").values())


def test_what_an_interrupted_build_left_is_removed(made: Mlruns, tmp_path: Path) -> None:
    """A run that was half written when a build was killed is gone after the next one."""
    built(made, tmp_path)
    left = mirror_of(tmp_path) / "experiments" / "digits" / "runs" / f"{ASIDE}{run_id(5)}"
    left.mkdir()
    shutil.rmtree(mirror_of(tmp_path) / "experiments" / "default")
    (mirror_of(tmp_path) / "mirror.json").unlink()
    built(made, tmp_path)
    assert not left.exists()
    assert len(list(read_store(mirror_of(tmp_path), cache=False).runs())) == 3


def test_nothing_is_read_again_where_nothing_changed(
    made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source without a change since the last build is not read; a run without an end goes stale all the same."""
    made.run("0", run_id(8), "running", status=1, end_time="null", start_time=1_000_000_000_000)
    monkeypatch.setattr("tracker._clock.now_ms", lambda: 1_000_000_000_000 + SILENCE_MS)
    with pytest.MonkeyPatch.context() as patch:
        built(made, tmp_path)
        patch.setattr("tracker.foreign.mlruns.MlrunsStore.runs", None)
        old = mirror_of(tmp_path) / "experiments" / "default" / "runs" / run_id(8)
        (log,) = (old / "log").iterdir()
        os.utime(log, (0, 0))
        built(made, tmp_path)
        assert log.stat().st_mtime > 1_000_000_000
    monkeypatch.setattr("tracker._clock.now_ms", lambda: 1_000_000_000_001 + SILENCE_MS + settings.STALE_MS)
    built(made, tmp_path)
    assert read_run(mirror_of(tmp_path), run_id(8)).file.status == "STALE"


def test_a_lost_cache_costs_nothing_but_time(made: Mlruns, tmp_path: Path) -> None:
    """The site of a source is known as such when the cache is gone, and nothing of it is written again."""
    built(made, tmp_path)
    shutil.rmtree(tmp_path / "cache")
    assert built(made, tmp_path).written == 0


def test_pages_and_title_of_a_store_of_ours_come_along(made: Mlruns, own: Path, tmp_path: Path) -> None:
    """Authored pages and the title are those of the first store of ours."""
    (own / "pages").mkdir()
    (own / "pages" / "notes.md").write_text("# Notes\n\nOf ours.")
    yaml = own / "store.yaml"
    yaml.write_text(yaml.read_text().replace("title: ''", "title: Of two"))
    build([made.root, own], tmp_path / "site")
    page = (tmp_path / "site" / "notes.html").read_text("utf-8")
    assert "Of ours." in page and "Of two" in page


def test_staged_pages(made: Mlruns, tmp_path: Path) -> None:
    """`--stage-only` takes other trackers' stores too."""
    stage(made.root, tmp_path / "staged")
    assert (tmp_path / "staged" / "docs" / "runs" / run_id(0) / "index.md").is_file()


def test_what_is_no_store_is_refused(made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of no known kind, a part of a store and a missing one are errors that say what to name."""
    run = CliRunner().invoke
    (tmp_path / "empty").mkdir()
    assert "no store of a known kind" in run(main, ["build", str(tmp_path / "empty")]).stderr
    assert f"Name the whole: {made.root}" in run(main, ["build", str(made.root / "0")]).stderr
    assert "no kind of store" in run(main, ["build", str(made.root), "--from", "mlrun"]).stderr
    monkeypatch.chdir(tmp_path)
    assert "tracker build mlruns" in run(main, ["build"]).stderr
    shutil.rmtree(made.root)
    assert "Log a run first" in run(main, ["build"]).stderr


def test_a_cache_that_cannot_be_written(made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no place for the cache, the error says how to name another one."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRACKER_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="Set TRACKER_CACHE"):
        built(made, tmp_path)


def test_the_kind_can_be_said(made: Mlruns, own: Path, tmp_path: Path) -> None:
    """`--from` names the kind for all sources, and a store of ours is one."""
    assert build(made.root, tmp_path / "site", kind="mlruns").pages > 3
    assert build(own, tmp_path / "own", kind="tracker").pages > 3
    assert open_foreign(own, "tracker").count() == 3
