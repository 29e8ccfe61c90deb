"""`tracker completion`: makes the shell complete commands and options."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

HINTS = {
    "bash": 'Put this line into ~/.bashrc:\n  eval "$(tracker completion bash)"',
    "zsh": 'Put this line into ~/.zshrc, after compinit:\n  eval "$(tracker completion zsh)"',
    "fish": "Run this once:\n  tracker completion fish > ~/.config/fish/completions/tracker.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(HINTS)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes your shell complete tracker's commands and options."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "tracker", "_TRACKER_COMPLETE").source())
    if sys.stdout.isatty():
        click.echo(HINTS[shell], err=True)
