"""A store in the cache folder that holds exactly what some sources hold, so that a site can be built of them.

Done again, only what changed is written. Files that a site copies are copied; large ones get a second name.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tracker import _clock, _io, codec, layout, names, settings
from tracker.artifact_files import list_files
from tracker.exceptions import StoreError
from tracker.foreign.impersonal import folder_name
from tracker.foreign.importing import Import, Target
from tracker.foreign.own import OwnStore
from tracker.foreign.placing import LARGEST_PUBLISHED, LEFT_OUT, MIRRORED, Placing
from tracker.foreign.records import ForeignExperiment, ForeignModel, ForeignRun, ForeignStore, derived_id
from tracker.foreign.registry_files import RegistryImport, imported_as
from tracker.foreign.run_files import RunFiles
from tracker.logs import Problem
from tracker.reader import ReadExperiment, folders
from tracker.registry.claims import claim
from tracker.registry.reading import iter_models
from tracker.schema import SCHEMA, ExperimentFile, StoreFile
from tracker.store import Store, slugs_of
from tracker.yaml_files import yaml_bytes

STORES = "stores"
_STATE_FILE = "mirror.json"
_MAX_STATE = 1 << 26
_WHOLE = Placing(LARGEST_PUBLISHED + 1, LARGEST_PUBLISHED)
"""For models that are published."""


class Mirrored(Struct, frozen=True):
    """A store that was brought up to date with its sources."""

    root: Path
    problems: tuple[Problem, ...]
    """What could not be read; paths begin with the name of the source where there are several."""


class _ModelState(Struct, frozen=True):
    """What a registered model was made of, and what was told then."""

    digest: str
    problems: list[Problem] = []


class _State(Struct):
    """`mirror.json`: what the store was made of the last time."""

    traces: str = ""
    """Of the sources; empty where they are read every time."""
    models: dict[str, _ModelState] = {}
    running: list[str] = []
    """Logs of runs without an end."""
    read: int = 0
    """When the sources were read, UTC milliseconds."""
    problems: list[Problem] = []


@contextlib.contextmanager
def mirrored(
    sources: Sequence[ForeignStore], traces: str, progress: Callable[[int, int], None] | None = None
) -> Iterator[Mirrored]:
    """Bring the store of these sources up to date, and keep others from changing it meanwhile.

    Runs keep their ids; of two with the same id, or two versions with the same number, the second is a problem.
    Experiments of the same name become one. Nothing is read where the traces are those of the last time. Raises
    StorageError, and StoreError while another process holds it.
    """
    key = derived_id("mirror", *(str(source.source) for source in sources))
    root = settings.cache_folder() / STORES / key
    try:
        _io.make_folder(root, inside=root)
    except OSError as error:
        remedy = "Set TRACKER_CACHE to a folder that can be written."
        raise StoreError(f"{root} cannot be made: {error.strerror or error}. {remedy}") from None
    with _io.explained("prepare the sources in", root), claim(root):
        title = next((source.title for source in sources if isinstance(source, OwnStore)), "")
        _bring(layout.store_file(root), yaml_bytes(StoreFile(SCHEMA, title=title, id=key)))
        yield Mirrored(root, tuple(_Mirror(root, traces).fill(sources, progress)))


def labels(sources: Sequence[ForeignStore]) -> list[str]:
    """What tells sources apart, for people: their names, with the folders they lie in where names are the same."""
    folders = [source.root if source.source.is_file() else source.source for source in sources]
    names = [folder.name for folder in folders]
    return [
        folder.name if names.count(folder.name) == 1 else f"{folder_name(folder.parent, '~')}/{folder.name}"
        for folder in folders
    ]


class _Mirror:
    """One round."""

    def __init__(self, root: Path, traces: str) -> None:
        self._root = root
        self._store = Store.open(root)
        self._store.durable = False
        self._old = _read_state(root / _STATE_FILE)
        self._new = _State(traces, read=_clock.now_ms())

    def fill(self, sources: Sequence[ForeignStore], progress: Callable[[int, int], None] | None) -> list[Problem]:
        """Bring over all sources, and remove what none of them has any more; what could not be read."""
        if self._is_current():
            return self._old.problems
        _io.discard(self._root / _STATE_FILE)  # from now on it may be neither the old store nor the new one
        target = _MirrorTarget(self._store)
        total, done = sum(source.count() for source in sources), 0
        models: dict[str, list[tuple[_MirrorImport, ForeignModel]]] = {}
        for source, label in zip(sources, labels(sources), strict=True):
            work = _MirrorImport(source, target, f"{label}/" if len(sources) > 1 else "", self._new.running)
            for experiment in source.experiments():
                work.add_experiment(experiment)
            for run in source.runs():
                if progress:
                    progress(min(done, total), total)
                work.add_run(run)
                done += 1
            found = list(source.models())
            for model in found:
                models.setdefault(model.file.name, []).append((work, model))
            if not found:
                work.tell_if_empty()
            self._new.problems += work.labelled(source.problems) + work.problems
        self._bring_models(models)
        self._prune(target)
        if progress:
            progress(total, total)
        return self._new.problems

    def _is_current(self) -> bool:
        """Whether nothing has changed since the last time; runs without an end then stay as fresh as they were."""
        old = self._old
        if not old.traces or old.traces != self._new.traces:
            return False
        if old.running and self._new.read - old.read > settings.STALE_MS:
            return False  # time alone may have changed their status
        try:
            for path in old.running:
                _io.touch(-1, self._root / path)
        except OSError:
            return False
        return True

    def _bring_models(self, models: dict[str, list[tuple[_MirrorImport, ForeignModel]]]) -> None:
        """Registered models as their sources have them; made anew whenever anything that they are made of changes."""
        states, before = {}, Counter[str]()
        for name, parts in models.items():
            slug = names.slug_of(name, "model")
            states[name] = _ModelState(_digest_of(parts, before[slug]))
            before[slug] += 1
        current: set[str] = set()
        for found in iter_models(self._root):
            state, old = states.get(found.name), self._old.models.get(found.name)
            if state is not None and old is not None and state.digest == old.digest:
                states[found.name] = old
                current.add(found.name)
            else:
                _io.remove_tree(found.folder)  # before others are made, which get its place
        for name, parts in models.items():
            for work, model in parts if name not in current else ():
                _RegistryMirror(work, states[name].problems).add_model(model)
            self._new.problems += states[name].problems
        self._new.models = states

    def _prune(self, target: _MirrorTarget) -> None:
        for run_id, folder in target.known.items():
            if run_id not in target.seen:
                _io.remove_tree(folder)
        for slug in folders(layout.experiments(self._root)):
            if slug not in target.slugs:
                _io.remove_tree(layout.experiment(self._root, slug))
            for unfinished in layout.runs(self._root, slug).glob(f"{layout.ASIDE}*"):
                _io.remove_tree(unfinished)
        _bring(self._root / _STATE_FILE, codec.json_file(self._new))


class _MirrorTarget(Target):
    """The store, and what of it was found in the sources of this round."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.ids = {"0"}
        self.placed: dict[str, ReadExperiment] = {}
        self.slugs: set[str] = set()
        """Where those lie."""

    def kept(self, name: str) -> ReadExperiment | None:
        """The experiment of the last round, where a build from nothing would put it; else its place is made free."""
        wanted = next((slug for slug in slugs_of(name) if slug not in self.slugs), "")
        found = self.experiments.pop(name, None)
        if found is not None and found.slug == wanted:
            return found
        if found is not None:
            _io.remove_tree(found.folder)
        if wanted and _io.is_folder(layout.experiment(self.store.root, wanted)):
            _io.remove_tree(layout.experiment(self.store.root, wanted))
            self.experiments = {one.file.name: one for one in self.experiments.values() if one.slug != wanted}
        return None


class _MirrorImport(Import):
    """One source of a round."""

    _target: _MirrorTarget

    def __init__(self, foreign: ForeignStore, target: _MirrorTarget, label: str, running: list[str]) -> None:
        super().__init__(foreign, target, "copy", MIRRORED, label)
        self.store, self.source = target.store, foreign.root
        self._hidden: set[str] = set()
        self._running = running

    def labelled(self, problems: Sequence[Problem]) -> list[Problem]:
        """Problems of the source, with its name before their paths."""
        return [msgspec.structs.replace(problem, path=f"{self.label}{problem.path}") for problem in problems]

    def add_experiment(self, experiment: ForeignExperiment) -> None:
        """The same for all but deleted ones, which no site shows."""
        if experiment.deleted:
            self._hidden.add(experiment.key)
        else:
            super().add_experiment(experiment)

    def add_run(self, run: ForeignRun) -> None:
        """The same for all but deleted ones."""
        if not run.deleted and run.experiment not in self._hidden:
            super().add_run(run)

    def _experiment_for(self, file: ExperimentFile) -> ReadExperiment:
        """The experiment with exactly what the file says; of several sources with one the first decides."""
        placed = self._target.placed.get(file.name)
        found = placed or self._target.kept(file.name) or self._target.store.add_experiment(file)
        wanted = msgspec.structs.replace(file, id=file.id or found.file.id)
        if placed:
            tags, goal = {**file.tags, **placed.file.tags}, {**file.goal, **placed.file.goal}
            description = placed.file.description or file.description
            wanted = msgspec.structs.replace(placed.file, description=description, tags=tags, goal=goal)
        if wanted != found.file:
            _io.replace_file(found.folder / layout.EXPERIMENT_FILE, yaml_bytes(wanted), durable=False)
        self._target.placed[file.name] = found = msgspec.structs.replace(found, file=wanted)
        self._target.slugs.add(found.slug)
        return found

    def _new_experiment_id(self, name: str) -> str:
        """The same whenever the site is built from nothing."""
        return str(int(derived_id("experiment", name)[:15], 16))

    def _bring_run(self, run: ForeignRun, files: RunFiles) -> Path:
        folder = layout.run(self._target.store.root, self._place(run.experiment).slug, run.run_id)
        known = self._target.known.get(run.run_id)
        if known != folder or not files.are_all_of(folder, self._placing):
            if known is not None:
                _io.remove_tree(known)
            self._write(run, files)
        if files.file.status == "RUNNING":
            log = folder / layout.LOG / files.log_name
            _io.touch(-1, log)  # nobody else does, and it is as fresh as its source
            self._running.append(log.relative_to(self._target.store.root).as_posix())
        for artifact in files.artifacts:
            if artifact.size > LARGEST_PUBLISHED and not (folder / layout.ARTIFACTS / artifact.path).exists():
                self.tell(f"{run.place}/{layout.ARTIFACTS}/{artifact.path}", LEFT_OUT, run.run_id)
        return folder


class _RegistryMirror(RegistryImport):
    """Adds registered models that the store does not have."""

    def __init__(self, work: _MirrorImport, told: list[Problem]) -> None:
        def tell(place: str, reason: str) -> None:
            told.append(work.problem(place, reason))

        super().__init__(work.store, work.source, work.imported, _WHOLE, tell)

    def _keeps_aliases(self, model: ForeignModel) -> bool:
        """Always: nobody set them just now."""
        return True

    def _placed(self, slug: str, folder: Path) -> Path:
        """In its run, unless the site would publish files that have two names there."""
        found = self._imported_as(folder)
        files = list(list_files(found)) if found else []
        linked, size = any(file.links > 1 for file in files), sum(file.bytes for file in files)
        return self._copied(slug, folder) if found is None or (linked and size <= LARGEST_PUBLISHED) else found


def _digest_of(parts: Sequence[tuple[_MirrorImport, ForeignModel]], others: int) -> str:
    """Changes when anything of a model does: of its files sizes and times tell, and where they are in the store.

    `others` is the number of models that have the place in the store that this one would have else.
    """
    state = hashlib.blake2b(f"{others}".encode(), digest_size=16)
    for work, model in parts:
        state.update(repr(model).encode(errors="surrogatepass"))
        for version in model.versions:
            if version.folder is None:
                continue
            state.update(f"{imported_as(version.folder, work.imported)}\0".encode(errors="surrogatepass"))
            for file in list_files(version.folder):
                state.update(f"{file.name} {file.bytes} {file.modified}\0".encode(errors="surrogatepass"))
    return state.hexdigest()


def _read_state(path: Path) -> _State:
    try:
        return msgspec.json.decode(_io.read_file(path, limit=_MAX_STATE), type=_State)
    except (OSError, msgspec.MsgspecError):
        return _State()


def _bring(path: Path, data: bytes) -> None:
    """Write a file that does not hold this already."""
    with contextlib.suppress(OSError):
        if _io.read_file(path, limit=len(data)) == data:
            return
    _io.replace_file(path, data, durable=False)
