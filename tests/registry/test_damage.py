"""While a file of a model cannot be read, nothing that it could change is answered: no question leads elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tracker.cli import main
from tracker.client import MlflowClient
from tracker.exceptions import StoreError
from tracker.registry import ReadVersion, Registry, find_model, find_version

Register = Callable[..., ReadVersion]
CONFLICT = "<<<<<<< HEAD\nstage: Production\n=======\nstage: Staging\n>>>>>>> theirs\n"


@pytest.fixture
def damaged(registry: Registry, register: Register, root: Path) -> Path:
    """Four versions, of which the third is in Production and has an alias, and the fourth is full of a conflict."""
    for _ in range(4):
        register()
    registry.set_stage("iris", 3, "Production")
    registry.set_alias("iris", "champion", 3)
    registry.set_alias("iris", "newest", 4)
    path = root / "registry/iris/versions/4.yaml"
    path.write_text(path.read_text() + CONFLICT)
    return path


@pytest.mark.parametrize("selector", ["latest", "Latest", "Production", "staging", "None"])
def test_latest_and_stages_are_refused(registry: Registry, damaged: Path, selector: str) -> None:
    """The damaged version may be the one that is meant, so that no other is given; the file is named."""
    with pytest.raises(StoreError, match=rf"may be a version that cannot be read: {damaged}: .*conflict"):
        find_version(registry.root, "iris", selector=selector)
    with pytest.raises(StoreError, match=r"4\.yaml"):
        registry.model("iris").select(selector)
    with pytest.raises(StoreError, match=r"4\.yaml"):
        registry.latest("iris") if selector == "latest" else registry.by_stage("iris", "Production")


@pytest.mark.parametrize("wanted", [{"selector": "3"}, {"alias": "champion"}, {"selector": "1"}])
def test_what_it_cannot_change_is_answered(registry: Registry, damaged: Path, wanted: dict[str, str]) -> None:
    """A number, and an alias of a number, need no other file."""
    assert find_version(registry.root, "iris", **wanted).version == ("1" if wanted == {"selector": "1"} else "3")
    assert registry.by_alias("iris", "champion").version == "3"


@pytest.mark.parametrize("wanted", [{"selector": "4"}, {"alias": "newest"}], ids=["number", "alias"])
def test_the_damaged_version_itself(registry: Registry, damaged: Path, wanted: dict[str, str]) -> None:
    """It is there, and the error says why it cannot be had."""
    with pytest.raises(StoreError, match=rf"Version 4 of 'iris' cannot be read: {damaged}: .*Mend the file"):
        find_version(registry.root, "iris", **wanted)
    with pytest.raises(StoreError, match="Version 4 of 'iris' cannot be read"):
        registry.version("iris", 4)


def test_a_damaged_model_file(registry: Registry, damaged: Path, root: Path) -> None:
    """Without model.yaml there are no aliases and no stages, and nobody knows which; numbers are answered."""
    path = root / "registry/iris/model.yaml"
    path.write_text(CONFLICT)
    for wanted in ({"alias": "champion"}, {"selector": "latest"}, {"selector": "Production"}):
        with pytest.raises(StoreError, match=r"model\.yaml"):
            find_version(root, "iris", **wanted)
    assert find_version(root, "iris", selector="3").version == "3"
    with pytest.raises(StoreError, match=r"may be that of 'IRIS' cannot be read: .*model\.yaml"):
        find_model(root, "IRIS")


def test_the_client_refuses_as_well(registry: Registry, damaged: Path) -> None:
    """Stages and newest versions are asked for in several ways."""
    client = MlflowClient(str(registry.root))
    with pytest.raises(StoreError, match=r"4\.yaml"):
        client.get_latest_versions("iris", ["Production"])
    with pytest.raises(StoreError, match=r"4\.yaml"):
        client.set_model_version_tag("iris", stage="Production", key="a", value=1)
    with pytest.raises(StoreError, match=r"4\.yaml"):
        client.transition_model_version_stage("iris", 2, "Production", archive_existing_versions=True)
    assert client.get_model_version_by_alias("iris", "champion").version == "3"
    assert client.get_registered_model("iris").latest_versions == []


def test_the_command_line_names_the_files(damaged: Path, root: Path) -> None:
    """`show` has a section, and says so on stderr, where JSON is read by a program."""
    result = CliRunner().invoke(main, ["registry", "show", "iris", "--store", str(root)])
    assert "Problems" in result.stdout and "registry/iris/versions/4.yaml" in result.stdout
    for more in ([], ["3"], ["--at", "2199-01-01"]):
        result = CliRunner().invoke(main, ["registry", "show", "iris", *more, "--store", str(root), "--json"])
        assert json.loads(result.stdout) and "registry/iris/versions/4.yaml: cannot be read" in result.stderr
