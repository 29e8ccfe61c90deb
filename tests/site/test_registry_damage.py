"""Damage in the registry: named, never followed, and nothing else suffers."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from site_builder.build import build
from site_builder.model_folders import folder_state, model_folder
from tracker.registry import check_registry

from .conftest import cold
from .registry import index, make_registry, read, save_model, write_version


@pytest.fixture
def registry(store: Path) -> Path:
    """A store with registered models."""
    make_registry(store)
    return store


def broken_mlmodel(folder: Path) -> None:
    """No YAML."""
    (folder / "MLmodel").write_bytes(b"flavors: [")


def tagged_mlmodel(folder: Path) -> None:
    """A tag of Python."""
    (folder / "MLmodel").write_bytes(b"flavors: !!python/object/apply:os.system [id]\n")


def broken_example(folder: Path) -> None:
    """No JSON."""
    (folder / "input_example.json").write_bytes(b"{")


def broken_signature(folder: Path) -> None:
    """No list of columns."""
    save_again(folder, signature={"inputs": '{"a": 1}', "outputs": None, "params": None})


def changed_file(folder: Path) -> None:
    """Other bytes of the same size than the manifest says."""
    (folder / "model.bin").write_bytes(b"\x80MODEL")


def linked_file(folder: Path) -> None:
    """A link out of the store."""
    (folder / "model.bin").unlink()
    (folder / "model.bin").symlink_to("/etc/passwd")


def hard_linked_file(folder: Path) -> None:
    """A second name of the file."""
    os.link(folder / "model.bin", folder.parent / "other.bin")


def missing_file(folder: Path) -> None:
    """A file that the manifest lists is gone."""
    (folder / "model.bin").unlink()


def missing_folder(folder: Path) -> None:
    """All of it is gone."""
    shutil.rmtree(folder)


def linked_folder(folder: Path) -> None:
    """A link to the folder in its place."""
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))


def other_model(folder: Path) -> None:
    """Another sound model in its place."""
    save_again(folder, files={"model.bin": b"other"})


def leaving_manifest(folder: Path) -> None:
    """A manifest with a path that leaves the folder."""
    entry = {"sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0}
    content = {"schema": 1, "digest": "sha256:0", "files": {"../../../../../store.yaml": entry}}
    (folder / "manifest.json").write_text(json.dumps(content))


def save_again(folder: Path, **options: Any) -> None:
    """The model once more."""
    shutil.rmtree(folder)
    save_model(folder, **options)


DAMAGES = [
    broken_mlmodel, tagged_mlmodel, broken_example, broken_signature, changed_file, linked_file, hard_linked_file,
    missing_file, missing_folder, linked_folder, other_model, leaving_manifest,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_and_the_rest_is_built(registry: Path, site: Path, damage: Any) -> None:
    """A damaged model is named on the problems page and on its card; other cards are as they would be without it."""
    sound = cold(registry, site.with_name("sound"))
    version = (registry / "registry" / "iris" / "versions" / "3.yaml").read_text()
    model = registry / re.findall(r"^path: (.*)$", version, re.MULTILINE)[0]
    damage(model)
    result = build(registry, site)
    assert result.problems
    problems = read(site, "problems/index.html")
    card = read(site, "models/iris/3/index.html")
    assert "Look at these before you trust this version" in card
    assert str(registry) not in problems + card
    assert model.relative_to(registry).as_posix() in problems or "iris/versions/3.yaml" in problems
    for path in ("models/iris/1/index.html", "models/iris/2/index.html", "models/iris/2/files/model.bin"):
        assert (site / path).read_bytes() == sound[path]
    if damage not in (broken_example, broken_signature):
        assert index(site)["models"]["iris"]["versions"]["3"]["files"] is None
        assert not (site / "models" / "iris" / "3" / "files").exists()
    assert not [path for path in site.rglob("*") if path.is_file() and b"root:x:0" in path.read_bytes()]


@pytest.mark.parametrize(
    "content",
    [b"", b"version: [", b"version: 9\npath: x\ndigest: y\n", b"version: 3\n", b"\xff\xfe", b"a: &a [*a]\n", b"- 1\n"],
)
def test_a_broken_version_file_is_a_problem(registry: Path, site: Path, content: bytes) -> None:
    """A version whose file cannot be read has no page, is named, and the others are there."""
    (registry / "registry" / "iris" / "versions" / "3.yaml").write_bytes(content)
    build(registry, site)
    assert "registry/iris/versions/3.yaml" in read(site, "problems/index.html")
    assert not (site / "models" / "iris" / "3").exists()
    assert "iris version 2" in read(site, "models/iris/2/index.html")


@pytest.mark.parametrize("path", ["../x", "/etc", "experiments", "pages/x", "experiments/a/runs/b/log/c", "a\\b", "."])
def test_a_path_that_is_no_place_of_models_is_a_problem(registry: Path, site: Path, path: str) -> None:
    """A version cannot publish what lies elsewhere."""
    for named in ("registry", "pages/x"):
        (registry / named).mkdir(parents=True, exist_ok=True)
    write_version(registry / "registry" / "iris", 3, path, "sha256:" + "0" * 64)
    build(registry, site)
    card = read(site, "models/iris/3/index.html")
    assert "Look at these" in card and "registry/iris/versions/3.yaml" in card
    assert index(site)["models"]["iris"]["versions"]["3"]["files"] is None


def test_a_damaged_model_file_leaves_the_versions(registry: Path, site: Path) -> None:
    """Without a readable model.yaml a model has the name of its folder."""
    (registry / "registry" / "iris" / "model.yaml").write_bytes(b"name: [")
    build(registry, site)
    assert "iris version 2" in read(site, "models/iris/2/index.html")
    assert "registry/iris/model.yaml" in read(site, "problems/index.html")


def test_a_card_is_made_when_nothing_else_can_be(registry: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody thought of leaves a card with its stage and history, and is tried again."""

    def fail(*_: object) -> None:
        raise RuntimeError("no such thing")

    sound = cold(registry, site.with_name("sound"))
    with monkeypatch.context() as patch:
        patch.setattr("site_builder.registry_content.inspect_folder", fail)
        build(registry, site)
    card = read(site, "models/iris/2/index.html")
    assert "could not be shown in full: RuntimeError: no such thing" in card and "Better by a tenth" in card
    build(registry, site)
    assert (site / "models" / "iris" / "2" / "index.html").read_bytes() == sound["models/iris/2/index.html"]


@pytest.mark.parametrize("change", [changed_file, broken_mlmodel, missing_file, linked_file, hard_linked_file])
def test_the_state_of_a_folder_follows_its_files(tmp_path: Path, change: Any) -> None:
    """Whatever happens to a model without a manifest changes its state; what happens elsewhere does not."""
    save_model(tmp_path / "m", manifest=False)
    before = folder_state(tmp_path / "m")
    (tmp_path / "other").write_text("x")
    assert folder_state(tmp_path / "m") == before
    change(tmp_path / "m")
    assert folder_state(tmp_path / "m") != before


def test_a_folder_below_a_link_is_not_used(tmp_path: Path) -> None:
    """No part of the path of a model may be a link."""
    save_model(tmp_path / "out" / "models" / "c")
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "m").symlink_to(tmp_path / "out")
    assert model_folder(tmp_path, "registry/m/models/c")[0] is None


@pytest.mark.parametrize(
    ("place", "old", "new", "expected"),
    [
        ("model.yaml", "stable: champion", "stable: stable", "The aliases of 'iris' lead in a circle"),
        ("model.yaml", "champion: '2'", "champion: '9'", "There is no version 9"),
        ("model.yaml", "stable: champion", "Production: '2'", "cannot be an alias, since a stage has this name"),
        ("versions/2.yaml", "stage: Production", "stage: Prod", "'Prod' is no stage of 'iris'"),
        ("versions/1.yaml", "stage: Archived", "stage: Production", "2 versions of 'iris' are in Production"),
        ("versions/1.yaml", "from: None", "from: Staging", "a line is missing"),
    ],
)
def test_what_the_check_finds_in_the_files_is_a_problem(
    registry: Path, site: Path, place: str, old: str, new: str, expected: str
) -> None:
    """A site does not say that all is well while the check has errors in the files of the registry."""
    assert build(registry, site).problems == ()
    path = registry / "registry" / "iris" / place
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    result = build(registry, site)
    assert [problem.path for problem in result.problems if expected in problem.message]
    for page in ("problems/index.html", "models/iris/index.html"):
        assert expected in html.unescape(read(site, page))
    named = "versions 2, 1" in read(site, "models/iris/index.html")
    assert named == ("are in Production" in expected)
    wrong = {(finding.path, finding.message) for finding in check_registry(registry).errors}
    assert {(problem.path, problem.message) for problem in result.problems} <= wrong


def test_a_model_with_a_file_that_cannot_be_read_says_so(registry: Path, site: Path) -> None:
    """Its page may not know which version is the newest or in production, and tells the file."""
    (registry / "registry" / "iris" / "versions" / "3.yaml").write_bytes(b"<<<<<<< HEAD\n")
    build(registry, site)
    page = read(site, "models/iris/index.html")
    assert "registry/iris/versions/3.yaml" in page and "another version may be" in page
    assert "another version may be" not in read(site, "models/copied/index.html")
