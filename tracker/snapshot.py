"""From the identity and the logs of a run to its full snapshot, with a status that tells the truth."""

from __future__ import annotations

import msgspec

from tracker import _clock, settings
from tracker import process as processes
from tracker.logs import LogFile, MergedLogs
from tracker.schema import LogState, Process, RunFile, Status
from tracker.summary import summarize

RUN_NAME_TAG = "mlflow.runName"
NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"


class _Ending(msgspec.Struct, frozen=True):
    status: Status
    time: int | None
    by: str | None = None


def make_snapshot(identity: RunFile, logs: MergedLogs) -> RunFile:
    """The run as its logs tell it. What the identity or an older snapshot knows beyond them is kept."""
    tags = {**identity.tags, **logs.tags}
    kept_tags = {key: value for key, value in tags.items() if value is not None}
    ending = _ending(identity, logs.files)
    return msgspec.structs.replace(
        identity,
        name=kept_tags.get(RUN_NAME_TAG, identity.name),
        status=ending.status,
        end_time=ending.time,
        ended_by=ending.by,
        process=identity.process if ending.status == "RUNNING" else None,
        tags=kept_tags,
        params={**identity.params, **logs.params},
        metrics={**identity.metrics, **{key: summarize(series) for key, series in logs.series.items()}},
        logs={file.name: _state(file) for file in logs.files},
    )


def _state(file: LogFile) -> LogState:
    """A log whose process is known to be gone is as good as closed: it will not grow."""
    if file.state.closed or file.header is None or _lives(file.header.process) is not False:
        return file.state
    return LogState(file.state.bytes, True)


def file_lives(file: LogFile) -> bool:
    """Whether the process that writes a log is known to live."""
    return file.header is not None and _lives(file.header.process) is True


def _ending(identity: RunFile, files: list[LogFile]) -> _Ending:
    """The latest owner decides: by its last record, or by whether its process lives."""
    owners = [file for file in files if file.header is not None and file.header.role == "owner"]
    if not owners:
        return _ending_without_logs(identity, files)
    owner = max(owners, key=lambda file: (file.header.time, file.name) if file.header else (0, ""))
    if owner.end is not None and owner.end.end is not None:
        return _Ending(owner.end.end, owner.end.time, owner.end.signal)
    if identity.status != "RUNNING" and owner.name in identity.logs:
        return _Ending(identity.status, identity.end_time, identity.ended_by)  # its end was lost since
    process = owner.header.process if owner.header else None
    return _ending_of_process(process, owner.modified, _last_time(identity, files))


def _ending_without_logs(identity: RunFile, files: list[LogFile]) -> _Ending:
    if identity.status != "RUNNING":
        return _Ending(identity.status, identity.end_time, identity.ended_by)
    return _ending_of_process(identity.process, identity.start_time, _last_time(identity, files))


def _ending_of_process(process: Process | None, modified: int, last_time: int) -> _Ending:
    alive = _lives(process)
    if alive or (alive is None and _clock.now_ms() - modified <= settings.STALE_MS):
        return _Ending("RUNNING", None)
    return _Ending("STALE" if alive is None else "KILLED", last_time)


def _lives(process: Process | None) -> bool | None:
    """Whether the process lives; None when it ran on another machine or this one does not tell."""
    if process is None or process.machine != processes.machine_key():
        return None
    started = processes.process_start(process.pid)
    if started is None:
        return False
    return started == process.started if started and process.started else None


def _last_time(identity: RunFile, files: list[LogFile]) -> int:
    return max([identity.start_time, *(file.last_time for file in files)])
