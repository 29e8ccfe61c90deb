"""Databases of MLflow's written by hand: what old versions, other machines and accidents leave behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

START = 1_500_000_000_000

OLD = """
CREATE TABLE experiments (experiment_id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(256), artifact_location VARCHAR(256),
    lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), user_id VARCHAR(256),
    status VARCHAR(20), start_time BIGINT, end_time BIGINT, lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200),
    experiment_id INTEGER);
CREATE TABLE tags (key VARCHAR(250) NOT NULL, value VARCHAR(250), run_uuid VARCHAR(32) NOT NULL,
    PRIMARY KEY (key, run_uuid));
CREATE TABLE params (key VARCHAR(250) NOT NULL, value VARCHAR(250) NOT NULL, run_uuid VARCHAR(32) NOT NULL,
    PRIMARY KEY (key, run_uuid));
CREATE TABLE metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
    run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL);
"""
"""What MLflow 1.0 had: no registry, no data sets, no NaN, no index that finds the rows of a run."""
REGISTRY = """
CREATE TABLE registered_models (name VARCHAR(256) NOT NULL, creation_time BIGINT, description VARCHAR(5000),
    workspace VARCHAR(63) DEFAULT 'default');
CREATE TABLE registered_model_tags (key VARCHAR(250), value VARCHAR(5000), name VARCHAR(256));
CREATE TABLE registered_model_aliases (alias VARCHAR(256), version INTEGER, name VARCHAR(256),
    workspace VARCHAR(63) DEFAULT 'default');
CREATE TABLE model_versions (name VARCHAR(256), version INTEGER, creation_time BIGINT, last_updated_time BIGINT,
    description VARCHAR(5000), current_stage VARCHAR(20), source VARCHAR(500), run_id VARCHAR(32),
    workspace VARCHAR(63) DEFAULT 'default');
"""


def run_id(number: int) -> str:
    """Ids that differ in their last digits."""
    return f"{number:032x}"


class MlflowDb:
    """Writes experiments, runs and models row by row."""

    def __init__(self, path: Path, schema: str = OLD) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.do(schema)

    def do(self, script: str, *values: object) -> None:
        """A statement with values, or a script without."""
        connection = sqlite3.connect(self.path)
        with connection:
            if values:
                connection.execute(script, values)
            else:
                connection.executescript(script)
        connection.close()

    def add(self, table: str, **cells: object) -> None:
        """One row."""
        places = ", ".join("?" * len(cells))
        self.do(f"INSERT INTO {table} ({', '.join(cells)}) VALUES ({places})", *cells.values())

    def experiment(self, key: int = 1, name: str = "digits", **cells: object) -> int:
        """An experiment."""
        self.add("experiments", experiment_id=key, name=name, **{"lifecycle_stage": "active", **cells})
        return key

    def run(self, key: str, experiment: int = 1, **cells: object) -> str:
        """A run that ended."""
        given = {
            "name": f"run {key[-4:]}",
            "status": "FINISHED",
            "start_time": START,
            "end_time": START + 60_000,
            "lifecycle_stage": "active",
            "artifact_uri": f"file:///home/eve/mlruns/{experiment}/{key}/artifacts",
        }
        self.add("runs", run_uuid=key, experiment_id=experiment, **{**given, **cells})
        return key

    def params(self, key: str, **params: object) -> None:
        """Params of a run."""
        for name, value in params.items():
            self.add("params", key=name, value=value, run_uuid=key)

    def points(self, key: str, name: str, *values: float) -> None:
        """Points of a metric of a run."""
        for step, value in enumerate(values):
            self.add("metrics", key=name, value=value, timestamp=START + step, run_uuid=key, step=step)


def small(path: Path, runs: int = 3, params: int = 2, points: int = 4) -> MlflowDb:
    """An experiment and runs with everything that an old database has."""
    made = MlflowDb(path)
    made.experiment()
    rows = [(run_id(number), number) for number in range(runs)]
    connection = sqlite3.connect(path)
    with connection:
        for key, number in rows:
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, 'eve', 'FINISHED', ?, ?, 'active', ?, 1)",
                (key, f"run {number}", START, START + 60_000, f"/home/eve/mlruns/1/{key}/artifacts"),
            )
            connection.execute("INSERT INTO tags VALUES ('mlflow.note.content', ?, ?)", (f"Note {number}.", key))
            values = [(f"p{index}", f"0.{number}{index}", key) for index in range(params)]
            connection.executemany("INSERT INTO params VALUES (?, ?, ?)", values)
            made_points = [("loss", 1 / (step + 1), START + step, key, step) for step in range(points)]
            connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", made_points)
    connection.close()
    return made
