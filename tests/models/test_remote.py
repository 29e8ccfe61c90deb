"""Models of a published site: every way to name one, and what is not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import tracker
from tests.models.sites import answering, index_of, make_site, manifest_of, serving_folder
from tracker import remote
from tracker.exceptions import (
    ChangedModelError,
    InvalidValueError,
    ModelError,
    TrackerError,
    UntrustedModelError,
)
from tracker.models.digests import folder_digest

MODEL = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own."""
    monkeypatch.setenv("TRACKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    """A folder with a skops model."""
    tracker.sklearn.save_model(MODEL, tmp_path / "safe", serialization_format="skops", pip_requirements=[])
    return tmp_path / "safe"


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    """A folder with a pickle, whose digest this process does not know as its own."""
    code = (
        "import sys, tracker; from sklearn.linear_model import LogisticRegression as L; "
        "tracker.sklearn.save_model(L().fit([[0.0], [1.0]], [0, 1]), sys.argv[1], pip_requirements=[])"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "pickled")], check=True)
    return tmp_path / "pickled"


# Honest sites


@pytest.mark.parametrize(
    ("rest", "number"),
    [("1", 1), ("latest", 3), ("Production", 2), ("production", 2), ("@champion", 1), ("@live", 1), ("03", 3)],
)
def test_a_model_by_name(tmp_path: Path, safe: Path, rest: str, number: int) -> None:
    """By version, latest, stage and alias, once the site is the store; the deleted version is not the latest."""
    folders = {}
    for version in ("1", "2", "3"):
        model = LogisticRegression(C=int(version)).fit([[0.0], [1.0]], [0, 1])
        folder = tmp_path / version
        tracker.sklearn.save_model(model, folder, serialization_format="skops", pip_requirements=[])
        folders[version] = folder
    site = make_site(
        tmp_path / "site",
        folders,
        in_stages={"1": "Archived", "2": "Production"},
        aliases={"champion": 1, "live": "champion"},
    )
    index = json.loads((site / remote.INDEX).read_text())
    index["models"]["iris"]["versions"]["4"] = {"stage": "Production", "deleted": True}
    (site / remote.INDEX).write_text(json.dumps(index))
    with serving_folder(tmp_path) as address:
        tracker.set_tracking_uri(f"{address}site/")
        assert tracker.get_tracking_uri() == f"{address}site/"
        uri = f"models:/iris{rest}" if rest.startswith("@") else f"models:/iris/{rest}"
        loaded = tracker.sklearn.load_model(uri)
        assert number == loaded.C


@pytest.mark.parametrize("page", ["", "index.html", "?run=1", "#use", "files/", "files/?x=1"])
def test_a_model_by_the_address_of_its_page(tmp_path: Path, safe: Path, page: str) -> None:
    """As it stands in the browser, or the folder of its files; no store is needed."""
    make_site(tmp_path / "site", {"1": safe})
    with serving_folder(tmp_path / "site") as address:
        loaded = tracker.sklearn.load_model(f"{address}models/iris/1/{page}")
        assert list(loaded.predict([[0.0], [3.0]])) == [0, 1]
        assert list(tracker.pyfunc.load_model(f"{address}models/iris/1").predict([[3.0]])) == [1]


def test_a_site_that_tracker_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log, register, promote, build, load by name: the model that was logged, with its example and signature."""
    monkeypatch.setenv("TRACKER_CAPTURE", "off")
    tracker.set_tracking_uri(tmp_path / "runs")
    with tracker.start_run():
        info = tracker.sklearn.log_model(
            MODEL,
            name="model",
            serialization_format="skops",
            input_example=np.array([[1.0]]),
            registered_model_name="iris & co",
        )
    tracker.Client().transition_model_version_stage("iris & co", 1, "Production")
    subprocess.run(
        [sys.executable, "-m", "tracker.cli", "build", str(tmp_path / "runs"), "--out", str(tmp_path / "site")],
        check=True,
        capture_output=True,
    )
    with serving_folder(tmp_path / "site") as address:
        tracker.set_tracking_uri(address)
        loaded = tracker.pyfunc.load_model("models:/iris & co/Production")
        assert list(loaded.predict(np.array([[0.0], [3.0]]))) == [0, 1]
        assert loaded.metadata.signature == info.signature
        folder = tracker.artifacts.download_artifacts("models:/iris & co/1")
        assert folder_digest(Path(folder)) == info.digest


def test_a_file_that_could_not_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the site lacks a version whose file is damaged, `latest` and stages are refused; numbers load."""
    monkeypatch.setenv("TRACKER_CAPTURE", "off")
    store = tmp_path / "runs"
    tracker.set_tracking_uri(store)
    for _ in range(2):
        with tracker.start_run():
            tracker.sklearn.log_model(MODEL, serialization_format="skops", registered_model_name="iris")
    (store / "registry" / "iris" / "versions" / "2.yaml").write_text("<<<<<<< HEAD\nversion: 2\n")
    subprocess.run(
        [sys.executable, "-m", "tracker.cli", "build", str(store), "--out", str(tmp_path / "site")],
        check=True,
        capture_output=True,
    )
    with serving_folder(tmp_path / "site") as address:
        tracker.set_tracking_uri(address)
        assert tracker.sklearn.load_model("models:/iris/1").predict([[3.0]]) == [1]
        for rest in ("latest", "Production"):
            with pytest.raises(ModelError, match=r"versions/2\.yaml"):
                tracker.sklearn.load_model(f"models:/iris/{rest}")


def test_it_is_fetched_once(tmp_path: Path, safe: Path, cache: Path) -> None:
    """The second time the manifest alone; what somebody removed from the cache comes again."""
    files = {f"/x/files/{path.name}": path.read_bytes() for path in safe.iterdir()}
    with answering(dict(files)) as (address, asked):
        tracker.sklearn.load_model(f"{address}x/")
        assert sorted(asked) == sorted(files)
        tracker.sklearn.load_model(f"{address}x/")
        assert asked[len(files) :] == ["/x/files/manifest.json"]
        next(cache.glob("models/*/model.skops")).unlink()
        tracker.sklearn.load_model(f"{address}x/")
        assert len(asked) == 2 * len(files) + 1
    assert [path.name for path in (cache / "models").iterdir()] == [folder_digest(safe).removeprefix("sha256:")]


def test_a_changed_file_of_the_cache_does_not_load(tmp_path: Path, safe: Path, cache: Path) -> None:
    """Its digest is compared each time."""
    make_site(tmp_path / "site", {"1": safe})
    with serving_folder(tmp_path / "site") as address:
        tracker.sklearn.load_model(f"{address}models/iris/1/")
        file = next(cache.glob("models/*/model.skops"))
        data = bytearray(file.read_bytes())
        data[100] ^= 1
        file.write_bytes(data)
        with pytest.raises(ChangedModelError, match=r"model\.skops"):
            tracker.sklearn.load_model(f"{address}models/iris/1/")


def test_a_pickle_asks_for_trust(tmp_path: Path, pickled: Path) -> None:
    """Refused with what it would import; loaded with trust=True and with its digest, but not with another one."""
    make_site(tmp_path / "site", {"1": pickled})
    with serving_folder(tmp_path / "site") as address:
        for uri in (f"{address}models/iris/1/", "models:/iris/1"):
            tracker.set_tracking_uri(address)
            with pytest.raises(UntrustedModelError, match="LogisticRegression"):
                tracker.sklearn.load_model(uri)
            assert tracker.sklearn.load_model(uri, trust=True).classes_.tolist() == [0, 1]
            assert tracker.sklearn.load_model(uri, trust=folder_digest(pickled)).classes_.tolist() == [0, 1]
            with pytest.raises(ChangedModelError, match="you trust"):
                tracker.sklearn.load_model(uri, trust="sha256:" + "0" * 64)


def test_a_model_of_a_site_is_registered_here(tmp_path: Path, safe: Path, store: Path) -> None:
    """By a copy inside the store, which keeps the address that it came from."""
    make_site(tmp_path / "site", {"1": safe})
    with serving_folder(tmp_path / "site") as address:
        version = tracker.register_model(f"{address}models/iris/1/", "mine")
    assert version.source == f"{address}models/iris/1/"
    assert tracker.sklearn.load_model("models:/mine/1").C == 1.0


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("models:/irys/1", "no model 'irys'. Did you mean \"iris\""),
        ("models:/iris/7", "no version 7 of 'iris'. It has 1"),
        ("models:/iris/4", "no version 4"),
        ("models:/iris/Prodution", "in stage 'Prodution'"),
        ("models:/iris/champion", "Write models:/iris@champion"),
        ("models:/iris@champio", 'Did you mean "champion"'),
        ("models:/iris@round", "in a circle: round -> about -> round"),
        ("models:/iris@lost", "has no alias 'nowhere'"),
        ("models:/iris/2", "does not publish its files"),
        ("models:/iris/3", "answers 404"),
    ],
)
def test_what_is_not_there(tmp_path: Path, safe: Path, uri: str, message: str) -> None:
    """Is an error that says what there is."""
    site = make_site(
        tmp_path / "site",
        {"1": safe},
        aliases={"champion": "1", "round": "about", "about": "round", "lost": "nowhere"},
    )
    index = json.loads((site / remote.INDEX).read_text())
    versions = index["models"]["iris"]["versions"]
    versions |= {
        "2": {"files": None},
        "3": {"files": "models/iris/3/files/"},
        "4": {"files": None, "deleted": True},
        "x": {"files": None, "stage": "Prod"},
    }
    (site / remote.INDEX).write_text(json.dumps(index))
    with serving_folder(site) as address:
        tracker.set_tracking_uri(address)
        with pytest.raises(TrackerError) as caught:
            tracker.sklearn.load_model(uri)
        assert message in caught.value.message


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://example.org/site/models/iris/1/", "not encrypted"),
        ("http://127.0.0.1.example.org/x/", "not encrypted"),
        ("https://you@example.org/x/", "is no address"),
        ("https:///x/", "is no address"),
        ("https://[/x/", "is no address"),
        ("https://127.0.0.1:99999/x/", "cannot be fetched|is no address"),
        ("http://127.0.0.1:9/x/", "cannot be fetched"),
        ("http://127.0.0.1:9/a\r\nHost: b/", "cannot be fetched|is no address|control character"),
    ],
)
def test_addresses_that_are_not_asked(address: str, message: str) -> None:
    """Or do not answer."""
    with pytest.raises((InvalidValueError, ModelError), match=message):
        tracker.sklearn.load_model(address)


def test_the_digest_of_the_list_counts(tmp_path: Path, safe: Path) -> None:
    """A model that is swapped behind the list does not load."""
    site = make_site(tmp_path / "site", {"1": safe})
    index = index_of({"1": {"files": "models/iris/1/files/", "digest": "sha256:" + "1" * 64}})
    (site / remote.INDEX).write_bytes(index)
    with serving_folder(site) as address:
        tracker.set_tracking_uri(address)
        with pytest.raises(ChangedModelError, match="the list of the site says"):
            tracker.sklearn.load_model("models:/iris/1")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_in_the_cache_leads_nowhere(tmp_path: Path, safe: Path, cache: Path) -> None:
    """What lies behind it is neither read nor written."""
    (tmp_path / "outside").mkdir()
    (cache / "models").mkdir(parents=True)
    (cache / "models" / folder_digest(safe).removeprefix("sha256:")).symlink_to(tmp_path / "outside")
    make_site(tmp_path / "site", {"1": safe})
    with serving_folder(tmp_path / "site") as address, pytest.raises(TrackerError):
        tracker.sklearn.load_model(f"{address}models/iris/1/")
    assert list((tmp_path / "outside").iterdir()) == []


def test_helpers_make_what_tracker_reads(tmp_path: Path, safe: Path) -> None:
    """The manifests of these tests are refused for what is wrong in them, not for their form."""
    files = {path.name: path.read_bytes() for path in safe.iterdir() if path.name != "manifest.json"}
    answers: dict[str, Any] = {f"/x/files/{name}": data for name, data in files.items()}
    answers["/x/files/manifest.json"] = manifest_of(files)
    with answering(answers) as (address, _):
        assert tracker.sklearn.load_model(f"{address}x/").C == 1.0
