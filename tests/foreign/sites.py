"""A store of another tracker, built as it lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from site_builder.build import build
from tests.promises.figures import PROPERTY
from tracker.artifact_files import list_artifacts
from tracker.foreign.kinds import open_foreign
from tracker.reader import read_store
from tracker.registry import read_registry

Record = Callable[[str, object], None]


def check_site(source: Path, folder: Path, by: str, record_property: Record) -> None:
    """The site of a source has a page for every run that an import would bring, and is not written twice.

    `by` says which version of what wrote it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKER_CACHE", str(folder / "cache"))
        result = build(source, folder / "site")
        (store,) = (folder / "cache" / "stores").iterdir()
        shown = {run.file.run_id: run for run in read_store(store, cache=False).runs()}
        foreign = open_foreign(source)
        wanted = {run.run_id: run for run in foreign.runs() if not run.deleted}
        assert shown.keys() <= wanted.keys() and result.sources[0].kind == foreign.kind
        for run_id, run in shown.items():
            assert run.file.metrics.keys() == wanted[run_id].series.keys()
            assert run.file.name in (folder / "site" / "runs" / run_id / "index.html").read_text("utf-8")
        record_property(PROPERTY, ("kinds", f"{foreign.kind} by {by}: {_counted(store)}"))
        again = build(source, folder / "site")
        assert (again.written, again.problems) == (0, result.problems)


def _counted(root: Path) -> str:
    """What a store holds, in numbers."""
    counts: Counter[str] = Counter()
    for run in read_store(root, cache=False).runs():
        counts["runs"] += 1
        counts["params"] += len(run.file.params)
        counts["points"] += sum(metric.count for metric in run.file.metrics.values())
        counts["tags"] += len(run.file.tags)
        counts["artifacts"] += sum(1 for _ in list_artifacts(run.folder))
    counts["model versions"] = sum(len(model.live) for model in read_registry(root).models)
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
