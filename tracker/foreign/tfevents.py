"""TensorBoard's events: what the event files of one run say, as TensorBoard itself takes them together."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tracker.codec import Param
from tracker.foreign import tensors
from tracker.foreign.damage import Problems
from tracker.foreign.protobuf import BYTES, Field, Message, WireError, read_fields, read_varint, signed
from tracker.foreign.tfrecords import HEADER, read_records
from tracker.schema import MAX_TIME
from tracker.summary import Series

MAX_PLUGINS, MAX_TAGS = 100, 1_000
"""Plugins, and tags of each, that are counted of what is left out."""
MAX_RESTARTS = 1_000
"""Restarts of a training that make void what was logged before."""
MAX_COMMON = 100_000
"""Tags whose events are known by their bytes."""
SCALARS, HPARAMS = "scalars", "hparams"
MediaKind = Literal["images", "audio"]
Tell = Callable[[Path, str], None]
"""Takes a file and what is wrong with it."""

_START, _FAILURE = 1, 2
"""Of a session log: training went on from here. Of a session's end: it failed."""
_CURRENT = 2
"""From this version of the files on, a step that goes back is no sign of a restart."""
_DOUBLE, _FLOAT = struct.Struct("<d").unpack_from, struct.Struct("<f").unpack_from
_SHORTEST, _TIME_KEY, _STEP_KEY = 16, 9, 16
"""Bytes of an event that may be a common one, and what its fields begin with."""
_EXACT = 1 << 53


class Media(Struct, frozen=True):
    """An image or a sound, as it lies in an event file."""

    step: int
    file: Path
    offset: int
    size: int
    head: bytes
    """Its first bytes, which say of what type it is."""


class Text(Struct, frozen=True):
    """A text that was logged."""

    step: int
    text: str


class Points:
    """Points of a metric in the order of the files."""

    __slots__ = ("_cuts", "steps", "times", "values")

    def __init__(self) -> None:
        self.steps, self.values, self.times = array("q"), array("d"), array("q")
        self._cuts: list[tuple[int, int]] = []
        """How many points there were when those from a step on became void; that step goes up."""

    def add(self, step: int, value: float, time: int) -> None:
        """One more."""
        self.steps.append(step)
        self.values.append(value)
        self.times.append(time)

    def cut(self, step: int) -> None:
        """Make those from a step on void."""
        while self._cuts and self._cuts[-1][1] >= step:
            self._cuts.pop()
        self._cuts.append((len(self.steps), step))

    def series(self) -> Series:
        """Those that are not void, in order of steps."""
        made = Series(list(self.steps), list(self.values), list(self.times))
        if self._cuts:
            kept = list(self._kept())
            made.steps = [made.steps[index] for index in kept]
            made.values = [made.values[index] for index in kept]
            made.times = [made.times[index] for index in kept]
        made.sort()
        return made

    def _kept(self) -> Iterator[int]:
        start = 0
        for end, step in self._cuts:
            yield from (index for index in range(start, end) if self.steps[index] < step)
            start = end
        yield from range(start, len(self.steps))


class Session(Struct):
    """What the HParams plugin knows of a run."""

    params: dict[str, Param] = {}
    started: bool = False
    failed: bool = False
    end_time: int = 0
    """UTC milliseconds; 0 where it is not known. Some writers say at once that all went well, without a time."""


class Events:
    """All that event files of one run say. Nothing in them raises."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.first_time = 0
        """UTC milliseconds of the first event; 0 before there is one."""
        self.scalars: dict[str, Points] = {}
        self.media: dict[MediaKind, dict[str, list[Media]]] = {"images": {}, "audio": {}}
        self.texts: dict[str, list[Text]] = {}
        self.left_out: dict[str, set[str]] = {}
        """Tags of what is not read, by the plugin that shows it."""
        self.session = Session()
        self._last_time = 0
        self._plugins: dict[str, str] = {}
        self._common: dict[tuple[int, bytes], Points] = {}
        """By where the number of an event stands, from its end, and all other bytes behind its step."""
        self._backs: dict[int, list[int]] = {}
        """Where numbers stand, by how many bytes an event has behind its step."""
        self._version = 0.0
        self._last_step = -1
        self._restarts = 0
        self._is_damaged = False
        self._file = Path()

    @property
    def last_time(self) -> int:
        """UTC milliseconds of the last event."""
        return max([self._last_time, *(max(points.times, default=0) for points in self.scalars.values())])

    @property
    def has_data(self) -> bool:
        """Whether a run is to be made of this."""
        return bool(self.scalars or self.texts or self.left_out or any(self.media.values()) or self.session.started)

    def read(self, path: Path) -> int:
        """Add a file; returns how many events are in it. Raises OSError where it cannot be opened."""
        self._file = path
        problems = Problems(partial(self._tell, path))

        def damage(offset: int, what: str) -> None:
            self._is_damaged = True
            problems.add(f"the record at byte {offset:,} {what}")

        count = 0
        for offset, data in read_records(path, damage):
            count += 1
            try:
                if not self._add_common(data):
                    self._add(offset, data, problems)
            except WireError as error:
                problems.add(f"the record at byte {offset:,} is no event, and left out: {error}")
        problems.end()
        return count

    def _add_common(self, data: bytes) -> bool:
        """Add the event that nearly all are, which has a time, a step and one scalar; False for another."""
        if len(data) < _SHORTEST or data[0] != _TIME_KEY:
            return False
        step, place = 0, 9
        if data[9] == _STEP_KEY:
            step, place = data[10], 11
            if step > 127:
                step, place = read_varint(data, 10)
        time = _DOUBLE(data, 1)[0] * 1000 + 0.5
        size = len(data)
        for back in self._backs.get(size - place, ()):
            points = self._common.get((back, data[place : size - back] + data[size - back + 4 :]))
            if points is not None and 0 <= time <= MAX_TIME:
                points.steps.append(signed(step))
                points.values.append(_FLOAT(data, size - back)[0])
                points.times.append(int(time))
                return True
        return False

    def _add(self, offset: int, data: bytes, problems: Problems) -> None:
        event = Message(data)
        time, step = self._time(event.double(1)), event.integer(2)
        if 3 in event:
            self._version = _version(event.text(3))
        summary = event.blob(5)
        values = Message(summary).blobs(1)
        self._cut(step, values, event)
        if any(graph in event for graph in (4, 8, 9)):
            self._leave_out("graphs", "")
        is_sound, origin = True, _Origin(self._file, offset + HEADER, data)
        for value in values:
            try:
                self._value(Message(value), step, time, origin)
            except WireError as error:
                is_sound = False
                problems.add(f"a value in the record at byte {offset:,} cannot be read: {error}")
        if is_sound and len(values) == 1 and self._version >= _CURRENT:
            self._learn(data, Message(values[0]).text(1))

    def _learn(self, data: bytes, tag: str) -> None:
        """Know the next event of a tag by its bytes."""
        if tag not in self.scalars or self._plugins.get(tag, SCALARS) != SCALARS or len(self._common) >= MAX_COMMON:
            return
        number = _number_in(data)
        if number is None:
            return
        start, back = number
        end = len(data) - back
        self._common[back, data[start:end] + data[end + 4 :]] = self.scalars[tag]
        backs = self._backs.setdefault(len(data) - start, [])
        if back not in backs:
            backs.append(back)

    def _time(self, seconds: float) -> int:
        time = seconds * 1000 + 0.5
        found = int(time) if 0 <= time <= MAX_TIME else self._last_time
        self.first_time = self.first_time or found
        self._last_time = max(self._last_time, found)
        return found

    def _cut(self, step: int, values: list[bytes], event: Message) -> None:
        """Drop what a restart of the training made void, as TensorBoard does."""
        if self._version >= _CURRENT or self._is_damaged:  # the first record has the version, and may be lost
            if event.message(7).integer(1) == _START:
                self._cut_tags(step, {*self.scalars, *self.texts, *self.media["images"], *self.media["audio"]})
        elif values and step < self._last_step:
            self._cut_tags(step, {Message(value).text(1) for value in values})
        else:
            self._last_step = step

    def _cut_tags(self, step: int, tags: set[str]) -> None:
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            if self._restarts == MAX_RESTARTS + 1:
                self._tell(self._file, f"has more than {MAX_RESTARTS:,} restarts; what others made void stays")
            return
        for tag in tags:
            if tag in self.scalars:
                self.scalars[tag].cut(step)
            if tag in self.texts:
                self.texts[tag] = [one for one in self.texts[tag] if one.step < step]
            for media in self.media.values():
                if tag in media:
                    media[tag] = [one for one in media[tag] if one.step < step]

    # Values

    def _value(self, value: Message, step: int, time: int, origin: _Origin) -> None:
        tag = value.text(1) or value.text(7)
        if 9 in value:
            self._meet(tag, value.message(9).message(1))
        if 2 in value:
            self._points(tag).add(step, value.single(2), time)
        elif 4 in value:
            self._media("images", tag, step, value.message(4).blob(4), origin)
        elif 6 in value:
            self._media("audio", tag, step, value.message(6).blob(4), origin)
        elif 3 in value or 5 in value:
            self._leave_out("histograms", tag)
        elif 8 in value:
            self._tensor(tag, value.message(8), step, time, origin)

    def _meet(self, tag: str, plugin: Message) -> None:
        """Learn which plugin shows a tag; writers say it in the first value only."""
        name = plugin.text(1)
        self._plugins.setdefault(tag, name)
        if name == HPARAMS:
            self._hparams(Message(plugin.blob(2)))

    def _tensor(self, tag: str, tensor: Message, step: int, time: int, origin: _Origin) -> None:
        plugin = self._plugins.get(tag, "")
        if not plugin and self._is_damaged:
            plugin = _guessed(tensor)  # the value that says it may be lost
        if plugin == SCALARS:
            self._points(tag).add(step, tensors.number_of(tensor), time)
        elif plugin == "text":
            text = "\n\n".join(one.decode(errors="replace") for one in tensors.strings_of(tensor))
            self.texts.setdefault(tag, []).append(Text(step, text))
        elif plugin == "images":
            for image in tensors.strings_of(tensor)[2:]:  # behind width and height
                self._media("images", tag, step, image, origin)
        elif plugin == "audio":
            every = 2 if len(tensors.shape_of(tensor)) == 2 else 1  # each with a label
            for sound in tensors.strings_of(tensor)[::every]:
                self._media("audio", tag, step, sound, origin)
        elif plugin != HPARAMS:
            self._leave_out(plugin or "tensors", tag)

    def _points(self, tag: str) -> Points:
        points = self.scalars.get(tag)
        if points is None:
            points = self.scalars[tag] = Points()
        return points

    def _media(self, kind: MediaKind, tag: str, step: int, data: bytes, origin: _Origin) -> None:
        start = origin.data.find(data, origin.passed) if data else -1
        if start >= 0:
            origin.passed = start + len(data)
            media = Media(step, origin.file, origin.offset + start, len(data), data[:16])
            self.media[kind].setdefault(tag, []).append(media)

    def _leave_out(self, plugin: str, tag: str) -> None:
        tags = self.left_out.setdefault(plugin[:40], set()) if len(self.left_out) < MAX_PLUGINS else set()
        if len(tags) < MAX_TAGS:
            tags.add(tag)

    def _hparams(self, content: Message) -> None:
        session = self.session
        if 3 in content:
            session.started = True
            for entry in content.message(3).messages(1):
                session.params[entry.text(1)] = _param(entry.message(2))
        if 4 in content:
            end = content.message(4)
            session.failed = end.integer(1) == _FAILURE
            seconds = end.double(2)
            session.end_time = int(seconds * 1000) if 0 < seconds * 1000 <= MAX_TIME else 0


class _Origin(Struct):
    """The record that a value stands in."""

    file: Path
    offset: int
    """Of its bytes in the file."""
    data: bytes
    passed: int = 0
    """How much of it lies before what is read next: values stand one behind the other."""


def _version(text: str) -> float:
    try:
        return float(text.rpartition("brain.Event:")[2])
    except ValueError:
        return -1.0


def _number_in(data: bytes) -> tuple[int, int] | None:
    """Where the bytes begin that all events of a tag have in common, and where among them the number is, from the end.

    None unless the event has a time, a step and one scalar of four bytes, and nothing else but what says so.
    """
    fields = list(read_fields(data))
    if [number for number, _, _ in fields] not in ([1, 5], [1, 2, 5]):
        return None
    values = list(read_fields(_blob(fields[-1])))
    parts = list(read_fields(_blob(values[-1]))) if len(values) == 1 else []
    kinds = [number for number, _, _ in parts]
    if kinds[:2] == [1, 8]:
        tensor = list(read_fields(_blob(parts[1])))
        is_float = 1 < len(tensor) < 4 and tensor[0][0] == 1 and tensor[0][2] == 1 and tensor[-1][0] in (4, 5)
        number = tensor[-1][2] if is_float else b""
    else:
        number = parts[1][2] if kinds[:2] == [1, 2] else b""
    metadata = _blob(parts[2]) if kinds[2:] == [9] else b""
    back = 4 + (_length_of_field(len(metadata)) if kinds[2:] else 0)
    found = data[len(data) - back : len(data) - back + 4]
    if kinds[2:] not in ([], [9]) or len(found) != 4 or found != number:
        return None
    return 9 if len(fields) == 2 else read_varint(data, 10)[1], back


def _length_of_field(size: int) -> int:
    """Bytes of a field of so many bytes, with its number and its length."""
    return 1 + max(1, (size.bit_length() + 6) // 7) + size


def _blob(field: Field) -> bytes:
    _, wire, value = field
    return value if wire == BYTES and isinstance(value, bytes) else b""


def _guessed(tensor: Message) -> str:
    """The plugin that is likely to show a tensor."""
    if tensor.integer(1) != tensors.STRING:
        return "" if tensors.shape_of(tensor) else SCALARS
    texts = tensors.strings_of(tensor)
    if len(texts) > 2 and texts[0].isdigit() and texts[1].isdigit():
        return "images"
    return "text"


def _param(value: Message) -> Param:
    """A hyperparameter. Its writers know one type of number; one without a fraction was a whole one, as a rule."""
    if 2 in value:
        number = value.double(2)
        return int(number) if number.is_integer() and abs(number) < _EXACT else number
    if 3 in value:
        return value.text(3)
    return bool(value.integer(4)) if 4 in value else None
