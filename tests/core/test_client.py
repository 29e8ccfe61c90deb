"""MLflow's client: which of its methods there are, and what they do to runs, in this store and in others."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import tracker
from tracker import reader
from tracker.client import MlflowClient, PagedList
from tracker.entities import Metric, Param, RunTag, ViewType
from tracker.exceptions import InvalidValueError, NotFoundError, ParamClashError, RunStateError
from tracker.missing import KINDS, remedy

METHODS: dict[str, list[str]] = json.loads((Path(__file__).parent / "mlflow_client.json").read_text("utf-8"))
"""The methods of MLflow's client, of 3.17 and those that only 2.22 has, with their arguments."""
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text("utf-8")


@pytest.fixture
def client(store: Path) -> MlflowClient:
    """A client of the store of the session."""
    return MlflowClient()


@pytest.fixture
def run_id(client: MlflowClient) -> str:
    """A run that a client began."""
    return client.create_run(client.create_experiment("digits"), run_name="first").info.run_id


# Which methods there are


@pytest.mark.parametrize("name", METHODS)
def test_each_method_is_there_or_says_what_to_use(name: str) -> None:
    """With MLflow's arguments in MLflow's order, or as an AttributeError with a remedy; docs/client.md names it."""
    method = getattr(MlflowClient, name, None)
    assert f"`{name}`" in PAGE or (method is None and any(f"`{kind}`" in PAGE for kind in KINDS if kind in name))
    if method is None:
        with pytest.raises(AttributeError, match=re.escape(remedy(name))):
            getattr(MlflowClient(), name)
        assert len(remedy(name)) > 30
        return
    ours = [argument for argument in inspect.signature(method).parameters if argument != "self"]
    assert ours[: len(METHODS[name])] == METHODS[name]


def test_there_are_no_other_methods() -> None:
    """What MLflow's client lacks, ours lacks too; a slip of the pen gets a hint."""
    assert {name for name in dir(MlflowClient) if not name.startswith("_")} <= set(METHODS)
    with pytest.raises(AttributeError, match='Did you mean "search_runs"'):
        MlflowClient().serch_runs  # noqa: B018
    assert not hasattr(MlflowClient(), "start_trace")


def test_it_has_three_names() -> None:
    """Scripts import it from wherever MLflow has it."""
    assert tracker.Client is tracker.MlflowClient is tracker.tracking.MlflowClient is MlflowClient


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_experiment", {"name": "x", "artifact_location": "s3://x"}),
        ("log_metric", {"run_id": "0" * 32, "key": "x", "value": 1, "model_id": "m"}),
        ("create_registered_model", {"name": "x", "deployment_job_id": "1"}),
        ("create_model_version", {"name": "x", "source": "y", "run_link": "z"}),
    ],
)
def test_arguments_without_a_meaning_are_refused(client: MlflowClient, name: str, arguments: dict[str, object]) -> None:
    """Rather than passed over."""
    with pytest.raises(InvalidValueError, match="cannot be given"):
        getattr(client, name)(**arguments)


# Experiments


def test_experiments(client: MlflowClient) -> None:
    """Are made, found by id and name, tagged and searched a page at a time."""
    ids = [client.create_experiment(name, tags={"team": "vision"}) for name in ("a", "b", "c")]
    client.set_experiment_tag(ids[0], "state", 1)
    assert client.get_experiment(ids[0]).tags == {"team": "vision", "state": "1"}
    found = client.get_experiment_by_name("b")
    assert found is not None
    assert found.experiment_id == ids[1]
    assert client.get_experiment_by_name("d") is None
    page = client.search_experiments(max_results=2, order_by=["name DESC"])
    rest = client.search_experiments(max_results=2, order_by=["name DESC"], page_token=page.token)
    assert [one.name for one in [*page, *rest]] == ["c", "b", "a"]
    assert rest.token is None


# Runs


def test_a_run_from_begin_to_end(client: MlflowClient, run_id: str) -> None:
    """It is RUNNING until it is terminated, has what was logged, and is nobody's active run."""
    assert client.get_run(run_id).info.status == "RUNNING"
    for step in range(3):
        client.log_metric(run_id, "loss", 1 / (step + 1), step=step)
    assert client.log_param(run_id, "lr", 0.1) == 0.1
    client.set_tag(run_id, "kind", "test")
    client.set_tag(run_id, "other", 1)
    client.delete_tag(run_id, "other")
    client.log_text(run_id, "hello", "notes/a.txt")
    client.log_dict(run_id, {"a": 1}, "a.json")
    assert tracker.active_run() is None
    client.set_terminated(run_id, "FAILED")
    run = client.get_run(run_id)
    assert (run.info.status, run.params, run.data.metrics) == ("FAILED", {"lr": 0.1}, {"loss": 1 / 3})
    assert (run.info.run_name, run.data.tags["kind"], run.data.tags.get("other")) == ("first", "test", None)
    assert [point.step for point in client.get_metric_history(run_id, "loss")] == [0, 1, 2]


def test_a_thousand_calls_make_one_log(client: MlflowClient, run_id: str, store: Path) -> None:
    """A run stays open between the calls, whatever client they come from, also when somebody else began it."""
    with tracker.start_run() as other:
        pass
    for step in range(1000):
        client.log_metric(run_id, "loss", step, step=step)
        MlflowClient(store).log_metric(other.info.run_id, "loss", step, step=step)
    folders = [reader.find_run(store, one) / "log" for one in (run_id, other.info.run_id)]
    assert [len(list(folder.iterdir())) for folder in folders] == [1, 2]
    assert client.get_run(other.info.run_id).info.status == "FINISHED"
    assert len(client.get_metric_history(other.info.run_id, "loss")) == 1000


def test_functions_with_a_run_id_share_the_log(store: Path) -> None:
    """The run is the client's too; its status and end stay as they are."""
    with tracker.start_run() as run:
        pass
    ended = tracker.get_run(run.run_id).info
    for step in range(100):
        tracker.log_metric("loss", step, step=step, run_id=run.run_id)
        tracker.log_params({f"p{step}": step}, run_id=run.run_id)
    MlflowClient().set_tag(run.run_id, "k", "v")
    assert len(list((run.folder / "log").iterdir())) == 2
    found = tracker.get_run(run.run_id)
    assert (found.info, len(found.params), found.metrics["loss"].count) == (ended, 100, 100)


def test_the_end_of_another_time(client: MlflowClient) -> None:
    """Runs of the past keep their times, and nothing is captured of a process that did not run them."""
    run = client.create_run("0" if client.get_experiment_by_name("Default") else client.create_experiment("old"), 1000)
    client.log_batch(run.info.run_id, metrics=[Metric("loss", 0.5, 1500, 3)])
    client.set_terminated(run.info.run_id, end_time=2000)
    found = client.get_run(run.info.run_id)
    assert (found.info.start_time, found.info.end_time, found.info.status) == (1000, 2000, "FINISHED")
    assert client.get_metric_history(run.info.run_id, "loss") == [Metric("loss", 0.5, 1500, 3)]


def test_a_batch_is_whole_or_not_at_all(client: MlflowClient, run_id: str) -> None:
    """One refused value, and nothing of the call is logged."""
    client.log_batch(
        run_id, [Metric("loss", 1, 0, 0), Metric("loss", 2, 1, 1)], [Param("lr", "0.1")], [RunTag("kind", "a")]
    )
    with pytest.raises(ParamClashError):
        client.log_batch(run_id, [Metric("acc", 1, 0, 0)], [Param("lr", "0.2")], [RunTag("more", "b")])
    with pytest.raises(InvalidValueError):
        client.log_batch(run_id, [Metric("acc", "high", 0, 0)], [Param("new", "0.2")])  # type: ignore[arg-type]
    run = client.get_run(run_id)
    assert (run.data.metrics, run.data.params) == ({"loss": 2}, {"lr": "0.1"})
    assert (run.data.tags["kind"], "more" in run.data.tags) == ("a", False)


def test_a_run_goes_on_as_the_active_one(client: MlflowClient, run_id: str) -> None:
    """`with start_run(run_id=...)` takes over what a client began, and ends it."""
    client.log_param(run_id, "lr", 0.1)
    with tracker.start_run(run_id=run_id):
        tracker.log_metric("loss", 1)
        client.log_metric(run_id, "loss", 2, step=1)
    run = client.get_run(run_id)
    assert (run.info.status, run.data.metrics["loss"]) == ("FINISHED", 2)


def test_a_client_ends_the_active_run(client: MlflowClient) -> None:
    """Then there is none any more."""
    run = tracker.start_run()
    client.set_terminated(run.info.run_id, "KILLED")
    assert tracker.active_run() is None
    assert client.get_run(run.info.run_id).info.status == "KILLED"


def test_a_run_ends_twice(client: MlflowClient, run_id: str) -> None:
    """The later end counts; RUNNING lets it go on."""
    client.set_terminated(run_id)
    client.set_terminated(run_id, "FAILED")
    assert client.get_run(run_id).info.status == "FAILED"
    client.update_run(run_id, "RUNNING", "renamed")
    assert (client.get_run(run_id).info.status, client.get_run(run_id).info.run_name) == ("RUNNING", "renamed")
    client.update_run(run_id, "FINISHED")
    assert client.get_run(run_id).info.status == "FINISHED"
    with pytest.raises(InvalidValueError, match="SCHEDULED"):
        client.update_run(run_id, "SCHEDULED")


def test_a_run_that_another_process_began(client: MlflowClient, store: Path) -> None:
    """Is ended by whoever says so, while its process lives."""
    program = f"""
import sys, tracker
run = tracker.MlflowClient({str(store)!r}).create_run(tracker.MlflowClient({str(store)!r}).create_experiment("other"))
print(run.info.run_id, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        assert client.get_run(run_id).info.status == "RUNNING"
        client.log_metric(run_id, "loss", 1)
        client.set_terminated(run_id, "FAILED")
        assert client.get_run(run_id).info.status == "FAILED"
        process.communicate("")
    assert client.get_run(run_id).info.status == "FAILED"


@pytest.mark.parametrize(
    ("end", "status"), [("", "FINISHED"), ("raise ValueError(1)", "FAILED"), ("os._exit(0)", "KILLED")]
)
def test_a_run_that_nobody_ends(store: Path, end: str, status: str) -> None:
    """Ends as its process does."""
    program = f"""
import os, tracker
client = tracker.MlflowClient({str(store)!r})
run = client.create_run(client.create_experiment("x"))
client.log_metric(run.info.run_id, "loss", 1)
{end}
"""
    subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    [run] = MlflowClient(store).search_runs([tracker.get_experiment_by_name("x").experiment_id])  # type: ignore[union-attr]
    assert (run.info.status, run.data.metrics) == (status, {"loss": 1})


def test_threads_share_a_run(client: MlflowClient, run_id: str) -> None:
    """Each point of each thread is there."""

    def log(name: str) -> None:
        for step in range(100):
            MlflowClient().log_metric(run_id, name, step, step=step)

    threads = [threading.Thread(target=log, args=[f"m{number}"]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(client.get_metric_history(run_id, f"m{number}")) for number in range(8)) == 800


def test_nested_runs_know_their_parent(client: MlflowClient, run_id: str) -> None:
    """By MLflow's tag."""
    experiment = client.get_run(run_id).info.experiment_id
    child = client.create_run(experiment, tags={"mlflow.parentRunId": run_id, "mlflow.runName": "child"})
    parent = client.get_parent_run(child.info.run_id)
    assert parent is not None
    assert (parent.info.run_id, child.info.run_name) == (run_id, "child")
    assert client.get_parent_run(run_id) is None


def test_runs_go_to_the_trash_and_come_back(client: MlflowClient, run_id: str) -> None:
    """Also one that was not ended; the active run does not."""
    client.delete_run(run_id)
    with pytest.raises(NotFoundError):
        client.get_run(run_id)
    client.restore_run(run_id)
    assert client.get_run(run_id).info.status == "KILLED"
    with tracker.start_run() as active, pytest.raises(RunStateError, match="is active"):
        client.delete_run(active.info.run_id)


def test_pages_of_runs(client: MlflowClient) -> None:
    """Hold each run once, also when runs come and go between the pages."""
    experiment = client.create_experiment("paged")
    run_ids = [client.create_run(experiment, start_time=1000 + number).info.run_id for number in range(7)]
    page: PagedList[tracker.Run] = client.search_runs([experiment], max_results=3)
    client.create_run(experiment, start_time=9000)
    client.delete_run(run_ids[5])
    seen = page.to_list()
    while page.token:
        page = client.search_runs([experiment], max_results=3, page_token=page.token)
        seen += page
    assert [run.info.run_id for run in seen] == run_ids[::-1]
    assert client.search_runs([]) == []
    deleted = client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)
    assert [run.info.run_id for run in deleted] == [run_ids[5]]


@pytest.mark.parametrize("token", ["x", "1", "-1:x", ":"])
def test_a_page_token_that_is_none(client: MlflowClient, run_id: str, token: str) -> None:
    """Is refused; so is a negative number of results."""
    experiments = [client.get_run(run_id).info.experiment_id]
    with pytest.raises(InvalidValueError, match="page_token"):
        client.search_runs(experiments, page_token=token)
    with pytest.raises(InvalidValueError, match="max_results"):
        client.search_runs(experiments, max_results=-1)


# Artifacts


def test_artifacts(client: MlflowClient, run_id: str, tmp_path: Path) -> None:
    """Are logged, listed and copied."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "b.txt").write_text("b")
    (tmp_path / "a.txt").write_text("aa")
    client.log_artifact(run_id, tmp_path / "a.txt")
    client.log_artifacts(run_id, tmp_path / "in", "folder")
    assert [(info.path, info.is_dir, info.file_size) for info in client.list_artifacts(run_id)] == [
        ("a.txt", False, 2),
        ("folder", True, None),
    ]
    assert [info.path for info in client.list_artifacts(run_id, "folder")] == ["folder/deep"]
    copied = client.download_artifacts(run_id, "folder/deep/b.txt", tmp_path / "out")
    assert Path(copied).read_text() == "b"


# Other stores


def test_another_store_than_that_of_the_session(store: Path, tmp_path: Path) -> None:
    """Nothing of the session changes: neither store, nor experiment, nor active run; nor does its folder appear."""
    elsewhere = tmp_path / "elsewhere"
    client = MlflowClient(tracking_uri=elsewhere)
    run_id = client.create_run(client.create_experiment("there")).info.run_id
    client.log_metric(run_id, "loss", 1)
    client.set_terminated(run_id)
    assert not store.exists()
    assert tracker.get_tracking_uri() == str(store)
    assert (client.tracking_uri, client.registry_uri) == (str(elsewhere), str(elsewhere))
    with tracker.start_run():
        client.set_tag(run_id, "k", "v")
        assert tracker.active_run().info.run_id != run_id  # type: ignore[union-attr]
    assert [run.file.run_id for run in reader.read_store(elsewhere).runs()] == [run_id]
    with pytest.raises(NotFoundError):
        MlflowClient().get_run(run_id)


def test_a_client_keeps_its_store(tmp_path: Path) -> None:
    """It is the one in use when the client was made."""
    tracker.set_tracking_uri(tmp_path / "a")
    client = MlflowClient()
    tracker.set_tracking_uri(tmp_path / "b")
    client.create_experiment("x")
    assert (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_a_published_site_has_no_runs() -> None:
    """The client says what loads from there."""
    client = MlflowClient("https://example.org/site/")
    with pytest.raises(InvalidValueError, match="models:/ URIs load"):
        client.search_runs(["0"])


def test_reading_makes_nothing(tmp_path: Path) -> None:
    """A store that is not there is an error, not a new folder."""
    client = MlflowClient(tmp_path / "none")
    with pytest.raises(NotFoundError):
        client.get_run("0" * 32)
    assert client.get_experiment_by_name("x") is None
    assert client.list_artifacts is not None
    assert not (tmp_path / "none").exists()
