"""The workflows that we ship and the one that docs/publish.md offers: safe to run on a stranger's pull request."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".github" / "workflows"
PUBLISH = ROOT / "docs" / "publish.md"
PINNED = re.compile(r"uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n")
READ_ONLY = {"contents": "read"}
DEPLOY = {"pages": "write", "id-token": "write"}


def offered_workflow() -> str:
    """The workflow that a reader of docs/publish.md copies."""
    blocks = re.findall(r"```yaml\n(.*?)```", PUBLISH.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if "actions/checkout" in block)


def workflow_texts() -> dict[str, str]:
    """Every workflow by name."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.y*ml"))}
    return {**texts, "publish.md": offered_workflow()}


TEXTS = workflow_texts()


def parse(text: str) -> dict[str, Any]:
    """The workflow as a dictionary, with the key `on` that YAML 1.1 reads as true."""
    parsed = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in parsed.items()}


@pytest.fixture(params=TEXTS)
def text(request: pytest.FixtureRequest) -> str:
    """One workflow after the other."""
    return TEXTS[request.param]


@pytest.fixture
def workflow(text: str) -> dict[str, Any]:
    """The same, parsed."""
    return parse(text)


def test_workflows_are_complete(workflow: dict[str, Any]) -> None:
    """Each has a name, a trigger and jobs that end by themselves within an hour."""
    assert {"name", "on", "jobs"} <= workflow.keys()
    assert all(0 < job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


def test_every_action_is_pinned(text: str) -> None:
    """Whoever takes over an action's tag reaches nobody who runs our workflows."""
    assert text.count("uses:") == len(PINNED.findall(text)) > 0


def test_one_action_has_one_version() -> None:
    """All workflows use the same commit of an action, so an update cannot be forgotten in one of them."""
    pins = set(re.findall(r"uses: (\S+@\S+ # \S+)", "".join(TEXTS.values())))
    assert len(pins) == len({pin.split("@")[0] for pin in pins})


def test_nothing_is_granted_to_a_pull_request(workflow: dict[str, Any], text: str) -> None:
    """Code from a fork runs without secrets and with a token that can only read."""
    assert not {"pull_request_target", "workflow_run"} & set(workflow["on"])
    assert "secrets." not in text
    assert workflow["permissions"] == READ_ONLY


def test_only_a_deployment_may_write(workflow: dict[str, Any]) -> None:
    """The one job with more rights runs none of our code and never runs for a pull request or another branch."""
    for job in workflow["jobs"].values():
        if "permissions" in job:
            assert job["permissions"] == DEPLOY
            assert job["environment"]["name"] == "github-pages"
            assert "github.event_name != 'pull_request'" in job["if"]
            assert "github.ref_name == github.event.repository.default_branch" in job["if"]
            assert not [step for step in job["steps"] if "run" in step]


def test_checkouts_keep_no_credentials(workflow: dict[str, Any]) -> None:
    """The token is not left in .git/config, where code of the pull request could read it."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_commands_contain_no_expressions(workflow: dict[str, Any]) -> None:
    """A branch name or title cannot become part of a command, since commands hold no `${{ }}`."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]


def test_a_deployment_is_never_cut_off() -> None:
    """Two deployments wait for each other."""
    for name in ("pages.yml", "publish.md"):
        assert parse(TEXTS[name])["concurrency"]["cancel-in-progress"] is False


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    """The auditor of workflows has no finding at its strictest setting."""
    for name, content in TEXTS.items():
        path = tmp_path / ".github" / "workflows" / Path(name).with_suffix(".yml").name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    zizmor = str(Path(sys.executable).with_name("zizmor"))
    command = [zizmor, "--offline", "--no-config", "--persona=auditor", "."]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_ci_runs_the_readme_command() -> None:
    """What CI calls is what README tells people to call."""
    assert "python3 tests/all.py" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "python tests/all.py" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "run: .ci/run" in TEXTS["ci.yml"]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch clone in which the commands of pages.yml ran, in their order, in a virtual environment of its own."""
    clone = tmp_path_factory.mktemp("pages") / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    environment = clone.parent / "venv"
    venv.create(environment, with_pip=True)
    binaries = environment / ("Scripts" if os.name == "nt" else "bin")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    variables["PATH"] = os.pathsep.join([str(binaries), os.environ["PATH"]])
    for step in parse(TEXTS["pages.yml"])["jobs"]["build"]["steps"]:
        if "run" in step:
            run_step(step["run"], clone, variables)
    return clone


def run_step(command: str, folder: Path, variables: dict[str, str]) -> None:
    """Runs a step as GitHub does with `shell: bash`."""
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    result = subprocess.run(shell, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"


def test_pages_workflow_builds_the_site(published: Path) -> None:
    """The commands of pages.yml leave a site with the demo's experiments and our documentation in it."""
    site = published / "site"
    assert (site / "index.html").is_file()
    assert len(list((site / "experiments").glob("*/index.html"))) >= 3
    assert len(list((site / "runs").glob("*/index.html"))) >= 24
    for page in sorted((published / "docs").glob("*.md")):
        assert (site / "docs" / f"{page.stem}.html").is_file()
    assert "docs/index.html" in (site / "index.html").read_text(encoding="utf-8")


def test_pages_can_serve_every_file(published: Path) -> None:
    """GitHub Pages refuses links and files that others may not read, and leaves out names that begin with a dot."""
    files = [path for path in (published / "site").rglob("*") if not path.is_dir() or path.is_symlink()]
    assert [path for path in files if path.is_symlink() or not path.stat().st_mode & 0o004] == []
    assert [path for path in files if any(part.startswith(".") for part in path.relative_to(published).parts)] == []


def test_pages_workflow_uploads_what_it_built(published: Path) -> None:
    """The folder that is handed to Pages, and to a pull request as a zip, is the one that the commands made."""
    uploads = [
        step["with"]["path"]
        for step in parse(TEXTS["pages.yml"])["jobs"]["build"]["steps"]
        if "upload" in step.get("uses", "")
    ]
    assert len(uploads) == 2
    assert all((published / path / "index.html").is_file() for path in uploads)
