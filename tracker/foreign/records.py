"""What every reader of foreign stores gives: experiments, runs and registered models, in our terms."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tracker.codec import Param
from tracker.logs import Problem
from tracker.reader import Environment
from tracker.schema import Goal, RegisteredModelFile, Source, Status, VersionFile
from tracker.summary import Series

_WORDS: dict[str, Param] = {"True": True, "False": False, "None": None}
_LONGEST_NUMBER = 25


class ForeignExperiment(Struct, frozen=True):
    """An experiment of another tracker."""

    key: str
    """How its runs name it in the source; often its id there."""
    name: str
    description: str = ""
    tags: dict[str, str] = {}
    goal: dict[str, Goal] = {}
    created: int = 0
    """UTC milliseconds; 0 where the source does not say."""
    deleted: bool = False


class Dataset(Struct, frozen=True):
    """A data set that a run used."""

    name: str
    digest: str
    context: str = ""
    """training, evaluation, ..."""
    source: str = ""
    """Where it is from, as the source says: often JSON."""
    schema: str = ""
    """Its columns, likewise."""
    profile: str = ""
    """Its size, likewise."""


class FilePart(Struct, frozen=True):
    """A part of a file of the source that is a file of its own: an image in a file of events."""

    path: Path
    start: int
    size: int
    """In bytes."""


class ForeignRun(Struct, frozen=True):
    """A run of another tracker, with all its points."""

    run_id: str
    """32 hex digits: the source's own id, or one derived from it by `derived_id`."""
    experiment: str
    """The key of its experiment."""
    name: str
    status: Status
    """RUNNING where the source does not say that it ended."""
    start_time: int
    """UTC milliseconds."""
    end_time: int | None = None
    parent: str | None = None
    """The run that it is nested in."""
    params: dict[str, Param] = {}
    tags: dict[str, str] = {}
    series: dict[str, Series] = {}
    datasets: tuple[Dataset, ...] = ()
    source: Source | None = None
    environment: Environment | None = None
    ended_by: str | None = None
    """The signal or exception that ended it."""
    artifacts: Path | None = None
    """The folder of its artifacts, inside the source; None where it has none, or they lie elsewhere."""
    models: dict[str, Path] = {}
    """Folders of models that the source keeps apart from the artifacts, by the name that each gets among these."""
    files: Mapping[str, Path | FilePart | bytes] = {}
    """Single files that become artifacts, by the path that each gets: a file inside the source, a part of one, or what
    stands in one that the reader makes."""
    artifacts_elsewhere: str = ""
    """Where the source says that the artifacts are, when that is not inside it."""
    deleted: bool = False
    place: str = ""
    """Its path in the source, for problems."""
    root: Path | None = None
    """The folder that paths of problems are relative to; without it a file is told under the path of its artifact."""


class ForeignVersion(Struct, frozen=True):
    """A version of a registered model of another tracker."""

    file: VersionFile
    """As it will stand in our registry, but for path and digest."""
    folder: Path | None
    """The model's folder inside the source; None where it is gone."""


class ForeignModel(Struct, frozen=True):
    """A registered model of another tracker."""

    file: RegisteredModelFile
    versions: tuple[ForeignVersion, ...] = ()


class ForeignStore(Protocol):
    """A store of another tracker, opened for reading. Nothing in it makes a reader raise; damage is a Problem."""

    @property
    def kind(self) -> str:
        """What it is, in words: `MLflow files`."""

    @property
    def root(self) -> Path:
        """The folder that all its files lie in; paths of problems are relative to it."""

    @property
    def source(self) -> Path:
        """What was opened: that folder, or a file in it."""

    @property
    def problems(self) -> list[Problem]:
        """What could not be read; grows while runs are read."""

    def experiments(self) -> Iterator[ForeignExperiment]:
        """All experiments, deleted ones too."""

    def count(self) -> int:
        """How many runs there are, as far as a glance tells; for the progress."""

    def runs(self) -> Iterator[ForeignRun]:
        """All runs, one after the other, so that a long store fits the memory."""

    def models(self) -> Iterator[ForeignModel]:
        """All registered models, with versions in order."""


def derived_id(*parts: str) -> str:
    """32 hex digits that are the same whenever the same thing is read again."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:32]


def iso(milliseconds: int | None) -> str:
    """A time as files that people read have it; an empty text where it is not known."""
    if not milliseconds:
        return ""
    return datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def typed(text: str) -> Param:
    """A param of a tracker that keeps text only: a number, bool or None where its text is exactly that value's."""
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float) if len(text) <= _LONGEST_NUMBER else ():
        try:
            value = kind(text)
        except ValueError:
            continue
        if str(value) == text and value == value and abs(value) != float("inf"):
            return value
    return text
