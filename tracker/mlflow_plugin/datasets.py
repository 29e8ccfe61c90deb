"""The data sets that a run used: a tag for each, and an artifact with all that MLflow's client told of them.

An import keeps them in the same way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from mlflow.entities import Dataset, DatasetInput, InputTag
from msgspec import Struct

from tracker import _io, codec, layout
from tracker.foreign.impersonal import impersonal
from tracker.foreign.run_files import DATASET_TAG, DATASETS_FILE
from tracker.registry.claims import claim
from tracker.run import ActiveRun

CONTEXT = "mlflow.data.context"
MAX_DATASETS = 1 << 26
"""Bytes of the largest file of data sets that is read."""


class KeptDataset(Struct, frozen=True, omit_defaults=True):
    """An entry of `datasets.json`."""

    name: str
    digest: str = ""
    context: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""
    source_type: str = ""
    tags: dict[str, str] = {}
    """Those of the input, but for its context."""


def add_datasets(run: ActiveRun, inputs: list[Any]) -> None:
    """Note the data sets that a run uses; one that it has already stays as it is. Where an artifact of somebody's has
    the name of the file, there are only the tags."""
    with claim(run.folder):  # several processes may log to one run
        known = _read(run.folder)
        names = {(one.name, one.digest) for one in known or ()}
        new = [one for one in map(_kept, inputs) if (one.name, one.digest) not in names]
        if not new:
            return
        everything = [*(known or ()), *new]
        run.set_tags(
            {f"{DATASET_TAG}{name}": _label(name, everything) for name in dict.fromkeys(one.name for one in new)}
        )
        if known is not None:
            run.log_bytes(codec.json_file(everything), DATASETS_FILE)


def _read(run_folder: Path) -> list[KeptDataset] | None:
    """The data sets of a run; None where a file that is not of ours has the place of theirs."""
    try:
        data = _io.read_file(run_folder / layout.ARTIFACTS / DATASETS_FILE, limit=MAX_DATASETS)
        return msgspec.json.decode(data, type=list[KeptDataset])
    except FileNotFoundError:
        return []
    except (OSError, RecursionError, UnicodeDecodeError, msgspec.MsgspecError):
        return None


def inputs_of(run_folder: Path) -> list[Any]:
    """The data sets of a run as MLflow's client has them."""
    return [
        DatasetInput(
            Dataset(
                name=one.name,
                digest=one.digest,
                source_type=one.source_type,
                source=one.source,
                schema=one.schema or None,
                profile=one.profile or None,
            ),
            [
                InputTag(key, value)
                for key, value in {**({CONTEXT: one.context} if one.context else {}), **one.tags}.items()
            ],
        )
        for one in _read(run_folder) or ()
    ]


def _kept(given: Any) -> KeptDataset:
    dataset = given.dataset
    tags = {tag.key: str(tag.value) for tag in given.tags or ()}
    return KeptDataset(
        name=dataset.name,
        digest=dataset.digest or "",
        context=tags.pop(CONTEXT, ""),
        source=impersonal(dataset.source or ""),
        schema=dataset.schema or "",
        profile=dataset.profile or "",
        source_type=dataset.source_type or "",
        tags=tags,
    )


def _label(name: str, datasets: list[KeptDataset]) -> str:
    """What the tag of a data set says: its digests, each with what it was used for."""
    same = (one for one in datasets if one.name == name)
    return ", ".join(f"{one.digest} ({one.context})" if one.context else one.digest for one in same)
