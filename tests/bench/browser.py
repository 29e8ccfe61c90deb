"""What a reader's browser does: bytes of the first load, the table of many runs, fifty curves. Needs Chromium."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import url2pathname

from playwright.sync_api import CDPSession, Page, sync_playwright

from tracker import layout

from .measure import Figure, run_python
from .place import Place
from .sizes import Size

CHROMIUM = os.environ.get("TRACKER_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PARAMS, METRICS = 24, 12
COLUMNS = 4 + PARAMS + METRICS
"""Name, status, start and duration come first."""
CURVES, CURVE_POINTS = 50, 1_000
REPEATS = 3
WATCH_TASKS = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask" });
"""


def measure(size: Size, place: Place) -> Iterator[Figure]:
    """CPU milliseconds of the page's process, from its start; bytes as a web server sends them."""
    many = place.store(size.many, params=PARAMS, metrics=METRICS, steps=1)
    few = place.store(min(CURVES, size.many), params=4, metrics=1, steps=CURVE_POINTS)
    table, curves = _build(place, many), _build(place, few)
    yield from _first_load(table)
    home = min(_open_home(table) for _ in range(REPEATS))
    yield from _least([_use_table(table, home) for _ in range(REPEATS)])
    runs = [path.name for path in layout.runs(few, "sweep").iterdir()]
    yield from _least([_draw_curves(curves, runs, home) for _ in range(REPEATS)])


def _build(place: Place, store: Path) -> Path:
    site = place.folder / store.name
    run_python("-m", "tracker.cli", "build", store, "--out", site)
    return site


def _least(turns: list[list[Figure]]) -> list[Figure]:
    """Of each figure the turn in which it was least."""
    return [min(same, key=lambda figure: figure.value) for same in zip(*turns, strict=True)]


class _Tab:
    """A page of a fresh browser."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page = page
        self._session = session

    def cpu(self) -> float:
        """Milliseconds that the page's process has used so far, once what was asked for is on the screen."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return next(float(metric["value"]) * 1000 for metric in metrics if metric["name"] == "ProcessTime")


@contextmanager
def _browse(address: str) -> Iterator[_Tab]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(WATCH_TASKS)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.goto(address, wait_until="commit")
        yield _Tab(page, session)
        browser.close()


def _first_load(site: Path) -> Iterator[Figure]:
    """Everything that the home page asks for before it is idle, each file packed on its own."""
    asked: list[str] = []
    with _browse("about:blank") as tab:
        tab.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        tab.page.goto((site / "index.html").as_uri(), wait_until="networkidle")
    files = {Path(url2pathname(unquote(path))) for path in asked}
    packed = sum(len(gzip.compress(path.read_bytes(), 6)) for path in files)
    yield Figure(f"first load of home, {len(files)} files packed", packed / 1000, "kB", budget=250)
    page = next((site / "runs").glob("*/index.html"))
    yield Figure("HTML of a run page", page.stat().st_size / 1000, "kB", budget=25)


def _open_home(site: Path) -> float:
    with _browse((site / "index.html").as_uri()) as tab:
        tab.page.wait_for_load_state("networkidle")
        return tab.cpu()


def _use_table(site: Path, home: float) -> list[Figure]:
    """Open the table with all columns, sort it, and search in it."""
    columns = [("col", f"metric:metric-{number}") for number in range(METRICS)]
    columns += [("col", f"param:{name}") for name in ("model", "lr", *(f"param-{n}" for n in range(PARAMS - 2)))]
    address = f"{(site / 'runs' / 'index.html').as_uri()}?{urlencode(columns)}"
    sort = 'th[data-column="metric:metric-3"]'
    with _browse(address) as tab:
        tab.page.wait_for_selector(".tk-grid tbody tr:nth-child(3)")
        usable = tab.cpu()
        assert tab.page.locator(".tk-grid thead th").count() == COLUMNS
        sorting = _cost(tab, lambda: tab.page.click(f"{sort} button"), f".tk-grid {sort}[aria-sort]")
        query = "metrics.`metric-1` < 0.05 and params.model = 'svm'"
        rows = tab.page.get_attribute(".tk-grid table", "aria-rowcount")
        changed = f'.tk-grid table:not([aria-rowcount="{rows}"])'
        searching = _cost(tab, lambda: tab.page.fill(".tk-query__input", query), changed)
    return [
        Figure(
            f"table of {int(rows or 1) - 1:,} runs x {COLUMNS} columns, usable", usable, "ms", home, "home alone", 400
        ),
        Figure("... sorted", sorting, "ms", budget=100),
        Figure("... searched", searching, "ms", budget=50),
    ]


def _cost(tab: _Tab, act: Callable[[], object], done: str) -> float:
    """CPU milliseconds from an act to the element that tells that it is done."""
    before = tab.cpu()
    act()
    tab.page.wait_for_selector(done)
    return tab.cpu() - before


def _draw_curves(site: Path, runs: list[str], home: float) -> list[Figure]:
    """Open a comparison of the runs; afterwards scroll, and see whether the page keeps up."""
    address = f"{(site / 'compare' / 'index.html').as_uri()}?runs={','.join(runs)}"
    with _browse(address) as tab:
        tab.page.wait_for_function(
            "(count) => document.querySelectorAll('.tk-plot svg .mark-line path').length >= count", arg=len(runs)
        )
        drawn = tab.cpu()
        tab.page.evaluate("() => { window.longest = 0; }")
        box = tab.page.locator(".tk-plot svg").first.bounding_box() or {"x": 0, "y": 0, "width": 0, "height": 0}
        for part in range(10):
            tab.page.mouse.move(box["x"] + box["width"] * part / 10, box["y"] + box["height"] / 2)
            tab.page.mouse.wheel(0, 40)
        tab.cpu()
        longest = float(tab.page.evaluate("() => window.longest"))
    return [
        Figure(f"{len(runs)} curves of {CURVE_POINTS:,} points, drawn", drawn, "ms", home, "home alone", 1000),
        Figure("... the longest task after that (wall)", longest, "ms", budget=200),
    ]
