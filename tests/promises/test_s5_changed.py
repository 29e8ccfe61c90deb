"""S5: a model that was changed never loads, and the error names the file."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker import layout
from tracker.exceptions import ChangedModelError, ModelError, NotFoundError
from tracker.models import digests
from tracker.opening import open_model

from .conftest import Figure

pytest.importorskip("sklearn")
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

X, Y = load_iris(return_X_y=True)
BITS = 1000
KINDS = ("cloudpickle", "skops", "python")
WAYS = [(kind, registered) for kind in KINDS for registered in (False, True)]
Load = Callable[[str], Any]


def log(kind: str, name: str | None) -> str:
    """Log a model of a kind, registered when a name is given; returns the URI to load it by."""
    if kind == "python":
        Path("offset.txt").write_text("2.5")
        info = tracker.pyfunc.log_model(
            name="model",
            python_model=lambda model_input: model_input,
            artifacts={"offset": "offset.txt"},
            registered_model_name=name,
            model_config={"threshold": 0.5},
        )
    else:
        info = tracker.sklearn.log_model(
            DecisionTreeClassifier(max_depth=2).fit(X, Y),
            name="model",
            serialization_format=kind,
            registered_model_name=name,
            metadata={"by": "us"},
        )
    return f"models:/{name}/{info.registered_model_version}" if name else info.model_uri


@pytest.fixture
def models(store: Path, quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A model of each kind, registered and not: the folder of each by its URI."""
    monkeypatch.chdir(tmp_path)
    uris = []
    for kind, registered in WAYS:
        with tracker.start_run():
            uris.append(log(kind, f"the {kind}" if registered else None))
    found = {uri: open_model(uri).folder for uri in uris}
    assert len(found) == len(WAYS)
    for uri in uris:
        assert list(tracker.pyfunc.load_model(uri).predict(X[:2])) is not None
    return found


def files_of(folder: Path) -> list[Path]:
    """Every file of a model, its manifest too."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def refusal(uri: str) -> str:
    """Why a model does not load; empty when it does. Any other error than ours ends the test."""
    try:
        tracker.pyfunc.load_model(uri)
    except (ModelError, NotFoundError) as error:
        return str(error)
    return ""


def bits(models: dict[str, Path], rng: random.Random) -> Iterator[tuple[str, Path, int]]:
    """Bits of the files of the models, as many of each file as of any other."""
    files = [(uri, file) for uri, folder in models.items() for file in files_of(folder) if file.stat().st_size]
    for number in range(BITS):
        uri, file = files[number % len(files)]
        yield uri, file, rng.randrange(8 * file.stat().st_size)


def test_a_flipped_bit_never_loads(models: dict[str, Path], figure: Figure) -> None:
    """One bit of any file of a model is another one: the model is refused, and the error names the file."""
    refused, named = 0, 0
    for uri, file, bit in bits(models, random.Random(5)):
        original = file.read_bytes()
        changed = bytearray(original)
        changed[bit // 8] ^= 1 << bit % 8
        file.write_bytes(changed)
        why = refusal(uri)
        file.write_bytes(original)
        refused += bool(why)
        named += file.name in why
        assert why, f"bit {bit} of {file} was flipped, and {uri} loads"
    assert (refused, named) == (BITS, BITS)
    assert [uri for uri in models if refusal(uri)] == []
    count = sum(len(files_of(folder)) for folder in models.values())
    figure("S5", f"{refused:,} of {BITS:,} flipped bits in {count} files of {len(models)} models refused")


def cut(file: Path) -> None:
    """The last two bytes are gone."""
    file.write_bytes(file.read_bytes()[:-2])


def empty(file: Path) -> None:
    """All bytes are gone."""
    file.write_bytes(b"")


def extend(file: Path) -> None:
    """One character more."""
    file.write_bytes(file.read_bytes() + b"x")


def link_same(file: Path) -> None:
    """A link to the same bytes elsewhere, where somebody may change them later."""
    elsewhere = file.with_name(".elsewhere")
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


def link_away(file: Path) -> None:
    """A link to another file."""
    file.unlink()
    file.symlink_to("/etc/hostname")


def folder(file: Path) -> None:
    """A folder of this name."""
    file.unlink()
    file.mkdir()


def pipe(file: Path) -> None:
    """A pipe of this name, at which a careless reader would wait for ever."""
    file.unlink()
    os.mkfifo(file)


def other(file: Path) -> None:
    """The bytes of a neighbour."""
    neighbour = next(path for path in sorted(file.parent.iterdir()) if path.is_file() and path != file)
    file.write_bytes(neighbour.read_bytes())


CHANGES = [cut, empty, extend, Path.unlink, link_same, link_away, folder, other]
if os.name != "nt":
    CHANGES.append(pipe)


def test_no_file_can_be_cut_or_replaced(models: dict[str, Path], tmp_path: Path, figure: Figure) -> None:
    """Each file of a model is cut, emptied, made longer, removed, replaced by a link, a folder, a pipe, a neighbour."""
    tried = 0
    for uri, place in models.items():
        whole = tmp_path / "whole"
        shutil.copytree(place, whole)
        for name in [path.relative_to(place) for path in files_of(place)]:
            for change in CHANGES:
                if name.parts[0] == "artifacts" and change is other:
                    continue  # it has no neighbour
                change(place / name)
                why = refusal(uri)
                assert why, f"{change.__doc__} {name} of {uri} was changed so, and it loads"
                assert name.name in why or (name.name == layout.MLMODEL_FILE and "has no model" in why)
                tried += 1
                shutil.rmtree(place)
                shutil.copytree(whole, place)
        shutil.rmtree(whole)
    assert [uri for uri in models if refusal(uri)] == []
    figure("S5", f"{tried} cut, replaced and removed files refused")


@pytest.mark.parametrize("load", [tracker.sklearn.load_opened, tracker.sklearn.load_pyfunc])
def test_a_file_swapped_after_it_was_hashed_is_not_loaded(models: dict[str, Path], load: Load) -> None:
    """What is loaded are bytes that were hashed: a file that is swapped between the check and the load is refused."""
    for uri, place in models.items():
        if "python" in uri or not (place / "MLmodel").read_text().count("sklearn_version"):
            continue
        opened = open_model(uri)
        file = next(place.glob("model.*"))
        original = file.read_bytes()
        file.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
        with pytest.raises(ChangedModelError, match=file.name):
            load(opened)
        file.write_bytes(original)
        assert load(opened) is not None


def test_artifacts_swapped_after_the_load_are_not_seen(models: dict[str, Path]) -> None:
    """The files that a Python model is given lie in a private copy, which does not follow the model's folder."""
    for uri, place in models.items():
        kept = place / "artifacts" / "offset.txt"
        if not kept.exists():
            continue
        loaded = tracker.pyfunc.load_model(uri)
        kept.write_text("100")
        path = Path(loaded._predictor.context.artifacts["offset"])  # type: ignore[attr-defined]
        assert path.read_text() == "2.5"
        assert not path.is_relative_to(place)
        assert path.parents[1].stat().st_mode & 0o077 == 0 or os.name == "nt"
        kept.write_text("2.5")


def test_a_file_that_nobody_listed_is_never_used(models: dict[str, Path]) -> None:
    """A file that is put into the folder of a model changes nothing: nothing reads it, and no copy has it."""
    for uri, place in models.items():
        for name in ("code/sitecustomize.py", "sklearn.py", "artifacts/more.txt", ".hidden", "constraints.txt"):
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text("raise SystemExit('this ran')")
        opened = open_model(uri)
        copied = {path.relative_to(opened.copy()).as_posix() for path in opened.copy().rglob("*") if path.is_file()}
        assert copied == set(opened.manifest.files)
        assert refusal(uri) == ""
        with pytest.raises(ModelError, match="no file"):
            opened.copy("code/sitecustomize.py")


@pytest.mark.filterwarnings("ignore:.*was saved with evil")
def test_a_rewritten_manifest_does_not_help_a_registered_model(models: dict[str, Path]) -> None:
    """Whoever changes a registered model and its manifest is still told apart: the registry keeps the digest."""
    for uri, place in models.items():
        (place / "requirements.txt").write_text("evil==1.0\n")
        digests.write_manifest(place)
        assert ("was registered with the digest" in refusal(uri)) == uri.startswith("models:/")


def test_without_its_manifest_a_model_of_ours_does_not_load(models: dict[str, Path]) -> None:
    """The manifest cannot be taken away: its absence is an error for every model that tracker saved."""
    for uri, place in models.items():
        (place / layout.MANIFEST_FILE).unlink()
        assert layout.MANIFEST_FILE in refusal(uri)
