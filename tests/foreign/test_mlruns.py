"""Old, moved and odd mlruns folders, read and imported."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from tracker import layout
from tracker.artifact_files import list_artifacts
from tracker.entities import make_run
from tracker.exceptions import InvalidValueError, NotAStoreError, NotFoundError
from tracker.foreign.impersonal import impersonal
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.mlruns import MlrunsStore
from tracker.foreign.mlruns_files import point_of
from tracker.foreign.records import ForeignRun, typed
from tracker.foreign.run_files import ARTIFACTS_TAG
from tracker.reader import ReadRun, read_history, read_store
from tracker.registry import Registry, check_registry

from .hand import START, Mlruns, run_id, small


@pytest.fixture
def made(tmp_path: Path) -> Mlruns:
    """An empty mlruns folder with the experiment 0."""
    folder = Mlruns(tmp_path / "mlruns")
    folder.experiment()
    return folder


def only_run(made: Mlruns) -> ForeignRun:
    """The one run of a folder, read."""
    (run,) = MlrunsStore(made.root).runs()
    return run


def only_import(made: Mlruns) -> ReadRun:
    """The one run of a folder, imported and read back."""
    store = made.root.with_name("runs")
    import_store(made.root, store)
    (run,) = read_store(store, cache=False).runs()
    return run


@pytest.mark.parametrize(
    ("line", "point"),
    [
        (b"1500000000000 0.5", (0, START, 0.5)),
        (b"1500000000000 0.5 7", (7, START, 0.5)),
        (b"1500000000000 -1e-3 -7 digits ab12cd34", (-7, START, -0.001)),
        (b"1500000000000 0.5 7 my data set ab12cd34", (7, START, 0.5)),
        (b"1500000000000 inf 7 0123 digits ab12cd34", (7, START, math.inf)),
        (b"1500000000000 0.5 1.5", None),
        (b"0.5", None),
        (b"-1 0.5 0", None),
        (b"1500000000000 x 0", None),
        (b"\x00\x00\x00", None),
        (b"", None),
    ],
)
def test_lines_of_metrics(line: bytes, point: tuple[int, int, float] | None) -> None:
    """Lines of two to six fields give time, value and step, whatever blanks the name of a data set holds."""
    assert point_of(line) == point


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1), ("3", 3), ("True", True), ("None", None), ("1e-05", 1e-05), ("-0.0", -0.0),
        ("1_000", "1_000"), ("007", "007"), (" 3", " 3"), ("nan", "nan"), ("1e5", "1e5"), ("true", "true"),
        ("", ""), ("9" * 400, "9" * 400), ("0x10", "0x10"),
    ],
)  # fmt: skip
def test_params_are_typed(text: str, value: object) -> None:
    """A text is a number, bool or None only where that value is written as this very text."""
    assert (typed(text), type(typed(text))) == (value, type(value))
    assert str(typed(text)) == text


def test_mlflow_1(made: Mlruns) -> None:
    """Stores without lifecycle stages, with numbers for status and metric lines of two fields, are read."""
    run = made.run("0", run_id(1), "first")
    made.write(f"{run}/metrics/loss", f"{START} 0.5\n{START + 1} 0.25\n")
    read = only_import(made)
    assert (read.file.name, read.file.status, read.file.end_time) == ("first", "FINISHED", START + 60_000)
    series = read_history(read.folder).series["loss"]
    assert (series.steps, series.values, series.times) == ([0, 0], [0.5, 0.25], [START, START + 1])
    assert read.file.experiment_id == "0"


def test_points(made: Mlruns) -> None:
    """Points come once each and in order, NaN and infinities too; the latest is highest in step, time, value."""
    run = made.run("0", run_id(1))
    lines = ["30 0.9 3", "10 nan 1", "20 inf 2", "10 nan 1", "30 0.9 3", "30 1.5 3", "5 -inf 0"]
    lines += ["40 3 4", "40 nan 4", "40 1 4", "40 2 4"]
    made.write(f"{run}/metrics/m", "".join(f"{line}\n" for line in lines))
    read = only_import(made)
    series = read_history(read.folder).series["m"]
    assert list(map(repr, series.values)) == ["-inf", "nan", "inf", "0.9", "1.5", "nan", "1.0", "2.0", "3.0"]
    assert (read.file.metrics["m"].last, read.file.metrics["m"].count) == (3.0, 9)


@pytest.mark.parametrize(
    "uri", ["C:\\Users\\eve\\mlruns\\0\\{0}\\artifacts", "file:///C:/Users/eve/mlruns/0/{0}/artifacts", "/gone/{0}"]
)
def test_paths_of_other_machines(made: Mlruns, uri: str) -> None:
    """Artifacts are found beside the run, wherever they were when it was logged; nothing of the old path stays."""
    run = made.run("0", run_id(1), artifact_uri=uri.format(run_id(1)))
    made.write(f"{run}/artifacts/model/MLmodel", "flavors:\n  python_function: {}\n")
    made.write(f"{run}/tags/mlflow.source.name", "C:\\Users\\eve\\train.py")
    made.version("price", 1, run_id=run_id(1), source=f"{uri.format(run_id(1)).removesuffix('/artifacts')}")
    for number, tail in ((2, "/artifacts/model"), (3, "\\artifacts\\model")):
        source = uri.format(run_id(1)).removesuffix("/artifacts").removesuffix("\\artifacts")
        made.version("price", number, run_id=run_id(1), source=source + tail)
    read = only_import(made)
    assert [file.name for file in list_artifacts(read.folder)] == ["model/MLmodel"]
    assert read.file.source is not None and read.file.source.script == "train.py"
    store = made.root.with_name("runs")
    version = Registry(store).version("price", 2)
    assert version.folder == read.folder / layout.ARTIFACTS / "model" == Registry(store).version("price", 3).folder
    assert version.file.source == f"runs:/{run_id(1)}/model"
    assert [path for path in store.rglob("*") if path.is_file() and b"eve" in path.read_bytes()] == []


def test_no_person_gets_in_by_a_uri(made: Mlruns) -> None:
    """Addresses of artifacts and repositories lose user, password and home; those of the code are the run's source."""
    run = made.run("0", run_id(1), artifact_uri="sftp://eve:secret@host/home/eve/artifacts")
    made.write(f"{run}/tags/mlflow.source.git.repoURL", "https://eve:secret@example.org/team/code.git")
    made.version("price", 1, run_id=run_id(2), source="../eve/model")
    made.version("price", 2, run_id=run_id(2), source="s3://bucket/model")
    read = only_import(made)
    assert read.file.tags == {ARTIFACTS_TAG: "sftp://***@host/~/artifacts"}
    assert read.file.source is not None and read.file.source.remote == "https://example.org/team/code"
    store = made.root.with_name("runs")
    assert [Registry(store).version("price", number).file.source for number in (1, 2)] == ["", "s3://bucket/model"]
    assert [path for path in store.rglob("*") if path.is_file() and b"eve" in path.read_bytes()] == []


def test_a_version_without_a_time_is_known_again(made: Mlruns) -> None:
    """A version that does not say when it was made is the same one in the next import."""
    made.version("price", 1, source="s3://bucket/model")
    made.meta("models/price/version-1", name="price", version=1)
    for count in (1, 0):
        report = import_store(made.root, made.root.with_name("runs"))
        assert (report.versions_new, report.versions_unchanged) == (count, 1 - count)


def test_names_that_no_file_has(made: Mlruns) -> None:
    """A logged model with a name that is too long for a file is named and left out, and its run is read."""
    run = made.run("0", run_id(1), "first")
    made.write(f"{run}/artifacts/plot.txt", "x")
    model = f"0/models/m-{run_id(2)}"
    made.meta(model, model_id=f"m-{run_id(2)}", name="n" * 300, source_run_id=run_id(1), status=2)
    made.write(f"{model}/artifacts/MLmodel", "flavors: {}\n")
    report = import_store(made.root, made.root.with_name("runs"))
    assert (report.runs_new, report.artifacts) == (1, 1)
    assert "too long" in report.problems[0].message


def test_artifacts_elsewhere(made: Mlruns) -> None:
    """A run whose artifacts are on object storage says where."""
    made.run("0", run_id(1), artifact_uri="s3://bucket/0/x/artifacts")
    assert only_import(made).file.tags == {"tracker.artifacts": "s3://bucket/0/x/artifacts"}


def test_odd_names(made: Mlruns) -> None:
    """Keys with slashes are files in folders; ids that are no hex digits get the same new id each time."""
    run = made.run("0", "my_run-1", run_uuid="my_run-1")
    made.write(f"{run}/params/a/b/c", "1")
    made.write(f"{run}/metrics/val/loss", "1 2 3\n")
    made.write(f"{run}/tags/a/b", "x: y")
    made.run("0", run_id(1))
    made.write(f"0/{run_id(1)}/tags/mlflow.parentRunId", "my_run-1")
    runs = {run.place: run for run in MlrunsStore(made.root).runs()}
    parent = runs["0/my_run-1"]
    assert (parent.params, list(parent.series), parent.tags) == ({"a/b/c": 1}, ["val/loss"], {"a/b": "x: y"})
    assert (
        runs[f"0/{run_id(1)}"].parent
        == parent.run_id
        == next(run.run_id for run in MlrunsStore(made.root).runs() if run.place == "0/my_run-1")
    )


def test_datasets(made: Mlruns) -> None:
    """Data sets become tags, and a file with all that is known of them."""
    run = made.run("0", run_id(1))
    made.meta(f"{run}/inputs/x", source_id=run_id(9), source_type="DATASET", tags="{mlflow.data.context: training}")
    made.meta(
        f"0/datasets/{run_id(9)}", name="my data set", digest="ab12", source_type="http", source='\'{"url": "x"}\''
    )
    read = only_import(made)
    assert read.file.tags == {"dataset.my data set": "ab12 (training)"}
    text = (read.folder / layout.ARTIFACTS / "datasets.json").read_text(encoding="utf-8")
    assert '"my data set"' in text and '{\\"url\\": \\"x\\"}' in text


def test_registry_with_gaps(made: Mlruns) -> None:
    """Numbers of versions stay; those between count as deleted, so that none is given twice."""
    run = made.run("0", run_id(1))
    made.write(f"{run}/artifacts/model/MLmodel", "flavors:\n  python_function: {}\n")
    for number in (2, 11):
        made.version("price", number, run_id=run_id(1), source=f"runs:/{run_id(1)}/model", current_stage="Staging")
    made.version("price", 12, run_id=run_id(7), source="s3://bucket/model")
    made.write("models/price/aliases/v7", "2")
    made.write("models/price/aliases/best", "11")
    store = made.root.with_name("runs")
    report = import_store(made.root, store)
    registry = Registry(store)
    assert [version.version for version in registry.model("price").live] == ["2", "11", "12"]
    assert registry.by_alias("price", "best").version == "11"
    assert registry.by_stage("price", "staging").version == "11"
    assert [problem.path for problem in report.problems] == ["models/price/version-12", "models/price/aliases/v7"]
    told = {(finding.version, finding.message.split(":")[0]) for finding in check_registry(store).findings}
    assert told == {
        (12, "The files of the model are gone"),
        (12, f"The run {run_id(7)} that made it is not in the store."),
    }
    assert (
        registry.register("price", path=registry.version("price", 2).file.path, digest=f"sha256:{'0' * 64}").version
        == "13"
    )


def test_nothing_is_followed(made: Mlruns, tmp_path: Path) -> None:
    """Links and paths that lead out of the folder are named, and what they lead to is not read."""
    secret = tmp_path / "secret"
    (secret / "metrics").mkdir(parents=True)
    (secret / "text").write_text("SECRET", encoding="utf-8")
    (secret / "meta.yaml").write_text("name: SECRET\n", encoding="utf-8")
    run = made.run("0", run_id(1))
    made.write(f"{run}/artifacts/ok.txt", "fine")
    made.write(f"{run}/params/ok", "1")
    for link in ("artifacts/file", "params/file", "tags/file", "metrics/file"):
        place = made.root / run / link
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(secret / "text")
    for link in (f"{run}/artifacts/folder", f"{run}/inputs", f"0/{run_id(2)}", "5", "models", "0/models"):
        (made.root / link).symlink_to(secret, target_is_directory=True)
    (made.root / f"0/{run_id(3)}").mkdir()
    (made.root / f"0/{run_id(3)}/meta.yaml").symlink_to(secret / "meta.yaml")
    store = made.root.with_name("runs")
    report = import_store(made.root, store)
    (read,) = read_store(store, cache=False).runs()
    assert [file.name for file in list_artifacts(read.folder)] == ["ok.txt"]
    assert (read.file.params, read.file.tags) == ({"ok": 1}, {})
    assert [path for path in store.rglob("*") if path.is_symlink()] == []
    assert [path for path in store.rglob("*") if path.is_file() and b"SECRET" in path.read_bytes()] == []
    named = {problem.path for problem in report.problems}
    links = {path.relative_to(made.root).as_posix() for path in made.root.rglob("*") if path.is_symlink()}
    assert links <= named


@pytest.mark.parametrize("source", ["../../../secret", "{0}/artifacts/../../../../secret", "models:/m-../../secret"])
def test_versions_stay_inside(made: Mlruns, tmp_path: Path, source: str) -> None:
    """The source of a version never leads out of the folder."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "MLmodel").write_text("SECRET", encoding="utf-8")
    made.run("0", run_id(1))
    made.version("price", 1, run_id=run_id(1), source=source.format(run_id(1)), storage_location="..")
    store = made.root.with_name("runs")
    report = import_store(made.root, store)
    assert "has no files" in report.problems[0].message
    assert [path for path in store.rglob("*") if path.is_file() and b"SECRET" in path.read_bytes()] == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_names_that_we_refuse(made: Mlruns) -> None:
    """Names that are not allowed here are problems with their path; the rest of the run is imported."""
    run = made.run("0", run_id(1))
    made.write(f"{run}/artifacts/con.txt", "x")
    made.write(f"{run}/artifacts/a:b.txt", "x")
    made.write(f"{run}/artifacts/fine.txt", "x")
    made.write(f"{run}/metrics/bad\nname", "1 2 3\n")
    made.write(f"{run}/params/p", "x" * 1_000_001)
    store = made.root.with_name("runs")
    report = import_store(made.root, store)
    (read,) = read_store(store, cache=False).runs()
    assert [file.name for file in list_artifacts(read.folder)] == ["fine.txt"]
    assert sorted(problem.path for problem in report.problems) == [
        run, run, f"{run}/artifacts/a:b.txt", f"{run}/artifacts/con.txt",
    ]  # fmt: skip
    assert {problem.run_id for problem in report.problems} == {run_id(1)}


def test_kinds(made: Mlruns, tmp_path: Path) -> None:
    """What is no such store is refused with what to name instead."""
    made.run("0", run_id(1))
    assert open_foreign(made.root).kind == open_foreign(str(made.root), "mlruns").kind == "MLflow files"
    with pytest.raises(InvalidValueError, match=r'Did you mean "mlruns".*Kinds: .*mlruns'):
        open_foreign(made.root, "mlrun")
    with pytest.raises(NotAStoreError, match=f"Name the whole: {made.root}"):
        open_foreign(made.root / "0")
    with pytest.raises(NotAStoreError, match=f"{made.root} is one"):
        open_foreign(tmp_path)
    with pytest.raises(NotFoundError, match='Did you mean "mlruns"'):
        open_foreign(tmp_path / "mlrun")
    import_store(made.root, tmp_path / "runs")
    assert open_foreign(tmp_path / "runs").kind == "a tracker store"


def test_every_part_is_read(tmp_path: Path) -> None:
    """The folder that the test of damage starts from is sound, and a run's values reach scripts."""
    made = small(tmp_path / "mlruns")
    report = import_store(made.root, tmp_path / "runs")
    assert (report.experiments, report.runs_new, report.points, report.artifacts) == (2, 3, 12, 9)
    assert (report.models, report.versions_new, report.problems) == (1, 1, ())
    run = next(run for run in read_store(tmp_path / "runs", cache=False).runs() if run.file.run_id == run_id(2))
    assert make_run(run, "1").data.params == {"lr": "0.2"}
    assert run.file.tags == {"mlflow.note.content": "A note.", "dataset.digits": "abcd1234"}


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        (
            '{"tags": {"mlflow.user": "eve", "mlflow.source.name": "/home/eve/train.py", "a": "b"}}',
            '{"tags": {"mlflow.source.name": "train.py", "a": "b"}}',
        ),
        ('{"uri": "/data/eve/x.csv"}', '{"uri": "x.csv"}'),
        ('{"uri": "C:\\\\data\\\\x.csv", "n": 1}', '{"uri": "x.csv", "n": 1}'),
        ('{"uri": "file:///data/x.csv"}', '{"uri": "x.csv"}'),
        (
            '{"files": ["/eve/a.csv", {"b": "../eve/b.csv"}]}',
            '{"files": ["a.csv", {"b": "b.csv"}]}',
        ),
        ('{"url": "https://eve:secret@example.org/a.csv"}', '{"url": "https://***@example.org/a.csv"}'),
        ("/home/eve/x.csv", "x.csv"),
    ],
)
def test_where_a_data_set_is_from(source: str, kept: str) -> None:
    """Neither the user nor a path of the machine is kept of what MLflow says of a data set."""
    assert impersonal(source) == kept


@pytest.mark.parametrize(
    "source",
    ['{"url": "https://example.org/a/b.csv"}', '{"path": "a/b", "tags": []}', "[1, 2]", "no JSON", "", "[" * 100_000],
)
def test_what_is_not_personal_stays(source: str) -> None:
    """Addresses, relative paths and what is no JSON object are kept letter by letter."""
    assert impersonal(source) == source
