"""What real writers of event files wrote reads here as TensorBoard's own readers read it."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clock
from tracker.artifact_files import list_artifacts
from tracker.exceptions import NotAStoreError
from tracker.foreign.importing import ImportReport, import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.records import ForeignRun
from tracker.foreign.tensorboard import TensorboardStore
from tracker.reader import ReadRun, read_history, read_store

from .sites import Record, check_site
from .wire import WALL, blob, double, scalar, varint, write_events

Imported = tuple[Path, dict[str, Any], ImportReport]
BRAIN_FLOATS = [1.0, 1.0078125, 1.015625, 1.0234375]
"""What the writer put into bfloat16, which TensorBoard cannot decode without further packages."""


@pytest.fixture(scope="module")
def imported(by_tensorboard: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """The store, what TensorBoard says of its source, and the report of the import."""
    source, told = by_tensorboard
    store = tmp_path_factory.mktemp("imported") / "store"
    return store, told, import_store(source, store)


def runs_of(store: Path) -> dict[str, ReadRun]:
    """All runs by name."""
    return {run.file.name: run for run in read_store(store, cache=False).runs()}


def session_in(told: dict[str, Any]) -> str:
    """The folder that `add_hparams` made below exp1."""
    return next(name for name in told if name.startswith("exp1/1"))


def foreign_runs(root: Path) -> dict[str, ForeignRun]:
    """Runs by name, as the reader gives them."""
    return {run.name: run for run in TensorboardStore(root).runs()}


def test_runs_are_those_of_tensorboard(imported: Imported) -> None:
    """Each folder that TensorBoard shows is a run of one experiment, but for what belongs to another run."""
    store, told, report = imported
    outer_only = {"sweep"}  # nothing was logged there but the sessions below it
    assert set(runs_of(store)) == set(told) - outer_only - {session_in(told)}
    assert report.runs_new == 15
    (experiment,) = read_store(store, cache=False).experiments
    assert experiment.file.name == "runs"
    assert read_store(store, cache=False).problems == ()


def test_every_scalar_is_the_same(imported: Imported) -> None:
    """Each point has the step, value and time of TensorBoard's, restarts and old files included."""
    store, told, report = imported
    runs, count = runs_of(store), 0
    shown = {name: run["scalars"] for name, run in told.items()}
    shown["exp1"] = shown["exp1"] | shown[session_in(told)]
    for name, run in runs.items():
        series = read_history(run.folder).series
        if name == "tf2/train":
            assert series.pop("kinds/bfloat16").values == BRAIN_FLOATS
            count += len(BRAIN_FLOATS)
        assert {
            tag: [[step, time, repr(value)] for step, value, time in zip(one.steps, one.values, one.times, strict=True)]
            for tag, one in series.items()
        } == {
            tag: [[step, math.floor(wall * 1000 + 0.5), value] for step, wall, value in by_step_and_time(points)]
            for tag, points in shown[name].items()
        }
        count += sum(map(len, series.values()))
    assert count == report.points == 98


def by_step_and_time(points: list[list[Any]]) -> list[list[Any]]:
    """In the order of a series."""
    return sorted(points, key=lambda point: (point[0], point[1]))


def test_images_are_the_same(imported: Imported) -> None:
    """Each image is a file with the bytes that TensorBoard shows, named by tag, step and type."""
    store, told, _ = imported
    runs = runs_of(store)
    for name, run in runs.items():
        found = sorted(path.read_bytes() for path in (run.folder / "artifacts" / "images").rglob("*.png"))
        wanted = [base64.b64decode(data) for images in told[name]["images"].values() for _, data in images]
        assert found == sorted(wanted)
    names = {file.name for file in list_artifacts(runs["exp1"].folder)}
    assert {f"images/samples/out/{step}-0.png" for step in range(3)} <= names
    assert {"images/odd__name_/_._/7-0.png", "images/odd__name_/_._/7-1.png"} & names == set()
    assert sum(name.startswith("images/odd__name_/") for name in names) == 2
    assert {f"images/pictures/{step}-{index}.png" for step in range(2) for index in range(2)} <= {
        file.name for file in list_artifacts(runs["tf2/train"].folder)
    }


def test_sounds_are_files(imported: Imported) -> None:
    """Sounds of both ways to write them are WAV files, without their labels."""
    folder = runs_of(imported[0])["tf2/train"].folder / "artifacts" / "audio"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")) == [
        "old sound/2-0.wav",
        "sound/1-0.wav",
    ]
    assert {path.read_bytes()[:4] for path in folder.rglob("*.wav")} == {b"RIFF"}


def test_texts_are_tags_or_files(imported: Imported) -> None:
    """A short text that was logged once is a tag; others are Markdown, with a heading for each step."""
    store, told, _ = imported
    runs = runs_of(store)
    assert told["exp1"]["texts"]["commit/text_summary"] == [[0, [runs["exp1"].file.tags["commit"]]]]
    folder = runs["exp1"].folder / "artifacts" / "text"
    assert (folder / "config.md").read_text() == "|param|value|\n|-|-|\n|lr|0.1|"
    text = (folder / "predictions.md").read_text()
    for step, (shown,) in told["exp1"]["texts"]["predictions/text_summary"]:
        assert f"## Step {step}\n\n{shown}\n" in text
    assert (runs["tf2/train"].folder / "artifacts" / "text" / "list.md").read_text() == "one\n\ntwo"


def test_hyperparameters_are_params(imported: Imported) -> None:
    """One set belongs to the run whose writer logged it; several are runs of their own; sessions say how they ended."""
    runs = runs_of(imported[0])
    assert runs["exp1"].file.params == {"lr": 0.1, "bsize": 16, "opt": "adam", "amp": True}
    assert type(runs["exp1"].file.params["bsize"]) is int
    assert runs["exp1"].file.metrics["hparam/accuracy"].last == 0.75
    assert {name: run.file.params for name, run in runs.items() if name.startswith("sweep")} == {
        f"sweep/{1_700_000_000 + number}.5": {"lr": 0.1 * number} for number in range(3)
    }
    session = runs["keras/run-0"].file
    assert session.params == {"units": 32, "rate": 0.5, "optimizer": "adam", "bias": True}
    assert (session.status, session.end_time) == ("FINISHED", round((WALL + 60) * 1000))
    assert runs["keras/run-1"].file.status == "FAILED"


def test_folders_within_a_run_are_nested_in_it(imported: Imported) -> None:
    """What a writer or callback puts below the folder of its run has that run as its parent."""
    runs = runs_of(imported[0])
    parents = {name: run.file.parent for name, run in runs.items() if run.file.parent}
    assert parents == {
        "exp1/both/train": runs["exp1"].file.run_id,
        "exp1/both/val": runs["exp1"].file.run_id,
        "keras/run-0/train": runs["keras/run-0"].file.run_id,
        "keras/run-1/train": runs["keras/run-1"].file.run_id,
    }


def test_what_is_left_out_is_named_once_for_a_run(imported: Imported) -> None:
    """Histograms and graphs are not imported, and the report says so."""
    told = {problem.path: problem.message for problem in imported[2].problems}
    assert told == {
        "exp1": "has histograms (1 tag), which are not imported",
        "tf2/train": "has graphs, histograms (1 tag), which are not imported",
    }


def test_nothing_personal_is_taken_over(imported: Imported) -> None:
    """The name of the host, which stands in the names of event files, is nowhere in the store."""
    import platform

    host = platform.node()
    data = [
        path.read_bytes() for path in imported[0].rglob("*") if path.is_file() and path.suffix in (".json", ".jsonl")
    ]
    assert data
    assert not any(f".{host}".encode() in one or f'"{host}'.encode() in one for one in data)


def test_again_is_unchanged(imported: Imported, by_tensorboard: tuple[Path, dict[str, Any]]) -> None:
    """A second import finds every run as it is."""
    again = import_store(by_tensorboard[0], imported[0])
    assert (again.runs_new, again.runs_updated, again.runs_unchanged) == (0, 0, 15)


def test_a_single_file_is_a_run(by_tensorboard: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """One event file can be named; the run has the name of its folder."""
    (file,) = (by_tensorboard[0] / "plain").iterdir()
    foreign = open_foreign(file)
    (run,) = foreign.runs()
    assert (foreign.kind, run.name) == ("TensorBoard event files", "plain")
    assert run.series["loss"].values == [1.0, 0.5, 0.3333333432674408, 0.25]
    assert import_store(file, tmp_path / "store").runs_new == 1


def test_lightning_has_params_and_checkpoints(tmp_path: Path) -> None:
    """hparams.yaml gives params with their types, checkpoints are artifacts, and objects of Python stay out."""
    folder = tmp_path / "lightning_logs" / "version_0"
    write_events(folder, scalar("loss", 0.5, 1))
    (folder / "hparams.yaml").write_text(
        "lr: 0.001\nmodel:\n  layers: 3\n  sizes:\n  - 1\n  - 2\nact: !!python/name:torch.nn.ReLU ''\nname: x\n"
    )
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "epoch=1-step=2.ckpt").write_bytes(b"weights")
    (folder / "metrics.csv").write_text("a\n1\n")
    store = tmp_path / "store"
    report = import_store(tmp_path / "lightning_logs", store)
    (run,) = read_store(store, cache=False).runs()
    assert run.file.name == "version_0"
    assert run.file.params == {"lr": 0.001, "model.layers": 3, "model.sizes": "[1, 2]", "name": "x"}
    assert [file.name for file in list_artifacts(run.folder)] == ["checkpoints/epoch=1-step=2.ckpt"]
    (problem,) = report.problems
    assert problem.path == "version_0/hparams.yaml"
    assert "'act'" in problem.message


def test_bad_lines_of_hyperparameters_cost_their_field_alone(tmp_path: Path) -> None:
    """A field that is no YAML is told with its line in the file; the others are params."""
    write_events(tmp_path, scalar("loss", 0.5, 1))
    text = "# of a run\n\nlr: 0.1\nbad: [1, 2\nnested:\n  a: 1\n   b: 2\nodd: @x\nlast: 1\n"
    (tmp_path / "hparams.yaml").write_text(text)
    store = TensorboardStore(tmp_path)
    (run,) = store.runs()
    assert run.params == {"lr": 0.1, "last": 1}
    told = [problem.message.partition(" cannot be read: ") for problem in store.problems]
    assert [place for place, _, _ in told] == ["'bad' in line 4", "'nested' in line 7", "'odd' in line 8"]
    assert not any("string" in reason or " line " in reason for _, _, reason in told)


def test_a_run_that_is_quiet_has_finished(tmp_path: Path, clock: Clock) -> None:
    """A run is running while its last event is young, and has finished at that event afterwards."""
    write_events(tmp_path / "a", scalar("loss", 0.5, 1))
    last = round((WALL + 1) * 1000)
    clock.now = last + 60_000
    assert foreign_runs(tmp_path)["a"].status == "RUNNING"
    clock.advance(60_000)
    run = foreign_runs(tmp_path)["a"]
    assert (run.status, run.end_time) == ("FINISHED", last)


def test_runs_that_grow_are_brought_up_to_date(tmp_path: Path) -> None:
    """More events in a file, and another file in the folder, change the run that was imported before."""
    path = write_events(tmp_path / "runs" / "a", scalar("loss", 0.5, 1))
    store = tmp_path / "store"
    import_store(tmp_path / "runs", store)
    path.write_bytes(path.read_bytes() + write_events(tmp_path / "x", scalar("loss", 0.25, 2)).read_bytes())
    write_events(tmp_path / "runs" / "a", scalar("loss", 0.125, 3), name="events.out.tfevents.1700000009.h")
    report = import_store(tmp_path / "runs", store)
    assert (report.runs_new, report.runs_updated, report.problems) == (0, 1, ())
    (run,) = read_store(store, cache=False).runs()
    assert read_history(run.folder).series["loss"].values == [0.5, 0.25, 0.125]


def test_runs_of_two_projects_do_not_meet(tmp_path: Path) -> None:
    """Folders of the same name in two projects are two runs of one store."""
    for project in ("one", "two"):
        name = f"events.out.tfevents.1700000000.{project}"
        write_events(tmp_path / project / "lightning_logs" / "version_0", scalar("loss", 0.5, 1), name=name)
        report = import_store(tmp_path / project / "lightning_logs", tmp_path / "store")
        assert (report.runs_new, report.problems) == (1, ())


def test_odd_events_are_read(tmp_path: Path) -> None:
    """Large and negative steps, no step, times that are none, and tags that are no text."""
    write_events(
        tmp_path / "a",
        *(scalar("loss", 1.0, step) for step in (0, 127, 128, 16_383, 16_384, 1 << 40, -1)),
        double(1, WALL) + blob(5, scalar("loss", 2.0, 1)[-len(blob(1, blob(1, b"loss") + b"\x150000")) :]),
        scalar("loss", 3.0, 5, wall=math.nan),
        scalar("loss", 3.0, 6, wall=math.inf),
        scalar("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), 4.0, 1),
    )
    run = foreign_runs(tmp_path)["a"]
    assert run.series["loss"].steps == [-1, 0, 0, 5, 6, 127, 128, 16_383, 16_384, 1 << 40]
    assert all(0 < time < 1 << 43 for time in run.series["loss"].times)


def image(tag: str, step: int, data: bytes) -> bytes:
    """An event with an image of the old form."""
    return double(1, WALL) + b"\x10" + varint(step) + blob(5, blob(1, blob(1, tag.encode()) + blob(4, blob(4, data))))


def test_tags_lead_nowhere(tmp_path: Path) -> None:
    """Whatever a tag is, its images are files within the run, each under a path of its own."""
    tags = [
        "../../../escape",
        "/etc/x",
        "a\\b",
        "CON",
        "a:b",
        "a_b",
        "A_B",
        "x" * 3_000,
        "",
        ".",
        "..",
        "~/x",
        "a\0b",
        "a//b",
        "%2e%2e/x",
    ]
    write_events(tmp_path / "runs" / "a", *(image(tag, 1, b"\x89PNG" + tag.encode()) for tag in tags))
    report = import_store(tmp_path / "runs", tmp_path / "store")
    assert report.problems == ()
    (run,) = read_store(tmp_path / "store", cache=False).runs()
    folder = run.folder / "artifacts" / "images"
    assert sorted(path.read_bytes() for path in folder.rglob("*.png")) == sorted(
        b"\x89PNG" + tag.encode() for tag in tags
    )
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "store"}


def test_types_of_images_are_seen(tmp_path: Path) -> None:
    """Each image has the ending of its type, whatever the tag is."""
    heads = {
        "png": b"\x89PNG\r\n",
        "jpeg": b"\xff\xd8\xff\xe0",
        "gif": b"GIF89a",
        "webp": b"RIFF0000WEBP",
        "bin": b"what",
    }
    write_events(tmp_path / "a", *(image(kind, 3, head) for kind, head in heads.items()))
    assert set(foreign_runs(tmp_path)["a"].files) == {f"images/{kind}/3-0.{kind}" for kind in heads}


def test_a_file_that_shrinks_meanwhile_costs_its_run(tmp_path: Path) -> None:
    """An image that is gone when it is to be copied leaves the run out, and the report says so."""
    path = write_events(tmp_path / "runs" / "a", image("x", 1, b"\x89PNG" * 100))
    write_events(tmp_path / "runs" / "b", scalar("loss", 0.5, 1))
    store = TensorboardStore(tmp_path / "runs")
    runs = list(store.runs())
    path.write_bytes(path.read_bytes()[:50])
    store.runs = lambda: iter(runs)  # type: ignore[method-assign]
    report = import_store(store, tmp_path / "store")
    assert report.runs_new == 1
    assert [problem.path for problem in report.problems] == ["a"]
    assert "shorter" in report.problems[0].message


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Links to event files and folders are named and left out."""
    write_events(tmp_path / "outside" / "b", scalar("loss", 0.5, 1))
    write_events(tmp_path / "runs" / "a", scalar("loss", 0.5, 1))
    (tmp_path / "runs" / "b").symlink_to(tmp_path / "outside" / "b")
    (tmp_path / "runs" / "a" / "events.out.tfevents.2.x").symlink_to(next((tmp_path / "outside" / "b").iterdir()))
    report = import_store(tmp_path / "runs", tmp_path / "store")
    assert report.runs_new == 1
    assert {problem.path for problem in report.problems} == {"b", "a/events.out.tfevents.2.x"}


def test_the_kind_is_seen(tmp_path: Path, by_tensorboard: tuple[Path, dict[str, Any]]) -> None:
    """Event files are known by their content; a file that only has such a name is none."""
    assert open_foreign(by_tensorboard[0]).kind == "TensorBoard event files"
    (tmp_path / "events.out.tfevents.1").write_text("no such thing")
    with pytest.raises(NotAStoreError, match="no store of a known kind"):
        open_foreign(tmp_path)


def test_its_site(by_tensorboard: tuple[Path, dict[str, Any]], tmp_path: Path, record_property: Record) -> None:
    """`tracker build` shows every run of TensorBoard's, and a second build writes nothing."""
    check_site(by_tensorboard[0], tmp_path, "TensorBoard and tensorboardX", record_property)


def test_tags_that_are_files_and_folders(tmp_path: Path) -> None:
    """Of a tag whose image lies where the folder of another tag would, the image is named and left out."""
    image = b"\x89PNG"
    values = [blob(1, blob(1, tag) + blob(4, blob(4, image))) for tag in (b"a", b"a/0-0.png")]
    write_events(tmp_path / "logs", scalar("loss", 1, 0), double(1, WALL) + blob(5, b"".join(values)))
    report = import_store(tmp_path / "logs", tmp_path / "runs")
    assert (report.runs_new, report.artifacts) == (1, 1)
    assert [(one.path, one.message) for one in report.problems] == [
        ("./artifacts/images/a/0-0.png", "has the path of another artifact, and is left out")
    ]
