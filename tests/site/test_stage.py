"""`--stage-only`: a plain tree that MkDocs builds without us."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from site_builder.build import build
from site_builder.stage import stage
from tracker.exceptions import SiteError

from .hostile import log_hostile_runs
from .trees import shape


@pytest.mark.parametrize("kind", ["sample", "hostile"])
def test_mkdocs_builds_the_staged_tree(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    """Plain `mkdocs build` makes of the staged tree the pages that we press, element by element."""
    store: Path = request.getfixturevalue("store")
    if kind == "sample":
        request.getfixturevalue("sample")
    else:
        log_hostile_runs(store)
    (store / "pages").mkdir()
    (store / "pages" / "about.md").write_text("# About\n\nText.\n")
    (store / "pages" / "plot.png").write_bytes(b"png")
    build(store, tmp_path / "site", title="Lab & co")
    stage(store, tmp_path / "tree", title="Lab & co")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-f", str(tmp_path / "tree" / "mkdocs.yml")]
    subprocess.run(command, check=True, env=environment)
    rendered = tmp_path / "tree" / "site"
    pages = [path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*.html")]
    assert {path.relative_to(rendered) for path in rendered.rglob("*.html")} == {*pages, Path("404.html")}
    for path in pages[:: 1 if kind == "sample" else 8]:
        assert shape((rendered / path).read_text("utf-8")) == shape((tmp_path / "site" / path).read_text("utf-8")), path
    data = {path.relative_to(tmp_path / "site") for path in (tmp_path / "site" / "data").rglob("*.js")}
    assert {path for path in data if not (rendered / path).is_file()} == set()
    assert (rendered / "plot.png").read_bytes() == b"png"


def test_the_tree_needs_no_plugin(sample: Path, tmp_path: Path) -> None:
    """The staged mkdocs.yml is plain YAML, without plugins and hooks."""
    stage(sample, tmp_path / "tree")
    settings = yaml.safe_load((tmp_path / "tree" / "mkdocs.yml").read_text("utf-8"))
    assert settings["plugins"] == [] and "hooks" not in settings
    page = next((tmp_path / "tree" / "docs" / "runs").glob("*/index.md")).read_text("utf-8")
    front, body = page.split("---\n")[1:]
    assert yaml.safe_load(front)["template"] == "data.html"
    assert len(body.splitlines()) == 1 and body.startswith("<div")


def test_a_folder_that_is_not_empty_is_refused(sample: Path, tmp_path: Path) -> None:
    """Staging never mixes with what is there."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "mine").write_text("mine")
    with pytest.raises(SiteError, match="not empty"):
        stage(sample, tmp_path / "tree")
    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["mine"]
