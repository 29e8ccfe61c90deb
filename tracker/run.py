"""A run that is being logged: the object behind every fluent function."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TYPE_CHECKING, SupportsFloat

import msgspec

from tracker import _clock, _io, artifact_writing, codec, entities, layout, logs, names, process, reader, settings
from tracker.exceptions import InvalidValueError, NotFoundError, ParamClashError, StorageError, did_you_mean
from tracker.masking import as_text, mask_text
from tracker.schema import RunFile, Status
from tracker.snapshot import make_snapshot
from tracker.writer import LogWriter, Role

if TYPE_CHECKING:
    from tracker.store import Store

_MAX_TRIES = 10
_STEP_LIMIT = 1 << 63
_MAX_CAUSE = 300
"""Characters kept of the message of the exception that ended a run."""
_END_STATES = ("FINISHED", "FAILED", "KILLED")


class ActiveRun:
    """A run open for logging; also a context manager that ends it.

    Each `log_*` call returns when its record is with the operating system: it survives the end of the process,
    however it comes. All methods may be called from any thread and from forked children.

    >>> with tracker.start_run(run_name="first") as run:
    ...     run.log_param("lr", 0.1)
    ...     run.log_metric("loss", 0.5, step=1)
    """

    def __init__(self, store: Store, folder: Path, file: RunFile, role: Role) -> None:
        self.store = store
        self.folder = folder
        self.run_id = file.run_id
        self._file = file
        self._writer = LogWriter(folder, role)
        self._prefixes: dict[str, str] = {}
        self._params = dict(file.params)
        self._pid = os.getpid()
        self._ended = False

    # What it is

    @property
    def info(self) -> entities.RunInfo:
        """Identity and state, as they are in the store now."""
        return self._read().info

    @property
    def data(self) -> entities.RunData:
        """Everything logged so far, read from the store."""
        return self._read().data

    @property
    def started_here(self) -> bool:
        """False in a forked child: it may log, but the run is not its to end."""
        return self._pid == os.getpid()

    @property
    def joined(self) -> bool:
        """Whether it is only added to, and its end is for somebody else to say."""
        return self._writer.role == "joined"

    @property
    def ended(self) -> bool:
        """Whether `end` was called with success."""
        return self._ended

    def open(self) -> None:
        """Begin the log now, so that readers see who writes."""
        with _io.explained("begin a log in", self.folder):
            self._writer.open()

    def _read(self) -> entities.Run:
        return entities.make_run(reader.read_run(self.store.root, self.run_id), self._file.experiment_id)

    # Metrics

    def log_metric(self, key: str, value: SupportsFloat, step: int | None = None, timestamp: int | None = None) -> None:
        """Log one point of a metric.

        `step` is a whole number (0 when omitted), `timestamp` UTC milliseconds (now when omitted). The value may be
        NaN or infinite, and anything that behaves like one number. Raises InvalidValueError otherwise.
        """
        try:
            prefix = self._prefixes[key]
        except (KeyError, TypeError):
            prefix = self._prefix(key)
        text = codec.metric_text(key, value)
        when = time.time_ns() // 1_000_000 if timestamp is None else codec.as_time(timestamp)
        if type(step) is not int:
            step = 0 if step is None else codec.as_integer(step, "A step")
        elif not -_STEP_LIMIT <= step < _STEP_LIMIT:
            codec.as_integer(step, "A step")
        self._writer.append(f'{prefix}{text},"step":{step},"time":{when}}}\n'.encode())

    def log_metrics(
        self, metrics: Mapping[str, SupportsFloat], step: int | None = None, timestamp: int | None = None
    ) -> None:
        """Log one point of each of several metrics, in one write."""
        when = _clock.now_ms() if timestamp is None else codec.as_time(timestamp)
        number = 0 if step is None else codec.as_integer(step, "A step")
        tail = f',"step":{number},"time":{when}}}\n'
        known = self._prefixes
        lines = [
            f"{known[key] if key in known else self._prefix(key)}{codec.metric_text(key, value)}{tail}"
            for key, value in metrics.items()
        ]
        if lines:
            self._writer.append("".join(lines).encode())

    def log_batch(
        self, points: Iterable[entities.Metric], params: Mapping[str, object], tags: Mapping[str, object]
    ) -> None:
        """Log points of metrics, params and tags in one write: all of them, or none when one is refused."""
        lines = [
            f"{self._prefix(point.key)}{codec.metric_text(point.key, point.value)},"
            f'"step":{codec.as_integer(point.step, "A step")},"time":{codec.as_time(point.timestamp)}}}\n'.encode()
            for point in points
        ]
        lines += codec.tag_lines(tags, _clock.now_ms())
        with self._writer.lock:
            new = self._new_params(params)
            lines += codec.param_lines(new, _clock.now_ms())
            if lines:
                self._writer.append(b"".join(lines))
                self._params.update(new)

    def _prefix(self, key: str) -> str:
        """The beginning of each record of a metric; its name is checked once."""
        prefix = self._prefixes[key] = codec.metric_prefix(key)
        return prefix

    # Params

    def log_param(self, key: str, value: object) -> object:
        """Log a param, with its type; a nested dict becomes dotted keys. Returns the value.

        Raises ParamClashError when the param has another value already.
        """
        self.log_params({names.check_name(key, "A param name"): value})
        return value

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log several params in one write: all of them, or none when one is refused."""
        with self._writer.lock:
            if new := self._new_params(params):
                self._writer.append(b"".join(codec.param_lines(new, _clock.now_ms())))
                self._params.update(new)

    def _new_params(self, params: Mapping[str, object]) -> dict[str, codec.Param]:
        new: dict[str, codec.Param] = {}
        for key, raw in codec.flatten(params):
            value = codec.param_value(names.check_name(key, "A param name"), raw)
            if not self._has_param(key, value, new):
                new[key] = value
        return new

    def _has_param(self, key: str, value: codec.Param, new: Mapping[str, codec.Param]) -> bool:
        known = new if key in new else self._params
        if key not in known:
            return False
        if codec.param_text(known[key]) == codec.param_text(value):
            return True
        raise ParamClashError(
            f"Param {key!r} of the run {self._file.name!r} ({self.run_id}) is {known[key]!r} and cannot become "
            f"{value!r}. Params are write-once: use another key, a tag or a metric for what changes."
        )

    # Tags

    def set_tag(self, key: str, value: object) -> None:
        """Set a tag to `str(value)`, in place of what it was."""
        self.set_tags({names.check_name(key, "A tag name"): value})

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Set several tags in one write."""
        if lines := codec.tag_lines(tags, _clock.now_ms()):
            self._writer.append(b"".join(lines))

    def delete_tag(self, key: str) -> None:
        """Delete a tag; NotFoundError when the run has none of this name."""
        tags = self.data.tags
        if key not in tags:
            raise NotFoundError(f"The run {self.run_id} has no tag {key!r}.{did_you_mean(key, tags)}")
        self._writer.append(codec.line(tag=key, deleted=True, time=_clock.now_ms()))

    # Artifacts

    @property
    def artifact_folder(self) -> Path:
        """Where the artifacts of the run lie."""
        return self.folder / layout.ARTIFACTS

    def log_artifact(self, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Copy a file, or a folder with all in it, into the run, below `artifact_path` if that is given.

        Raises NotFoundError when there is no such file and InvalidNameError for an unsafe path.
        """
        source = Path(local_path)
        if source.is_dir():
            below = f"{artifact_path}/{source.name}" if artifact_path else source.name
            self.log_artifacts(source, below)
            return
        with self._forgiven(f"The artifact {source}"):
            self._keep([artifact_writing.copy(source, self.folder, artifact_path, durable=self._durable())])

    def log_artifacts(self, local_dir: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Copy all files below a folder into the run, below `artifact_path` if that is given."""
        with self._forgiven(f"A part of the artifacts in {local_dir}"):
            self._keep(artifact_writing.copy_all(Path(local_dir), self.folder, artifact_path, durable=self._durable()))

    def log_text(self, text: str, artifact_file: str) -> None:
        """Write a text as an artifact, such as `log_text(report, "report.txt")`."""
        data = names.check_text(text, "The text of an artifact").encode()
        self.log_bytes(data, artifact_file)

    def log_dict(self, dictionary: Mapping[str, object] | list[object], artifact_file: str) -> None:
        """Write a dict or list as an artifact: YAML where the name ends in .yaml or .yml, else JSON."""
        data = artifact_writing.dict_bytes(dictionary, artifact_file)
        self.log_bytes(data, artifact_file)

    def log_folder(self, fill: Callable[[Path], None], artifact_path: str) -> str:
        """Log a folder that appears whole: `fill` writes its files. Returns its path, numbered if it was taken."""
        written = artifact_writing.add_folder(fill, self.folder, artifact_path)
        self._keep(written)
        depth = len(PurePosixPath(artifact_path).parts)
        return "/".join(PurePosixPath(written[0][0]).parts[:depth])

    def log_bytes(self, data: bytes, artifact_file: str) -> None:
        """Write bytes as an artifact."""
        with self._forgiven(f"The artifact {artifact_file}"):
            self._keep([artifact_writing.write(data, self.folder, artifact_file, durable=self._durable())])

    def _keep(self, written: Iterable[artifact_writing.Written]) -> None:
        now = _clock.now_ms()
        self._writer.append(b"".join(codec.line(artifact=path, value=size, time=now) for path, size in written))

    def _durable(self) -> bool:
        return settings.fsync() == "always"

    @contextmanager
    def _forgiven(self, what: str) -> Iterator[None]:
        """With on_error="warn", what the disk refuses is a warning and a loss that is told at the end."""
        try:
            yield
        except StorageError as error:
            if not self._writer.forgiving:
                raise
            self._writer.lose(what, error)

    # The end

    def end(self, status: str = "FINISHED", by: str | None = None, *, time: int | None = None) -> None:
        """End the run as FINISHED, FAILED or KILLED. In a forked child only its own log is closed."""
        check_end_status(status)
        if self._ended:
            return
        with self._forgiven("The snapshot of the run"):
            self._writer.close(status, by, time)
            if self._writer.begun and _io.is_folder(self.folder) and not self._owner_will():
                self.write_snapshot()
        self._ended = True

    def rest(self) -> None:
        """Hold no file open until the next record."""
        self._writer.rest()

    def detach(self) -> None:
        """Close the log of a run that was only added to. A refusal now takes nothing back of what was logged."""
        with suppress(StorageError):
            self.end()
        self._writer.abandon()

    def _owner_will(self) -> bool:
        """Whether the snapshot is the owner's to write: it lives, and looks at all logs once it has ended."""
        path = self.folder / layout.RUN_FILE
        return self._writer.role == "joined" and self._identity(path).status == "RUNNING"

    def write_snapshot(self) -> None:
        """Replace run.json by what all logs say, again while they grow: the last writer to close leaves it complete."""
        durable = settings.fsync() != "never"
        path = self.folder / layout.RUN_FILE
        with _io.explained("write", path):
            if durable:
                _io.sync_folder(self.folder / layout.LOG)
            for _ in range(_MAX_TRIES):
                snapshot = make_snapshot(self._identity(path), logs.read_logs(self.folder))
                _io.replace_file(path, codec.run_file_bytes(snapshot), durable=durable)
                if _is_complete(self.folder, snapshot):
                    break
            if durable:
                _io.sync_folder(self.folder.parent)

    def _identity(self, path: Path) -> RunFile:
        try:
            return codec.read_run_file(_io.read_file(path, limit=reader.MAX_FILE))
        except (OSError, ValueError):
            return self._file

    def __enter__(self) -> ActiveRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from tracker.session import session

        status, by = ending_of(error)
        session.leave(self, status, by)

    def __repr__(self) -> str:
        return f"<ActiveRun {self._file.name!r} {self.run_id}>"


def check_end_status(status: str) -> None:
    """InvalidValueError for a status that no run can end with."""
    if status not in _END_STATES:
        raise InvalidValueError(f"A run can end as {', '.join(_END_STATES)}, not as {status!r}.")


def ending_of(error: BaseException | None) -> tuple[Status, str | None]:
    """How a run ends whose block was left by this exception: status, and the name of the cause."""
    if error is None:
        return "FINISHED", None
    if isinstance(error, SystemExit):
        return ("FINISHED", None) if error.code in (None, 0) else ("FAILED", f"SystemExit({error.code!r:.50})")
    if isinstance(error, KeyboardInterrupt):
        return "KILLED", "SIGINT"
    return "FAILED", _described(error)


def _described(error: BaseException) -> str:
    """Type and first line of the message, with secrets and home folders masked as in everything that is captured."""
    try:
        message = str(error).strip().partition("\n")[0][:_MAX_CAUSE]
    except Exception:
        message = ""
    return f"{type(error).__name__}: {mask_text(as_text(message))}" if message else type(error).__name__


def _is_complete(folder: Path, snapshot: RunFile) -> bool:
    try:
        sizes = logs.log_sizes(folder)
    except OSError:
        return True
    return sizes == {name: log.bytes for name, log in snapshot.logs.items()}


def open_new(store: Store, slug: str, file: RunFile, environment: reader.Environment | None) -> ActiveRun:
    """Make a run in the store and open it."""
    return _opened(ActiveRun(store, store.create_run(slug, file, environment), file, "owner"))


def open_existing(store: Store, run_id: str, *, edit: bool = False) -> ActiveRun:
    """Resume a run that has ended, or join one that another process is logging to.

    With `edit` the run is only added to: its status and times stay what they are.
    """
    found = reader.read_run(store.root, run_id)
    role: Role = "joined" if edit or found.file.status == "RUNNING" else "owner"
    if role == "owner":
        path = found.folder / layout.RUN_FILE
        reopened = msgspec.structs.replace(
            found.file, status="RUNNING", end_time=None, ended_by=None, logs={}, process=process.this_process()
        )
        with _io.explained("write", path):
            _io.replace_file(path, codec.run_file_bytes(reopened), durable=False)
    return _opened(ActiveRun(store, found.folder, found.file, role))


def end_existing(store: Store, run_id: str, status: str, time: int | None = None) -> None:
    """End a run of the store that is not open here, whoever began it; one that has ended gets another end."""
    check_end_status(status)
    found = reader.read_run(store.root, run_id)
    _opened(ActiveRun(store, found.folder, found.file, "owner")).end(status, time=time)


def _opened(run: ActiveRun) -> ActiveRun:
    run.open()
    return run
