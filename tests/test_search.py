"""search_runs and search_experiments over real stores: what is found, in which order, in which form."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import tracker
from tests.conftest import Clock
from tracker.entities import ViewType
from tracker.exceptions import InvalidValueError, NotFoundError, QueryError
from tracker.search import search_experiments, search_runs

DAY = 86_400_000


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Path:
    """Two experiments; in digits the runs one, two, three (without a metric) and four (diverged), in this order."""
    tracker.set_tracking_uri(tmp_path / "store")
    tracker.set_experiment("digits", goal={"acc": "maximize"}, tags={"team": "vision"}, description="Small images")
    log_run(clock, "one", {"lr": 0.1, "model": "svm", "deep": None}, {"acc": [0.5, 0.9, 0.8]})
    log_run(clock, "two", {"lr": 10, "model": "forest"}, {"acc": [0.7]}, {"stage": "final"})
    log_run(clock, "three", {"lr": "0.5", "model": True}, {})
    log_run(clock, "four", {"lr": "auto"}, {"acc": [math.nan]})
    clock.advance(DAY)
    tracker.set_experiment("iris")
    log_run(clock, "five", {"lr": 1}, {"acc": [1.0]})
    return tmp_path / "store"


def log_run(
    clock: Clock,
    name: str,
    params: dict[str, object],
    metrics: dict[str, list[float]],
    tags: dict[str, object] | None = None,
) -> None:
    with tracker.start_run(run_name=name, tags=tags):
        tracker.log_params(params)
        for key, values in metrics.items():
            for step, value in enumerate(values):
                tracker.log_metric(key, value, step=step)
        clock.advance(1000)


def names(root: Path, **arguments: object) -> list[str]:
    found = search_runs(root, output_format="list", **arguments)  # type: ignore[arg-type]
    assert isinstance(found, list)
    return [run.info.run_name for run in found]


def frame(root: Path, **arguments: object) -> pd.DataFrame:
    found = search_runs(root, **arguments)  # type: ignore[arg-type]
    assert isinstance(found, pd.DataFrame)
    return found


def test_without_a_query_all_runs_come_newest_first(store: Path) -> None:
    assert names(store) == ["five", "four", "three", "two", "one"]


def test_a_query_chooses_among_all_experiments(store: Path) -> None:
    assert names(store, filter_string="best(metrics.acc) >= 0.9") == ["five", "one"]
    assert names(store, filter_string="experiment = 'digits' and params.lr > 0.2") == ["three", "two"]


def test_runs_that_started_together_are_ordered_by_id(tmp_path: Path, clock: Clock) -> None:
    tracker.set_tracking_uri(tmp_path)
    for _ in range(5):
        with tracker.start_run():
            pass
    found = frame(tmp_path)
    assert list(found.run_id) == sorted(found.run_id, reverse=True)


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        (["metrics.acc"], ["two", "one", "five", "four", "three"]),
        (["metrics.acc DESC"], ["five", "one", "two", "four", "three"]),
        (["best(metrics.acc) desc"], ["five", "one", "two", "four", "three"]),
        (["params.lr"], ["one", "three", "five", "two", "four"]),
        (["params.lr DESC"], ["two", "five", "three", "one", "four"]),
        (["params.model ASC"], ["three", "two", "one", "five", "four"]),
        (["params.deep"], ["five", "four", "three", "two", "one"]),
        (["experiment DESC", "name"], ["five", "four", "one", "three", "two"]),
        (["attributes.start_time ASC"], ["one", "two", "three", "four", "five"]),
        (["attributes.duration", "start_time ASC"], ["one", "two", "three", "four", "five"]),
        (["tags.stage"], ["two", "five", "four", "three", "one"]),
        ("metrics.`acc` DESC", ["five", "one", "two", "four", "three"]),
    ],
)
def test_order_by_puts_numbers_before_text_and_what_is_missing_last(
    store: Path, order_by: list[str], expected: list[str]
) -> None:
    assert names(store, order_by=order_by) == expected


@pytest.mark.parametrize("item", ["", "metrics.acc DOWN", "metrics.acc DESC 1", "acc", "'acc'", "DESC"])
def test_a_mistake_in_an_order_is_a_query_error(store: Path, item: str) -> None:
    with pytest.raises(QueryError):
        names(store, order_by=[item])


def test_experiments_are_named_by_name_or_id(store: Path) -> None:
    iris = next(found for found in search_experiments(store) if found.name == "iris")
    assert names(store, experiment_names=["iris"]) == ["five"]
    assert names(store, experiment_ids=[iris.experiment_id]) == ["five"]
    assert names(store, experiment_names=["iris", "digits"], max_results=2) == ["five", "four"]


def test_the_fluent_function_searches_the_chosen_experiment_unless_told_otherwise(store: Path) -> None:
    assert [run.info.run_name for run in tracker.search_runs(output_format="list")] == ["five"]
    assert len(tracker.search_runs(search_all_experiments=True)) == 5
    assert len(tracker.search_runs(experiment_names=["digits"], filter_string="metrics.acc = nan")) == 1


def test_wrong_arguments_are_refused(store: Path) -> None:
    with pytest.raises(NotFoundError, match='Did you mean "digits"'):
        search_runs(store, experiment_names=["digit"])
    with pytest.raises(InvalidValueError, match="not both"):
        search_runs(store, experiment_names=["digits"], experiment_ids=["1"])
    with pytest.raises(InvalidValueError, match="json"):
        search_runs(store, output_format="json")
    with pytest.raises(InvalidValueError, match="max_results"):
        search_runs(store, max_results=-1)


def test_deleted_runs_are_found_only_on_request(store: Path) -> None:
    [run] = search_runs(store, filter_string="name = 'two'", output_format="list")
    tracker.delete_run(run.info.run_id)
    assert names(store, experiment_names=["digits"]) == ["four", "three", "one"]
    assert names(store, run_view_type=ViewType.DELETED_ONLY) == ["two"]
    assert names(store, run_view_type=ViewType.ALL) == ["five", "four", "three", "two", "one"]
    assert names(store, run_view_type=ViewType.ALL, experiment_names=["iris"]) == ["five"]
    [deleted] = search_runs(store, run_view_type=ViewType.DELETED_ONLY, output_format="list")
    assert deleted.info.lifecycle_stage == "deleted"


def test_a_frame_has_the_columns_of_mlflow(store: Path) -> None:
    found = frame(store, experiment_names=["digits"])
    first = ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time", "metrics.acc"]
    assert list(found.columns[:7]) == first
    assert set(found.columns[7:]) == {
        *("params.lr", "params.model", "params.deep"),
        *(column for column in found.columns if column.startswith("tags.")),
    }
    assert {"tags.mlflow.runName", "tags.stage"} <= set(found.columns)


def test_a_frame_has_numbers_for_metrics_and_text_for_params(store: Path) -> None:
    found = frame(store, experiment_names=["digits"]).set_index("tags.mlflow.runName")
    assert found["metrics.acc"].dtype == "float64"
    assert found.loc["one", "metrics.acc"] == 0.8
    assert math.isnan(found.loc["three", "metrics.acc"])
    assert found["params.lr"].to_dict() == {"one": "0.1", "two": "10", "three": "0.5", "four": "auto"}
    assert found.loc["one", "params.deep"] == "None"
    assert found["params.deep"].isna().tolist() == [True, True, True, False]
    assert found.loc["three", "params.model"] == "True"


def test_a_frame_has_times_in_utc_and_existing_artifact_folders(store: Path) -> None:
    found = frame(store, filter_string="name = 'one'").iloc[0]
    assert found.start_time == pd.Timestamp("2023-11-14 22:13:20", tz="UTC")
    assert found.end_time - found.start_time == pd.Timedelta(seconds=1)
    assert Path(found.artifact_uri).parent.name == found.run_id


def test_a_running_run_has_no_end_time(tmp_path: Path) -> None:
    tracker.set_tracking_uri(tmp_path)
    with tracker.start_run():
        found = frame(tmp_path)
        assert found.status.tolist() == ["RUNNING"]
        assert found.end_time.isna().all()


def test_a_frame_of_no_runs_has_its_columns(store: Path) -> None:
    found = frame(store, filter_string="nothing-has-this")
    assert list(found.columns) == ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
    assert isinstance(found.start_time.dtype, pd.DatetimeTZDtype)
    assert len(found) == 0


def test_without_pandas_the_error_names_the_command_that_installs_it(store: Path) -> None:
    script = f"""
import sys
sys.modules["pandas"] = None
from tracker.search import search_runs
print(len(search_runs({str(store)!r}, output_format="list")))
search_runs({str(store)!r})
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.stdout == "5\n"
    assert 'pip install "pandas>=' in result.stderr


def test_experiments_are_found_by_name_tags_times_and_text(store: Path) -> None:
    def found(filter_string: str) -> list[str]:
        return [experiment.name for experiment in search_experiments(store, filter_string=filter_string)]

    assert found("") == ["iris", "digits"]
    assert found("name LIKE 'dig%'") == ["digits"]
    assert found("tags.team = 'vision' or attribute.name = 'iris'") == ["iris", "digits"]
    assert found("tags.team != 'vision'") == []
    assert found("creation_time < '2023-11-15'") == ["digits"]
    assert found("last_update_time IS NOT NULL") == ["iris", "digits"]
    assert found("images") == ["digits"]
    with pytest.raises(QueryError, match="creation_time"):
        found("metrics.acc > 1")


def test_experiments_are_ordered_and_limited(store: Path) -> None:
    assert [found.name for found in search_experiments(store, order_by=["name ASC"])] == ["digits", "iris"]
    assert [found.name for found in search_experiments(store, max_results=1)] == ["iris"]
    assert search_experiments(store, view_type=ViewType.DELETED_ONLY) == []
