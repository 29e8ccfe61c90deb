"""Reads the log files of a run and merges them. Never raises for content: what cannot be read becomes a Problem."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tracker import _io, codec, layout, names
from tracker.schema import LogState, Record
from tracker.summary import Series

BLOCK = 1 << 20
MAX_LINE = 1 << 23
"""Bytes of the longest line that is read; a log of ours has none that is longer."""
MAX_PROBLEMS = 20
"""Problems kept for one file; the rest is counted."""


class Problem(msgspec.Struct, frozen=True):
    """Something that a reader could not read."""

    path: str
    """Relative to the store, or absolute where it lies outside."""
    line: int | None
    message: str
    run_id: str | None = None


class LogFile(msgspec.Struct):
    """One log file as far as it could be read."""

    name: str
    state: LogState
    modified: int
    """Time of the last change, UTC milliseconds by the clock of the file system."""
    header: Record | None = None
    end: Record | None = None
    last_time: int = 0
    """Latest time in its records."""
    torn: bool = False
    """The last line is incomplete."""
    lines: int = 0


class MergedLogs(msgspec.Struct):
    """What all log files of a run say together."""

    files: list[LogFile] = []
    params: dict[str, codec.Param] = {}
    tags: dict[str, str | None] = {}
    """None where the tag was deleted."""
    series: dict[str, Series] = {}
    problems: list[Problem] = []
    _param_times: dict[str, int] = {}
    _tag_times: dict[str, int] = {}

    def add_param(self, record: Record) -> str | None:
        """Keep the first value of a param; says so when another value came later."""
        key, value = record.param or "", codec.read_param(record.value)
        if key not in self.params:
            self.params[key], self._param_times[key] = value, record.time
            return None
        kept = self.params[key]
        if codec.param_text(kept) == codec.param_text(value):
            return None
        if record.time < self._param_times[key]:
            kept, value = value, kept
            self.params[key], self._param_times[key] = kept, record.time
        return f"param {key!r} was logged as {kept!r} and later as {value!r}; the first one is kept"

    def add_tag(self, record: Record) -> None:
        """Keep the latest value of a tag."""
        key = record.tag or ""
        if not record.deleted and not isinstance(record.value, str):
            raise ValueError(f"tag {key!r:.60}: {record.value!r:.60} is no text")
        if record.time >= self._tag_times.get(key, 0):
            self._tag_times[key] = record.time
            self.tags[key] = None if record.deleted else record.value


def list_logs(run_folder: Path) -> list[str]:
    """Names of the log files of a run in the order in which they were begun; OSError when there is no such folder."""
    folder = f"{run_folder}{os.sep}{layout.LOG}"
    if Path(folder).is_symlink():
        raise OSError(errno.ENOTDIR, "It is a link")
    found = [name for name in os.listdir(folder) if name.endswith(layout.LOG_SUFFIX) and name[0] != "."]  # noqa: PTH208
    return sorted(filter(names.is_text, found))


def log_sizes(run_folder: Path) -> dict[str, int]:
    """Bytes of each log file of a run; OSError when the folder or one of them is gone."""
    folder = f"{run_folder}{os.sep}{layout.LOG}{os.sep}"
    return {name: os.lstat(folder + name).st_size for name in list_logs(run_folder)}


def read_logs(run_folder: Path) -> MergedLogs:
    """Everything that the logs of a run hold, series in the order of their steps."""
    merged = MergedLogs()
    try:
        log_names = list_logs(run_folder)
    except OSError as error:
        merged.problems.append(_problem(run_folder / layout.LOG, None, f"cannot be listed: {error.strerror}"))
        return merged
    for name in log_names:
        _read_log(f"{run_folder}{os.sep}{layout.LOG}{os.sep}{name}", name, merged)
    for series in merged.series.values():
        series.sort()
    _close_continued(merged.files)
    return merged


def _close_continued(files: list[LogFile]) -> None:
    """A file that goes on in another one will not grow."""
    continued = {file.header.continues for file in files if file.header and file.header.continues}
    for file in files:
        if file.name.removesuffix(layout.LOG_SUFFIX) in continued:
            file.state = LogState(file.state.bytes, True)
            file.torn = False


def _read_log(path: str, name: str, merged: MergedLogs) -> None:
    reader = _LogReader(path, merged)
    log = LogFile(name, LogState(0, False), 0)
    try:
        fd, info = _io.open_descriptor(path)
        log.modified = info.st_mtime_ns // 1_000_000
        try:
            reader.read(log, _blocks(fd))
        finally:
            _io.close(fd)
    except OSError as error:
        reader.problem(None, f"cannot be read: {error.strerror or error}")
    merged.files.append(log)
    reader.report()


def _blocks(fd: int) -> Iterator[bytes]:
    while block := os.read(fd, BLOCK):
        yield block


class _LogReader:
    """Turns the lines of one file into params, tags and points."""

    def __init__(self, path: str, merged: MergedLogs) -> None:
        self._path = path
        self._merged = merged
        self._found = 0

    def read(self, log: LogFile, blocks: Iterator[bytes]) -> None:
        rest, size = b"", 0
        for block in blocks:
            size += len(block)
            whole, newline, rest = (rest + block).rpartition(b"\n")
            if newline:
                self._lines(log, whole)
            if len(rest) > MAX_LINE:
                self.problem(log.lines + 1, f"is longer than {MAX_LINE:,} bytes; the file is read no further")
                break
        log.torn = bool(rest)
        log.state = LogState(size, log.end is not None)
        if log.lines and log.header is None and not self._found:
            self.problem(1, "does not name its writer, so the beginning of the file is lost")

    def _lines(self, log: LogFile, data: bytes) -> None:
        try:
            records = codec.record_decoder.decode_lines(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._lines_one_by_one(log, data)
            return
        self._take(log, records, log.lines + 1)
        log.lines += len(records)

    def _lines_one_by_one(self, log: LogFile, data: bytes) -> None:
        for text in data.split(b"\n"):
            log.lines += 1
            try:
                record = codec.record_decoder.decode(text)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                self.problem(log.lines, f"is no record: {error}")
            else:
                self._take(log, [record], log.lines)

    def _take(self, log: LogFile, records: list[Record], first_line: int) -> None:
        all_series = self._merged.series
        for number, record in enumerate(records, first_line):
            key = record.metric
            if key is None:
                self._take_other(log, record, number)
                continue
            value = record.value
            if type(value) is not float:
                try:
                    value = codec.read_number(value)
                except ValueError as error:
                    self.problem(number, f"metric {key!r:.60}: {error}")
                    continue
            series = all_series.get(key)
            if series is None:
                series = all_series[key] = Series()
            series.steps.append(record.step)
            series.values.append(value)
            series.times.append(record.time)
        log.last_time = max(log.last_time, max((record.time for record in records), default=0))

    def _take_other(self, log: LogFile, record: Record, number: int) -> None:
        try:
            if record.param is not None:
                clash = self._merged.add_param(record)
                if clash:
                    self.problem(number, clash)
            elif record.tag is not None:
                self._merged.add_tag(record)
            elif record.writer is not None:
                log.header = record
            elif record.end is not None:
                log.end = record
            elif record.artifact is None:
                self.problem(number, "is a record of no known kind")
        except ValueError as error:
            self.problem(number, str(error))

    def problem(self, number: int | None, message: str) -> None:
        self._found += 1
        if self._found <= MAX_PROBLEMS:
            self._merged.problems.append(_problem(self._path, number, message))

    def report(self) -> None:
        """Say how many problems were not listed."""
        if self._found > MAX_PROBLEMS:
            message = f"has {self._found - MAX_PROBLEMS:,} more problems of this kind"
            self._merged.problems.append(_problem(self._path, None, message))


def _problem(path: Path | str, number: int | None, message: str) -> Problem:
    return Problem(str(path), number, message)
