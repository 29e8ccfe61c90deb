"""What a run of Trackio's logged, value by value: points of metrics, and what becomes artifacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from tracker import codec
from tracker.exceptions import InvalidValueError
from tracker.foreign.text_files import params_of
from tracker.names import is_text
from tracker.summary import Series

SYSTEM = "system/"
"""Where metrics of the machine go."""
_FILES = ("trackio.image", "trackio.video", "trackio.audio", "trackio.html", "trackio.object3d")
_TRACE = "trackio.trace"
_Point = tuple[int, int, int, float]
"""Step, time, order and value."""


class Content:
    """Collects the rows of a run."""

    def __init__(self, tell: Callable[[str], None], media: Callable[[str], Path | None]) -> None:
        """`media` finds the file of a path that a row names, `tell` takes what cannot be taken over."""
        self._tell, self._media = tell, media
        self._points: dict[str, list[_Point]] = {}
        self._lines: dict[str, list[bytes]] = {}
        self._files: dict[str, Path | bytes] = {}

    def add(self, values: Mapping[str, object], step: int, time: int) -> None:
        """One row: everything that was logged in one call."""
        for key, value in values.items():
            if not is_text(key):
                self._tell(f"the name {key!r:.60} is no text, and is left out")
            elif not self._add_number(key, value, step, time):
                self._add_other(key, value, step, time)

    def add_system(self, values: Mapping[str, object], step: int, time: int) -> None:
        """One row of the machine's own figures."""
        self.add({f"{SYSTEM}{key}": value for key, value in values.items()}, step, time)

    def add_line(self, path: str, **fields: object) -> None:
        """One line of an artifact."""
        self._lines.setdefault(path, []).append(msgspec.json.encode(fields) + b"\n")

    def series(self) -> dict[str, Series]:
        """The points by metric."""
        found = {}
        for key, points in self._points.items():
            steps, times, _, values = (list(column) for column in zip(*sorted(points), strict=True))
            found[key] = Series(steps, values, times)
        return found

    def files(self) -> dict[str, Path | bytes]:
        """The artifacts by path."""
        return {**self._files, **{path: b"".join(lines) for path, lines in self._lines.items()}}

    def _add_number(self, key: str, value: object, step: int, time: int) -> bool:
        try:
            number = codec.read_number(int(value) if isinstance(value, bool) else value)
        except ValueError:
            return False
        points = self._points.setdefault(key, [])
        points.append((step, time, len(points), number))
        return True

    def _add_other(self, key: str, value: Any, step: int, time: int) -> None:
        kind = value.get("_type") if isinstance(value, dict) else None
        if kind in _FILES:
            self._add_media(key, value, step)
        elif kind == "trackio.table" and isinstance(value.get("_value"), list):
            self._put(f"tables/{key}/{step}.json", msgspec.json.encode(self._table(key, value["_value"], step)))
        elif kind == "trackio.markdown" and isinstance(value.get("_value"), str):
            self._put(f"text/{key}/{step}.md", value["_value"].encode(errors="replace"))
        elif kind == "trackio.histogram":
            self.add_line(
                f"histograms/{key}.jsonl", step=step, time=time, bins=value.get("bins"), values=value.get("values")
            )
        elif isinstance(value, dict) and kind is None and value:
            for name, inner in self._flat(key, value):
                if not self._add_number(name, inner, step, time):
                    self.add_line(f"values/{name}.jsonl", step=step, time=time, value=inner)
        elif not _is_trace(value):
            self.add_line(f"values/{key}.jsonl", step=step, time=time, value=value)

    def _flat(self, key: str, value: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        try:
            yield from codec.flatten(value, f"{key}.")
        except InvalidValueError as error:
            self._tell(error.message)

    def _add_media(self, key: str, value: Mapping[str, object], step: int) -> str:
        """The path that a file gets among the artifacts; an empty text when it is not there."""
        named = str(value.get("file_path") or "").replace("\\", "/")
        source = self._media(named)
        if source is None:
            self._tell(f"{key!r:.60} at step {step} has no file: {named!r:.100} is not in the folder of media")
            return ""
        return self._put(f"media/{key}/{step}{PurePosixPath(named).suffix}", source)

    def _table(self, key: str, rows: list[Any], step: int) -> dict[str, object]:
        """A table as tracker keeps them; a file in a cell becomes an artifact, and its path stands there."""
        rows = [row for row in rows if isinstance(row, dict)]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        return {
            "columns": columns,
            "data": [[self._cell(key, row.get(name), step) for name in columns] for row in rows],
        }

    def _cell(self, key: str, value: object, step: int) -> object:
        if isinstance(value, list):
            return [self._cell(key, one, step) if isinstance(one, dict) else one for one in value]
        if isinstance(value, dict) and value.get("_type") in _FILES:
            return self._add_media(key, value, step)
        return value

    def _put(self, path: str, content: Path | bytes) -> str:
        """Keep a file under a path, or under one that is still free."""
        plain, number = PurePosixPath(path), 1
        while path in self._files:
            number += 1
            path = str(plain.with_name(f"{plain.stem}-{number}{plain.suffix}"))
        self._files[path] = content
        return path


def config_params(config: Mapping[str, object], tell: Callable[[str], None]) -> dict[str, codec.Param]:
    """The params of a configuration, without what Trackio adds to it."""
    words = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
    own = {
        key: words.get(value, value) if isinstance(value, str) else value
        for key, value in config.items()
        if not key.startswith("_")
    }
    return params_of(own, tell)


def object_in(value: object) -> dict[str, Any]:
    """The JSON object of a cell or line; ValueError where none is."""
    try:
        found = msgspec.json.decode(value) if isinstance(value, bytes | str) else None
    except RecursionError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def _is_trace(value: object) -> bool:
    """Whether it is a conversation of a language model, or several: these are not imported."""
    if isinstance(value, list):
        return bool(value) and all(map(_is_trace, value))
    return isinstance(value, dict) and value.get("_type") == _TRACE
