"""The client's registered models: MLflow's calls, in this store and in others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

import tracker
from tracker.client import MlflowClient
from tracker.exceptions import (
    AlreadyExistsError,
    InvalidNameError,
    InvalidValueError,
    NotFoundError,
    UntrustedModelError,
)
from tracker.models.digests import write_manifest
from tracker.registry import Registry

MODEL = LogisticRegression().fit([[0.0], [1.0]], [0, 1])


@pytest.fixture
def uri(store: Path) -> str:
    """A model of a run."""
    with tracker.start_run():
        return tracker.sklearn.log_model(MODEL, name="model", pip_requirements=[]).model_uri


@pytest.fixture
def client(uri: str) -> MlflowClient:
    """A client of a store with two versions of `iris`."""
    client = MlflowClient()
    client.create_registered_model("iris", tags={"team": "flowers"}, description="**Iris**")
    for number in (1, 2):
        client.create_model_version("iris", uri, description=f"try {number}", tags={"number": number})
    return client


def test_a_registered_model(client: MlflowClient) -> None:
    """Is made once, described, tagged, renamed, found and deleted."""
    model = client.get_registered_model("iris")
    assert (model.name, model.description, model.tags) == ("iris", "**Iris**", {"team": "flowers"})
    assert [version.version for version in model.latest_versions] == ["2"]
    with pytest.raises(AlreadyExistsError):
        client.create_registered_model("iris")
    assert client.update_registered_model("iris", "flowers").description == "flowers"
    client.set_registered_model_tag("iris", "state", 1)
    client.delete_registered_model_tag("iris", "team")
    assert client.rename_registered_model("iris", "flowers").tags == {"state": "1"}
    assert [model.name for model in client.search_registered_models()] == ["flowers"]
    client.delete_registered_model("flowers")
    assert client.search_registered_models() == []
    with pytest.raises(NotFoundError):
        client.get_registered_model("flowers")


def test_a_version(client: MlflowClient, uri: str) -> None:
    """Has what it was given, and the run that made the model; it is changed by its number, as text or not."""
    version = client.get_model_version("iris", 1)
    assert (version.name, version.version, version.source, version.status) == ("iris", "1", uri, "READY")
    assert (version.description, version.tags, version.current_stage) == ("try 1", {"number": "1"}, "None")
    assert version.run_id == uri.split("/")[1]
    assert client.update_model_version("iris", "1", "first").description == "first"
    client.set_model_version_tag("iris", "1", "k", "v")
    client.delete_model_version_tag("iris", "1", "number")
    assert client.get_model_version("iris", "1").tags == {"k": "v"}
    client.delete_model_version("iris", "1")
    with pytest.raises(NotFoundError, match="was deleted"):
        client.get_model_version("iris", "1")
    assert client.create_model_version("iris", uri).version == "3"


def test_stages(client: MlflowClient, store: Path) -> None:
    """A transition with its reason; the others are archived on demand; a tag by stage."""
    client.transition_model_version_stage("iris", "1", "production")
    moved = client.transition_model_version_stage(
        "iris", "2", "Production", archive_existing_versions=True, by="Ada", reason="better"
    )
    assert moved.current_stage == "Production"
    assert client.get_model_version("iris", 1).current_stage == "Archived"
    change = Registry(store).version("iris", 2).file.history[-1]
    assert (change.by, change.reason, change.to) == ("Ada", "better", "Production")
    assert [version.version for version in client.get_latest_versions("iris")] == ["2", "1"]
    assert [version.version for version in client.get_latest_versions("iris", ["production"])] == ["2"]
    client.set_model_version_tag("iris", key="live", value="yes", stage="Production")
    assert client.get_model_version("iris", 2).tags["live"] == "yes"
    assert client.get_model_version_stages("iris", 2) == ["None", "Staging", "Production", "Archived"]
    for call in (client.set_model_version_tag, client.delete_model_version_tag):
        with pytest.raises(InvalidValueError, match="a version or a stage"):
            call("iris", "1", key="k", stage="Production")
    with pytest.raises(InvalidValueError, match="Give key="):
        client.set_model_version_tag("iris", "1")
    with pytest.raises(InvalidValueError, match='Did you mean "Production"'):
        client.get_latest_versions("iris", ["Prodution"])


def test_aliases(client: MlflowClient) -> None:
    """Are set, followed and removed."""
    client.set_registered_model_alias("iris", "champion", "2")
    found = client.get_model_version_by_alias("iris", "champion")
    assert (found.version, found.aliases) == ("2", ["champion"])
    assert client.get_registered_model("iris").aliases == {"champion": "2"}
    with pytest.raises(InvalidValueError, match="alias 'champion' leads to it"):
        client.delete_model_version("iris", "2")
    client.delete_registered_model_alias("iris", "champion")
    with pytest.raises(NotFoundError):
        client.get_model_version_by_alias("iris", "champion")


def test_a_copy_under_another_name(client: MlflowClient) -> None:
    """Leads to the same files, and says where it is from."""
    copy = client.copy_model_version("models:/iris/2", "iris in production")
    assert (copy.name, copy.version, copy.source) == ("iris in production", "1", "models:/iris/2")
    assert copy.digest == client.get_model_version("iris", 2).digest
    paths = [client.get_model_version_download_uri(*one) for one in (("iris", "2"), (copy.name, "1"))]
    assert paths[0] == paths[1]
    assert (Path(paths[0]) / "MLmodel").is_file()
    with pytest.raises(InvalidValueError, match="no models:/ URI"):
        client.copy_model_version("runs:/x/model", "y")


def test_searches_give_pages(client: MlflowClient) -> None:
    """Of models and of versions, with filters and order."""
    for name in ("a", "b"):
        client.copy_model_version("models:/iris/1", name)
    page = client.search_registered_models(max_results=2)
    rest = client.search_registered_models(max_results=2, page_token=page.token)
    assert [[model.name for model in one] for one in (page, rest)] == [["a", "b"], ["iris"]]
    assert rest.token is None
    ordered: list[Any] = []
    token = None
    while not ordered or token:
        versions = client.search_model_versions("name = 'iris'", 1, ["version_number ASC"], token)
        ordered, token = [*ordered, *versions], versions.token
    assert [version.version for version in ordered] == ["1", "2"]
    assert {version.name for version in client.search_model_versions()} == {"a", "b", "iris"}


def test_versions_need_their_model(client: MlflowClient, uri: str) -> None:
    """As in MLflow; register_model() makes it."""
    with pytest.raises(NotFoundError, match='Did you mean "iris"'):
        client.create_model_version("irys", uri)
    assert tracker.register_model(uri, "irys").version == "1"


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "x" * 501, "a\nb"])
def test_names_that_cannot_be(client: MlflowClient, uri: str, name: str) -> None:
    """Nothing is registered."""
    for call in (lambda: client.create_registered_model(name), lambda: tracker.register_model(uri, name)):
        with pytest.raises(InvalidNameError):
            call()
    assert [model.name for model in client.search_registered_models()] == ["iris"]


def test_a_source_that_is_a_path(client: MlflowClient, uri: str, store: Path, tmp_path: Path) -> None:
    """Of the store: it becomes the run's URI. From outside: it is copied, and its folders are not told."""
    run = tracker.get_run(uri.split("/")[1])
    version = client.create_model_version("iris", f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    assert (version.source, version.run_id) == (uri, run.info.run_id)
    tracker.sklearn.save_model(MODEL, tmp_path / "mine", pip_requirements=[], serialization_format="skops")
    version = client.create_model_version("iris", tmp_path / "mine")
    assert (version.source, version.run_id) == ("mine", "")
    copied = Path(client.get_model_version_download_uri("iris", version.version))
    assert copied.is_relative_to(store / "registry" / "iris" / "models")
    assert str(tmp_path) not in "".join(path.read_text() for path in store.glob("registry/**/*.yaml"))
    assert tracker.sklearn.load_model(f"models:/iris/{version.version}").classes_.tolist() == [0, 1]


def test_from_one_store_into_another(client: MlflowClient, uri: str, tmp_path: Path) -> None:
    """Runs of one, registered models of the other: the model is copied. The session keeps its own."""
    other = MlflowClient(registry_uri=tmp_path / "registered")
    other.create_registered_model("iris")
    version = other.create_model_version("iris", uri)
    assert (version.version, version.run_id) == ("1", uri.split("/")[1])
    assert Path(other.get_model_version_download_uri("iris", "1")).is_relative_to(tmp_path / "registered")
    assert [found.version for found in client.search_model_versions("name = 'iris'", order_by=["version_number"])] == [
        "1",
        "2",
    ]
    tracker.set_tracking_uri(tmp_path / "registered")
    assert tracker.sklearn.load_model("models:/iris/1").classes_.tolist() == [0, 1]


def test_what_could_run_code_is_not_registered_unasked(tmp_path: Path, store: Path) -> None:
    """A model from outside of the store, whose pickle this process did not make."""
    import cloudpickle

    tracker.sklearn.save_model(MODEL, tmp_path / "mine", pip_requirements=[])
    (tmp_path / "mine" / "model.pkl").write_bytes(cloudpickle.dumps(LogisticRegression(C=2)))
    write_manifest(tmp_path / "mine")
    client = MlflowClient()
    client.create_registered_model("iris")
    with pytest.raises(UntrustedModelError, match="LogisticRegression"):
        client.create_model_version("iris", tmp_path / "mine")
    assert client.get_registered_model("iris").latest_versions == []
    assert client.create_model_version("iris", tmp_path / "mine", trust=True).version == "1"


def test_the_functions_do_the_same(client: MlflowClient, store: Path) -> None:
    """Searches, tags, and the URI of the registry, which is that of the store."""
    tracker.set_model_version_tag("iris", 1, "k", "v")
    [found] = tracker.search_model_versions(filter_string="tags.k = 'v'")
    assert found.version == "1"
    assert [model.name for model in tracker.search_registered_models(max_results=1)] == ["iris"]
    tracker.set_registry_uri(store)
    assert tracker.get_registry_uri() == tracker.get_tracking_uri() == str(store)
    assert tracker.is_tracking_uri_set()
    with pytest.raises(InvalidValueError, match="one store"):
        tracker.set_registry_uri(store / "other")
