"""How a model was at any time, from its histories alone."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clock
from tracker.exceptions import InvalidValueError
from tracker.registry import ReadVersion, Registry, events_of, state_at

Register = Callable[..., ReadVersion]
DAY = 86_400_000


def on(clock: Clock, date: str) -> None:
    """Set the clock to noon of a day."""
    clock.now = round(datetime.datetime.fromisoformat(f"{date}T12:00:00Z").timestamp() * 1000)


@pytest.fixture
def told(registry: Registry, register: Register, clock: Clock) -> Registry:
    """A winter in the life of a model."""
    on(clock, "2026-02-01")
    register()
    registry.set_alias("iris", "champion", 1)
    on(clock, "2026-02-10")
    registry.set_stage("iris", 1, "Production")
    on(clock, "2026-03-01")
    register()
    registry.set_stage("iris", 2, "Production", archive_existing=True)
    registry.set_alias("iris", "champion", 2)
    on(clock, "2026-03-05")
    registry.rename_model("iris", "flowers")
    registry.delete_alias("flowers", "champion")
    registry.delete_version("flowers", 1)
    return registry


@pytest.mark.parametrize(
    ("time", "name", "stages", "aliases"),
    [
        ("2026-01-31", "iris", {}, {}),
        ("2026-02-01", "iris", {1: "None"}, {"champion": "1"}),
        ("2026-02-10T11:59:59Z", "iris", {1: "None"}, {"champion": "1"}),
        ("2026-02-10T12:00:00Z", "iris", {1: "Production"}, {"champion": "1"}),
        ("2026-02-10T13:00:00+02:00", "iris", {1: "None"}, {"champion": "1"}),
        ("2026-02-10T12:00:00", "iris", {1: "Production"}, {"champion": "1"}),
        (datetime.date(2026, 2, 28), "iris", {1: "Production"}, {"champion": "1"}),
        ("2026-03-01", "iris", {1: "Archived", 2: "Production"}, {"champion": "2"}),
        ("2026-03-05", "flowers", {2: "Production"}, {}),
        (4_000_000_000_000, "flowers", {2: "Production"}, {}),
        (datetime.datetime(2026, 2, 10, 12, tzinfo=datetime.UTC), "iris", {1: "Production"}, {"champion": "1"}),
    ],
    ids=str,
)
def test_state_at(told: Registry, time: str, name: str, stages: dict[int, str], aliases: dict[str, str]) -> None:
    """A date means the end of that day in UTC; a time means itself."""
    state = state_at(told.model("flowers"), time)
    assert (state.name, state.stages, state.aliases) == (name, stages, aliases)
    assert state.in_stage("production") == [number for number, stage in stages.items() if stage == "Production"]


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-01", "2026-02-30", None, True, 1.5])
def test_what_is_no_time(told: Registry, time: object) -> None:
    """The error shows how times are written."""
    with pytest.raises(InvalidValueError, match="Use a date such as 2026-03-01"):
        state_at(told.model("flowers"), time)  # type: ignore[arg-type]


def test_events_come_in_order(told: Registry) -> None:
    """Everything that happened, oldest first; of the same moment registrations come first."""
    events = events_of(told.model("flowers"))
    assert [(event.change.action, event.version) for event in events] == [
        *(("registered", 1), ("alias", None), ("stage", 1)),
        *(("registered", 2), ("alias", None), ("stage", 1), ("stage", 2)),
        *(("renamed", None), ("alias", None), ("deleted", 1)),
    ]
    times = [event.time for event in events if event.time is not None]
    assert times == sorted(times)
    assert len(times) == len(events)


def test_histories_that_people_spoilt(told: Registry, root: Path) -> None:
    """Times that are none count as early; nothing raises."""
    path = root / "registry/iris/versions/2.yaml"
    path.write_text(path.read_text().replace("2026-03-01T12:00:00Z", "some day"))
    model = told.model("flowers")
    assert state_at(model, "2026-02-01").stages == {1: "None", 2: "Production"}
    assert [event.time for event in events_of(model)].count(None) == 2
    assert model.entity().creation_timestamp is not None
    assert model.versions[1].entity().creation_timestamp is None
