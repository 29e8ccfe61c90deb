"""Databases damaged page by page, and what reading them must not do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tracker.exceptions import InvalidValueError, NotAStoreError
from tracker.foreign.kinds import open_foreign
from tracker.foreign.records import ForeignStore


def damages(data: bytes, page: int, pages: list[int]) -> Iterator[tuple[str, bytes]]:
    """How a database was damaged, and what it became."""
    for number in pages:
        start, end = number * page, (number + 1) * page
        other = (number * 7 + 3) % (len(data) // page) * page
        yield "zeroed pages", data[:start] + bytes(page) + data[end:]
        yield "pages of noise", data[:start] + random.Random(number).randbytes(page) + data[end:]
        yield "pages that are another's", data[:start] + data[other : other + page] + data[end:]
        yield "truncated", data[: start + number % page]


def content_of(store: ForeignStore) -> dict[str, str]:
    """What stands in a store, by run; everything else under an empty id. As text, so that NaN equals NaN."""
    runs = {run.run_id: repr(run) for run in store.runs()}
    return {**runs, "": repr([list(store.experiments()), list(store.models())])}


def try_all(path: Path, kind: str, cases: Iterator[tuple[str, bytes]]) -> tuple[Counter[str], list[int]]:
    """Read each damaged database; how often each damage was tried, and how many runs each one cost."""
    sound = content_of(open_foreign(path, kind))
    original, names = path.read_bytes(), sorted(other.name for other in path.parent.iterdir())
    counts: Counter[str] = Counter()
    lost = []
    for how, data in cases:
        if data == original:
            continue
        path.write_bytes(data)
        counts[how] += 1
        try:
            store = open_foreign(path, kind)
        except (InvalidValueError, NotAStoreError):
            assert not data.startswith(b"SQLite format 3\0")
            continue
        found = content_of(store)
        changed = [key for key, value in sound.items() if found.get(key) != value]
        assert not changed or any(problem.path.startswith(path.name) for problem in store.problems), (how, changed)
        lost.append(len(sound.keys() - found.keys()))
        assert sorted(other.name for other in path.parent.iterdir()) == names
    path.write_bytes(original)
    return counts, lost


def told(counts: Counter[str]) -> str:
    """The counts in words."""
    return ", ".join(f"{count:,} {how}" for how, count in sorted(counts.items()))
