"""Decides which files of a site have to be made again, makes them into the stage, and remembers what they came from.

What is needed to make pages is loaded for the first page that has to be made: a build with nothing to do loads neither
templates nor views.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from site_builder.authored import MAX_FILE, Authored, file_digest
from site_builder.charts import chart_specifications, charts_key
from site_builder.engine import engine_key, render_shells
from site_builder.model import Site, SiteExperiment, SiteModel, SiteRun, digest_of
from site_builder.output import Made, Manifest, Stage, Target, Unit, VersionTold
from site_builder.theme import code_digest, folder_digest, pages_folder
from tracker import __version__, _clock, _io
from tracker.logs import Problem

if TYPE_CHECKING:
    from site_builder.press import Press

SITE_DATA = "data/v1/site.js"
TIME = "time"
"""The unit that holds the time of the build."""

Progress = Callable[[int, int], None]
"""Told how many of how many runs are done."""


class Assembly:
    """One build. A unit whose inputs are those of the last build is kept as it is."""

    def __init__(self, site: Site, authored: Authored, target: Target, stage: Stage, *, full: bool) -> None:
        self.site = site
        self.authored = authored
        self.units: dict[str, Unit] = {}
        self.problems: list[Problem] = [*site.store.problems, *site.registry_problems]
        self.versions: dict[str, VersionTold] = {}
        """What the pages of versions of models found out, by their paths."""
        self.engine_key = engine_key(site.title, authored, models=bool(site.models))
        self._builder = digest_of(
            __version__, code_digest(), folder_digest(pages_folder()), self.engine_key, charts_key()
        )
        self._target = target
        self._stage = stage
        self._old = {} if full or target.manifest.builder != self._builder else target.manifest.units

    @cached_property
    def press(self) -> Press:
        """Made when the first page has to be."""
        from site_builder.press import Press

        return Press(render_shells(self.site.title, self.authored, self.engine_key, models=bool(self.site.models)))

    @property
    def manifest(self) -> Manifest:
        """What the site is made of now."""
        return Manifest(builder=self._builder, units=self.units, store=self.site.store.file.id)

    @property
    def changed(self) -> bool:
        """Whether anything has to be written or removed."""
        return bool(self._stage.files or self._old.keys() - self.units.keys() - {TIME})

    def add_all(self, progress: Progress | None) -> None:
        """Everything, so that what is made later may tell of what was found earlier."""
        self._add_runs(progress)
        for experiment in self.site.experiments:
            self._add_experiment(experiment)
        for model in self.site.models:
            self._add_model(model)
        self._add_theme()
        self._add_site()
        self._add_site_data()

    def _add_runs(self, progress: Progress | None) -> None:
        total = self.site.total
        for done, run in enumerate(self.site.runs()):
            if progress and done % 100 == 0:
                progress(done, total)
            name, digest = f"run/{run.id}", run.page_digest
            if not self._keeps(name, digest):
                self._write(name, digest, self._made_run(run))
        if progress:
            progress(total, total)

    def _made_run(self, run: SiteRun) -> Made:
        from site_builder.content import make_run

        return make_run(run, self.press, self.site.store.root)

    def _add_experiment(self, found: SiteExperiment) -> None:
        name = f"experiment/{found.slug}"
        if not self._keeps(name, found.runs_digest):
            from site_builder.content import make_experiment

            old = self._old[name].files if name in self._old else {}
            known = {path: size for path, size in old.items() if self._target.has({path: size})}
            self._write(name, found.runs_digest, make_experiment(found, self.press, known))

    def _add_model(self, model: SiteModel) -> None:
        for version in model.versions:
            name = f"version/{model.slug}/{version.number}"
            if not self._keeps(name, version.page_digest):
                from site_builder.registry_content import make_version

                self._write(name, version.page_digest, make_version(version, self.press, self.site.root))
            told = self.units[name].version
            if told:
                self.versions[version.href] = told
        told_of = repr([self.versions.get(version.href) for version in model.versions])
        name, digest = f"model/{model.slug}", digest_of(model.page_digest, told_of)
        if not self._keeps(name, digest):
            from site_builder.registry_content import make_model

            self._write(name, digest, make_model(model, self.versions, self.press))

    def _add_theme(self) -> None:
        if not self._keeps("theme", self.engine_key):
            from site_builder.content import make_theme

            self._write("theme", self.engine_key, make_theme(self.press))
        self.problems += [Problem(f"pages/{path}", None, reason) for path, reason in self.authored.problems]
        for path, source in self.authored.sources().items():
            name, digest = f"file/{path}", file_digest(source)
            if not self._keeps(name, digest):
                self._write(name, digest, Made({}, {path: source}))

    def _add_site(self) -> None:
        self.problems += [Problem(run.place, None, "has the id of another run", run.id) for run in self.site.twins]
        units = [self.units[f"experiment/{found.slug}"] for found in self.site.experiments]
        data = [path for unit in units for path in unit.files if path.startswith("data/")]
        digest = digest_of(self.site.digest, repr(self.problems), repr(self.versions), *data)
        if not self._keeps("site", digest):
            from site_builder.content import make_site

            made = make_site(self.site, self.problems, data, self.versions, self.press, chart_specifications())
            self._write("site", digest, made)

    def _add_site_data(self) -> None:
        """`site.js`, which says when the site was built: when anything in it last changed."""
        epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
        if self.changed or not self._keeps(TIME, digest_of(epoch)):
            from site_builder.content import site_data

            built = int(epoch) * 1000 if epoch.isdecimal() else _clock.now_ms()
            data = site_data(self.site, list(self.units["site"].files), built, len(self.problems))
            self._write(TIME, digest_of(epoch), Made({SITE_DATA: data}))

    def _keeps(self, name: str, digest: str) -> bool:
        """Whether the files of a unit can stay as they are."""
        old = self._old.get(name)
        if old is None or old.digest != digest or not self._target.has(old.files):
            return False
        self.units[name] = old
        if old.problems:
            self.problems += old.problems
        return True

    def _write(self, name: str, digest: str, made: Made) -> None:
        problems = list(made.problems)
        sizes = {path: self._stored(path, data) for path, data in made.files.items()}
        for path, source in made.copies.items():
            try:
                data = _io.read_file(source, limit=MAX_FILE)
            except OSError as error:
                problems.append(Problem(path, None, f"could not be copied: {error.strerror or error}"))
            else:
                sizes[path] = self._stored(path, data)
        self.units[name] = Unit("" if made.failed else digest, sizes, problems, made.version)
        self.problems += problems

    def _stored(self, path: str, data: bytes | int) -> int:
        if isinstance(data, int):
            return data
        self._stage.write(path, data)
        return len(data)
