"""What every test starts from: no settings of the person who runs it, no run left over, no cache but its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tracker import _clock

from .promises.figures import tell_figures

settings.register_profile("tracker", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tracker")  # a machine that is busy proves nothing

TERMINAL = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
"""What rich obeys. Workers inherit the first two from pytest, whose readline sets them."""


HERE = Path(__file__).parent
OTHERS = (
    "exporting/",
    "interchange/",
    "plugin/",
    "models/test_quickstart.py",
    *(
        f"foreign/test_{name}.py"
        for name in ("dvclive", "mlflow", "record_damage", "sacred", "tensorboard", "trackio", "wandb")
    ),
)
"""Tests that need environments with other trackers, which `tests/all.py` makes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs other trackers, so that it can be left out where there is pytest alone."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).as_posix().startswith(OTHERS):
            item.add_marker("others")


class Clock:
    """Stands still until a test moves it."""

    now = 1_700_000_000_000

    def advance(self, milliseconds: int) -> None:
        """Lets time pass."""
        self.now += milliseconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replaces the one place that knows what time it is."""
    clock = Clock()
    monkeypatch.setattr(_clock, "now_ms", lambda: clock.now)
    return clock


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser: what tests/all.py found, else where Debian puts it."""
    return os.environ.get("TRACKER_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(autouse=True)
def _fresh_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    ours = {name for name in os.environ if name.startswith("TRACKER_")} - {"TRACKER_CHROMIUM"}
    for name in ours | TERMINAL:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRACKER_CACHE", str(_cache_of_this_session(tmp_path_factory)))
    yield
    if fluent := sys.modules.get("tracker.fluent"):
        fluent.reset()


def _cache_of_this_session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "tracker-cache"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells what the tests of the promises measured; it stands here since workers alone see their conftest.py."""
    tell_figures(terminalreporter, os.environ.get("TRACKER_FIGURES"))
