"""Whatever a store holds, an export of it is a folder that MLflow opens, and nothing leaves its place."""

from __future__ import annotations

import json
from pathlib import Path

from tracker.exporting.names import MAX_KEY, Names, is_key, model_names
from tracker.foreign.importing import import_store
from tracker.reader import read_store

from .conftest import HOSTILE, Export


def test_mlflow_reads_every_name(exports: dict[str, Export]) -> None:
    """Each metric, param and tag is there under a name that MLflow takes, and a tag tells the one that was logged."""
    told = exports["hostile"].told
    assert len(told["runs"]) == 2
    for run in told["runs"]:
        names = json.loads(run["tags"].pop("tracker.names"))
        values = {names["metrics"].get(key, key): value for key, value in run["latest"].items()}
        assert values == {name: repr(float(number)) for number, name in enumerate(HOSTILE)}
        params = {names["params"].get(key, key): value for key, value in run["params"].items()}
        assert params == dict.fromkeys(HOSTILE, "-1+1")
        tags = {names["tags"].get(key, key): value for key, value in run["tags"].items()}
        assert dict.fromkeys(HOSTILE, "\x1b[2J\x00=1+1").items() <= tags.items()
        assert run["artifacts"] == [["fine.txt", 6]]


def test_every_change_is_told(exports: dict[str, Export]) -> None:
    """Names that are others to MLflow are told once each, and so is what was left out."""
    export = exports["hostile"]
    reasons = [problem.message for problem in export.report.problems]
    refused = [name for name in HOSTILE if not is_key(name)]
    for kind in ("metric", "param", "tag"):
        told = [reason for reason in reasons if reason.startswith(f"the {kind} ")]
        assert len(told) == len(refused) + 2 + (2 if kind == "tag" else 0), told
    for part in (
        "is a link",
        "is no record",
        "the id 'models'",
        "no such stage",
        "the alias '../up'",
        "is named '_..'",
    ):
        assert [reason for reason in reasons if part in reason], part
    assert not [problem for problem in export.report.problems if Path(problem.path).is_absolute()]


def test_the_registry_is_readable(exports: dict[str, Export]) -> None:
    """Models get names of folders; aliases that MLflow takes stay, and a stage of ours is a tag."""
    models = {model["name"]: model for model in exports["hostile"].told["models"]}
    assert set(models) == {"_..", "50_ off", "50_ off_2", next(name for name in models if name.startswith("xxx"))}
    for model in models.values():
        assert model["aliases"] == {"good": "1"}
        assert sorted(model["versions"]) == ["1", "2", "3", "4"]
        for version in model["versions"].values():
            assert version["stage"] == "None"
            assert version["tags"] == {"a_b": "c", "tracker.stage": "Canary"}


def test_nothing_leaves_the_folder(exports: dict[str, Export]) -> None:
    """No link is made or followed, and no file lies outside of the export."""
    out = exports["hostile"].out
    assert [path for path in out.rglob("*") if path.is_symlink()] == []
    assert not [path for path in out.parent.iterdir() if not path.name.startswith("mlruns")]
    assert not [path for path in out.rglob("*") if path.is_file() and b"localhost" in path.read_bytes()]


def test_names_come_back(exports: dict[str, Export], tmp_path: Path) -> None:
    """An import of the export has the names that were logged."""
    import_store(exports["hostile"].out, tmp_path / "back")
    runs = list(read_store(tmp_path / "back").runs())
    assert len(runs) == 2
    for run in runs:
        assert sorted(run.file.metrics) == sorted(run.file.params) == sorted(HOSTILE)


def test_a_name_is_the_same_in_every_run() -> None:
    """Two names that look alike to MLflow stay apart in all runs, and those that it takes are kept."""
    names = Names([["a@b"], ["a#b"], ["a_b"], ["a", "c"], ["a/b", "c"]])
    changed = {name: names.of(name) for name in ("a@b", "a#b", "a_b", "a", "a/b", "c")}
    assert len(set(changed.values())) == 6
    assert {name for name, written in changed.items() if name == written} == {"a_b", "a", "a/b", "c"}
    assert all(map(is_key, changed.values()))


def test_long_names_stay_names() -> None:
    """What is added to a name never makes it one that MLflow or a file system refuses."""
    most = "x" * MAX_KEY
    runs = [
        [most, f"{most}/b"],
        [f"y_{most[2:]}", f"y@{most[2:]}", f"y#{most[2:]}"],
        ["é" * 100],
        ["é" * 100 + "/x@" + "é" * 60],
        [*(f"{part}/" * 60 + "end" for part in ("a@b", "a#b", "a_b"))],
        [*("/".join([letter + "z" * 82] * 3) for letter in "@#_")],
    ]
    names = Names(runs)
    changed = [names.of(name) for run in runs for name in run]
    assert [name for name in changed if not is_key(name)] == []
    assert len(set(changed)) == len(changed)


def test_names_of_models_are_folders() -> None:
    """No name of a model leads out of the folder of models or is that of another one."""
    given = ["..", ".", "", "a/b", "a:b", "a_b", "x" * 300, "é" * 250, "%", "ok", "\0"]
    named = model_names(given)
    assert len(set(named.values())) == len(given)
    assert all(name and "/" not in name and not name.startswith("..") for name in named.values())
    assert (named["ok"], named["a_b"]) == ("ok", "a_b")
