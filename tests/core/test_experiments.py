"""Experiments: made by the library, edited by people."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracker
from tracker import reader
from tracker.exceptions import AlreadyExistsError, InvalidNameError, InvalidValueError, NotFoundError, StoreError


def experiment_file(store: Path, slug: str) -> Path:
    """`experiment.yaml` of an experiment."""
    return store / "experiments" / slug / "experiment.yaml"


def names_of(store: Path) -> dict[str, int]:
    """Experiments by name with their number of runs."""
    return {found.file.name: len(found.runs) for found in reader.read_store(store).experiments}


def test_set_experiment_makes_what_is_missing(store: Path) -> None:
    """The second call finds what the first one made, whatever the name looks like."""
    for name in ("Digits sweep", "Digits  sweep", "digits sweep!", "实验", "../up", "CON"):
        first = tracker.set_experiment(name)
        assert tracker.set_experiment(name).experiment_id == first.experiment_id
        with tracker.start_run() as run:
            pass
        assert tracker.get_run(run.run_id).info.experiment_id == first.experiment_id
    assert set(names_of(store).values()) == {1}
    assert len(names_of(store)) == 6


def test_an_experiment_is_found_by_id_and_by_name(store: Path) -> None:
    """Description, tags and goal come back; a name that is not there gives None, an id an error."""
    made = tracker.create_experiment("a", tags={"k": 1}, description="# A", goal={"loss": "minimize"})
    found = tracker.get_experiment(made)
    assert (found.name, found.description, found.goal) == ("a", "# A", {"loss": "minimize"})
    assert found.tags == {"k": "1", "mlflow.note.content": "# A"}
    assert found.creation_time is not None
    assert tracker.get_experiment_by_name("a") == found
    assert tracker.get_experiment_by_name("b") is None
    with pytest.raises(NotFoundError, match=r"'12345'"):
        tracker.get_experiment("12345")


def test_an_experiment_cannot_be_made_twice(store: Path) -> None:
    """The error says what uses the one that is there."""
    tracker.create_experiment("a")
    with pytest.raises(AlreadyExistsError, match=r"'a' already.*set_experiment\(\)"):
        tracker.create_experiment("a")


def test_runs_without_an_experiment_are_in_the_default_one(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Default with MLflow's id 0, or the one that TRACKER_EXPERIMENT names."""
    with tracker.start_run() as run:
        pass
    assert tracker.get_run(run.run_id).info.experiment_id == "0"
    monkeypatch.setenv("TRACKER_EXPERIMENT", "from the environment")
    tracker.set_tracking_uri(store)
    with tracker.start_run():
        pass
    assert names_of(store) == {"Default": 1, "from the environment": 1}


def test_a_run_can_name_its_experiment(store: Path) -> None:
    """start_run(experiment_id=...) does not change the chosen one."""
    other = tracker.create_experiment("other")
    tracker.set_experiment("chosen")
    with tracker.start_run(experiment_id=other):
        pass
    with tracker.start_run():
        pass
    assert names_of(store) == {"other": 1, "chosen": 1}
    assert tracker.set_experiment(experiment_id=other).name == "other"


@pytest.mark.parametrize("name", ["", " ", "a\0b", "a\nb", "\ud800", "x" * 501])
def test_a_bad_name_is_refused(store: Path, name: str) -> None:
    """With a message about experiment names, by every call that takes one."""
    for call in (tracker.set_experiment, tracker.create_experiment, tracker.get_experiment_by_name):
        with pytest.raises(InvalidNameError, match="An experiment name"):
            call(name)
    assert not list(store.glob("experiments/*"))


def test_wrong_arguments_say_what_is_right(store: Path) -> None:
    """A goal that is no direction, both a name and an id, and a place for artifacts."""
    with pytest.raises(InvalidValueError, match=r"'loss' is 'down'.*maximize or minimize"):
        tracker.set_experiment("a", goal={"loss": "down"})
    with pytest.raises(InvalidValueError, match="a name or an id"):
        tracker.set_experiment("a", experiment_id="0")
    with pytest.raises(InvalidValueError, match="artifact_location"):
        tracker.create_experiment("a", artifact_location="/elsewhere")


def test_people_rename_an_experiment_in_its_file(store: Path) -> None:
    """The runs stay in it, the new name finds it, and a script with the old name makes a new one."""
    tracker.set_experiment("old")
    with tracker.start_run():
        pass
    file = experiment_file(store, "old")
    file.write_text(file.read_text().replace("name: old", "name: New name  # by Ada"))
    assert names_of(store) == {"New name": 1}
    tracker.set_tracking_uri(store)
    tracker.set_experiment("New name")
    with tracker.start_run():
        pass
    tracker.set_experiment("old")
    assert names_of(store) == {"New name": 2, "old": 0}
    assert "# by Ada" in file.read_text()


def test_what_people_wrote_is_kept(store: Path) -> None:
    """A description or goal in the file wins over the script's; comments stay when a tag is set."""
    tracker.set_experiment("a", description="first", goal={"loss": "minimize"})
    file = experiment_file(store, "a")
    file.write_text("# reviewed\n" + file.read_text().replace("first", "by people").replace("minimize", "maximize"))
    found = tracker.set_experiment(
        "a", description="script", goal={"loss": "minimize", "acc": "maximize"}, tags={"x": 1}
    )
    assert (found.description, found.goal) == ("by people", {"loss": "maximize", "acc": "maximize"})
    assert found.tags["x"] == "1"
    assert file.read_text().startswith("# reviewed\n")


def test_tags_are_added_to_the_file_as_it_is_now(store: Path) -> None:
    """What people changed since the script began is not written over."""
    tracker.set_experiment("a")
    file = experiment_file(store, "a")
    file.write_text(file.read_text().replace("description: ''", "description: by people, meanwhile"))
    tracker.set_experiment_tag("k", "v")
    tracker.set_experiment_tags({"l": 2})
    found = tracker.get_experiment_by_name("a")
    assert found is not None
    assert found.description == "by people, meanwhile"
    assert found.tags == {"k": "v", "l": "2", "mlflow.note.content": "by people, meanwhile"}


def test_nothing_new_is_not_written(store: Path) -> None:
    """set_experiment() with what stands there already leaves the file alone."""
    tracker.set_experiment("a", goal={"loss": "minimize"}, tags={"k": "v"})
    before = experiment_file(store, "a").stat()
    tracker.set_experiment("a", goal={"loss": "minimize"}, tags={"k": "v"})
    after = experiment_file(store, "a").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_mistake_in_the_file_is_an_error_not_a_second_experiment(store: Path) -> None:
    """Who logs is told the file and the place; who reads still finds the runs."""
    tracker.set_experiment("a")
    with tracker.start_run():
        pass
    file = experiment_file(store, "a")
    file.write_text(file.read_text() + "goal: [\n")
    tracker.set_tracking_uri(store)
    with pytest.raises(StoreError, match=r"a/experiment\.yaml cannot be read: .*line"):
        tracker.set_experiment("a")
    found = reader.read_store(store)
    assert [(e.slug, len(e.runs)) for e in found.experiments] == [("a", 1)]
    assert found.problems[0].path == "experiments/a/experiment.yaml"


def test_reading_makes_nothing(tmp_path: Path) -> None:
    """Asking for runs and experiments of a store that is not there, or of an empty one, leaves no trace."""
    tracker.set_tracking_uri(tmp_path / "none")
    assert tracker.get_experiment_by_name("a") is None
    with pytest.raises(NotFoundError):
        tracker.get_experiment("0")
    with pytest.raises(tracker.TrackerError, match="There is no store"):
        tracker.search_runs(output_format="list")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "store.yaml").write_text("schema: 1\n")
    assert tracker.search_runs(output_format="list") == []
    assert [path.name for path in tmp_path.rglob("*")] == ["none", "store.yaml"]


def test_reading_follows_the_environment_as_writing_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When TRACKER_URI names another store, nothing is read from the one before."""
    monkeypatch.setenv("TRACKER_URI", str(tmp_path / "one"))
    tracker.set_experiment("first")
    monkeypatch.setenv("TRACKER_URI", str(tmp_path / "two"))
    assert tracker.get_experiment_by_name("first") is None
    tracker.set_experiment("second")
    monkeypatch.setenv("TRACKER_URI", str(tmp_path / "one"))
    assert tracker.get_experiment_by_name("second") is None
    assert tracker.search_runs(output_format="list") == []
