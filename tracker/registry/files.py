"""Changes of `model.yaml` and of the files of versions, which keep what people wrote there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tracker import _io, layout
from tracker.codec import check_value
from tracker.exceptions import InvalidValueError
from tracker.names import check_name, check_text
from tracker.registry.claims import HeldClaim
from tracker.schema import Change, RegisteredModelFile, VersionFile
from tracker.yaml_files import MAX_YAML, edit_yaml

_HISTORY = "history"
_File = TypeVar("_File", RegisteredModelFile, VersionFile)


class Editor:
    """Edits the files of one model, which is held meanwhile."""

    def __init__(self, root: Path, slug: str, held: HeldClaim, *, durable: bool) -> None:
        self.root, self.slug = root, slug
        self._held = held
        self._durable = durable

    def model(self, old: RegisteredModelFile, change: Change | None = None, **fields: object) -> RegisteredModelFile:
        """Set fields of `model.yaml`, and add to its history."""
        return self._edit(layout.model_file(self.root, self.slug), old, change, fields)

    def version(self, old: VersionFile, change: Change | None = None, **fields: object) -> VersionFile:
        """The same for the file of a version."""
        return self._edit(layout.version_file(self.root, self.slug, old.version), old, change, fields)

    def _edit(self, path: Path, old: _File, change: Change | None, fields: dict[str, Any]) -> _File:
        added: list[Change] = [] if change is None else [change]
        new = msgspec.structs.replace(old, **fields, history=[*old.history, *added])
        if new != old:
            data = _io.read_file(path, limit=MAX_YAML)
            appended = {_HISTORY: added} if added else {}
            edited = edit_yaml(data, new, fields, appended=appended, last=_HISTORY)
            self._held.check()
            _io.replace_file(path, edited, durable=self._durable)
        return new


def checked_tags(tags: Mapping[str, object] | None) -> dict[str, str]:
    """Tags as texts by name, or InvalidNameError or InvalidValueError."""
    return {check_name(key, "A tag name"): check_value(key, str(value)) for key, value in (tags or {}).items()}


def without(tags: Mapping[str, str], key: str, what: str) -> dict[str, str]:
    """Tags without one; InvalidValueError when it is not there."""
    if key not in tags:
        has = f"It has {', '.join(tags)}." if tags else "It has none."
        raise InvalidValueError(f"{what} has no tag {key!r}. {has}")
    return {name: value for name, value in tags.items() if name != key}


def checked_prose(text: str | None, what: str) -> str:
    """A description or a reason."""
    return check_value(what, check_text(text or "", what))
