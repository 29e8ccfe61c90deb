"""The documentation is true: it names everything that exists, its code runs, its commands and links work."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

import tracker
from tracker import schema
from tracker.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
DOCS = "\n".join(TEXTS.values())
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ |run: |- run: |- )?(tracker(?: .*)?)$")
STRUCTS = [
    struct for struct in vars(schema).values() if isinstance(struct, type) and issubclass(struct, msgspec.Struct)
]


def commands(group: click.Command, name: str = "tracker") -> Iterator[str]:
    """Every command below a group as it is typed."""
    for word, command in getattr(group, "commands", {}).items():
        yield f"{name} {word}"
        yield from commands(command, f"{name} {word}")


def blocks(path: Path, *languages: str) -> Iterator[tuple[int, str]]:
    """Code blocks of a page with the number of lines before them."""
    for found in FENCE.finditer(TEXTS[path]):
        if found[1] in languages:
            yield TEXTS[path].count("\n", 0, found.start(2)), found[2]


def python_pages() -> list[Path]:
    """Pages with Python in them."""
    return [path for path in PAGES if any(blocks(path, "python", "py"))]


def words_of(line: str) -> list[str]:
    """The words of a command up to a pipe or a redirection, without a comment."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>")
    lexer.whitespace_split = True
    return list(itertools.takewhile(lambda word: word[0] not in "|<>", lexer))


def shell_commands() -> list[tuple[str, str]]:
    """Every line of a shell or workflow block that calls tracker, with its page."""
    lines = [
        (path.name, line.strip())
        for path in PAGES
        for _, block in blocks(path, "sh", "bash", "shell", "console", "yaml")
        for line in block.splitlines()
    ]
    return [
        (page, part[1]) for page, line in lines for piece in line.split("&&") if (part := COMMAND.match(piece.strip()))
    ]


@pytest.mark.parametrize("command", list(commands(main)))
def test_every_command_is_documented(command: str) -> None:
    """Each command of the command line appears as it is typed."""
    assert re.search(rf"\b{command}\b", DOCS)


@pytest.mark.parametrize("name", tracker.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    """Each name that can be imported appears as code."""
    assert re.search(rf"[`.(\[ ]{name}\b", DOCS)


@pytest.mark.parametrize(
    "variable", sorted(set(re.findall(r"TRACKER_[A-Z_]+", (ROOT / "tracker" / "settings.py").read_text("utf-8"))))
)
def test_every_setting_is_documented(variable: str) -> None:
    """Each environment variable appears."""
    assert f"`{variable}`" in DOCS


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_of_a_file_is_documented(struct: type[msgspec.Struct]) -> None:
    """Each field of each file of a store appears in docs/file-format.md."""
    text = TEXTS[ROOT / "docs" / "file-format.md"]
    assert [field for field in struct.__struct_encode_fields__ if f"`{field}`" not in text] == []


@pytest.mark.parametrize("path", python_pages(), ids=lambda path: path.name)
def test_python_of_a_page_runs(path: Path, tmp_path: Path) -> None:
    """The Python blocks of a page run one after the other in an empty folder; tracebacks carry the page's lines."""
    lines = [""] * TEXTS[path].count("\n")
    for start, block in blocks(path, "python", "py"):
        lines[start : start + block.count("\n")] = block.splitlines()
    script = tmp_path / f"{path.stem}.md.py"  # logging.py would hide the module of that name
    script.write_text("\n".join(lines), encoding="utf-8")
    result = subprocess.run([sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("page", "line"), shell_commands())
def test_commands_in_shell_blocks_exist(page: str, line: str) -> None:
    """Each call of tracker in a shell block names a command that exists and options that it has."""
    words = words_of(line)[1:]
    group: click.Command = main
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        assert name in group.commands, f"{page}: {line}"
        group = group.commands[name]
    parent = click.Context(main, **main.context_settings)  # click keeps the help option that it makes now
    group.make_context(group.name, words, parent=parent, resilient_parsing=True)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each relative link and image of a page is a file of the repository."""
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", TEXTS[path])
    assert [target for target in targets if not (path.parent / target).exists()] == []
