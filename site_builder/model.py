"""What was read, seen as a site: every experiment, run and registered model with its address, relatives and digest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from site_builder.model_folders import folder_state, model_folder
from tracker import layout, names
from tracker.logs import Problem
from tracker.reader import ReadExperiment, ReadRun, ReadStore
from tracker.registry.reading import ReadModel, ReadRegistry, ReadVersion
from tracker.schema import Goal, MetricSummary, RunFile, VersionFile
from tracker.summary import best_of, goal_of

if TYPE_CHECKING:
    from site_builder.views import RunLink, VersionLink

PRODUCTION, STAGING, ARCHIVED, NO_STAGE = "production", "staging", "archived", "none"
"""The usual stages, in lower case."""


class SiteRun:
    """A run and its place in the site."""

    __slots__ = ("children", "experiment", "file", "id", "parent", "read", "versions")

    def __init__(self, read: ReadRun, experiment: SiteExperiment, run_id: str) -> None:
        self.read = read
        self.file: RunFile = read.file
        self.experiment = experiment
        self.id = run_id
        """The run id, or a digest where the store holds one that cannot be an address."""
        self.parent: SiteRun | None = None
        self.children: list[SiteRun] = []
        self.versions: list[SiteVersion] = []
        """Of registered models, made from this run."""

    @property
    def href(self) -> str:
        """The run's page."""
        return f"runs/{self.id}/index.html"

    @property
    def place(self) -> str:
        """The run's folder, relative to the store."""
        return f"{layout.EXPERIMENTS}/{self.read.slug}/{layout.RUNS}/{self.file.run_id}"

    @property
    def parent_id(self) -> str | None:
        """Id of the parent, when the store has it."""
        return self.parent.id if self.parent else None

    @property
    def duration(self) -> int | None:
        """Milliseconds; None while it runs."""
        end = self.file.end_time
        return None if end is None or self.file.status == "RUNNING" else end - self.file.start_time

    @property
    def link(self) -> RunLink:
        """The run as other pages name it."""
        from site_builder.views import RunLink

        return RunLink(self.id, self.file.name, self.href, self.file.status)

    @property
    def inputs(self) -> str:
        """Changes when anything of the run or its experiment's file does."""
        return self.read.digest + self.experiment.digest

    @property
    def version(self) -> str:
        """The same in short, for the address of the run's data."""
        return digest_of(self.inputs)[:10]

    @property
    def page_digest(self) -> str:
        """Changes when anything on the run's page does, its relatives included."""
        if not self.parent and not self.children and not self.versions:
            return self.inputs
        relatives = [*self.children, self.parent] if self.parent else self.children
        versions = (f"{version.href} {version.model.name} {version.inputs}" for version in self.versions)
        return digest_of(self.inputs, *(f"{run.id} {run.file.name} {run.file.status}" for run in relatives), *versions)


class SiteExperiment:
    """An experiment and its place in the site."""

    def __init__(self, read: ReadExperiment) -> None:
        self.read = read
        self.name = read.file.name
        self.slug = read.slug if names.is_slug(read.slug) else f"x-{digest_of(read.slug)}"
        self.href = f"experiments/{self.slug}/index.html"
        self.digest = digest_of(msgspec.json.encode(read.file).decode(), self.slug)[:12]
        self.runs: list[SiteRun] = []
        """Newest first."""
        self._goals: dict[str, Goal | None] = {}

    def goal(self, metric: str) -> Goal | None:
        """Whether more or less is better: as declared, else as the name says."""
        if metric not in self._goals:
            self._goals[metric] = goal_of(metric, self.read.file.goal)
        return self._goals[metric]

    def best(self, key: str, metric: MetricSummary) -> tuple[float, int] | None:
        """The best value of a metric of one run, and its step."""
        return best_of(metric, self.goal(key))

    def ranked(self, metrics: Iterable[str]) -> list[str]:
        """Those metrics that have a goal, the declared ones first, then those of validation."""
        declared = {key: index for index, key in enumerate(self.read.file.goal)}
        directed = [key for key in metrics if self.goal(key)]
        return sorted(directed, key=lambda key: (declared.get(key, len(declared)), "val" not in key.lower(), key))

    @cached_property
    def metric_counts(self) -> Counter[str]:
        """How many runs have each metric."""
        return Counter(key for run in self.runs for key in run.file.metrics)

    @cached_property
    def primary(self) -> str | None:
        """The metric that stands for the experiment: the first declared one, else the most common one with a goal."""
        ranked = self.ranked(self.metric_counts)
        declared = [key for key in ranked if key in self.read.file.goal]
        return declared[0] if declared else max(ranked, key=self.metric_counts.__getitem__, default=None)

    @cached_property
    def runs_digest(self) -> str:
        """Changes when anything of any run does."""
        return digest_of(self.digest, *(run.page_digest for run in self.runs))


class SiteVersion:
    """A version of a registered model and its place in the site."""

    def __init__(self, read: ReadVersion, model: SiteModel, run: SiteRun | None, root: Path) -> None:
        self.read = read
        self.file: VersionFile = read.file
        self.number = read.file.version
        self.model = model
        self.run = run
        self.folder, self.damage = (None, "") if read.file.deleted else model_folder(root, read.file.path)
        """Where its files lie, and why that is not known: both empty for a version that is deleted."""

    @property
    def href(self) -> str:
        """The version's page."""
        return f"models/{self.model.slug}/{self.number}/index.html"

    @property
    def place(self) -> str:
        """Its file, relative to the store."""
        return f"{self.model.place}/{layout.VERSIONS}/{self.number}.yaml"

    @property
    def shown_stage(self) -> str:
        """Its stage in a word."""
        return "deleted" if self.file.deleted else self.file.stage

    @property
    def tone(self) -> str:
        """How its stage is drawn."""
        return "deleted" if self.file.deleted else self.model.tone_of(self.file.stage)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The aliases that stand for it, directly or through others."""
        return self.read.aliases

    @property
    def problems(self) -> list[Problem]:
        """What the registry found wrong with its file."""
        return [problem for problem in self.model.read.problems if problem.path == self.place]

    @property
    def link(self) -> VersionLink:
        """The version as other pages name it."""
        from site_builder.views import VersionLink

        return VersionLink(self.model.name, self.number, self.href, self.shown_stage, self.tone)

    @cached_property
    def inputs(self) -> str:
        """Changes when anything of the version itself does: its file, its model's files, its aliases, its run."""
        state = folder_state(self.folder) if self.folder else self.damage
        run = f"{self.run.href}{self.run.inputs}" if self.run else ""
        told = repr((self.aliases, self.tone, self.problems))
        return digest_of(msgspec.json.encode(self.file).decode(), state, run, told)

    @cached_property
    def page_digest(self) -> str:
        """Changes when anything on the version's page does: what it is compared with, and its neighbours, included."""
        neighbours = (version.href for version in self.model.neighbours(self) if version)
        other = self.model.production
        compared = other.inputs if other and other is not self else ""
        return digest_of(self.inputs, self.model.name, compared, str(self.model.newest is self), *neighbours)


class SiteModel:
    """A registered model and its place in the site."""

    def __init__(self, read: ReadModel, site: Site) -> None:
        self.read = read
        self.name = read.file.name
        self.slug = read.slug if names.is_slug(read.slug) else f"x-{digest_of(read.slug)}"
        self.href = f"models/{self.slug}/index.html"
        self.place = f"{layout.REGISTRY}/{read.slug}"
        """Its folder, relative to the store."""
        self.production_stage = _production_stage(read.stages)
        ordered = sorted(read.versions, key=lambda version: -version.file.version)
        self.versions = [SiteVersion(version, self, site.run(version.file.run_id), site.root) for version in ordered]
        """Newest first, deleted ones included."""
        self._places = {version.number: place for place, version in enumerate(self.versions)}

    def version(self, number: int) -> SiteVersion | None:
        """A version by its number."""
        place = self._places.get(number)
        return None if place is None else self.versions[place]

    def tone_of(self, stage: str) -> str:
        """How a stage is drawn."""
        word = stage.lower()
        if word == self.production_stage.lower():
            return PRODUCTION
        return word if word in (STAGING, ARCHIVED, NO_STAGE) else "other"

    def neighbours(self, version: SiteVersion) -> tuple[SiteVersion | None, SiteVersion | None]:
        """The version before and the one after it."""
        place = self._places[version.number]
        before = self.versions[place + 1] if place + 1 < len(self.versions) else None
        return before, self.versions[place - 1] if place else None

    @cached_property
    def newest(self) -> SiteVersion | None:
        """The newest version that is not deleted."""
        return next((version for version in self.versions if not version.file.deleted), None)

    @cached_property
    def productions(self) -> list[SiteVersion]:
        """The versions in production, newest first."""
        return [version for version in self.versions if version.tone == PRODUCTION]

    @property
    def production(self) -> SiteVersion | None:
        """The newest of them."""
        return self.productions[0] if self.productions else None

    @cached_property
    def page_digest(self) -> str:
        """Changes when anything on the model's page does."""
        file = msgspec.json.encode(self.read.file).decode()
        return digest_of(file, self.slug, repr(self.read.problems), *(version.inputs for version in self.versions))


def _production_stage(stages: tuple[str, ...]) -> str:
    """Production where there is one, else the last stage before the archive."""
    named = [stage for stage in stages if stage.lower() == PRODUCTION]
    others = [stage for stage in stages if stage.lower() not in (ARCHIVED, NO_STAGE)]
    return (named or others or ["Production"])[-1]


class Site:
    """Everything that pages are made of."""

    def __init__(
        self, store: ReadStore, title: str, registry: ReadRegistry | None = None, kinds: Sequence[str] = ()
    ) -> None:
        self.kinds = kinds
        """What other stores it was made of, in words."""
        self.store = store
        self.root = store.root
        self.title = title
        self.twins: list[SiteRun] = []
        """Runs whose id another run has, too."""
        self.experiments = [SiteExperiment(read) for read in store.experiments]
        self._by_id: dict[str, SiteRun] = {}
        for experiment in self.experiments:
            experiment.runs = [self._make_run(read, experiment) for read in experiment.read.runs]
        self._join_families()
        self.registry_problems: list[Problem] = list(registry.problems) if registry else []
        self.models = [SiteModel(read, self) for read in registry.models] if registry else []
        """Registered models, by name."""
        self._join_versions()

    def runs(self) -> Iterator[SiteRun]:
        """The runs of all experiments."""
        for experiment in self.experiments:
            yield from experiment.runs

    @property
    def total(self) -> int:
        """How many runs there are."""
        return sum(len(experiment.runs) for experiment in self.experiments)

    @cached_property
    def digest(self) -> str:
        """Changes when anything that was read does."""
        problems = repr(self.store.problems)
        experiments = [experiment.runs_digest for experiment in self.experiments]
        return digest_of(self.title, problems, *experiments, *(model.page_digest for model in self.models))

    def run(self, run_id: str | None) -> SiteRun | None:
        """A run by its id."""
        return self._by_id.get(run_id) if run_id else None

    def _make_run(self, read: ReadRun, experiment: SiteExperiment) -> SiteRun:
        run_id = read.file.run_id
        safe_id = run_id if names.is_run_id(run_id) else digest_of(run_id)
        twin = safe_id in self._by_id
        run = SiteRun(read, experiment, digest_of(read.slug, run_id) if twin else safe_id)
        if twin:
            self.twins.append(run)
        self._by_id[run.id] = run
        return run

    def _join_families(self) -> None:
        for run in self.runs():
            if run.file.parent and run.file.parent != run.file.run_id:
                run.parent = self._by_id.get(run.file.parent)
                if run.parent:
                    run.parent.children.append(run)

    def _join_versions(self) -> None:
        for model in self.models:
            for version in model.versions:
                if version.run:
                    version.run.versions.append(version)


def digest_of(*parts: str) -> str:
    """32 hex digits for some texts."""
    return hashlib.blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()
