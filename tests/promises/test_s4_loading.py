"""S4: no code runs on load unless you say so. Here: the functions that are given the bytes of a model's file."""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.processes import in_child
from tests.models import hostile, hostile_skops
from tracker.exceptions import ModelError, TrackerError, UntrustedModelError
from tracker.models import pickles, skops_files
from tracker.models.inspection import inspect_folder

from .conftest import Figure

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the payloads call programs of Unix")

WHERE = "models:/hostile/1 (model.skops)"
FUNCTIONS: dict[str, Callable[[bytes], Any]] = {
    "load_skops": lambda data: skops_files.load_skops(data, where=WHERE),
    "types_in": skops_files.types_in,
    "types_refused": skops_files.types_refused,
    "trusted_types_needed": skops_files.trusted_types_needed,
    "imports_of": pickles.imports_of,
    "contents_of": pickles.contents_of,
}
"""Everything that may be given bytes that nobody vouched for."""


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A path that must not come into being; a code of the registry of extensions stands for os.system meanwhile."""
    (tmp_path / "cage").mkdir()
    remove = hostile.extension()
    yield tmp_path / "cage" / "canary"
    remove()


def bitten(canary: Path) -> bool:
    """Whether anything was run, now or in a moment; forgets it."""
    found = list(canary.parent.iterdir())
    for path in found:
        path.rmdir() if path.is_dir() else path.unlink()
    return bool(found)


def payloads(canary: Path) -> dict[str, bytes]:
    """All hostile files."""
    return {
        **hostile.pickles(canary),
        **hostile.cloudpickled(canary),
        **hostile.packed(canary),
        **{f"skops: {name}": data for name, data in hostile_skops.skops_files(canary).items()},
        **{f"bomb: {name}": data for name, data in hostile_skops.bombs().items()},
    }


def test_no_payload_runs(canary: Path, figure: Figure) -> None:
    """Each hostile file through each function that takes unvouched bytes: nothing runs, and skops files are refused."""
    files, refusals, answers = payloads(canary), 0, 0
    for name, data in files.items():
        for function, call in FUNCTIONS.items():
            try:
                call(data)
                answers += 1
                assert function != "load_skops", name
            except TrackerError as error:
                refusals += 1
                assert isinstance(error, ModelError), (name, function)
                assert len(str(error)) > 40 and "\n" not in str(error), (name, function)
                assert function != "load_skops" or str(error).startswith(WHERE), name
            except Exception as error:  # of skops itself, which this function shows as it is
                assert function == "trusted_types_needed", (name, function, error)
    time.sleep(0.3)
    assert not bitten(canary)
    assert len(files) >= 100
    figure(
        "S4",
        f"{len(files)} hostile files through {len(FUNCTIONS)} functions that take bytes: 0 executed, "
        f"{refusals} refused in a sentence, {answers} told what is in them",
    )


def test_payloads_do_bite(canary: Path, figure: Figure) -> None:
    """Unpickled as they are, all of these pickles run something: the canary is alive."""
    tame = []

    def load() -> None:
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
        for name, data in {**hostile.pickles(canary), **hostile.cloudpickled(canary)}.items():
            try:
                pickle.loads(data)
            except Exception:
                pass
            finally:
                deadline = time.monotonic() + 2
                while not list(canary.parent.iterdir()) and time.monotonic() < deadline:
                    time.sleep(0.01)
                if not bitten(canary):
                    tame.append(name)
        assert tame == []

    in_child(load)
    figure("S4", f"{len(hostile.pickles(canary)) + 2} of these pickles run something when Python unpickles them")


def test_dangerous_imports_are_a_tripwire(canary: Path, figure: Figure) -> None:
    """What hostile pickles import is marked; nothing is marked in pickles of honest estimators."""
    from tests.models.estimators import fitted_estimators

    told, marked = 0, 0
    for data in hostile.pickles(canary).values():
        try:
            found = pickles.imports_of(data)
        except ModelError:
            continue
        told, marked = told + 1, marked + bool(pickles.dangerous(found))
    honest = [pickle.dumps(each.estimator) for each in fitted_estimators()]
    alarms = sum(bool(pickles.dangerous(pickles.imports_of(data))) for data in honest)
    assert marked == told
    assert alarms <= 2
    figure("S4", f"imports marked in {marked} of {told} hostile pickles and in {alarms} of {len(honest)} honest ones")


@pytest.mark.parametrize("name", ["model.skops", "model.onnx", "model.json", "model.pkl"])
def test_a_pickle_by_another_name_is_not_loaded_as_skops(canary: Path, name: str) -> None:
    """The format is what the bytes are, not what the name says: a renamed pickle is refused with a sentence."""
    for data in hostile.pickles(canary).values():
        with pytest.raises(ModelError, match="no skops file, whatever its name says") as caught:
            skops_files.load_skops(data, where=name)
        assert not isinstance(caught.value, UntrustedModelError)
    assert not bitten(canary)


@pytest.mark.parametrize("word", ["skops", "cloudpickle"])
def test_looking_into_a_folder_runs_nothing(canary: Path, tmp_path: Path, word: str) -> None:
    """A model's folder with a hostile data file is described, with what it imports or why that cannot be told."""
    for number, (name, data) in enumerate(payloads(canary).items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "model.bin").write_bytes(data)
        (folder / "MLmodel").write_text(
            "flavors:\n  sklearn:\n    pickled_model: model.bin\n"
            f"    serialization_format: {word}\n    skops_trusted_types: [os.system]\n"
        )
        facts = inspect_folder(folder, look_inside=True)
        assert facts.format == word and facts.safe == (word == "skops"), name
        assert facts.imports or facts.types or facts.problems, name
    assert not bitten(canary)
