"""Registered models and versions are found by MLflow's filters, and by more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clock
from tracker.exceptions import InvalidValueError, QueryError
from tracker.registry import ReadVersion, Registry, search_model_versions, search_registered_models

RUN = "0123456789abcdef" * 2
MINUTE = 60_000


@pytest.fixture
def filled(registry: Registry, register: Callable[..., ReadVersion], clock: Clock) -> Path:
    """Three models: iris with three versions, one in Production; Iris Two with one; an empty one."""
    register(source="runs:/a/model", run_id=RUN, tags={"team": "red"})
    clock.advance(MINUTE)
    register(source="./model", description="About petals", tags={"team": "blue", "score": "10"})
    clock.advance(MINUTE)
    register("Iris Two", source="runs:/b/model")
    clock.advance(MINUTE)
    register(source="./model")
    registry.create_model("empty", description="Nothing yet.", tags={"team": "red"})
    clock.advance(MINUTE)
    registry.set_stage("iris", 1, "Production")
    registry.set_model_tag("iris", "my key", "x")
    return registry.root


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (None, ["Iris Two", "empty", "iris"]),
        ("", ["Iris Two", "empty", "iris"]),
        ("name = 'iris'", ["iris"]),
        ("name LIKE 'iris%'", ["iris"]),
        ("name ILIKE 'iris%'", ["Iris Two", "iris"]),
        ("name != 'iris'", ["Iris Two", "empty"]),
        ("tags.team = 'red'", ["empty"]),
        ("tag.team = 'red' AND name LIKE 'e%'", ["empty"]),
        ("tags.`my key` = 'x'", ["iris"]),
        ("name = 'iris' OR tags.team = 'red'", ["empty", "iris"]),
        ("NOT name ILIKE '%iris%'", ["empty"]),
        ("description LIKE '%yet%'", ["empty"]),
        ("nothing", ["empty"]),
        ("creation_timestamp >= '2023-11-14T22:16:00Z'", ["empty"]),
        ("attributes.name = 'nobody'", []),
    ],
)
def test_models_are_found(filled: Path, query: str | None, names: list[str]) -> None:
    """By name, description, tags and times; without an order they come by name."""
    assert [model.name for model in search_registered_models(filled, filter_string=query)] == names


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (None, ["iris 1", "iris 3", "Iris Two 1", "iris 2"]),
        ("name = 'iris'", ["iris 1", "iris 3", "iris 2"]),
        ("name = 'iris' AND version_number > 1", ["iris 3", "iris 2"]),
        ("version_number IN (1, 2) and name like 'iris'", ["iris 1", "iris 2"]),
        ("version = 3", ["iris 3"]),
        (f"run_id = '{RUN}'", ["iris 1"]),
        (f"run_id IN ('{RUN}', 'x')", ["iris 1"]),
        ("source_path = './model'", ["iris 3", "iris 2"]),
        ("source_path LIKE 'runs:/%'", ["iris 1", "Iris Two 1"]),
        ("current_stage = 'Production'", ["iris 1"]),
        ("stage ILIKE 'production'", ["iris 1"]),
        ("stage = 'None' AND name = 'iris'", ["iris 3", "iris 2"]),
        ("tags.team = 'blue'", ["iris 2"]),
        ("tags.team != 'blue'", ["iris 1"]),
        ("tags.score > 9", ["iris 2"]),
        ("petals", ["iris 2"]),
        ("version_number BETWEEN 2 AND 3", ["iris 3", "iris 2"]),
        ("last_updated_timestamp > '2023-11-14T22:16:30Z'", ["iris 1"]),
    ],
)
def test_versions_are_found(filled: Path, query: str | None, found: list[str]) -> None:
    """By what stands in their files; those that changed last come first."""
    versions = search_model_versions(filled, filter_string=query)
    assert [f"{version.name} {version.version}" for version in versions] == found


def test_deleted_versions_are_not_found(filled: Path, registry: Registry) -> None:
    """They are gone, though their files stay."""
    registry.delete_version("iris", 3)
    assert [v.version for v in search_model_versions(filled, filter_string="name = 'iris'")] == ["1", "2"]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (["name ASC", "version_number DESC"], ["Iris Two 1", "iris 3", "iris 2", "iris 1"]),
        (["version_number"], ["iris 1", "Iris Two 1", "iris 2", "iris 3"]),
        ("creation_timestamp", ["iris 1", "iris 2", "Iris Two 1", "iris 3"]),
        (["tags.score DESC", "name DESC", "version_number"], ["iris 2", "iris 1", "iris 3", "Iris Two 1"]),
    ],
    ids=str,
)
def test_an_order(filled: Path, order: list[str], found: list[str]) -> None:
    """Each item in turn; a limit counts from the first."""
    versions = search_model_versions(filled, order_by=order)
    assert [f"{version.name} {version.version}" for version in versions] == found
    assert search_model_versions(filled, order_by=order, max_results=2) == versions[:2]
    names = [model.name for model in search_registered_models(filled, order_by=["name DESC"])]
    assert names == ["iris", "empty", "Iris Two"]


@pytest.mark.parametrize("query", ["metrics.a > 1", "version_number = 'x'", "name =", "params.x = 1", "name < "])
def test_mistakes_in_a_query(filled: Path, query: str) -> None:
    """They are shown where they are; there are no metrics and params here."""
    for search in (search_registered_models, search_model_versions):
        with pytest.raises(QueryError, match="at character"):
            search(filled, filter_string=query)
    with pytest.raises(QueryError, match=r'Did you mean "name"\?'):
        search_registered_models(filled, filter_string="nmae = 'x'")
    with pytest.raises(InvalidValueError, match="max_results must be 0 or more"):
        search_model_versions(filled, max_results=-1)


def test_what_models_are_to_scripts(filled: Path) -> None:
    """A RegisteredModel has MLflow's attributes: the newest version in each stage, aliases, times."""
    registry = Registry(filled)
    registry.set_alias("iris", "champion", 1)
    (model,) = search_registered_models(filled, filter_string="name = 'iris'")
    assert [(version.version, version.current_stage) for version in model.latest_versions] == [
        *(("3", "None"), ("1", "Production")),
    ]
    assert (model.aliases, model.tags, model.description) == ({"champion": "1"}, {"my key": "x"}, "")
    assert model.creation_timestamp is not None
    assert model.last_updated_timestamp == model.creation_timestamp + 4 * MINUTE
    first = model.latest_versions[1]
    assert (first.aliases, first.run_id, first.source, first.status) == (["champion"], RUN, "runs:/a/model", "READY")
    assert first.last_updated_timestamp == model.last_updated_timestamp
