"""What DVCLive wrote reads here as DVCLive itself reads it."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

from tests.environments import run_there
from tracker.artifact_files import list_artifacts
from tracker.exceptions import NotAStoreError
from tracker.foreign.dvclive import DvcliveStore
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.reader import read_history, read_store

from .reading import comparable, points, read_all, told, write
from .sites import Record, check_site

WRITER = Path(__file__).with_name("dvclive_store.py")
NAMES = {"dvclive": "project", "sweep/small": "sweep/small", "sweep/large": "sweep/large"}
"""Folders, and what their runs are called."""
Written = tuple[Path, dict[str, Any]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A project of three runs, and what DVCLive reads of it."""
    root = tmp_path_factory.mktemp("dvclive") / "project"
    # in a repository of git DVCLive makes one of DVC
    answer: dict[str, Any] = run_there("peers", WRITER, root, folder=root.parent)
    assert answer["version"].startswith("3.")
    return root, answer


def number(text: str) -> float:
    """A number as DVCLive wrote it."""
    return int(text) if text.isdigit() else float(text)


def summary(fields: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The latest values by the name of the metric."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        found |= summary(value, f"{prefix}{name}/") if isinstance(value, dict) else {prefix + name: value}
    return found


def test_points_are_the_same(written: Written) -> None:
    """Every metric has the steps, values and times of its file, NaN, infinities and long integers too."""
    root, answer = written
    store = open_foreign(root)
    assert isinstance(store, DvcliveStore)
    runs = read_all(store)
    assert store.problems == []
    assert runs.keys() == set(NAMES.values())
    for folder, told_by_dvclive in answer["runs"].items():
        series = runs[NAMES[folder]].series
        history = {path.removesuffix(".tsv"): rows for path, rows in told_by_dvclive["history"].items()}
        texts = history.pop("phase")
        assert [row["phase"] for row in texts] == ["phase 0", "phase 1", "phase 2"]
        assert series.keys() == {*history, "final/score"}
        for name, rows in history.items():
            value = name.rpartition("/")[2]
            expected = [(int(row["step"]), comparable(number(row[value]))) for row in rows]
            assert points(series[name]) == expected
            if "timestamp" in rows[0]:
                assert series[name].times == [int(row["timestamp"]) for row in rows]


def test_the_summary_is_the_same(written: Written) -> None:
    """Each metric ends with its value in metrics.json; one without a history has that point, and a text is a tag."""
    root, answer = written
    runs = read_all(open_foreign(root))
    for folder, told_by_dvclive in answer["runs"].items():
        run = runs[NAMES[folder]]
        latest = summary(told_by_dvclive["latest"])
        assert latest.pop("step") == 2
        assert run.tags == {"phase": latest.pop("phase")} == {"phase": "phase 2"}
        assert {name: comparable(one.values[-1]) for name, one in run.series.items()} == {
            name: comparable(float(value) if isinstance(value, str) else value) for name, value in latest.items()
        }
        assert points(run.series["final/score"]) == [(2, 0.5)]


def test_params_keep_their_types(written: Written) -> None:
    """Nested params have dotted keys; numbers, bools, None and texts that look like numbers stay what they are."""
    root, answer = written
    expected = {**answer["params"], **{f"opt.{key}": value for key, value in answer["params"]["opt"].items()}}
    del expected["opt"]
    expected["opt.betas"] = str(expected["opt.betas"])
    for run in read_all(open_foreign(root)).values():
        assert run.params == expected
        assert type(run.params["version"]) is str


def test_plots_become_artifacts(written: Written, tmp_path: Path) -> None:
    """Images, plots and dvc.yaml come over byte for byte; histories, which are metrics here, do not."""
    root, _ = written
    report = import_store(root, tmp_path / "runs")
    assert (report.kind, report.runs_new, report.points, report.problems) == ("DVCLive", 3, 39, ())
    runs = {run.file.name: run for run in read_store(tmp_path / "runs", cache=False).runs()}
    plots = {f"plots/images/pixels/{step}.png" for step in range(3)}
    plots |= {"plots/custom/curve.json", "plots/sklearn/confusion_matrix.json"}
    for folder, name in NAMES.items():
        found = {file.name: file.path for file in list_artifacts(runs[name].folder)}
        assert found.keys() == (plots | {"dvc.yaml"} if folder == "dvclive" else plots)
        assert all(found[path].read_bytes() == (root / folder / path).read_bytes() for path in plots)
        assert len(read_history(runs[name].folder).series) == 5
    again = import_store(root, tmp_path / "runs")
    assert (again.runs_unchanged, again.runs_updated, again.runs_new) == (3, 0, 0)


@pytest.mark.parametrize(
    ("place", "names", "experiment"),
    [
        (".", ["project", "sweep/large", "sweep/small"], "project"),
        ("dvclive", ["project"], "project"),
        ("sweep", ["large", "small"], "sweep"),
        ("sweep/small", ["small"], "small"),
    ],
)
def test_any_folder_can_be_named(written: Written, place: str, names: list[str], experiment: str) -> None:
    """A run's folder, a project with one in it and a folder of many are all seen as DVCLive's."""
    root, _ = written
    store = open_foreign((root / place).resolve())
    assert store.count() == len(names)
    assert sorted(read_all(store)) == names
    assert [one.name for one in store.experiments()] == [experiment]


def test_times_are_those_of_files(tmp_path: Path) -> None:
    """Points without a time have that of the last change of their file; a run lasts from the first to the last."""
    root = write(tmp_path / "exp", {"params.yaml": "lr: 1\n", "metrics.json": '{"step": 0}'})
    write(root, {"plots/metrics/a.tsv": "step\ta\n0\t1.5\n", "plots/metrics/b.tsv": "timestamp\tstep\tb\n1500\t0\t2\n"})
    for name, time in (("params.yaml", 1), ("plots/metrics/a.tsv", 2), ("metrics.json", 3)):
        os.utime(root / name, (time, time))
    run = read_all(open_foreign(root))["exp"]
    assert (run.series["a"].times, run.series["b"].times) == ([2000], [1500])
    assert (run.start_time, run.end_time, run.status) == (1000, 3000, "FINISHED")


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    """A torn line, a foreign header, a link and a cell that is no number cost only themselves."""
    root = write(
        tmp_path / "dvclive",
        {
            "metrics.json": '{"a": "nan", "step": 7, "b": {"c": 1}, "list": [1]}',
            "plots/metrics/torn.tsv": "step\ttorn\n0\t0.5\n1\t0.2",
            "plots/metrics/foreign.tsv": "step\tother\n0\t0.5\n",
            "plots/metrics/mixed.tsv": "step\tmixed\n0\t0.5\n1\twords\n1500\t2\t3.5\nx\t0.1\n3\t1_0\n",
            "plots/metrics/no.tsv": b"\xff\xfe",
            "plots/metrics/bytes.tsv": b"step\tbytes\n0\t0.5\n1\t\xff\n2\t1.5\n",
        },
    )
    (root / "plots" / "metrics" / "link.tsv").symlink_to(root / "plots" / "metrics" / "torn.tsv")
    store = open_foreign(root)
    run = next(iter(read_all(store).values()))
    assert points(run.series["torn"]) == [(0, 0.5)]
    assert points(run.series["mixed"]) == [(0, 0.5), (2, 3.5)]
    assert points(run.series["a"]) == [(7, "nan")]
    assert points(run.series["b/c"]) == [(7, 1.0)]
    assert points(run.series["bytes"]) == [(0, 0.5), (2, 1.5)]
    assert run.series.keys() == {"torn", "mixed", "bytes", "a", "b/c"}
    assert sorted(told(store)) == [
        "plots/metrics/bytes.tsv:3 is no point",
        "plots/metrics/foreign.tsv:1 is of the",
        "plots/metrics/link.tsv: is a link,",
        "plots/metrics/mixed.tsv:3 is no point",
        "plots/metrics/mixed.tsv:5 is no point",
        "plots/metrics/mixed.tsv:6 is no point",
        "plots/metrics/no.tsv: is no text",
        "plots/metrics/torn.tsv:3 is incomplete, and",
    ]


def test_others_are_not_taken_for_it(tmp_path: Path) -> None:
    """A metrics.json of something else makes no run; one named as DVCLive's is told that it holds none."""
    root = write(tmp_path / "other", {"metrics.json": '{"acc": 0.5}', "deep/metrics.json": '{"step": {"steps": []}}'})
    with pytest.raises(NotAStoreError, match="no store of a known kind"):
        open_foreign(root)
    store = open_foreign(root, "dvclive")
    assert (store.count(), list(store.runs())) == (0, [])
    assert told(store) == [".: holds no run"]


def test_not_a_number_in_yaml(tmp_path: Path) -> None:
    """NaN as a param is a number here, too, and what YAML has beyond plain values is told."""
    root = write(tmp_path / "dvclive", {"metrics.json": "{}", "params.yaml": "a: .nan\nb: 2024-01-01\n"})
    run = next(iter(read_all(open_foreign(root)).values()))
    assert isinstance(run.params["a"], float)
    assert math.isnan(run.params["a"])
    assert run.params["b"] == "2024-01-01"
    (root / "params.yaml").write_text("a: !!python/object/apply:os.getcwd []\n", "utf-8")
    store = open_foreign(root)
    assert next(iter(read_all(store).values())).params == {}
    assert told(store) == ["params.yaml: cannot be read:"]


def test_its_site(written: Written, tmp_path: Path, record_property: Record) -> None:
    """`tracker build` shows every run of DVCLive's, and a second build writes nothing."""
    check_site(written[0], tmp_path, f"DVCLive {written[1]['version']}", record_property)
