"""The files of a model, each verified before anything reads it.

What a flavor loads are the bytes that were hashed: it gets them from `read`, or files in a private copy from `copy`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path

import msgspec

from tracker import _io, layout
from tracker.exceptions import ChangedModelError, InvalidValueError, ModelError, UntrustedModelError, did_you_mean
from tracker.model_uri import ModelPlace, find_model
from tracker.models import digests, from_code
from tracker.models.formats import PICKLES, Format, format_of
from tracker.models.info import ModelInfo
from tracker.models.inspection import MAX_PICKLE, ModelFacts, data_file, inspect_folder
from tracker.models.mlmodel import Model
from tracker.schema import Manifest, ManifestEntry

Trust = bool | str
"""True, or the digest (`sha256:…`) that the model must have."""

_saved_here: set[str] = set()
_with_code: dict[str, OpenedModel] = {}
_SHOWN_IMPORTS = 12
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class _Hashed:
    """A file that is read, with the digest of what was read of it."""

    def __init__(self, file: BufferedReader) -> None:
        self._file, self._digest, self._size = file, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self._digest.update(data)
        self._size += len(data)
        return data

    @property
    def entry(self) -> ManifestEntry:
        """Digest and size so far."""
        return ManifestEntry(self._digest.hexdigest(), self._size)


class OpenedModel:
    """A model whose files are what its manifest says. Made by `open_model`."""

    def __init__(self, place: ModelPlace, model: Model, manifest: Manifest, trusted: bool) -> None:
        self.uri = place.uri
        self.folder = place.folder
        self.run_id = place.run_id
        """The run that the URI or the registry names, or an empty text."""
        self.model = model
        """What its MLmodel file says."""
        self.manifest = manifest
        self.trusted = trusted
        """Whether code that comes with it may run."""
        self._copy: Path | None = None
        self._copying = threading.Lock()

    @functools.cached_property
    def format(self) -> Format:
        """How it is stored."""
        return format_of(self.model)

    def flavor(self, name: str) -> dict[str, object]:
        """The facts of one flavor; ModelError when the model lacks it."""
        if name not in self.model.flavors:
            has = ", ".join(self.model.flavors)
            raise ModelError(f"{self.uri} is no {name} model: it has the flavors {has}. Load it with one of these.")
        return self.model.flavors[name]

    def path_of(self, facts: dict[str, object], *keys: str, default: str = "") -> str:
        """The path under the first of some keys of a flavor's facts; ModelError when the model has no such file."""
        path = next((str(facts[key]) for key in keys if facts.get(key)), default)
        self._listed(path)
        return path

    def has(self, path: str) -> bool:
        """Whether the model has a file or folder of this path."""
        return bool(self._below(path))

    def read(self, path: str) -> bytes:
        """The bytes of one file, checked against its digest."""
        wanted = self.manifest.files[self._file(path)]
        with _io.explained("read", self.folder / path), _io.open_regular(self.folder / path) as file:
            data = file.read(wanted.bytes + 1)
        found = ManifestEntry(hashlib.sha256(data).hexdigest(), len(data))
        digests.check_entry(self.folder, path, wanted, found)
        return data

    def copy(self, path: str = "") -> Path:
        """A private copy of a file or folder (the whole model without a path), checked while it is made.

        It lives as long as this object or the process, and nobody else can write to it.
        """
        paths = self._listed(path) if path else list(self.manifest.files)
        with self._copying:
            base = self._private()
            for name in paths:
                target = base / name
                if not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self.copy_file(name, target)
        return base / path

    def copy_file(self, path: str, target: Path) -> None:
        """Copy one file, checked while it is copied; nothing is left there when it was changed."""
        with _io.explained("copy", self.folder / path), _io.open_regular(self.folder / path) as file:
            hashed = _Hashed(file)
            _io.copy_file(hashed, target, durable=False)
        try:
            digests.check_entry(self.folder, path, self.manifest.files[path], hashed.entry)
        except ChangedModelError:
            _io.discard(target)
            raise

    def live_with(self, loaded: object) -> None:
        """Keep the private copy for as long as what was made of it: it may open its files at any time."""
        with contextlib.suppress(TypeError):  # a few built-in types cannot be watched
            weakref.finalize(loaded, id, self)

    def require_trust(self) -> None:
        """UntrustedModelError unless the model is the store's own, or the caller vouched for it."""
        if not self.trusted:
            raise UntrustedModelError(_refusal(self))

    def use_code(self) -> None:
        """Let the Python files that came with it be imported, if there are any; they must be trusted."""
        facts = [self.model.flavors[name] for name in self.model.flavors if self.model.flavors[name].get("code")]
        if facts:
            self.require_trust()
            kept = _with_code.setdefault(self.manifest.digest, self)  # imports may come at any time
            from_code.import_from(kept.copy(kept.path_of(facts[0], "code")))

    def _private(self) -> Path:
        if self._copy is None:
            self._copy = Path(tempfile.mkdtemp(prefix="tracker-model-"))
            weakref.finalize(self, shutil.rmtree, self._copy, ignore_errors=True)
        return self._copy

    def _below(self, path: str) -> list[str]:
        return [name for name in self.manifest.files if name == path or name.startswith(f"{path}/")]

    def _listed(self, path: str) -> list[str]:
        found = self._below(path)
        if not found:
            known = did_you_mean(path, self.manifest.files)
            raise ModelError(f"{self.uri} has no file {path!r}, though its MLmodel file names it.{known}")
        return found

    def _file(self, path: str) -> str:
        if path not in self.manifest.files:
            self._listed(path)
            raise ModelError(f"{path!r} in {self.uri} is a folder, where a file was expected.")
        return path


def open_model(uri: str | os.PathLike[str], *, trust: Trust = False, root: Path | None = None) -> OpenedModel:
    """Open a model by its URI, with every file verified; `root` is a store other than the session's.

    Raises NotFoundError, ModelError for what is no model, ChangedModelError when a file is not what its digest says.
    """
    check_trust(trust)
    place = find_model(uri, root=root)
    if not (place.folder / layout.MLMODEL_FILE).is_file():
        Model.load(place.folder)  # says what is wrong
    listed = digests.read_manifest(place.folder)
    if listed is not None:
        digests.verify(place.folder, listed)
    manifest = listed or digests.make_manifest(place.folder)  # MLflow writes none
    _check_digest(place, manifest, trust)
    model = Model.parse(_mlmodel(place, manifest), str(place.folder / layout.MLMODEL_FILE))
    if listed is None and model.tracker_version:
        raise ChangedModelError(
            f"{place.folder / layout.MANIFEST_FILE} is missing, though tracker saved this model, so nobody can tell "
            "whether its files were changed. It is not loaded. Get it again from where it came."
        )
    trusted = place.in_store or bool(trust) or manifest.digest in _saved_here
    return OpenedModel(place, model, manifest, trusted)


def check_trust(trust: Trust) -> None:
    """InvalidValueError for what neither says that a model is trusted, nor which one."""
    if not (isinstance(trust, bool) or (isinstance(trust, str) and _DIGEST.fullmatch(trust))):
        raise InvalidValueError(
            f"trust is True or sha256:<64 hex digits>, but it is {trust!r}. `tracker models inspect` shows the digest."
        )


def get_model_info(model_uri: str | os.PathLike[str]) -> ModelInfo:
    """What log_model() told of the model behind a path or URI. Every file is verified; nothing of it is run."""
    opened = open_model(model_uri)
    model = opened.model
    return ModelInfo(opened.uri, model.artifact_path, opened.run_id or model.run_id, model, opened.manifest.digest)


def inspect_model(uri: str | os.PathLike[str], *, verify: bool = True) -> ModelFacts:
    """What a model is, without loading it; what is wrong with it stands in `problems`."""
    place = find_model(uri)
    facts = inspect_folder(place.folder, look_inside=True, verify=verify)
    if place.digest and facts.digest and facts.digest != place.digest:
        changed = f"{place.folder} has the digest {facts.digest}, but was registered with {place.digest}."
        return msgspec.structs.replace(facts, problems=(*facts.problems, changed))
    return facts


def remember_saved(digest: str) -> None:
    """Trust a model that this very process has saved."""
    _saved_here.add(digest)


def _mlmodel(place: ModelPlace, manifest: Manifest) -> bytes:
    entry = manifest.files.get(layout.MLMODEL_FILE)
    if entry is None:
        raise ChangedModelError(f"The manifest of {place.folder} does not list its {layout.MLMODEL_FILE} file.")
    data = _io.read_file(place.folder / layout.MLMODEL_FILE, limit=entry.bytes)
    digests.check_entry(
        place.folder, layout.MLMODEL_FILE, entry, ManifestEntry(hashlib.sha256(data).hexdigest(), len(data))
    )
    return data


def _check_digest(place: ModelPlace, manifest: Manifest, trust: Trust) -> None:
    if place.digest and manifest.digest != place.digest:
        raise ChangedModelError(
            f"{place.uri} was registered with the digest {place.digest}, but {place.folder} has {manifest.digest}: the "
            f"files there, or {layout.MANIFEST_FILE}, were replaced. Compare {place.folder} with what was registered. "
            "It is not loaded."
        )
    if isinstance(trust, str) and trust != manifest.digest:
        raise ChangedModelError(
            f"{place.uri} has the digest {manifest.digest}, and you trust {trust}. It is not loaded."
        )


def _refusal(opened: OpenedModel) -> str:
    """Why a model is not loaded, what it would do, and what to do."""
    wants = _imports(opened)
    imports = f" It would import {wants}." if wants else ""
    return (
        f"{opened.uri} was not loaded: it lies outside of the store, and its format is {opened.format.name}. "
        f"{opened.format.meaning}{imports} Look at it with `tracker models inspect`; "
        f'then load it with trust=True, or pin it with trust="{opened.manifest.digest}".'
    )


def _imports(opened: OpenedModel) -> str:
    if opened.format.name not in PICKLES:
        return ""
    from tracker.models.pickles import imports_of

    name = data_file(opened.model)
    if name not in opened.manifest.files or opened.manifest.files[name].bytes > MAX_PICKLE:
        return ""
    try:
        found: Iterable[str] = sorted({f"{item.module}.{item.name}" for item in imports_of(opened.read(name))})
    except ModelError as error:
        return f"what cannot be told ({error})"
    shown = list(found)
    more = f" and {len(shown) - _SHOWN_IMPORTS} more" if len(shown) > _SHOWN_IMPORTS else ""
    return ", ".join(shown[:_SHOWN_IMPORTS]) + more
