"""Where a model URI leads, whose files are opened, and which models may run code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB

import tracker
from tracker import layout, opening
from tracker.exceptions import (
    ChangedModelError,
    InvalidNameError,
    InvalidValueError,
    ModelError,
    NotFoundError,
    TrackerError,
    UntrustedModelError,
)
from tracker.model_uri import find_model, parse_registry_uri
from tracker.models import digests
from tracker.opening import open_model
from tracker.registry import Registry
from tracker.schema import Manifest, ManifestEntry

X, Y = np.arange(6.0).reshape(3, 2), np.arange(3)
MODEL = LinearRegression().fit(X, Y)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
Log = Callable[..., Any]


@pytest.fixture
def run_id(store: Path) -> str:
    """A run with a model, registered as `iris` twice: a regression and a naive Bayes."""
    with tracker.start_run() as run:
        tracker.sklearn.log_model(MODEL, name="model", registered_model_name="iris")
        tracker.sklearn.log_model(GaussianNB().fit(X, Y), name="other/bayes", registered_model_name="iris")
    return str(run.info.run_id)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a model outside of the store in a format, of which this process does not know that it saved it."""

    def make(word: str) -> Path:
        folder = tmp_path / "outside" / word
        tracker.sklearn.save_model(MODEL, folder, serialization_format=word)
        monkeypatch.setattr(opening, "_saved_here", set())
        return folder

    return make


# URIs


def test_every_form_of_uri_leads_to_the_model(run_id: str, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By run, by path, by file URI, by number, by latest, by stage and by alias, in any case of letters."""
    registry = Registry(store)
    registry.set_stage("iris", 1, "Production", by="me")
    registry.set_alias("iris", "champion", 2, by="me")
    folder = store / find_model(f"runs:/{run_id}/model").folder.relative_to(store)
    monkeypatch.chdir(folder.parent)
    first = [
        f"runs:/{run_id}/model",
        f"runs:/{run_id}/model/",
        "models:/iris/1",
        "models:/iris/Production",
        "models:/iris/production",
        str(folder),
        folder,
        folder.as_uri(),
        "model",
        "./model",
    ]
    second = ["models:/iris/2", "models:/iris/latest", "models:/iris/Latest", "models:/iris@champion"]
    second += [f"runs:/{run_id}/other/bayes", "models:/iris/None"]
    assert {type(tracker.sklearn.load_model(uri)) for uri in first} == {LinearRegression}
    assert {type(tracker.sklearn.load_model(uri)) for uri in second} == {GaussianNB}


@pytest.mark.parametrize(
    ("uri", "kind", "message"),
    [
        ("models:/irsi/1", NotFoundError, "iris"),
        ("models:/iris/3", NotFoundError, "iris"),
        ("models:/iris/0", TrackerError, "iris"),
        ("models:/iris/Prodction", NotFoundError, "Production"),
        ("models:/iris/Archived", NotFoundError, "Archived"),
        ("models:/iris@champion", NotFoundError, "champion"),
        ("models:/iris", InvalidValueError, "no URI of a registered model"),
        ("models:/", InvalidValueError, "no URI of a registered model"),
        ("models:/m-0123456789abcdef0123456789abcdef", InvalidValueError, "Use runs:/"),
        ("models:/0123456789abcdef0123456789abcdef", InvalidValueError, "Use runs:/"),
        ("models:iris/1", InvalidValueError, "Write models:/iris/1"),
        ("runs:{run}/model", InvalidValueError, "lacks the slash"),
        ("runs:/{run}/modle", NotFoundError, 'Did you mean "model"'),
        ("runs:/{run}/other", NotFoundError, "other/bayes"),
        ("runs:/{run}", InvalidValueError, "names no model"),
        ("runs:/{run}/", InvalidValueError, "names no model"),
        ("runs:/00000000000000000000000000000000/model", NotFoundError, "There is no run"),
        ("runs:/x/model", InvalidNameError, "x"),
        ("runs:/{run}/../../model", InvalidNameError, r"\.\."),
        ("runs:/{run}/model/../../..", InvalidNameError, r"\.\."),
        ("nowhere", NotFoundError, "There is no model at"),
        ("s3://bucket/model", InvalidValueError, "Fetch it"),
        ("dbfs:/model", TrackerError, "dbfs"),
        ("", InvalidValueError, "no folder"),
        ("\0", InvalidValueError, "no folder"),
    ],
)
def test_a_uri_that_leads_nowhere_says_so(run_id: str, uri: str, kind: type[Exception], message: str) -> None:
    """Each wrong URI is an error of its own kind, with the nearest name or the right form."""
    for load in (tracker.sklearn.load_model, tracker.pyfunc.load_model):
        with pytest.raises(kind, match=message):
            load(uri.format(run=run_id))


def test_the_parts_of_a_registry_uri() -> None:
    """A name may hold dots and spaces; the version, stage or alias comes last."""
    assert parse_registry_uri("models:/my model.v2/3").selector == "3"
    assert parse_registry_uri("models:/my model.v2/3").name == "my model.v2"
    assert parse_registry_uri("models:/a@b").alias == "b"
    assert parse_registry_uri("models:///a/1").name == "a"


def test_a_file_and_an_empty_folder_are_no_models(tmp_path: Path) -> None:
    """A path must lead to a folder with an MLmodel file."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match="is a file"):
        open_model(tmp_path / "file")
    with pytest.raises(ModelError, match="no MLmodel"):
        open_model(tmp_path / "folder")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_no_link_leads_out_of_the_store(run_id: str, store: Path, outside: Callable[[str], Path]) -> None:
    """A link among the artifacts that leads elsewhere is refused, and does not make what lies there trusted."""
    folder = outside("pickle")
    artifacts = find_model(f"runs:/{run_id}/model").folder.parent
    (artifacts / "linked").symlink_to(folder)
    (artifacts / "way").symlink_to(folder.parent)
    for path in ("linked", "way/pickle"):
        with pytest.raises(ModelError, match="leads by a link out of the store"):
            open_model(f"runs:/{run_id}/{path}")
    with pytest.raises(UntrustedModelError):
        tracker.sklearn.load_model(artifacts / "linked")


def test_the_files_of_a_version_may_be_gone(run_id: str, store: Path) -> None:
    """A registered version whose run was removed by hand says so."""
    shutil.rmtree(find_model("models:/iris/1").folder)
    with pytest.raises(NotFoundError, match="are gone"):
        tracker.sklearn.load_model("models:/iris/1")


def test_a_model_from_outside_is_copied_when_it_is_registered(store: Path, outside: Callable[[str], Path]) -> None:
    """register_model copies a model into the store, verified; one that can run code needs trust once."""
    from tracker.registering import register_model

    folder = outside("cloudpickle")
    with pytest.raises(UntrustedModelError):
        register_model(folder, "mine")
    assert not store.exists() or list(store.rglob("MLmodel")) == []
    version = register_model(folder, "mine", trust=True)
    shutil.rmtree(folder)
    loaded = open_model(f"models:/mine/{version.version}")
    assert loaded.trusted
    assert loaded.folder.is_relative_to(store)
    assert np.allclose(tracker.sklearn.load_model("models:/mine/1").predict(X), MODEL.predict(X))
    safe = register_model(outside("skops"), "mine")
    assert safe.version == "2"


# Trust


@pytest.mark.parametrize("word", ["cloudpickle", "pickle"])
def test_a_pickle_from_outside_is_refused(outside: Callable[[str], Path], word: str) -> None:
    """The refusal says what the file would import, how to look at it, and how to vouch for it."""
    folder = outside(word)
    for load in (tracker.sklearn.load_model, tracker.pyfunc.load_model):
        with pytest.raises(UntrustedModelError) as caught:
            load(folder)
        text = str(caught.value)
        assert "sklearn.linear_model._base.LinearRegression" in text
        assert digests.folder_digest(folder) in text
        assert "tracker models inspect" in text
        assert caught.value.error_code == "PERMISSION_DENIED"


@pytest.mark.parametrize("word", ["cloudpickle", "pickle", "skops"])
def test_somebody_may_vouch_for_it(outside: Callable[[str], Path], word: str) -> None:
    """trust=True loads it, and so does the right digest; a wrong one refuses even a safe format."""
    folder = outside(word)
    digest = digests.folder_digest(folder)
    for load in (tracker.sklearn.load_model, tracker.pyfunc.load_model):
        for trust in (True, digest):
            assert np.allclose(load(folder, trust=trust).predict(X), MODEL.predict(X))
        with pytest.raises(ChangedModelError, match="and you trust"):
            load(folder, trust="sha256:" + "0" * 64)
        for slip in (digest[:-1], "yes", "", digest.upper(), 1, None):
            with pytest.raises(InvalidValueError, match="trust is True or sha256:<64 hex digits>"):
                load(folder, trust=slip)


def test_a_safe_format_needs_no_trust(outside: Callable[[str], Path]) -> None:
    """skops loads from anywhere."""
    folder = outside("skops")
    assert np.allclose(tracker.pyfunc.load_model(folder).predict(X), MODEL.predict(X))


def test_a_safe_format_with_code_needs_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python files that come with a skops file are code like any other: nothing of them is imported without trust."""
    (tmp_path / "helper.py").write_text("raise SystemExit('this ran')")
    folder = tmp_path / "model"
    tracker.sklearn.save_model(MODEL, folder, serialization_format="skops", code_paths=[str(tmp_path / "helper.py")])
    monkeypatch.setattr(opening, "_saved_here", set())
    before = sys.path[:]
    for load in (tracker.sklearn.load_model, tracker.pyfunc.load_model):
        with pytest.raises(UntrustedModelError, match="brings Python files"):
            load(folder)
    assert sys.path == before


def test_what_this_process_saved_is_trusted(tmp_path: Path) -> None:
    """A model that was saved a moment ago loads; once a byte of it is another one, it does not."""
    folder = tmp_path / "model"
    tracker.sklearn.save_model(MODEL, folder)
    assert tracker.sklearn.load_model(folder).predict(X).shape == (3,)
    (folder / "model.pkl").write_bytes((folder / "model.pkl").read_bytes() + b" ")
    digests.write_manifest(folder)
    with pytest.raises(UntrustedModelError):
        tracker.sklearn.load_model(folder)


def test_another_process_does_not_trust_it(tmp_path: Path) -> None:
    """Trust in what was saved ends with the process; inside the store it stays."""
    tracker.set_tracking_uri(tmp_path / "store")
    tracker.sklearn.save_model(MODEL, tmp_path / "model")
    info = tracker.sklearn.log_model(MODEL, name="model")
    script = (
        "import sys, tracker, tracker.sklearn\n"
        f"tracker.set_tracking_uri({str(tmp_path / 'store')!r})\n"
        f"tracker.sklearn.load_model({info.model_uri!r})\n"
        "try:\n"
        f"    tracker.sklearn.load_model({str(tmp_path / 'model')!r})\n"
        "except tracker.TrackerError as error:\n"
        "    print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["UntrustedModelError"], done.stderr


def test_another_store_is_outside(store: Path, tmp_path: Path) -> None:
    """Only the store that was chosen is trusted: a model in another one is not."""
    info = tracker.sklearn.log_model(MODEL, name="model")
    folder = find_model(info.model_uri).folder
    tracker.end_run()
    opening._saved_here.clear()
    assert open_model(folder).trusted
    tracker.set_tracking_uri(tmp_path / "other")
    assert not open_model(folder).trusted


def test_a_folder_above_a_store_is_not_trusted(tmp_path: Path, outside: Callable[[str], Path]) -> None:
    """A store that does not exist yet makes nothing trusted, wherever it was going to be."""
    folder = outside("pickle")
    tracker.set_tracking_uri(tmp_path)
    assert not open_model(folder).trusted


# Digests


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """A folder with these files."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_the_digest_is_what_the_documentation_says(tmp_path: Path) -> None:
    """SHA-256 over a line for each file, sorted by path; hidden files, caches and the manifest do not count."""
    import hashlib

    folder = write(tmp_path, {"b/x": b"", "a": b"A", ".hidden": b"h", "__pycache__/a.pyc": b"c"})
    manifest = digests.write_manifest(folder)
    lines = f"{hashlib.sha256(b'A').hexdigest()} 1 a\n{EMPTY} 0 b/x\n"
    assert manifest.digest == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
    assert list(manifest.files) == ["a", "b/x"]
    assert digests.read_manifest(folder) == manifest
    assert digests.folder_digest(folder) == manifest.digest
    digests.verify(folder, manifest)


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "a//b", "..", "", "a\\..\\b", "C:/x", "a\0", "./a", ".new-x"]
)
def test_a_manifest_whose_paths_lead_out_is_refused(tmp_path: Path, path: str) -> None:
    """Paths of a manifest stay in the folder of the model, whatever its digest says."""
    files = {path: ManifestEntry(EMPTY, 0)}
    manifest = Manifest(1, digests.digest_of(files), files)
    (tmp_path / layout.MANIFEST_FILE).write_bytes(msgspec.json.encode(manifest))
    (tmp_path / "MLmodel").write_text("flavors: {}")
    with pytest.raises(ModelError, match="The model is not opened"):
        open_model(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"schema": 1, "digest": "", "files": {}}', "[" * 5000, '{"schema": 99', b"\xff\xfe"],
)
def test_a_damaged_manifest_is_told(tmp_path: Path, text: str | bytes) -> None:
    """A manifest that is no manifest is an error that names the file, never one of Python's."""
    (tmp_path / layout.MANIFEST_FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "MLmodel").write_text("flavors: {}")
    with pytest.raises(ModelError, match=r"manifest\.json"):
        open_model(tmp_path)


def test_a_newer_manifest_is_told(tmp_path: Path) -> None:
    """A manifest of a schema to come says that tracker is too old."""
    files: dict[str, ManifestEntry] = {}
    (tmp_path / layout.MANIFEST_FILE).write_bytes(msgspec.json.encode(Manifest(99, digests.digest_of(files), files)))
    (tmp_path / "MLmodel").write_text("flavors: {}")
    with pytest.raises(ModelError, match="Install a newer tracker"):
        open_model(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_model_with_links_is_refused(tmp_path: Path) -> None:
    """A folder without a manifest, as MLflow makes it, is hashed when it is opened; a link in it is refused."""
    folder = write(tmp_path / "m", {"MLmodel": b"flavors: {}", "data/x": b"x"})
    assert set(open_model(folder).manifest.files) == {"MLmodel", "data/x"}
    (folder / "data" / "link").symlink_to("/etc/hostname")
    with pytest.raises(ModelError, match="is a link"):
        open_model(folder)
    (folder / "data" / "link").unlink()
    (folder / "linked").symlink_to("/etc")
    with pytest.raises(ModelError, match="is a link"):
        open_model(folder)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['true']",
        "flavors: !!python/name:os.system",
        "flavors: [1, 2]",
        "flavors: {sklearn: 3}",
        "a: &a [x]\nflavors: {b: {c: *a}}",
        "- 1",
        "",
        "flavors: {a: {}}\n\tb",
        "flavors: " + "{a: " * 200 + "1" + "}" * 200,
    ],
)
def test_a_hostile_mlmodel_file_runs_nothing(tmp_path: Path, text: str) -> None:
    """Tags, aliases, depth and wrong types in an MLmodel file are an error of ours, and nothing is made of them."""
    folder = write(tmp_path / "m", {"MLmodel": text.encode()})
    for load in (tracker.sklearn.load_model, tracker.pyfunc.load_model):
        with pytest.raises(ModelError):
            load(folder, trust=True)


@pytest.mark.parametrize("path", ["../model.pkl", "/etc/hostname", "nowhere.pkl", "..", "MLmodel/x", ""])
def test_a_flavor_cannot_name_files_outside(tmp_path: Path, path: str) -> None:
    """What an MLmodel file names must be a file of the model."""
    (tmp_path / "model.pkl").write_bytes(b"N.")
    flavors = {"sklearn": {"pickled_model": path or "../x", "serialization_format": "pickle"}}
    folder = write(tmp_path / "m", {"MLmodel": msgspec.yaml.encode({"flavors": flavors})})
    with pytest.raises(ModelError, match="has no file"):
        tracker.sklearn.load_model(folder, trust=True)


def test_a_private_copy_is_private(store: Path, outside: Callable[[str], Path]) -> None:
    """A copy for libraries that want paths is made once, cannot be read by others, and goes with the model."""
    opened = open_model(outside("skops"))
    place = opened.copy("model.skops")
    assert opened.copy("model.skops") == place
    assert place.read_bytes() == opened.read("model.skops")
    base = opened.copy()
    assert {path.relative_to(base).as_posix() for path in base.rglob("*")} == set(opened.manifest.files)
    assert os.name == "nt" or base.stat().st_mode & 0o777 == 0o700
    del opened
    assert not base.exists()
