"""The `tracker` command, with one module for each command, imported when the command is used.

Exit codes: 0 done, 1 an error of ours with what to do about it, 2 a mistake on the command line,
3 problems in the data under `build --strict`, 130 interrupted.
"""

from tracker.cli.app import main

__all__ = ["main"]
