"""Every file of a small mlruns folder, damaged in every way: no exception, and every other run is still imported."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.promises.figures import PROPERTY
from tracker.foreign.importing import ImportReport, import_store
from tracker.reader import read_history, read_store
from tracker.schema import RunFile

from .hand import small

STEP = 16
PARTS = 4
PLAIN = ("params", "tags", "aliases", "artifacts")
"""Folders of files that hold a bare text: nothing in them tells that it is not the one that was written."""


def damages(root: Path, files: list[Path]) -> Iterator[tuple[Path, str, bytes]]:
    """Each file with what stands in it instead, and how it came about."""
    for number, path in enumerate(files):
        data = path.read_bytes()
        for length in range(STEP, len(data), STEP):
            yield path, "truncated", data[:length]
        yield path, "emptied", b""
        yield path, "zeros", b"\0" * len(data)
        yield path, "replaced", files[(number - 7) % len(files)].read_bytes()


def told_of(report: ImportReport, place: str) -> bool:
    """Whether a problem names the file, or the folder that it stands for."""
    return any(problem.path in (place, place.removesuffix("/meta.yaml")) for problem in report.problems)


def runs_of(store: Path) -> dict[str, tuple[RunFile, object]]:
    """What the runs of a store say, points included."""
    return {
        run.file.run_id: (run.file, read_history(run.folder).series) for run in read_store(store, cache=False).runs()
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_damage(part: int, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Whatever one file holds: nothing raises, all other runs are as they were, and the damage has a problem."""
    made = small(tmp_path / "mlruns")
    files = sorted(path for path in made.root.rglob("*") if path.is_file())
    import_store(made.root, tmp_path / "sound")
    sound, sound_bytes = runs_of(tmp_path / "sound"), {path: path.read_bytes() for path in files}
    counts: Counter[str] = Counter()
    for number, (path, how, data) in enumerate(damages(made.root, files)):
        if number % PARTS != part or data == sound_bytes[path]:
            continue
        path.write_bytes(data)
        store = tmp_path / "store"
        report = import_store(made.root, store)
        path.write_bytes(sound_bytes[path])
        found = runs_of(store)
        place = path.relative_to(made.root).as_posix()
        assert set(found) == set(sound), (place, how)  # the folder of a run is its name
        others = [key for key in found if key not in place and found[key] != sound[key]]
        assert others == [] or len(path.relative_to(made.root).parts) < 3 or "datasets" in place, (place, how, others)
        if not set(PLAIN) & set(path.parts):
            assert told_of(report, place), (place, how, report.problems)
        counts[how] += 1
        shutil.rmtree(store)
    assert counts.keys() == {"truncated", "emptied", "zeros", "replaced"}
    told = ", ".join(f"{count:,} {how}" for how, count in sorted(counts.items()))
    record_property(PROPERTY, ("R4", f"mlruns, part {part + 1} of {PARTS}: {told}; 0 exceptions, 0 runs lost"))
