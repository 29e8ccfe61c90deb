"""What is captured of source and environment: enough to find the code again, and nothing personal."""

from __future__ import annotations

import getpass
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tracker import reader
from tracker.masking import MASK, clean_remote, mask_command, mask_text

from .processes import run_script

SCRIPT = """
import tracker
tracker.set_tracking_uri("runs")
with tracker.start_run(run_name="captured"):
    tracker.log_metric("loss", 1.0)
"""
CANARY = "zebracanary"
SECRET = "ghp_" + "a1B2" * 9


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository below a home folder with a telltale name, its remote holding a token, with a change."""
    root = tmp_path / f"home-{CANARY}" / "project"
    root.mkdir(parents=True)
    (root / "model.py").write_text("LR = 0.1\n")
    for command in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["config", "user.name", f"{CANARY}-name"],
        ["config", "user.email", f"{CANARY}@example.org"],
        ["remote", "add", "origin", f"https://{CANARY}:{SECRET}@example.org/team/project.git?x={SECRET}"],
        ["add", "."],
        ["commit", "--quiet", "--message", "first"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    (root / "model.py").write_text(f"LR = 0.2\nHOME = '{root.parent}/data'\nTOKEN = '{SECRET}'\n")
    return root


def capture(folder: Path, *arguments: str, **variables: str) -> tuple[reader.ReadRun, reader.Environment]:
    """Run a script there and read what its run says of itself."""
    env = {"TRACKER_CAPTURE": "on", "HOME": str(folder.parent), "USER": CANARY, "LOGNAME": CANARY, **variables}
    run_script(folder, SCRIPT, *arguments, env=env)
    (run,) = reader.read_store(folder / "runs", cache=False).runs()
    environment = reader.read_environment(run.folder)
    assert environment is not None
    return run, environment


def every_byte(store: Path) -> bytes:
    """All that stands in a store, names of files included."""
    parts = [str(path.relative_to(store)).encode() for path in store.rglob("*")]
    return b"\n".join([*parts, *(path.read_bytes() for path in store.rglob("*") if path.is_file())])


def test_the_code_can_be_found_again(repository: Path) -> None:
    """Commit, branch, script below the repository, remote without credentials, dirty flag and the change itself."""
    run, environment = capture(repository)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True)
    source = run.file.source
    assert source is not None
    assert (source.script, source.branch, source.dirty) == ("train.py", "main", True)
    assert (source.commit, source.remote) == (commit.stdout.strip(), "https://example.org/team/project")
    assert "-LR = 0.1\n+LR = 0.2" in environment.diff


def test_the_environment_is_named(repository: Path) -> None:
    """Python, platform, processor and the packages with their versions."""
    _, environment = capture(repository)
    assert environment.python == platform.python_version()
    assert environment.packages["msgspec"]
    assert (bool(environment.cpu), bool(environment.platform)) == (True, True)


def test_nothing_personal_is_captured(repository: Path) -> None:
    """User, host, home, current folder, name, email and variables: 0 of them in the whole store."""
    home = str(repository.parent)
    arguments = (f"--data={home}/x.csv", home, f"{home}/model", f"a,{home}/q", "--token", SECRET, f"--key={SECRET}")
    capture(repository, *arguments, MY_VARIABLE=f"{CANARY}-variable", API_TOKEN=SECRET)
    found = every_byte(repository / "runs")
    personal = [CANARY, SECRET, str(repository), home, platform.node(), os.path.expanduser("~")]  # noqa: PTH111
    assert [fact for fact in personal if len(fact) > 4 and fact.encode() in found] == []
    user = getpass.getuser()
    assert f"/{user}".encode() not in found and f"{user}@".encode() not in found


def test_capture_can_be_switched_off(repository: Path) -> None:
    """TRACKER_CAPTURE=off leaves source and environment out."""
    run_script(repository, SCRIPT, env={"TRACKER_CAPTURE": "off"})
    (run,) = reader.read_store(repository / "runs").runs()
    assert (run.file.source, reader.read_environment(run.folder)) == (None, None)


def test_no_repository_is_fine(tmp_path: Path) -> None:
    """Outside of one only the name of the script is known."""
    run, _ = capture(tmp_path)
    assert run.file.source is not None
    assert (run.file.source.script, run.file.source.commit, run.file.source.dirty) == ("train.py", None, None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes arguments and names of any bytes")
def test_an_argument_that_is_no_text_does_not_stop_a_run(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are written as escapes."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), b"--name=\xff"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "TRACKER_CAPTURE": "on"}, check=True)
    (run,) = reader.read_store(tmp_path / "runs").runs()
    environment = reader.read_environment(run.folder)
    assert environment is not None
    assert environment.command == ["…/train.py", "--name=\\udcff"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--token", "abc", "x"], ["--token", MASK, "x"]),
        (["--api-key=abc", "--lr=0.1"], [f"--api-key={MASK}", "--lr=0.1"]),
        (["--password", "a=b"], ["--password", MASK]),
        (["HF_TOKEN=abc", "wandb_api_key=1"], [f"HF_TOKEN={MASK}", f"wandb_api_key={MASK}"]),
        (["--hub_token", SECRET, SECRET], ["--hub_token", MASK, MASK]),
        (["-H", "Authorization: Bearer abc.def"], ["-H", f"Authorization: Bearer {MASK}"]),
        (["--url=https://u:p@h/x"], [f"--url=https://{MASK}@h/x"]),
        (["--tokenizer", "bert", "--max-tokens", "5", "--author", "me"], None),
        (
            [
                "--optimizer",
                "adam",
                "--name=task-classification-of-digits-2",
                "1e-3",
                "a/b",
                "s3://b/home/x",
                "-v",
                "data/root",
                "/",
            ],
            None,
        ),
        (["/repo/a/b.py", "--out=/repo/o", "/elsewhere/c"], ["a/b.py", "--out=o", "…/c"]),
        (
            ["tracker:/data/runs", "file:///data/x", "--to=tracker:/repo/o"],
            ["tracker:…/runs", "file://…/x", "--to=tracker:o"],
        ),
        (["tracker:./runs", "tracker:", "tracker:runs", "tracker:" * 9], None),
        (
            ["/home/ada", "/home/ada/x", "C:\\Users\\ada\\x", '{"p": "/home/ada/x"}'],
            ["~", "…/x", "~\\x", '{"p": "~/x"}'],
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_command_line_is_masked(arguments: list[str], expected: list[str] | None) -> None:
    """Secrets by name and by form, paths cut or made relative; innocent words stay."""
    assert mask_command(arguments, Path("/repo")) == (expected or arguments)


@pytest.mark.parametrize(
    "secret",
    [
        *(
            SECRET,
            "github_pat_" + "a" * 30,
            "glpat-" + "a" * 20,
            "hf_" + "a" * 30,
            "sk-" + "a" * 40,
            "xoxb-" + "1" * 12,
        ),
        *(
            "AKIA" + "A1" * 8,
            "AIza" + "a" * 35,
            "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc",
            "npm_" + "a" * 36,
            "pypi-" + "a" * 40,
        ),
        "-----BEGIN RSA PRIVATE KEY-----\n+MIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_known_kinds_of_secrets_are_masked_in_any_text(secret: str) -> None:
    """Wherever they stand in an argument or a diff."""
    assert mask_text(f"x = '{secret}'") == f"x = '{MASK}'"


def test_literals_with_a_secret_name_are_masked_in_a_diff() -> None:
    """What is assigned to a password or a token; names and calls stay."""
    text = "+PASSWORD = 'hunter2'\n+{\"api_key\": \"abc\"}\n+token = tokenizer('abc')\n+author = 'me'\n"
    masked = f"+PASSWORD = '{MASK}'\n+{{\"api_key\": \"{MASK}\"}}\n+token = tokenizer('abc')\n+author = 'me'\n"
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:token@github.com/a/b.git?x=1#y", "https://github.com/a/b"),
        ("git@github.com:a/b.git", "https://github.com/a/b"),
        ("ssh://git@host.org:22/a/b", "https://host.org/a/b"),
        ("https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c"),
        *((url, None) for url in ("/srv/git/a", "C:/Users/ada/a", "file:///home/ada/a", "../a", "", "https://[bad/x")),
        ("https://host.org/a b", None),
    ],
)
def test_a_remote_is_rebuilt_from_its_parts(url: str, expected: str | None) -> None:
    """Host and path only; what is no address of a host is left out."""
    assert clean_remote(url) == expected
