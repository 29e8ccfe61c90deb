"""Which fields a query can name: for runs, and for experiments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tracker.query.nodes import Family, Field, Fold

Kind = Literal["number", "typed", "text", "status", "time", "duration"]
"""What a field is compared with; "typed" is a param or tag, which takes numbers, bools and text."""

STATUSES = ("RUNNING", "FINISHED", "FAILED", "KILLED", "STALE", "SCHEDULED")
"""`SCHEDULED` is MLflow's; no run of ours has it."""

FUNCTIONS: tuple[Fold, ...] = ("best", "min", "max", "last", "first", "mean")

_PREFIXES: dict[str, Family] = {
    "metrics": "metric",
    "metric": "metric",
    "params": "param",
    "param": "param",
    "parameters": "param",
    "parameter": "param",
    "tags": "tag",
    "tag": "tag",
    "attributes": "attribute",
    "attribute": "attribute",
    "attr": "attribute",
    "run": "attribute",
}


class Attribute(NamedTuple):
    """An attribute under its canonical name."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the fields of one kind of thing are called."""

    prefixes: Mapping[str, Family]
    attributes: Mapping[str, Attribute]
    """By each of its spellings, in lower case."""
    tags: Mapping[str, str]
    """MLflow's own tags that are attributes here: key -> canonical name of the attribute."""

    def kind(self, field: Field) -> Kind:
        """What the field is compared with."""
        if field.family == "attribute":
            return self.attributes[field.key].kind
        return "number" if field.family == "metric" else "typed"


def _attributes(kind: Kind, **spellings: str) -> dict[str, Attribute]:
    """Attributes of one kind: the canonical name and, split by commas, its other spellings."""
    return {
        spelling: Attribute(name, kind)
        for name, others in spellings.items()
        for spelling in (name, *filter(None, others.split(",")))
    }


RUNS = Vocabulary(
    prefixes=_PREFIXES,
    attributes={
        **_attributes("status", status=""),
        **_attributes("time", start_time="created", end_time=""),
        **_attributes("duration", duration=""),
        **_attributes("text", run_id="", run_name="name", experiment_name="experiment", parent="parent_run_id"),
    },
    tags={"mlflow.runName": "run_name", "mlflow.parentRunId": "parent"},
)

EXPERIMENTS = Vocabulary(
    prefixes={prefix: family for prefix, family in _PREFIXES.items() if family in ("tag", "attribute")},
    attributes={
        **_attributes("text", name="experiment_name", experiment_id=""),
        **_attributes("time", creation_time="created", last_update_time=""),
    },
    tags={},
)

_REGISTRY_PREFIXES: dict[str, Family] = {
    **{prefix: family for prefix, family in _PREFIXES.items() if family in ("tag", "attribute") and prefix != "run"},
    "model": "attribute",
    "version": "attribute",
}
_REGISTRY_TIMES = _attributes(
    "time", creation_timestamp="created,creation_time", last_updated_timestamp="updated,last_update_time"
)

REGISTERED_MODELS = Vocabulary(
    prefixes=_REGISTRY_PREFIXES,
    attributes={**_attributes("text", name="", description=""), **_REGISTRY_TIMES},
    tags={},
)

MODEL_VERSIONS = Vocabulary(
    prefixes=_REGISTRY_PREFIXES,
    attributes={
        **_attributes("number", version_number="version"),
        **_attributes(
            "text", name="", run_id="", source_path="source", current_stage="stage", description="", digest=""
        ),
        **_REGISTRY_TIMES,
    },
    tags={},
)
