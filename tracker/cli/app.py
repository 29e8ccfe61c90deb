"""The group of commands: imports each on use, and turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import sys
from collections import UserDict
from typing import IO, Any

import click

from tracker import __version__
from tracker.cli.text import clean, clean_lines
from tracker.exceptions import TrackerError, did_you_mean

MODULES = {
    "demo": "demo",
    "import": "importing",
    "export": "exporting",
    "build": "build",
    "serve": "serve",
    "list": "listing",
    "show": "show",
    "compare": "compare",
    "experiments": "experiments",
    "models": "models",
    "registry": "registry",
    "completion": "completion",
}
"""Name of each command and the module of this package that has it as `command`."""

INTERRUPTED = 130


class LazyCommands(UserDict[str, Any]):
    """Commands by name; the module of one is imported when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        command = importlib.import_module(f"tracker.cli.{self.data[name]}").command
        assert isinstance(command, click.Command)
        return command


class ReportedError(click.ClickException):
    """An error of ours as the command line shows it: its message on stderr, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Error: {clean_lines(self.message)}", file=file, err=True)


class MainGroup(click.Group):
    """Keeps the order of its commands and reports what goes wrong in them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            ctx.fail(f'There is no command "{clean(name)}".{did_you_mean(name, self.commands)}')
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        _print_any_text()
        try:
            return super().invoke(ctx)
        except TrackerError as error:
            raise ReportedError(error.message) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


def _print_any_text() -> None:
    """Let names of runs in any script pass a terminal that has no such letters."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@click.group(cls=MainGroup, commands=LazyCommands(MODULES), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Track experiments in plain files, and turn them into a static site.

    Start with: tracker demo
    """
