"""The records of a run of W&B: what they say of it, taken together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from tracker.foreign.protobuf import Message, WireError
from tracker.schema import MAX_TIME
from tracker.summary import Series

MAX_DEPTH = 20
"""Levels of a nested value; what is deeper stays JSON."""
MAX_OUTPUT = 10_000_000
"""Characters of what a run printed that are kept."""
_AXES = {"_step", "_timestamp", "_runtime", "_wandb"}
"""Keys of W&B's own in a history."""
_OWN_ARTIFACTS = {"run_table", "wandb-history", "wandb-run-link", "job"}
"""Types of artifacts that W&B makes by itself, of what is elsewhere in the run."""
Tree = dict[str, Any]


class RunState(Struct):
    """A run, as far as its records were read."""

    run_id: str = ""
    project: str = ""
    name: str = ""
    notes: str = ""
    tags: list[str] = []
    group: str = ""
    job_type: str = ""
    sweep: str = ""
    start_time: int = 0
    """UTC milliseconds; 0 where it is not known, as for the times below."""
    last_time: int = 0
    exit_code: int | None = None
    """None for a run that did not end."""
    config: Tree = {}
    summary: Tree = {}
    series: dict[str, Series] = {}
    texts: dict[str, str] = {}
    """The last text under each key of the history."""
    system: dict[str, Series] = {}
    environment: Message = field(default_factory=lambda: Message(b""))
    has_environment: bool = False
    remote: str = ""
    commit: str = ""
    output: list[str] = []
    output_size: int = 0
    left_out: dict[str, set[str]] = {}
    """Keys of what is not taken over, by its type."""

    def leave_out(self, what: str, key: str) -> None:
        """Note what is not taken over."""
        if len(self.left_out) < 100:
            self.left_out.setdefault(what[:40], set()).add(key)

    def add(self, data: bytes) -> None:
        """Take over a record. Raises WireError for what is none."""
        for number, values in Message(data).fields.items():
            reader = _READERS.get(number)
            for _, value in values if reader else ():
                if reader and isinstance(value, bytes):
                    reader(self, Message(value))

    def _run(self, run: Message) -> None:
        self.run_id = run.text(1) or self.run_id
        self.project = run.text(3) or self.project
        self.group = run.text(6) or self.group
        self.job_type = run.text(7) or self.job_type
        self.name = run.text(8) or self.name
        self.notes = run.text(9) or self.notes
        self.tags = run.texts(10) or self.tags
        self.sweep = run.text(12) or self.sweep
        self.start_time = self.start_time or _time_of(run.message(17))
        self.last_time = max(self.last_time, self.start_time)
        self._git(run.message(21))
        self._config(run.message(4))
        self._summary(run.message(5))

    def _git(self, git: Message) -> None:
        self.remote = git.text(1) or self.remote
        self.commit = git.text(2) or self.commit

    def _config(self, config: Message) -> None:
        _change(self.config, config)

    def _summary(self, summary: Message) -> None:
        _change(self.summary, summary)

    def _history(self, history: Message) -> None:
        tree: Tree = {}
        for item in history.messages(1):
            _put(tree, _path_of(item), _value_of(item))
        step = tree.get("_step")
        if type(step) is not int or abs(step) >= 1 << 63:
            step = history.message(2).integer(1)
        time = _milliseconds(tree.get("_timestamp")) or self.last_time
        self.last_time = max(self.last_time, time)
        for key, value in walk({key: value for key, value in tree.items() if key not in _AXES}):
            number = as_number(value)
            if number is not None:
                _append(self.series, key, step, number, time)
            elif isinstance(value, str):
                self.texts[key] = value
            elif value is not None and not is_media(value):
                self.leave_out(type_of(value), key)

    def _stats(self, stats: Message) -> None:
        time = _time_of(stats.message(2)) or self.last_time
        self.last_time = max(self.last_time, time)
        for item in stats.messages(3):
            key, number = item.text(1), as_number(_value_of(item))
            if "/" in key and not key.startswith("disk./."):
                self.leave_out("system metrics", "of mounted folders")
            elif number is not None:
                series = self.system.get(key)
                _append(self.system, key, len(series) if series else 0, number, time)

    def _exit(self, end: Message) -> None:
        if not end.integer(3):
            self.exit_code = end.integer(1)

    def _environment(self, environment: Message) -> None:
        """Several records, each with a part."""
        self.has_environment = True
        self.environment.fields.update(environment.fields)
        self._git(environment.message(9))

    def _output(self, output: Message) -> None:
        line = output.text(3)
        if self.output_size < MAX_OUTPUT:
            self.output.append(line)
            self.output_size += len(line)

    def _artifact(self, artifact: Message) -> None:
        if artifact.text(4) not in _OWN_ARTIFACTS:
            self.leave_out("artifacts", artifact.text(5))

    def _tensorboard(self, _record: Message) -> None:
        self.leave_out("TensorBoard logs", "")


_READERS = {
    2: RunState._history,
    3: RunState._summary,
    4: RunState._output,
    5: RunState._config,
    7: RunState._stats,
    8: RunState._artifact,
    9: RunState._tensorboard,
    13: RunState._output,
    17: RunState._run,
    18: RunState._exit,
    26: RunState._environment,
}
"""By the number of the field in a record."""


def walk(tree: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Pairs of dotted key and value, as W&B shows nested ones. A value with a type of its own stays whole."""
    for name, value in tree.items():
        if isinstance(value, dict) and value and "_type" not in value and depth < MAX_DEPTH:
            yield from walk(value, f"{prefix}{name}.", depth + 1)
        else:
            yield f"{prefix}{name}", value


def as_number(value: object) -> float | None:
    """A number, true and false as 1 and 0; None for what is none."""
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def _append(series: dict[str, Series], key: str, step: int, value: float, time: int) -> None:
    one = series.get(key)
    if one is None:
        one = series[key] = Series([], [], [])
    one.steps.append(step)
    one.values.append(value)
    one.times.append(time)


def is_media(value: object) -> bool:
    """Whether a value only names files, which are taken over as such."""
    return isinstance(value, dict) and ("path" in value or "filenames" in value)


def type_of(value: object) -> str:
    """What people call a value that is neither number nor text."""
    if isinstance(value, dict):
        return str(value.get("_type") or "empty dict")
    return type(value).__name__


def _change(tree: Tree, record: Message) -> None:
    """Apply the updates and removals of a record."""
    for item in record.messages(1):
        _put(tree, _path_of(item), _value_of(item))
    for item in record.messages(2):
        *outer, last = _path_of(item)
        place: Any = tree
        for name in outer:
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(last, None)


def _put(tree: Tree, path: list[str], value: object) -> None:
    for name in path[:-1]:
        below = tree.get(name)
        if not isinstance(below, dict):
            below = tree[name] = {}
        tree = below
    tree[path[-1]] = value


def _path_of(item: Message) -> list[str]:
    return item.texts(2)[: MAX_DEPTH + 1] or [item.text(1)]


def _value_of(item: Message) -> object:
    try:
        return json.loads(item.text(16) or "null")
    except (ValueError, RecursionError):
        raise WireError("a value in it is no JSON") from None


def _time_of(stamp: Message) -> int:
    time = stamp.integer(1) * 1000 + stamp.integer(2) // 1_000_000
    return time if 0 <= time <= MAX_TIME else 0


def _milliseconds(seconds: object) -> int:
    if isinstance(seconds, int | float) and 0 <= seconds * 1000 <= MAX_TIME:
        return int(seconds * 1000 + 0.5)
    return 0
