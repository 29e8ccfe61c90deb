"""Tables read here as pandas reads them; what columns mean is told or seen; damage costs only itself."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from tracker.cli import main
from tracker.exceptions import InvalidValueError, NotAStoreError
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.records import ForeignRun
from tracker.foreign.table_runs import time_of
from tracker.reader import read_store

from .reading import comparable, points, read_all, told, write

RESULTS = (
    "trial,epoch,loss,acc,lr,host,when\n"
    "a,0,0.5,0.1,0.01,h1,2024-01-01 00:00:00\n"
    "b,0,0.75,,0.1,h2,2024-01-01T00:01:00Z\n"
    "a,1,nan,inf,0.01,h1,2024-01-01T01:02:00+01:00\n"
)
LIGHTNING = "epoch,step,train_loss,val_loss\n0,49,0.693,\n0,49,,0.7\n1,99,0.5,\n1,99,,0.6\n"
KERAS = "epoch,accuracy,loss\n0,0.5,0.75\n1,0.625,0.5\n"


def read(path: Path, kind: str | None = None, **columns: Any) -> dict[str, ForeignRun]:
    """All runs, of a source without a problem."""
    store = open_foreign(path, kind, columns=columns or None)
    runs = read_all(store)
    assert told(store) == []
    return runs


def one(path: Path, text: str | bytes, **columns: Any) -> tuple[ForeignRun, list[str]]:
    """The only run of a file, and the problems."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    store = open_foreign(path, columns=columns or None)
    (run,) = read_all(store).values()
    return run, told(store)


def test_roles_are_seen(tmp_path: Path) -> None:
    """Runs, steps and times are known by their names; numbers become metrics, texts that stay the same params."""
    write(tmp_path, {"results.csv": RESULTS.replace("when", "timestamp")})
    runs = read(tmp_path / "results.csv")
    assert {name: {key: points(each) for key, each in run.series.items()} for name, run in runs.items()} == {
        "a": {"loss": [(0, 0.5), (1, "nan")], "acc": [(0, 0.1), (1, math.inf)], "lr": [(0, 0.01), (1, 0.01)]},
        "b": {"loss": [(0, 0.75)], "lr": [(0, 0.1)]},
    }
    assert (runs["a"].params, runs["b"].params) == ({"host": "h1"}, {"host": "h2"})
    start = 1_704_067_200_000
    assert (runs["a"].start_time, runs["a"].end_time, runs["b"].start_time) == (start, start + 120_000, start + 60_000)
    assert runs["a"].series["loss"].times == [start, start + 120_000]


def test_roles_can_be_given(tmp_path: Path) -> None:
    """A mapping says what columns are; who names the metrics gets no others."""
    write(tmp_path, {"results.csv": RESULTS})
    given = {"run": "trial", "step": "epoch", "time": "when", "params": "lr", "tags": ["host"], "metrics": "loss"}
    runs = read(tmp_path / "results.csv", **given)
    assert (runs["a"].params, runs["a"].tags, runs["a"].series.keys()) == ({"lr": 0.01}, {"host": "h1"}, {"loss"})
    assert runs["a"].start_time == 1_704_067_200_000
    runs = read(tmp_path / "results.csv", run="host", name="trial", experiment="lr", ignore=["acc", "when"])
    assert {run.experiment for run in runs.values()} != {"results"}
    assert (runs["a"].params, runs["a"].series.keys()) == ({}, {"loss"})
    names = [each.name for each in open_foreign(tmp_path / "results.csv", columns={"experiment": "lr"}).experiments()]
    assert names == ["0.01", "0.1"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"steep": "epoch"}, 'no role of a column. Did you mean "step"'),
        ({"step": "epoc"}, "no column 'epoc'. Did you mean \"epoch\"? Columns: acc, epoch,"),
        ({"step": ["epoch", "acc"]}, "takes one column, but it got 2"),
        ({"params": ["lr"], "tags": "lr"}, "'lr' is given two roles"),
        ({"metric": "host"}, "belong together"),
    ],
)
def test_a_wrong_mapping_is_refused(tmp_path: Path, columns: Any, message: str) -> None:
    """A role or column that does not exist is an error that says which there are."""
    write(tmp_path, {"results.csv": RESULTS})
    with pytest.raises(InvalidValueError) as caught:
        open_foreign(tmp_path / "results.csv", columns=columns)
    assert message in str(caught.value)


def test_other_kinds_have_no_columns(tmp_path: Path) -> None:
    """A mapping for a store that is no table is an error that names the kinds that take one."""
    write(tmp_path / "dvclive", {"metrics.json": "{}"})
    with pytest.raises(InvalidValueError, match="has no columns to map; csv and jsonl have"):
        open_foreign(tmp_path / "dvclive", columns={"step": "epoch"})


def test_pandas_reads_the_same(tmp_path: Path) -> None:
    """Each number of a table is what pandas.read_csv has there, and where it has none there is no point."""
    frame = pd.DataFrame(
        {
            "step": range(0, 400, 2),
            "loss": [1 / (index + 1) for index in range(200)],
            "val": [0.1 * index if index % 3 else None for index in range(200)],
            "big": [2**53 + index for index in range(200)],
            "tiny": [5e-324 * index for index in range(200)],
            "wild": [float("inf") if index % 2 else -1e308 for index in range(200)],
            "text, with comma": ["a\n\"b\", 'c'"] * 200,
        }
    )
    for name, options in (("a.csv", {}), ("b.tsv", {"sep": "\t"}), ("c.csv", {"sep": ";"}), ("d.csv", {"index": True})):
        frame.to_csv(tmp_path / name, **{"index": False, **options})
        same = pd.read_csv(tmp_path / name, sep=options.get("sep", ","))
        (run,) = read(tmp_path / name).values()
        numbers = [column for column in frame if column not in ("step", "text, with comma")]
        for column in numbers:
            kept = same[same[column].notna()]
            assert points(run.series[column]) == list(zip(kept["step"], kept[column], strict=True))
        assert run.params == {"text, with comma": "a\n\"b\", 'c'"}
    frame.to_json(tmp_path / "e.jsonl", orient="records", lines=True, double_precision=15)
    (run,) = read(tmp_path / "e.jsonl").values()
    assert points(run.series["big"]) == list(zip(frame["step"], frame["big"], strict=True))


def test_folders_of_loggers(tmp_path: Path) -> None:
    """What Lightning, Keras and Ultralytics leave is a run for each file, with the params that lie beside it."""
    root = write(
        tmp_path / "lightning_logs",
        {
            "version_0/metrics.csv": LIGHTNING,
            "version_0/hparams.yaml": "lr: 0.1\nopt:\n  name: adam\n",
            "version_1/metrics.csv": LIGHTNING,
            "deep/er/results.csv": "   epoch,   train/box_loss\n   1,   0.5\n",
            "deep/er/args.yaml": "imgsz: 640",
            "keras/resnet.csv": KERAS,
        },
    )
    runs = read(root)
    assert sorted(runs) == ["deep/er", "keras/resnet", "version_0", "version_1"]
    assert runs["version_0"].params == {"lr": 0.1, "opt.name": "adam"}
    assert points(runs["version_0"].series["val_loss"]) == [(49, 0.7), (99, 0.6)]
    assert points(runs["version_0"].series["epoch"]) == [(49, 0), (49, 0), (99, 1), (99, 1)]
    assert (runs["deep/er"].params, points(runs["deep/er"].series["train/box_loss"])) == ({"imgsz": 640}, [(1, 0.5)])
    assert points(runs["keras/resnet"].series["accuracy"]) == [(0, 0.5), (1, 0.625)]
    (run,) = read(root / "version_0" / "metrics.csv").values()
    assert (run.name, run.params["lr"]) == ("version_0", 0.1)
    assert [each.name for each in open_foreign(root / "version_0" / "metrics.csv").experiments()] == ["lightning_logs"]


def test_what_a_folder_is(tmp_path: Path) -> None:
    """A folder can be said to be one of tables; it is taken for one by a logger's file, where no TensorBoard wrote."""
    root = write(tmp_path / "some", {"a.csv": KERAS, "predictions.csv": "x,y\n1,2\n"})
    with pytest.raises(NotAStoreError, match="no store of a known kind"):
        open_foreign(root)
    store = open_foreign(root, "csv")
    assert read_all(store).keys() == {"a"}
    assert told(store) == ["predictions.csv: has no column"]
    write(root, {"metrics.csv": "city,size\nUlm,1\n"})
    with pytest.raises(NotAStoreError, match="no store of a known kind"):
        open_foreign(root)
    write(root, {"v/metrics.csv": KERAS})
    assert open_foreign(root).kind == "CSV"
    write(root, {"v/events.out.tfevents.1": ""})
    with pytest.raises(NotAStoreError, match="no store of a known kind"):
        open_foreign(root)
    assert open_foreign(root, "csv").kind == "CSV"
    assert open_foreign(root, "jsonl").problems[0].message == "holds no .jsonl or .ndjson file"


def test_a_row_can_be_a_run(tmp_path: Path) -> None:
    """Where each run has one row, numbers are params unless their names say that they are metrics, or the user does."""
    table = "run_id,lr,layers,val_loss,accuracy,flag\n" + "".join(
        f"{n:032x},0.{n},{n},1.{n},0.9,True\n" for n in (1, 2)
    )
    write(tmp_path, {"sweep.csv": table, "optuna.csv": "number,value,params_x\n0,1.5,3\n1,2.5,4\n"})
    runs = read(tmp_path / "sweep.csv")
    run = runs[f"{2:032x}"]
    assert run.run_id == f"{2:032x}"
    assert run.params == {"lr": 0.2, "layers": 2, "flag": True}
    assert {name: points(series) for name, series in run.series.items()} == {
        "val_loss": [(0, 1.2)],
        "accuracy": [(0, 0.9)],
    }
    assert read(tmp_path / "sweep.csv", metrics="layers")[f"{2:032x}"].series.keys() == {"layers"}
    runs = read(tmp_path / "optuna.csv")
    assert {name: (run.params, run.series["value"].values) for name, run in runs.items()} == {
        "optuna 1": ({"number": 0, "x": 3}, [1.5]),
        "optuna 2": ({"number": 1, "x": 4}, [2.5]),
    }


def test_long_tables(tmp_path: Path) -> None:
    """A column of names and one of values: a point in each row."""
    rows = "run,metric,step,value\na,loss,0,0.5\na,acc,0,0.1\na,loss,1,0.25\nb,loss,0,\nb,loss,5,nan\n"
    write(tmp_path, {"long.csv": rows, "other.csv": rows.replace("metric,step,value", "what,step,how much")})
    for name, columns in (("long.csv", {}), ("other.csv", {"metric": "what", "value": "how much"})):
        runs = read(tmp_path / name, **columns)
        assert {key: points(each) for key, each in runs["a"].series.items()} == {
            "loss": [(0, 0.5), (1, 0.25)],
            "acc": [(0, 0.1)],
        }
        assert {key: points(each) for key, each in runs["b"].series.items()} == {"loss": [(5, "nan")]}


def test_json_lines(tmp_path: Path) -> None:
    """Values keep their types, nested ones have dotted keys, NaN and Infinity are numbers."""
    rows = [
        {"run": 7, "step": 0, "loss": 1, "config": {"lr": 0.1, "tags": ["a"]}, "ok": True, "code": "007"},
        {"run": 7, "step": 1, "loss": float("nan"), "config": {"lr": 0.1, "tags": ["a"]}, "ok": True, "code": "007"},
        {"run": 7, "step": 2, "loss": "Infinity", "other": None},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    run, problems = one(tmp_path / "log.jsonl", text)
    assert problems == []
    assert points(run.series["loss"]) == [(0, 1.0), (1, "nan"), (2, math.inf)]
    assert run.params == {"lr": 0.1, "tags": "['a']", "ok": True, "code": "007"}
    assert run.name == "7"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1704067200", 1_704_067_200_000),
        (1704067200.5, 1_704_067_200_500),
        ("1704067200000", 1_704_067_200_000),
        ("1704067200000000", 1_704_067_200_000),
        (1_704_067_200_000_000_000, 1_704_067_200_000),
        ("2024-01-01", 1_704_067_200_000),
        ("2024-01-01T00:00:00.25Z", 1_704_067_200_250),
        ("12.5", None),
        ("nan", None),
        ("yesterday", None),
        (None, None),
        ("1e300", None),
    ],
)
def test_times(cell: Any, expected: int | None) -> None:
    """Seconds, milliseconds, micro- and nanoseconds since 1970 and ISO 8601 are times; a duration is none."""
    assert time_of(cell) == expected


def test_names_that_mislead(tmp_path: Path) -> None:
    """A column `time` of durations is a metric, and an epoch of halves is no step."""
    run, problems = one(tmp_path / "t.csv", "epoch,time,loss\n0.5,3.5,1\n1.0,7.0,2\n")
    assert problems == []
    assert {name: points(each) for name, each in run.series.items()} == {
        "epoch": [(0, 0.5), (1, 1.0)],
        "time": [(0, 3.5), (1, 7.0)],
        "loss": [(0, 1.0), (1, 2.0)],
    }
    os.utime(tmp_path / "t.csv", (5, 5))
    run = read(tmp_path / "t.csv")["t"]
    assert (run.start_time, run.end_time, run.series["loss"].times) == (5000, 5000, [5000, 5000])


@pytest.mark.parametrize(
    ("text", "loss", "problems"),
    [
        ("\ufeffstep,loss\r\n0,1\r\n1,2\r\n", [(0, 1), (1, 2)], []),
        ("step,loss\n0,1\n\n1,2\nstep,loss\n2,3\n", [(0, 1), (1, 2), (2, 3)], []),
        ("step,loss\n0,1\n1\n1,2,3\n2,3,\n", [(0, 1), (2, 3)], ["t.csv:3 has 1 cells", "t.csv:4 has 3 cells"]),
        ("step,loss\n0,1\n1,2", [(0, 1), (1, 2)], ["t.csv:3 is the last"]),
        ("step,loss\n0,1\n1", [(0, 1)], ["t.csv:3 is the last", "t.csv:3 has 1 cells"]),
        ("step,loss\n0,1\nx,2\n,3\n1.5,4\n", [(0, 1)], [f"t.csv:{line} has no whole" for line in (3, 4, 5)]),
        ("step,loss\n0,1\n1,what\n2,1_0\n", [(0, 1)], ["t.csv:3 'what' in column", "t.csv:4 '1_0' in column"]),
        ("step,loss\n0,1\n1,2\0\n2,3\n", [(0, 1), (2, 3)], ["t.csv:3 '2\\x00' in column"]),
        ("step,loss,loss\n0,1,5\n", [(0, 1)], ["t.csv:1 has two columns"]),
        ('step,loss,n\n0,1,"a\n1,2,b\n2,3,c\n', [(1, 2), (2, 3)], ["t.csv:2 has a quote", "t.csv:4 column 'n' has"]),
        (
            'step,loss,n\n0,1,a\n1,2,"a\n2,3,a\n3,4,"a"\n4,5,a\n',
            [(0, 1), (2, 3), (3, 4), (4, 5)],
            ["t.csv:3 has a quote"],
        ),
        (f"step,loss,n\n0,1,a\n1,2,{'x' * 200_000}\n2,3,a\n", [(0, 1), (2, 3)], ["t.csv:3 cannot be read:"]),
        (f"step,loss\n0,1\n{'9' * 9_000_000},2\n2,3\n", [(0, 1), (2, 3)], ["t.csv:3 is longer than"]),
        (
            b"step,loss,n\n0,1,a\n1,2,\xff\n",
            [(0, 1), (1, 2)],
            ["t.csv:3 is not UTF-8;", "t.csv:3 column 'n' has"],
        ),
        ('step,loss,n\n0,1,"a"a\n1,2,"a\n', [(0, 1)], ["t.csv:3 cannot be read:"]),
        ("step,loss\n1,2\n0,1\n", [(0, 1), (1, 2)], []),
    ],
)
def test_damaged_csv(tmp_path: Path, text: str | bytes, loss: list[Any], problems: list[str]) -> None:
    """Headers again, ragged and torn rows, stray quotes, zeros, huge cells: the other rows are read."""
    run, found = one(tmp_path / "t.csv", text)
    assert points(run.series["loss"]) == loss
    assert found == problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "t.csv: is empty"),
        ("\0" * 100, "t.csv:1 is no header"),
        ("step,loss\n".encode("utf-16"), "t.csv:1 is UTF-16. Save"),
        ("," * 20_000 + "\n", "t.csv:1 has more columns"),
    ],
)
def test_no_table(tmp_path: Path, text: str | bytes, problem: str) -> None:
    """A file that is no table has no runs, and says why."""
    write(tmp_path, {"t.csv": text})
    store = open_foreign(tmp_path / "t.csv", columns={"step": "epoch"} if not text else None)
    assert list(read_all(store)) == []
    assert problem in told(store)


def test_damaged_json_lines(tmp_path: Path) -> None:
    """Lines that are no object, that nest too deep or that end early cost only themselves."""
    lines = ['{"step":0,"loss":1}', "[1]", "{", "", '{"a":' * 5000, '{"step":1,"loss":2}', '{"step":2,"lo']
    run, problems = one(tmp_path / "t.jsonl", "\n".join(lines))
    assert points(run.series["loss"]) == [(0, 1), (1, 2)]
    assert problems == [f"t.jsonl:{line} is no row:" for line in (2, 3, 5)] + ["t.jsonl:7 is incomplete, and"]


def test_hostile_texts(tmp_path: Path) -> None:
    """Halves of surrogates, zeros and numbers beyond a float, wherever they stand, cost only themselves."""
    rows = [{"run": "a", "step": step, "loss": step, "\0loss": 1, "\ud800": 2, "what": "\ud800"} for step in range(2)]
    rows += [{"run": "\ud800", "loss": 1}, {"run": "b", "step": 0, "loss": 10**400, "experiment": "\ud800", "acc": 1}]
    write(tmp_path, {"t.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    report = import_store(tmp_path / "t.jsonl", tmp_path / "runs")
    assert report.runs_new == 2
    assert {problem.line for problem in report.problems} == {3, None}
    runs = {run.file.name: run.file for run in read_store(tmp_path / "runs", cache=False).runs()}
    assert (runs["a"].metrics.keys(), runs["b"].metrics.keys()) == ({"loss"}, {"acc"})
    assert runs["b"].params == {"loss": 10**400}


def test_a_log_that_begins(tmp_path: Path) -> None:
    """The first row of the log of one run has metrics, as the next ones will."""
    write(tmp_path, {"log.csv": "run,step,lr,loss\na,0,0.1,0.5\n"})
    assert read(tmp_path / "log.csv")["a"].series.keys() == {"lr", "loss"}


def test_problems_are_counted(tmp_path: Path) -> None:
    """Of many problems in a file the first are listed and the others counted."""
    write(tmp_path, {"t.csv": "step,loss\n0,1\n" + "x,1\n" * 500})
    store = open_foreign(tmp_path / "t.csv")
    read_all(store)
    assert len(store.problems) == 21
    assert store.problems[-1].message == "has 480 more problems"


def test_ids_last(tmp_path: Path) -> None:
    """A table that grew brings its runs up to date, and adds new ones; the same name elsewhere is another run."""
    table = RESULTS.replace("when", "time")
    write(tmp_path, {"a/results.csv": table, "b/results.csv": table})
    store = tmp_path / "runs"
    report = import_store(tmp_path / "a" / "results.csv", store)
    assert (report.runs_new, report.points, report.problems) == (2, 8, ())
    more = "c,0,1,1,1,h3,2024-01-01\na,2,0.25,0.5,0.01,h1,2024-01-02\n"
    write(tmp_path, {"a/results.csv": table + more})
    report = import_store(tmp_path / "a" / "results.csv", store)
    assert (report.runs_new, report.runs_updated, report.runs_unchanged) == (1, 1, 1)
    report = import_store(tmp_path / "b" / "results.csv", store)
    assert (report.runs_new, report.runs_updated) == (2, 0)


def test_the_command_line(tmp_path: Path) -> None:
    """`--map` takes roles as often as one likes, and `--from` says what a file is whose name does not."""
    write(tmp_path, {"results.txt": RESULTS})
    source, store = str(tmp_path / "results.txt"), str(tmp_path / "runs")
    roles = ["run=trial", "step=epoch", "time=when", "params=lr", "tags=host", "metrics=loss,acc"]
    options = [part for role in roles for part in ("--map", role)]
    result = CliRunner().invoke(main, ["import", source, "--from", "csv", "--into", store, *options, "--strict"])
    assert result.exit_code == 0, result.output
    runs = {run.file.name: run.file for run in read_store(store, cache=False).runs()}
    assert (runs["a"].params, runs["a"].tags, runs["a"].metrics.keys()) == (
        {"lr": 0.01},
        {"host": "h1"},
        {"loss", "acc"},
    )
    result = CliRunner().invoke(main, ["import", source, "--from", "csv", "--into", store, "--map", "step"])
    assert (result.exit_code, "Write role=column" in result.output) == (1, True)
    result = CliRunner().invoke(main, ["import", source, "--into", store])
    assert (result.exit_code, "no store of a known kind" in result.output) == (1, True)


def test_what_csv_writes(tmp_path: Path) -> None:
    """Any text that Python's csv module writes comes back as a param, whatever quotes and line ends it has."""
    texts = ["", ' "x" ', "a,b;c\td", "one\ntwo\r\nthree", "=1+1", "ünï", "'", "x" * 100_000]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *(f"p{number}" for number in range(len(texts)))])
        writer.writerows([[step, *texts] for step in range(3)])
    run = read(tmp_path / "t.csv")["t"]
    assert run.params == {f"p{number}": text for number, text in enumerate(texts) if text}
    assert comparable(run.series) == {}
