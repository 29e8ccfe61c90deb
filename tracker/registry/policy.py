"""`registry/policy.yaml`: what a version must have to be in a stage. Read strictly, for a slip there opens the gate."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from tracker import _io, layout
from tracker.exceptions import InvalidValueError, did_you_mean
from tracker.yaml_files import MAX_YAML, read_plain_yaml

Requirement = Literal["signature", "input_example", "safe_format", "description", "run"]
REQUIREMENTS: tuple[str, ...] = get_args(Requirement)

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_THRESHOLD = re.compile(r"(<=|>=|==|!=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")


class Threshold(Struct, frozen=True):
    """What a metric must be, such as `>= 0.9`."""

    comparison: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """From a comparison and a number; ValueError for anything else."""
        found = _THRESHOLD.fullmatch(text.strip())
        if not found:
            raise ValueError(f"{text!r:.100} is no threshold. Use a comparison and a number, such as '>= 0.9'.")
        return cls(found[1], float(found[2]))

    def holds(self, value: float) -> bool:
        """Whether a value is as it must be; NaN never is."""
        return value == value and _COMPARISONS[self.comparison](value, self.bound)

    def __str__(self) -> str:
        return f"{self.comparison} {self.bound:g}"


class StageRules(Struct, frozen=True):
    """What holds for one stage."""

    at_most: Annotated[int, Meta(ge=0)] | None = None
    """How many versions of one model may be in it."""
    requires: list[Requirement] = []
    metrics: dict[str, str] = {}
    """A threshold for the last value of each metric of the run that made the version."""
    reason: bool = False
    """Transitions into it need a reason."""
    by: list[str] = []
    """Who may move versions into it; anybody when it is empty."""

    def thresholds(self) -> dict[str, Threshold]:
        """The thresholds by metric."""
        return {metric: Threshold.parse(text) for metric, text in self.metrics.items()}


class Policy(Struct, frozen=True):
    """The rules of a registry by stage."""

    stages: dict[str, StageRules] = {}


DEFAULT_POLICY = Policy({"Production": StageRules(at_most=1)})
"""What holds without a policy file."""


def read_policy(root: Path | str) -> Policy:
    """The policy of a store, or the default one. InvalidValueError names what is wrong in the file."""
    path = layout.policy_file(Path(root))
    try:
        data = _io.read_file(path, limit=MAX_YAML)
    except FileNotFoundError:
        return DEFAULT_POLICY
    except OSError as error:
        raise InvalidValueError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        return parse_policy(data)
    except ValueError as error:
        raise InvalidValueError(f"{path}: {error}") from None


def parse_policy(data: bytes) -> Policy:
    """A policy from YAML; ValueError says what is wrong, with the nearest word that is right."""
    plain = read_plain_yaml(data)
    _check_words(plain, ("stages",), "A policy")
    stages = plain.get("stages") if isinstance(plain, dict) else None
    for stage, rules in stages.items() if isinstance(stages, dict) else ():
        _check_words(rules, StageRules.__struct_fields__, f"The stage {stage!r}")
        if isinstance(rules, dict):
            _check_words(rules.get("requires"), REQUIREMENTS, f"`requires` of {stage!r}")
    try:
        policy = msgspec.convert({} if plain is None else plain, Policy)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    for rules in policy.stages.values():
        rules.thresholds()
    return policy


def _check_words(found: object, known: Sequence[str], where: str) -> None:
    """ValueError for a key or an item that there is not."""
    for word in found if isinstance(found, dict | list) else ():
        if word not in known:
            near = did_you_mean(str(word), known)
            raise ValueError(f"{where} cannot have {str(word)!r:.100}.{near} It can have {', '.join(known)}.")
