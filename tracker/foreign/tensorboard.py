"""Folders of TensorBoard's event files, and those that PyTorch Lightning makes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tracker import _clock, _io, settings
from tracker.artifact_files import list_files
from tracker.codec import Param
from tracker.foreign.files import Files
from tracker.foreign.impersonal import folder_name
from tracker.foreign.lightning import CHECKPOINTS, HPARAMS_FILE, read_hparams
from tracker.foreign.records import ForeignExperiment, ForeignModel, ForeignRun, derived_id
from tracker.foreign.text_files import experiment_key
from tracker.foreign.tfevents import Events, Tell
from tracker.foreign.tfmedia import files_of
from tracker.foreign.tfrecords import has_records
from tracker.logs import Problem
from tracker.schema import Status

KIND = "tensorboard"
ROOT = "."
"""The place of the folder itself."""
MAX_DEPTH, MAX_FOLDERS = 20, 200_000
"""Folders that are looked into, and how deep they lie."""
GLANCE_DEPTH, GLANCE_ENTRIES = 5, 5_000
"""The same while it is asked whether there are event files at all."""
_EVENTS, _NO_EVENTS = "tfevents", ".profile-empty"
"""In the names of event files; ending of those that never hold any."""
_SESSION = re.compile(r"[0-9]{9,11}\.[0-9]+")
"""The name that `add_hparams` gives to a folder: the time."""


def is_tensorboard(place: Path) -> bool:
    """Whether a file is an event file, or a folder has one in it, not too deep."""
    if not _io.is_folder(place):
        return is_event_file(place.name) and has_records(place)
    waiting, seen = [(place, 0)], 0
    while waiting and seen < GLANCE_ENTRIES:
        folder, depth = waiting.pop(0)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    seen += 1
                    if seen > GLANCE_ENTRIES:
                        break
                    if entry.is_dir(follow_symlinks=False):
                        if depth < GLANCE_DEPTH and not entry.name.startswith("."):
                            waiting.append((folder / entry.name, depth + 1))
                    elif is_event_file(entry.name) and has_records(folder / entry.name):
                        return True
        except OSError:
            continue
    return False


def is_event_file(name: str) -> bool:
    """Whether TensorBoard would read a file of this name."""
    return _EVENTS in name and not name.endswith(_NO_EVENTS)


class TensorboardStore:
    """A folder of event files or one such file, opened for reading."""

    kind = "TensorBoard event files"

    def __init__(self, root: Path) -> None:
        is_folder = _io.is_folder(root)
        self.root, self.source = root if is_folder else root.parent, root
        self._files = Files(self.root)
        self._places = dict(self._look()) if is_folder else {ROOT: [root]}
        self._outer = {parent.as_posix() for place in self._places for parent in PurePosixPath(place).parents}
        """Places with others below them."""
        self._sessions: dict[str, list[str]] = {}
        """Those that look like sessions of `add_hparams`, by the place that they lie in."""
        for place in self._places:
            if _SESSION.fullmatch(PurePosixPath(place).name):
                self._sessions.setdefault(PurePosixPath(place).parent.as_posix(), []).append(place)
        self._name = folder_name(self.root, KIND)
        self._imported: dict[str, str] = {}
        """Ids of the runs that were given, by place."""

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return self._files.problems

    def experiments(self) -> Iterator[ForeignExperiment]:
        """One, named after the folder."""
        yield ForeignExperiment(self._experiment, self._name)

    @property
    def _experiment(self) -> str:
        return experiment_key(KIND, self._name)

    def count(self) -> int:
        """Folders with event files."""
        return len(self._places)

    def models(self) -> Iterator[ForeignModel]:
        """None: TensorBoard has no registry."""
        return iter(())

    def runs(self) -> Iterator[ForeignRun]:
        """A run for each folder, the outer ones first, so that those within can be nested in them."""
        joined: set[str] = set()
        for place, files in self._places.items():
            if place in joined:
                continue
            session = self._session_of(place)
            joined.add(session)
            run = self._run(place, [*files, *self._places.get(session, ())])
            if run is not None:
                self._imported[place] = run.run_id
                yield run

    # Folders

    def _look(self) -> Iterator[tuple[str, list[Path]]]:
        waiting, seen = [(self.root, 0)], 0
        while waiting:
            folder, depth = waiting.pop()
            seen += 1
            files, below = self._in_folder(folder)
            if files:
                yield folder.relative_to(self.root).as_posix(), files
            if depth < MAX_DEPTH and seen + len(waiting) < MAX_FOLDERS:
                waiting += [(path, depth + 1) for path in reversed(below)]
            elif below:
                self._files.problem(folder, "has folders that are not looked into: they are too deep, or too many")

    def _in_folder(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Event files and folders, by name."""
        files, below = [], []
        for entry in self._files.entries(folder):
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    below.append(path)
            elif entry.is_symlink() and (is_event_file(entry.name) or path.is_dir()):
                self._files.problem(path, "is a link, and links are not followed")
            elif is_event_file(entry.name):
                files.append(path)
        return files, below

    def _session_of(self, place: str) -> str:
        """The folder with the hyperparameters that `add_hparams` of a run's own writer put below it.

        Several of them are runs of their own, and then this is empty.
        """
        found = self._sessions.get(place, [])
        if len(found) != 1:
            return ""
        events = Events(lambda *_: None)
        _read_all(events, self._places[found[0]], lambda *_: None)
        return found[0] if events.session.started else ""

    # Runs

    def _run(self, place: str, files: list[Path]) -> ForeignRun | None:
        folder = self.root if place == ROOT else self.root / place
        events = Events(self._files.problem)
        count = _read_all(events, files, self._files.problem)
        params = self._params(folder, events)
        if not params and not events.has_data and (not count or place in self._outer):
            return None
        if events.left_out:
            self._files.problem(folder, f"has {_counted(events.left_out)}, which are not imported")
        media, tags = files_of(events)
        status, end = _ending(events)
        return ForeignRun(
            run_id=derived_id(KIND, place, files[0].name),
            experiment=self._experiment,
            name=self._name if place == ROOT else place,
            status=status,
            start_time=events.first_time,
            end_time=end,
            parent=self._parent(place),
            params=params,
            tags=tags,
            series={tag: series for tag, points in events.scalars.items() if len(series := points.series())},
            files={**media, **_checkpoints(folder)},
            place=place,
            root=self.root,
        )

    def _parent(self, place: str) -> str | None:
        """The run of the nearest folder around this one that is a run."""
        outer = [ROOT, *(parent.as_posix() for parent in reversed(PurePosixPath(place).parents[:-1]))]
        return next((self._imported[one] for one in reversed(outer) if one != place and one in self._imported), None)

    def _params(self, folder: Path, events: Events) -> dict[str, Param]:
        """Those that Lightning wrote for people, which have all types, and the others of the HParams plugin."""
        path = folder / HPARAMS_FILE
        params = read_hparams(path, lambda message: self._files.problem(path, message))
        known = {key.replace("/", ".") for key in params}
        return params | {
            key: value for key, value in events.session.params.items() if key.replace("/", ".") not in known
        }


def _read_all(events: Events, files: list[Path], tell: Tell) -> int:
    """Read the files of a run; returns how many events are in them."""
    total = 0
    for path in files:
        try:
            count = events.read(path)
            total += count
            if not count and not path.lstat().st_size:
                tell(path, "is empty")
        except OSError as error:
            tell(path, f"cannot be read: {error.strerror}")
    return total


def _ending(events: Events) -> tuple[Status, int | None]:
    """How a run ended. Event files do not say it, but for the session of some; one that has grown quiet is over."""
    session, last = events.session, events.last_time
    if session.failed:
        return "FAILED", session.end_time or last
    if not session.end_time and _clock.now_ms() - last <= settings.STALE_MS:
        return "RUNNING", None
    return "FINISHED", session.end_time or last


def _checkpoints(folder: Path) -> dict[str, Path]:
    """The files of the folder where Lightning keeps what was trained, by the path that each gets."""
    return {f"{CHECKPOINTS}/{found.name}": found.path for found in list_files(folder / CHECKPOINTS)}


def _counted(left_out: dict[str, set[str]]) -> str:
    """Plugins with their number of tags."""
    parts = []
    for plugin, tags in sorted(left_out.items()):
        named = len(tags - {""})
        parts.append(f"{plugin} ({named:,} {'tag' if named == 1 else 'tags'})" if named else plugin)
    return ", ".join(parts)
