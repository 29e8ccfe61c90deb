"""S4: no code runs on load unless you say so. Here: whole models, by path and from a site, by every way to load."""

from __future__ import annotations

import functools
import http.server
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import tracker
from tests.models import hostile, hostile_skops
from tracker import codec
from tracker.cli import main
from tracker.exceptions import ChangedModelError, ModelError, TrackerError, UntrustedModelError
from tracker.models import digests
from tracker.opening import inspect_model
from tracker.schema import Manifest

from .conftest import Figure

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the payloads call programs of Unix")

NAMES = {"cloudpickle": "model.pkl", "pickle": "model.pkl", "skops": "model.skops"}
LOADS: dict[str, Callable[[str], Any]] = {
    "sklearn.load_model": tracker.sklearn.load_model,
    "pyfunc.load_model": tracker.pyfunc.load_model,
    "register_model": lambda uri: tracker.register_model(uri, "hostile"),
}
"""Every call that would load a model, or make it one that the store trusts."""


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A path that must not come into being; a code of the registry of extensions stands for os.system meanwhile."""
    (tmp_path / "cage").mkdir()
    remove = hostile.extension()
    yield tmp_path / "cage" / "canary"
    remove()


@pytest.fixture
def outside(tmp_path: Path, store: Path) -> Path:
    """A folder beside the store of this process."""
    (tmp_path / "outside").mkdir()
    return tmp_path / "outside"


@pytest.fixture
def address(outside: Path) -> Iterator[str]:
    """The folder, served as a published site would be."""
    handler = functools.partial(_Quiet, directory=str(outside))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def make_model(folder: Path, word: str, data: bytes, **more: Any) -> Path:
    """A folder as a hostile author would make it: its own list of trusted types, and a manifest that fits."""
    name = NAMES[word]
    facts = {"pickled_model": name, "serialization_format": word, "skops_trusted_types": ["builtins.eval", "os.system"]}
    pyfunc = {"loader_module": "mlflow.sklearn", "model_path": name, "predict_fn": "predict", **more}
    folder.mkdir(parents=True)
    (folder / name).write_bytes(data)
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": {"sklearn": facts, "python_function": pyfunc}}))
    digests.write_manifest(folder)
    return folder


def payloads(canary: Path) -> Iterator[tuple[str, str, bytes]]:
    """Name, the format that the MLmodel claims, and bytes: pickles as both formats, and hostile skops files."""
    for name, data in {**hostile.pickles(canary), **hostile.cloudpickled(canary), **hostile.packed(canary)}.items():
        yield name, "cloudpickle", data
        yield f"{name}, called skops", "skops", data
    for name, data in {**hostile_skops.skops_files(canary), **hostile_skops.bombs()}.items():
        yield name, "skops", data
        yield f"{name}, called a pickle", "pickle", data


def bitten(canary: Path) -> bool:
    """Whether anything was run."""
    return bool(list(canary.parent.iterdir()))


def test_no_model_runs_anything(canary: Path, outside: Path, address: str, figure: Figure) -> None:
    """Hostile models from a folder and from a site, through every way to load or register one: nothing runs, and
    each refusal names the model and what to do."""
    refused, models = 0, 0
    for number, (name, word, data) in enumerate(payloads(canary)):
        models += 1
        make_model(outside / str(number) / "files", word, data)
        for uri in (str(outside / str(number) / "files"), f"{address}/{number}/"):
            for way, load in LOADS.items():
                try:
                    load(uri)
                except TrackerError as error:
                    refused += 1
                    assert isinstance(error, ModelError), (name, way, error)
                    assert len(str(error)) > 60, (name, way)
                else:
                    assert way == "register_model" and word == "skops", (name, way, uri)
            inspect_model(uri)
        shown = CliRunner().invoke(main, ["models", "inspect", str(outside / str(number) / "files")])
        assert isinstance(shown.exception, SystemExit | None), (name, shown.exception)
    time.sleep(0.3)
    assert not bitten(canary)
    figure(
        "S4",
        f"{models} hostile models, each by path and over http through {len(LOADS)} ways to load or register: "
        f"0 executed, {refused} refused",
    )


def test_the_refusal_says_what_it_would_import(canary: Path, outside: Path) -> None:
    """A pickle from outside is refused with what it would import, how to look at it and how to vouch for it."""
    folder = make_model(outside / "model", "pickle", hostile.call("os", "system", "true"))
    with pytest.raises(UntrustedModelError) as refusal:
        tracker.pyfunc.load_model(folder)
    for part in ("system", "tracker models inspect", "trust=True", 'trust="sha256:'):
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "flavors: !!python/object/apply:os.system ['touch {canary}']\n",
        "flavors: !!python/object/new:os.system ['touch {canary}']\n",
        "!!python/object/apply:subprocess.check_output [['touch', '{canary}']]\n",
        "flavors: &a [*a]\n",
        "flavors: {'a': " * 60,
        "flavors: 7\n",
        "\xff\xfe",
    ],
)
def test_an_mlmodel_file_runs_nothing(canary: Path, outside: Path, text: str) -> None:
    """Tags of Python, circles, depths and nonsense in an MLmodel file are refused by its name."""
    folder = make_model(outside / "model", "skops", b"")
    (folder / "MLmodel").write_bytes(text.replace("{canary}", str(canary)).encode("latin-1"))
    digests.write_manifest(folder)
    for load in LOADS.values():
        with pytest.raises(ModelError, match="MLmodel"):
            load(str(folder))
    assert inspect_model(folder).problems
    assert not bitten(canary)


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../secret", "..\\secret", "C:/secret", "a\0b", ""])
def test_a_manifest_leads_nowhere(outside: Path, address: str, path: str) -> None:
    """A manifest with a path out of the model is refused, from a folder as from a site; nothing is read there."""
    (outside / "secret").write_text("secret")
    folder = make_model(outside / "model" / "files", "skops", b"")
    manifest = digests.read_manifest(folder)
    assert manifest is not None
    files = {**manifest.files, path: manifest.files["MLmodel"]}
    changed = Manifest(manifest.schema, digests.digest_of(files), files)
    (folder / "manifest.json").write_bytes(codec.json_file(changed))
    for uri in (str(folder), f"{address}/model/"):
        with pytest.raises(ModelError, match="manifest"):
            tracker.sklearn.load_model(uri)


@pytest.mark.parametrize("place", ["model.skops", "MLmodel", "manifest.json", "requirements.txt"])
def test_links_in_a_model_are_not_followed(outside: Path, place: str) -> None:
    """A link in place of a file of a model is refused by its name, whatever it leads to."""
    (outside / "secret").write_text("secret")
    folder = make_model(outside / "model", "skops", b"")
    (folder / "requirements.txt").write_text("x")
    digests.write_manifest(folder)
    (folder / place).unlink()
    (folder / place).symlink_to(outside / "secret")
    for load in LOADS.values():
        with pytest.raises((ModelError, ChangedModelError), match=place):
            load(str(folder))
    assert "secret" not in str(inspect_model(folder))


def test_code_of_a_model_needs_trust(canary: Path, outside: Path) -> None:
    """Python files that come with a model from outside are not imported without trust."""
    folder = make_model(outside / "model", "skops", b"", code="code")
    (folder / "code").mkdir()
    (folder / "code" / "sitecustomize.py").write_text(f"open({str(canary)!r}, 'w')")
    (folder / "code" / "numpy.py").write_text(f"open({str(canary)!r}, 'w')")
    digests.write_manifest(folder)
    with pytest.raises(UntrustedModelError):
        tracker.pyfunc.load_model(folder)
    assert not bitten(canary)
