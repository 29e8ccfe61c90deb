"""What a query asks of runs and of experiments."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

from tracker.query.evaluate import MISSING
from tracker.query.nodes import Field, Fold
from tracker.schema import ExperimentFile, RunFile
from tracker.summary import best_of, goal_of

_BETWEEN = "\0"
"""Keeps a text from being found across two names or values."""


class RunSubject(NamedTuple):
    """A run together with its experiment, which knows the name and the goals."""

    file: RunFile
    experiment: ExperimentFile


class ExperimentSubject(NamedTuple):
    """An experiment and what is known of its times, in UTC milliseconds."""

    file: ExperimentFile
    creation_time: int | None
    last_update_time: int | None


class RunSource:
    """Reads the fields of `fields.RUNS`."""

    def getter(self, field: Field) -> Callable[[RunSubject], object]:
        """A function from a run to a value of the field, or MISSING."""
        key = field.key
        if field.family == "metric":
            return _best(key) if field.fold == "best" else _metric(key, field.fold)
        if field.family == "param":
            return lambda subject: subject.file.params.get(key, MISSING)
        if field.family == "tag":
            return lambda subject: subject.file.tags.get(key, MISSING)
        return _duration if key == "duration" else _attribute(_RUN_ATTRIBUTES[key])

    def finder(self, text: str) -> Callable[[RunSubject], bool]:
        """Finds a lower-case text in the name, params, tags and notes, or at the start of the id."""
        return lambda subject: subject.file.run_id.startswith(text) or text in _run_text(subject.file)


class ExperimentSource:
    """Reads the fields of `fields.EXPERIMENTS`."""

    def getter(self, field: Field) -> Callable[[ExperimentSubject], object]:
        """A function from an experiment to a value of the field, or MISSING."""
        key = field.key
        if field.family == "tag":
            return lambda subject: subject.file.tags.get(key, MISSING)
        return _attribute(_EXPERIMENT_ATTRIBUTES[key])

    def finder(self, text: str) -> Callable[[ExperimentSubject], bool]:
        """Finds a lower-case text in the name, the description and the tags."""
        return lambda subject: text in _experiment_text(subject.file)


_RUN_ATTRIBUTES = {
    "status": "file.status",
    "start_time": "file.start_time",
    "end_time": "file.end_time",
    "run_id": "file.run_id",
    "run_name": "file.name",
    "experiment_name": "experiment.name",
    "parent": "file.parent",
}
_EXPERIMENT_ATTRIBUTES = {
    "name": "file.name",
    "experiment_id": "file.id",
    "creation_time": "creation_time",
    "last_update_time": "last_update_time",
}


def _attribute(path: str) -> Callable[[Any], object]:
    read = attrgetter(path)
    return lambda subject: MISSING if (value := read(subject)) is None else value


def _duration(subject: RunSubject) -> object:
    file = subject.file
    return MISSING if file.end_time is None else file.end_time - file.start_time


def _metric(key: str, fold: Fold) -> Callable[[RunSubject], object]:
    read = attrgetter(fold)

    def value(subject: RunSubject) -> object:
        metric = subject.file.metrics.get(key)
        found = None if metric is None else read(metric)
        return MISSING if found is None else found

    return value


def _best(key: str) -> Callable[[RunSubject], object]:
    def value(subject: RunSubject) -> object:
        metric = subject.file.metrics.get(key)
        best = metric and best_of(metric, goal_of(key, subject.experiment.goal))
        return best[0] if best else MISSING

    return value


def _run_text(run: RunFile) -> str:
    texts = (run.name, *run.params, *map(str, run.params.values()), *run.tags, *run.tags.values())
    return _BETWEEN.join(texts).lower()


def _experiment_text(experiment: ExperimentFile) -> str:
    texts = (experiment.name, experiment.description, *experiment.tags, *experiment.tags.values())
    return _BETWEEN.join(texts).lower()
