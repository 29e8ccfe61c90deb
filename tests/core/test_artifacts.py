"""Files that belong to a run: whole, below its artifacts, and nowhere else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

import tracker
from tracker.exceptions import InvalidNameError, InvalidValueError, NotFoundError, StorageError

from .test_names import UNSAFE


@pytest.fixture
def run(store: Path) -> tracker.ActiveRun:
    """A run to log to."""
    return tracker.start_run()


def kept(run: tracker.ActiveRun) -> dict[str, bytes]:
    """The artifacts of a run by path."""
    root = run.artifact_folder
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_file_is_copied(run: tracker.ActiveRun, tmp_path: Path) -> None:
    """Under its own name, below artifact_path if that is given; the copy does not follow later changes."""
    source = tmp_path / "plot.bin"
    source.write_bytes(bytes(range(256)) * 5000)
    tracker.log_artifact(source)
    tracker.log_artifact(str(source), "plots/final")
    content = source.read_bytes()
    source.write_bytes(b"changed")
    assert kept(run) == {"plot.bin": content, "plots/final/plot.bin": content}
    tracker.log_artifact(source)
    assert kept(run)["plot.bin"] == b"changed"


def test_a_folder_is_copied_with_all_in_it(run: tracker.ActiveRun, tmp_path: Path) -> None:
    """log_artifacts() copies what is in the folder, log_artifact() the folder itself."""
    folder = tmp_path / "out"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "top.txt").write_text("1")
    (folder / "a" / "b" / "deep.txt").write_text("2")
    tracker.log_artifacts(folder)
    tracker.log_artifacts(folder, "copy")
    tracker.log_artifact(folder, "whole")
    expected = {"top.txt": b"1", "a/b/deep.txt": b"2"}
    prefixed = {f"{prefix}{path}": data for prefix in ("", "copy/", "whole/out/") for path, data in expected.items()}
    assert kept(run) == prefixed


def test_text_and_dicts_become_files(run: tracker.ActiveRun) -> None:
    """A dict is YAML where the name ends so, else JSON; what JSON does not know becomes text."""
    value = {"lr": 0.1, "tags": ["a", "ü"], "path": Path("x")}
    tracker.log_text("größe\n", "notes/read.me")
    tracker.log_dict(value, "config.json")
    tracker.log_dict(value, "config.yml")
    tracker.log_dict([1, 2], "list.json")
    found = kept(run)
    assert found["notes/read.me"] == "größe\n".encode()
    expected = {"lr": 0.1, "tags": ["a", "ü"], "path": "x"}
    assert json.loads(found["config.json"]) == yaml.safe_load(found["config.yml"]) == expected
    assert json.loads(found["list.json"]) == [1, 2]


def test_a_dict_that_cannot_be_written(run: tracker.ActiveRun) -> None:
    """One that holds itself, or keys that are no text, raises an error that names the file."""
    endless: dict[str, object] = {}
    endless["again"] = endless
    for bad in (endless, {(1, 2): 3}):
        with pytest.raises(InvalidValueError, match=r"'bad\.json'"):
            tracker.log_dict(bad, "bad.json")  # type: ignore[arg-type]
    assert kept(run) == {}


def test_an_artifact_that_is_not_there(run: tracker.ActiveRun, tmp_path: Path) -> None:
    """The error names the path and the folder that it is relative to."""
    with pytest.raises(NotFoundError, match=rf"no file nowhere\.txt.*relative to {Path.cwd()}"):
        tracker.log_artifact("nowhere.txt")
    with pytest.raises(NotFoundError, match="no folder nowhere"):
        tracker.log_artifacts("nowhere")
    with pytest.raises(NotFoundError, match="no folder"):
        tracker.log_artifacts(__file__)
    assert kept(run) == {}


@pytest.mark.parametrize("path", UNSAFE)
def test_an_unsafe_path_is_refused_by_every_call(run: tracker.ActiveRun, tmp_path: Path, path: str) -> None:
    """Nothing is written, neither in the run nor beside it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file.txt").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    calls = [lambda: tracker.log_text("x", path), lambda: tracker.log_dict({}, path)]
    if path:
        calls += [
            lambda: tracker.log_artifact(tmp_path / "in" / "file.txt", path),
            lambda: tracker.log_artifacts(tmp_path / "in", path),
            lambda: tracker.get_artifact_uri(path),
        ]
    for call in calls:
        with pytest.raises(InvalidNameError):
            call()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
def test_no_artifact_is_written_through_a_link(run: tracker.ActiveRun, tmp_path: Path) -> None:
    """Neither below a folder that is a link, nor when artifacts/ itself is one; a link to a file is replaced."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "target.txt").write_text("theirs")
    tracker.log_text("x", "real/a.txt")
    (run.artifact_folder / "link").symlink_to(outside)
    for path in ("link/a.txt", "link/new/a.txt"):
        with pytest.raises(InvalidNameError, match="'link', which is a file or a link"):
            tracker.log_text("x", path)
    (run.artifact_folder / "file.txt").symlink_to(outside / "target.txt")
    tracker.log_text("mine", "file.txt")
    assert (outside / "target.txt").read_text() == "theirs"
    assert (run.artifact_folder / "file.txt").read_text() == "mine"
    run.artifact_folder.rename(tmp_path / "moved")
    run.artifact_folder.symlink_to(outside)
    with pytest.raises(InvalidNameError, match="'artifacts'"):
        tracker.log_text("x", "a.txt")
    assert sorted(path.name for path in outside.iterdir()) == ["target.txt"]


def test_files_and_folders_do_not_take_each_others_place(run: tracker.ActiveRun) -> None:
    """A file where a folder is, or below a file, is refused by name."""
    tracker.log_text("x", "a/b.txt")
    with pytest.raises(InvalidNameError, match="is a folder of artifacts"):
        tracker.log_text("x", "a")
    with pytest.raises(InvalidNameError, match=r"leads through 'b\.txt'"):
        tracker.log_text("x", "a/b.txt/c")
    assert kept(run) == {"a/b.txt": b"x"}


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
def test_links_in_a_folder_are_followed_to_files_only(run: tracker.ActiveRun, tmp_path: Path) -> None:
    """A link to a file is copied as a file; a link to a folder is left out, so that nothing goes in circles."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "real.txt").write_text("1")
    (folder / "link.txt").symlink_to("real.txt")
    (folder / "circle").symlink_to(folder)
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    tracker.log_artifacts(folder)
    assert kept(run) == {"real.txt": b"1", "link.txt": b"1"}
    assert not any(path.is_symlink() for path in run.artifact_folder.rglob("*"))


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
def test_a_pipe_is_no_artifact(run: tracker.ActiveRun, tmp_path: Path) -> None:
    """It is refused at once instead of being waited for."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotFoundError, match="no file"):
        tracker.log_artifact(tmp_path / "pipe")


def test_a_lone_surrogate_is_no_text(run: tracker.ActiveRun) -> None:
    """What has no UTF-8 is refused before a file is made."""
    with pytest.raises(InvalidValueError):
        tracker.log_text("\ud800", "a.txt")
    assert kept(run) == {}


def test_the_place_of_artifacts_is_a_path(run: tracker.ActiveRun) -> None:
    """get_artifact_uri() gives the folder, or the path of one artifact in it."""
    tracker.log_text("x", "a/b.txt")
    assert Path(tracker.get_artifact_uri()) == run.artifact_folder
    assert Path(tracker.get_artifact_uri("a/b.txt")).read_text() == "x"
    assert StorageError.error_code == "IO_ERROR"
