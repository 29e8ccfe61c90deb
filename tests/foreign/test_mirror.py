"""The store that a site is built of is the same whether it was brought up to date or made from nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tracker.foreign import mirror
from tracker.foreign.opening import opened
from tracker.foreign.records import ForeignStore
from tracker.foreign.traces import traces_of
from tracker.foreign.wandb_runs import WandbStore
from tracker.registry.claims import NAME

from .hand import START, Mlruns, run_id, small
from .wire import WALL, blob, double, scalar, varint, write_events


@pytest.fixture
def made(tmp_path: Path) -> Mlruns:
    """A small sound folder of MLflow's files."""
    return small(tmp_path / "mlruns")


def brought(source: Path, cache: Path, patch: pytest.MonkeyPatch) -> tuple[dict[str, bytes], list[str]]:
    """The files of the store and the messages of problems; the state is no part of what is shown."""
    patch.setenv("TRACKER_CACHE", str(cache))
    patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    with opened([source]) as found:
        paths = (path for path in found.root.rglob("*") if path.is_file() and path.name not in ("mirror.json", NAME))
        files = {path.relative_to(found.root).as_posix(): path.read_bytes() for path in paths}
        return files, [problem.message for problem in found.problems]


def check_same(source: Path, tmp_path: Path, patch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Bring the store up to date, and compare it with one that is made from nothing."""
    found = brought(source, tmp_path / "cache", patch)
    assert found == brought(source, tmp_path / "cold", patch)
    shutil.rmtree(tmp_path / "cold")
    return found[0]


def test_a_model_outlives_its_run(made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a run is deleted whose model is registered, the version gets a copy; restored, it is in the run again."""
    first = check_same(made.root, tmp_path, monkeypatch)
    made.meta(f"0/{run_id(0)}", lifecycle_stage="deleted", status=3, start_time=START)
    copied = check_same(made.root, tmp_path, monkeypatch)
    assert any(path.startswith("registry/price/models/") for path in copied)
    made.meta(f"0/{run_id(0)}", lifecycle_stage="active", status=3, start_time=START)
    assert not any(path.startswith("registry/price/models/") for path in check_same(made.root, tmp_path, monkeypatch))
    assert any(path.startswith("registry/price/") for path in first)


def test_names_that_look_alike(made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Experiments and models whose folders would have one name get them in order, whichever were there before."""

    def experiment(key: str, name: str) -> None:
        made.experiment(key, name)
        made.run(key, run_id(int(key)), f"run of {name}")

    def model(name: str) -> None:
        made.version(name, 1, run_id=run_id(0), source=f"runs:/{run_id(0)}/model")

    for change in (
        lambda: experiment("7", "'audio!'"),
        lambda: (experiment("5", "'Audio?'"), model("B.b")),
        lambda: (experiment("6", "audio"), model("B-b")),
        lambda: (shutil.rmtree(made.root / "5"), shutil.rmtree(made.root / "models/B-b")),
        lambda: (experiment("5", "audio#"), model("B_b")),
        lambda: (shutil.rmtree(made.root / "6"), model("B-b")),
        lambda: (experiment("9", "'Audio?'"), shutil.rmtree(made.root / "models/B.b")),
    ):
        change()
        check_same(made.root, tmp_path, monkeypatch)


def image(data: bytes) -> bytes:
    """An event with an image."""
    return double(1, WALL) + b"\x10" + varint(0) + blob(5, blob(1, blob(1, b"a") + blob(4, blob(4, data))))


def test_what_stands_in_event_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that changes within an event file changes in the store, though it is as large as before."""
    for data in (b"\x89PNG one", b"\x89PNG two"):
        write_events(tmp_path / "logs", scalar("loss", 1, 0), image(data))
        found = check_same(tmp_path / "logs", tmp_path, monkeypatch)
        assert [content for path, content in found.items() if path.endswith(".png")] == [data]


def test_depth(made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders within folders a thousand levels deep end no build, and a change at the bottom is seen."""
    here, depth = Path.cwd(), 1_200
    os.chdir(made.root)
    try:
        for _ in range(depth):
            Path("d").mkdir()
            os.chdir("d")
        before = traces_of([made.root])
        Path("new").touch()
        assert traces_of([made.root]) not in ("", before)
        assert brought(made.root, tmp_path / "cache", monkeypatch)[0]
        Path("new").unlink()
    finally:
        for _ in range(depth):  # what shutil cannot remove
            os.chdir("..")
            Path("d").rmdir()
        os.chdir(here)


def test_names_that_are_no_text(made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose name is in no known encoding is a problem, and no end of the build."""
    place = os.fsencode(made.root / "0" / run_id(0))
    for name in (b"artifacts/\xff.txt", b"params/\xff"):
        Path(os.fsdecode(place + b"/" + name)).write_text("x")
    told = brought(made.root, tmp_path / "cache", monkeypatch)[1]
    assert sorted(message.split(",")[0] for message in told) == [
        "An artifact path holds half of a surrogate pair",
        "has 1 names that are no text",
    ]


def test_problems_name_no_machine(made: Mlruns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reasons name files by their place in the source or store, not by where these lie on this machine."""
    made.write(f"0/{run_id(0)}/artifacts/model/manifest.json", "{")
    made.version("price", 2, run_id=run_id(9), source="/home/eve/mlruns/0/x/artifacts/model")
    made.version("price", 3, run_id=run_id(9), source="sftp://eve:secret@host/home/eve/model")
    found, told = brought(made.root, tmp_path / "cache", monkeypatch)
    assert len(told) == 3
    assert not [one for one in (*told, *map(str, found.values())) if str(tmp_path) in one or "eve" in one]
    assert b"source: sftp://***@host/~/model" in found["registry/price/versions/3.yaml"]


def test_labels_name_no_person() -> None:
    """Two sources of one name are told apart by their folders, of which a home folder is none."""
    places = [Path("/home/eve/wandb"), Path("/data/wandb"), Path("/data/runs")]
    sources: list[ForeignStore] = [WandbStore(place) for place in places]
    for source, place in zip(sources, places, strict=True):
        source.source = place  # type: ignore[misc]
    assert mirror.labels(sources) == ["~/wandb", "data/wandb", "runs"]
