"""A store opened for reading. It writes nothing, and no content makes it raise.

Listing reads one file a run where all writers said goodbye, else the logs too; what is unchanged since the last
listing comes from the index.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import msgspec

from tracker import _io, codec, layout, logs, names
from tracker.exceptions import NewerSchemaError, NotAStoreError, NotFoundError, did_you_mean
from tracker.index import Entry, Index, signature
from tracker.logs import MergedLogs, Problem
from tracker.schema import MAX_TIME, SCHEMA, ExperimentFile, RunFile, StoreFile
from tracker.snapshot import file_lives, make_snapshot
from tracker.summary import Series
from tracker.yaml_files import MAX_YAML, read_yaml

MAX_FILE = 64 * 1024 * 1024
"""Bytes of the largest `run.json` that is read."""
_NO_FOLDER = "is a link or no folder, and is not followed"


class ReadRun(msgspec.Struct, frozen=True, gc=False):
    """One run as its files tell it."""

    runs: Path
    """The folder that holds its own."""
    slug: str
    """Folder name of its experiment."""
    file: RunFile
    digest: str
    """Changes whenever something changed that a page of the run can show; made of contents, not of times."""
    problems: tuple[Problem, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self.runs / self.file.run_id

    @property
    def artifact_uri(self) -> str:
        """Where its artifacts lie, as text."""
        return f"{self.runs}{os.sep}{self.file.run_id}{os.sep}{layout.ARTIFACTS}"


class ReadExperiment(msgspec.Struct, frozen=True):
    """One experiment and its runs, newest first."""

    slug: str
    folder: Path
    file: ExperimentFile
    runs: tuple[ReadRun, ...] = ()


class ReadStore(msgspec.Struct, frozen=True):
    """Everything in a store but the points of the metrics."""

    root: Path
    file: StoreFile
    experiments: tuple[ReadExperiment, ...] = ()
    problems: tuple[Problem, ...] = ()

    def runs(self) -> Iterator[ReadRun]:
        """The runs of all experiments."""
        for experiment in self.experiments:
            yield from experiment.runs

    def experiment_named(self, name: str) -> ReadExperiment:
        """The experiment of this name, slug or id, or NotFoundError."""
        for experiment in self.experiments:
            if name in (experiment.file.name, experiment.slug, experiment.file.id):
                return experiment
        known = [experiment.file.name for experiment in self.experiments]
        raise NotFoundError(f"There is no experiment {name!r} in {self.root}.{did_you_mean(name, known)}")


class History(msgspec.Struct, frozen=True):
    """Every point of every metric of a run."""

    series: dict[str, Series] = {}
    problems: tuple[Problem, ...] = ()


class Environment(msgspec.Struct, frozen=True):
    """`environment.json`: what a run ran in. Nothing personal: no user, host, variables or absolute paths."""

    python: str = ""
    platform: str = ""
    command: list[str] = []
    """Command line with secrets masked."""
    packages: dict[str, str] = {}
    """Installed packages and their versions."""
    cpu: str = ""
    gpu: list[str] = []
    diff: str = ""
    """Uncommitted changes of tracked files, cut off at 1 MB."""


def read_store(root: Path | str, *, cache: bool = True) -> ReadStore:
    """List a store. Raises NotAStoreError or NewerSchemaError for the folder itself, nothing for what is in it."""
    root = Path(root)
    file, problems = _read_store_file(root)
    index = Index.load(root) if cache else Index()
    experiments = tuple(_read_experiments(root, index, problems))
    if cache:
        index.save(root)
    problems.extend(problem for experiment in experiments for run in experiment.runs for problem in run.problems)
    return ReadStore(root, file, experiments, tuple(problems))


def read_store_file(root: Path) -> StoreFile:
    """`store.yaml`, or the error that says why the folder cannot be used as a store."""
    return _read_store_file(root)[0]


def _read_store_file(root: Path) -> tuple[StoreFile, list[Problem]]:
    """What can be known of the store; damage is named, since its experiments are better read than refused."""
    path = layout.store_file(root)
    try:
        data = _io.read_file(path, limit=MAX_YAML)
    except OSError as error:
        if layout.experiments(root).is_dir():
            return _unknown_store(error.strerror or str(error))
        raise NotAStoreError(_no_store(root, error)) from None
    try:
        file = read_yaml(StoreFile, data)
    except ValueError as error:
        return _unknown_store(str(error))
    if file.schema > SCHEMA:
        raise NewerSchemaError(
            f"{root} has schema {file.schema}; this tracker reads up to {SCHEMA}. Install a newer tracker."
        )
    return file, []


def _unknown_store(reason: str) -> tuple[StoreFile, list[Problem]]:
    return StoreFile(schema=SCHEMA), [Problem(layout.STORE_FILE, None, f"cannot be read: {reason}")]


def _no_store(root: Path, error: OSError) -> str:
    if not root.exists():
        return f"There is no store at {root}. Log a run first, or name the store (TRACKER_URI, --store)."
    if not root.is_dir():
        return f"{root} is a file, not the folder of a store."
    if isinstance(error, FileNotFoundError):
        return f"{root} is no store: it has no {layout.STORE_FILE}. Name the folder that your runs were logged to."
    return f"{root} cannot be read as a store: {error.strerror}."


def read_run(root: Path | str, run_id: str) -> ReadRun:
    """One run of a store by its id; NotFoundError when there is none."""
    folder = find_run(Path(root), run_id)
    return read_run_in(folder, folder.parent.parent.name)


def read_run_in(folder: Path, slug: str) -> ReadRun:
    """The run in a folder, of an experiment with this slug; in the trash too."""
    return _as_run(_read_run(folder), folder.parent, slug)


def read_trash(root: Path | str) -> Iterator[ReadRun]:
    """The deleted runs of a store."""
    root = Path(root)
    for slug in filter(names.is_slug, folders(root / layout.TRASH)):
        for run_id in filter(names.is_run_id, folders(root / layout.TRASH / slug)):
            folder = layout.trashed_run(root, slug, run_id)
            yield read_run_in(folder, slug)


def find_run(root: Path, run_id: str) -> Path:
    """The folder of a run; NotFoundError when no experiment has it."""
    names.check_run_id(run_id)
    for slug in folders(layout.experiments(root)):
        folder = layout.run(root, slug, run_id)
        if _io.is_folder(folder) and _io.is_folder(folder.parent):
            return folder
    raise NotFoundError(f"There is no run {run_id} in {root}. `tracker list` shows the runs that are there.")


def read_history(run_folder: Path) -> History:
    """Every point of every metric of a run."""
    merged = logs.read_logs(run_folder)
    return History(merged.series, tuple(merged.problems))


def read_environment(run_folder: Path) -> Environment | None:
    """What the run ran in; None where nothing was captured or the file cannot be read."""
    try:
        return load_environment(run_folder)
    except (OSError, ValueError):
        return None


def load_environment(run_folder: Path) -> Environment | None:
    """The same; OSError or ValueError when the file cannot be read."""
    try:
        data = _io.read_file(run_folder / layout.ENVIRONMENT_FILE, limit=MAX_FILE)
        return msgspec.json.decode(data, type=Environment)
    except FileNotFoundError:
        return None
    except (RecursionError, msgspec.MsgspecError) as error:
        raise ValueError(str(error)) from error


def read_experiment_file(folder: Path) -> ExperimentFile:
    """`experiment.yaml`; OSError or ValueError when it cannot be read."""
    file = read_yaml(ExperimentFile, _io.read_file(folder / layout.EXPERIMENT_FILE, limit=MAX_YAML))
    if not file.name.strip():
        raise ValueError("the name is empty")
    return file


def _read_experiments(root: Path, index: Index, problems: list[Problem]) -> Iterator[ReadExperiment]:
    for slug in _folders(root, layout.experiments(root), problems):
        folder = layout.experiment(root, slug)
        try:
            file = read_experiment_file(folder)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(Problem(f"{layout.EXPERIMENTS}/{slug}/{layout.EXPERIMENT_FILE}", None, str(reason)))
            file = ExperimentFile(id=slug, name=slug)
        yield ReadExperiment(slug, folder, file, _read_runs(root, slug, index, problems))


def folders(path: Path) -> list[str]:
    """Names of the folders in a folder, sorted; links, unfinished ones and names that are no text left out."""
    return _listed(path)[0]


def _folders(root: Path, path: Path, problems: list[Problem]) -> list[str]:
    """The same for a folder of a store, with a problem for each thing that should have been a folder."""
    found, strange = _listed(path)
    place = path.relative_to(root).as_posix()
    problems += [Problem(f"{place}/{name}".rstrip("/"), None, reason) for name, reason in strange]
    return found


def _listed(path: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Folders in a folder; and by name ("" for itself), with the reason, what else is passed over."""
    if not _io.is_folder(path):
        return [], [("", _NO_FOLDER)] if os.path.lexists(path) else []
    found, strange = [], []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not names.is_text(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    found.append(entry.name)
                elif entry.is_symlink() or names.is_run_id(entry.name):
                    strange.append((entry.name, _NO_FOLDER))
    except OSError as error:
        return [], [("", f"cannot be listed: {error.strerror}")]
    return sorted(found), sorted(strange)


def _read_runs(root: Path, slug: str, index: Index, problems: list[Problem]) -> tuple[ReadRun, ...]:
    base = layout.runs(root, slug)
    prefix = f"{base}{os.sep}"
    known = index.runs.get(slug, {})
    entries: dict[str, Entry] = {}
    for run_id in _folders(root, base, problems):
        entry = known.get(run_id)
        folder = prefix + run_id
        if entry is None or not entry.is_current(folder):
            entry = _relative(_read_run(Path(folder)), root, run_id)
            if entry.problems and not _io.is_folder(folder):
                continue  # deleted while it was read
            index.changed = index.changed or entry.is_settled
        entries[run_id] = entry
    index.changed = index.changed or len(entries) != len(known)
    index.runs[slug] = entries
    found = [_as_run(entry, base, slug) for entry in entries.values()]
    found.sort(key=attrgetter("file.start_time", "file.run_id"), reverse=True)
    return tuple(found)


def _as_run(entry: Entry, runs: Path, slug: str) -> ReadRun:
    return ReadRun(runs, slug, entry.file, entry.digest, entry.problems)


def _relative(entry: Entry, root: Path, run_id: str) -> Entry:
    """The same with paths of problems relative to the store."""
    if not entry.problems:
        return entry
    prefix = f"{root}{os.sep}"
    problems = tuple(
        Problem(problem.path.removeprefix(prefix).replace(os.sep, "/"), problem.line, problem.message, run_id)
        for problem in entry.problems
    )
    return msgspec.structs.replace(entry, problems=problems)


def _read_run(folder: Path) -> Entry:
    before = signature(str(folder))
    data, identity, problems = _read_identity(folder)
    digest = hashlib.blake2b(data, digest_size=16)
    if _needs_logs(folder, identity):
        merged = logs.read_logs(folder)
        problems += merged.problems + _missing(folder, identity, merged)
        identity = make_snapshot(identity, merged)
        problems += _torn(folder, identity, merged)
        digest.update(_live_state(identity))
    if problems:
        digest.update(repr([(p.path.removeprefix(str(folder)), p.line, p.message) for p in problems]).encode())
    return Entry(before, digest.hexdigest(), identity, tuple(problems))


def _live_state(run: RunFile) -> bytes:
    return repr((run.status, run.end_time, sorted((name, log.bytes) for name, log in run.logs.items()))).encode()


def _needs_logs(folder: Path, identity: RunFile) -> bool:
    """Whether the logs may know more than `run.json` does."""
    if not identity.logs or identity.status == "RUNNING" or not all(log.closed for log in identity.logs.values()):
        return True
    try:
        return logs.log_sizes(folder) != {name: log.bytes for name, log in identity.logs.items()}
    except OSError:
        return True


def _read_identity(folder: Path) -> tuple[bytes, RunFile, list[Problem]]:
    path = folder / layout.RUN_FILE
    data = b""
    try:
        data = _io.read_file(path, limit=MAX_FILE)
        identity = codec.read_run_file(data)
        if identity.schema > SCHEMA:
            raise ValueError(f"has schema {identity.schema}; this tracker reads up to {SCHEMA}")
        if identity.run_id != folder.name:
            raise ValueError(f"is of the run {identity.run_id!r:.50}, not of the folder it lies in")
        return data, identity, []
    except OSError as error:
        problem = Problem(str(path), None, f"cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError) as error:
        problem = Problem(str(path), None, f"is damaged: {error}")
    return data, _unknown_run(folder), [problem]


def _unknown_run(folder: Path) -> RunFile:
    """What a run is called when its identity was destroyed; its logs tell the rest."""
    started = 0
    if names.is_run_id(folder.name):
        started = min(int(folder.name[:12], 16), MAX_TIME)
    return RunFile(SCHEMA, folder.name, f"run {folder.name[-6:]}", "", "STALE", started)


def _missing(folder: Path, run: RunFile, merged: MergedLogs) -> list[Problem]:
    """Logs that are shorter than when the snapshot was made: they only ever grow."""
    sizes = {file.name: file.state.bytes for file in merged.files}
    return [
        Problem(str(folder / layout.LOG / name), None, f"lost {log.bytes - sizes.get(name, 0):,} of its bytes")
        for name, log in run.logs.items()
        if log.bytes > sizes.get(name, 0)
    ]


def _torn(folder: Path, run: RunFile, merged: MergedLogs) -> list[Problem]:
    """Incomplete last lines; while the run lives they may just be in the making."""
    if run.status == "RUNNING":
        return []
    return [
        Problem(str(folder / layout.LOG / file.name), file.lines + 1, "is incomplete: its writer was stopped; left out")
        for file in merged.files
        if file.torn and not file_lives(file)
    ]
