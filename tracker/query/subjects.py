"""What a query asks of runs and of experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from tracker.query.evaluate import MISSING
from tracker.query.nodes import Field, Fold
from tracker.schema import ExperimentFile, RunFile
from tracker.summary import best_of, goal_of

_BETWEEN = "\0"
"""Keeps a text from being found across two names or values."""


class RunLike(Protocol):
    """A run together with its experiment, which knows the name and the goals."""

    @property
    def file(self) -> RunFile: ...

    @property
    def experiment(self) -> ExperimentFile: ...


class RunSubject(NamedTuple):
    """The plainest RunLike."""

    file: RunFile
    experiment: ExperimentFile


class ExperimentLike(Protocol):
    """What is asked of an experiment; `entities.Experiment` has it. Times are UTC milliseconds."""

    @property
    def name(self) -> str: ...

    @property
    def experiment_id(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def tags(self) -> Mapping[str, str]: ...

    @property
    def creation_time(self) -> int | None: ...

    @property
    def last_update_time(self) -> int | None: ...


class RegisteredModelLike(Protocol):
    """What is asked of a registered model; `registry.entities.RegisteredModel` has it. Times are UTC milliseconds."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def tags(self) -> Mapping[str, str]: ...

    @property
    def creation_timestamp(self) -> int | None: ...

    @property
    def last_updated_timestamp(self) -> int | None: ...


class ModelVersionLike(RegisteredModelLike, Protocol):
    """What is asked of a version of one; `registry.entities.ModelVersion` has it."""

    @property
    def version(self) -> str: ...

    @property
    def run_id(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def current_stage(self) -> str: ...

    @property
    def digest(self) -> str: ...


class RunSource:
    """Reads the fields of `fields.RUNS`."""

    def getter(self, field: Field) -> Callable[[RunLike], object]:
        """A function from a run to a value of the field, or MISSING."""
        key = field.key
        if field.family == "metric":
            return _best(key) if field.fold == "best" else _metric(key, field.fold)
        if field.family == "param":
            return lambda run: run.file.params.get(key, MISSING)
        if field.family == "tag":
            return _source(_SOURCE_TAGS[key]) if key in _SOURCE_TAGS else lambda run: run.file.tags.get(key, MISSING)
        return _duration if key == "duration" else _attribute(_RUN_ATTRIBUTES[key])

    def finder(self, text: str) -> Callable[[RunLike], bool]:
        """Finds a lower-case text in the name, params, tags and notes, or at the start or end of the id."""
        ends = text if len(text) >= SHORTEST_END else "no id"
        return lambda run: (
            run.file.run_id.startswith(text) or run.file.run_id.endswith(ends) or text in _run_text(run.file)
        )


class ExperimentSource:
    """Reads the fields of `fields.EXPERIMENTS`."""

    def getter(self, field: Field) -> Callable[[ExperimentLike], object]:
        """A function from an experiment to a value of the field, or MISSING."""
        key = field.key
        return (lambda found: found.tags.get(key, MISSING)) if field.family == "tag" else _attribute(key)

    def finder(self, text: str) -> Callable[[ExperimentLike], bool]:
        """Finds a lower-case text in the name, the description and the tags."""
        return lambda experiment: text in _described_text(experiment)


class RegisteredModelSource:
    """Reads the fields of `fields.REGISTERED_MODELS`."""

    def getter(self, field: Field) -> Callable[[RegisteredModelLike], object]:
        """A function from a registered model to a value of the field, or MISSING."""
        key = field.key
        return (lambda found: found.tags.get(key, MISSING)) if field.family == "tag" else _attribute(key)

    def finder(self, text: str) -> Callable[[RegisteredModelLike], bool]:
        """Finds a lower-case text in the name, the description and the tags."""
        return lambda model: text in _described_text(model)


class ModelVersionSource:
    """Reads the fields of `fields.MODEL_VERSIONS`."""

    def getter(self, field: Field) -> Callable[[ModelVersionLike], object]:
        """A function from a version to a value of the field, or MISSING."""
        key = field.key
        if field.family == "tag":
            return lambda found: found.tags.get(key, MISSING)
        if key == "version_number":
            return lambda found: int(found.version)
        return _attribute(_VERSION_ATTRIBUTES.get(key, key))

    def finder(self, text: str) -> Callable[[ModelVersionLike], bool]:
        """Finds a lower-case text in the name, the description and the tags."""
        return lambda version: text in _described_text(version)


SHORTEST_END = 4
"""Digits at the end of an id that name a run, as pages and tables show them."""

_RUN_ATTRIBUTES = {
    "status": "file.status",
    "start_time": "file.start_time",
    "end_time": "file.end_time",
    "run_id": "file.run_id",
    "run_name": "file.name",
    "experiment_name": "experiment.name",
    "parent": "file.parent",
}
_VERSION_ATTRIBUTES = {"source_path": "source"}
_SOURCE_TAGS = {"mlflow.source.name": "script", "mlflow.source.git.commit": "commit"}
"""MLflow's tags that stand in `Source` here."""


def _attribute(path: str) -> Callable[[Any], object]:
    read = attrgetter(path)
    return lambda thing: MISSING if (value := read(thing)) is None else value


def _source(name: str) -> Callable[[RunLike], object]:
    return lambda run: MISSING if (value := getattr(run.file.source, name, None)) is None else value


def _duration(run: RunLike) -> object:
    file = run.file
    return MISSING if file.end_time is None else file.end_time - file.start_time


def _metric(key: str, fold: Fold) -> Callable[[RunLike], object]:
    read = attrgetter(fold)

    def value(run: RunLike) -> object:
        metric = run.file.metrics.get(key)
        found = None if metric is None else read(metric)
        return MISSING if found is None else found

    return value


def _best(key: str) -> Callable[[RunLike], object]:
    def value(run: RunLike) -> object:
        metric = run.file.metrics.get(key)
        best = metric and best_of(metric, goal_of(key, run.experiment.goal))
        return best[0] if best else MISSING

    return value


def _run_text(run: RunFile) -> str:
    texts = (run.name, *run.params, *map(str, run.params.values()), *run.tags, *run.tags.values())
    return _BETWEEN.join(texts).lower()


def _described_text(thing: ExperimentLike | RegisteredModelLike) -> str:
    texts = (thing.name, thing.description, *thing.tags, *thing.tags.values())
    return _BETWEEN.join(texts).lower()
