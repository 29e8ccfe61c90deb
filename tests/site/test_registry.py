"""The pages of registered models, the files that are published of them, and how damage shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

import tracker
from site_builder import model_folders
from site_builder.build import build
from tracker import layout
from tracker.models import digests
from tracker.reader import find_run
from tracker.schema import Change, Manifest

from .conftest import log_run
from .links import links_of
from .registry import (
    DAY,
    index,
    log_model,
    log_trained,
    make_registry,
    moved,
    read,
    save_model,
    write_model,
    write_version,
)


@pytest.fixture
def registry(store: Path) -> Path:
    """A store with registered models."""
    make_registry(store)
    return store


def test_a_card_says_what_a_reviewer_needs_without_javascript(registry: Path, site: Path) -> None:
    """Stage with its since, by and why, metrics, signature, example, code, requirements, safety and digest are text."""
    build(registry, site)
    card = read(site, "models/iris/2/index.html")
    for expected in (
        "iris version 2", "@champion", "@stable", "Production since 2026-03-05 09:00 UTC by Ada",
        "Why Better by a tenth", "scored 0.9 finished", "val/accuracy ↑ 0.9", "Inputs 2 a double b double optional",
        "top long default 3", "a b 1.5 2 3.5 null", 'tracker.pyfunc.load_model(&#34;models:/iris/2&#34;)',
        "models:/iris@champion", "models:/iris/Production", "cloudpickle", "runs code when loaded",
        "A pickle is a program", "3.11.9", "scikit-learn==1.7.2", "model.bin 6 B", "depth 3 rate null",
    ):  # fmt: skip
        assert expected in card, expected
    digest = index(site)["models"]["iris"]["versions"]["2"]["digest"]
    assert digest in card and f"trust=&#34;{digest}&#34;" in card


def test_metrics_stand_beside_those_of_production(registry: Path, site: Path) -> None:
    """A difference has an arrow, a sign, and better or worse by the goal of the metric."""
    build(registry, site)
    card = read(site, "models/iris/3/index.html")
    assert "Metrics against version 2, now in Production" in card
    assert "val/accuracy ↑ 0.85 0.9 ▼ −0.05 worse" in card
    assert "val/loss ↓ 0.15 0.1 ▲ +0.05 worse" in card
    assert "Compare runs with version 2" in card
    assert "▲ +0.1 worse" in read(site, "models/iris/1/index.html")


def test_a_model_tells_its_history_without_javascript(registry: Path, site: Path) -> None:
    """Promotions with who, when and why, aliases, the stages over time and the metric over versions are in the page."""
    build(registry, site)
    page = (site / "models" / "iris" / "index.html").read_text("utf-8")
    text = read(site, "models/iris/index.html")
    assert "2026-03-05 09:00 UTC Version 2 Staging → Production by Ada Better by a tenth" in text
    assert "2026-03-09 09:00 UTC Alias @champion given to 2 by Ada It won" in text
    assert "<strong>species</strong>" in page and "team plants" in text
    spans = re.findall(r'class="tk-span[^"]*" style="--left:([\d.]+)%;--width:([\d.]+)%;--row:(\d)"', page)
    assert len(spans) == 3 and all(0 <= float(left) <= float(left) + float(width) <= 100.01 for left, width, _ in spans)
    points = re.findall(r'--left:([\d.]+)%;--bottom:([\d.]+)%"><a', page)
    assert [float(left) for left, _ in points] == [3, 50, 97]
    assert float(points[0][1]) < float(points[2][1]) < float(points[1][1])
    assert re.search(r"stable .*? champion models:/iris@stable", text)


def test_changes_within_a_minute_are_drawn_in_their_turns(store: Path, site: Path) -> None:
    """Where times would put all bars on one spot, each change has its turn, and the axis names no times."""
    tracker.set_experiment("e")
    run_id, path, digest = log_trained(store, 0.5)
    folder = write_model(store, "m")
    for number, stage in ((1, "Archived"), (2, "Production")):
        history = [moved(2, "None", "Production"), *([moved(2, "Production", "Archived")] if number == 1 else [])]
        write_version(folder, number, path, digest, run_id=run_id, stage=stage, history=history)
    build(store, site)
    page = (site / "models" / "m" / "index.html").read_text("utf-8")
    lefts = re.findall(r'class="tk-span[^"]*" style="--left:([\d.]+)%;--width:([\d.]+)%;--row:0"', page)
    assert len(lefts) == 2 and lefts[0][0] == "0.0" and float(lefts[1][0]) >= float(lefts[0][1]) > 10
    assert '<ol class="tk-lanes__axis" aria-hidden="true"></ol>' in page


def test_links_go_both_ways(registry: Path, site: Path) -> None:
    """Home, list, model, card and run lead to each other, and every link leads somewhere."""
    build(registry, site)
    links = {(link.page, link.target) for link in links_of(site) if not link.is_external}
    run = next(page for page, target in links if page.startswith("runs/") and target == "models/iris/2/index.html")
    for pair in (
        ("index.html", "models/iris/2/index.html"), ("index.html", "models/index.html"),
        ("models/index.html", "models/iris/index.html"), ("models/iris/index.html", "models/iris/2/index.html"),
        ("models/iris/2/index.html", run), ("models/iris/2/index.html", "models/iris/index.html"),
        ("models/iris/2/index.html", "models/iris/3/index.html"), ("experiments/index.html", "models/index.html"),
    ):  # fmt: skip
        assert pair in links, pair
    assert [target for _, target in links if not (site / target).is_file()] == []
    assert "model sklearn cloudpickle runs code iris 2 Production" in read(site, run)


def test_a_store_without_models_has_no_tab(sample: Path, site: Path) -> None:
    """The tab and the list come with the first model; the list for programs is there, and empty."""
    build(sample, site)
    assert "models/index.html" not in (site / "index.html").read_text("utf-8")
    assert not (site / "models" / "index.html").exists()
    assert index(site) == {"schema": 1, "models": {}}


def test_the_list_for_programs_says_where_files_are(registry: Path, site: Path) -> None:
    """`registry.json` has aliases, stages, and of each version stage, digest and the folder of its files."""
    build(registry, site)
    iris = index(site)["models"]["iris"]
    assert {key: iris[key] for key in ("slug", "aliases", "stages")} == {
        "slug": "iris",
        "aliases": {"champion": "2", "stable": "champion"},
        "stages": ["None", "Staging", "Production", "Archived"],
    }
    assert [(number, found["stage"], found["files"]) for number, found in iris["versions"].items()] == [
        ("1", "Archived", "models/iris/1/files/"),
        ("2", "Production", "models/iris/2/files/"),
        ("3", "None", "models/iris/3/files/"),
    ]


@pytest.mark.parametrize(("model", "has_manifest"), [("iris", True), ("copied", False)])
def test_published_files_are_those_of_the_store(registry: Path, site: Path, model: str, has_manifest: bool) -> None:
    """All files of a model are there byte for byte, with a manifest that they fit, whoever saved the model."""
    build(registry, site)
    entry = index(site)["models"][model]["versions"]["1"]
    folder = site / entry["files"]
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    assert manifest.digest == entry["digest"] == digests.folder_digest(folder)
    digests.verify(folder, manifest)
    version = next((registry / "registry" / model / "versions").glob("1.yaml")).read_text()
    source = registry / re.findall(r"^path: (.*)$", version, re.MULTILINE)[0]
    assert (source / "manifest.json").exists() == has_manifest
    for path in manifest.files:
        assert (folder / path).read_bytes() == (source / path).read_bytes()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a/page.HTML": b"x"}, "a/page.HTML is a page or a script"),
        ({"plot.svg": b"<svg/>"}, "plot.svg is a page or a script"),
        ({"README.md": b"# x"}, "README.md is a page or a script"),
        ({"x.php": b"<?"}, "x.php has a name that servers run"),
        ({"notes": b"  <script>window.PWN=1</script>"}, "notes begins like a page"),
        ({"notes.bin": b"%PDF-1.7"}, "notes.bin begins like a page"),
        ({"Model.bin": b"x"}, "the names of its files get in each other"),
        ({"manifest.json/x": b"x"}, "its files cannot be listed"),
    ],
)
def test_what_a_browser_would_run_is_not_published(
    store: Path, site: Path, files: dict[str, bytes], reason: str
) -> None:
    """A model with a page, a script or a clash of names stays in the store as a whole; its card says why."""
    tracker.set_experiment("e")
    folder = write_model(store, "m")
    place = folder / layout.MODELS / "c"
    digest = save_model(place, files=files, manifest=False).digest
    write_version(folder, 1, place.relative_to(store).as_posix(), digest)
    build(store, site)
    assert reason.replace("'", "&#39;") in read(site, "models/m/1/index.html")
    assert index(site)["models"]["m"]["versions"]["1"]["files"] is None
    assert {path.name for path in (site / "models" / "m").rglob("*") if path.is_file()} == {"index.html"}


def test_a_large_model_stays_in_the_store(registry: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit nothing of a model is published; its files are named with their sizes."""
    monkeypatch.setattr(model_folders, "MAX_PUBLISHED", 100)
    build(registry, site)
    card = read(site, "models/iris/1/index.html")
    assert "larger than 0 MB" in card and "model.bin 6 B" in card and "From this site" not in card
    assert not (site / "models" / "iris" / "1" / "files").exists()


def test_a_deleted_version_keeps_its_history(registry: Path, site: Path) -> None:
    """The card of a deleted version says so, has no files, and is told of in the list for programs."""
    folder = registry / "registry" / "iris"
    write_version(
        folder, 4, "registry/iris/models/gone", "sha256:0", deleted=True, stage="Archived",
        history=[moved(3, "None", "Archived"), Change(DAY.format(4), "deleted", by="Ada")],
    )  # fmt: skip
    result = build(registry, site)
    assert result.problems == ()
    assert "deleted" in read(site, "models/iris/4/index.html")
    assert index(site)["models"]["iris"]["versions"]["4"] == {
        "stage": "Archived", "digest": "sha256:0", "files": None, "deleted": True
    }  # fmt: skip


def test_two_models_of_one_name_are_told(registry: Path, site: Path) -> None:
    """The first by its folder stands in the list for programs, and both have pages."""
    write_model(registry, "iris", slug="other")
    build(registry, site)
    assert index(site)["models"]["iris"]["slug"] == "iris"
    assert (site / "models" / "other" / "index.html").is_file()
    assert "iris" in read(site, "problems/index.html")


def test_stages_of_ones_own(store: Path, site: Path) -> None:
    """Where a model names its stages, the last one before the archive counts as production."""
    tracker.set_experiment("e")
    run_id, path, digest = log_trained(store, 0.5)
    folder = write_model(store, "m", stages=["Draft", "Trial", "Live", "Archived"])
    write_version(folder, 1, path, digest, run_id=run_id, stage="Live", history=[moved(2, "Draft", "Live")])
    build(store, site)
    assert "m Version 1 2026-03-02" in read(site, "index.html")
    assert "In Live version 1 since 2026-03-02" in read(site, "models/m/index.html")


def test_models_of_a_run_that_are_not_registered(store: Path, site: Path) -> None:
    """A run lists each folder with an MLmodel file, but not models in models; one that is broken is a problem."""
    tracker.set_experiment("e")
    with tracker.start_run() as run:
        log_run(1)
    for name in ("best/last", "model"):
        log_model(store, run.info.run_id, name, files={"inner/MLmodel": b"flavors: {}\n"})
    log_model(store, run.info.run_id, "torn")
    (find_run(store, run.info.run_id) / "artifacts" / "torn" / "MLmodel").write_bytes(b"\xff")
    build(store, site)
    page = read(site, f"runs/{run.info.run_id}/index.html")
    assert page.count("not registered") == 3 and "best/last sklearn cloudpickle runs code" in page
    assert "artifacts/torn/MLmodel" in read(site, "problems/index.html")


def test_the_search_finds_models_and_versions(registry: Path, site: Path) -> None:
    """The search data name each model and each version with its stage and aliases."""
    build(registry, site)
    text = next((site / "data" / "v1").glob("search.*.js")).read_text("utf-8").split("\n")[1]
    found = {entry["title"]: entry for entry in json.loads(text)["pages"] if entry["kind"] in ("model", "version")}
    assert set(found) == {"iris", "iris 1", "iris 2", "iris 3", "copied", "copied 1"}
    assert found["iris"]["text"] == "Which species? By petals."
    assert found["iris 2"]["text"] == "Production · champion · stable"
    assert all((site / entry["href"]).is_file() for entry in found.values())


def test_many_versions_share_a_page(store: Path, site: Path) -> None:
    """The page of a model with 1,200 versions lists the newest 1,000 and draws a line with few points."""
    tracker.set_experiment("e", goal={"val/accuracy": "maximize"})
    run_id, path, digest = log_trained(store, 0.5)
    folder = write_model(store, "m")
    for number in range(1, 1201):
        write_version(folder, number, path, digest, run_id=run_id)
    build(store, site)
    page = (site / "models" / "m" / "index.html").read_text("utf-8")
    assert page.count('<th scope="row">') == 1000 and page.count("tk-point ") <= 3
    assert "The newest 1,000 of 1,200 versions" in page


def test_dates_that_are_none_are_said_to_be_none(registry: Path, site: Path) -> None:
    """A change without a readable date stands in the history all the same."""
    file = registry / "registry" / "iris" / "versions" / "2.yaml"
    file.write_text(file.read_text().replace(DAY.format(5), "yesterday"))
    build(registry, site)
    assert "no date" in read(site, "models/iris/2/index.html")
    assert "Better by a tenth" in read(site, "models/iris/index.html")
