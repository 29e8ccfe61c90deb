"""The data of a site: docs/site-data.md describes them, and any program can read them."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import tracker
from site_builder import chunks
from site_builder.build import build
from site_builder.charts import chart_specifications
from site_builder.output import MANIFEST
from tracker.reader import read_store

from .conftest import log_run

DOCS = Path(__file__).resolve().parents[2] / "docs" / "site-data.md"


def read(path: Path) -> Any:
    """The JSON of a data script, by dropping its first and its last line."""
    first, *content, last = path.read_text("utf-8").rstrip("\n").split("\n")
    assert re.fullmatch(r'tracker\("[^"]+",', first) and last == ")" and len(content) == 1
    return json.loads(content[0], parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))


def data(site: Path, pattern: str) -> Any:
    """The only chunk whose name matches."""
    (path,) = (site / "data" / "v1").glob(pattern)
    return read(path)


def documented(heading: str) -> set[str]:
    """The fields that a section of the docs lists in its table."""
    section = DOCS.read_text("utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_field_is_documented(sample: Path, site: Path) -> None:
    """Each kind of chunk has exactly the fields that docs/site-data.md lists."""
    build(sample, site)
    assert set(data(site, "site.js")) == documented("`data/v1/site.js`")
    assert set(data(site, "search.*.js")) == {"pages", "runs"}
    assert set(data(site, "charts.*.js")) == {"curves", "scatter", "progress"}
    assert set(data(site, "experiments/digits-*.js")) == documented("`data/v1/experiments/")
    for path in (site / "data" / "v1" / "runs").glob("*.js"):
        assert set(read(path)) == documented("`data/v1/runs/<id>.js`")
    manifest = json.loads((site / MANIFEST).read_bytes())
    assert set(manifest) | {key for unit in manifest["units"].values() for key in unit} <= documented(
        "`data/v1/manifest.json`"
    )


def test_the_columns_of_an_experiment_are_complete(sample: Path, site: Path) -> None:
    """All columns of an experiment have one entry for each run, newest first."""
    build(sample, site)
    chunk = data(site, "experiments/digits-*.js")
    files = [run.file for run in read_store(sample).experiment_named("digits").runs]
    assert chunk["id"] == [file.run_id for file in files]
    columns = [chunk[key] for key in ("name", "status", "start", "duration", "parent", "chunk")]
    columns += [column.get("values") or column["codes"] for column in chunk["params"] + chunk["tags"]]
    columns += [metric[key] for metric in chunk["metrics"] for key in metric if key not in ("key", "goal")]
    assert {len(column) for column in columns} == {chunk["rows"]} == {len(files)}
    loss = next(metric for metric in chunk["metrics"] if metric["key"] == "val/loss")
    assert loss["goal"] == "minimize"
    best = [f.metrics["val/loss"].min if "val/loss" in f.metrics else None for f in files]
    assert loss["best"] == [None if value is None else float(f"{value:.6g}") for value in best]


def test_a_run_has_its_series(sample: Path, site: Path) -> None:
    """The data of a run hold its points, sampled where there are many, with what is not finite as text."""
    build(sample, site)
    runs = {run["name"]: run for run in map(read, (site / "data" / "v1" / "runs").glob("*.js"))}
    (loss,) = runs["long"]["series"]
    assert loss["total"] == 1000 and len(loss["step"]) == len(loss["time"]) == len(loss["value"]) == 398
    assert (loss["value"][0], loss["step"][-1]) == (1, 999)
    assert (site / runs["long"]["full"]).is_file() and runs["diverged"]["full"] is None
    (loss,) = runs["diverged"]["series"]
    assert loss["value"] == [1, "Infinity", "NaN", 2]


def test_names_are_values_and_never_keys(store: Path, site: Path) -> None:
    """A param, metric or tag called __proto__ stands in the data as text, and no object has such a key."""
    with tracker.start_run():
        tracker.log_params({"__proto__": "a", "constructor": 1})
        tracker.log_metric("__proto__", 1.0)
        tracker.set_tag("__proto__", "b")
    build(store, site)
    for path in (site / "data" / "v1").rglob("*.js"):
        assert "__proto__" not in keys_of(read(path))
    chunk = data(site, "experiments/*.js")
    assert [column["key"] for column in chunk["params"]] == ["__proto__", "constructor"]


def keys_of(value: Any) -> set[str]:
    """The keys of all objects in JSON."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def test_params_are_exact_and_typed(store: Path, site: Path) -> None:
    """Params keep their digits and types; a logged null differs from a param that was not logged."""
    odd = {"a": 0.1234567890123, "b": True, "c": None, "d": "1", "e": 2**70, "f": float("nan"), "g": "NaN"}
    with tracker.start_run():
        tracker.log_params(odd)
    with tracker.start_run():
        tracker.log_param("a", 1)
    build(store, site)
    columns = {column["key"]: values_of(column) for column in data(site, "experiments/*.js")["params"]}
    assert columns["a"] == [1, 0.1234567890123]
    assert columns["b"] == [None, True]
    assert columns["c"] == [None, {"none": True}]
    assert columns["d"] == [None, "1"]
    assert columns["e"] == [None, 2**70]
    assert columns["f"] == columns["g"] == [None, "NaN"]


def values_of(column: dict[str, Any]) -> list[Any]:
    """A column written out."""
    return column["values"] if "values" in column else [None if c < 0 else column["dict"][c] for c in column["codes"]]


def test_repeated_values_are_written_once(store: Path, site: Path) -> None:
    """A column with few different values is a list of them and codes."""
    for depth in (1, 2, 1, 2, 1):
        with tracker.start_run():
            log_run(depth)
    build(store, site)
    (depth,) = [column for column in data(site, "experiments/*.js")["params"] if column["key"] == "depth"]
    assert depth == {"key": "depth", "dict": [1, 2], "codes": [0, 1, 0, 1, 0]}


def test_a_new_run_changes_the_newest_chunk_alone(store: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an experiment with several chunks, the full ones stay as they are when a run comes."""
    monkeypatch.setattr(chunks, "ROWS", 2)
    for depth in range(1, 6):
        with tracker.start_run():
            log_run(depth)
    build(store, site)
    folder = site / "data" / "v1" / "experiments"
    before = {path.name for path in folder.iterdir()}
    assert len(before) == 3
    with tracker.start_run():
        log_run(9)
    build(store, site)
    after = {path.name for path in folder.iterdir()}
    assert len(after) == 3 and len(before & after) == 2
    page = (site / "runs" / "index.html").read_text("utf-8")
    names = re.findall(r"data/v1/experiments/\S+?\.js", page)
    assert [read(site / name)["rows"] for name in names] == [2, 2, 2]
    assert [start for name in names for start in read(site / name)["start"]] == sorted(
        (run.file.start_time for run in read_store(store).runs()), reverse=True
    )


@pytest.mark.parametrize("count", [0, 1, 1999, 2000, 2001, 4000])
def test_parts_hold_each_run_once(count: int) -> None:
    """The parts of an experiment are its runs in order, the first one what is left over."""
    runs: Any = list(range(count))
    parts = chunks.experiment_parts(runs)
    assert [run for part in parts for run in part] == runs
    assert all(len(part) == chunks.ROWS for part in parts[1:])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], b"[]"),
        ([1.0, 0.123456789], b"[1,0.123457]"),
        ([1e-300, 1e22], b"[1e-300,1e+22]"),
        ([math.nan, math.inf, -math.inf, None], b'["NaN","Infinity","-Infinity",null]'),
    ],
)
def test_numbers_are_strict_json(values: list[float | None], text: bytes) -> None:
    """Metric values are JSON numbers of six digits, null, or one of three texts."""
    assert bytes(chunks.numbers(values)) == text
    json.loads(text)


def test_specifications_hold_no_data_and_name_no_host() -> None:
    """The three charts are Vega-Lite with named data, colours of the theme, and nothing to load."""
    text = chart_specifications()
    charts = json.loads(text)
    for chart in charts.values():
        assert all(set(part.get("data", {"name"})) == {"name"} for part in (chart, *chart["layer"]))
        assert "datasets" not in chart and chart["width"] == "container" and chart["description"]
        for path in (p for paths in chart["usermeta"]["tracker"].values() for p in paths):
            place = chart
            for key in path.split("."):
                place = place[key]
    assert re.findall(rb"https?://[^\"]+", text) == [b"https://vega.github.io/schema/vega-lite/v6.4.1.json"] * 3
    assert b"var(--tk-c0)" in text
