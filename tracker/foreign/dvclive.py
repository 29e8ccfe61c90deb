"""Folders of DVCLive 3: `metrics.json`, `params.yaml`, `plots/`.

DVCLive keeps no status, no times of a run and, unless asked, no times of points. A run counts as finished; what has
no time has that of the last change of its file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tracker import _io
from tracker.foreign.files import Files
from tracker.foreign.impersonal import folder_name
from tracker.foreign.records import ForeignExperiment, ForeignModel, ForeignRun, derived_id
from tracker.foreign.text_files import (
    experiment_key,
    find_folders,
    has_any,
    modified,
    number_in,
    number_of,
    params_of,
    read_json,
    read_yaml_fields,
    root_identity,
    whole,
)
from tracker.logs import Problem
from tracker.names import is_text
from tracker.schema import MAX_TIME
from tracker.summary import Series

KIND = "dvclive"
FOLDER = "dvclive"
"""The name that DVCLive gives its folder, unless told otherwise."""
METRICS, PARAMS, DVC = "metrics.json", "params.yaml", "dvc.yaml"
HISTORIES = Path("plots", "metrics")
MAX_HISTORY = 1 << 30
"""Bytes of the largest file of a metric that is read."""
_SUFFIX = ".tsv"
_MAX_DEPTH = 20
_GLANCE = 1 << 20
"""Bytes of a `metrics.json` that may be one of DVCLive's; others write files of that name, too."""
_REPORTS = ("report.md", "report.html", "report.ipynb")
_Point = tuple[int, int, float]


def is_dvclive(folder: Path) -> bool:
    """Whether a folder is one of DVCLive's, or has some in it."""
    return has_any(folder, _is_run)


def _is_run(folder: Path) -> bool:
    if _io.is_folder(folder / HISTORIES):
        return True
    if folder.name == FOLDER and any(os.path.lexists(folder / name) for name in (METRICS, PARAMS)):
        return True
    return type(read_json(Files(folder), folder / METRICS, limit=_GLANCE).get("step")) is int


class DvcliveStore:
    """A folder of DVCLive's, or one that has some in it, opened for reading."""

    kind = "DVCLive"

    def __init__(self, root: Path) -> None:
        self.root = self.source = root
        self._files = Files(root)
        self._folders = list(find_folders(self._files, _is_run))
        named = root.parent if root.name == FOLDER else root
        self._name = folder_name(named, FOLDER)
        self._key = experiment_key(KIND, self._name)
        if not self._folders:
            self._files.problem(root, "holds no run of DVCLive")

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return self._files.problems

    def experiments(self) -> Iterator[ForeignExperiment]:
        """One, named after the folder."""
        yield ForeignExperiment(self._key, self._name)

    def count(self) -> int:
        """Folders that look like runs."""
        return len(self._folders)

    def runs(self) -> Iterator[ForeignRun]:
        """A run for each folder."""
        for folder in self._folders:
            yield self._run(folder)

    def models(self) -> Iterator[ForeignModel]:
        """None: DVC keeps its models in git."""
        return iter(())

    def _run(self, folder: Path) -> ForeignRun:
        place = folder.relative_to(self.root).as_posix()
        series = dict(self._series(folder))
        summary = read_json(self._files, folder / METRICS, needed=True)
        tags = _add_summary(series, summary, modified(folder / METRICS))
        params = read_yaml_fields(self._files, folder / PARAMS, ends=True)
        changed = [time for name in (METRICS, PARAMS) if (time := modified(folder / name))]
        times = [*changed, *(time for one in series.values() for time in (min(one.times), max(one.times)))]
        return ForeignRun(
            run_id=derived_id(KIND, root_identity(self.root), place),
            experiment=self._key,
            name=self._name_of(folder),
            status="FINISHED",
            start_time=min(times, default=0),
            end_time=max(times, default=0),
            params=params_of(params, lambda message: self._files.problem(folder / PARAMS, message)),
            tags=tags,
            series=series,
            files=dict(self._artifacts(folder)),
            place=place,
            root=self.root,
        )

    def _name_of(self, folder: Path) -> str:
        """The path of the folder, or of what it belongs to where it has the usual name."""
        named = folder.parent if folder.name == FOLDER and folder != self.root else folder
        return self._name if named == self.root else named.relative_to(self.root).as_posix()

    def _series(self, folder: Path) -> Iterator[tuple[str, Series]]:
        for key, path in self._files.keyed(folder / HISTORIES):
            points = self._points(path) if key.endswith(_SUFFIX) else []
            if points:
                steps, times, values = (list(column) for column in zip(*points, strict=True))
                series = Series(steps, values, times)
                series.sort()
                yield key.removesuffix(_SUFFIX), series

    def _points(self, path: Path) -> list[_Point]:
        """The points of a metric; texts, which DVCLive takes for metrics too, are none."""
        try:
            data = _io.read_file(path, limit=MAX_HISTORY)
        except OSError as error:
            self._files.problem(path, f"cannot be read: {error.strerror}")
            return []
        lines = data.decode(errors="surrogateescape").replace("\r\n", "\n").split("\n")
        if not is_text(lines[0]):
            self._files.problem(path, "is no text")
            return []
        if lines.pop():
            self._files.problem(path, "is incomplete, and left out", len(lines) + 1)
        wrong = self._header(path, lines)
        if wrong:
            self._files.problem(path, wrong, 1)
            return []
        found, texts = [], []
        otherwise = modified(path)
        for number, line in enumerate(lines[1:], 2):
            point = _point(line, otherwise)
            if point is not None:
                found.append(point)
            else:
                texts.append((number, line))
        problems = self._files.problems_of(path)
        for number, line in texts:
            if found or not _is_text(line):
                problems.add(f"is no point of a metric: {line!r:.60}", number)
        problems.end()
        return found

    def _header(self, path: Path, lines: list[str]) -> str:
        """What is wrong with the first line."""
        names = lines[0].split("\t") if lines else [""]
        if names[:-1] not in (["step"], ["timestamp", "step"]):
            return f"is no header of a metric, so the file is left out: {names!r:.60}" if lines else "is empty"
        name = names[-1].strip('"').replace('""', '"')
        expected = path.name.removesuffix(_SUFFIX)
        return "" if name == expected else f"is of the metric {name!r:.60}, so the file is left out"

    def _artifacts(self, folder: Path) -> Iterator[tuple[str, Path]]:
        """Images, plots and copied artifacts; reports; and what DVC knows of all of them."""
        plots = [one for one in self._files.folders(folder / "plots") if one != folder / HISTORIES]
        for place in (*plots, folder / "artifacts"):
            for key, path in self._files.keyed(place):
                if path.name != ".gitignore":
                    yield f"{place.relative_to(folder).as_posix()}/{key}", path
        beside = folder.parent / DVC if folder != self.root else folder / DVC
        for path in (*(folder / name for name in _REPORTS), beside, folder / DVC):
            if os.path.lexists(path):
                yield path.name, path


def _point(line: str, otherwise: int) -> _Point | None:
    """The point of a line: step and value, maybe behind a time."""
    cells = line.split("\t")
    if not 2 <= len(cells) <= 3:
        return None
    step, value = whole(cells[-2]), number_in(cells[-1])
    time = whole(cells[0]) if len(cells) == 3 else otherwise
    if step is None or value is None or time is None or not 0 <= time <= MAX_TIME:
        return None
    return step, time, value


def _is_text(line: str) -> bool:
    cells = line.split("\t")
    return 2 <= len(cells) <= 3 and whole(cells[-2]) is not None


def _add_summary(series: dict[str, Series], summary: Mapping[str, Any], time: int) -> dict[str, str]:
    """Add the metrics that have no history, with the value that they had at the end; returns those that are texts."""
    step = summary.get("step")
    at = step if type(step) is int and abs(step) < 1 << 63 else 0
    texts = {}
    for key, value in _flat(summary):
        if key in series or (key == "step" and type(value) is int):
            continue
        number = number_of(value)
        if number is not None:
            series[key] = Series([at], [number], [time])
        elif isinstance(value, str):
            texts[key] = value
    return texts


def _flat(fields: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            yield from _flat(value, f"{prefix}{name}/", depth + 1)
        else:
            yield prefix + name, value
