"""Experiments that are renamed, lose a tag, or go to the trash and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker import MlflowClient, experiment_changes, layout, reader
from tracker.exceptions import AlreadyExistsError, InvalidValueError, NotFoundError
from tracker.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with an experiment of two runs, one of them deleted."""
    client = MlflowClient(tmp_path / "runs")
    experiment = client.create_experiment("digits sweep", tags={"team": "vision", "old": "yes"})
    kept, deleted = (client.create_run(experiment, run_name=name).info.run_id for name in ("kept", "deleted"))
    for run_id in (kept, deleted):
        client.set_terminated(run_id)
    client.delete_run(deleted)
    return Store.open(tmp_path / "runs")


def names_of(store: Store) -> dict[str, list[str]]:
    """The names of the runs of each experiment."""
    return {
        experiment.file.name: sorted(run.file.name for run in experiment.runs)
        for experiment in reader.read_store(store.root).experiments
    }


def test_renaming_keeps_what_people_wrote(store: Store) -> None:
    """Name and nothing else changes in the file; it is found under the new name, and the folder stays."""
    path = layout.experiment(store.root, "digits-sweep") / layout.EXPERIMENT_FILE
    path.write_text(path.read_text() + "# ours\n")
    experiment_changes.rename_experiment(store, "digits-sweep", "letters")
    assert path.read_text().endswith("# ours\n") and "name: letters" in path.read_text()
    found = store.find_experiment("letters")
    assert found is not None and found.slug == "digits-sweep" and store.find_experiment("digits sweep") is None


def test_names_that_are_refused(store: Store) -> None:
    """A name that is taken is refused, and Default neither gets nor gives a name."""
    default = store.experiment_for("Default").slug
    with pytest.raises(AlreadyExistsError):
        experiment_changes.rename_experiment(store, "digits-sweep", "digits sweep")
    with pytest.raises(InvalidValueError):
        experiment_changes.rename_experiment(store, "digits-sweep", "Default")
    with pytest.raises(InvalidValueError):
        experiment_changes.rename_experiment(store, default, "another")


def test_a_tag_is_removed(store: Store) -> None:
    """One tag goes and the others stay; one that is not there is an error with the nearest name."""
    experiment_changes.delete_experiment_tag(store, "digits-sweep", "old")
    found = store.find_experiment("digits sweep")
    assert found is not None and found.file.tags == {"team": "vision"}
    with pytest.raises(NotFoundError, match='Did you mean "team"'):
        experiment_changes.delete_experiment_tag(store, "digits-sweep", "tea")


def test_into_the_trash_and_back(store: Store) -> None:
    """A deleted experiment is gone with its runs and what else lay there, and all of it comes back."""
    note = layout.experiment(store.root, "digits-sweep") / "note.txt"
    note.write_text("mine")
    (note.parent / "runs" / "plots").mkdir()
    experiment_changes.trash_experiment(store, "digits-sweep", store.trash_run)
    assert names_of(store) == {} and not note.parent.exists()
    assert [(slug, file.name) for slug, file in experiment_changes.deleted_experiments(store)] == [
        ("digits-sweep", "digits sweep")
    ]
    assert sorted(run.file.name for run in reader.read_trash(store.root)) == ["deleted", "kept"]
    experiment_changes.restore_experiment(store, "digits-sweep")
    assert names_of(store) == {"digits sweep": ["deleted", "kept"]} and note.read_text() == "mine"
    assert (note.parent / "plots").is_dir()
    assert (
        experiment_changes.deleted_experiments(store) == []
        and not (store.root / layout.TRASH / "digits-sweep").exists()
    )


def test_a_restore_replaces_nothing(store: Store) -> None:
    """Where an experiment lies under the name of the folder again, the deleted one stays in the trash."""
    experiment_changes.trash_experiment(store, "digits-sweep", store.trash_run)
    store.experiment_for("digits sweep")
    with pytest.raises(AlreadyExistsError):
        experiment_changes.restore_experiment(store, "digits-sweep")
    with pytest.raises(NotFoundError):
        experiment_changes.restore_experiment(store, "nothing")


def test_the_default_experiment_stays(store: Store) -> None:
    """Default is not deleted."""
    with pytest.raises(InvalidValueError):
        experiment_changes.trash_experiment(store, store.experiment_for("Default").slug, store.trash_run)


def test_a_deletion_that_was_stopped_goes_on(store: Store) -> None:
    """An error in between leaves an experiment with the runs that are left, which can be deleted again."""

    def stop(run_id: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        experiment_changes.trash_experiment(store, "digits-sweep", stop)
    assert names_of(store) == {"digits sweep": ["kept"]} and experiment_changes.deleted_experiments(store) == []
    experiment_changes.trash_experiment(store, "digits-sweep", store.trash_run)
    assert names_of(store) == {}
