"""What MLflow's words mean here, whatever it keeps them in: files or a database."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from tracker import layout
from tracker.foreign.mlruns_tags import restored
from tracker.foreign.places import below
from tracker.foreign.records import Dataset, ForeignRun, ForeignVersion, derived_id, iso, typed
from tracker.masking import clean_remote
from tracker.names import is_run_id
from tracker.schema import MAX_TIME, Change, Source, Status, VersionFile
from tracker.snapshot import PARENT_TAG, RUN_NAME_TAG
from tracker.summary import Series

Fields = dict[str, str]
"""The fields of a thing of MLflow's as text, an empty text for null; the names are those of its meta.yaml."""
Point = tuple[int, int, float]
"""Step, time and value."""
PROMPT_TAG = "mlflow.prompt.is_prompt"
CONTEXT_TAG = "mlflow.data.context"
_REPOSITORY = "mlflow.source.git.repoURL"
_ELSEWHERE = {"mlflow.user", "mlflow.source.name", _REPOSITORY, RUN_NAME_TAG, PARENT_TAG}
"""Tags that stand elsewhere in our files, or that name a person."""
_DELETED = "Deleted_Internal"
"""MLflow's name for the stage of a version that was deleted."""
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
_STATUS: dict[str, Status] = {
    "1": "RUNNING",
    "2": "RUNNING",
    "3": "FINISHED",
    "4": "FAILED",
    "5": "KILLED",
    "RUNNING": "RUNNING",
    "SCHEDULED": "RUNNING",
    "FINISHED": "FINISHED",
    "FAILED": "FAILED",
    "KILLED": "KILLED",
}


def make_run(
    experiment: str,
    key: str,
    facts: Fields,
    *,
    params: Fields,
    tags: Fields,
    series: dict[str, Series],
    datasets: Iterable[Dataset],
    artifacts: Path | None,
    elsewhere: str,
    models: list[tuple[str, Path]],
    deleted: bool,
    place: str,
) -> ForeignRun:
    """A run in our terms. `key` is its id in MLflow, `models` are names and folders of those that it logged."""
    start = time_of(facts.get("start_time")) or min((min(one.times) for one in series.values()), default=0)
    found = ForeignRun(
        run_id=run_id_of(experiment, key),
        experiment=experiment,
        name=tags.get(RUN_NAME_TAG) or facts.get("run_name") or facts.get("name") or key[:8],
        status=_STATUS.get(facts.get("status", ""), "FINISHED" if facts.get("end_time") else "KILLED"),
        start_time=start,
        end_time=time_of(facts.get("end_time")),
        parent=run_id_of(experiment, tags[PARENT_TAG].strip()) if tags.get(PARENT_TAG) else None,
        params={name: typed(text) for name, text in params.items()},
        tags={name: text for name, text in tags.items() if name not in _ELSEWHERE},
        series=series,
        datasets=tuple(datasets),
        source=_source(tags),
        artifacts=artifacts,
        artifacts_elsewhere=elsewhere,
        models=_named(models, artifacts),
        deleted=deleted or facts.get("lifecycle_stage") == "deleted",
        place=place,
    )
    return restored(found)


def series_of(points: Collection[Point]) -> Series:
    """Points that differ, at least one, in MLflow's order: by step, time and value, where no number is below a NaN."""
    has_nan = any(value != value for _, _, value in points)
    ordered = sorted(points, key=_with_nan_first) if has_nan else sorted(points)
    steps, times, values = (list(column) for column in zip(*ordered, strict=True))
    return Series(steps, values, times)


def _with_nan_first(point: Point) -> tuple[int, int, bool, float]:
    step, time, value = point
    return step, time, value == value, value


def make_version(number: int, facts: Fields, tags: Fields, folder: Path | None) -> ForeignVersion:
    """A version of a registered model in our terms, with the history that MLflow knows of."""
    created = time_of(facts.get("creation_timestamp")) or 0
    changed = max(created, time_of(facts.get("last_updated_timestamp")) or 0)
    stage = facts.get("current_stage") or "None"
    history = [Change(iso(created), "registered", to=str(number))]
    deleted = stage == _DELETED
    if deleted:
        history.append(Change(iso(changed), "deleted"))
        stage = "None"
    elif stage != "None":
        history.append(Change(iso(changed), "stage", "None", stage))
    file = VersionFile(
        version=number,
        path="",
        digest="",
        source=facts.get("source", ""),
        run_id=facts.get("run_id", ""),
        stage=stage,
        description=facts.get("description", ""),
        tags=tags,
        created=iso(created),
        deleted=deleted,
        history=history,
    )
    return ForeignVersion(file, folder)


def run_id_of(experiment: str, key: str) -> str:
    """The id of a run; MLflow takes other words for ids than we do."""
    return key if is_run_id(key) else derived_id("mlruns", experiment, key)


def time_of(text: str | None) -> int | None:
    """UTC milliseconds, or None for what is no time."""
    try:
        value = int(text or "")
    except ValueError:
        return None
    return value if 0 <= value <= MAX_TIME else None


def model_folder(facts: Fields, find: Callable[[str, bool], Path | None]) -> Path | None:
    """The folder of a version, whatever machine its URIs are of; None where the store does not have it.

    `find` knows the folders of runs, and those of logged models if it is told that the id is of one.
    """
    uris = [facts.get(key, "").replace("\\", "/") for key in ("storage_location", "source")]
    for uri in uris:
        parts = uri.split("/")
        for index, part in enumerate(parts):
            is_model = _MODEL_ID.fullmatch(part)
            if not is_model and (not part or part != facts.get("run_id")):
                continue
            rest = [] if is_model else parts[index + 1 :]
            if rest and rest[0] != layout.ARTIFACTS:
                rest.insert(0, layout.ARTIFACTS)  # a runs:/ URI
            base = find(part, bool(is_model))
            if base is not None and (folder := below(base, rest or [layout.ARTIFACTS])) is not None:
                return folder
    return None


def _named(models: list[tuple[str, Path]], artifacts: Path | None) -> dict[str, Path]:
    """Models by the name that each gets among the artifacts: `model`, then `model-2`."""
    found: dict[str, Path] = {}
    for name, folder in models:
        free, number = name, 1
        while free in found or (artifacts is not None and os.path.lexists(artifacts / free)):
            number += 1
            free = f"{name}-{number}"
        found[free] = folder
    return found


def _source(tags: Fields) -> Source | None:
    """What the run's tags say of its code; of a path only the name, for the rest may name its owner."""
    script = tags.get("mlflow.source.name", "").replace("\\", "/").rpartition("/")[2]
    commit, branch = tags.get("mlflow.source.git.commit"), tags.get("mlflow.source.git.branch")
    remote = clean_remote(tags.get(_REPOSITORY, ""))
    return Source(script or None, commit or None, branch, remote=remote) if script or commit or remote else None
