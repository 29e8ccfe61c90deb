"""The only module that imports mkdocs: it renders authored pages and one shell for each kind of data page.

What it rendered is kept in the user's cache folder under a digest of everything that goes into it, so that most
builds load neither mkdocs nor its theme.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import msgspec

from site_builder.authored import Authored, html_path
from site_builder.cached import cached_bytes
from site_builder.docs_tree import page_source, write_file, write_tree
from site_builder.prose import Found, read_prose
from site_builder.theme import assets_folder, files_below, folder_digest, material_folder
from tracker.exceptions import MissingPackageError, SiteError
from tracker.installed import installed_version

TITLE, DESCRIPTION, CONTENT = "tracker-mark-title", "tracker-mark-description", "<div>tracker-mark-content</div>"
"""Where a shell is filled."""
SHELLS = {
    "home": "index.md",
    "experiments": "experiments/index.md",
    "experiment": "experiments/shell/index.md",
    "runs": "runs/index.md",
    "run": "runs/shell/index.md",
    "models": "models/index.md",
    "model": "models/shell/index.md",
    "version": "models/shell/shell/index.md",
    "compare": "compare/index.md",
    "problems": "problems/index.md",
}
"""The kinds of data pages, each at the depth where its pages lie."""
PACKAGES = ("mkdocs", "mkdocs-material", "markdown", "pymdown-extensions", "pygments", "jinja2")

_SITE_MARK = "tracker-mark-site"
"""Stands for the title until it can be escaped: MkDocs escapes nothing."""
_REFERENCE = re.compile(r"""(?:href|src)=["']?([^"'\s>#?]+)""")


CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""The Content-Security-Policy of every page. The theme has no inline script, so none is allowed."""


class Rendered(msgspec.Struct, frozen=True):
    """What MkDocs made."""

    shells: dict[str, str]
    """HTML of each kind of page with the marks TITLE, DESCRIPTION and CONTENT."""
    files: dict[str, bytes]
    """Authored pages, and the scripts and styles that any page needs, by path in the site."""
    prose: list[Found] = []
    """What the search finds in authored pages."""
    problems: list[str] = []
    """What MkDocs warned of."""


def engine_key(title: str, authored: Authored, *, models: bool = False) -> str:
    """A digest of everything that decides what `render_shells` makes; needs no mkdocs."""
    parts = (
        title,
        models,
        authored.digest,
        folder_digest(material_folder()),
        folder_digest(assets_folder()),
        hashlib.blake2b(b"".join(path.read_bytes() for path in _sources()), digest_size=16).hexdigest(),
        *map(_version, PACKAGES),
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def render_shells(title: str, authored: Authored, key: str, *, models: bool = False) -> Rendered:
    """Shells, authored pages and assets, from the cache when they were made before.

    `models` says whether the header has a tab for registered models.
    """
    data = cached_bytes("shells", key, lambda: msgspec.msgpack.encode(_render(title, authored, models=models)))
    return msgspec.msgpack.decode(data, type=Rendered)


def front_matter(kind: str, title: str, description: str) -> dict[str, str]:
    """What the theme's template of data pages reads."""
    return {"template": "data.html", "kind": kind, "title": title, "description": description}


def _sources() -> tuple[Path, ...]:
    here = Path(__file__)
    return tuple(here.with_name(name) for name in ("engine.py", "docs_tree.py", "authored.py", "prose.py"))


def _version(package: str) -> str:
    version = installed_version(package)
    if version is None:
        raise MissingPackageError("Building a site", "site")
    return version


def _render(title: str, authored: Authored, *, models: bool) -> Rendered:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tracker-") as temporary:
        folder = Path(temporary)
        write_tree(folder, title=_SITE_MARK, csp=CSP, authored=authored, models=models)
        for kind, path in SHELLS.items():
            write_file(folder / "docs" / path, page_source(front_matter(kind, TITLE, DESCRIPTION), CONTENT))
        problems = _run_mkdocs(folder)
        return _collect(folder / "site", html.escape(title), authored, problems)


def _collect(site: Path, title: str, authored: Authored, problems: list[str]) -> Rendered:
    def read(path: str) -> str:
        return (site / html_path(path)).read_text("utf-8").replace(_SITE_MARK, title)

    shells = {kind: _squeezed(read(path)) for kind, path in SHELLS.items()}
    for kind, shell in shells.items():
        _check_marks(kind, shell)
    pages = {html_path(path): read(path) for path, _ in authored.pages}
    assets = _referenced(site, pages | {html_path(path): shells[kind] for kind, path in SHELLS.items()})
    assets |= {f"assets/{path.relative_to(assets_folder()).as_posix()}" for path in files_below(assets_folder())}
    files = {path: page.encode() for path, page in pages.items()}
    files |= {path: (site / path).read_bytes() for path in sorted(assets)}
    prose = [found for path, page in pages.items() for found in read_prose(page, path)]
    return Rendered(shells, files, prose, problems)


def _squeezed(shell: str) -> str:
    """Without the blank lines and indents that templates leave; a shell has no preformatted text."""
    return re.sub(r"\s*\n\s*", "\n", shell).strip() + "\n"


def _check_marks(kind: str, shell: str) -> None:
    for mark in (TITLE, CONTENT, "Content-Security-Policy"):
        if mark not in shell:
            raise SiteError(f"The theme's template of {kind} pages has no place for {mark}. Check theme/material.")


def _referenced(site: Path, pages: dict[str, str]) -> set[str]:
    """Scripts, styles and images of the theme that pages name, by their paths in the site."""
    found = set()
    for path, page in pages.items():
        for href in _REFERENCE.findall(page):
            target = urljoin(f"/{path}", href)[1:]
            if target.startswith("assets/") and (site / target).is_file():
                found.add(target)
    return found


def _run_mkdocs(folder: Path) -> list[str]:
    """Build a tree with MkDocs; its warnings."""
    with _quiet(), _warnings() as warnings:
        try:
            from mkdocs.commands.build import build
            from mkdocs.config import load_config
        except ImportError:
            raise MissingPackageError("Building a site", "site") from None
        try:
            build(load_config(str(folder / "mkdocs.yml")))
        except (Exception, SystemExit) as error:  # what a page makes MkDocs raise may be anything
            reasons = " ".join([*warnings, str(error)])
            raise SiteError(f"MkDocs could not render the pages of the site: {reasons}") from error
    return [warning.replace(str(folder / "docs"), "pages") for warning in warnings]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the theme's notice about the next major version of MkDocs, which this package does not allow."""
    before = os.environ.get("NO_MKDOCS_2_WARNING")
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    try:
        yield
    finally:
        os.environ.pop("NO_MKDOCS_2_WARNING")
        if before is not None:
            os.environ["NO_MKDOCS_2_WARNING"] = before


@contextlib.contextmanager
def _warnings() -> Iterator[list[str]]:
    """The warnings of MkDocs as a list instead of lines on the terminal."""
    import logging

    found: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("mkdocs")
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates
