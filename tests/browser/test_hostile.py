"""A site of hostile runs in a real browser: nothing that was logged runs, and no other host is asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

import tracker
from site_builder.build import build
from tests.site.hostile import log_hostile_runs

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""
PAGES = 15
"""Runs whose pages are opened; the payloads in them differ in text only."""
DRAWN_MS = 300


@dataclass
class Seen:
    """What a browser did and complained of."""

    complaints: list[str] = field(default_factory=list)
    requests: set[str] = field(default_factory=set)

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.add(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the hostile store, two folders below what the server serves."""
    folder = tmp_path_factory.mktemp("hostile")
    tracker.set_tracking_uri(str(folder / "store"))
    log_hostile_runs(folder / "store")
    (folder / "store" / "pages").mkdir()
    (folder / "store" / "pages" / "about.md").write_text("# About\n\n```python\nprint(1)\n```\n")
    build(folder / "store", folder / "www" / "some" / "path", title="<script>window.PWN=1</script>")
    return folder / "www" / "some" / "path"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, with a profile of its own."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)


class Quiet(SimpleHTTPRequestHandler):
    """A plain web server."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder over http."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_nothing_logged_runs(site: Path, browser: Browser, scheme: str) -> None:
    """Over file:// and http, no page runs a payload, breaks the policy, fails, or asks another host."""
    with served(site.parents[1]) as address:
        base = site.as_uri() if scheme == "file" else f"{address}/some/path"
        seen = Seen()
        page = browser.new_page()
        page.add_init_script(WATCH)
        seen.watch(page)
        for path in chosen_pages(site):
            page.goto(f"{base}/{path}")
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
            page.wait_for_timeout(DRAWN_MS)
            assert page.evaluate("[typeof window.PWN, window.violations]") == ["undefined", []], path
        page.close()
        assert seen.complaints == []
        assert {url for url in seen.requests if not url.startswith((base, "data:image/svg+xml;base64,"))} == set()


def chosen_pages(site: Path) -> list[str]:
    """All pages but those of runs and of versions, and as many of these as there is time for."""
    paths = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    runs = [path for path in paths if path.startswith("runs/") and path != "runs/index.html"]
    versions = [path for path in paths if path.startswith("models/") and path.count("/") == 3]
    compared = ",".join(path.split("/")[1] for path in runs[:4])
    some = [path for many in (runs, versions) for path in many[:: max(1, len(many) // PAGES)]]
    others = [path for path in paths if path not in {*runs, *versions}]
    return [*others, f"compare/index.html?runs={compared}", *some]


def test_files_of_models_do_not_run(site: Path, browser: Browser) -> None:
    """Opened by themselves, published files of hostile models are text or downloads."""
    files = sorted(path for path in site.glob("models/*/*/files/**/*") if path.is_file())
    assert len(files) > 50 and not {path.suffix.lower() for path in files} & {".html", ".svg", ".js", ".xml", ".md"}
    with served(site.parents[1]) as address:
        page = browser.new_page()
        for file in [path for path in files if path.suffix in (".txt", ".json")][:12]:
            page.goto(f"{address}/{quote(file.relative_to(site.parents[1]).as_posix())}")
            assert page.evaluate("typeof window.PWN") == "undefined", file
            assert page.locator("script, svg").count() == 0
        page.close()


def test_copies_of_artifacts_do_not_run(site: Path, browser: Browser) -> None:
    """Opened by themselves, copies of hostile HTML and SVG are shown as text."""
    with served(site.parents[1]) as address:
        page = browser.new_page()
        for copy in sorted(site.rglob("a.*.txt"))[:6]:
            page.goto(f"{address}/{copy.relative_to(site.parents[1]).as_posix()}")
            assert page.evaluate("typeof window.PWN") == "undefined"
            assert page.locator("script, svg").count() == 0
        page.close()
