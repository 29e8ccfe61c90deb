"""Every file of small folders of DVCLive, Sacred and tables, damaged in every way: the same promise as for mlruns."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.promises.figures import PROPERTY
from tracker.foreign.dvclive import _is_run
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.mlruns_files import Files
from tracker.foreign.text_files import find_folders
from tracker.reader import read_history, read_store

from .reading import read_all, told, write
from .test_damage import damages

TIME = 1_700_000_000
PLAIN = (".txt", ".png", ".py", ".bin")
"""Endings of files that hold anything: nothing in them tells that it is not what was written."""
POINTS = "timestamp\tstep\t{}\n" + "".join(f"{TIME + step}000\t{step}\t{1 / (step + 1)}\n" for step in range(4))


def dvclive(root: Path) -> Path:
    """Two runs of DVCLive."""
    for name in ("one", "two"):
        write(
            root / name / "dvclive",
            {
                "metrics.json": json.dumps({"loss": 0.25, "train": {"acc": 0.25}, "step": 3}, indent=4) + "\n",
                "params.yaml": "lr: 0.1\nopt:\n  name: adam\n",
                "plots/metrics/loss.tsv": POINTS.format("loss"),
                "plots/metrics/train/acc.tsv": POINTS.format("acc"),
                "plots/images/a.png": bytes(range(40)),
            },
        )
    return root


def sacred(root: Path) -> Path:
    """Two runs of Sacred."""
    for number in ("1", "2"):
        start = f"2024-01-0{number}T00:00:00.123456"
        head = {
            "artifacts": ["a.bin"],
            "experiment": {"name": "digits", "sources": [["train.py", "_sources/train_ab.py"]], "mainfile": "train.py"},
            "host": {"python_version": "3.11.7"},
            "status": "COMPLETED",
            "result": 0.5,
            "start_time": start,
            "stop_time": start,
        }
        loss = {"steps": [0, 1], "values": [1.0, 0.5], "timestamps": [start, start]}
        files = {"run.json": head, "config.json": {"lr": 0.1, "seed": 3}, "metrics.json": {"loss": loss}}
        write(root / number, {name: json.dumps(value, indent=2) for name, value in files.items()})
        write(root / number, {"cout.txt": "hello\n", "a.bin": bytes(range(40)), "info.json": '{"a": {"b": 1}}'})
    return write(root, {"_sources/train_ab.py": "print()\n"})


def lightning(root: Path) -> Path:
    """Two runs of Lightning's."""
    for number in range(2):
        rows = "".join(f"{step // 2},{step},{1 / (step + 1)},{0.5 if step % 2 else ''}\n" for step in range(6))
        write(
            root / f"version_{number}",
            {"metrics.csv": f"epoch,step,loss,val_loss\n{rows}", "hparams.yaml": "lr: 0.1\nsizes:\n- 1\n- 2\n"},
        )
    return root


def lines(root: Path) -> Path:
    """Two runs as JSON lines."""
    for name, lr in (("a", 0.1), ("b", 0.25)):
        rows = [
            {"step": step, "timestamp": TIME + step, "loss": lr / (step + 1), "config": {"lr": lr}} for step in range(5)
        ]
        write(root, {f"{name}/metrics.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    return root


KINDS: dict[str, Callable[[Path], Path]] = {"dvclive": dvclive, "sacred": sacred, "csv": lightning, "jsonl": lines}


def content(store: Path) -> dict[str, object]:
    """What the runs of a store say by name, points and artifacts included."""
    return {
        run.file.name: (
            run.file,
            read_history(run.folder).series,
            {path.name: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()},
        )
        for run in read_store(store, cache=False).runs()
    }


def is_silent(path: Path, how: str, data: bytes) -> bool:
    """Whether nothing in a file can tell that it is not the one that was written."""
    if path.suffix in PLAIN:
        return True
    cut_between_rows = how == "truncated" and data.endswith(b"\n") and path.suffix != ".json"
    other_of_its_kind = how == "replaced" and path.suffix != ".tsv"
    json_is_yaml = how == "replaced" and path.suffix in (".yaml", ".json")
    whole_row = how == "truncated" and path.suffix == ".jsonl" and data.endswith(b"}}")
    return cut_between_rows or other_of_its_kind or json_is_yaml or whole_row


@pytest.mark.parametrize("kind", KINDS)
def test_damage(kind: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Whatever one file holds: nothing raises, all other runs are as they were, and the damage has a problem."""
    root = KINDS[kind](tmp_path / "source")
    files = sorted(path for path in root.rglob("*") if path.is_file())
    for path in files:
        os.utime(path, (TIME, TIME))
    import_store(open_foreign(root), tmp_path / "sound")
    sound = content(tmp_path / "sound")
    assert len(sound) == 2
    counts: Counter[str] = Counter()
    for path, how, data in damages(root, files):
        before = path.read_bytes()
        if data == before:
            continue
        path.write_bytes(data)
        os.utime(path, (TIME, TIME))
        store = open_foreign(root, kind)
        report = import_store(store, tmp_path / "store")
        path.write_bytes(before)
        os.utime(path, (TIME, TIME))
        found, place = content(tmp_path / "store"), path.relative_to(root).as_posix()
        shutil.rmtree(tmp_path / "store")
        mine = {name for name in sound if place.startswith(f"{name}/")} or {
            name for name in sound if "_sources" in place
        }
        assert {name: found.get(name) for name in sound.keys() - mine} == {
            name: sound[name] for name in sound.keys() - mine
        }, (place, how)
        assert found.keys() <= sound.keys()
        if kind in ("dvclive", "sacred"):
            assert found.keys() == sound.keys()
        if not is_silent(path, how, data):
            assert any(problem.path == place for problem in report.problems), (place, how, data, told(store))
        counts[how] += 1
    assert counts.keys() == {"truncated", "emptied", "zeros", "replaced"}
    figures = ", ".join(f"{count:,} {how}" for how, count in sorted(counts.items()))
    record_property(PROPERTY, ("R4", f"{kind}: {figures}; 0 exceptions, other runs unchanged"))


@pytest.mark.parametrize("kind", KINDS)
def test_links_and_pipes(kind: str, tmp_path: Path) -> None:
    """Each file as a link to one outside, as a pipe, as a folder: nothing is followed, waited for or raised."""
    root = KINDS[kind](tmp_path / "source")
    secret = write(tmp_path, {"secret": "password"}) / "secret"
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        for make in (lambda at: at.symlink_to(secret), os.mkfifo, Path.mkdir):
            path.unlink()
            make(path)
            store = open_foreign(root, kind)
            for run in read_all(store).values():
                kept = [one for one in run.files.values() if isinstance(one, Path)]
                assert not any(one.is_symlink() for one in kept)
                assert "password" not in str(run)
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            path.write_bytes(data)


def test_a_folder_that_leads_out(tmp_path: Path) -> None:
    """A link to a folder with runs is told, and not gone into."""
    for kind, make in KINDS.items():
        root = make(tmp_path / kind)
        make(tmp_path / "elsewhere" / kind)
        (root / "link").symlink_to(tmp_path / "elsewhere" / kind)
        store = open_foreign(root, kind)
        assert len(read_all(store)) == 2
        assert told(store) == ["link: is a link,"]


def test_the_search_is_bounded(tmp_path: Path) -> None:
    """The search for runs ends at a number of folders, which is told, and at a depth."""
    files = Files(write(tmp_path, {f"{name}/dvclive/metrics.json": "{}" for name in ("a", "b", "c/d/e/f/g/h")}))
    assert [path.parent.name for path in find_folders(files, _is_run)] == ["a", "b"]
    assert files.problems == []
    assert list(find_folders(files, _is_run, 4)) == []
    assert [problem.message for problem in files.problems] == [
        "holds more than 4 folders; the others are not looked at"
    ]
