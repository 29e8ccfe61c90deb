"""Many processes change the registry at once: nothing is lost, and nobody waits for the dead."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tracker import _io, process
from tracker.exceptions import NotFoundError, StoreError
from tracker.registry import ReadVersion, Registry, claims, read_registry
from tracker.registry.claims import claim

from .conftest import DIGEST, PATH

if os.name == "nt":
    pytest.skip("these tests fork", allow_module_level=True)

PROCESSES, EACH = 16, 10
Register = Callable[..., ReadVersion]


def at_once(work: Callable[[int], object], count: int = PROCESSES) -> None:
    """Run the same thing in many children that start together; AssertionError when one of them fails."""
    go, gate = os.pipe()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(gate)
                os.read(go, 1)
                work(number)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    os.close(go)
    os.close(gate)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * count


def leftovers(root: Path) -> list[str]:
    """Files in the making that nobody finished."""
    return [path.name for path in root.rglob(".new-*")]


def test_no_transition_is_lost(root: Path, register: Register) -> None:
    """16 processes move one version 10 times each: its history has all 160, each from where the last led."""
    register()

    def move(number: int) -> None:
        registry = Registry(root)
        for turn in range(EACH):
            stage = ("Staging", "Production", "Archived")[(number + turn) % 3]
            registry.set_stage("iris", 1, stage, reason=f"{number}.{turn}", by=f"p{number}")

    at_once(move)
    (model,) = read_registry(root).models
    file = model.versions[0].file
    moves = [change for change in file.history if change.action == "stage"]
    assert {change.reason for change in moves} == {f"{n}.{turn}" for n in range(PROCESSES) for turn in range(EACH)}
    assert len(moves) == PROCESSES * EACH
    assert [change.from_ for change in moves] == ["None", *(change.to for change in moves[:-1])]
    assert file.stage == moves[-1].to
    assert leftovers(root) == []


def test_no_alias_and_no_tag_is_lost(root: Path, register: Register) -> None:
    """Aliases and tags that many processes set at once in one file are all there."""
    register()

    def change(number: int) -> None:
        registry = Registry(root)
        for turn in range(3):
            registry.set_alias("iris", f"alias-{number}-{turn}", 1)
            registry.set_model_tag("iris", f"tag {number} {turn}", number)

    at_once(change)
    file = Registry(root).model("iris").file
    assert (len(file.aliases), len(file.tags), len(file.history)) == (48, 48, 48)


def test_one_name_is_one_model(root: Path, register: Register) -> None:
    """Processes that register under the same name for the first time at the same moment make one model of it."""
    at_once(lambda number: register("Größe" if number % 2 else "iris"))
    assert [(model.name, len(model.versions)) for model in read_registry(root).models] == [("Größe", 8), ("iris", 8)]


def test_one_version_stays_in_production(root: Path, registry: Registry, register: Register) -> None:
    """Whoever promotes with archive_existing at the same time, one version remains in the stage."""
    for _ in range(PROCESSES):
        register()
    at_once(lambda number: registry.set_stage("iris", number + 1, "Production", archive_existing=True))
    assert len(registry.model("iris").in_stage("Production")) == 1
    assert len(registry.model("iris").in_stage("Archived")) == PROCESSES - 1


def test_a_claim_of_the_dead_is_cleared_away(root: Path, registry: Registry, register: Register) -> None:
    """A process that is killed while it holds a model does not hold up the next one, nor many at once."""
    folder = register().root / "registry" / "iris"
    child = os.fork()
    if child == 0:
        with claim(folder):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert leftovers(root) == [claims.NAME]
    since = time.monotonic()
    at_once(lambda number: registry.set_model_tag("iris", f"t{number}", "1"))
    assert time.monotonic() - since < claims.PATIENCE / 2
    assert len(registry.model("iris").file.tags) == PROCESSES
    assert leftovers(root) == []


def test_a_claim_of_the_living_is_respected(
    registry: Registry, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a living process holds a model, others wait, and then say by whom it is held."""
    folder = register().root / "registry" / "iris"
    monkeypatch.setattr(claims, "PATIENCE", 0.1)
    with claim(folder), pytest.raises(StoreError, match=rf"held by the process {os.getpid()} for"):
        registry.set_model_tag("iris", "a", "b")
    registry.set_model_tag("iris", "a", "b")
    assert registry.model("iris").file.tags == {"a": "b"}


@pytest.mark.parametrize("content", [b"", b"{", b'{"id": "../../x", "process": null}', None])
def test_a_claim_of_an_unknown_process_lasts_a_while(
    root: Path, registry: Registry, register: Register, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    """Where nobody can tell whether its process lives, a claim counts as left behind when its time is over."""
    path = register().root / "registry" / "iris" / claims.NAME
    there = msgspec.structs.replace(process.this_process(), machine="f" * 16)
    foreign = msgspec.json.encode({"id": "0" * 32, "process": there})
    path.write_bytes(foreign if content is None else content)
    monkeypatch.setattr(claims, "PATIENCE", 0.1)
    since = time.monotonic()
    registry.set_model_tag("iris", "a", "b")
    assert time.monotonic() - since >= 0.1
    assert (registry.model("iris").file.tags, leftovers(root)) == ({"a": "b"}, [])


def test_who_lost_the_claim_changes_nothing(registry: Registry, register: Register) -> None:
    """A process that was stopped for so long that another one took over does not write over its change."""
    folder = register().root / "registry" / "iris"
    with registry._held("iris") as (model, edit):
        claims._io.discard(folder / claims.NAME)
        registry.set_model_tag("iris", "theirs", "1")
        with pytest.raises(StoreError, match="changed by another process meanwhile"):
            edit.model(model.file, tags={"ours": "1"})
    assert registry.model("iris").file.tags == {"theirs": "1"}


def test_threads_wait_for_each_other(registry: Registry, register: Register) -> None:
    """Threads of one process change a model in turn, as processes do."""
    register()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: registry.set_model_tag("iris", f"t{n}", n), range(40)))
        versions = list(pool.map(lambda n: register().file.version, range(40)))
    assert len(registry.model("iris").file.tags) == 40
    assert sorted(versions) == list(range(2, 42))


def test_a_model_that_is_deleted_meanwhile(root: Path, registry: Registry, register: Register) -> None:
    """Who waits for a model that is then deleted learns that it is gone; who registers makes a new one."""
    folder = register().root / "registry" / "iris"
    with ThreadPoolExecutor(1) as pool:
        with claim(folder):
            late = pool.submit(registry.set_model_tag, "iris", "a", "b")
            time.sleep(0.1)
            folder.rename(root / "trash")
        with pytest.raises(NotFoundError, match="no registered model 'iris'"):
            late.result()
    assert register().version == "1"


def test_a_model_that_is_made_anew_meanwhile(
    registry: Registry, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that another process deletes and registers anew just before it is changed is changed all the same."""
    register()

    def anew(operation: str, path: Path, data: bytes) -> bytes:
        monkeypatch.setattr(_io, "fault", None)
        registry.delete_model("iris")
        register()
        return data

    monkeypatch.setattr(_io, "fault", anew)
    registry.set_model_tag("iris", "a", "b")
    assert registry.model("iris").file.tags == {"a": "b"}
    monkeypatch.setattr(_io, "fault", anew)
    assert register().version == "2"


def test_deleting_and_registering_at_once(root: Path) -> None:
    """However they come together, every number that was acknowledged is in the registry or in the trash."""

    def work(number: int) -> None:
        registry = Registry(root)
        for _ in range(EACH):
            if number % 4:
                registry.register("iris", path=PATH, digest=DIGEST, tags={"by": number})
            else:
                with contextlib.suppress(NotFoundError):
                    registry.delete_model("iris")

    at_once(work)
    files = [*root.glob("registry/*/versions/*.yaml"), *root.glob("trash/_registry/*/versions/*.yaml")]
    assert len(files) == PROCESSES * 3 // 4 * EACH
    assert read_registry(root).problems == ()
    assert leftovers(root / "registry") == []
