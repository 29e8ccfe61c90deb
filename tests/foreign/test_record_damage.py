"""Event files and files of W&B, damaged in every way: nothing raises, other runs stay, and little more is lost."""

from __future__ import annotations

import math
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.promises.figures import PROPERTY
from tracker.foreign import tfevents, tfrecords, wandb_log
from tracker.foreign.importing import import_store
from tracker.foreign.records import FilePart, ForeignRun
from tracker.foreign.tensorboard import TensorboardStore
from tracker.foreign.tfrecords import read_records
from tracker.foreign.wandb_log import read_log
from tracker.foreign.wandb_runs import WandbStore
from tracker.reader import read_store

from .frames import log_file, run_record, text_item
from .wire import WALL, blob, check, double, scalar, varint, write_events

STEP = 16
Points = set[tuple[str, int, float]]
Store = Callable[[Path], TensorboardStore | WandbStore]


def damages(data: bytes, other: bytes, every: int) -> Iterator[tuple[str, bytes]]:
    """What stands in a file instead, and how it came about; a bit is flipped in every so many bytes."""
    for length in range(STEP, len(data), STEP):
        yield "truncated", data[:length]
    for place in range(0, len(data), every):
        yield "flipped", data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
    for place in range(0, len(data), STEP):
        yield "cut out", data[:place] + data[place + 5 :]
        yield "put in", data[:place] + b"\0\1\2" + data[place:]
        yield "zeroed", data[:place] + bytes(min(STEP, len(data) - place)) + data[place + STEP :]
    yield "emptied", b""
    yield "zeros", bytes(len(data))
    yield "replaced", other


def points_of(run: ForeignRun | None) -> Points:
    """All points of a run, a NaN as a text."""
    if run is None:
        return set()
    return {
        (key, step, value if value == value else math.inf)
        for key, one in run.series.items()
        for step, value in zip(one.steps, one.values, strict=True)
    }


def runs_in(open_store: Store, root: Path) -> tuple[dict[str, ForeignRun], list[str], int]:
    """Runs by place, the paths of problems, and how often a record was told to be damaged."""
    store = open_store(root)
    runs = {run.place: run for run in store.runs()}
    return runs, [problem.path for problem in store.problems], len(store.problems)


def check_damages(
    open_store: Store, sound: Path, path: Path, other: bytes, most_lost: int, every: int = 1
) -> Counter[str]:
    """Damage a file in every way, with a sound run beside its own."""
    root = sound.parent
    data, place = path.read_bytes(), path.parent.relative_to(root).as_posix()
    whole, told, _ = runs_in(open_store, root)
    assert set(whole) == {sound.relative_to(root).as_posix(), place}
    assert told == []
    boundaries = {len(data)}
    if open_store is TensorboardStore:
        boundaries |= {offset for offset, _ in read_records(path, lambda *_: None)}
    else:
        boundaries |= {offset for offset, _ in read_log(path, lambda *_: None)}
    wanted = points_of(whole[place])
    counts: Counter[str] = Counter()
    for how, damaged in damages(data, other, every):
        if damaged == data:
            continue
        path.write_bytes(damaged)
        found, told, _ = runs_in(open_store, root)
        case = (how, len(damaged))
        assert found[sound.name] == whole[sound.name], case
        kept = points_of(found.get(place))
        assert kept <= wanted or how == "replaced", case
        if how in ("flipped", "cut out", "put in"):
            assert len(kept) >= len(wanted) - most_lost, (case, wanted - kept)
        if not (how == "truncated" and len(damaged) in boundaries) and how != "replaced":
            assert path.relative_to(root).as_posix() in told, case
        counts[how] += 1
    path.write_bytes(data)
    return counts


def tell(record_property: Callable[[str, object], None], what: str, counts: Counter[str]) -> None:
    """The figures of a test."""
    told = ", ".join(f"{count:,} {how}" for how, count in sorted(counts.items()))
    record_property(PROPERTY, ("R4", f"{what}: {told}; 0 exceptions, 0 other runs changed, 1 record lost at most"))


@pytest.mark.parametrize("name", ["plain", "exp1/both/train"])
def test_event_files(
    name: str,
    by_tensorboard: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Whatever happens to an event file of a real writer, at most the records that were hit are lost."""
    source = next(path for path in (by_tensorboard[0] / name).iterdir() if path.is_file())
    write_events(tmp_path / "sound", scalar("loss", 0.5, 1), scalar("loss", 0.25, 2))
    (tmp_path / "hit").mkdir()
    path = Path(shutil.copy(source, tmp_path / "hit"))
    counts = check_damages(TensorboardStore, tmp_path / "sound", path, b"no such thing" * 9, most_lost=1)
    tell(record_property, f"event file of {name}", counts)


def test_tags_outlive_the_record_that_explains_them(
    by_tensorboard: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """The first value of a tag says of what kind it is; when it is damaged, the others are still read."""
    source = next((by_tensorboard[0] / "tf2" / "train").iterdir())
    (tmp_path / "a").mkdir()
    path = Path(shutil.copy(source, tmp_path / "a"))
    whole = runs_in(TensorboardStore, tmp_path)[0]["a"]
    data = path.read_bytes()
    offsets = [offset for offset, _ in read_records(path, lambda *_: None)]
    for offset in offsets:
        path.write_bytes(data[: offset + 20] + b"\xff" + data[offset + 21 :])
        found = runs_in(TensorboardStore, tmp_path)[0]["a"]
        assert points_of(found) <= points_of(whole)
        assert len(points_of(found)) >= len(points_of(whole)) - 2  # one record has two values
        assert len(found.files) >= len(whole.files) - 2


def test_files_of_wandb(
    by_wandb: tuple[Path, dict[str, Any]], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Whatever happens to the file of a real run, no other run changes and the damage is named."""
    sound = tmp_path / "offline-run-20260101_000000-sound"
    log_file(sound / "run-sound.wandb", run_record("sound", "p"), blob(18, b"\x08\x00"))
    folder = tmp_path / by_wandb[1]["failedid"]["folder"]
    shutil.copytree(by_wandb[0] / folder.name, folder)
    path = folder / "run-failedid.wandb"
    counts = check_damages(
        WandbStore, sound, path, b"no such thing" * 9, most_lost=12, every=7
    )  # 12 system metrics are one record
    tell(record_property, "file of W&B", counts)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A message that another program might have written: bytes changed, cut out or doubled."""
    found = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(found) + 1)
        end = min(len(found), place + chance.randrange(1, 9))
        found[place:end] = chance.choice([b"", chance.randbytes(end - place), bytes(found[place:end]) * 2, b"\x0a\0"])
    return bytes(found)


def test_messages_of_any_content(
    by_tensorboard: tuple[Path, dict[str, Any]], by_wandb: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Records whose checks are right but whose content is not never raise, and no store ends up unreadable."""
    chance = random.Random(4)
    events = [
        data
        for path in sorted(by_tensorboard[0].rglob("*tfevents*"))
        for _, data in read_records(path, lambda *_: None)
        if len(data) < 1_000
    ]
    (log,) = (by_wandb[0] / by_wandb[1]["fullid"]["folder"]).glob("*.wandb")
    records = [data for _, data in read_log(log, lambda *_: None)]
    for number in range(20):
        mixed = [mutated(data, chance) if chance.random() < 0.5 else data for data in events]
        write_events(tmp_path / f"{number}" / "tb" / "a", *mixed)
        log_file(
            tmp_path / f"{number}" / "wb" / "run-a.wandb",
            *(mutated(data, chance) if chance.random() < 0.5 else data for data in records),
        )
        for kind in ("tb", "wb"):
            store = tmp_path / "stores" / f"{number}-{kind}"
            assert import_store(tmp_path / f"{number}" / kind, store).runs_new == 1
            assert read_store(store, cache=False).problems == ()


def test_a_record_of_wandb_is_lost_alone(tmp_path: Path) -> None:
    """A flipped bit in any byte of a step costs that step, and no other."""
    folder = tmp_path / "run-20260101_000000-a"
    item = text_item("loss", "0.5")
    steps = [blob(2, blob(1, item) + blob(2, b"\x08" + varint(step))) for step in range(6)]
    path = log_file(folder / "run-a.wandb", run_record("a", "p"), *steps)
    data = path.read_bytes()
    begin = len(data) - sum(7 + len(step) for step in steps)
    for place in range(begin, len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        (run,) = runs_in(WandbStore, tmp_path)[0].values()
        assert len(run.series["loss"]) == 5


def test_imports_go_on(tmp_path: Path) -> None:
    """A damaged event file is imported with what is left of it, and the report names the file and the byte."""
    events = [scalar("loss", step / 8, step) for step in range(50)]
    path = write_events(tmp_path / "runs" / "a", *events)
    data = bytearray(path.read_bytes())
    middle = [offset for offset, _ in read_records(path, lambda *_: None)][25]
    data[middle + 30] ^= 4
    path.write_bytes(data)
    report = import_store(tmp_path / "runs", tmp_path / "store")
    assert (report.runs_new, report.points) == (1, 49)
    (problem,) = report.problems
    assert problem.path == "a/events.out.tfevents.1700000000.eves-laptop"
    assert f"byte {middle:,}" in problem.message


def test_large_holes_are_passed_over(tmp_path: Path) -> None:
    """Megabytes of zeros or noise in the middle do not hide the records behind them."""
    events = [scalar("loss", step / 8, step) for step in range(9)]
    first = write_events(tmp_path / "a", *events).read_bytes()
    noise = bytes(range(256)) * 8_192 + b"\1\0\0\0\0\0\0\0" * 10_000
    for hole in (bytes(3_000_000), noise):
        path = tmp_path / "a" / "events.out.tfevents.1700000000.eves-laptop"
        path.write_bytes(first + hole + first)
        told: list[tuple[int, str]] = []
        assert len(list(read_records(path, lambda *what, told=told: told.append(what)))) == 20
        assert len(told) == 1


def test_searches_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could be a header everywhere is not searched for ever, and that is told."""
    monkeypatch.setattr(tfrecords, "MAX_SEARCH", 1_000)
    monkeypatch.setattr(wandb_log, "MAX_SEARCH", 1_000)
    path = write_events(tmp_path / "a", scalar("loss", 0.5, 1))
    path.write_bytes(path.read_bytes() + b"\1\0\0\0\0\0\0\0" * 100_000)
    told: list[str] = []
    assert len(list(read_records(path, lambda _, what: told.append(what)))) == 2
    assert len(told) == 1
    log = log_file(tmp_path / "run-a.wandb", run_record("a", "p"))
    log.write_bytes(log.read_bytes() + b"\1\0" * 100_000)
    assert len(list(read_log(log, lambda _, what: told.append(what)))) == 1


def test_checks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers that each promise a large record are not checked one by one, over the same bytes again and again."""
    monkeypatch.setattr(tfrecords, "MAX_SEARCH", 1_000)
    path = write_events(tmp_path / "a", scalar("loss", 0.5, 1))
    length = (1 << 18).to_bytes(8, "little")
    path.write_bytes(path.read_bytes() + (length + check(length)) * 30_000 + bytes(1 << 19))
    told: list[str] = []
    assert len(list(read_records(path, lambda _, what: told.append(what)))) == 2
    assert len(told) < 10
    assert told[-1] == "is damaged, and nothing that follows can be read"


def test_restarts_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Restarts make void what was logged from their step on; beyond a number of them that is told, and they do not."""
    restart = [double(1, WALL) + b"\x10" + varint(step) + blob(7, b"\x08\x01") for step in range(8)]
    events = [scalar("loss", step, step) for step in range(6)]
    events += [restart[5], restart[2], scalar("loss", 7, 2), scalar("loss", 8, 7), restart[3], scalar("loss", 9, 3)]
    write_events(tmp_path / "logs", *events, restart[1])
    for limit, steps in ((4, [0]), (3, [0, 1, 2, 3]), (2, [0, 1, 2, 3, 7])):
        monkeypatch.setattr(tfevents, "MAX_RESTARTS", limit)
        store = TensorboardStore(tmp_path / "logs")
        (run,) = store.runs()
        assert run.series["loss"].steps == steps
        assert [problem.message.split(";")[0] for problem in store.problems] == (
            [f"has more than {limit} restarts"] if limit < 4 else []
        )


def test_images_of_one_record(tmp_path: Path) -> None:
    """Each of many images in a record is found where it lies, those that hold the same bytes, too."""
    images = [str(number % 7).encode() * 9 for number in range(20_000)]
    values = b"".join(blob(1, blob(1, b"a") + blob(4, blob(4, one))) for one in images)
    path = write_events(tmp_path / "logs", double(1, WALL) + blob(5, values))
    (run,) = TensorboardStore(tmp_path / "logs").runs()
    parts = [part for part in run.files.values() if isinstance(part, FilePart)]
    data = path.read_bytes()
    assert [data[part.start : part.start + part.size] for part in parts] == images
    assert len({part.start for part in parts}) == len(images)


def test_lengths_beyond_reason_are_refused(tmp_path: Path) -> None:
    """A header that promises more than any record has is no header, whatever its check says."""
    path = write_events(tmp_path / "a", scalar("loss", 0.5, 1))
    huge = (1 << 31).to_bytes(8, "little")
    path.write_bytes(path.read_bytes() + huge + check(huge) + b"x" * 100)
    told: list[str] = []
    assert len(list(read_records(path, lambda _, what: told.append(what)))) == 2
    assert told == ["is damaged in its length, and nothing that follows can be read"]
