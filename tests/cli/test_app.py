"""The command as a whole: version, help, errors, exit codes, what it imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tracker import __version__
from tracker.cli import main

from .running import ESCAPES, TRACKER, Cli, posix_signals, run_process

HEAVY = {"pandas", "numpy", "sklearn", "mkdocs", "altair", "jinja2", "site_builder"}
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "command-line.md").read_text("utf-8")


def loaded_by(*arguments: object) -> set[str]:
    """Top-level packages that a command loads in a process of its own."""
    program = (
        "import atexit, sys; from tracker.cli import main\n"
        "atexit.register(lambda: print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        f"main({list(map(str, arguments))!r})"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(answer.stderr.split())


def options() -> Iterator[tuple[str, str]]:
    """Each command with each of its options and those of the commands below it, in each spelling, once."""
    for name in main.commands:
        below = getattr(main.commands[name], "commands", {}).values()
        parameters = [parameter for command in (main.commands[name], *below) for parameter in command.params]
        found = [parameter for parameter in parameters if isinstance(parameter, click.Option)]
        for spelling in dict.fromkeys(text for option in found for text in (*option.opts, *option.secondary_opts)):
            yield name, spelling


def section(command: str) -> str:
    """What docs/command-line.md says about a command."""
    found = re.search(rf"^## `tracker {command}`.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/command-line.md has no section on tracker {command}"
    return found[0]


def test_version(cli: Cli) -> None:
    """`--version` prints name and version."""
    assert cli("--version").stdout == f"tracker {__version__}\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_the_commands_in_order(cli: Cli, option: str) -> None:
    """Help lists all commands, the one to start with first."""
    text = cli(option).stdout
    positions = [text.index(f"\n  {name} ") for name in main.commands]
    assert positions == sorted(positions)


@pytest.mark.parametrize("name", list(main.commands))
def test_each_command_has_help(cli: Cli, name: str) -> None:
    """Each command explains itself in a sentence."""
    result = cli(name, "-h")
    assert result.exit_code == 0
    assert main.commands[name].get_short_help_str(200).endswith(".")


@pytest.mark.parametrize("name", list(main.commands))
def test_each_command_is_documented(name: str) -> None:
    """docs/command-line.md has a section on each command."""
    assert section(name)


@pytest.mark.parametrize(("name", "option"), list(options()))
def test_each_option_is_documented(name: str, option: str) -> None:
    """The section of a command names each spelling of each option."""
    assert re.search(rf"`[^`]*(?<![\w-]){option}\b", section(name))


def test_documented_options_exist() -> None:
    """The page names no option that its command does not have."""
    known = {f"{name} {option}" for name, option in options()}
    named = {
        f"{name} {option}" for name in main.commands for option in re.findall(r"^\| `(--[\w-]+)", section(name), re.M)
    }
    assert named <= known


def test_unknown_command(cli: Cli) -> None:
    """A mistyped command is answered with the one that was meant, on stderr, exit code 2."""
    result = cli("shwo")
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'Did you mean "show"?' in result.stderr


def test_errors_of_ours_are_one_message(cli: Cli, tmp_path: Path) -> None:
    """What tracker raises on purpose is a message on stderr, exit code 1, without a traceback."""
    result = cli("list", "--store", tmp_path / "nowhere")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: There is no store at ")


def test_errors_do_not_carry_escapes(cli: Cli, store: Path) -> None:
    """What the user typed, or a run is called, reaches the terminal as text even in an error."""
    result = cli("show", ESCAPES, "--store", store)
    assert result.exit_code == 1
    assert "\\x1b[2J" in result.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.stderr)


def test_mistakes_in_a_query_are_pointed_at(cli: Cli, store: Path) -> None:
    """A caret stands below the place in the query where it goes wrong."""
    lines = cli("list", "--store", store, "metrics.acc > > 1").stderr.splitlines()
    assert lines[2].index("^") == lines[1].index("> 1")


@posix_signals
def test_a_pipe_that_closes_early_is_no_error(store: Path) -> None:
    """`tracker list | head` ends without a word on stderr."""
    process = subprocess.Popen([*TRACKER, "list", "-s", str(store)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() in (0, 1)
    process.stderr.close()


def test_any_name_can_be_printed_anywhere(hostile_store: Path) -> None:
    """A name in letters that the output cannot encode is printed as escapes."""
    result = run_process("list", "-s", hostile_store, "-c", "run_name", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (result.returncode, result.stderr) == (0, "")
    assert "\\u202e[bold red]name[/]" in result.stdout


def test_version_loads_nothing_but_click() -> None:
    """`tracker --version` loads neither rich nor msgspec."""
    assert not loaded_by("--version") & (HEAVY | {"rich", "msgspec", "yaml"})


@pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("experiments",), ("compare", "good", "wild")])
def test_reading_commands_are_light(store: Path, arguments: tuple[str, ...]) -> None:
    """Commands that only read load neither numpy nor anything that builds sites."""
    assert not loaded_by(*arguments, "--store", store) & HEAVY


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(cli: Cli, shell: str) -> None:
    """`tracker completion` prints a script that calls tracker back, and nothing else when piped."""
    result = cli("completion", shell)
    assert result.exit_code == 0
    assert f"_TRACKER_COMPLETE={shell}_complete" in result.stdout
    assert result.stderr == ""


def test_completion_knows_commands_and_options() -> None:
    """The shell is told the commands and options that fit what was typed."""
    program = "import sys; from tracker.cli import main; main(prog_name='tracker')"

    def completions(words: str, position: int) -> list[str]:
        asked = {"_TRACKER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
        answer = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True
        )
        return [line.partition(",")[2] for line in answer.stdout.splitlines()]

    assert completions("tracker comp", 1) == ["compare", "completion"]
    assert "--order-by" in completions("tracker list --o", 2)
