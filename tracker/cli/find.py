"""Which run somebody means: by its id, the beginning or end of its id, or its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from tracker.exceptions import InvalidValueError, NotFoundError, did_you_mean
from tracker.query import RunSubject
from tracker.reader import ReadExperiment, ReadRun, ReadStore

SHORTEST_ID = 8
SHOWN = 5


class Found(NamedTuple):
    """A run and its experiment."""

    run: ReadRun
    experiment: ReadExperiment

    @property
    def subject(self) -> RunSubject:
        """What stands in their files."""
        return RunSubject(self.run.file, self.experiment.file)


def find_run(store: ReadStore, reference: str) -> Found:
    """The one run that is meant; NotFoundError for none, InvalidValueError for several."""
    runs = [Found(run, experiment) for experiment in store.experiments for run in experiment.runs]
    matches = [found for found in runs if found.run.file.run_id == reference.lower()] or [
        found for found in runs if _matches(found.run, reference)
    ]
    if len(matches) > 1:
        raise InvalidValueError(_several(reference, matches))
    if not matches:
        names = (found.run.file.name for found in runs)
        hint = did_you_mean(reference, names) or " `tracker list` shows the runs that are there."
        raise NotFoundError(f'There is no run "{reference}" in {store.root}.{hint}')
    return matches[0]


def _matches(run: ReadRun, reference: str) -> bool:
    part = reference.lower()
    return run.file.name == reference or run.file.run_id.startswith(part) or run.file.run_id.endswith(part)


def _several(reference: str, matches: Sequence[Found]) -> str:
    shown = [f"  {found.run.file.run_id}  {found.run.file.name}" for found in matches[:SHOWN]]
    more = [f"  and {len(matches) - SHOWN} more"] if len(matches) > SHOWN else []
    return "\n".join([f'{len(matches)} runs match "{reference}". Name one by its id:', *shown, *more])


def id_length(ids: Iterable[str]) -> int:
    """How many digits at their end, the random part, tell all ids apart."""
    length = SHORTEST_ID
    for before, after in pairwise(sorted({run_id[::-1] for run_id in ids})):
        while before[:length] == after[:length]:
            length += 1
    return length
