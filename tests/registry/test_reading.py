"""Reading a registry that people edited, that was damaged, or that somebody made to do harm."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tracker import _io
from tracker.exceptions import InvalidValueError, ModelError, NotFoundError
from tracker.registry import ReadVersion, Registry, find_version, read_registry

from .conftest import DIGEST, PATH

MANY = 50_000
Register = Callable[..., ReadVersion]


def write(root: Path, place: str, text: str) -> None:
    """Put a file into the registry."""
    path = root / "registry" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def version_text(number: int = 1, path: str = PATH, more: str = "") -> str:
    """The file of a version."""
    return f"version: {number}\npath: {path}\ndigest: {DIGEST}\n{more}"


def test_a_store_without_a_registry(root: Path) -> None:
    """There is nothing in it, and that is no problem."""
    found = read_registry(root)
    assert (found.models, found.problems) == ((), ())
    assert Registry(root).models() == []


def test_models_come_by_name_and_versions_by_number(register: Register, root: Path) -> None:
    """Ten comes after nine, and folders do not matter."""
    for _ in range(11):
        register("zebra")
    register("Ant")
    found = read_registry(root)
    assert [model.name for model in found.models] == ["Ant", "zebra"]
    assert [version.file.version for version in found.model("zebra").versions] == list(range(1, 12))
    with pytest.raises(NotFoundError, match=r'no registered model \'zebar\' in .*\. Did you mean "zebra"\?'):
        found.model("zebar")


def test_the_least_that_people_may_write(root: Path) -> None:
    """Two small files make a model and a version; everything else has a default."""
    write(root, "iris/model.yaml", "name: iris\naliases: {champion: 1}\n")
    write(root, "iris/versions/1.yaml", version_text())
    found = read_registry(root)
    assert found.problems == ()
    entity = found.models[0].versions[0].entity()
    assert (entity.current_stage, entity.aliases, entity.creation_timestamp, entity.tags) == (
        *("None", ["champion"], None, {}),
    )
    assert found.models[0].entity().latest_versions == [entity]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [("2", "2"), ("latest", "3"), ("LATEST", "3"), ("production", "2"), ("Production", "2"), ("None", "3")],
)
def test_a_selector_means_a_version(registry: Registry, register: Register, selector: str, expected: str) -> None:
    """Numbers, `latest` and stages, whatever their case; of several in a stage the newest."""
    for stage in ("Production", "Production", "None"):
        registry.set_stage("iris", register().version, stage)
    assert find_version(registry.root, "iris", selector=selector).version == expected
    assert registry.model("iris").select(selector).version == expected


def test_an_alias_is_told_from_a_stage(registry: Registry, register: Register) -> None:
    """In a URI only @ means an alias; the error for the other form says so, even if a person named it like a stage."""
    register()
    register()
    registry.set_alias("iris", "champion", 1)
    path = registry.root / "registry/iris/model.yaml"
    path.write_text(path.read_text().replace("champion: '1'", "champion: '1'\n  Production: '1'"))
    registry.set_stage("iris", 2, "Production")
    assert find_version(registry.root, "iris", alias="Production").version == "1"
    assert find_version(registry.root, "iris", selector="Production").version == "2"
    with pytest.raises(NotFoundError, match="Write models:/iris@champion for the alias"):
        find_version(registry.root, "iris", selector="champion")
    with pytest.raises(NotFoundError, match=r'neither a version nor a stage.*Did you mean "Staging"\?'):
        find_version(registry.root, "iris", selector="Stagin")
    assert registry.model("iris").select("champion").version == "1"
    with pytest.raises(NotFoundError, match=r'no version, alias or stage \'champoin\'\. Did you mean "champion"\?'):
        registry.model("iris").select("champoin")


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        ("iris/model.yaml", "name: [", "cannot be read"),
        ("iris/model.yaml", "", "cannot be read: Expected `object`"),
        ("iris/model.yaml", "name: ' '", "the name is empty"),
        ("iris/model.yaml", "description: x", "missing required field `name`"),
        ("iris/model.yaml", "name: iris\naliases: [a]", "Expected `object`"),
        ("iris/model.yaml", "name: &a iris\ndescription: *a", "aliases are not read"),
        ("iris/versions/2.yaml", "", "cannot be read"),
        ("iris/versions/2.yaml", "<<<<<<< ours\nversion: 2\n=======\n", "cannot be read"),
        ("iris/versions/2.yaml", version_text(3), "is of version 3"),
        ("iris/versions/2.yaml", "version: 2\npath: x", "missing required field `digest`"),
        ("iris/versions/2.yaml", version_text(2, "../../x"), "its path cannot be used: has an empty part, . or .."),
        ("iris/versions/2.yaml", version_text(2, "/etc"), "its path cannot be used: is absolute"),
        ("iris/versions/2.yaml", version_text(2, "store.yaml"), "no place for models"),
        ("iris/versions/2.yaml", "!!python/object/apply:os.system ['true']", "cannot be read"),
        ("iris/versions/2.yaml", "[" * 500, "nested deeper"),
        ("iris/versions/2.yaml", "[" * 100_000, "nest"),
        ("other/model.yaml", "name: iris", "has the name 'iris', which registry/iris has already"),
        ("empty/readme.txt", "x", "empty/model.yaml cannot be read: No such file"),
    ],
    ids=range(18),
)
def test_damage_is_a_problem_with_a_path(register: Register, root: Path, place: str, text: str, expected: str) -> None:
    """Whatever stands in a file, everything else is read, and the problem names the file."""
    register()
    register("sound")
    write(root, place, text)
    found = read_registry(root)
    (problem,) = found.problems
    assert problem.path.startswith("registry/")
    assert expected in f"{problem.path} {problem.message}"
    assert str(root) not in problem.message
    assert found.model("sound").latest().version == "1"
    assert found.model("sound").problems == ()


def test_other_files_do_not_matter(register: Register, root: Path) -> None:
    """Files in the making, notes, and numbers that are written in another way are no versions."""
    register()
    for name in (".new-0123", "notes.md", "01.yaml", "+2.yaml", "2.yml", "٣.yaml", "99999999999.yaml", "0.yaml"):
        write(root, f"iris/versions/{name}", version_text(2))
    write(root, ".new-model/model.yaml", "name: unfinished")
    write(root, "policy.yaml", "stages: {}")
    found = read_registry(root)
    assert ([model.name for model in found.models], found.problems) == (["iris"], ())
    assert [version.version for version in found.models[0].versions] == ["1"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_named_and_not_followed(register: Register, root: Path, tmp_path: Path) -> None:
    """A linked model, a linked folder of versions and a linked file are problems; nothing behind them is read."""
    register()
    register("other")
    outside = tmp_path / "outside"
    (root / "registry/other/versions").rename(outside)
    (root / "registry/other/versions").symlink_to(outside)
    (root / "registry/linked").symlink_to(root / "registry/iris")
    (root / "registry/iris/versions/2.yaml").symlink_to(outside / "1.yaml")
    os.mkfifo(root / "registry/iris/versions/3.yaml")
    found = read_registry(root)
    assert sorted(problem.path for problem in found.problems) == [
        *("registry/iris/versions/2.yaml", "registry/iris/versions/3.yaml"),
        *("registry/linked", "registry/other/versions"),
    ]
    assert [(model.name, len(model.versions)) for model in found.models] == [("iris", 1), ("other", 0)]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("part", ["experiments", "experiments/digits/runs", PATH])
def test_a_model_behind_a_link_is_not_opened(register: Register, root: Path, tmp_path: Path, part: str) -> None:
    """A version whose folder lies behind a link, wherever it stands in the path, has no folder."""
    version = register()
    (tmp_path / PATH).mkdir(parents=True)
    if part != "experiments":
        (root / part).parent.mkdir(parents=True)
    (root / part).symlink_to(tmp_path / part)
    with pytest.raises(ModelError, match="leads through the link"):
        _ = version.folder


def test_a_path_that_leaves_the_store_is_not_opened(root: Path) -> None:
    """The version is listed, so that its page and the check can say what is wrong, but it has no folder."""
    write(root, "iris/model.yaml", "name: iris")
    write(root, "iris/versions/1.yaml", version_text(path="experiments/a/runs/b/artifacts/../../../../../etc"))
    version = find_version(root, "iris", selector="1")
    with pytest.raises(ModelError, match="The path of version 1 of 'iris' cannot be used"):
        _ = version.folder


@pytest.mark.parametrize("wanted", [{"selector": "30"}, {"alias": "champion"}], ids=["number", "alias"])
def test_a_version_is_found_without_reading_the_others(
    registry: Registry, register: Register, root: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str]
) -> None:
    """A number or an alias costs two files, however many versions there are."""
    for _ in range(40):
        register()
    registry.set_alias("iris", "champion", 30)
    read, before = list[str](), _io.read_file

    def noted(path: Path, *, limit: int) -> bytes:
        read.append(Path(path).name)
        return before(path, limit=limit)

    monkeypatch.setattr(_io, "read_file", noted)
    found = find_version(root, "iris", **wanted)
    assert (found.version, found.aliases, read) == ("30", ("champion",), ["model.yaml", "30.yaml"])


def test_circles_that_people_wrote(registry: Registry, register: Register, root: Path) -> None:
    """Aliases that lead in a circle or nowhere spoil no listing; whoever asks for them learns why they do not work."""
    register()
    write(root, "iris/model.yaml", "name: iris\naliases:\n  a: b\n  b: c\n  c: a\n  d: '9'\n  e: nobody\n  f: '1'\n")
    assert registry.version("iris", 1).aliases == ("f",)
    with pytest.raises(InvalidValueError, match="lead in a circle: a -> b -> c -> a"):
        registry.by_alias("iris", "a")
    with pytest.raises(NotFoundError, match="no version 9"):
        registry.by_alias("iris", "d")
    with pytest.raises(NotFoundError, match="no alias 'nobody', to which its alias 'e' leads"):
        registry.by_alias("iris", "e")


def test_many_aliases_in_a_row(root: Path) -> None:
    """Aliases that lead through each other are followed once, however many there are; a circle of many, too."""
    chain = "\n".join(f"  a{number}: a{number + 1}" for number in range(MANY))
    write(root, "iris/model.yaml", f"name: iris\naliases:\n{chain}\n  a{MANY}: '1'\n")
    write(root, "iris/versions/1.yaml", version_text())
    assert len(find_version(root, "iris", alias="a0").aliases) == MANY + 1
    write(root, "iris/model.yaml", f"name: iris\naliases:\n{chain}\n  a{MANY}: a0\n")
    assert find_version(root, "iris", selector="1").aliases == ()
    with pytest.raises(InvalidValueError, match=r"lead in a circle: a0 -> a1 -> .* -> … -> a0\. Change") as caught:
        find_version(root, "iris", alias="a0")
    assert len(str(caught.value)) < 1_000
