"""What registered models, aliases and stages may be called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tracker.exceptions import InvalidNameError, InvalidValueError, did_you_mean
from tracker.names import check_name

NO_STAGE = "None"
ARCHIVED = "Archived"
STAGES = (NO_STAGE, "Staging", "Production", ARCHIVED)
LATEST = "latest"
MAX_ALIAS = 255
MAX_VERSION = (1 << 31) - 1

_ALIAS = re.compile(r"[\w-]+")
_LIKE_A_VERSION = re.compile(r"[vV]?[0-9]+")


def check_registered_name(name: object) -> str:
    """The name of a registered model, or InvalidNameError."""
    text = check_name(name, "The name of a registered model")
    for character in "/:":
        if character in text:
            raise InvalidNameError(
                f"The name of a registered model cannot hold {character!r}, which separates the parts of a URI: "
                f"{text!r:.100}. Use another character, such as '-'."
            )
    return text


def check_alias(alias: object, stages: Sequence[str] = ()) -> str:
    """An alias, or InvalidNameError: what could be read as a version or as a stage of the model is none."""
    text = check_name(alias, "An alias")
    if len(text) > MAX_ALIAS:
        raise InvalidNameError(f"An alias has at most {MAX_ALIAS} characters; this one has {len(text):,}: {text:.60}…")
    if not _ALIAS.fullmatch(text):
        raise InvalidNameError(f"{text!r:.100} is no alias. An alias has letters, digits, '_' and '-' only.")
    if text.lower() == LATEST or _LIKE_A_VERSION.fullmatch(text):
        raise InvalidNameError(f"{text!r} cannot be an alias, since it means a version already. Choose another word.")
    if find_stage(text, stages) is not None:
        raise InvalidNameError(f"{text!r} cannot be an alias, since a stage has this name. Choose another word.")
    return text


def is_alias(text: str, stages: Sequence[str]) -> bool:
    """Whether a text can be an alias of a model with these stages."""
    try:
        return bool(check_alias(text, stages))
    except InvalidNameError:
        return False


def version_number(selector: object) -> int | None:
    """The number that a selector writes, or None when it is something else, such as an alias or a stage."""
    text = str(selector)
    if isinstance(selector, bool) or not (text.isascii() and text.isdecimal()) or len(text) > len(str(MAX_VERSION)):
        return None
    return int(text)


def check_version(version: object) -> int:
    """The number of a version, or InvalidValueError."""
    number = version_number(version)
    if number is None or not 1 <= number <= MAX_VERSION:
        raise InvalidValueError(f"{version!r:.100} is no version. Versions are numbers such as 1.")
    return number


def stages_of(named: Sequence[str]) -> tuple[str, ...]:
    """The stages of a model, from its `stages`: by default the usual four, and `None` always."""
    if not named:
        return STAGES
    return tuple(named) if NO_STAGE in named else (NO_STAGE, *named)


def find_stage(stage: str, stages: Sequence[str]) -> str | None:
    """A stage as the model spells it, whatever the case; None when the model has no such stage."""
    return next((known for known in stages if known.lower() == stage.lower()), None)


def check_stage(stage: object, stages: Sequence[str], model: str) -> str:
    """The same, or InvalidValueError with the stages that there are."""
    found = find_stage(stage, stages) if isinstance(stage, str) else None
    if found is None:
        raise InvalidValueError(
            f"{stage!r:.100} is no stage of {model!r}.{did_you_mean(str(stage), stages)} "
            f"Its stages are {', '.join(stages)}; `stages` in its model.yaml sets others."
        )
    return found
