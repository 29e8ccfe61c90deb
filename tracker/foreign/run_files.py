"""A run of another tracker as the files of a run of ours: one log with all records, `run.json`, artifacts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec
from msgspec import Struct

from tracker import _clock, _io, codec, layout, logs, names
from tracker.artifact_files import ArtifactFile, list_artifacts, list_files, look_at
from tracker.exceptions import InvalidNameError, InvalidValueError
from tracker.foreign.impersonal import impersonal
from tracker.foreign.placing import Artifact, ArtifactMode, LeftOutError, Placing
from tracker.foreign.records import FilePart, ForeignRun, derived_id
from tracker.reader import Environment
from tracker.schema import SCHEMA, LogState, RunFile
from tracker.snapshot import make_snapshot
from tracker.summary import summarize

SILENCE_MS = 6 * 3_600_000
"""A run without an end whose last point is older has stopped: other trackers give no other sign of life."""
ARTIFACTS_TAG = "tracker.artifacts"
"""Where the artifacts of an imported run are, if they are not with it."""
DATASETS_FILE = "datasets.json"
DATASET_TAG = "dataset."
Tell = Callable[[str, str], None]
"""Takes the path and the reason of a problem."""
_V = TypeVar("_V")


class RunFiles(Struct, frozen=True):
    """The files of an imported run, not yet written."""

    file: RunFile
    log_name: str
    log: bytes
    artifacts: tuple[Artifact, ...]
    environment: Environment | None = None

    def write(self, folder: Path, placing: Placing) -> None:
        """Fill the folder of a new run, but for artifacts that are too large for the placing."""
        _io.make_folder(folder / layout.LOG, inside=folder.parent)
        for artifact in self.artifacts:
            with contextlib.suppress(LeftOutError):
                artifact.put(folder, placing)
        for name, data in self._texts():
            _io.replace_file(folder / name, data, durable=False)

    def _texts(self) -> Iterator[tuple[str, bytes]]:
        """All files but the artifacts."""
        if self.environment is not None:
            yield layout.ENVIRONMENT_FILE, codec.json_file(self.environment)
        yield f"{layout.LOG}/{self.log_name}", self.log
        yield layout.RUN_FILE, codec.run_file_bytes(self.file)

    def are_all_of(self, folder: Path, placing: Placing) -> bool:
        """Whether the folder of a run holds this to the byte; of whole files of the source the sizes tell."""
        try:
            if any(_io.read_file(folder / name, limit=len(data)) != data for name, data in self._texts()):
                return False
            found = {file.name: file.bytes for file in list_artifacts(folder)}
        except OSError:
            return False
        wanted = {artifact.path: artifact.size for artifact in self.artifacts}
        most = placing.copy_to
        left_out = {path for path, size in wanted.items() if most is not None and size > most and path not in found}
        if found != {path: size for path, size in wanted.items() if path not in left_out}:
            return False
        return all(artifact.is_in(folder) for artifact in self.artifacts if artifact.is_made)

    def stands_in(self, folder: Path) -> bool:
        """Whether the folder of a run holds all of this already."""
        try:
            if _io.read_file(folder / layout.LOG / self.log_name, limit=len(self.log)) != self.log:
                return False
            file = codec.read_run_file(_io.read_file(folder / layout.RUN_FILE, limit=1 << 30))
            log = file.logs.get(self.log_name)
        except (OSError, ValueError):
            return False
        return log is not None and log.bytes == len(self.log) and all(one.is_in(folder) for one in self.artifacts)

    def update(self, folder: Path, *, placing: Placing, durable: bool) -> None:
        """Bring a run that was imported before up to date; what was added to it since stays.

        Readers believe the log, which is replaced as a whole when the artifacts are there.
        """
        path = folder / layout.LOG / self.log_name
        known = set(_io.read_file(path, limit=1 << 40).splitlines(keepends=True)) if path.exists() else set()
        for artifact in self.artifacts:
            if artifact.line not in known or not artifact.is_in(folder):
                artifact.put(folder, placing)
        if durable and _io.is_folder(folder / layout.ARTIFACTS):
            _io.sync_tree(folder / layout.ARTIFACTS)
        _io.make_folder(folder / layout.LOG, inside=folder)
        _io.replace_file(path, self.log, durable=durable)
        snapshot = make_snapshot(self.file, logs.read_logs(folder))
        _io.replace_file(folder / layout.RUN_FILE, codec.run_file_bytes(snapshot), durable=durable)


def make_files(run: ForeignRun, experiment_id: str, mode: ArtifactMode, tell: Tell) -> RunFiles:
    """The files of a run. What our rules refuse is told, and left out."""
    artifacts = [*(_artifacts(run, tell) if mode != "leave" else ()), *_made(run, mode, tell)]
    artifacts = list(_apart(_with_datasets(run, artifacts), run, tell))
    writer = derived_id("import", run.run_id)
    ended = run.status != "RUNNING"
    last = max([run.start_time, *(series.times[-1] for series in run.series.values())])
    end = last if run.end_time is None else run.end_time
    stale = not ended and _clock.now_ms() - last > SILENCE_MS
    file = RunFile(
        SCHEMA,
        run.run_id,
        _accepted(run.name, run, tell),
        experiment_id,
        "STALE" if stale else run.status,
        run.start_time,
        end_time=end if ended or stale else None,
        ended_by=run.ended_by if ended else None,
        parent=run.parent,
        source=run.source,
        tags=_checked(_tags(run, mode), "A tag name", run, tell),
        params=_checked(run.params, "A param name", run, tell),
        metrics={key: summarize(series) for key, series in _checked(run.series, "A metric name", run, tell).items()},
    )
    lines = [
        codec.line(writer=writer, role="owner", time=run.start_time),
        *codec.param_lines(file.params, run.start_time),
        *codec.tag_lines(file.tags, run.start_time),
        *_points(run, file),
        *(artifact.line for artifact in artifacts),
    ]
    if ended:
        signal = {} if run.ended_by is None else {"signal": run.ended_by}
        lines.append(codec.line(end=run.status, time=end, **signal))
    log, name = b"".join(lines), f"{writer}{layout.LOG_SUFFIX}"
    file = msgspec.structs.replace(file, logs={name: LogState(len(log), ended)})
    return RunFiles(file, name, log, tuple(artifacts), run.environment)


def _points(run: ForeignRun, file: RunFile) -> Iterator[bytes]:
    for key in file.metrics:
        series, prefix = run.series[key], codec.metric_prefix(key)
        points = zip(series.values, series.steps, series.times, strict=True)
        text = "".join(
            f'{prefix}{codec.metric_text(key, value)},"step":{step},"time":{time}}}\n' for value, step, time in points
        )
        yield text.encode()


def _tags(run: ForeignRun, mode: ArtifactMode) -> dict[str, str]:
    tags = dict(run.tags)
    for dataset in run.datasets:
        context = f" ({dataset.context})" if dataset.context else ""
        key = f"{DATASET_TAG}{dataset.name}"
        tags[key] = ", ".join(filter(None, [tags.get(key, ""), f"{dataset.digest}{context}"]))
    where = run.artifacts_elsewhere
    if mode == "leave" and (run.artifacts or run.models):
        where = f"{run.place}/{layout.ARTIFACTS}"
    elif mode == "leave" and any(isinstance(source, Path) for source in run.files.values()):
        where = run.place
    return {**tags, ARTIFACTS_TAG: where} if where else tags


def _artifacts(run: ForeignRun, tell: Tell) -> Iterator[Artifact]:
    """The files of whole folders."""
    roots = [("", run.artifacts)] if run.artifacts else []
    for prefix, folder in [*roots, *((f"{name}/", folder) for name, folder in run.models.items())]:
        for found in list_files(folder) if folder else ():
            yield from _of_source(run, prefix + found.name, found, tell)


def _made(run: ForeignRun, mode: ArtifactMode, tell: Tell) -> Iterator[Artifact]:
    """Single files; what stands nowhere else comes along in any mode."""
    for path, source in run.files.items():
        if isinstance(source, Path):
            for found in look_at(source, path) if mode != "leave" else ():
                yield from _of_source(run, path, found, tell)
        elif _is_allowed(path, f"{run.place}/{layout.ARTIFACTS}/{path}", tell):
            size = source.size if isinstance(source, FilePart) else len(source)
            line = codec.line(artifact=path, value=size, time=run.start_time)
            if isinstance(source, FilePart):
                yield Artifact(path, line, size, source.path, source.start)
            else:
                yield Artifact(path, line, size, data=source)


def _of_source(run: ForeignRun, path: str, found: ArtifactFile, tell: Tell) -> Iterator[Artifact]:
    place = f"{run.place}/{layout.ARTIFACTS}/{path}"
    if run.root is not None and found.path.is_relative_to(run.root):
        place = found.path.relative_to(run.root).as_posix()
    if not _is_allowed(path, place, tell):
        return
    problem = found.problem or ("" if os.access(found.path, os.R_OK) else "may not be read")
    if problem:
        tell(place, problem)
    else:
        yield Artifact(path, codec.line(artifact=path, value=found.bytes, time=found.modified), found.bytes, found.path)


def _is_allowed(path: str, place: str, tell: Tell) -> bool:
    try:
        names.check_artifact_path(path)
    except InvalidNameError as error:
        tell(place, error.message)
        return False
    return True


def _with_datasets(run: ForeignRun, artifacts: list[Artifact]) -> list[Artifact]:
    """The artifacts with a file that has all facts of the data sets, unless the run has one of this name."""
    if not run.datasets or any(artifact.path == DATASETS_FILE for artifact in artifacts):
        return artifacts
    told = (msgspec.structs.replace(dataset, source=impersonal(dataset.source)) for dataset in run.datasets)
    data = codec.json_file([msgspec.structs.asdict(dataset) for dataset in told])
    line = codec.line(artifact=DATASETS_FILE, value=len(data), time=run.start_time)
    return [*artifacts, Artifact(DATASETS_FILE, line, len(data), data=data)]


def _apart(artifacts: list[Artifact], run: ForeignRun, tell: Tell) -> Iterator[Artifact]:
    """The artifacts but for those that lie where another one does, or its folder."""
    taken = {parent.as_posix() for artifact in artifacts for parent in PurePosixPath(artifact.path).parents}
    for artifact in artifacts:
        if artifact.path in taken:
            tell(f"{run.place}/{layout.ARTIFACTS}/{artifact.path}", "has the path of another artifact, and is left out")
        else:
            taken.add(artifact.path)
            yield artifact


def _accepted(name: str, run: ForeignRun, tell: Tell) -> str:
    try:
        return names.check_name(name, "A run name")
    except InvalidNameError as error:
        tell(run.place, error.message)
        return run.run_id[:8]


def _checked(values: Mapping[str, _V], what: str, run: ForeignRun, tell: Tell) -> dict[str, _V]:
    """Those whose names and texts our files can hold."""
    found = {}
    for key, value in values.items():
        try:
            names.check_name(key, what)
            if isinstance(value, str):
                codec.check_value(key, value)
            found[key] = value
        except InvalidValueError as error:
            tell(run.place, error.message)
    return found
