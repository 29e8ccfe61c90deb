"""What Sacred wrote reads here as Sacred itself restores it."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from tests.environments import run_there
from tracker.artifact_files import list_artifacts
from tracker.foreign.importing import import_store
from tracker.foreign.kinds import open_foreign
from tracker.foreign.sacred import SacredStore
from tracker.foreign.sacred_values import plain
from tracker.reader import read_store

from .reading import points, read_all, steps, told, write
from .sites import Record, check_site

WRITER = Path(__file__).with_name("sacred_store.py")
STATUS = {
    "COMPLETED": ("FINISHED", None),
    "FAILED": ("FAILED", "ValueError: diverged"),
    "INTERRUPTED": ("KILLED", "INTERRUPTED"),
    "TIMEOUT": ("KILLED", "TIMEOUT"),
    "QUEUED": ("RUNNING", None),
}
HEAD = {
    "experiment": {"name": "digits", "mainfile": "train.py", "sources": [], "repositories": [], "dependencies": []},
    "status": "COMPLETED",
    "start_time": "2024-01-01T00:00:00.500000",
    "stop_time": "2024-01-01T00:01:00",
    "host": {"hostname": "evesbox", "python_version": "3.9.1"},
    "meta": {},
    "artifacts": [],
    "resources": [],
    "result": None,
}
Written = tuple[Path, dict[str, Any]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A folder of six runs that end in every way, and what Sacred restores of it."""
    work = tmp_path_factory.mktemp("sacred")
    answer: dict[str, Any] = run_there("peers", WRITER, work / "runs", folder=work)
    assert answer["version"].startswith("0.8.")
    return work / "runs", answer


def base(root: Path, *, number: str = "1", **changes: Any) -> Path:
    """A run of Sacred's written by hand."""
    head = {**HEAD, **changes}
    return write(root, {f"{number}/run.json": json.dumps(head), f"{number}/config.json": '{"lr": 0.1, "seed": 7}'})


def time_of(text: str) -> int:
    """Milliseconds of a time that Sacred wrote, by Python's own reckoning."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp() * 1000)


def test_runs_are_the_same(written: Written) -> None:
    """Ids, times and states are those of run.json, and what ended a run is told."""
    root, answer = written
    store = open_foreign(root)
    assert isinstance(store, SacredStore)
    runs = read_all(store)
    assert store.problems == []
    assert runs.keys() == answer["runs"].keys() == set("123456")
    assert [one.name for one in store.experiments()] == ["digits"]
    assert [one["head"]["status"] for one in answer["runs"].values()] == ["COMPLETED", *STATUS]
    for name, run in runs.items():
        head = answer["runs"][name]["head"]
        assert (run.status, run.ended_by) == STATUS[head["status"]]
        assert run.tags["sacred.id"] == name
        if head["status"] != "QUEUED":
            assert abs(run.start_time - time_of(head["start_time"])) <= 1
            assert abs((run.end_time or 0) - time_of(head["stop_time"])) <= 1
    assert (runs["5"].tags["sacred.status"], runs["6"].tags["sacred.status"]) == ("TIMEOUT", "QUEUED")
    assert runs["1"].tags["mlflow.note.content"] == "The first."
    assert {"info.note": "fine", "info.mean": "0.5", "sacred.command": "main"}.items() <= runs["1"].tags.items()


def test_params_are_the_same(written: Written) -> None:
    """Params are the configuration as Sacred restores it, nested ones with dotted keys, the seed among them."""
    root, answer = written
    for name, run in read_all(open_foreign(root)).items():
        config = answer["runs"][name]["config"]
        assert run.params == {key: str(value) if isinstance(value, list) else value for key, value in config.items()}
        assert {"seed", "opt.eps", "weights"} <= run.params.keys()


def test_points_are_the_same(written: Written) -> None:
    """Every metric has the steps, values and times of metrics.json; the result is one more where it is a number."""
    root, answer = written
    for name, run in read_all(open_foreign(root)).items():
        metrics = answer["runs"][name]["metrics"]
        result = answer["runs"][name]["head"].get("result")
        assert run.series.keys() == {*metrics, *(["result"] if result == 0.75 else [])}
        for metric, (all_steps, values, times) in metrics.items():
            assert points(run.series[metric]) == [
                (step, value) for step, (_, value) in zip(all_steps, steps(values), strict=True)
            ]
            assert all(abs(a - time_of(b)) <= 1 for a, b in zip(run.series[metric].times, times, strict=True))
    runs = read_all(open_foreign(root))
    assert points(runs["1"].series["result"]) == [(0, 0.75)]
    assert runs["2"].tags["result"] == "some text"


def test_code_and_machine(written: Written) -> None:
    """Script, commit, packages and processor come over; host, folders and the password of the remote do not."""
    root, answer = written
    run, head = read_all(open_foreign(root))["1"], answer["runs"]["1"]["head"]
    commit = head["experiment"]["repositories"][0]["commit"]
    assert run.source is not None
    assert (run.source.script, run.source.commit, run.source.dirty) == ("train.py", commit, False)
    assert run.source.remote == "https://example.com/eve/digits"
    assert run.environment is not None
    assert run.environment.python == head["host"]["python_version"]
    assert run.environment.packages.items() >= {tuple(one.split("==")) for one in head["experiment"]["dependencies"]}
    assert [(one.name, len(one.digest)) for one in run.datasets] == [("data.csv", 32)]


def test_files_become_artifacts(written: Written, tmp_path: Path) -> None:
    """Output, artifacts, code and the traceback come over; nothing in the store names the machine or its folders."""
    root, answer = written
    report = import_store(root, tmp_path / "runs")
    assert (report.kind, report.runs_new, report.problems) == ("Sacred", 6, ())
    runs = {run.file.name: run for run in read_store(tmp_path / "runs", cache=False).runs()}
    files = {name: {one.name: one.path for one in list_artifacts(run.folder)} for name, run in runs.items()}
    usual = {"cout.txt", "datasets.json", "info.json", "source/train.py", "weights.bin"}
    assert files["1"].keys() == usual
    assert files["3"].keys() == usual | {"fail_trace.txt"}
    assert files["6"].keys() == {"train.py"}
    assert files["1"]["weights.bin"].read_bytes() == bytes(range(100))
    assert files["1"]["cout.txt"].read_bytes() == (root / "1" / "cout.txt").read_bytes()
    trace = files["3"]["fail_trace.txt"].read_text("utf-8")
    assert "ValueError: diverged\nin step 4" in trace
    assert 'File "train.py", line' in trace
    host = answer["runs"]["1"]["head"]["host"]["hostname"]
    for path in (tmp_path / "runs").rglob("*"):
        if path.is_file() and "source" not in path.parts:
            assert str(root.parent) not in path.read_text("latin-1")
            assert "t0ken" not in path.read_text("latin-1")
            assert f'"{host}"' not in path.read_text("latin-1")
    import_store(root, tmp_path / "left", artifacts="leave")
    left = {run.file.name: run for run in read_store(tmp_path / "left", cache=False).runs()}
    assert {one.name for one in list_artifacts(left["3"].folder)} == {"datasets.json", "fail_trace.txt"}
    assert left["3"].file.tags["tracker.artifacts"] == "3"
    again = import_store(root, tmp_path / "runs")
    assert (again.runs_unchanged, again.runs_updated, again.runs_new) == (6, 0, 0)


def test_two_folders_do_not_meet(tmp_path: Path) -> None:
    """Sacred counts from 1 in each folder: runs of two folders stay apart, and one that goes on stays the same."""
    for name, start in (("a", "2024-01-01T00:00:00"), ("b", "2024-01-02T00:00:00")):
        base(tmp_path / name, start_time=start, status="RUNNING", stop_time=None)
    first, second = (read_all(open_foreign(tmp_path / name))["1"].run_id for name in "ab")
    assert first != second
    base(tmp_path / "a", start_time="2024-01-01T00:00:00")
    assert read_all(open_foreign(tmp_path / "a"))["1"].run_id == first
    assert read_all(open_foreign(tmp_path / "a" / "1"))["1"].run_id == first


def test_nothing_leads_out(tmp_path: Path) -> None:
    """Sources that lie outside, links and absolute paths are not followed, and leave no path in the store."""
    write(tmp_path, {"secret.py": "password", "base/_sources/good.py": "fine"})
    sources = [
        ["good.py", "_sources/good.py"],
        ["../up.py", "_sources/good.py"],
        ["/home/eve/x.py", str(tmp_path / "secret.py")],
        ["y.py", "../secret.py"],
        ["z.py", "_sources/link.py"],
        ["w.py", "_sources/gone.py"],
        ["v.py", "there/secret.py"],
        {"py/tuple": ["u.py", "_sources/../../secret.py"]},
        7,
    ]
    experiment = {**HEAD["experiment"], "sources": sources, "mainfile": "/home/eve/project/train.py"}  # type: ignore[dict-item]
    experiment["repositories"] = [{"url": "git:/home/eve/project", "commit": "abc", "dirty": True}]
    root = base(tmp_path / "base", experiment=experiment, artifacts=["gone.txt", "../../secret.py"])
    (root / "_sources" / "link.py").symlink_to(tmp_path / "secret.py")
    (root / "there").symlink_to(tmp_path)
    (root / "1" / "link.txt").symlink_to(tmp_path / "secret.py")
    store = open_foreign(root)
    run = read_all(store)["1"]
    assert run.files == {"source/good.py": root / "_sources/good.py", "source/up.py": root / "_sources/good.py"}
    assert run.source is not None
    assert (run.source.script, run.source.remote, run.source.dirty) == ("train.py", None, True)
    assert sorted(told(store)) == [
        "1/link.txt: is a link,",
        "1/run.json: names the artifact",
        "1/run.json: names the artifact",
        "1/run.json: names the source",
        "1/run.json: names the source",
        "there: is a link,",
    ]


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    """Points that are none, columns of other lengths and a run without run.json cost only themselves."""
    time = "2024-01-01T00:00:01"
    metrics = {
        "good": {"steps": [1, 0], "values": [True, {"py/object": "numpy.float32", "dtype": "float32", "value": 2.5}]},
        "bad": {"steps": [0, "x", 2], "values": [[1], 1.0, None], "timestamps": [time, time, time]},
        "short": {"steps": [0, 1], "values": [0.5], "timestamps": [time]},
        "none": 3,
        "part": {"steps": []},
    }
    metrics["good"]["timestamps"] = [time, time]  # type: ignore[index]
    root = base(tmp_path / "base", start_time=None)
    write(root, {"1/metrics.json": json.dumps(metrics), "2/config.json": '{"a": 1}', "2/run.json": '{"experiment'})
    store = open_foreign(root)
    runs = read_all(store)
    assert {name: points(one) for name, one in runs["1"].series.items()} == {
        "good": [(0, 2.5), (1, 1.0)],
        "short": [(0, 0.5)],
    }
    assert runs["1"].start_time == time_of(time)
    assert (runs["2"].params, runs["2"].status) == ({"a": 1}, "KILLED")
    assert [one.name for one in store.experiments()] == ["digits", "base"]
    assert [one.message.split(":")[0] for one in store.problems] == [
        *(["metric 'bad'"] * 3),
        "metric 'short'",
        "metric 'none'",
        "metric 'part'",
        "cannot be read",
    ]


def test_hostile_texts(tmp_path: Path) -> None:
    """Halves of surrogates and values of any other type, wherever they stand, stop nothing."""
    half = "\ud800"
    wrong: list[Any] = [half, 7, None, [half], {half: half}, [[half, half]]]
    for number, value in enumerate(wrong):
        changes: dict[str, Any] = dict.fromkeys((*HEAD, "command", "heartbeat", "fail_trace"), value)
        base(tmp_path / "base", number=str(number), **{**changes, "status": "FAILED", "experiment": {"name": half}})
        inner = dict.fromkeys(("name", "mainfile", "sources", "dependencies", "repositories", "base_dir"), value)
        base(tmp_path / "base", number=f"1{number}", experiment=inner, host={"os": value, "cpu": value, "gpus": value})
        write(tmp_path / "base", {f"{number}/{name}.json": json.dumps({half: value}) for name in ("info", "metrics")})
    report = import_store(tmp_path / "base", tmp_path / "runs")
    assert report.runs_new == 2 * len(wrong)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"py/tuple": [1, {"py/set": [2]}]}, (1, [2])),
        ({"py/type": "builtins.int"}, "builtins.int"),
        ({"dtype": "int64", "py/object": "numpy.ndarray", "values": [0, 1]}, [0, 1]),
        ({"a": {"dtype": "float64", "value": 2.0}}, {"a": 2.0}),
        ({"py/object": "os.system", "py/state": "x"}, {"py/object": "os.system", "py/state": "x"}),
        ({"py/reduce": [{"py/function": "os.system"}]}, {"py/reduce": [{"py/function": "os.system"}]}),
    ],
)
def test_notation_of_jsonpickle(given: Any, expected: Any) -> None:
    """Numbers, arrays, tuples and sets become plain values; nothing is ever made of a class that is named."""
    assert plain(given) == expected


def test_its_site(written: Written, tmp_path: Path, record_property: Record) -> None:
    """`tracker build` shows every run of Sacred's, and a second build writes nothing."""
    check_site(written[0], tmp_path, f"Sacred {written[1]['version']}", record_property)
