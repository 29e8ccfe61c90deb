"""Tables with a row for every run, as other trackers and pandas write them, and files that are no tables."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.exporting.tables import export_table
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.reader import read_store

from .reading import points, read_all, told, write
from .test_tables import one, read

MLFLOW_ROWS = (
    "run_id,experiment_id,status,artifact_uri,start_time,end_time,metrics.loss,params.lr,"
    "tags.mlflow.runName,tags.mlflow.user,tags.mlflow.source.name,tags.mlflow.parentRunId\n"
    f"{1:032x},7,FINISHED,file:///home/me/a,2024-01-01 00:00:00.250000+00:00,2024-01-01 01:01:00+01:00,0.5,0.1,"
    f"one,me,/home/me/train.py,{2:032x}\n"
    f"{2:032x},7,RUNNING,file:///home/me/b,2024-01-01 00:00:00+00:00,,,0.2,two,me,/home/me/train.py,\n"
    f"{3:032x},7,ODD,file:///home/me/c,2024-01-01 00:00:00+00:00,NaT,0.1,0.2,,me,,\n"
)
START = 1_704_067_200_000


def test_runs_of_mlflow(tmp_path: Path) -> None:
    """What `search_runs` finds has its ids, names, status, times and parents, and nothing of persons and places."""
    write(tmp_path, {"found.csv": MLFLOW_ROWS})
    runs = read(tmp_path / "found.csv")
    run = runs["one"]
    assert (run.run_id, run.status, run.parent) == (f"{1:032x}", "FINISHED", f"{2:032x}")
    assert (run.start_time, run.end_time) == (START + 250, START + 60_000)
    assert (run.params, points(run.series["loss"]), run.series["loss"].times) == (
        {"lr": 0.1},
        [(0, 0.5)],
        [run.end_time],
    )
    assert run.tags == {"experiment_id": "7", "mlflow.source.name": "train.py"}
    assert (runs["two"].status, runs["two"].end_time, runs["two"].parent) == ("RUNNING", None, None)
    odd = runs[f"{3:032x}"]
    assert (odd.status, odd.params, odd.end_time) == ("FINISHED", {"lr": 0.2, "status": "ODD"}, None)


def test_trials_of_optuna(tmp_path: Path) -> None:
    """Trials have their states and times; the index of pandas is no step, a duration no metric."""
    rows = (
        ",number,value,datetime_start,datetime_complete,duration,params_x,state\n"
        "0,0,1.5,2024-01-01 00:00:00,2024-01-01 00:01:00,0 days 00:01:00,3,COMPLETE\n"
        "1,1,2.5,2024-01-01 00:00:00,2024-01-01 00:02:00,0 days 00:02:00,4,PRUNED\n"
        "2,2,,2024-01-01 00:00:00,2024-01-01 00:02:00,0 days 00:02:00,5,FAIL\n"
    )
    write(tmp_path, {"trials.csv": rows, "two.csv": rows.replace("value", "values_0")})
    runs = read(tmp_path / "trials.csv")
    assert [run.status for run in runs.values()] == ["FINISHED", "KILLED", "FAILED"]
    assert [run.params for run in runs.values()] == [{"number": n, "x": n + 3} for n in range(3)]
    assert [list(run.series) for run in runs.values()] == [["value"], ["value"], []]
    assert points(runs["trials 2"].series["value"]) == [(0, 2.5)]
    assert (runs["trials 2"].start_time, runs["trials 2"].end_time) == (START, START + 120_000)
    assert list(read(tmp_path / "two.csv")["two 1"].series) == ["values_0"]


@pytest.mark.parametrize("summary", [False, True])
def test_an_export_comes_back(tmp_path: Path, summary: bool) -> None:
    """A table that `tracker export` wrote gives the same runs: ids, names, status, times, params, last metrics."""
    store = tmp_path / "runs"
    tracker.set_tracking_uri(str(store))
    tracker.set_experiment("digits")
    for number, status in enumerate(("FINISHED", "FAILED", "KILLED")):
        with tracker.start_run(run_name=f"run {number % 2}"):
            tracker.log_params({"lr": 0.1 * number, "deep": True, "opt": "adam"})
            tracker.log_metrics({"loss": 1.0, "val/acc": 0.5}, step=0)
            tracker.log_metric("loss", 0.5 / (number + 1), step=1)
            tracker.set_tag("team", "blue")
            with tracker.start_run(run_name=f"child {number}", nested=True):
                tracker.log_metric("loss", float("inf"))
            tracker.end_run(status)
    export_table(store, tmp_path / "table.csv", summary=summary)
    report = import_store(tmp_path / "table.csv", tmp_path / "again")
    assert (report.runs_new, report.problems) == (6, ())

    def facts(root: Path) -> dict[str, Any]:
        found = read_store(root, cache=False)
        return {
            run.file.run_id: (
                (run.file.name, run.file.status, run.file.start_time, run.file.end_time, run.file.parent),
                run.file.params,
                {name: metric.last for name, metric in run.file.metrics.items()},
                run.file.tags.get("team"),
            )
            for run in found.runs()
        }

    assert facts(tmp_path / "again") == facts(store)
    assert next(one.name for one in open_foreign(tmp_path / "table.csv").experiments()) == "digits"


def test_a_stale_run_is_stale(tmp_path: Path) -> None:
    """A run that fell silent is STALE again, with its end; so is one that ran when it was written long ago."""
    header = "run,status,start_time,end_time,params.x,metrics.y\n"
    rows = "a,STALE,1704067200,1704067260,1,2\nb,running,1704067200000,,1,2\n"
    write(tmp_path, {"t.csv": header + rows})
    assert import_store(tmp_path / "t.csv", tmp_path / "runs").problems == ()
    runs = {run.file.name: run.file for run in read_store(tmp_path / "runs", cache=False).runs()}
    assert [(run.status, run.start_time) for run in runs.values()] == [("STALE", START)] * 2
    assert runs["a"].end_time == START + 60_000


def test_the_index_of_pandas(tmp_path: Path) -> None:
    """A first column without a name is no metric beside steps, and no step where each row is a run."""
    write(tmp_path, {"steps.csv": ",step,loss\n0,5,1\n1,6,2\n", "runs.csv": ",run,lr,loss\n0,a,1,2\n1,b,3,4\n"})
    assert {name: points(each) for name, each in read(tmp_path / "steps.csv")["steps"].series.items()} == {
        "loss": [(5, 1), (6, 2)]
    }
    runs = read(tmp_path / "runs.csv")
    assert [(run.params, points(run.series["loss"])) for run in runs.values()] == [
        ({"lr": 1}, [(0, 2)]),
        ({"lr": 3}, [(0, 4)]),
    ]
    write(tmp_path, {"named.csv": ",step,loss\nx,5,1\nx,6,2\n"})
    assert read(tmp_path / "named.csv")["named"].params == {"Unnamed: 0": "x"}


@pytest.mark.parametrize("column", ["run_name", "name"])
def test_names_that_come_again(tmp_path: Path, column: str) -> None:
    """Two rows of one name are two runs in a table of runs, which is told once, with the way out."""
    rows = f"{column},lr,val_loss\nsmall,0.1,1\nsmall,0.2,2\nbig,0.3,3\nbigger,0.4,4\nbig,0.5,5\nsmall-2,0.6,6\n"
    write(tmp_path, {"t.csv": rows})
    store = open_foreign(tmp_path / "t.csv")
    runs = read_all(store)
    assert list(runs) == ["small", "small-2", "big", "bigger", "big-2", "small-2-2"]
    assert [run.params for run in runs.values()] == [{"lr": number / 10} for number in range(1, 7)]
    assert [points(run.series["val_loss"]) for run in runs.values()] == [[(0, float(n))] for n in range(1, 7)]
    (problem,) = store.problems
    assert problem.line == 3
    assert "--map step=COLUMN" in problem.message
    pairs = f"{column},lr,seed,val_loss\na,0.1,1,5\na,0.1,2,6\nb,0.1,1,7\nb,0.1,2,8\n"
    write(tmp_path, {"t.csv": pairs})
    store = open_foreign(tmp_path / "t.csv")
    assert [(name, run.params["seed"]) for name, run in read_all(store).items()] == [
        ("a", 1),
        ("a-2", 2),
        ("b", 1),
        ("b-2", 2),
    ]
    assert len(store.problems) == 1
    given = read(tmp_path / "t.csv", run=column)
    assert points(given["b"].series["val_loss"]) == [(0, 7), (1, 8)]


def test_rows_that_have_no_step(tmp_path: Path) -> None:
    """Many rows of one run are its points, though nothing counts them; a name that differs names a row."""
    write(
        tmp_path,
        {
            "log.csv": "run,loss\na,1\na,2\nb,3\nb,4\n",
            "named.csv": "name,lr,val_loss\na,1,2\nb,3,4\n",
            "same.csv": "name,loss\na,1\na,2\n",
        },
    )
    assert points(read(tmp_path / "log.csv")["b"].series["loss"]) == [(0, 3), (1, 4)]
    assert [run.params for run in read(tmp_path / "named.csv").values()] == [{"lr": 1}, {"lr": 3}]
    assert read(tmp_path / "same.csv")["same"].params == {"name": "a"}


def test_decimal_commas(tmp_path: Path) -> None:
    """Between semicolons, a column whose cells are all numbers with commas has numbers; another one has texts."""
    rows = "step;loss;mixed;what\n0;0,5;1,5;1,2,3\n1;1;x;1,2,3\n2;;2,5;1,2,3\n3;-1,5e-3;2,5;1,2,3\n4;nan;1,0;1,2,3\n"
    write(tmp_path, {"t.csv": rows, "run.csv": "name;lr;val_loss\na;0,1;0,5\nb;0,2;1\n"})
    store = open_foreign(tmp_path / "t.csv")
    (run,) = read_all(store).values()
    assert points(run.series["loss"]) == [(0, 0.5), (1, 1), (3, -0.0015), (4, "nan")]
    assert run.params == {"what": "1,2,3"}
    assert told(store) == ["t.csv:3 column 'mixed' has"]
    runs = read(tmp_path / "run.csv")
    assert [(run.params, run.series["val_loss"].values) for run in runs.values()] == [
        ({"lr": 0.1}, [0.5]),
        ({"lr": 0.2}, [1.0]),
    ]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_other_encodings(tmp_path: Path, ending: str) -> None:
    """UTF-16 is refused in one line; what is no UTF-8 is read as Windows wrote it, and told once."""
    text = "step,größe,n\n0,1,ü€\n1,2,ü€\n"
    if ending == "jsonl":
        text = "".join(json.dumps({"step": n, "größe": n + 1, "n": "ü€"}, ensure_ascii=False) + "\n" for n in range(2))
    path = tmp_path / f"t.{ending}"
    run, problems = one(path, text.encode("cp1252"))
    assert (points(run.series["größe"]), run.params) == ([(0, 1), (1, 2)], {"n": "ü€"})
    assert problems == [f"t.{ending}:1 is not UTF-8;"]
    for encoding in ("utf-16", "utf-16-be"):
        path.write_bytes(text.encode(encoding) if encoding == "utf-16" else b"\xfe\xff" + text.encode(encoding))
        store = open_foreign(path)
        assert (list(read_all(store)), told(store)) == ([], [f"t.{ending}:1 is UTF-16. Save"])


def test_tables_without_rows(tmp_path: Path) -> None:
    """A table of names only, and a file that is no table, hold no rows, and have no run."""
    header = "step,loss\n"
    packed = gzip.compress((header + "0,1\n").encode())
    files = {
        "a.csv": header,
        "b.gz": packed,
        "c.jsonl": "\n",
        "d.csv": "loss\n1,2\n1,2\n",
        "folder/metrics.csv": header,
        "e.csv": b"\x02\xff\n1\n",
    }
    write(tmp_path, files)  # type: ignore[arg-type]
    for name, kind in (
        ("a.csv", None),
        ("b.gz", "csv"),
        ("c.jsonl", None),
        ("d.csv", None),
        ("e.csv", None),
        ("folder", "csv"),
    ):
        store = open_foreign(tmp_path / name, kind)
        assert read_all(store) == {}
        assert "holds no rows" in store.problems[-1].message
        assert len(store.problems) == (3 if name == "d.csv" else 1)
