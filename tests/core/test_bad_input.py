"""Each mistake has its own clear error: what, where, and what to do. Nothing that was acknowledged before is lost."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tracker
from tracker import exceptions, reader
from tracker.exceptions import InvalidValueError, NewerSchemaError, NotAStoreError, StorageError, TrackerError

from .processes import in_child

NOBODY = 65534


def as_nobody(function: Callable[[], object]) -> None:
    """Run in a child as a user without rights: for root, modes of files mean nothing."""

    def work() -> None:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        function()

    in_child(work)


def close_to_others(folder: Path) -> None:
    """Make a folder and what is in it readable for all and writable for nobody."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    let_in(folder)


def let_in(folder: Path) -> None:
    """Let the user without rights come as far as the folder."""
    for parent in folder.parents:
        if os.geteuid() == 0:
            parent.chmod(parent.stat().st_mode | 0o555)


@pytest.mark.skipif(os.name == "nt", reason="needs modes of files")
class TestUnwritableFolder:
    """Where the system refuses to write."""

    def test_a_new_store_cannot_be_made(self, tmp_path: Path) -> None:
        """The error names the folder, the reason and the two ways out."""
        close_to_others(tmp_path)

        def work() -> None:
            tracker.set_tracking_uri(tmp_path / "store")
            with pytest.raises(StorageError, match=r"store: Permission denied.*set_tracking_uri\(\)"):
                tracker.start_run()

        as_nobody(work)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_cannot_be_looked_into(self, tmp_path: Path) -> None:
        """Is a StorageError too, not a bare PermissionError."""
        (tmp_path / "closed" / "store").mkdir(parents=True)
        close_to_others(tmp_path)
        (tmp_path / "closed").chmod(0)

        def work() -> None:
            tracker.set_tracking_uri(tmp_path / "closed" / "store")
            with pytest.raises(StorageError, match="Permission denied"):
                tracker.start_run()

        as_nobody(work)
        (tmp_path / "closed").chmod(0o755)

    def test_a_store_that_is_only_readable_can_be_read(self, store: Path) -> None:
        """By everybody, with every reading call; logging to it is refused and changes nothing."""
        with tracker.start_run() as run:
            tracker.log_metric("loss", 1.0)
        close_to_others(store)
        before = sorted((path, path.stat().st_mtime_ns) for path in store.rglob("*"))

        def work() -> None:
            os.environ["TRACKER_CACHE"] = str(store / "no")
            assert tracker.get_run(run.run_id).data.metrics == {"loss": 1.0}
            assert [found.info.run_id for found in tracker.search_runs(output_format="list")] == [run.run_id]
            assert tracker.get_experiment("0").name == "Default"
            with pytest.raises(StorageError, match=r"Could not make a run in .*Permission denied"):
                tracker.start_run()
            with pytest.raises(StorageError, match="Permission denied"):
                tracker.start_run(run_id=run.run_id)
            with pytest.raises(StorageError, match="Permission denied"):
                tracker.set_experiment("new")
            with pytest.raises(StorageError, match="Could not delete"):
                tracker.delete_run(run.run_id)

        as_nobody(work)
        assert sorted((path, path.stat().st_mtime_ns) for path in store.rglob("*")) == before

    def test_an_artifact_that_cannot_be_read(self, tmp_path: Path) -> None:
        """The error names the file that was to be copied."""
        (tmp_path / "secret.txt").write_text("x")
        (tmp_path / "secret.txt").chmod(0)
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        tmp_path.chmod(0o755)
        let_in(tmp_path)

        def work() -> None:
            tracker.set_tracking_uri(tmp_path / "open" / "store")
            with (
                tracker.start_run(),
                pytest.raises(StorageError, match=r"Could not read .*secret\.txt: Permission denied"),
            ):
                tracker.log_artifact(tmp_path / "secret.txt")

        as_nobody(work)


@pytest.mark.parametrize("content", ["notes.txt", "mlruns", "data.csv"])
def test_a_folder_with_something_else_is_no_store(tmp_path: Path, content: str) -> None:
    """Nothing is mixed into it; the error names what is in there."""
    (tmp_path / content).write_text("mine")
    tracker.set_tracking_uri(tmp_path)
    with pytest.raises(NotAStoreError, match=rf"not empty and no store \(it holds '{content}'\)"):
        tracker.start_run()
    assert [path.name for path in tmp_path.iterdir()] == [content]
    with pytest.raises(NotAStoreError, match=r"no store\.yaml"):
        reader.read_store(tmp_path)


def test_a_file_is_no_store(tmp_path: Path) -> None:
    """Neither for logging nor for reading."""
    (tmp_path / "file").write_text("mine")
    tracker.set_tracking_uri(tmp_path / "file")
    with pytest.raises(NotAStoreError, match="is a file"):
        tracker.start_run()
    with pytest.raises(NotAStoreError, match="is a file"):
        reader.read_store(tmp_path / "file")
    with pytest.raises(NotAStoreError, match="There is no store at"):
        reader.read_store(tmp_path / "nowhere")


def test_an_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    """Hidden files such as .gitignore do not count."""
    (tmp_path / ".gitignore").write_text("x")
    tracker.set_tracking_uri(tmp_path)
    with tracker.start_run():
        pass
    assert (tmp_path / "store.yaml").is_file()


def test_a_newer_store_is_left_alone(store: Path) -> None:
    """The error names both schemas and the command that helps; nothing is written."""
    with tracker.start_run() as run:
        pass
    text = (store / "store.yaml").read_text().replace("schema: 1", "schema: 2")
    (store / "store.yaml").write_text(text)
    tracker.set_tracking_uri(store)
    for call in (tracker.start_run, lambda: tracker.set_experiment("x"), lambda: reader.read_store(store)):
        with pytest.raises(NewerSchemaError, match=r"schema 2.*reads up to 1.*Install a newer tracker"):
            call()
    assert len(list(store.glob("experiments/*/runs/*"))) == 1
    assert run.run_id


def test_a_newer_run_is_a_problem_that_is_named(store: Path) -> None:
    """One run that a newer tracker wrote does not hide the others."""
    for name in "ab":
        with tracker.start_run(run_name=name) as run:
            tracker.log_param("p", name)
    file = run.folder / "run.json"
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 2'))
    found = reader.read_store(store)
    assert [problem.message for problem in found.problems] == ["is damaged: has schema 2; this tracker reads up to 1"]
    assert sorted(run.file.params["p"] for run in found.runs()) == ["a", "b"]


@pytest.mark.parametrize("uri", ["", "  ", "a\0b", "\ud800"])
def test_a_tracking_uri_that_names_nothing(uri: str) -> None:
    """Is refused when it is set."""
    with pytest.raises(InvalidValueError):
        tracker.set_tracking_uri(uri)


@pytest.mark.parametrize("name", ["set_tracking_uri", "set_registry_uri"])
@pytest.mark.parametrize(
    "uri", ["sqlite:///mlflow.db", "databricks://x", "databricks", "databricks-uc", "mlflow-artifacts:/x", "s3:/x"]
)
def test_a_server_is_not_needed(name: str, uri: str) -> None:
    """MLflow's addresses are refused with what to use instead."""
    with pytest.raises(InvalidValueError, match=r"needs none.*\./runs"):
        getattr(tracker, name)(uri)


def test_a_folder_may_have_the_name_of_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is written as a path."""
    monkeypatch.chdir(tmp_path)
    tracker.set_tracking_uri("./databricks")
    assert tracker.get_tracking_uri() == str(tmp_path / "databricks")


@pytest.mark.parametrize("call", [tracker.start_run, tracker.search_runs, tracker.search_experiments])
def test_nothing_is_logged_to_an_address_of_the_web(call: Callable[[], object]) -> None:
    """Models may load from one; all else says what to use instead."""
    tracker.set_tracking_uri("http://127.0.0.1:5000")
    with pytest.raises(InvalidValueError, match=r"needs no server.*\./runs"):
        call()


def test_paths_and_file_uris_name_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative ones start at the current folder; `%20` in a URI is a blank."""
    monkeypatch.chdir(tmp_path)
    for uri in ("a b", Path("a b"), (tmp_path / "a b").as_uri(), str(tmp_path / "a b")):
        tracker.set_tracking_uri(uri)
        assert tracker.get_tracking_uri() == str(tmp_path / "a b")


@pytest.mark.skipif(os.name == "nt", reason="the limits of Windows are others")
def test_a_name_that_is_too_long_for_the_system(tmp_path: Path) -> None:
    """Is a StorageError with the system's reason, not a bare OSError."""
    tracker.set_tracking_uri(tmp_path / ("x" * 300))
    with pytest.raises(StorageError, match="File name too long"):
        tracker.start_run()


@pytest.mark.parametrize("variable", ["TRACKER_FSYNC", "TRACKER_ON_ERROR", "TRACKER_CAPTURE"])
def test_a_variable_with_an_unknown_value(store: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """The error names the variable, its value and those that work."""
    monkeypatch.setenv(variable, "sometimes")
    with pytest.raises(InvalidValueError, match=rf"{variable} is 'sometimes', which is not one of \w+"):
        tracker.start_run()


def test_what_is_not_supported_says_so(store: Path) -> None:
    """An argument of MLflow's that does nothing here is an error rather than a surprise."""
    with pytest.raises(InvalidValueError, match="log_system_metrics is not supported"):
        tracker.start_run(log_system_metrics=True)


KINDS = [kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, TrackerError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_errors_cross_processes(kind: type[TrackerError]) -> None:
    """Each error can be pickled, and stands in the tree that its module draws."""
    error = kind.__new__(kind, "what, where, what to do")
    TrackerError.__init__(error, "what, where, what to do")
    found = pickle.loads(pickle.dumps(error))
    assert (type(found), found.message, str(found)) == (kind, error.message, "what, where, what to do")
    assert kind.__name__ in (sys.modules[kind.__module__].__doc__ or "")
    assert kind.error_code
