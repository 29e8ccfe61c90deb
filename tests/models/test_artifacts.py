"""Artifacts by URI: found, listed, copied and loaded, and never from outside of where they belong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LinearRegression

import tracker
from tests.core.test_names import UNSAFE
from tracker import artifacts
from tracker.entities import FileInfo
from tracker.exceptions import (
    ChangedModelError,
    InvalidNameError,
    InvalidValueError,
    MissingPackageError,
    NotFoundError,
    StorageError,
    TrackerError,
)
from tracker.model_uri import find_model

MODEL = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


@pytest.fixture
def run_id(store: Path) -> str:
    """A run with texts, a dict, and a model that is registered as `line`."""
    with tracker.start_run() as run:
        tracker.log_text("one", "notes/one.txt")
        tracker.log_text("two", "notes/deep/two.txt")
        tracker.log_dict({"a": [1, 2]}, "config.json")
        tracker.sklearn.log_model(MODEL, name="model", registered_model_name="line")
    return str(run.info.run_id)


def names_below(folder: str | Path) -> list[str]:
    """Relative paths of the files of a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


# Download


def test_what_is_here_is_not_copied(run_id: str, store: Path) -> None:
    """Without dst_path the path in the store itself comes back, of a file, a folder, or all of it."""
    root = find_model(f"runs:/{run_id}/model").folder.parent
    assert artifacts.download_artifacts(f"runs:/{run_id}/notes/one.txt") == str(root / "notes" / "one.txt")
    assert artifacts.download_artifacts(artifact_uri=f"runs:/{run_id}/notes/") == str(root / "notes")
    assert artifacts.download_artifacts(run_id=run_id, artifact_path="notes") == str(root / "notes")
    assert artifacts.download_artifacts(run_id=run_id) == str(root)
    assert artifacts.download_artifacts(f"runs:/{run_id}") == str(root)
    assert artifacts.download_artifacts("models:/line/1") == str(root / "model")
    assert artifacts.download_artifacts("models:/line/latest/requirements.txt") == str(
        root / "model" / "requirements.txt"
    )
    assert artifacts.download_artifacts(str(root / "notes")) == str(root / "notes")
    assert artifacts.download_artifacts((root / "notes").as_uri()) == str(root / "notes")


def test_copies_lie_where_mlflow_puts_them(run_id: str, tmp_path: Path) -> None:
    """With dst_path a URI is copied under its last name, a path of a run as a whole, a model's files directly."""
    forms: dict[str, dict[str, Any]] = {
        "one.txt": {"artifact_uri": f"runs:/{run_id}/notes/one.txt"},
        "notes": {"artifact_uri": f"runs:/{run_id}/notes"},
        "notes/one.txt": {"run_id": run_id, "artifact_path": "notes/one.txt"},
        "": {"run_id": run_id},
        ".": {"artifact_uri": "models:/line/1"},
        "requirements.txt": {"artifact_uri": "models:/line/1/requirements.txt"},
    }
    for number, (below, arguments) in enumerate(forms.items()):
        target = tmp_path / "copies" / str(number)
        got = artifacts.download_artifacts(**arguments, dst_path=target)
        assert Path(got) == (target / below if below else target)
        assert Path(got).exists()
        assert names_below(target)
    assert names_below(tmp_path / "copies" / "1") == ["notes/deep/two.txt", "notes/one.txt"]
    assert "model/MLmodel" in names_below(tmp_path / "copies" / "3")
    assert "manifest.json" in names_below(tmp_path / "copies" / "4")
    tracker.sklearn.load_model(tmp_path / "copies" / "4").predict([[1.0]])


def test_a_copy_replaces_an_older_one(run_id: str, tmp_path: Path) -> None:
    """Downloading again brings the newest bytes, and leaves files of other names alone."""
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "one.txt").write_text("old")
    (tmp_path / "to" / "mine.txt").write_text("mine")
    artifacts.download_artifacts(f"runs:/{run_id}/notes/one.txt", dst_path=str(tmp_path / "to"))
    assert (tmp_path / "to" / "one.txt").read_text() == "one"
    assert (tmp_path / "to" / "mine.txt").read_text() == "mine"


def test_the_newest_model_of_a_name(run_id: str) -> None:
    """A model that was logged twice under one name is the newest, as when it is loaded."""
    info = tracker.sklearn.log_model(MODEL, name="model", run_id=run_id)
    assert info.artifact_path == "model-2"
    assert artifacts.download_artifacts(f"runs:/{run_id}/model").endswith("model-2")


def test_another_store(run_id: str, store: Path, tmp_path: Path) -> None:
    """tracking_uri= looks into another store than the chosen one."""
    tracker.set_tracking_uri(tmp_path / "other")
    with pytest.raises(NotFoundError):
        artifacts.download_artifacts(run_id=run_id)
    found = artifacts.download_artifacts(f"runs:/{run_id}/notes/one.txt", tracking_uri=str(store))
    assert Path(found).read_text() == "one"
    assert artifacts.download_artifacts("models:/line/1", tracking_uri=str(store)).endswith("model")
    assert artifacts.list_artifacts(run_id=run_id, artifact_path="notes/deep", tracking_uri=str(store))


def test_a_changed_model_is_not_downloaded(run_id: str, tmp_path: Path) -> None:
    """The files of a registered model are verified before they are handed out."""
    (find_model("models:/line/1").folder / "requirements.txt").write_text("evil\n")
    for arguments in ({"dst_path": tmp_path / "to"}, {}):
        with pytest.raises(ChangedModelError, match=r"requirements\.txt"):
            artifacts.download_artifacts("models:/line/1/MLmodel", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({}, InvalidValueError, "one of the two"),
        ({"artifact_uri": "x", "run_id": "y"}, InvalidValueError, "one of the two"),
        ({"artifact_uri": "x", "artifact_path": "y"}, InvalidValueError, "belongs to run_id"),
        ({"artifact_uri": "runs:/{run}/notes/oen.txt"}, NotFoundError, 'Did you mean "notes/one.txt"'),
        ({"run_id": "{run}", "artifact_path": "nots"}, NotFoundError, "no artifact 'nots'"),
        ({"run_id": "0" * 32}, NotFoundError, "There is no run"),
        ({"artifact_uri": "models:/lien/1"}, NotFoundError, "line"),
        ({"artifact_uri": "models:/line/1/MLmodle"}, NotFoundError, "MLmodel"),
        ({"artifact_uri": "nowhere"}, NotFoundError, "nothing at"),
        ({"artifact_uri": "s3://bucket/x"}, InvalidValueError, "server"),
        ({"run_id": "{run}", "artifact_path": "../run.json"}, InvalidNameError, r"\.\."),
        ({"run_id": "{run}", "artifact_path": "notes/../../run.json"}, InvalidNameError, r"\.\."),
        ({"artifact_uri": "runs:/{run}/../run.json"}, InvalidNameError, r"\.\."),
        ({"artifact_uri": "models:/line/1/../../../run.json"}, TrackerError, "run.json"),
        ({"run_id": "{run}", "artifact_path": "/etc/passwd"}, InvalidNameError, "/etc/passwd"),
        ({"run_id": "../{run}"}, InvalidNameError, "run"),
    ],
)
def test_what_is_not_there_or_leads_out_is_told(
    run_id: str, arguments: dict[str, str], kind: type[Exception], message: str, tmp_path: Path
) -> None:
    """Wrong arguments, names that are not there, and paths out of the artifacts are errors of their own kinds."""
    given = {name: text.format(run=run_id) for name, text in arguments.items()}
    with pytest.raises(kind, match=message):
        artifacts.download_artifacts(**given, dst_path=tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("path", sorted(set(UNSAFE) - {"", "a/"}))  # all of it, and a folder
def test_no_form_of_a_path_leads_out(run_id: str, path: str) -> None:
    """No spelling of a way out is read, listed or written to, by any call that takes a path of artifacts."""
    calls: list[Callable[[], Any]] = [
        lambda: artifacts.download_artifacts(run_id=run_id, artifact_path=path),
        lambda: artifacts.download_artifacts(f"runs:/{run_id}/x/{path}"),
        lambda: artifacts.list_artifacts(run_id=run_id, artifact_path=path),
        lambda: artifacts.load_text(f"runs:/{run_id}/x/{path}"),
        lambda: tracker.sklearn.load_model(f"runs:/{run_id}/x/{path}"),
        lambda: tracker.sklearn.log_model(MODEL, name=path, run_id=run_id),
    ]
    for call in calls:
        with pytest.raises(TrackerError):
            call()


@needs_links
def test_links_are_not_followed(run_id: str, tmp_path: Path) -> None:
    """A link among the artifacts is neither handed out, listed nor copied, and no folder behind one is."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_text("secret")
    root = Path(artifacts.download_artifacts(run_id=run_id))
    (root / "notes" / "file").symlink_to(tmp_path / "secret" / "key.txt")
    (root / "notes" / "folder").symlink_to(tmp_path / "secret")
    for path in ("notes/file", "notes/folder", "notes/folder/key.txt"):
        for target in (None, tmp_path / "to"):
            with pytest.raises(NotFoundError, match="links are not followed"):
                artifacts.download_artifacts(run_id=run_id, artifact_path=path, dst_path=target)
        with pytest.raises(NotFoundError):
            artifacts.load_text(f"runs:/{run_id}/{path}")
    copied = artifacts.download_artifacts(f"runs:/{run_id}/notes", dst_path=tmp_path / "copy")
    assert names_below(copied) == ["deep/two.txt", "one.txt"]
    listed = artifacts.list_artifacts(f"runs:/{run_id}/notes")
    assert [file.path for file in listed] == ["notes/deep", "notes/one.txt"]


# List


def test_a_folder_is_listed_by_name(run_id: str) -> None:
    """Files have sizes, folders none; paths are relative to the artifacts of the run, or to the model."""
    assert artifacts.list_artifacts(run_id=run_id) == [
        FileInfo("config.json", False, len('{\n  "a": [\n    1,\n    2\n  ]\n}')),
        FileInfo("model", True, None),
        FileInfo("notes", True, None),
    ]
    notes = [FileInfo("notes/deep", True, None), FileInfo("notes/one.txt", False, 3)]
    assert artifacts.list_artifacts(f"runs:/{run_id}/notes") == notes
    assert artifacts.list_artifacts(run_id=run_id, artifact_path="notes") == notes
    model = [file.path for file in artifacts.list_artifacts("models:/line/1")]
    assert model == sorted(model)
    assert {"MLmodel", "model.pkl", "manifest.json"} <= set(model)


def test_nothing_is_listed_for_a_file_or_where_nothing_is(run_id: str) -> None:
    """A file has nothing below it, and a path that is not there is empty, as in MLflow; an unknown run is an error."""
    assert artifacts.list_artifacts(f"runs:/{run_id}/config.json") == []
    assert artifacts.list_artifacts(f"runs:/{run_id}/nowhere") == []
    with tracker.start_run() as run:
        pass
    assert artifacts.list_artifacts(run_id=run.info.run_id) == []
    with pytest.raises(NotFoundError):
        artifacts.list_artifacts(run_id="0" * 32)
    with pytest.raises(NotFoundError):
        artifacts.list_artifacts("models:/nothing/1")


# Load


def test_texts_and_dicts_are_loaded(run_id: str) -> None:
    """By URI, and by the path that get_artifact_uri() gives."""
    assert artifacts.load_text(f"runs:/{run_id}/notes/one.txt") == "one"
    assert artifacts.load_dict(f"runs:/{run_id}/config.json") == {"a": [1, 2]}
    with tracker.start_run():
        tracker.log_text("größer", "text.txt")
        assert artifacts.load_text(tracker.get_artifact_uri("text.txt")) == "größer"


def test_what_is_no_text_or_dict_is_told(run_id: str) -> None:
    """Bytes that are no UTF-8 and text that is no JSON name the artifact; a folder is none of them."""
    root = Path(artifacts.download_artifacts(run_id=run_id))
    (root / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidValueError, match="no UTF-8"):
        artifacts.load_text(f"runs:/{run_id}/bytes.txt")
    with pytest.raises(InvalidValueError, match="no JSON"):
        artifacts.load_dict(f"runs:/{run_id}/notes/one.txt")
    with pytest.raises(StorageError, match="notes"):
        artifacts.load_text(f"runs:/{run_id}/notes")


def test_an_image_is_loaded(run_id: str) -> None:
    """With Pillow an image comes back whole; without it the command that installs it is told."""
    root = Path(artifacts.download_artifacts(run_id=run_id))
    try:
        from PIL import Image
    except ImportError:
        with pytest.raises(MissingPackageError, match='pip install "pillow"'):
            artifacts.load_image(f"runs:/{run_id}/config.json")
        return
    Image.new("RGB", (3, 2), "red").save(root / "red.png")
    image = artifacts.load_image(f"runs:/{run_id}/red.png")
    assert (image.size, image.getpixel((0, 0))) == ((3, 2), (255, 0, 0))
    with pytest.raises(InvalidValueError, match="no image"):
        artifacts.load_image(f"runs:/{run_id}/config.json")
