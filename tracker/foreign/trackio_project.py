"""A project of Trackio's: its runs out of a database, and of the lines that are not in it yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tracker import _io
from tracker.foreign.places import file_below, is_file
from tracker.foreign.records import Dataset, ForeignRun, derived_id
from tracker.foreign.sqlite_files import Database, Lookup, Row, text_in
from tracker.foreign.text_files import experiment_key, iso_time
from tracker.foreign.trackio_inbox import INBOX
from tracker.foreign.trackio_values import Content, config_params, object_in
from tracker.logs import Problem
from tracker.names import is_run_id

KIND = "trackio"
GROUP_TAG = "trackio.group"
ALERTS_FILE = "alerts.jsonl"
_TABLES = {"metric": "metrics", "system_metric": "system_metrics", "alert": "alerts"}
"""The tables of what runs log, by the word for it in waiting lines."""
_COLUMNS = {
    "metric": ("timestamp", "step", "metrics", "log_id"),
    "system_metric": ("timestamp", "metrics", "log_id"),
    "alert": ("timestamp", "level", "title", "text", "step", "alert_id"),
}
"""What they hold, with the id of a row at the end."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
Record = dict[str, Any]


class Project:
    """One project. `names` has its runs, by what tells them apart: an id, or the name in old databases."""

    def __init__(self, key: str, root: Path, path: Path | None, waiting: list[Record]) -> None:
        self.key, self._root = key, root
        self._database = Database(path, root) if path else None
        self._waiting: dict[str, list[Record]] = {}
        self._problems: list[Problem] = []
        self.names: dict[str, str] = {}
        self._find_runs(waiting)

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return [*(self._database.problems if self._database else ()), *self._problems]

    def runs(self) -> Iterator[ForeignRun]:
        """All runs, in the order in which they began to log."""
        tables = _Tables(self._database)
        for key, name in self.names.items():
            yield self._run(tables, key, name)
        if self._database:
            self._database.tell_if_changed()
        if _io.is_folder(self._root / "media" / self.key / "files"):
            place = f"media/{self.key}/files"
            self._problems.append(Problem(place, None, "belongs to the project and to no run, and is not imported"))

    def _find_runs(self, waiting: list[Record]) -> None:
        for table in _TABLES.values():
            for run_id, name in self._database.rows(table, "run_id", "run_name") if self._database else ():
                key = text_in(run_id) or text_in(name)
                if key:
                    self.names[key] = text_in(name) or key
                else:
                    self._tell(table, f"has a row without a run: {run_id!r:.60}")
        for record in waiting:
            key = text_in(record.get("run_id")) or record["run"]
            self.names[key] = record["run"]
            self._waiting.setdefault(key, []).append(record)

    def _tell(self, table: str, reason: str) -> None:
        if self._database:
            self._database.tell(table, reason)
        else:
            self._problems.append(Problem(f"{INBOX}/{self.key}", None, reason))

    # Runs

    def _run(self, tables: _Tables, key: str, name: str) -> ForeignRun:
        waiting = self._waiting.get(key, [])
        config = self._config(tables, key, waiting)
        content = Content(lambda reason: self._tell("metrics", f"{reason} (run {key:.60})"), self._media)
        times = self._add_points(content, tables, key, waiting)
        start = iso_time(config.get("_Created")) or min(times, default=0)
        files, inputs = self._artifacts(tables, key, name)
        group = config.get("_Group")
        return ForeignRun(
            run_id=key if is_run_id(key) else derived_id(KIND, self.key, key),
            experiment=experiment_key(KIND, self.key),
            name=name,
            status="RUNNING",  # it says nowhere that a run has ended
            start_time=start,
            params=config_params(config, lambda reason: self._tell("configs", f"{reason} (run {key:.60})")),
            tags={GROUP_TAG: group} if isinstance(group, str) and group else {},
            series=content.series(),
            datasets=tuple(inputs),
            files={**content.files(), **files},
            place=f"{self._database.name if self._database else INBOX}/runs/{key}",
        )

    def _config(self, tables: _Tables, key: str, waiting: list[Record]) -> Record:
        late = next((record["config"] for record in reversed(waiting) if isinstance(record.get("config"), dict)), None)
        if late is not None:
            return dict(late)
        for (cell,) in tables.configs.of(key)[-1:]:
            return self._object(cell, "configs", key)
        return {}

    def _add_points(self, content: Content, tables: _Tables, key: str, waiting: list[Record]) -> list[int]:
        """Everything that was logged, and when; a row without a time has that of the row before."""
        times = [0]
        for kind in _COLUMNS:
            step = -1
            for record in tables.records(kind, key, waiting):
                found = iso_time(record["timestamp"])
                times.append(times[-1] if found is None else found)
                if kind == "alert":
                    facts = {name: text_in(record.get(name)) for name in ("level", "title", "text")}
                    content.add_line(ALERTS_FILE, step=record.get("step"), time=times[-1], **facts)
                    continue
                given = record.get("step")
                step = given if isinstance(given, int) and abs(given) < 1 << 63 else step + 1
                values = self._values(record, key)
                content.add(values, step, times[-1]) if kind == "metric" else content.add_system(
                    values, step, times[-1]
                )
        return [time for time in times if time]

    def _values(self, record: Record, key: str) -> Record:
        cell = record.get("metrics")
        return cell if isinstance(cell, dict) else self._object(cell, "metrics", key)

    def _object(self, cell: object, table: str, key: str) -> Record:
        try:
            return object_in(cell)
        except ValueError as error:
            self._tell(table, f"a row of run {key:.60} is left out: {error}")
            return {}

    # Files

    def _media(self, named: str) -> Path | None:
        """A file below the folder of media, without links on the way."""
        found = file_below(self._root, f"media/{named}")
        return found if found and is_file(found) else None

    def _artifacts(self, tables: _Tables, key: str, name: str) -> tuple[dict[str, Path], list[Dataset]]:
        """The files of artifacts that a run made, and the artifacts that it used."""
        files: dict[str, Path] = {}
        used = []
        for version_id, direction in tables.links_of(key, name):
            version = tables.version(version_id)
            if version is None:
                self._tell("artifact_versions", f"lacks the artifact {version_id!r:.20} of run {key:.60}")
                continue
            artifact, number, digest, manifest = version
            if direction == "input":
                used.append(Dataset(f"{artifact}:v{number}", digest, "input"))
                continue
            for path, source in self._blobs(manifest, f"{artifact}:v{number}"):
                files[f"{artifact}/v{number}/{path}"] = source
        return files, used

    def _blobs(self, manifest: object, artifact: str) -> Iterator[tuple[str, Path]]:
        """Paths and files of an artifact."""
        for entry in _entries(manifest):
            path, digest = entry.get("path"), entry.get("digest")
            if not isinstance(path, str) or not isinstance(digest, str) or entry.get("ref"):
                self._tell("artifact_versions", f"{artifact:.60} refers to a file elsewhere, which is not fetched")
                continue
            blob = file_below(self._root, f"artifacts/{self.key}/blobs/sha256/{digest[:2]}/{digest}")
            if blob is None or not _DIGEST.fullmatch(digest) or not is_file(blob):
                self._tell("artifact_versions", f"{path!r:.60} of {artifact:.60} is not in the folder of artifacts")
            else:
                yield path, blob


class _Tables:
    """The tables of a project's database; there may be none."""

    def __init__(self, database: Database | None) -> None:
        self._database = database
        self._rows = {kind: _by_run(database, _TABLES[kind], "id", *columns) for kind, columns in _COLUMNS.items()}
        self.configs = _by_run(database, "configs", "config")
        self._links: dict[str | None, list[tuple[str | None, int, str]]] = {}
        for run_id, name, version, direction in (
            database.rows("run_artifact_links", "run_id", "run_name", "artifact_version_id", "direction")
            if database
            else ()
        ):
            if isinstance(version, int):
                self._links.setdefault(text_in(run_id), []).append((text_in(name), version, direction))

    def records(self, kind: str, key: str, waiting: list[Record]) -> Iterator[Record]:
        """What a run logged of one kind, those that are not in the database yet at the end."""
        columns = _COLUMNS[kind]
        seen = set()
        for row in sorted(self._rows[kind].of(key), key=_time_and_id):
            record = dict(zip(columns, row[1:], strict=True))
            seen.add(record[columns[-1]])
            yield record
        for record in waiting:
            if record["kind"] == kind and (record.get(columns[-1]) or kind) not in seen:
                yield {"timestamp": None, **record}

    def links_of(self, key: str, name: str) -> Iterator[tuple[int, str]]:
        """Artifacts that a run made or used; rows without an id belong to the run of that name."""
        for _, version, direction in self._links.get(key, ()):
            yield version, direction
        for other, version, direction in self._links.get(None, ()):
            if other == name:
                yield version, direction

    def version(self, version_id: int) -> tuple[str, int, str, object] | None:
        """Name, number, digest and files of a version of an artifact."""
        if self._database is None:
            return None
        columns = ("artifact_id", "version", "manifest_digest", "manifest")
        found, _ = self._database.where("artifact_versions", "id", version_id, *columns)
        for artifact_id, number, digest, manifest in found:
            names, _ = self._database.where("artifacts", "id", artifact_id, "name")
            if names and text_in(names[0][0]) and isinstance(number, int):
                return str(names[0][0]), number, text_in(digest) or "", manifest
        return None


def _by_run(database: Database | None, table: str, *columns: str) -> Lookup:
    """Rows by run; databases of old versions know runs by name only."""
    has_ids = database is not None and "run_id" in database.tables.get(table, ())
    return Lookup(database, table, "run_id" if has_ids else "run_name", *columns)


def _time_and_id(row: Row) -> tuple[str, int]:
    """The order in which Trackio shows rows."""
    return (text_in(row[1]) or "", row[0] if isinstance(row[0], int) else 0)


def _entries(manifest: object) -> list[Record]:
    """What stands in the list of an artifact's files."""
    try:
        found = msgspec.json.decode(manifest) if isinstance(manifest, bytes | str) else []
    except (ValueError, RecursionError):
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
