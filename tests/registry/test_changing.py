"""Every change of the registry: what it writes, what it keeps, and what it refuses."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tracker import _io, reader
from tracker.exceptions import (
    AlreadyExistsError,
    InvalidNameError,
    InvalidValueError,
    NotFoundError,
    StorageError,
    StoreError,
)
from tracker.registry import ReadVersion, Registry
from tracker.registry.naming import check_registered_name

from .conftest import DIGEST, PATH

Register = Callable[..., ReadVersion]


def test_versions_are_numbered_from_one(registry: Registry, register: Register) -> None:
    """The first version makes the model; each next one has the next number, for each model by itself."""
    assert [register().version, register().version, register("other").version] == ["1", "2", "1"]
    assert [(model.name, len(model.versions)) for model in registry.models()] == [("iris", 2), ("other", 1)]


def test_a_version_has_all_that_was_given(registry: Registry, register: Register, root: Path) -> None:
    """What is read back is what was registered, and its file reads well."""
    run_id = "0123456789abcdef" * 2
    register(source="runs:/x/model", run_id=run_id, description="One\nTwo", tags={"a": 1, "b": "yes"}, by="Bob")
    version = registry.version("iris", 1)
    entity = version.entity()
    assert (entity.name, entity.version, entity.current_stage, entity.status) == ("iris", "1", "None", "READY")
    assert (entity.source, entity.run_id, entity.description) == ("runs:/x/model", run_id, "One\nTwo")
    assert (entity.tags, entity.user_id, entity.digest) == ({"a": "1", "b": "yes"}, "Bob", DIGEST)
    assert version.folder == root / PATH
    text = (root / "registry/iris/versions/1.yaml").read_text()
    assert text.startswith(f"version: 1\npath: {PATH}\ndigest: {DIGEST}\nsource: runs:/x/model\n")
    assert text.endswith("  action: registered\n  to: '1'\n  by: Bob\n")


def test_numbers_of_deleted_versions_are_not_given_again(registry: Registry, register: Register, root: Path) -> None:
    """A deleted version is not found any more; its file stays with its history, and the next number is a new one."""
    register()
    register()
    registry.delete_version("iris", 2, reason="wrong data")
    assert register().version == "3"
    with pytest.raises(NotFoundError, match=r"Version 2 of 'iris' was deleted\. It has 1, 3\."):
        registry.version("iris", 2)
    gone = registry.model("iris").versions[1].file
    assert (gone.deleted, gone.history[-1].action, gone.history[-1].reason) == (True, "deleted", "wrong data")
    assert registry.latest("iris").version == "3"


def test_a_damaged_version_keeps_its_number(registry: Registry, register: Register, root: Path) -> None:
    """A file that cannot be read is no reason to give its number to another version."""
    register()
    (root / "registry/iris/versions/2.yaml").write_text("<<<<<<< ours\n")
    assert register().version == "3"


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "a:b", "models:/x", "a\nb", "x" * 501, None, 3, "\ud800"], ids=lambda name: repr(name)[:12]
)
def test_bad_names_are_refused(registry: Registry, root: Path, name: object) -> None:
    """Names that a URI cannot carry are refused before anything is made."""
    with pytest.raises(InvalidNameError, match=r"name of a registered model|A name"):
        registry.create_model(name)  # type: ignore[arg-type]
    with pytest.raises(InvalidNameError):
        registry.register(name, path=PATH, digest=DIGEST)  # type: ignore[arg-type]
    assert not (root / "registry").exists()


@pytest.mark.parametrize("name", ["iris", "Größe & Co.", "..", "con", "名前", "a@b", "<script>", "x" * 500, "1"])
def test_any_other_name_is_fine(registry: Registry, register: Register, name: str) -> None:
    """Whatever a model is called, its folder has a safe name, and it is found by its own."""
    assert check_registered_name(name) == name
    register(name)
    register(name)
    (model,) = registry.models()
    assert (model.name, len(model.versions), registry.model(name).slug) == (name, 2, model.slug)
    assert model.slug.isascii()
    assert "/" not in model.slug
    assert not model.slug.startswith(".")


def test_names_with_one_slug_are_two_models(registry: Registry, register: Register) -> None:
    """Names that differ only in what a folder cannot say get folders of their own."""
    register("Iris")
    register("iris!")
    register("Iris")
    assert [(model.name, model.slug, len(model.live)) for model in registry.models()] == [
        ("Iris", "iris", 2),
        ("iris!", "iris-2", 1),
    ]


def test_a_model_is_made_once(registry: Registry) -> None:
    """create_model refuses a name that is taken; model_for takes the model that is there."""
    registry.create_model("iris", "Flowers.", {"team": "red"})
    with pytest.raises(AlreadyExistsError, match="There is a registered model 'iris' already"):
        registry.create_model("iris")
    assert registry.model_for("iris").file.tags == {"team": "red"}
    with pytest.raises(NotFoundError, match="has no versions yet"):
        registry.latest("iris")


@pytest.mark.parametrize(
    "path", ["", "/etc", "../x", "experiments", "registry/iris", "models/x", "a\\b", "registry/a/b/c"]
)
def test_a_path_outside_the_places_of_models_is_refused(registry: Registry, root: Path, path: str) -> None:
    """A version lies among the artifacts of a run or among the copies of the registry."""
    with pytest.raises(InvalidValueError, match="The path of a version"):
        registry.register("iris", path=path, digest=DIGEST)
    assert not (root / "registry").exists()


@pytest.mark.parametrize("digest", ["", "sha256:", f"sha256:{'g' * 64}", f"md5:{'0' * 64}", f"{DIGEST}\n"])
def test_what_is_no_digest_is_refused(registry: Registry, digest: str) -> None:
    """A version without a digest could not be verified."""
    with pytest.raises(InvalidValueError, match="no digest"):
        registry.register("iris", path=PATH, digest=digest)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.model("irsi"), r'no registered model \'irsi\' in .*\. Did you mean "iris"\?'),
        (lambda r: r.version("iris", 7), r"no version 7 of 'iris'\. It has 1\."),
        (lambda r: r.version("iris", "seven"), "no version seven"),
        (lambda r: r.version("iris", 10**30), "no version 10"),
        (lambda r: r.by_stage("iris", "Staging"), r"No version of 'iris' is in Staging\. Its versions are in None\."),
        (
            lambda r: r.by_alias("iris", "chapmion"),
            r'no alias \'chapmion\'\. Did you mean "champion"\? It has champion\.',
        ),
        (lambda r: r.set_stage("iris", 7, "Staging"), "no version 7"),
        (lambda r: r.set_stage("nope", 1, "Staging"), "no registered model 'nope'"),
        (lambda r: r.set_alias("iris", "x", 7), "no version 7"),
        (lambda r: r.set_alias("iris", "x", "nope"), "no alias 'nope', to which its alias 'x' leads"),
        (lambda r: r.delete_alias("iris", "nope"), "no alias 'nope'"),
        (lambda r: r.delete_model("nope"), "no registered model 'nope'"),
        (lambda r: r.rename_model("nope", "other"), "no registered model 'nope'"),
    ],
    ids=range(13),
)
def test_what_is_not_there_is_named(
    registry: Registry, register: Register, ask: Callable[[Registry], object], message: str
) -> None:
    """Unknown names, versions, stages and aliases are errors that say what there is."""
    register()
    registry.set_alias("iris", "champion", 1)
    with pytest.raises(NotFoundError, match=message):
        ask(registry)


def test_a_deleted_model_lies_in_the_trash(registry: Registry, register: Register, root: Path) -> None:
    """All of its files are moved there; its name is free, and the runs of the trash are listed as before."""
    register()
    registry.create_model("other")
    registry.delete_model("iris")
    registry.delete_model("other")
    trash = sorted(path.relative_to(root).as_posix()[:-33] for path in (root / "trash/_registry").iterdir())
    assert trash == ["trash/_registry/iris", "trash/_registry/other"]
    assert [path.name for path in (root / "trash").rglob("*.yaml")].count("1.yaml") == 1
    assert list((root / "trash").rglob(".new-*")) == []
    assert list(reader.read_trash(root)) == []
    assert register().version == "1"


def test_a_model_is_renamed_in_place(registry: Registry, register: Register, root: Path) -> None:
    """It is found by its new name only, keeps its folder and versions, and the history has the old name."""
    register()
    register("other")
    model = registry.rename_model("iris", "flowers", reason="clearer")
    assert (model.name, model.slug, len(model.live)) == ("flowers", "iris", 1)
    change = model.file.history[-1]
    assert (change.action, change.from_, change.to, change.reason) == ("renamed", "iris", "flowers", "clearer")
    with pytest.raises(NotFoundError):
        registry.model("iris")
    with pytest.raises(AlreadyExistsError, match="'other' already"):
        registry.rename_model("flowers", "other")
    with pytest.raises(InvalidNameError):
        registry.rename_model("flowers", "a/b")
    assert register("iris").version == "1"
    assert registry.model("iris").slug == "iris-2"


def test_descriptions_and_tags(registry: Registry, register: Register) -> None:
    """They are set, replaced and removed, of models and of versions; none of it is a line in a history."""
    register()
    registry.describe_model("iris", "# Flowers\nof three kinds")
    registry.describe_version("iris", 1, "first")
    registry.describe_version("iris", 1, None)
    registry.set_model_tag("iris", "team", "red")
    registry.set_version_tag("iris", 1, "score", 0.5)
    registry.set_version_tag("iris", 1, "x", "y")
    registry.delete_version_tag("iris", 1, "x")
    model = registry.model("iris")
    assert (model.file.description, model.file.tags) == ("# Flowers\nof three kinds", {"team": "red"})
    assert (model.versions[0].file.description, model.versions[0].file.tags) == ("", {"score": "0.5"})
    registry.delete_model_tag("iris", "team")
    assert registry.model("iris").file.tags == {}
    assert (len(registry.model("iris").file.history), len(model.versions[0].file.history)) == (0, 1)
    with pytest.raises(InvalidValueError, match=r"The model 'iris' has no tag 'team'\. It has none\."):
        registry.delete_model_tag("iris", "team")
    with pytest.raises(InvalidValueError, match=r"Version 1 of 'iris' has no tag 'x'\. It has score\."):
        registry.delete_version_tag("iris", 1, "x")


def test_what_people_wrote_stays(registry: Registry, register: Register, root: Path) -> None:
    """Comments, order and foreign fields of both files survive every change, and the history stays at the end."""
    register()
    model, version = root / "registry/iris/model.yaml", root / "registry/iris/versions/1.yaml"
    model.write_text("# ours\n" + model.read_text().replace("name: iris", "name: iris  # the flower\nowner: Ada"))
    version.write_text(version.read_text().replace("history:", "# reviewed by Bob\nhistory:") + "# end\n")
    registry.describe_model("iris", "Flowers.")
    registry.set_alias("iris", "champion", 1)
    registry.set_model_tag("iris", "a", "b")
    registry.set_stage("iris", 1, "Staging", reason="try")
    registry.set_version_tag("iris", 1, "a", "b")
    registry.describe_version("iris", 1, "First.")
    text = model.read_text()
    assert text.startswith("# ours\nname: iris  # the flower\nowner: Ada\n")
    assert text.index("description: Flowers.") < text.index("tags:") < text.index("history:")
    text = version.read_text()
    assert "# reviewed by Bob\n" in text
    assert text.endswith("  by: Ada\n  reason: try\n# end\n")
    assert text.index("description: First.") < text.index("history:")
    assert registry.version("iris", 1).file.stage == "Staging"


def test_a_damaged_model_is_not_changed(registry: Registry, register: Register, root: Path) -> None:
    """While its file cannot be read, nothing is registered under its name, nor is it taken for another model."""
    register()
    path = root / "registry/iris/model.yaml"
    path.write_text("name: [")
    for change in (
        lambda: register("iris"),
        lambda: register("IRIS"),
        lambda: registry.set_model_tag("iris", "a", "b"),
    ):
        with pytest.raises(StoreError, match=r"iris/model\.yaml cannot be read: .*Mend it"):
            change()
    assert [path.name for path in (root / "registry").iterdir()] == ["iris"]
    assert register("other").version == "1"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_not_followed(registry: Registry, register: Register, root: Path, tmp_path: Path) -> None:
    """A model's folder or the registry itself that is a link is no model, and nothing is written through it."""
    register()
    outside = tmp_path / "outside"
    (root / "registry/iris").rename(outside)
    (root / "registry/iris").symlink_to(outside)
    with pytest.raises(NotFoundError):
        registry.model("iris")
    assert register().root == root
    assert registry.model("iris").slug == "iris-2"
    assert [path.name for path in (outside / "versions").iterdir()] == ["1.yaml"]


def test_a_registry_that_cannot_be_written(
    registry: Registry, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says where, and what to do; nothing is registered, and the next attempt has the number."""
    register()

    def refuse(operation: str, path: str, data: bytes) -> bytes:
        if operation == "link" and "versions" in path:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return data

    monkeypatch.setattr(_io, "fault", refuse)
    with pytest.raises(StorageError, match=r"Could not register a version in .*Check who may write there"):
        register()
    monkeypatch.setattr(_io, "fault", None)
    assert register().version == "2"
