"""Runs of W&B that were logged offline, or of which the local files are still there."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from tracker import _io
from tracker.artifact_files import list_files
from tracker.foreign.files import Files
from tracker.foreign.protobuf import WireError
from tracker.foreign.records import FilePart, ForeignExperiment, ForeignModel, ForeignRun, derived_id
from tracker.foreign.text_files import experiment_key, params_of
from tracker.foreign.wandb_log import is_log, read_log
from tracker.foreign.wandb_records import RunState, as_number, is_media, type_of, walk
from tracker.foreign.wandb_surroundings import environment_of, source_of
from tracker.logs import Problem
from tracker.schema import Status
from tracker.snapshot import NOTE_TAG
from tracker.summary import Series

KIND = "wandb"
NO_PROJECT = "uncategorized"
"""W&B's name for the project of runs that name none."""
FILES = "files"
"""The folder of a run's files."""
_RUN_FOLDER = re.compile(r"(?:offline-)?run-[0-9]{8}_[0-9]{6}-(.+)")
_RUN_FILE = re.compile(r"run-(.+)\.wandb")
_NOT_ARTIFACTS = {
    "wandb-metadata.json",
    "wandb-summary.json",
    "config.yaml",
    "requirements.txt",
    "conda-environment.yaml",
    "diff.patch",
}
"""Files whose content stands elsewhere in a run of ours, or that name user, host and paths."""
_GLANCE = 1 << 20
"""Bytes at the beginning of a file, with the record that names the project."""


def is_wandb(place: Path) -> bool:
    """Whether a file is that of a run of W&B, or a folder is that of a run or of several."""
    if not _io.is_folder(place):
        return is_log(place)
    files = Files(place)
    folders = [place, *(path for path in _folders(files, place) if _RUN_FOLDER.fullmatch(path.name))]
    return any(is_log(path) for folder in folders for path in _logs(files, folder))


def _folders(files: Files, folder: Path) -> list[Path]:
    return [folder / entry.name for entry in files.entries(folder) if entry.is_dir(follow_symlinks=False)]


def _logs(files: Files, folder: Path) -> list[Path]:
    return [folder / entry.name for entry in files.entries(folder) if _RUN_FILE.fullmatch(entry.name)]


class WandbStore:
    """A folder of runs, the folder of one, or its `.wandb` file, opened for reading."""

    kind = "W&B runs"

    def __init__(self, root: Path) -> None:
        is_folder = _io.is_folder(root)
        self.root, self.source = root if is_folder else root.parent, root
        self._files = Files(self.root)
        if is_folder:
            own = _logs(self._files, root)
            below = [] if own else [path for path in _folders(self._files, root) if _RUN_FOLDER.fullmatch(path.name)]
            logs = own or [path for folder in below for path in self._log_of(folder)]
        else:
            logs = [root]
        self._runs: dict[tuple[str, str], list[Path]] = {}
        """Files of each run by project and id: one that was resumed has several."""
        for path in logs:
            state = self._glance(path)
            self._runs.setdefault((state.project or NO_PROJECT, state.run_id or _id_in(path)), []).append(path)

    def _log_of(self, folder: Path) -> list[Path]:
        found = _logs(self._files, folder)
        if not found:
            self._files.problem(folder, "has no file of records, and is not imported")
        return found

    @staticmethod
    def _glance(path: Path) -> RunState:
        """The first records, as far as they name run and project; what is wrong with them is told later."""
        state = RunState()
        with contextlib.suppress(OSError):
            for _, data in read_log(path, lambda *_: None, most=_GLANCE):
                with contextlib.suppress(WireError):
                    state.add(data)
                if state.run_id:
                    break
        return state

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return self._files.problems

    def experiments(self) -> Iterator[ForeignExperiment]:
        """The projects."""
        for project in dict.fromkeys(project for project, _ in self._runs):
            yield ForeignExperiment(experiment_key(KIND, project), project)

    def count(self) -> int:
        """Runs, as far as their first records tell."""
        return len(self._runs)

    def models(self) -> Iterator[ForeignModel]:
        """None: the registry of W&B is on its server."""
        return iter(())

    def runs(self) -> Iterator[ForeignRun]:
        """All runs."""
        for (project, run_id), logs in self._runs.items():
            state = RunState()
            if sum([self._read(path, state) for path in logs]):
                yield self._run(project, run_id, logs, state)
            else:
                self._files.problem(logs[0], "holds no run")

    def _read(self, path: Path, state: RunState) -> int:
        """Add the records of a file; returns how many there are."""
        problems = self._files.problems_of(path)
        count = 0
        state.exit_code = None  # it may have been resumed
        try:
            for offset, data in read_log(
                path, lambda offset, what: problems.add(f"the record at byte {offset:,} {what}")
            ):
                try:
                    state.add(data)
                    count += 1
                except WireError as error:
                    problems.add(f"the record at byte {offset:,} cannot be read: {error}")
        except OSError as error:
            problems.add(f"cannot be read: {error.strerror}")
        problems.end()
        return count

    def _run(self, project: str, run_id: str, logs: list[Path], state: RunState) -> ForeignRun:
        series, tags = _history(state)
        if state.left_out:
            parts = ", ".join(f"{kind} ({len(keys):,})" for kind, keys in sorted(state.left_out.items()))
            self._files.problem(logs[0], f"has values that are not imported: {parts}")
        folders = [path.parent / FILES for path in logs]
        status, end = _ending(state)
        return ForeignRun(
            run_id=derived_id(KIND, project, run_id),
            experiment=experiment_key(KIND, project),
            name=state.name or run_id,
            status=status,
            start_time=state.start_time,
            end_time=end,
            params=params_of(
                {key: value for key, value in state.config.items() if key != "_wandb"},
                lambda message: self._files.problem(logs[0], message),
            ),
            tags={**tags, **_tags(state, run_id)},
            series=series,
            source=source_of(state, folders[-1]),
            environment=environment_of(state, folders[-1]),
            files=_artifacts(folders, state),
            place=logs[0].parent.relative_to(self.root).as_posix(),
            root=self.root,
        )


def _id_in(path: Path) -> str:
    found = _RUN_FOLDER.fullmatch(path.parent.name) or _RUN_FILE.fullmatch(path.name)
    return found[1] if found else path.stem


def _history(state: RunState) -> tuple[dict[str, Series], dict[str, str]]:
    """Metrics, and the last text of each key. What stands in the summary alone is a single point at the last step."""
    series = state.series | {f"system/{key}": one for key, one in state.system.items()}
    last_step = max((max(one.steps) for one in state.series.values()), default=0)
    texts = dict(state.texts)
    for key, value in walk({key: value for key, value in state.summary.items() if not key.startswith("_")}):
        number = as_number(value)
        if isinstance(value, str):
            texts[key] = value
        elif number is not None:
            if key not in series:
                series[key] = Series([last_step], [number], [state.last_time])
        elif value is not None and not is_media(value):
            state.leave_out(type_of(value), key)
    for one in series.values():
        one.sort()
    return series, texts


def _tags(state: RunState, run_id: str) -> dict[str, str]:
    tags = {f"tag.{tag}": "true" for tag in state.tags}
    own = {"id": run_id, "group": state.group, "job_type": state.job_type, "sweep": state.sweep}
    tags |= {f"wandb.{key}": value for key, value in own.items() if value}
    return tags | ({NOTE_TAG: state.notes} if state.notes else {})


def _ending(state: RunState) -> tuple[Status, int | None]:
    if state.exit_code is None:
        return "RUNNING", None
    return "FINISHED" if state.exit_code == 0 else "FAILED", state.last_time


def _artifacts(folders: list[Path], state: RunState) -> dict[str, Path | FilePart | bytes]:
    """The files of a run but for those of W&B itself, and what it printed."""
    files: dict[str, Path | FilePart | bytes] = {}
    for folder in folders:
        for found in list_files(folder):
            if found.name not in _NOT_ARTIFACTS:
                files[_free(found.name, files)] = found.path
    if "output.log" not in files and state.output:
        files["output.log"] = "".join(state.output).encode(errors="replace")
    return files


def _free(name: str, taken: Collection[str]) -> str:
    """The name, or one with a number where a run that was resumed has the file from before."""
    path, free, number = PurePosixPath(name), name, 1
    while free in taken:
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}").as_posix()
    return free
