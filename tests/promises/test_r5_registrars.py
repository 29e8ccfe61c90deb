"""R5: any number of processes may register versions of one name, and a crash at any moment leaves no half of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tracker import _io
from tracker.registry import ReadRegistry, Registry, read_registry
from tracker.store import Store

from .conftest import Figure
from .test_r1_crash import TORN, Crash, points_of
from .workload import Pipe, Promise

PROCESSES = 32
VERSIONS = 20
DIGEST = f"sha256:{'0' * 64}"
PATH = f"experiments/digits/runs/{'0' * 32}/artifacts/model"


def registrar(root: Path, number: int, start: int, tell: int) -> None:
    """What each process does: register at the same moment as the others, and tell the numbers that it got."""
    code = 1
    try:
        os.read(start, 1)
        registry = Registry(root)
        got = [registry.register("iris", path=PATH, digest=DIGEST, by=str(number)).version for _ in range(VERSIONS)]
        os.write(tell, "".join(f"{number} {version}\n" for version in got).encode())
        code = 0
    finally:
        os._exit(code)


def test_many_processes_register_versions_of_one_name(tmp_path: Path, figure: Figure) -> None:
    """Every process gets its numbers; together they are 1 to 640 without gap or duplicate, each in its own file."""
    root = Store.open(tmp_path / "store").root
    (go, gate), (told, tell) = os.pipe(), os.pipe()
    children = []
    for number in range(PROCESSES):
        child = os.fork()
        if child == 0:
            os.close(gate)
            registrar(root, number, go, tell)
        children.append(child)
    for end in (go, gate, tell):
        os.close(end)
    with os.fdopen(told) as lines:
        got = {int(version): owner for owner, version in map(str.split, lines)}
    failed = [child for child in children if os.waitpid(child, 0)[1] != 0]
    found = read_registry(root)
    (model,) = found.models
    total = PROCESSES * VERSIONS
    assert (failed, found.problems) == ([], ())
    assert sorted(got) == [version.file.version for version in model.versions] == list(range(1, total + 1))
    assert {version.file.version: version.file.history[0].by for version in model.versions} == got
    assert [path.name for path in root.rglob(".new-*")] == []
    figure(
        "R5", f"{PROCESSES} processes x {VERSIONS} versions of one name: {len(model.versions)} of {total}, "
        f"{total - len(got)} duplicates, 0 gaps, {len(failed)} errors"
    )  # fmt: skip


def script(root: Path) -> Iterator[tuple[Callable[[], object], Promise]]:
    """Every way of changing the registry, and what holds from the moment each call returned."""
    registry = Registry(root)
    for number in (1, 2, 3):
        yield lambda: registry.register("iris", path=PATH, digest=DIGEST, tags={"a": "1"}), ("version", number)
    yield lambda: registry.set_stage("iris", 1, "Production", by="Ada", reason="good"), ("stage", 1, "Production")
    yield (
        lambda: registry.set_stage("iris", 2, "Production", by="Ada", archive_existing=True),
        ("stage", 2, "Production"),
    )
    yield lambda: registry.set_alias("iris", "champion", 2, by="Ada"), ("alias", "champion", "2")
    yield lambda: registry.set_alias("iris", "live", "champion", by="Ada"), ("alias", "live", "champion")
    yield lambda: registry.set_alias("iris", "champion", 3, by="Ada"), ("alias", "champion", "3")
    yield lambda: registry.describe_version("iris", 3, "Best so far."), ("described", 3, "Best so far.")
    yield lambda: registry.delete_version("iris", 1, by="Ada"), ("deleted", 1)
    yield lambda: registry.rename_model("iris", "flowers", by="Ada"), ("name", "flowers")


def perform(root: Path, acknowledge: Callable[[list[Promise]], object]) -> None:
    """The whole script; `acknowledge` is told what holds after each call."""
    for call, promise in script(root):
        call()
        acknowledge([promise])


def broken(found: ReadRegistry, promises: list[Promise]) -> list[Promise]:
    """The promises that do not hold. Of those about the same thing the last counts, or what was to come after it."""
    (model,) = found.models
    files = {version.file.version: version.file for version in model.versions}
    later = {("stage", 1): {"Archived"}, ("alias", "champion"): {"2", "3"}}

    def holds(kind: str, *rest: object) -> bool:
        if kind == "version":
            return rest[0] in files
        if kind == "stage":
            file = files[int(str(rest[0]))]
            moved = [change.to for change in file.history if change.action == "stage"]
            return rest[1] in moved and file.stage in {rest[1], *later.get(("stage", file.version), set())}
        if kind == "alias":
            return model.file.aliases.get(str(rest[0])) in {rest[1], *later.get(("alias", str(rest[0])), set())}
        if kind == "described":
            return files[3].description == rest[1]
        return files[1].deleted if kind == "deleted" else model.name == rest[0]

    return [promise for promise in promises if not holds(*promise)]


def half_done(found: ReadRegistry) -> list[str]:
    """What no crash may leave: something unreadable, a gap, a stage or alias without its entry in the history."""
    wrong = [problem.message for problem in found.problems]
    for model in found.models:
        numbers = [version.file.version for version in model.versions]
        wrong += [] if numbers == list(range(1, len(numbers) + 1)) else [f"gaps in {numbers}"]
        for version in model.versions:
            moves = [change.to for change in version.file.history if change.action == "stage"]
            wrong += [] if version.file.stage == (moves or ["None"])[-1] else [f"stage of {version.version}"]
        last = {change.alias: change.to for change in model.file.history if change.action == "alias"}
        wrong += [] if last == model.file.aliases else ["aliases"]
    return wrong


def crash_at(root: Path, point: int, part: float | None) -> list[Promise]:
    """Run the script in a child that dies at the point; returns what it was promised."""
    pipe = Pipe()
    child = os.fork()
    if child == 0:
        _io.fault = Crash(point, part)
        try:
            perform(root, pipe.send)
        finally:
            os._exit(1)
    promises = pipe.received()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9, f"the child passed point {point} alive"
    return promises


def test_a_crash_leaves_nothing_half_registered(fast_folder: Path, figure: Figure) -> None:
    """The process ends before each operation on files, and in the middle of each write: the registry reads, what was
    acknowledged is there, each change is there as a whole or not at all, and the next process goes on at once."""
    dry = Store.open(fast_folder / "dry").root
    seen = points_of(lambda: perform(dry, lambda promises: None))
    plan: list[tuple[int, float | None]] = [(number, None) for number in range(1, len(seen) + 1)]
    promised = 0
    writes = [number for number, operation in enumerate(seen, 1) if operation == "append"]
    plan += [(number, part) for number in writes for part in TORN]
    for number, (point, part) in enumerate(plan):
        root = Store.open(fast_folder / str(number)).root
        promises = crash_at(root, point, part)
        found = read_registry(root)
        assert half_done(found) == [], f"point {point} ({part})"
        assert not promises or broken(found, promises) == [], f"point {point} ({part})"
        promised += len(promises)
        goes_on(root, found)
    figure("R5", f"{len(plan):,} crash points of a registrar, {promised:,} acknowledged changes: 0 lost, 0 half done")


def goes_on(root: Path, found: ReadRegistry) -> None:
    """The next process registers a version and moves it, without waiting for the one that is gone."""
    registry = Registry(root)
    name = found.models[0].name if found.models else "iris"
    expected = len(found.models[0].versions) + 1 if found.models else 1
    version = registry.register(name, path=PATH, digest=DIGEST)
    assert version.file.version == expected
    assert registry.set_stage(name, version.version, "Staging", by="Bob").file.stage == "Staging"


@pytest.fixture(autouse=True)
def _own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_USER", "Ada")
