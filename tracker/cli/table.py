"""Tables that fit the terminal: the least important columns go first, and a line below says which."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracker.cli.text import clean

GAP = 2
MAX_CELL = 40
UNLIMITED = 100_000
STATUS_STYLES = {"FINISHED": "green", "RUNNING": "cyan", "FAILED": "red", "KILLED": "red", "STALE": "yellow"}


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    head: str
    cells: Sequence[Text]
    right: bool = False
    """Numbers stand on the right."""
    rank: int = 0
    """Columns with the highest rank are dropped first; 0 always stays."""

    @property
    def width(self) -> int:
        return min(MAX_CELL, max(text.cell_len for text in (cell(self.head), *self.cells)))


def cell(value: object, style: str = "") -> Text:
    """Text that is safe to print, whoever wrote it."""
    return Text(clean(value), style=style)


def status_cell(status: str) -> Text:
    """The status of a run as a word."""
    return cell(status.lower(), STATUS_STYLES.get(status, ""))


def make_console() -> Console:
    """A console on stdout that takes no markup. What is piped has no colour and lines of any length."""
    fits = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(markup=False, highlight=False, emoji=False, width=None if fits else UNLIMITED)


def print_table(console: Console, columns: Sequence[Column], *, hint: str = "") -> None:
    """Print what fits; `hint` says how to see the columns that do not."""
    kept, dropped = fit(columns, console.width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for column in kept:
        table.add_column(
            cell(column.head),
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=MAX_CELL if console.width < UNLIMITED else None,
        )
    for cells in zip(*(column.cells for column in kept), strict=True):
        table.add_row(*cells)
    console.print(table)
    if dropped:
        console.print(cell(f"Not shown for want of room: {', '.join(dropped)}. {hint}", "dim"))


def fit(columns: Sequence[Column], width: int) -> tuple[list[Column], list[str]]:
    """The columns that fit a width, and the heads of those that do not."""
    kept = list(columns)
    while sum(column.width + GAP for column in kept) - GAP > width and any(column.rank for column in kept):
        # of equal rank, the rightmost
        kept.pop(max(range(len(kept)), key=lambda index: (kept[index].rank, index)))
    return kept, [column.head for column in columns if column not in kept]
