"""Folders of Sacred's FileStorageObserver: `<base>/<id>/run.json` with what belongs to it, `_sources`, `_resources`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tracker import _io, codec
from tracker.foreign.files import Files
from tracker.foreign.impersonal import folder_name
from tracker.foreign.places import file_below, is_file
from tracker.foreign.records import Dataset, ForeignExperiment, ForeignModel, ForeignRun, derived_id
from tracker.foreign.sacred_values import (
    cause_of,
    environment_of,
    fields,
    plain,
    relative,
    series_of,
    source_of,
    trace_of,
)
from tracker.foreign.text_files import (
    experiment_key,
    find_folders,
    has_any,
    iso_time,
    modified,
    number_of,
    params_of,
    read_json,
    root_identity,
    text,
)
from tracker.logs import Problem
from tracker.schema import Status
from tracker.snapshot import NOTE_TAG
from tracker.summary import Series

KIND = "sacred"
RUN, CONFIG, METRICS, INFO = "run.json", "config.json", "metrics.json", "info.json"
TRACE = "fail_trace.txt"
"""The artifact that has the traceback of a run that failed."""
SOURCES = "source"
"""The folder of artifacts for the code of a run."""
MAX_RUN = 1 << 24
"""Bytes of the largest `run.json` that is read."""
_STATUS: dict[str, Status] = {
    "COMPLETED": "FINISHED",
    "FAILED": "FAILED",
    "RUNNING": "RUNNING",
    "QUEUED": "RUNNING",
    "INTERRUPTED": "KILLED",
}
_DIGEST = re.compile(r"(.+)_([0-9a-f]{32})(\.[^.]*)?")
_TOLD = {"COMPLETED", "FAILED", "RUNNING", "INTERRUPTED"}
"""States that ours tell, too."""
_NOT_PARAMS = {"__annotations__", "__doc__"}


def is_sacred(folder: Path) -> bool:
    """Whether a folder is a run of Sacred's, or has some in it."""
    return has_any(folder, _is_run)


def _is_run(folder: Path) -> bool:
    """Whether it has a `run.json` that says what Sacred says; one that is damaged counts beside a `config.json`."""
    try:
        data = _io.read_file(folder / RUN, limit=MAX_RUN)
    except OSError:
        return False
    return (b'"experiment"' in data and b'"status"' in data) or is_file(folder / CONFIG)


class SacredStore:
    """A folder of Sacred's, opened for reading."""

    kind = "Sacred"

    def __init__(self, root: Path) -> None:
        self.root = self.source = root
        self._files = Files(root)
        self._folders = list(find_folders(self._files, _is_run))
        self._unknown = folder_name(root, KIND)
        if not self._folders:
            self._files.problem(root, "holds no run of Sacred")

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return self._files.problems

    def experiments(self) -> Iterator[ForeignExperiment]:
        """All experiments that runs name."""
        quiet = Files(self.root)
        heads = (read_json(quiet, folder / RUN, limit=MAX_RUN) for folder in self._folders)
        for name in dict.fromkeys(map(self._experiment, heads)):
            yield ForeignExperiment(experiment_key(KIND, name), name)

    def count(self) -> int:
        """Folders that look like runs."""
        return len(self._folders)

    def runs(self) -> Iterator[ForeignRun]:
        """All runs."""
        for folder in self._folders:
            yield self._run(folder)

    def models(self) -> Iterator[ForeignModel]:
        """None: Sacred knows none."""
        return iter(())

    def _experiment(self, head: dict[str, Any]) -> str:
        """The name of the experiment; that of the folder where a run does not say."""
        return text(fields(head, "experiment").get("name")) or self._unknown

    def _run(self, folder: Path) -> ForeignRun:
        place = folder.relative_to(self.root).as_posix()
        head = self._head(folder)
        start, stop = iso_time(head.get("start_time")), iso_time(head.get("stop_time"))
        series = self._series(folder)
        info = {key: plain(value) for key, value in self._object(folder, INFO).items()}
        tags = self._tags(folder, head, info)
        _add_result(plain(head.get("result")), series, tags, stop or start or 0)
        config = {key: plain(value) for key, value in self._object(folder, CONFIG, needed=True).items()}
        status = text(head.get("status"))
        first = min((min(one.times) for one in series.values()), default=0)
        return ForeignRun(
            run_id=self._run_id(folder, head, place),
            experiment=experiment_key(KIND, self._experiment(head)),
            name=folder.name,
            status=_STATUS.get(status, "KILLED"),
            start_time=start or first or modified(folder / RUN),
            end_time=stop or iso_time(head.get("heartbeat")),
            params=params_of(
                {key: value for key, value in config.items() if key not in _NOT_PARAMS},
                lambda message: self._files.problem(folder / CONFIG, message),
            ),
            tags=tags,
            series=series,
            datasets=tuple(_resources(head)),
            source=source_of(head),
            environment=environment_of(head),
            ended_by=cause_of(head) or (status if _STATUS.get(status, "KILLED") == "KILLED" else None) or None,
            files=dict(self._artifacts(folder, head, info)),
            place=place,
            root=self.root,
        )

    def _head(self, folder: Path) -> dict[str, Any]:
        """What `run.json` says, where it is one of Sacred's."""
        head = read_json(self._files, folder / RUN, needed=True, limit=MAX_RUN)
        if head and not (fields(head, "experiment") and text(head.get("status"))):
            self._files.problem(folder / RUN, "is not that of a run: it lacks experiment or status")
            return {}
        return head

    def _object(self, folder: Path, name: str, *, needed: bool = False) -> dict[str, Any]:
        return read_json(self._files, folder / name, needed=needed)

    def _run_id(self, folder: Path, head: dict[str, Any], place: str) -> str:
        """Sacred counts the runs of each folder from 1, so the start is what tells those of two folders apart."""
        start = text(head.get("start_time"))
        return derived_id(KIND, folder.name, start) if start else derived_id(KIND, root_identity(self.root), place)

    def _series(self, folder: Path) -> dict[str, Series]:
        found = {}
        for name, points in self._object(folder, METRICS).items():
            series = series_of(points, partial(self._tell_metric, folder, name))
            if series:
                found[name] = series
        return found

    def _tell_metric(self, folder: Path, name: str, message: str) -> None:
        self._files.problem(folder / METRICS, f"metric {name!r:.60}: {message}")

    def _tags(self, folder: Path, head: dict[str, Any], info: dict[str, Any]) -> dict[str, str]:
        """Id, command and comment, and the scalars that the script left in `info`."""
        meta, status = fields(head, "meta"), text(head.get("status"))
        told = {
            "sacred.id": folder.name,
            "sacred.command": text(meta.get("command")) or text(head.get("command")),
            "sacred.status": "" if status in _TOLD else status,
            NOTE_TAG: text(meta.get("comment")) or text(fields(meta, "options").get("--comment")),
        }
        scalars = {f"info.{key}": _as_text(value) for key, value in info.items() if _is_scalar(value)}
        return {**scalars, **{key: value for key, value in told.items() if value}}

    def _artifacts(
        self, folder: Path, head: dict[str, Any], info: dict[str, Any]
    ) -> Iterator[tuple[str, Path | bytes]]:
        """Everything that lies with the run and is not read above, its code, and how it failed."""
        there = dict(self._files.keyed(folder))
        read = {RUN, CONFIG, METRICS, *((INFO,) if all(map(_is_scalar, info.values())) else ())}
        yield from ((key, path) for key, path in there.items() if key not in read)
        listed = head.get("artifacts")
        for name in listed if isinstance(listed, list) else ():
            if isinstance(name, str) and name not in there:
                self._files.problem(folder / RUN, f"names the artifact {name!r:.100}, which is not there")
        yield from self._sources(folder, head)
        trace = trace_of(head)
        if trace:
            yield TRACE, trace.encode("utf-8", "backslashreplace")

    def _sources(self, folder: Path, head: dict[str, Any]) -> Iterator[tuple[str, Path]]:
        """The code that Sacred copied beside the runs; what lies elsewhere is not looked for."""
        if folder == self.root:
            return
        listed = fields(head, "experiment").get("sources")
        for entry in listed if isinstance(listed, list) else ():
            pair = plain(entry)
            if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
                continue
            name, stored = pair
            path = file_below(folder.parent, stored)
            if path is None or stored == name:
                continue
            if is_file(path):
                yield f"{SOURCES}/{relative(name)}", path
            elif "_sources" in stored:
                self._files.problem(folder / RUN, f"names the source {stored!r:.100}, which is not there")


def _add_result(result: object, series: dict[str, Series], tags: dict[str, str], time: int) -> None:
    """What the command returned: a metric where it is a number, else a tag."""
    number = number_of(result)
    if number is not None and "result" not in series:
        series["result"] = Series([0], [number], [time])
    elif result is not None:
        tags["result"] = _as_text(result)


def _is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list | tuple)


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        return str(value) if _is_scalar(value) else codec.json_text(value)
    return repr(value)


def _resources(head: dict[str, Any]) -> Iterator[Dataset]:
    """Files that the run opened, with the digests that Sacred took; where they lay is nobody's business."""
    listed = head.get("resources")
    for entry in listed if isinstance(listed, list) else ():
        pair = plain(entry)
        if isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[1], str):
            found = _DIGEST.fullmatch(text(pair[1]).replace("\\", "/").rpartition("/")[2])
            if found:
                yield Dataset(f"{found[1]}{found[3] or ''}", found[2], "resource")
