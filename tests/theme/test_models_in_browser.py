"""The pages of registered models in a browser: found by search, read by keyboard, on a phone and without scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

import tracker
from site_builder.build import build
from tests.site.registry import make_registry

from .test_in_browser import ARGUMENTS, DESKTOP, PHONE, new_context

pytestmark = pytest.mark.browser

PAGES = (
    "index.html", "models/index.html", "models/iris/index.html", "models/iris/2/index.html", "models/iris/3/index.html",
    "models/copied/1/index.html",
)  # fmt: skip
LEAST = 24
"""Pixels that a finger needs."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small registry, two folders below what is served."""
    folder = tmp_path_factory.mktemp("models")
    tracker.set_tracking_uri(str(folder / "store"))
    make_registry(folder / "store")
    build(folder / "store", folder / "www" / "some" / "path")
    return folder / "www" / "some" / "path"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, with a profile of its own."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a desktop; its test fails when a script does."""
    context = new_context(browser, DESKTOP)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


class Quiet(SimpleHTTPRequestHandler):
    """A plain web server."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


def test_the_code_names_the_address_that_the_reader_sees(page: Page, site: Path) -> None:
    """Over http the code that loads a version from the site has the site's own address; in files, a stand-in."""
    card = page.locator("[data-site-address]")
    page.goto((site / "models" / "iris" / "2" / "index.html").as_uri())
    expect(card).to_contain_text('"https://address-of-this-site/models/iris/2/"')
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site.parents[1]))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}/some/path"
        page.goto(f"{base}/models/iris/2/index.html")
        expect(card).to_contain_text(f'"{base}/models/iris/2/"')
        server.shutdown()


def test_the_search_finds_models_and_their_versions(page: Page, site: Path) -> None:
    """The name leads to the model, a stage or an alias to the version."""
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("iris")
    titles = page.locator(".tk-search__title")
    expect(titles.first).to_have_text("iris")
    expect(page.locator(".tk-search__kind", has_text="Version")).to_have_count(3)
    page.get_by_role("combobox").fill("champion")
    expect(titles).to_have_text(["iris 2"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("iris version 2")


def test_drawings_are_links_that_a_keyboard_reaches(page: Page, site: Path) -> None:
    """Each point of the metric and each bar of a stage is a link with a name, and leads to its version."""
    page.goto((site / "models" / "iris" / "index.html").as_uri())
    points = page.get_by_role("region", name="val/accuracy").get_by_role("link")
    expect(points).to_have_count(3)
    expect(points.nth(1)).to_have_accessible_name("Version 2: 0.9")
    bars = page.get_by_role("region", name="Stages over time").get_by_role("link")
    expect(bars).to_have_count(3)
    bars.first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("iris version")


@pytest.mark.parametrize("script", [True, False])
def test_nothing_but_tables_scrolls_sideways(browser: Browser, site: Path, script: bool) -> None:
    """Every page of models is as wide as a phone, with and without scripts."""
    context = new_context(browser, PHONE, java_script_enabled=script)
    page = context.new_page()
    for path in PAGES:
        page.goto((site / path).as_uri())
        page.wait_for_load_state("load")
        assert page.locator("html").evaluate("page => page.scrollWidth") == PHONE[0], path
    context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_drawings_can_be_met_with_a_finger(browser: Browser, site: Path, size: tuple[int, int]) -> None:
    """Points and bars are at least 24 pixels wide and high, and do not cover each other."""
    context = new_context(browser, size)
    page = context.new_page()
    page.goto((site / "models" / "iris" / "index.html").as_uri())
    boxes = [link.bounding_box() for link in page.locator(".tk-point a, .tk-span a").all()]
    found = [(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) for box in boxes if box]
    assert len(found) == len(boxes) == 6
    assert all(right - left >= LEAST and bottom - top >= LEAST for left, top, right, bottom in found)
    for place, (left, top, right, bottom) in enumerate(found):
        for other in found[place + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    context.close()


def test_a_card_is_whole_without_scripts(browser: Browser, site: Path) -> None:
    """Metrics, signature, example, code and history are visible, and there is no dead button."""
    context = new_context(browser, DESKTOP, java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "models" / "iris" / "3" / "index.html").as_uri())
    for name in ("Metrics of this version and of the one in production", "What the model takes and gives"):
        expect(page.get_by_role("table", name=name)).to_be_visible()
    expect(page.get_by_text('tracker.pyfunc.load_model("models:/iris/3")')).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()


def test_code_can_be_copied(page: Page, site: Path) -> None:
    """Beside each piece of code and each name is a button that copies it."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto((site / "models" / "iris" / "2" / "index.html").as_uri())
    page.get_by_role("region", name="Load it").get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
