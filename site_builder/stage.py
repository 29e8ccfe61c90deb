"""`--stage-only`: the site as a plain tree of documents, which MkDocs and its drop-in fork build without us."""

from __future__ import annotations

import time
from pathlib import Path

from site_builder.assembly import Assembly
from site_builder.build import BuildResult, Stores, frozen, paths_of, read_pages, read_site, result_of
from site_builder.docs_tree import page_source, write_tree
from site_builder.engine import CSP, Rendered, front_matter, render_shells
from site_builder.output import Stage, Target, staging
from site_builder.press import Press
from site_builder.render import View
from tracker.exceptions import SiteError
from tracker.foreign.opening import opened
from tracker.foreign.table_columns import ColumnMap

_DATA_PAGES = ("index.html", "experiments/", "runs/", "models/", "compare/", "problems/")
_PLAIN = str.maketrans({"<": "‹", ">": "›", '"': "”"})
"""MkDocs does not escape the name of a site."""


def stage(
    stores: Stores,
    folder: Path | str,
    *,
    kind: str | None = None,
    columns: ColumnMap | None = None,
    title: str | None = None,
    pages: Path | str | None = None,
) -> BuildResult:
    """Write mkdocs.yml, docs/ and overrides/ into a new folder. Raises SiteError when it is there and not empty."""
    started = time.perf_counter()
    out = Path(folder).resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SiteError(f"{folder} is not empty. Name a new folder for the staged pages.")
    target = Target(out)
    with opened(paths_of(stores), kind, columns) as source, frozen(), staging(target) as plain:
        site, authored = read_site(source, title), read_pages(source, pages)
        tree = _DocsStage(plain.folder)
        models = bool(site.models)
        write_tree(plain.folder, title=site.title.translate(_PLAIN), csp=CSP, authored=authored, models=models)
        assembly = Assembly(site, authored, target, tree, full=True)
        assembly.press = _Source(render_shells(site.title, authored, assembly.engine_key, models=models))
        assembly.add_all(None)
        if out.exists():
            out.rmdir()
        plain.folder.rename(out)
    return result_of(Path(folder), assembly, len(tree.files), 0, time.perf_counter() - started, source.sources)


class _DocsStage(Stage):
    """Writes into `docs/`, data pages as Markdown."""

    def write(self, path: str, data: bytes) -> None:
        """Write a new file below `docs/`."""
        is_page = path.startswith(_DATA_PAGES) and path.endswith(".html")
        super().write(f"docs/{path.removesuffix('.html')}.md" if is_page else f"docs/{path}", data)


class _Source(Press):
    """Makes the sources of pages: front matter and the content as one block of HTML."""

    def __init__(self, rendered: Rendered) -> None:
        super().__init__(Rendered(rendered.shells, {}, rendered.prose, rendered.problems))

    def page(self, view: View) -> bytes:
        """The source of a view's page."""
        frame = view.frame
        return page_source(front_matter(frame.kind, frame.title, frame.description), self.content(view))
