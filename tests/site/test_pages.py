"""The pages of a built site: complete, connected, safe, and readable without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from site_builder.authored import Authored
from site_builder.build import build
from site_builder.content import run_data
from site_builder.engine import CSP, engine_key, render_shells
from site_builder.model import Site
from site_builder.press import Press
from site_builder.run_page import commit_href, run_view
from tracker.reader import Environment, ReadExperiment, ReadRun, ReadStore
from tracker.schema import ExperimentFile, MetricSummary, RunFile, Source, StoreFile

from .corpus import payloads
from .hostile import log_hostile_runs
from .links import links_of, pages_of

RUN = "0" * 31


@pytest.fixture
def hostile(store: Path) -> Path:
    """Runs whose every text is an attack."""
    log_hostile_runs(store)
    return store


@pytest.mark.parametrize("kind", ["sample", "hostile"])
def test_every_link_leads_somewhere(request: pytest.FixtureRequest, site: Path, kind: str) -> None:
    """Every href, src and data chunk that stays in the site is a file of it."""
    build(request.getfixturevalue(kind), site)
    links = list(links_of(site))
    assert len(links) > 100
    assert [link for link in links if not link.is_external and not (site / link.target).is_file()] == []


@pytest.mark.parametrize("kind", ["sample", "hostile"])
def test_no_page_asks_another_host(request: pytest.FixtureRequest, site: Path, kind: str) -> None:
    """What leads out of the site is a link that a reader may follow, to a web or mail address."""
    build(request.getfixturevalue(kind), site)
    outside = {link for link in links_of(site) if link.is_external and not link.value.startswith("data:image/svg+xml;")}
    assert {(link.tag, link.attribute) for link in outside} <= {("a", "href")}
    assert {link.value.partition(":")[0].lower() for link in outside} <= {"https", "http", "mailto"}
    styles = [path.read_text("utf-8") for path in site.rglob("*.css")]
    assert not any("//" in url for style in styles for url in urls_of(style) if not url.startswith("data:"))


def urls_of(style: str) -> Iterator[str]:
    """The addresses in a style sheet."""
    for part in style.split("url(")[1:]:
        yield part.partition(")")[0].strip("'\"")


@pytest.mark.parametrize("kind", ["sample", "hostile"])
def test_every_page_has_the_policy_and_no_inline_script(request: pytest.FixtureRequest, site: Path, kind: str) -> None:
    """Each page carries the Content-Security-Policy before any script, has no script text and no event attributes."""
    (tmp := site.parent / "authored").mkdir()
    (tmp / "about.md").write_text("# About\n\n## Part\n\n`x`\n")
    build(request.getfixturevalue(kind), site, pages=tmp)
    assert "unsafe" not in CSP.replace("style-src 'self' 'unsafe-inline'", "")
    for path, page in pages_of(site):
        tags = [tag for tag, _ in page.elements]
        policies = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
        assert policies == [CSP], path
        assert tags.index("meta") < tags.index("script")
        assert not page.inline.strip() or path == "about.html", path
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")], path


def test_a_run_page_says_everything_without_javascript(sample: Path, site: Path) -> None:
    """Params, metrics, tags, artifacts, parent and children of a run stand in its HTML, which is small."""
    build(sample, site)
    texts = {path.parent.name: path.read_text("utf-8") for path in site.glob("runs/*/index.html")}
    child = next(text for text in texts.values() if "<h1>child 2</h1>" in text)
    for expected in (">depth<", "0.05", "val/accuracy", "<svg", "team", ">parent</a>", "finished"):
        assert expected in child
    parent = next(text for text in texts.values() if "<h1>parent</h1>" in text)
    assert ">child 1</a>" in parent and "<h2>Why</h2>" in parent and "<em>see</em>" in parent
    long = next(text for text in texts.values() if "<h1>long</h1>" in text)
    assert "398 of 1,000 points, extremes kept" in long and "tables/t.csv" in long
    assert all(len(text.encode()) <= 25_000 for text in texts.values())


def test_an_experiment_page_says_what_matters_without_javascript(sample: Path, site: Path) -> None:
    """An experiment's page has its description, its figures and a table of its runs."""
    build(sample, site)
    page = (site / "experiments" / "digits" / "index.html").read_text("utf-8")
    for expected in ("<strong>sweep</strong>", "child 1", "diverged", "val/accuracy", "depth"):
        assert expected in page
    home = (site / "index.html").read_text("utf-8")
    assert "digits" in home and "A sweep over digits." in home and "broken" in home


def test_the_full_series_is_a_click_away(sample: Path, site: Path) -> None:
    """Where a chart shows a sample, every point is in a CSV beside the data."""
    build(sample, site)
    (full,) = (site / "data" / "v1" / "runs").glob("*.csv")
    lines = full.read_text().splitlines()
    assert lines[0] == "metric,step,time,value" and len(lines) == 1001
    assert full.stem in {path.parent.name for path in site.glob("runs/*/index.html")}


def test_whole_pages_are_safe_from_the_model_on() -> None:
    """A run page made from payloads has as many angle brackets and quotes as one made from "x"."""
    press = Press(render_shells("T", Authored(), engine_key("T", Authored())))
    plain = counts(hostile_page("x", press))
    assert [payload for payload in payloads() if counts(hostile_page(payload, press)) != plain] == []


def hostile_page(text: str, press: Press) -> bytes:
    """The page of a run that has a text wherever it can have one, and a note apart."""
    metric = MetricSummary(count=2, last=1.0, last_step=1, last_time=1, first=0.0, first_step=0, min=0.0, spark="az")
    file = RunFile(
        schema=1, run_id=f"{RUN}1", name=text, experiment_id="1", status="FAILED", start_time=1, end_time=2,
        ended_by=text, source=Source(text, text, text, True, text), tags={text: text},
        params={text: text, f"{text}/2": 1}, metrics={f"m/{text}": metric},
    )  # fmt: skip
    parent = msgspec.structs.replace(file, run_id=f"{RUN}2")
    child = msgspec.structs.replace(file, parent=f"{RUN}2")
    runs = tuple(ReadRun(Path("x"), "s", found, "d") for found in (child, parent))
    experiment = ReadExperiment("s", Path("x"), ExperimentFile("1", text, goal={f"m/{text}": "minimize"}), runs)
    site = Site(ReadStore(Path("x"), StoreFile(1), (experiment,)), text)
    environment = Environment(text, text, [text], {text: text}, text, [text])
    return b"".join(
        press.page(run_view(run, chunk=run_data(run), environment=environment)) for run in site.experiments[0].runs
    )


def counts(page: bytes) -> list[int]:
    """How many of each character that makes markup."""
    return [page.count(character) for character in (b"<", b">", b'"', b"'")]


def test_commits_are_linked_on_known_hosts_only() -> None:
    """A commit is a link when its remote is a plain https address of a host that shows commits."""
    known = Source(commit="abcdef1234", remote="https://github.com/o/r")
    assert commit_href(known) == "https://github.com/o/r/commit/abcdef1234"
    assert commit_href(Source(commit="abcdef1234", remote="https://gitlab.com/g/s/r.git")) == (
        "https://gitlab.com/g/s/r/-/commit/abcdef1234"
    )
    for remote in ("https://evil.example/o/r", "javascript://github.com/o/r", "https://github.com@evil.example/o/r"):
        assert commit_href(Source(commit="abcdef1234", remote=remote)) is None
    assert commit_href(Source(commit="../../x", remote="https://github.com/o/r")) is None


def test_search_finds_experiments_runs_and_prose(sample: Path, site: Path, tmp_path: Path) -> None:
    """The search data name every experiment, run, authored page and section, each with its address."""
    (pages := tmp_path / "own").mkdir()
    (pages / "method.md").write_text("# Our method\n\nWe guessed.\n\n## Luck\n\nWith luck.\n")
    build(sample, site, pages=pages)
    found = json.loads(
        next((site / "data" / "v1").glob("search.*.js")).read_text().split("\n", 1)[1].rsplit("\n", 2)[0]
    )
    titles = {(entry["kind"], entry["title"]) for entry in found["pages"]}
    assert {("experiment", "digits"), ("page", "Our method"), ("section", "Luck")} <= titles
    assert {"parent", "child 1", "broken"} <= set(found["runs"]["name"])
    assert all((site / entry["href"].partition("#")[0]).is_file() for entry in found["pages"])
    assert next(e for e in found["pages"] if e["title"] == "Luck")["text"] == "With luck."
