"""The browser part on a built site, opened as files: what one does with it, by mouse and by keyboard."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

import tracker
from site_builder.build import build

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
RUNS = 120
DESKTOP, PHONE = (1440, 900), (390, 844)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of 120 runs with curves, one diverged run, and an authored page."""
    folder = tmp_path_factory.mktemp("theme")
    tracker.set_tracking_uri(str(folder / "store"))
    tracker.set_experiment("sweep", description="Which **rate**?")
    for index in range(RUNS):
        log_run(index)
    (folder / "store" / "pages").mkdir()
    (folder / "store" / "pages" / "about.md").write_text("# About\n\n## Setup\n\nA page of prose.\n")
    build(folder / "store", folder / "site")
    return folder / "site"


def log_run(index: int) -> None:
    """A run whose accuracy grows with its index; the last one diverges."""
    with tracker.start_run(run_name=f"run {index:03}"):
        tracker.log_params({"rate": 0.001 * (index + 1), "kind": "even" if index % 2 == 0 else "odd"})
        for step in range(6):
            loss = float("nan") if index == RUNS - 1 and step > 2 else 1 / (step + 1)
            tracker.log_metrics({"val/accuracy": (index + step) / (RUNS + 5), "loss": loss}, step=step)
        tracker.log_text("a,b\n1,2\n", "table.csv")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, with a profile of its own."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a desktop; its test fails when a script does."""
    context = new_context(browser)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert errors == []


def new_context(browser: Browser, size: tuple[int, int] = DESKTOP, **options: Any) -> Any:
    """A browser context with a window of a size."""
    return browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)


def open_experiment(page: Page, site: Path, search: str = "") -> None:
    """Open the experiment and wait for its table."""
    (folder,) = (path for path in (site / "experiments").iterdir() if path.is_dir())
    page.goto((folder / "index.html").as_uri() + search)
    expect(rows(page).first).to_be_visible()


def rows(page: Page) -> Locator:
    """The rows of the runs table that exist."""
    return page.locator(".tk-grid tbody tr:not(.tk-spacer)")


def names(page: Page) -> list[str]:
    """The runs of these rows."""
    return rows(page).locator("th a").all_inner_texts()


def test_a_query_narrows_the_rows_and_stands_in_the_address(page: Page, site: Path) -> None:
    """The rows are those that match, and the address of the page shows them again."""
    open_experiment(page, site)
    page.get_by_label("Where").fill("params.rate > 0.117 and params.kind = 'odd'")
    expect(page.locator(".tk-toolbar__found")).to_have_text("2 of 120 runs")
    assert names(page) == ["run 119", "run 117"]
    page.reload()
    expect(page.locator(".tk-toolbar__found")).to_have_text("2 of 120 runs")


def test_a_mistake_in_a_query_is_shown_where_it_is(page: Page, site: Path) -> None:
    """What was expected is told, the place is marked, and the rows stay."""
    open_experiment(page, site)
    page.get_by_label("Where").fill("metrics.loss > 1 and )")
    expect(page.locator(".tk-query__state mark")).to_have_text(")")
    expect(page.locator(".tk-query__state")).to_contain_text("Expected")
    expect(page.locator(".tk-query__state")).to_contain_text("All runs are shown.")
    expect(page.locator(".tk-toolbar__found")).to_have_text("120 runs")


def test_heads_sort_by_keyboard(page: Page, site: Path) -> None:
    """Enter on a head sorts, again in the other direction, and the head says so."""
    open_experiment(page, site)
    head = page.locator("th[data-column='metric:val/accuracy']")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert names(page)[0] == "run 119"
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert names(page)[0] == "run 000" and "sort=metric:val/accuracy" in page.url


def test_only_the_rows_in_sight_exist(page: Page, site: Path) -> None:
    """The table makes a part of its rows, and the others when one scrolls to them."""
    open_experiment(page, site)
    assert rows(page).count() < 60
    page.locator(".tk-grid").evaluate("grid => grid.scrollTop = grid.scrollHeight")
    expect(rows(page).last.locator("th a")).to_have_text("run 000")
    assert rows(page).count() < 60
    assert rows(page).last.get_attribute("aria-rowindex") == str(RUNS + 1)


def test_columns_can_be_chosen(page: Page, site: Path) -> None:
    """A column that is taken out is gone from the table and from the address; the rows in sight are all there."""
    open_experiment(page, site)
    page.get_by_role("button", name="Columns").click()
    page.locator(".tk-popover").get_by_label("kind").uncheck()
    expect(page.locator("th[data-column='param:kind']")).to_have_count(0)
    expect(rows(page).nth(20)).to_be_attached()
    assert "col=param:rate" in page.url


def test_ticked_runs_are_compared(page: Page, site: Path) -> None:
    """The comparison has the ticked runs as columns, what differs as rows, and their curves; one can be taken out."""
    open_experiment(page, site)
    for index in (0, 1):
        rows(page).get_by_role("checkbox").nth(index).check()
    page.get_by_role("link", name="Compare 2 runs").click()
    table = page.get_by_role("table", name="Runs side by side")
    expect(table.get_by_role("columnheader")).to_have_text(["run 119×", "run 118×"])
    expect(table.get_by_role("rowheader", name="rate")).to_be_visible()
    expect(table.locator("tr", has_text="val/accuracy").locator(".tk-best")).to_have_count(1)
    expect(page.locator(".tk-chart svg").first).to_be_visible()
    page.get_by_role("button", name="Take run 118 out").click()
    expect(table.get_by_role("columnheader")).to_have_count(1)
    assert page.url.count(",") == 0


def test_ticked_runs_are_compared_by_a_key(page: Page, site: Path) -> None:
    """Where runs are ticked, their bar is in sight and names the key that compares them; in a text it is a letter."""
    open_experiment(page, site)
    expect(page.get_by_role("region", name="Ticked runs")).to_have_count(0)
    rows(page).get_by_role("checkbox").first.check()
    expect(page.get_by_role("region", name="Ticked runs")).to_contain_text("or press c")
    expect(page.get_by_role("link", name="Compare 1 run")).to_be_in_viewport()
    page.get_by_label("Where").press("c")
    expect(page.get_by_label("Where")).to_have_value("c")
    page.get_by_label("Where").blur()
    page.keyboard.press("c")
    expect(page.get_by_role("columnheader", name="run 119")).to_be_visible()


def test_no_rows_no_charts(page: Page, site: Path) -> None:
    """A query that no run matches leaves neither a chart nor a heading of charts."""
    open_experiment(page, site)
    expect(page.get_by_role("heading", name="Charts")).to_be_visible()
    page.get_by_label("Where").fill("params.rate > 9")
    expect(page.locator(".tk-toolbar__found")).to_have_text("0 of 120 runs")
    expect(page.get_by_role("heading", name="Charts")).to_be_hidden()


def test_a_run_has_one_colour_on_a_page(page: Page, site: Path) -> None:
    """The mark in the row of a ticked run and its curve are of the same colour."""
    open_experiment(page, site)
    rows(page).get_by_role("checkbox").nth(3).check()
    colour = rows(page).nth(3).evaluate("row => row.style.getPropertyValue('--run')")
    curve = page.locator("[data-chart=curves] .tk-plot svg path[stroke^='var(--tk-c']")
    expect(curve).to_have_count(1)
    assert curve.get_attribute("stroke") == colour


def test_a_chart_is_read_by_keyboard_and_its_numbers_are_a_click_away(page: Page, site: Path) -> None:
    """Arrow keys tell the values; the table and the CSV hold every point, the one that is not a number included."""
    (run,) = [path for path in (site / "runs").glob("*/index.html") if "<h1>run 119</h1>" in path.read_text("utf-8")]
    page.goto(run.as_uri())
    chart = page.locator("figure", has_text="loss").last
    chart.scroll_into_view_if_needed()
    expect(chart.locator(".tk-rule")).to_be_attached()
    chart.locator(".tk-plot").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(chart.locator(".tk-tip")).to_contain_text("step 1")
    expect(chart.locator(".tk-tip")).to_contain_text("0.5")
    expect(chart).to_contain_text("3 not finite")
    chart.get_by_text("Numbers").click()
    expect(chart.get_by_role("row")).to_have_count(7)
    with page.expect_download() as download:
        chart.get_by_role("button", name="CSV").click()
    lines = list(csv.reader(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert lines[0] == ["step", "loss"] and [line[1] for line in lines[1:]][2:4] == ["0.333333", "NaN"]


def test_smoothing_and_axes_stand_in_the_address(page: Page, site: Path) -> None:
    """A smoothed curve comes above the raw one, and the address brings both back."""
    open_experiment(page, site, "?smooth=0.6&x=time&log=1")
    expect(page.locator(".tk-controls output")).to_have_text("0.60")
    expect(page.get_by_role("button", name="Time")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-chart=curves] svg path[opacity='0.25']").first).to_be_attached()


def test_search_leads_to_a_run_by_keyboard_alone(page: Page, site: Path) -> None:
    """A slash opens the search, words and arrow keys choose, Enter goes there, and it finds prose too."""
    page.goto((site / "about.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("prose")
    expect(page.get_by_role("option").first).to_contain_text("Setup")
    page.get_by_role("combobox").fill("run 07")
    expect(page.get_by_role("option")).to_have_count(12)
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true] .tk-search__title").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(chosen)


def test_the_colour_scheme_is_kept(page: Page, site: Path) -> None:
    """It follows the system until it is switched; the choice holds on the next page from before anything is drawn."""
    page.emulate_media(color_scheme="dark")
    page.goto((site / "index.html").as_uri())
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(ground) == "rgb(255, 255, 255)" != dark
    page.goto((site / "runs" / "index.html").as_uri(), wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("document.documentElement.dataset.mdColorScheme") == "default"


@pytest.mark.parametrize("script", [True, False])
def test_nothing_but_tables_scrolls_sideways_on_a_phone(browser: Browser, site: Path, script: bool) -> None:
    """Every kind of page is as wide as a phone, with and without scripts."""
    context = new_context(browser, PHONE, java_script_enabled=script)
    page = context.new_page()
    pages = [site / "index.html", *sorted(site.glob("*/index.html")), *sorted(site.glob("experiments/*/index.html"))]
    for path in [*pages, site / "about.html", *sorted(site.glob("runs/*/index.html"))[:1]]:
        page.goto(path.as_uri())
        page.wait_for_load_state("load")
        assert page.locator("html").evaluate("page => page.scrollWidth") == PHONE[0], path
    context.close()


def test_a_run_is_readable_without_scripts(browser: Browser, site: Path) -> None:
    """Parameters, metrics and the preview of a file are there; empty charts and dead buttons are not."""
    context = new_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(sorted(site.glob("runs/*/index.html"))[0].as_uri())
    expect(page.get_by_role("table", name="Parameters")).to_contain_text("rate")
    expect(page.get_by_role("table", name="Metrics").locator("svg")).to_have_count(2)
    expect(page.locator("figure")).to_have_count(2)
    expect(page.locator("figure").first).not_to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()
