"""A run of ours as the files of a run of MLflow's."""

from __future__ import annotations

import itertools
import math
import operator
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from msgspec import Struct

from tracker import _io, codec, layout, names
from tracker.artifact_files import ArtifactFile, list_artifacts
from tracker.entities import run_tags
from tracker.exporting.names import Names
from tracker.exporting.target import Target, digest_of, read_state, write_state
from tracker.exporting.telling import Problems
from tracker.exporting.yaml_text import meta_yaml
from tracker.foreign.mlruns_files import META
from tracker.foreign.mlruns_tags import ENDED_BY_TAG, NAMES_TAG, STATUS_TAG
from tracker.foreign.placing import PLACINGS, ArtifactMode, Placing, UnreadableError
from tracker.reader import read_history
from tracker.schema import MetricSummary
from tracker.search import FoundRun
from tracker.summary import Series

_VERSION = 1
"""Changes when the same run is written in another way."""
_STATUS = {"RUNNING": 1, "FINISHED": 3, "FAILED": 4, "KILLED": 5, "STALE": 5}
_POINT = "%d %r %d\n".__mod__
Tell = Callable[[Path | str, str], None]
"""Takes the place and the reason of a problem."""


class AllNames(Struct, frozen=True):
    """The names that MLflow takes, of each kind."""

    metrics: Names
    params: Names
    tags: Names


class Written(Struct, frozen=True):
    """What was done with a run."""

    change: str
    """new, updated or unchanged."""
    points: int = 0
    artifacts: int = 0
    """Files that were copied or linked."""


class RunExport:
    """Writes runs into the folders of their experiments."""

    def __init__(self, target: Target, all_names: AllNames, mode: ArtifactMode, problems: Problems) -> None:
        self._target, self._names, self._mode, self._problems = target, all_names, mode, problems

    def artifacts_of(self, run: FoundRun, experiment: Path) -> Path:
        """Where the artifacts of a run are, when it is exported to the folder of an experiment."""
        base = run.read.folder if self._mode == "leave" else experiment / run.file.run_id
        return base / layout.ARTIFACTS

    def write(self, run: FoundRun, experiment: Path, lies_in: Path) -> Written:
        """Write a run that is new, has changed since or had problems.

        `experiment` is the folder of the experiment, `lies_in` the one that it is in while it is deleted.
        """
        folder = lies_in / run.file.run_id
        tell = partial(self._problems.tell, run_id=run.file.run_id)
        before = len(self._problems)
        artifacts = self._artifacts(run, tell)
        facts = self._digest(run, experiment)
        files = digest_of(self._mode, [(found.name, found.bytes, found.modified) for found in artifacts])
        known = read_state(folder)
        if known == [facts, files]:
            return Written("unchanged")
        aside = self._target.aside()
        points = self._fill(run, experiment, aside, tell)
        reused = known[1:] == [files] and _io.is_folder(folder / layout.ARTIFACTS)
        if not reused:
            self._put_artifacts(artifacts, aside, tell)
        sound = len(self._problems) == before
        if sound and not reused:
            write_state(aside, facts, files)
        old = self._target.put(aside, folder)
        if old is not None and reused:
            _io.move_folder(old / layout.ARTIFACTS, folder / layout.ARTIFACTS, durable=False)
            self._target.write_state(folder, facts if sound else "-", files)
        if old is not None:
            _io.remove_tree(old)
        count = 0 if reused else len(artifacts)
        return Written("updated" if old is not None else "new", points, count)

    def _digest(self, run: FoundRun, experiment: Path) -> str:
        file, kinds = run.file, self._names
        changed = (
            kinds.metrics.changed_in(file.metrics),
            kinds.params.changed_in(file.params),
            kinds.tags.changed_in(run_tags(run.read)),
        )
        return digest_of(_VERSION, run.read.digest, run.stage, str(experiment), self._mode, changed)

    def _fill(self, run: FoundRun, experiment: Path, aside: Path, tell: Tell) -> int:
        """Write all but the artifacts; returns how many points there are."""
        series = self._series(run, tell)
        points = {key: _points(one) for key, one in series.items()}
        metrics = {key: "".join(map(_POINT, found)) for key, found in points.items()}
        params = {key: codec.param_text(value) for key, value in run.file.params.items()}
        write_texts(aside / "metrics", self._names.metrics.apply(metrics), run.read.folder, tell)
        write_texts(aside / "params", self._names.params.apply(params), run.read.folder, tell)
        write_texts(aside / "tags", self._tags(run), run.read.folder, tell)
        if self._mode == "leave":
            _io.make_folder(aside / layout.ARTIFACTS, inside=aside)
        _io.write_new(f"{aside}{os.sep}{META}", meta_yaml(self._meta(run, experiment)))
        return sum(map(len, points.values()))

    def _series(self, run: FoundRun, tell: Tell) -> dict[str, Series]:
        history = read_history(run.read.folder)
        for problem in history.problems:
            self._problems.add(problem, run.file.run_id)
        series = {key: history.series[key] for key in run.file.metrics if key in history.series}
        for key, metric in run.file.metrics.items():
            if key not in series:
                tell(run.read.folder, f"the points of {key!r:.100} are gone; the last one is written")
                series[key] = _last_point(metric)
        return series

    def _tags(self, run: FoundRun) -> dict[str, str]:
        file, kinds = run.file, self._names
        tags = run_tags(run.read)
        source = file.source
        if source is not None:
            found = {"branch": source.branch, "repoURL": source.remote}
            tags |= {f"mlflow.source.git.{key}": value for key, value in found.items() if value}
            tags["mlflow.source.type"] = "LOCAL"
        renamed = {
            "metrics": kinds.metrics.changed_in(file.metrics),
            "params": kinds.params.changed_in(file.params),
            "tags": kinds.tags.changed_in(tags),
        }
        tags = dict(kinds.tags.apply(tags))
        if file.status == "STALE":
            tags[STATUS_TAG] = file.status
        if file.ended_by:
            tags[ENDED_BY_TAG] = file.ended_by
        if any(renamed.values()):
            tags[NAMES_TAG] = codec.json_text({kind: found for kind, found in renamed.items() if found})
        return tags

    def _meta(self, run: FoundRun, experiment: Path) -> dict[str, str | int | None]:
        file = run.file
        meta: dict[str, str | int | None] = {
            "artifact_uri": self.artifacts_of(run, experiment).as_uri(),
            "end_time": file.end_time,
            "entry_point_name": "",
            "experiment_id": experiment.name,
            "lifecycle_stage": run.stage,
            "run_id": file.run_id,
            "run_name": file.name,
            "run_uuid": file.run_id,
            "source_name": "",
            "source_type": 4,
            "source_version": "",
            "start_time": file.start_time,
            "status": _STATUS[file.status],
            "user_id": "",
        }
        if run.stage == "deleted":
            meta["deleted_time"] = file.start_time if file.end_time is None else file.end_time
        return meta

    # Artifacts

    def _artifacts(self, run: FoundRun, tell: Tell) -> list[ArtifactFile]:
        found = []
        for file in list_artifacts(run.read.folder) if self._mode != "leave" else ():
            problem = file.problem if names.is_text(file.name) else "has a name that is no text"
            if problem:
                tell(file.path, problem)
            else:
                found.append(file)
        return found

    def _put_artifacts(self, artifacts: list[ArtifactFile], aside: Path, tell: Tell) -> None:
        base = aside / layout.ARTIFACTS
        _io.make_folder(base, inside=aside)
        put_files({file.name: file.path for file in artifacts}, base, PLACINGS[self._mode], tell)


def put_files(files: Mapping[str, Path], base: Path, placing: Placing, tell: Tell) -> None:
    """Copy or link files into a folder, by their paths below it."""
    made = {base}
    for name, source in files.items():
        path = base / name
        if path.parent not in made:
            _io.make_folder(path.parent, inside=base)
            made.add(path.parent)
        try:
            placing.put(source, path)
        except UnreadableError as error:
            tell(source, f"cannot be read: {getattr(error.__cause__, 'strerror', error)}")


def write_texts(folder: Path, texts: Mapping[str, str], place: Path, tell: Tell) -> None:
    """A file for each key; the folder is made even if there is none. `place` is what problems are about."""
    _io.make_folder(folder, inside=folder.parent)
    prefix = f"{folder}{os.sep}"
    for key, text in texts.items():
        try:
            if "/" in key:
                _io.make_folder((folder / key).parent, inside=folder)
            _io.write_new(prefix + key, text.encode(errors="replace"))
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            tell(place, f"{key!r:.100} is left out: to this file system it has the name of another one")


def _points(series: Series) -> list[tuple[int, float, int]]:
    """Time, value and step of each point; those alike in all three come once, since MLflow's databases refuse two."""
    points = zip(series.times, series.values, series.steps, strict=True)
    if all(map(operator.lt, series.steps, itertools.islice(series.steps, 1, None))):
        return list(points)
    return list(dict.fromkeys((time, value if value == value else math.nan, step) for time, value, step in points))


def _last_point(metric: MetricSummary) -> Series:
    return Series([metric.last_step], [metric.last], [metric.last_time])
