"""Stages and aliases: who moved which version where, and what is refused."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from tracker.client import MlflowClient
from tracker.exceptions import (
    InvalidNameError,
    InvalidValueError,
)
from tracker.registry import ReadVersion, Registry, check_registry, people, read_registry
from tracker.registry.naming import check_alias

Register = Callable[..., ReadVersion]


def test_a_transition_is_recorded(registry: Registry, register: Register) -> None:
    """A stage, whatever its case, is set together with who, when, from where and why."""
    register()
    registry.set_stage("iris", 1, "staging", reason="try it")
    found = registry.set_stage("iris", "1", "PRODUCTION", by="Grace").file
    assert found.stage == "Production"
    first, second = found.history[1:]
    assert (first.action, first.from_, first.to, first.by, first.reason) == (
        "stage",
        "None",
        "Staging",
        "Ada",
        "try it",
    )
    assert (second.from_, second.to, second.by, second.reason) == ("Staging", "Production", "Grace", "")


def test_nothing_is_recorded_where_nothing_changes(registry: Registry, register: Register) -> None:
    """A version that is in the stage already stays as it is, unless there is a reason to note."""
    register()
    registry.set_stage("iris", 1, "Staging")
    assert len(registry.set_stage("iris", 1, "Staging").file.history) == 2
    assert len(registry.set_stage("iris", 1, "Staging", reason="looked again").file.history) == 3
    registry.set_alias("iris", "a", 1)
    registry.set_alias("iris", "a", 1)
    assert len(registry.model("iris").file.history) == 1


def test_a_stage_that_leads_to_a_newer_version_is_told(registry: Registry, register: Register) -> None:
    """Who goes back to an older version without archiving the newer one learns that the URI does not follow."""
    for _ in range(2):
        register()
    registry.set_stage("iris", 2, "Production")
    with pytest.warns(UserWarning, match=r"models:/iris/Production still leads to version 2, .*archive_existing=True"):
        registry.set_stage("iris", 1, "Production")
    with pytest.warns(UserWarning, match="still leads to version 2"):
        MlflowClient(str(registry.root)).transition_model_version_stage("iris", 1, "Production", reason="again")
    assert registry.by_stage("iris", "Production").version == "2"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.set_stage("iris", 1, "Production", archive_existing=True)
        registry.set_stage("iris", 1, "Archived")


def test_others_are_archived_afterwards(registry: Registry, register: Register) -> None:
    """archive_existing archives the others of that stage, and only those."""
    for stage in ("Production", "Production", "Staging", "None"):
        registry.set_stage("iris", register().version, stage)
    registry.set_stage("iris", 4, "Production", archive_existing=True)
    assert [version.file.stage for version in registry.model("iris").versions] == [
        *("Archived", "Archived", "Staging", "Production")
    ]
    assert registry.version("iris", 1).file.history[-1].reason == "Version 4 took its place."
    with pytest.raises(InvalidValueError, match="Leave archive_existing out"):
        registry.set_stage("iris", 4, "Archived", archive_existing=True)


def test_a_model_may_have_other_stages(registry: Registry, register: Register, root: Path) -> None:
    """The stages that stand in model.yaml are those of the model; `None` is always one of them."""
    register()
    path = root / "registry/iris/model.yaml"
    path.write_text(path.read_text() + "stages: [Review, Live]\n")
    assert registry.model("iris").stages == ("None", "Review", "Live")
    assert registry.set_stage("iris", 1, "live").file.stage == "Live"
    with pytest.raises(InvalidValueError, match=r"'Production' is no stage of 'iris'.*None, Review, Live"):
        registry.set_stage("iris", 1, "Production")
    with pytest.raises(InvalidValueError, match="no stage Archived to move others to"):
        registry.set_stage("iris", 1, "Review", archive_existing=True)
    assert registry.version("iris", 1).file.stage == "Live"


@pytest.mark.parametrize("stage", ["Prodution", "", "prod", None, 3])
def test_an_unknown_stage_is_refused(registry: Registry, register: Register, stage: object) -> None:
    """The message has the stages that there are, and the version stays where it is."""
    register()
    with pytest.raises(InvalidValueError, match="Its stages are None, Staging, Production, Archived"):
        registry.set_stage("iris", 1, stage)  # type: ignore[arg-type]
    assert len(registry.version("iris", 1).file.history) == 1


@pytest.mark.parametrize("version", ["x", 0, -1, 1.5, True, None, "1.0", "²"])
def test_what_is_no_version_is_refused(registry: Registry, register: Register, version: object) -> None:
    """Versions are numbers from 1 on."""
    register()
    with pytest.raises(InvalidValueError, match="is no version"):
        registry.set_stage("iris", version, "Staging")  # type: ignore[arg-type]


@pytest.mark.parametrize("alias", ["", "latest", "LATEST", "v1", "V22", "7", "a b", "a/b", "a.b", "x" * 256, None])
def test_bad_aliases_are_refused(registry: Registry, register: Register, alias: object) -> None:
    """What a URI would read as a version or cannot carry is no alias."""
    register()
    with pytest.raises(InvalidNameError):
        registry.set_alias("iris", alias, 1)  # type: ignore[arg-type]
    assert registry.model("iris").file.aliases == {}


@pytest.mark.parametrize("alias", ["champion", "größte", "a-b_c", "v1x", "production-like", "x" * 255])
def test_any_other_alias_is_fine(registry: Registry, register: Register, alias: str) -> None:
    """Letters and digits of every script, underscores and hyphens."""
    register()
    assert check_alias(alias) == alias
    assert registry.set_alias("iris", alias, "1").aliases == (alias,)


def test_aliases_lead_through_aliases(registry: Registry, register: Register) -> None:
    """An alias may stand for another one; moving that one moves both, and the history says so."""
    register()
    register()
    registry.set_alias("iris", "champion", 1)
    assert registry.set_alias("iris", "live", "champion").version == "1"
    registry.set_alias("iris", "champion", 2, reason="better")
    assert registry.by_alias("iris", "live").aliases == ("champion", "live")
    last = registry.model("iris").file.history[-1]
    assert (last.action, last.alias, last.from_, last.to, last.by, last.reason) == (
        *("alias", "champion", "1", "2", "Ada", "better"),
    )
    assert registry.model("iris").entity().aliases == {"champion": "2", "live": "2"}
    with pytest.raises(InvalidValueError, match="The alias 'live' of 'iris' leads to 'champion'"):
        registry.delete_alias("iris", "champion")
    registry.delete_alias("iris", "live")
    registry.delete_alias("iris", "champion")
    assert registry.model("iris").file.aliases == {}
    assert [change.to for change in registry.model("iris").file.history] == ["1", "champion", "2", "", ""]


@pytest.mark.parametrize("target", ["a", "b", "c"])
def test_a_circle_of_aliases_is_refused(registry: Registry, register: Register, target: str) -> None:
    """An alias that would lead back to itself is refused, and the error names the whole circle."""
    register()
    registry.set_alias("iris", "a", 1)
    registry.set_alias("iris", "b", "a")
    registry.set_alias("iris", "c", "b")
    circle = {"a": "a -> a", "b": "a -> b -> a", "c": "a -> c -> b -> a"}[target]
    with pytest.raises(InvalidValueError, match=f"lead in a circle: {circle}"):
        registry.set_alias("iris", "a", target)
    assert registry.by_alias("iris", "c").version == "1"


def test_what_is_in_use_is_not_deleted(registry: Registry, register: Register, root: Path) -> None:
    """A version with an alias or in a stage of use stays, and so does its model; the message says what to do."""
    register()
    registry.set_stage("iris", 1, "Production")
    registry.set_alias("iris", "champion", 1)
    for delete in (lambda: registry.delete_version("iris", 1), lambda: registry.delete_model("iris")):
        with pytest.raises(
            InvalidValueError, match=r"the alias 'champion' leads to it\. Move or delete the alias first"
        ):
            delete()
    registry.delete_alias("iris", "champion")
    for delete in (lambda: registry.delete_version("iris", 1), lambda: registry.delete_model("iris")):
        with pytest.raises(InvalidValueError, match=r"it is in Production\. Move it to Archived first"):
            delete()
    registry.set_stage("iris", 1, "Archived")
    registry.delete_version("iris", 1)
    registry.delete_model("iris")
    assert read_registry(root).models == ()


def test_who_made_a_change(registry: Registry, register: Register, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument, else TRACKER_USER, else git's name for changes of stages and aliases, but not for registrations."""
    people._git_name.cache_clear()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "config", "user.name", "Git  Person"], check=True)
    register()
    monkeypatch.delenv("TRACKER_USER")
    register()
    assert [version.file.history[0].by for version in registry.model("iris").versions] == ["Ada", ""]
    names = [registry.set_stage("iris", 1, "Staging", reason="x", by=by).file.history[-1].by for by in (None, "B", "")]
    assert names == ["Git Person", "B", ""]
    people._git_name.cache_clear()


def test_without_git_nobody_is_named(registry: Registry, register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git records no name, and nothing fails."""
    register()
    people._git_name.cache_clear()
    monkeypatch.delenv("TRACKER_USER")
    monkeypatch.setenv("PATH", "")
    assert registry.set_stage("iris", 1, "Staging").file.history[-1].by == ""
    people._git_name.cache_clear()


@pytest.mark.parametrize("alias", ["Production", "production", "none", "Review", "latest", "v3", "7"])
def test_an_alias_is_no_stage_of_its_model(registry: Registry, register: Register, alias: str) -> None:
    """What would look like a stage or a version in a URI is refused, and named by the check when people wrote it."""
    register()
    path = registry.root / "registry/iris/model.yaml"
    path.write_text(f"name: iris\nstages: [Review, Production]\naliases: {{{alias}: '1'}}\n")
    with pytest.raises(InvalidNameError, match=r"cannot be an alias|is no alias"):
        registry.set_alias("iris", alias, 1)
    assert f"The alias '{alias}' does not work" in check_registry(registry.root).to_markdown().replace("\\", "")
    registry.set_alias("iris", "staging", 1)
