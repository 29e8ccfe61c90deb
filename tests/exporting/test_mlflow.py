"""What MLflow 2 and 3 read of an export is what the store holds; and an import of it is the store again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracker import layout
from tracker.artifact_files import list_artifacts
from tracker.codec import param_text
from tracker.entities import make_experiment, make_run, time_of
from tracker.exporting import export_mlflow
from tracker.foreign.importing import ImportReport, import_store
from tracker.foreign.records import typed
from tracker.reader import ReadRun, read_history, read_store, read_trash
from tracker.registry import check_registry, read_registry
from tracker.summary import Series

from .conftest import Export, stamps

OF_THE_EXPORT = {"mlflow.source.type", "mlflow.source.git.branch", "mlflow.source.git.repoURL", "tracker.status"}
"""Tags of MLflow's that stand elsewhere in our files, and what it has no word for."""


def runs_of(store: Path) -> dict[str, ReadRun]:
    """All runs by id, deleted ones too."""
    return {run.file.run_id: run for run in (*read_store(store, cache=False).runs(), *read_trash(store))}


def points_of(run: ReadRun) -> dict[str, list[tuple[object, ...]]]:
    """Step, time and value of every point, those that are alike once."""
    return {
        key: sorted({(step, time, repr(float(value))) for step, time, value in zip(*columns(one), strict=True)})
        for key, one in read_history(run.folder).series.items()
    }


def columns(series: Series) -> tuple[list[int], list[int], list[float]]:
    """What a point consists of."""
    return series.steps, series.times, series.values


def spelt(values: dict[str, Any]) -> dict[str, str]:
    """Values as text, which tells types and NaN."""
    return {key: repr(value) for key, value in values.items()}


def test_nothing_is_a_problem(exported: Export) -> None:
    """A sound store is exported as a whole."""
    report = exported.report
    assert report.problems == ()
    assert (report.experiments, report.models, report.versions) == (6, 2, 3)
    assert report.runs_new == len(runs_of(exported.store)) == len(exported.told["runs"]) == 12


def test_experiments_are_the_same(exported: Export) -> None:
    """Experiments keep id, name, tags and description; the goal is MLflow's primary metric."""
    told = {one["name"]: one for one in exported.told["experiments"]}
    for experiment in read_store(exported.store, cache=False).experiments:
        wanted, found = make_experiment(experiment), told.pop(experiment.file.name)
        extra = {key: value for key, value in found["tags"].items() if key not in wanted.tags}
        assert (found["id"], found["stage"]) == (wanted.experiment_id, "active")
        assert wanted.tags.items() <= found["tags"].items()
        if wanted.name == "models":
            assert extra.pop("tracker.goal") == '{"r2":"maximize","mse":"minimize"}'
        metric, goal = next(iter(wanted.goal.items()), (None, None))
        assert (extra.get("mlflow.experiment.primaryMetric.name"), len(extra)) == (metric, 2 if goal else 0)
        if goal:
            assert extra["mlflow.experiment.primaryMetric.greaterIsBetter"] == str(goal == "maximize")
    assert [(name, one["id"], one["stage"]) for name, one in told.items()] == [("deleted experiment", "8", "deleted")]


def test_runs_are_the_same(exported: Export) -> None:
    """Names, times, status, parents, params and tags of every run are those of the store."""
    runs = runs_of(exported.store)
    for found in exported.told["runs"]:
        run = make_run(runs[found["run_id"]], found["experiment_id"])
        assert (found["name"], found["start_time"], found["end_time"]) == (
            run.info.run_name,
            run.info.start_time,
            run.info.end_time,
        )
        assert found["status"] == {"STALE": "KILLED"}.get(run.info.status, run.info.status)
        assert found["params"] == run.data.params
        tags = dict(found["tags"])
        assert tags.pop("tracker.ended_by", None) == runs[found["run_id"]].file.ended_by
        assert {key: value for key, value in tags.items() if key not in OF_THE_EXPORT} == run.data.tags
        trashed = runs[found["run_id"]].folder.is_relative_to(exported.store / layout.TRASH)
        assert (found["stage"] == "deleted") == trashed
    assert {found["status"] for found in exported.told["runs"]} == {"FINISHED", "FAILED", "KILLED"}


def test_every_point_is_the_same(exported: Export) -> None:
    """Each point is there with step, time and value, NaN and infinities too; MLflow's latest one is ours."""
    runs, count = runs_of(exported.store), 0
    for found in exported.told["runs"]:
        run = runs[found["run_id"]]
        assert {key: list(map(tuple, points)) for key, points in found["points"].items()} == points_of(run)
        assert found["latest"] == {key: repr(float(metric.last)) for key, metric in run.file.metrics.items()}
        count += sum(map(len, found["points"].values()))
    assert count == exported.report.points > 15


def test_artifacts_are_the_same(exported: Export) -> None:
    """MLflow lists every artifact with its size, those of a deleted run too."""
    runs, count = runs_of(exported.store), 0
    for found in exported.told["runs"]:
        wanted = sorted([file.name, file.bytes] for file in list_artifacts(runs[found["run_id"]].folder))
        assert found["artifacts"] == wanted
        count += len(wanted)
    assert count == exported.report.artifacts == 20


def test_the_registry_is_the_same(exported: Export) -> None:
    """Models keep description, tags and aliases; versions their number, stage, tags, run and time."""
    told = {model["name"]: model for model in exported.told["models"]}
    models = {model.name: model for model in read_registry(exported.store).models}
    assert told.keys() == models.keys()
    for name, found in told.items():
        model = models[name]
        assert (found["description"], found["tags"]) == (model.file.description, model.file.tags)
        assert found["aliases"] == model.entity().aliases
        assert found["versions"] == {
            version.version: {
                "stage": version.file.stage,
                "description": version.file.description,
                "tags": version.file.tags,
                "run_id": version.file.run_id,
                "created": time_of(version.file.created),
                "aliases": sorted(version.aliases),
            }
            for version in model.live
        }


def test_models_predict(exports: dict[str, Export]) -> None:
    """MLflow loads models by run, version, stage and alias, through pyfunc and their flavor, copied ones too."""
    found = exports["written"].told["predicted"]
    assert len(found) == 10
    for predicted in found.values():
        assert predicted == pytest.approx([1.0, 1.0])


@pytest.fixture(scope="module")
def back(exported: Export, tmp_path_factory: pytest.TempPathFactory) -> tuple[Export, Path, ImportReport]:
    """The store that an import of the export makes, and the report of the import."""
    store = tmp_path_factory.mktemp("back") / "runs"
    return exported, store, import_store(exported.out, store)


def test_an_import_of_it_has_the_same_runs(back: tuple[Export, Path, ImportReport]) -> None:
    """Runs come back with name, times, status, ending, notes, points and artifacts; params as far as text tells."""
    exported, store, report = back
    assert [problem.message for problem in report.problems] == [
        "belongs to no run; it is imported where it is registered"
    ]
    there = runs_of(store)
    assert len(there) == report.runs_new == 12
    for run_id, run in runs_of(exported.store).items():
        found = there[run_id]
        for field in ("name", "status", "start_time", "end_time", "ended_by", "parent", "experiment_id"):
            assert getattr(found.file, field) == getattr(run.file, field), field
        assert spelt(found.file.params) == spelt({key: typed(param_text(one)) for key, one in run.file.params.items()})
        last = {key: metric.last for key, metric in run.file.metrics.items()}
        assert spelt({key: metric.last for key, metric in found.file.metrics.items()}) == spelt(last)
        kept = {key: value for key, value in found.file.tags.items() if not key.startswith("mlflow.source.")}
        own = {key: value for key, value in run.file.tags.items() if not key.startswith("mlflow.runName")}
        assert kept == own
        assert points_of(found) == points_of(run)
        files = sorted((file.name, file.bytes) for file in list_artifacts(run.folder))
        assert sorted((file.name, file.bytes) for file in list_artifacts(found.folder)) == files


def test_an_import_of_it_has_the_same_experiments(back: tuple[Export, Path, ImportReport]) -> None:
    """Experiments come back with id, description, tags and all goals."""
    exported, store, _ = back

    def told(root: Path) -> dict[str, tuple[Any, ...]]:
        files = [experiment.file for experiment in read_store(root, cache=False).experiments]
        return {file.name: (file.id, file.description, file.tags, file.goal) for file in files}

    assert told(store) == told(exported.store)


def test_an_import_of_it_has_the_same_registry(back: tuple[Export, Path, ImportReport]) -> None:
    """Registered models come back with stages, aliases, tags, the gap, and digests that are right."""
    exported, store, _ = back

    def told(root: Path) -> list[tuple[Any, ...]]:
        return [
            (model.name, model.file.description, model.file.tags, model.entity().aliases, version and about(version))
            for model in read_registry(root).models
            for version in model.versions or [None]
        ]

    def about(version: Any) -> tuple[Any, ...]:
        file = version.file
        facts = (file.version, file.stage, file.description, file.tags, file.run_id, file.created, file.deleted)
        return (*facts, None if file.deleted else file.digest)

    assert told(store) == told(exported.store)
    assert check_registry(store).findings == ()


def test_again_writes_nothing(exported: Export) -> None:
    """A second export finds every run unchanged and writes no file but the marker."""
    before = stamps(exported.out)
    report = export_mlflow(exported.store, exported.out)
    assert (report.runs_new, report.runs_updated, report.runs_unchanged) == (0, 0, 12)
    changed = {path.name for path, stamp in stamps(exported.out).items() if before.get(path) != stamp}
    assert changed == {".tracker-export.json"}


@pytest.mark.parametrize("mode", ["link", "leave"])
def test_artifacts_can_stay_where_they_are(exports: dict[str, Export], mode: str) -> None:
    """Linked files are those of the store, and artifacts that are left are read there; models load either way."""
    store, out, report, told = exports[mode]
    run = next(run for run in read_store(store).runs() if run.file.name == "fit 1")
    model = run.folder / layout.ARTIFACTS / "model" / "MLmodel"
    copies = [path for path in out.rglob("MLmodel") if path.samefile(model)]
    assert (len(copies), report.artifacts) == ((1, 20) if mode == "link" else (0, 0))
    assert [pytest.approx([1.0, 1.0])] * 3 == list(told["predicted"].values())
    assert sum(len(found["artifacts"]) for found in told["runs"]) == 20


def test_mlflow_goes_on_in_it(exports: dict[str, Export]) -> None:
    """MLflow logs on into an exported run and registers the next version."""
    assert exports["written"].told["written"] == {"more": 1.0, "tag": "yes", "version": 5}
