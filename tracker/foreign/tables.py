"""Tables of runs: CSV, TSV and JSON lines, in one file or in a folder of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from msgspec import structs

from tracker.codec import Param
from tracker.foreign.files import Files
from tracker.foreign.impersonal import folder_name
from tracker.foreign.places import is_file
from tracker.foreign.records import ForeignExperiment, ForeignModel, ForeignRun, derived_id
from tracker.foreign.table_columns import (
    INDEX,
    ColumnMap,
    Columns,
    check_there,
    columns_of,
    given_columns,
    has_usual_params,
    name_column,
)
from tracker.foreign.table_rows import read_rows
from tracker.foreign.table_runs import Gatherer, TableRun, time_of
from tracker.foreign.text_files import (
    GLANCE,
    MAX_FOLDERS,
    experiment_key,
    modified,
    params_of,
    read_json,
    read_yaml_fields,
    root_identity,
    walk,
    whole,
)
from tracker.logs import Problem
from tracker.names import is_run_id

CSV, JSON_LINES = "csv", "jsonl"
TABLES = ((CSV, "CSV or TSV, a file or a folder of them"), (JSON_LINES, "JSON lines, a file or a folder of them"))
"""The kinds of tables, and what each is for people."""
ENDINGS = {CSV: (".csv", ".tsv"), JSON_LINES: (".jsonl", ".ndjson")}
LOGGERS = {"metrics.csv", "progress.csv", "results.csv", "metrics.jsonl"}
"""Files that Lightning, Stable-Baselines3, Ray, Ultralytics and others write for each run."""
USUAL = {"metrics", "progress", "results", "training", "history", "log", "train", "result"}
"""Names of files that say nothing: their runs are named after the folder."""
LIGHTNING = "hparams.yaml"
PARAMS = (LIGHTNING, "config.yaml", "params.yaml", "args.yaml", "hparams.json", "params.json", "config.json")
"""Files with the params of a run, beside its table."""
_GLANCE = 1_000
"""Rows that are looked at for the names of columns."""
_GLANCED_FILES = 20_000
_EVENTS = "events.out.tfevents"


def is_table(kind: str) -> Callable[[Path], bool]:
    """Whether a path is a file of this kind by its name, or a folder where a logger keeps one for each run."""

    def detect(place: Path) -> bool:
        if not place.is_dir():
            return place.suffix.lower() in ENDINGS[kind]
        found = list(itertools.islice(_tables(Files(place), "", GLANCE), _GLANCED_FILES))
        if any(path.name.startswith(_EVENTS) for path in found):
            return False  # TensorBoard's, which Lightning writes beside its tables
        logs = [path for path in found if path.name in LOGGERS and path.suffix in ENDINGS[kind]]
        return any(_look(path, kind, Columns())[0].step is not None for path in logs[:5])

    return detect


def _tables(files: Files, endings: str | tuple[str, ...], limit: int = MAX_FOLDERS) -> Iterator[Path]:
    """The files below a folder whose names end so."""
    for folder, _ in walk(files, limit):
        for entry in files.entries(folder):
            if not entry.name.lower().endswith(endings) or entry.name.startswith("."):
                continue
            if entry.is_file(follow_symlinks=False):
                yield folder / entry.name
            elif entry.is_symlink() and endings:
                files.problem(folder / entry.name, "is a link, and links are not followed")


def _look(path: Path, kind: str, given: Columns) -> tuple[Columns, list[str]]:
    """The roles and names of the columns of a table; of JSON lines those in the first rows.

    A column that is named like a time or a step, and that has something else in its first row, is none.
    """
    json_lines = kind == JSON_LINES
    rows = read_rows(path, lambda *_: None, json_lines=json_lines)
    looked_at = [row for _, row in itertools.islice(rows, _GLANCE if json_lines else 1)]
    header = list(dict.fromkeys(name for row in looked_at for name in row))
    first = {name: row[name] for row in reversed(looked_at) for name in row if row[name] not in (None, "", "NaT")}
    unfit: set[str] = set()
    while True:
        columns = columns_of(header, given, unfit)
        wrong = {
            name
            for name, mine, read in (
                (columns.time, given.time, time_of),
                (columns.start, given.start, time_of),
                (columns.end, given.end, time_of),
                (columns.step, given.step, whole),
                (INDEX if INDEX in columns.ignore else None, None if INDEX not in given.ignore else INDEX, whole),
            )
            if name is not None and name != mine and name in first and read(first[name]) is None
        }
        if not wrong:
            return columns, header
        unfit |= wrong


def _with_runs(
    columns: Columns, header: list[str], path: Path, kind: str, *, is_given: bool, is_folder: bool
) -> Columns:
    """The roles with what the rows tell of runs: whether each is one, and whether `name` names it."""
    run = columns.run or name_column(header, columns)
    if run is None or columns.has_points:
        return columns
    count, names = 0, set()
    for _, row in read_rows(path, lambda *_: None, json_lines=kind == JSON_LINES):
        count += 1
        names.add(str(row.get(run)))
    has_params = not (is_given or is_folder) and len(names) > 1 and has_usual_params(header)
    mostly_one = has_params or len(names) * 2 > count
    if columns.run is not None:
        return structs.replace(columns, single=mostly_one or columns.describes_runs)
    if columns.describes_runs or columns.rows_are_runs or (mostly_one and len(names) > 1 and not is_folder):
        return structs.replace(columns, run=run, single=True)
    return columns


class TableStore:
    """A file of rows, or a folder of such files, opened for reading."""

    def __init__(self, root: Path, kind: str, columns: ColumnMap | None = None) -> None:
        """Raises InvalidValueError for a role that does not exist, and for a column that no table has."""
        self.root, self.source, self._kind = root if root.is_dir() else root.parent, root, kind
        self.kind = "CSV" if kind == CSV else "JSON lines"
        self._is_folder = root.is_dir()
        self._files = Files(root if self._is_folder else root.parent)
        self._given = given_columns(columns or {})
        self._paths = list(_tables(self._files, ENDINGS[kind])) if self._is_folder else [root]
        there = self._names() if columns else set()
        if there:
            check_there(self._given, there, str(root))
        if not self._paths:
            self._files.problem(root, f"holds no {' or '.join(ENDINGS[kind])} file")
        self._read: dict[Path, list[TableRun]] = {}
        self._looks: dict[Path, tuple[Columns, bool]] = {}

    def _names(self) -> set[str]:
        return {name for path in self._paths for name in _look(path, self._kind, self._given)[1]}

    def _columns(self, path: Path) -> tuple[Columns, bool]:
        """The roles in a table, and whether it has a row."""
        if path not in self._looks:
            columns, header = _look(path, self._kind, self._given)
            columns = _with_runs(
                columns, header, path, self._kind, is_given=self._given.run is not None, is_folder=self._is_folder
            )
            self._looks[path] = columns, bool(header)
        return self._looks[path]

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return self._files.problems

    def experiments(self) -> Iterator[ForeignExperiment]:
        """The one that the source is named after, and those that tables name."""
        names: dict[str, None] = {}
        for path in self._paths:
            columns, _ = self._columns(path)
            if columns.experiment is not None:
                self._read[path] = list(self._table(path))
            found = (run.experiment for run in self._read.get(path, ()))
            names |= dict.fromkeys(name or self._experiment(columns) for name in (found or [""]))
            if columns.experiment is None:
                names[self._experiment(columns)] = None
        for name in names:
            yield ForeignExperiment(self._key(name), name)

    def count(self) -> int:
        """Runs that were read already, and tables that were not."""
        return sum(len(self._read.get(path, "1")) for path in self._paths)

    def runs(self) -> Iterator[ForeignRun]:
        """All runs, table by table."""
        for path in self._paths:
            columns, _ = self._columns(path)
            beside = self._params_beside(path) if columns.run is None else {}
            found = self._read.pop(path, None)
            for run in self._table(path) if found is None else found:
                yield self._run(run, path, columns, beside)

    def models(self) -> Iterator[ForeignModel]:
        """None."""
        return iter(())

    def _table(self, path: Path) -> Iterator[TableRun]:
        columns, has_rows = self._columns(path)
        problems = self._files.problems_of(path)
        known = columns.run or columns.step or columns.time or columns.metric or columns.params
        if self._is_folder and has_rows and not known:
            problems.add("has no column of steps, times or runs, and is left out; --map says which they are")
            return
        typed = self._kind == JSON_LINES
        gatherer = Gatherer(columns, problems.add, self._name_of(path), modified(path), typed=typed)
        gatherer.take(read_rows(path, problems.add, json_lines=typed))
        yield from gatherer.runs()
        problems.end()

    def _run(self, run: TableRun, path: Path, columns: Columns, beside: dict[str, Param]) -> ForeignRun:
        place = path.relative_to(self._files.root).as_posix()
        own = run.key[-1]
        changed = modified(path)
        return ForeignRun(
            run_id=own if is_run_id(own) else derived_id(self._kind, root_identity(self.source), place, *run.key),
            experiment=self._key(run.experiment or self._experiment(columns)),
            name=run.name,
            # A STALE run did not end; the import sees from its times that it is silent
            status="RUNNING" if run.status == "STALE" else run.status or "FINISHED",
            start_time=next((time for time in (run.start, run.end) if time is not None), changed),
            end_time=changed if run.start is None and run.end is None and run.status is None else run.end,
            parent=run.parent,
            params={**beside, **run.params},
            tags=run.tags,
            series=run.series,
            place=place,
        )

    # Names

    def _key(self, name: str) -> str:
        return experiment_key(self._kind, name)

    def _experiment(self, columns: Columns) -> str:
        """The name of the source; a file with a name that says nothing is named after the folder of its folder."""
        if self._is_folder:
            return folder_name(self.source, self._kind)
        if columns.run is None and self.source.stem.lower() in USUAL:
            return folder_name(self.source.parent.parent, self.source.stem)
        return self.source.stem or self._kind

    def _name_of(self, path: Path) -> str:
        """The name of the run in a table that names none."""
        named = path.parent if path.stem.lower() in USUAL else path.with_suffix("")
        if not self._is_folder or named == self.source:
            return folder_name(named, path.stem)
        return named.relative_to(self.source).as_posix()

    def _params_beside(self, path: Path) -> dict[str, Param]:
        """Params that a logger keeps in a file of its own."""
        found: dict[str, Param] = {}
        if not self._is_folder and path.stem.lower() not in USUAL:
            return found
        for name in PARAMS:
            file = path.with_name(name)
            if is_file(file):
                if name.endswith(".json"):
                    fields = read_json(self._files, file)
                else:
                    fields = read_yaml_fields(self._files, file, ends=name == LIGHTNING)
                params = params_of(fields, partial(self._files.problem, file))
                found = {**params, **found}
        return found
