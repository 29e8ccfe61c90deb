"""R4: no damage to a run breaks the listing or the build, changes another run, or costs data without being named."""

from __future__ import annotations

import html
import itertools
import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

import tracker
from site_builder.build import build
from tracker import logs, reader, search
from tracker.artifact_files import list_artifacts
from tracker.cli import main
from tracker.reader import ReadRun, ReadStore

from .conftest import Figure
from .damage import Damage, byte_damages, damaged, depth_damages, field_damages, foreign_damages, kind_damages

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")]

PLACES = 5
"""How often each way to change bytes is used on each file."""
STRIDE = 4
"""Every so manieth wrong value of a field is used; no divisor of their number, so that all come up."""
BUILDS = 90
SILENT = {"flip", "field", "duplicate", "duplicate line", "swap lines"}
"""What may leave a file that reads well, with another value or an unknown field: there are no checksums."""
CUTS = {"cut", "cut head", "cut out", "glue lines"}
"""What may leave whole lines only."""
UNSEEN = {"run.json": SILENT | {"NUL", "cut out"}, "ended": SILENT | {"NUL", "bad UTF-8"}}
UNSEEN["killed"] = UNSEEN["ended"] | CUTS
"""What `run.json`, a log that was closed, and one that was not, need not tell. Of a log no record gets lost unseen."""
ENVIRONMENT = {
    "python": "3.11.7", "platform": "Linux", "command": ["train.py", "--lr=1"], "packages": {"numpy": "2.0"},
    "cpu": "c", "gpu": ["g"], "diff": "d",
}  # fmt: skip


@dataclass
class Shop:
    """A store with an ended run, one whose process was killed, and others, and what they are without damage."""

    root: Path
    runs: dict[str, ReadRun] = field(default_factory=dict)
    facts: dict[str, set[tuple[object, ...]]] = field(default_factory=dict)

    @classmethod
    def open(cls, root: Path) -> Shop:
        """Log the runs in processes that are gone now."""
        for name in ("ended", "killed", "near", "far"):
            child = os.fork()
            if child == 0:
                _log(name)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        (root.parent / "outside.json").write_text('{"metric": "secret", "value": 1.0}\n')
        shop = cls(root)
        for run in shop.read().runs():
            (run.folder / "environment.json").write_text(json.dumps(ENVIRONMENT, indent=1))
        shop.runs = {run.file.name: run for run in shop.read().runs()}
        shop.facts = {name: facts(run) for name, run in shop.runs.items()}
        assert {name: run.file.status for name, run in shop.runs.items() if name != "killed"} == dict.fromkeys(
            ("ended", "near", "far"), "FINISHED"
        )
        return shop

    def read(self) -> ReadStore:
        """List the store as a program does that has never seen it."""
        return reader.read_store(self.root, cache=False)

    @property
    def experiment(self) -> Path:
        """The folder that all damage is done in."""
        return self.root / "experiments" / "first"

    def damages(self, victim: str | None) -> list[Damage]:
        """Everything that can happen to a run, or to `experiment.yaml`."""
        return list(self._of_run(victim) if victim else self._of_experiment())

    def _of_run(self, victim: str) -> Iterator[Damage]:
        folder = self.runs[victim].folder
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        for path in files:
            yield from self._of_file(path)
        for place in ("", "log", "artifacts", "artifacts/a", "artifacts/new", "log/new.jsonl", ".new-0"):
            yield from kind_damages(self._target(folder / place), self.root.parent / "outside.json")
        for place in ("artifacts", "artifacts/new", "log/new.jsonl"):
            yield from depth_damages(self._target(folder / place))
        for path in (folder / "run.json", folder / "environment.json"):
            yield from itertools.islice(field_damages(self._target(path), path.read_text()), 0, None, STRIDE)
        yield from itertools.islice(self._of_records(min(folder.glob("log/*"))), 0, None, STRIDE)

    def _of_file(self, path: Path) -> Iterator[Damage]:
        yield from byte_damages(self._target(path), path.read_bytes(), PLACES)
        yield from foreign_damages(self._target(path))
        yield from kind_damages(self._target(path), self.root.parent / "outside.json")

    def _of_records(self, log: Path) -> Iterator[Damage]:
        """Wrong values in a record of each kind."""
        lines = log.read_text().splitlines(keepends=True)
        kinds = [next(iter(json.loads(line))) for line in lines]
        for kind in dict.fromkeys(kinds):
            at = kinds.index(kind)
            around = "".join(lines[:at]), "".join(lines[at + 1 :])
            yield from field_damages(self._target(log), lines[at], around=around)

    def _of_experiment(self) -> Iterator[Damage]:
        path = self.experiment / "experiment.yaml"
        yield from self._of_file(path)
        text = json.dumps(msgspec.to_builtins(reader.read_experiment_file(self.experiment)))
        yield from field_damages(self._target(path), text)

    def _target(self, path: Path) -> str:
        return path.relative_to(self.experiment).as_posix()


def _log(name: str) -> None:
    tracker.set_experiment(
        "second" if name == "far" else "first", description="# It", tags={"a": "b"}, goal={"acc": "maximize"}
    )
    run = tracker.start_run(run_name=name, description="A *note*.", tags={"team": "a"})
    tracker.log_params({"lr": 0.1, "opt": "adam", "flag": True, "none": None, "odd": float("nan")})
    for step in range(8):
        tracker.log_metrics({"val/loss": 1 / (step + 1), "acc": step / 8 if step != 3 else float("nan")}, step=step)
    tracker.log_text("hello\n", "a/notes.txt")
    tracker.log_text("x,y\n1,2\n", "t.csv")
    if name == "killed":
        os._exit(0)
    tracker.end_run()
    with tracker.start_run(run_id=run.run_id):
        tracker.log_metric("late", 1.0)


def facts(run: ReadRun | None) -> set[tuple[object, ...]]:
    """What can be read of a run: its points, params and tags."""
    if run is None:
        return set()
    series = reader.read_history(run.folder).series
    points = {
        (key, *point)
        for key, found in series.items()
        for point in zip(found.steps, found.times, map(repr, found.values), strict=True)
    }
    return points | {("param", key) for key in run.file.params} | {("tag", key) for key in run.file.tags}


def is_loss(damage: Damage, victim: ReadRun, before: set[tuple[object, ...]], now: ReadRun | None) -> bool:
    """Whether the damage cost something that the files can tell of."""
    after, name = facts(now), Path(damage.target).name
    if name.endswith(".jsonl") and damage.kind in UNSEEN[victim.file.name]:
        return damage.kind not in CUTS and len(after) < len(before)
    if name in UNSEEN and damage.kind in UNSEEN[name]:
        return False
    if victim.file.name == "killed" and not any(log.lines for log in logs.read_logs(victim.folder).files):
        return False  # only its log could tell that there was one
    return not before <= after


def test_no_damage_breaks_the_listing(store: Path, figure: Figure) -> None:
    """Listing and searching never raise, the other runs are what they were, and what was lost is named."""
    shop = Shop.open(store)
    count, losses, wrong = 0, 0, []
    for victim in ("ended", "killed"):
        before = shop.facts[victim]
        for damage in shop.damages(victim):
            count += 1
            with damaged(shop.experiment, damage):
                found = shop.read()
                now = {run.folder.name: run for run in found.runs()}
                others = all(now[run.folder.name] == run for name, run in shop.runs.items() if name != victim)
                lost = is_loss(damage, shop.runs[victim], before, now.get(shop.runs[victim].folder.name))
                named = bool(found.problems or reader.read_history(shop.runs[victim].folder).problems)
                if count % 10 == 0:
                    _search(shop.root)
            losses += lost
            if not others or (lost and not named):
                wrong.append((damage.name, others, named))
    assert wrong == []
    assert count >= 2000
    figure("R4", f"{count:,} ways to damage one run of four, read and searched: 0 exceptions, the other runs equal")
    figure("R4", f"{losses:,} of them cost data: {losses:,} named")
    assert {run.file.name: run for run in shop.read().runs()} == shop.runs


def _search(root: Path) -> None:
    query = "metrics.acc < 1 and params.lr > 0 and start_time > 0 and tags.team = 'a'"
    search.search_runs(root, filter_string=query, output_format="list", order_by=["metrics.acc DESC", "params.opt"])
    search.search_runs(root, order_by=["end_time DESC"])


def test_no_damage_to_an_experiment_file_loses_its_runs(store: Path, figure: Figure) -> None:
    """All runs of all experiments are what they were, and a file that cannot be read is named."""
    shop = Shop.open(store)
    before = shop.read().experiments[0].file
    wrong = []
    damages = shop.damages(None)
    for damage in damages:
        with damaged(shop.experiment, damage):
            found = shop.read()
        runs = {run.file.name: run for run in found.runs()}
        unnamed = found.experiments[0].file != before and not found.problems and damage.kind not in SILENT | CUTS
        if runs != shop.runs or unnamed:
            wrong.append((damage.name, unnamed))
    assert wrong == []
    figure("R4", f"{len(damages)} ways to damage experiment.yaml: 0 exceptions, all runs equal")


def test_no_damage_to_the_store_file_loses_its_runs(store: Path, figure: Figure) -> None:
    """Either all runs are what they were, or the store is refused because a newer tracker wrote it."""
    shop = Shop.open(store)
    outside = store.parent / "outside.json"
    data = (store / "store.yaml").read_bytes()
    text = json.dumps(msgspec.to_builtins(reader.read_store_file(store)))
    damages = [
        *byte_damages("store.yaml", data, PLACES), *foreign_damages("store.yaml"), *kind_damages("store.yaml", outside),
        *field_damages("store.yaml", text),
    ]  # fmt: skip
    refused = set()
    for damage in damages:
        with damaged(store, damage):
            try:
                assert {run.file.name: run for run in shop.read().runs()} == shop.runs, damage.name
            except tracker.exceptions.NewerSchemaError:
                refused.add(damage.kind)
    assert refused <= SILENT
    figure("R4", f"{len(damages)} ways to damage store.yaml: all runs equal, or refused as a newer store")


def test_no_damage_breaks_the_build(store: Path, tmp_path: Path, figure: Figure) -> None:
    """The pages of the other runs are the same to the byte, and the problems page names what cannot be read."""
    shop = Shop.open(store)
    good = _site(shop, tmp_path)
    wrong = []
    sample = _sample(shop)
    for victim, damage in sample:
        with damaged(shop.experiment, damage):
            for command in ("list", "experiments"):
                told = CliRunner().invoke(main, [command, "-s", str(store)], catch_exceptions=False)
                assert told.exit_code == 0, damage.name
            bad = _site(shop, tmp_path)
            same = _is_same(shop, victim, good, bad)
            named = _is_named(shop, damage, bad["problems/index.html"].decode())
            if not same or (_must_be_named(shop, victim, damage) and not named):
                wrong.append((damage.name, same, named))
    assert wrong == []
    assert _site(shop, tmp_path) == good
    figure("R4", f"{len(sample)} builds of a damaged store: 0 failed, pages of the other runs equal to the byte")


def _site(shop: Shop, folder: Path) -> dict[str, bytes]:
    """The files of a site that is built where there was none."""
    out = folder / "site"
    build(shop.root, out)
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    shutil.rmtree(out)
    return files


def _sample(shop: Shop) -> list[tuple[str | None, Damage]]:
    """One damage of each kind to each kind of file, and of those enough of each kind."""
    every = [(victim, damage) for victim in ("ended", "killed", None) for damage in shop.damages(victim)]
    random.Random(4).shuffle(every)
    first = {(Path(damage.target).suffix, damage.kind, damage.detail[:4]): (victim, damage) for victim, damage in every}
    kinds = itertools.groupby(sorted(first.values(), key=lambda pair: pair[1].kind), key=lambda pair: pair[1].kind)
    turns = itertools.zip_longest(*(list(pairs) for _, pairs in kinds))
    return [pair for turn in turns for pair in turn if pair][:BUILDS]


def _is_same(shop: Shop, victim: str | None, good: dict[str, bytes], bad: dict[str, bytes]) -> bool:
    """Whether the pages of the other runs, their data and files, are as they were; those of its experiment show it."""
    kept = {run.file.run_id for name, run in shop.runs.items() if victim not in (None, name) or name == "far"}
    of_others = [path for path in good if any(run in path for run in kept) or "/second" in path]
    return all(bad.get(path) == good[path] for path in of_others)


def _is_named(shop: Shop, damage: Damage, page: str) -> bool:
    """Whether the problems page lists the damaged file or folder, or one in it."""
    return f"<code>experiments/first/{html.escape(damage.target)}" in page


def _must_be_named(shop: Shop, victim: str | None, damage: Damage) -> bool:
    """Whether something of the run cannot be read: its records, its environment, or a file that is no plain file."""
    if victim is None:
        return damage.kind not in SILENT | CUTS
    run = shop.runs[victim]
    now = {found.folder.name: found for found in shop.read().runs()}.get(run.folder.name)
    if now is None:
        return os.path.lexists(run.folder)
    if any(file.problem or file.links > 1 for file in list_artifacts(run.folder)):
        return True
    if os.path.lexists(run.folder / "environment.json") and reader.read_environment(run.folder) is None:
        return True
    return is_loss(damage, run, shop.facts[victim], now)
