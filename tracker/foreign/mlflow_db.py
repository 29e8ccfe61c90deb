"""MLflow's SQLite database (`mlflow.db`), as MLflow 1, 2 and 3 write it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tracker.exceptions import InvalidValueError
from tracker.foreign.impersonal import remote
from tracker.foreign.mlflow_db_folders import Folders
from tracker.foreign.mlflow_db_registry import logged_models, registered_models
from tracker.foreign.mlflow_terms import CONTEXT_TAG, Fields, make_run, series_of, time_of
from tracker.foreign.mlruns_tags import take_goal
from tracker.foreign.records import Dataset, ForeignExperiment, ForeignModel, ForeignRun
from tracker.foreign.sqlite_files import Database, Lookup, Row, text_in
from tracker.foreign.sqlite_opening import has_tables, is_damaged
from tracker.logs import Problem
from tracker.schema import MAX_TIME
from tracker.snapshot import NOTE_TAG
from tracker.summary import Series

TABLES = {
    "experiments": ("experiment_id", "name", "lifecycle_stage"),
    "runs": (
        "run_uuid",
        "experiment_id",
        "name",
        "status",
        "start_time",
        "end_time",
        "lifecycle_stage",
        "artifact_uri",
    ),
    "metrics": ("run_uuid", "key", "step", "timestamp", "value"),
    "params": ("run_uuid", "key", "value"),
    "tags": ("run_uuid", "key", "value"),
}
"""What every MLflow has, with the columns that are read of it."""
_SEEN_BY = {"experiments": ("experiment_id", "name"), "runs": ("run_uuid", "experiment_id")}
"""Tables and columns that no other program has."""
_RUN_FACTS = TABLES["runs"][2:]
_HAS_ARTIFACTS = {"mlflow.log-model.history", "mlflow.loggedArtifacts", "mlflow.loggedImages"}
"""Tags of runs that have artifacts."""
_INFINITIES = {sys.float_info.max: math.inf, -sys.float_info.max: -math.inf}
"""What MLflow writes for infinities, which its pages show as such again."""


def is_mlflow_db(path: Path) -> bool:
    """Whether a file is a database of MLflow's."""
    return has_tables(path, _SEEN_BY)


class MlflowDbStore:
    """A database of MLflow's with the artifacts beside it, opened for reading."""

    kind = "MLflow database"

    def __init__(self, path: Path) -> None:
        """Open it; raises InvalidValueError for another file, StoreError for one that another process keeps locked."""
        if not is_damaged(path) and not any(has_tables(path, {name: _SEEN_BY[name]}) for name in _SEEN_BY):
            raise InvalidValueError(f"{path} is no SQLite database with the tables of MLflow: {', '.join(TABLES)}.")
        self.source, self.root = path, path.parent
        self._database = Database(path, self.root)
        self._folders = Folders(self.root)
        self._tell_of_missing()

    def _tell_of_missing(self) -> None:
        for table, columns in TABLES.items():
            there = self._database.tables.get(table)
            if there is None:
                self._database.tell(table, "is missing")
                continue
            for column in columns:
                if column not in there:
                    self._database.tell(table, f"has no column {column}, and is read without; is it of a newer MLflow?")

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far."""
        return self._database.problems

    def experiments(self) -> Iterator[ForeignExperiment]:
        """All experiments, deleted ones too."""
        tags = Lookup(self._database, "experiment_tags", "experiment_id", "key", "value")
        columns = ("experiment_id", "name", "lifecycle_stage", "creation_time", "workspace")
        names: set[str] = set()
        for key, *facts in self._database.rows("experiments", *columns):
            if not isinstance(key, int):
                self._database.tell("experiments", f"has an id that is none: {key!r:.60}")
                continue
            name, stage, created, workspace = map(text_in, facts)
            name = name or f"experiment {key}"
            if name in names:  # each workspace has its own names
                name = f"{name} ({workspace or key})"
            names.add(name)
            found = self._texts("experiment_tags", tags.of(key), str(key))
            yield ForeignExperiment(
                key=str(key),
                name=name,
                description=found.pop(NOTE_TAG, ""),
                goal=take_goal(found),
                tags=found,
                created=time_of(created) or 0,
                deleted=stage == "deleted",
            )

    def count(self) -> int:
        """Rows of runs."""
        return self._database.count("runs")

    def runs(self) -> Iterator[ForeignRun]:
        """All runs, in the order in which they were made."""
        tables = _RunTables(self._database)
        models = logged_models(self._database, self._folders)
        for key, experiment, *columns in self._database.rows("runs", "run_uuid", "experiment_id", *_RUN_FACTS):
            if not isinstance(key, str) or not text_in(key) or not isinstance(experiment, int):
                self._database.tell("runs", f"has a run without an id or an experiment: {key!r:.60}")
                continue
            facts = {name: text_in(value) or "" for name, value in zip(_RUN_FACTS, columns, strict=True)}
            yield self._run(tables, key, str(experiment), facts, models.get(key, []))
        self._database.tell_if_changed()
        self._folders.tell_of_missing(self._database)

    def models(self) -> Iterator[ForeignModel]:
        """The registry."""
        return registered_models(self._database, self._folders)

    def _run(
        self, tables: _RunTables, key: str, experiment: str, facts: Fields, models: list[tuple[str, Path]]
    ) -> ForeignRun:
        tags = self._texts("tags", tables.tags.of(key), key)
        uri = facts["artifact_uri"]
        artifacts = self._folders.of_run(uri, key, experiment)
        if artifacts is None and not remote(uri):
            self._folders.missing(uri, key, is_certain=not _HAS_ARTIFACTS.isdisjoint(tags))
        place = artifacts.parent.relative_to(self.root).as_posix() if artifacts else f"{self._database.name}/runs/{key}"
        return make_run(
            experiment,
            key,
            facts,
            params=self._texts("params", tables.params.of(key), key),
            tags=tags,
            series=self._series(tables.metrics.of(key), key),
            datasets=tables.datasets_of(key),
            artifacts=artifacts,
            elsewhere=remote(uri) if artifacts is None else "",
            models=models,
            deleted=False,
            place=place,
        )

    def _texts(self, table: str, rows: list[Row], key: str) -> Fields:
        """Keys and values, which all are text."""
        found = {}
        for row in rows:
            name, value = (text_in("" if cell is None else cell) for cell in row)
            if name is None or value is None:
                self._database.tell(table, f"{row[0]!r:.60} of {key} is no text or too long, and is left out")
            else:
                found[name] = value
        return found

    def _series(self, rows: list[Row], key: str) -> dict[str, Series]:
        """The points of each metric in MLflow's order, each once."""
        found: dict[str, set[tuple[int, int, float]]] = {}
        for name, step, time, value, is_nan in rows:
            try:
                number = math.nan if is_nan else _INFINITIES.get(value, float(value))
                if not (0 <= time <= MAX_TIME and type(name) is str and type(time) is type(step) is int):
                    raise ValueError
                found.setdefault(name, set()).add((step, time, number if number == number else math.nan))
            except (TypeError, ValueError):
                self._database.tell("metrics", f"a point of {name!r:.60} of {key} is none, and is left out")
        series = {}
        for name, points in found.items():
            if text_in(name) is None:
                self._database.tell("metrics", f"{name!r:.60} of {key} is no text or too long, and is left out")
                continue
            series[name] = series_of(points)
        return series


class _RunTables:
    """The tables that say what is in a run."""

    def __init__(self, database: Database) -> None:
        self.params = Lookup(database, "params", "run_uuid", "key", "value")
        self.tags = Lookup(database, "tags", "run_uuid", "key", "value")
        self.metrics = Lookup(database, "metrics", "run_uuid", "key", "step", "timestamp", "value", "is_nan")
        self._input_tags = Lookup(database, "input_tags", "input_uuid", "name", "value")
        facts = ("name", "digest", "dataset_source", "dataset_schema", "dataset_profile")
        self._datasets = Lookup(database, "datasets", "dataset_uuid", *facts)
        self._dataset = lru_cache(maxsize=100)(self._look_up)  # the runs of an experiment share theirs
        self._inputs: dict[object, list[tuple[str, str]]] = {}
        columns = ("source_type", "destination_type", "destination_id", "input_uuid", "source_id")
        for source, destination, run, *ids in database.rows("inputs", *columns):
            if (source, destination) == ("DATASET", "RUN") and all(isinstance(one, str) for one in ids):
                self._inputs.setdefault(run, []).append((ids[0], ids[1]))

    def datasets_of(self, key: str) -> Iterator[Dataset]:
        """The data sets of a run."""
        for input_id, dataset_id in self._inputs.get(key, ()):
            facts = self._dataset(dataset_id)
            if facts:
                name, digest, *rest = facts
                context = next((value for tag, value in self._input_tags.of(input_id) if tag == CONTEXT_TAG), "")
                yield Dataset(name, digest, text_in(context) or "", *rest)

    def _look_up(self, dataset_id: str) -> list[str]:
        """Name, digest, source, schema and profile; nothing where it is not there."""
        rows = self._datasets.of(dataset_id)
        facts = [text_in(cell) or "" for cell in rows[0]] if rows else []
        return facts if facts and facts[0] else []
