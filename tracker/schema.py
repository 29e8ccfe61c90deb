"""The files of a store as typed structs: what stands in them, field by field.

`docs/file-format.md` says the same for people and is tested against this module. Every struct ignores
fields that it does not know, so an older reader survives a newer writer of the same schema number.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct

SCHEMA = 1

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED", "STALE"]
Goal = Literal["maximize", "minimize"]
Number = float | int
MAX_TIME = 253_402_300_799_999
"""UTC milliseconds of the end of the year 9999, beyond which no date can be shown."""
Time = Annotated[int, Meta(ge=0, le=MAX_TIME)]
"""UTC milliseconds."""
Step = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class StoreFile(Struct, frozen=True):
    """`store.yaml`: marks a folder as a store."""

    schema: int
    created: str = ""
    title: str = ""
    id: str = ""
    """32 hex digits, so that the site of one store is not taken for that of another."""


class ExperimentFile(Struct, frozen=True):
    """`experiments/<slug>/experiment.yaml`: made by the library, edited by people."""

    id: str
    name: str
    description: str = ""
    tags: dict[str, str] = {}
    goal: dict[str, Goal] = {}
    created: str = ""


class Source(Struct, frozen=True, gc=False):
    """Where the code of a run came from. Nothing personal: no user, host or absolute path."""

    script: str | None = None
    """Path relative to the repository (or the bare file name outside one)."""
    commit: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    """True when tracked files differed from the commit; None outside a repository."""
    remote: str | None = None
    """`https://host/owner/repository`, rebuilt from its parts without credentials."""


class MetricSummary(Struct, frozen=True, gc=False):
    """One metric of one run in a few numbers. Non-finite points count, but never win min, max, mean or best."""

    count: Count
    """Points logged, non-finite ones included."""
    last: Any
    """Value of the point with the highest (step, time, value): float, or "NaN", "Infinity", "-Infinity" in the file."""
    last_step: Step
    last_time: Time
    """UTC milliseconds of the last point."""
    first: Any
    first_step: Step
    min: Number | None = None
    """None when no point was finite. The same holds for the fields below."""
    min_step: Step | None = None
    max: Number | None = None
    max_step: Step | None = None
    mean: float | None = None
    nonfinite: Count = 0
    """How many points were NaN or infinite."""
    spark: str = ""
    """The curve's shape in up to 24 characters 0-9a-z (36 levels between min and max; "-" is non-finite)."""


class LogState(Struct, frozen=True, gc=False):
    """How far a snapshot has read one log file."""

    bytes: Count
    closed: bool
    """False: its writer had not said goodbye, so the file may have grown since."""


class Process(Struct, frozen=True):
    """Which process wrote a log file, so that a reader on the same machine can tell if it is still alive."""

    pid: Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
    machine: str
    """Hash of the boot and the process namespace: says "same machine, same boot", names neither."""
    started: Count
    """Start of the process in clock ticks since boot; 0 where the system does not tell."""


class RunFile(Struct, frozen=True, gc=False):
    """`run.json`: the identity of a run while it lives, the full snapshot once it ended.

    The log files are the truth; every field from `params` on can be derived from them.
    """

    schema: int
    run_id: str
    name: str
    experiment_id: str
    status: Status
    start_time: Time
    end_time: Time | None = None
    ended_by: str | None = None
    """The signal that ended the run, or the type of the exception and the first line of its message."""
    parent: str | None = None
    source: Source | None = None
    process: Process | None = None
    """The process that started or resumed the run; only while it lives."""
    tags: dict[str, str] = {}
    params: dict[str, Any] = {}
    """Typed: number, bool, text, null. A non-finite number is {"float": "NaN"}."""
    metrics: dict[str, MetricSummary] = {}
    logs: dict[str, LogState] = {}
    """Keyed by log file name. Empty while the run has never ended."""


class Record(Struct, frozen=True, gc=False, omit_defaults=True):
    """One line of `log/<writer>.jsonl`. Exactly one of the first six fields says what kind it is."""

    writer: str | None = None
    """First line of each file: the writer's id, with `role`, `process` and `time`."""
    metric: str | None = None
    param: str | None = None
    tag: str | None = None
    artifact: str | None = None
    """A file was put below `artifacts/`; `value` is its size in bytes."""
    end: Status | None = None
    """Last line of a closed file: how this writer ended."""
    value: Any = UNSET
    step: Step = 0
    time: Time = 0
    """UTC milliseconds."""
    deleted: bool = False
    """With `tag`: the tag was deleted."""
    role: str | None = None
    """"owner" started or resumed the run and decides its status; "joined" only adds records."""
    process: Process | None = None
    continues: str | None = None
    """With `writer`: the file of this writer that ended in a failed write and goes on here."""
    signal: str | None = None
    """With `end`: the signal or exception type that ended the writer."""


class Change(Struct, frozen=True, omit_defaults=True, rename={"from_": "from"}):
    """One line of a history in the registry. Lines are only ever added."""

    time: str
    """UTC, such as 2026-03-01T09:30:00Z."""
    action: str
    """`registered`, `stage`, `alias`, `deleted` or `renamed`."""
    from_: str = ""
    """With `stage` the stage before; with `alias` the version that had it before; with `renamed` the old name."""
    to: str = ""
    """The stage, version or name since then; empty when an alias was removed."""
    alias: str = ""
    """With `alias`: which one."""
    by: str = ""
    """Who did it, as they chose to be named: TRACKER_USER or git's user.name."""
    reason: str = ""


class RegisteredModelFile(Struct, frozen=True, omit_defaults=True):
    """`registry/<slug>/model.yaml`: a registered model; people edit it and review it."""

    name: str
    description: str = ""
    tags: dict[str, str] = {}
    aliases: dict[str, str] = {}
    """The version that an alias stands for, or another alias."""
    stages: list[str] = []
    """The stages that versions of this model pass, in order, where they are not the usual four."""
    created: str = ""
    history: list[Change] = []
    """Changes of aliases and of the name."""


class VersionFile(Struct, frozen=True, omit_defaults=True):
    """`registry/<slug>/versions/<version>.yaml`: one version of a registered model. Numbers are never used again."""

    version: Annotated[int, Meta(ge=1, le=(1 << 31) - 1)]
    path: str
    """Folder of the model, relative to the store."""
    digest: str
    """`sha256:` and 64 hex digits over the files of that folder; see `manifest.json`."""
    source: str = ""
    """What it was registered from, as it was named: a run, a URI or a path."""
    run_id: str = ""
    stage: str = "None"
    description: str = ""
    tags: dict[str, str] = {}
    created: str = ""
    deleted: bool = False
    """True: kept for its history only."""
    history: list[Change] = []
    """Registration, transitions of the stage, deletion."""


class ManifestEntry(Struct, frozen=True, gc=False):
    """One file of a model."""

    sha256: str
    """64 hex digits."""
    bytes: Count


class Manifest(Struct, frozen=True):
    """`manifest.json` of a model: what its files must be. Other files beside them are never read."""

    schema: int
    digest: str
    """`sha256:` and 64 hex digits over all entries; the version of a registered model has the same."""
    files: dict[str, ManifestEntry]
    """By path relative to the folder of the model."""


class LoggedModelPoint(Struct, frozen=True, omit_defaults=True):
    """A metric of a model that MLflow's client logged: its latest point, for each data set that it was measured on."""

    key: str
    value: Any
    """As in the log of a run."""
    step: Step
    time: Time
    run_id: str
    """The run that measured it."""
    dataset: str = ""
    digest: str = ""
    """Of the data set."""


class LoggedModelFile(Struct, frozen=True):
    """`mlflow/<model_id>.json` of a run: what MLflow's client knows of a model beyond its folder."""

    schema: int
    model_id: str
    """`m-` and 32 hex digits."""
    name: str
    path: str
    """Its folder below `artifacts/`."""
    status: Literal["UNSPECIFIED", "PENDING", "READY", "FAILED"]
    """PENDING while it is made, then READY or FAILED."""
    created: Time
    updated: Time
    alone: bool = False
    """True: it was logged outside of any run, and this run is only the place where it lies."""
    kind: str | None = None
    """MLflow's `model_type`."""
    message: str | None = None
    """MLflow's `status_message`."""
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: list[LoggedModelPoint] = []
    deleted: bool = False
    """True: MLflow's client shows it no more; the files stay."""


class ModelLinksFile(Struct, frozen=True):
    """`mlflow/links.json` of a run: the models that it used and made, as MLflow's client told."""

    schema: int
    inputs: list[str] = []
    """Ids of models."""
    outputs: dict[str, Step] = {}
    """By id of a model, the step at which it was made."""
