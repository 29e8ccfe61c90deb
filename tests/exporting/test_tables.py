"""Tables hold what search_runs and get_metric_history return, whoever reads them."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import parquet

import tracker
from tracker.cli.data import strict
from tracker.exceptions import InvalidValueError, MissingPackageError, QueryError
from tracker.exporting import export_table
from tracker.exporting import parquet as parquet_writer
from tracker.reader import read_history, read_store
from tracker.search import search_runs

FORMATS = ("csv", "json", "jsonl", "parquet")
COLUMNS = {"name": "tags.mlflow.runName", "parent": "tags.mlflow.parentRunId"}
"""Columns that are tags in the frames of search_runs."""


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a table as values; what is missing is left out, and times are UTC milliseconds."""
    if path.suffix == ".parquet":
        rows = parquet.read_table(path).to_pylist()
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{key: text or None for key, text in row.items()} for row in csv.DictReader(file)]
    else:
        text = path.read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    found = []
    for row in rows:
        times = {key: row[key] for key in ("start_time", "end_time", "time") if row.get(key) is not None}
        shown = {key: round(pd.Timestamp(value).timestamp() * 1000) for key, value in times.items()}
        found.append({key: value for key, value in {**row, **shown}.items() if value is not None})
    return found


def number(value: Any) -> Any:
    """A number as our files spell it, or as a CSV has it."""
    return float(value) if isinstance(value, str) else value


@pytest.mark.parametrize("form", FORMATS)
def test_rows_are_those_of_search_runs(full_store: Path, tmp_path: Path, form: str) -> None:
    """Each format has every run with its params, metrics and tags, in the order of search_runs."""
    report = export_table(full_store, tmp_path / f"t.{form}")
    rows = rows_of(tmp_path / f"t.{form}")
    runs = search_runs(full_store, output_format="list")
    assert report.rows == len(rows) == len(runs) == 10
    for row, run in zip(rows, runs, strict=True):
        assert (row["run_id"], row["name"], row["status"]) == (run.info.run_id, run.info.run_name, run.info.status)
        assert (row["start_time"], row["end_time"]) == (run.info.start_time, run.info.end_time)
        assert float(row["duration_seconds"]) == (run.info.end_time - run.info.start_time) / 1000
        assert row.get("parent") == run.data.tags.get("mlflow.parentRunId")
        metrics = {key: number(value) for key, value in family(row, "metrics").items()}
        assert repr(metrics) == repr({key: run.data.metrics[key] for key in sorted(run.data.metrics)})
        tags = {key: text for key, text in run.data.tags.items() if f"tags.{key}" not in COLUMNS.values()}
        assert family(row, "tags") == tags
        params = {key: value for key, value in run.params.items() if value is not None and value != ""}
        assert family(row, "params").keys() - {"none", "empty"} == params.keys()
        for key, value in params.items():
            assert same(row[f"params.{key}"], value, form), key


def family(row: dict[str, Any], name: str) -> dict[str, Any]:
    """The values of the columns with a prefix."""
    return {key.removeprefix(f"{name}."): value for key, value in row.items() if key.startswith(f"{name}.")}


def same(found: object, value: Any, form: str) -> bool:
    """Whether a table has the value of a param as well as its format can."""
    if form == "csv":
        return found == str(strict(value))
    if form == "parquet":
        return repr(found) in (repr(value), repr(str(value)))  # other runs have text there
    return repr(found) == repr(strict(value))


def test_pandas_reads_a_csv_as_search_runs_does(full_store: Path, tmp_path: Path) -> None:
    """read_csv gives the metrics of search_runs bit by bit, NaN and infinities too, and times that it can parse."""
    export_table(full_store, tmp_path / "t.csv")
    frame = pd.read_csv(tmp_path / "t.csv", dtype={"run_id": str}, parse_dates=["start_time", "end_time"])
    wanted = search_runs(full_store)
    assert isinstance(wanted, pd.DataFrame)
    assert list(frame["run_id"]) == list(wanted["run_id"])
    for column in [name for name in wanted if name.startswith("metrics.")]:
        assert repr(list(frame[column])) == repr(list(wanted[column])), column
    for column in ("start_time", "end_time"):
        assert list(frame[column]) == list(wanted[column])


def test_parquet_has_types(tmp_path: Path) -> None:
    """A column has the narrowest type that holds all of its values: text where some runs have text."""
    tracker.set_tracking_uri(tmp_path / "runs")
    big = 2**60 + 1
    for params in (
        {"whole": 1, "mixed": 1, "flag": True, "odd": 1, "long": big, "either": True, "huge": 2**70, "far": big},
        {"whole": 2, "mixed": 0.5, "flag": False, "odd": "one", "long": 2, "either": 3, "none": None, "far": 0.5},
    ):
        with tracker.start_run():
            tracker.log_params(params)
    export_table(tmp_path / "runs", tmp_path / "t.parquet", order_by=["start_time"])
    table = parquet.read_table(tmp_path / "t.parquet")
    kinds = {field.name.removeprefix("params."): str(field.type) for field in table.schema}
    assert {key: kinds[key] for key in ("whole", "mixed", "flag", "odd", "long", "either", "none", "huge", "far")} == {
        "whole": "int64",
        "mixed": "double",
        "flag": "bool",
        "odd": "string",
        "long": "int64",
        "either": "string",
        "none": "string",
        "huge": "string",
        "far": "string",
    }
    assert (kinds["start_time"], kinds["duration_seconds"]) == ("timestamp[ms, tz=UTC]", "double")
    assert table["params.far"].to_pylist() == [str(big), "0.5"]
    assert table["params.either"].to_pylist() == ["True", "3"]


@pytest.mark.parametrize("form", FORMATS)
def test_points_are_those_of_the_history(
    full_store: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of points has each point of each metric with its step, time and value."""
    monkeypatch.setattr(parquet_writer, "MAX_POINTS", 5)  # several row groups
    report = export_table(full_store, tmp_path / f"p.{form}", points=True)
    found = [
        (row["run_id"], row["metric"], int(row["step"]), row["time"], repr(float(row["value"])))
        for row in rows_of(tmp_path / f"p.{form}")
    ]
    wanted = [
        (run.file.run_id, metric, step, time, repr(float(value)))
        for run in read_store(full_store).runs()
        for metric, series in read_history(run.folder).series.items()
        for step, time, value in zip(series.steps, series.times, series.values, strict=True)
    ]
    assert sorted(found) == sorted(wanted)
    assert report.rows == len(wanted) == 16
    if form == "parquet":
        assert parquet.ParquetFile(tmp_path / "p.parquet").num_row_groups > 1


def test_a_summary_has_the_best_value(tmp_path: Path) -> None:
    """With a summary each metric has its best, smallest and largest value with their steps."""
    tracker.set_tracking_uri(tmp_path / "runs")
    tracker.set_experiment("sweep", goal={"loss": "minimize"})
    with tracker.start_run():
        for step, value in enumerate([3.0, 1.0, math.nan, 2.0]):
            tracker.log_metric("loss", value, step=step)
    export_table(tmp_path / "runs", tmp_path / "t.jsonl", summary=True)
    row = rows_of(tmp_path / "t.jsonl")[0]
    found = {key.removesuffix("(metrics.loss)"): value for key, value in row.items() if "metrics.loss" in key}
    wanted = {"metrics.loss": 2.0, "last_step": 3, "best": 1.0, "best_step": 1, "min": 1.0, "min_step": 1}
    assert found == {**wanted, "max": 3.0, "max_step": 0, "first": 3.0, "first_step": 0, "mean": 2.0, "count": 4}


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_stays_in_its_cell(hostile_store: Path, tmp_path: Path, form: str) -> None:
    """Quotes, line breaks, control characters and strange names change neither rows nor columns."""
    path = tmp_path / f"t.{form}"
    report = export_table(hostile_store, path, exact=True)
    rows = rows_of(path)
    runs = {run.file.run_id: run.file for run in read_store(hostile_store).runs()}
    assert report.rows == len(rows) == len(runs) == 2
    assert [problem for problem in report.problems if "is no record" in problem.message]
    for row in rows:
        run = runs[row["run_id"]]
        assert family(row, "params") == run.params
        assert {key: float(value) for key, value in family(row, "metrics").items()} == {
            key: metric.last for key, metric in run.metrics.items()
        }
        assert family(row, "tags").items() >= run.tags.items() - {("mlflow.runName", run.name)}


def test_a_spreadsheet_sees_no_formula(tmp_path: Path) -> None:
    """In CSV, text that begins like a formula gets an apostrophe; numbers never do, and `exact` leaves all as it is."""
    tracker.set_tracking_uri(tmp_path / "runs")
    texts = ["=1+1", "+cmd", "-x", "@a", "\t=1", "\r=1", "-5", "+1e-3", "plain", "a=1", "＝1"]
    with tracker.start_run(run_name="=HYPERLINK(1)"):
        tracker.log_params({f"p{number:02}": text for number, text in enumerate(texts)})
        tracker.log_params({"z": -0.5})
        tracker.log_metric("m", -2.0)
        tracker.set_tag("t", "=1")
    guarded, exact = tmp_path / "guarded.csv", tmp_path / "exact.csv"
    export_table(tmp_path / "runs", guarded)
    row = rows_of(guarded)[0]
    assert (row["name"], row["tags.t"], row["params.z"], row["metrics.m"]) == ("'=HYPERLINK(1)", "'=1", "-0.5", "-2.0")
    safe = {"-5", "+1e-3", "plain", "a=1"}
    found = [row[f"params.p{number:02}"] for number in range(len(texts))]
    assert found == [text if text in safe else f"'{text}" for text in texts]
    export_table(tmp_path / "runs", exact, exact=True)
    assert [rows_of(exact)[0][f"params.p{number:02}"] for number in range(len(texts))] == texts


def test_where_a_table_goes(full_store: Path, tmp_path: Path) -> None:
    """A table goes to a file of any name, into a folder, or to an open file; a failed one leaves what was there."""
    assert Path(export_table(full_store, tmp_path, format="csv", points=True).out).name == "points.csv"
    assert Path(export_table(full_store, tmp_path / "new" / "x.txt", format="json").out).exists()
    stream = io.BytesIO()
    export_table(full_store, stream, format="json", query="name = \"it's a 'parent': ö 精度\"")
    assert stream.getvalue().isascii()
    assert [row["name"] for row in json.loads(stream.getvalue())] == ["it's a 'parent': ö 精度"]
    (tmp_path / "kept.csv").write_text("mine")
    with pytest.raises(QueryError):
        export_table(full_store, tmp_path / "kept.csv", query="metrics.")
    assert (tmp_path / "kept.csv").read_text() == "mine"
    for out, form in ((tmp_path / "t.xlsx", ""), (tmp_path, ""), (tmp_path / "t", "cvs")):
        with pytest.raises(InvalidValueError, match="csv"):
            export_table(full_store, out, format=form)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".new")]


def test_an_empty_choice_is_an_empty_table(full_store: Path, tmp_path: Path) -> None:
    """Where no run matches, a table has its fixed columns and no row."""
    for form in FORMATS:
        path = tmp_path / f"t.{form}"
        assert export_table(full_store, path, query="metrics.loss > 1e9").rows == 0
        assert rows_of(path) == []
    assert (tmp_path / "t.csv").read_text().startswith("run_id,experiment,name,status,start_time,")


def test_parquet_says_what_to_install(full_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow the error has the command that installs it, and no file is left."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match="pip install"):
        export_table(full_store, tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []
