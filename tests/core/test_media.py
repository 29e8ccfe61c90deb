"""Figures, images and tables as artifacts, made with the real libraries."""

from __future__ import annotations

import datetime
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

import tracker
from tracker.exceptions import InvalidNameError, InvalidValueError, MissingPackageError, NotFoundError


@pytest.fixture
def run(store: Path) -> tracker.ActiveRun:
    """The active run."""
    return tracker.start_run()


def logged(run: tracker.ActiveRun, path: str) -> bytes:
    """The bytes of an artifact."""
    return (run.artifact_folder / path).read_bytes()


# Figures


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("b/c.svg", b"<?xml"), ("d.pdf", b"%PDF")])
def test_a_figure_of_matplotlib(run: tracker.ActiveRun, name: str, start: bytes) -> None:
    """In the form that its name says; options go to savefig."""
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2, 3])
    tracker.log_figure(figure, name, save_kwargs={"dpi": 50})
    assert logged(run, name).startswith(start)
    if name == "a.png":
        assert Image.open(io.BytesIO(logged(run, name))).size == (100, 50)


def test_a_figure_of_plotly(run: tracker.ActiveRun) -> None:
    """A page of its own; a picture of it needs another package, which the error names."""
    from plotly import graph_objects

    figure = graph_objects.Figure(graph_objects.Scatter(y=[1, 2, 3]))
    tracker.log_figure(figure, "plot.html", save_kwargs={"include_plotlyjs": False})
    assert b"scatter" in logged(run, "plot.html")
    with pytest.raises(MissingPackageError, match="kaleido"):
        tracker.log_figure(figure, "plot.png")


@pytest.mark.parametrize(("figure", "name"), [("text", "a.png"), (Figure(), "a.xyz"), (Figure(), "../a.png")])
def test_what_is_no_figure(run: tracker.ActiveRun, figure: object, name: str) -> None:
    """Is refused, and so are forms that nobody can write and unsafe names."""
    with pytest.raises(InvalidValueError):
        tracker.log_figure(figure, name)
    assert not run.artifact_folder.exists()


# Images


@pytest.mark.parametrize(
    ("array", "mode", "pixel"),
    [
        (np.array([[0, 255]], "uint8"), "L", 255),
        (np.array([[0, 255]], "int64"), "L", 255),
        (np.array([[False, True]]), "L", 255),
        (np.array([[0.0, 0.5]], "float32"), "L", 128),
        (np.array([[[0], [7]]]), "L", 7),
        (np.array([[[0, 0, 0], [1, 2, 3]]]), "RGB", (1, 2, 3)),
        (np.array([[[0, 0, 0, 0], [1.0, 0, 1, 1]]]), "RGBA", (255, 0, 255, 255)),
    ],
)
def test_an_array_as_an_image(run: tracker.ActiveRun, array: Any, mode: str, pixel: object) -> None:
    """Grey, colours, with or without transparency; each value comes back."""
    tracker.log_image(array, "image.png")
    image = tracker.artifacts.load_image(f"runs:/{run.run_id}/image.png")
    assert (image.mode, image.size, image.getpixel((1, 0))) == (mode, (2, 1), pixel)


def test_an_image_of_pillow(run: tracker.ActiveRun) -> None:
    """In the form that its name says; a series is one file a step."""
    image = Image.new("RGB", (3, 2), "red")
    tracker.log_image(image, "a.jpg")
    assert Image.open(io.BytesIO(logged(run, "a.jpg"))).format == "JPEG"
    for step in (0, 10):
        tracker.log_image(image, key="val/first", step=step)
    names = sorted(path.name for path in (run.artifact_folder / "images" / "val" / "first").iterdir())
    assert names == ["0.png", "10.png"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"image": np.zeros((2, 2, 5))},
        {"image": np.zeros(4)},
        {"image": np.zeros((0, 4))},
        {"image": np.array([[1.5]])},
        {"image": np.array([[np.nan]])},
        {"image": np.array([[256]])},
        {"image": np.array([[-1]])},
        {"image": np.array([["x"]])},
        {"image": Image.new("RGBA", (1, 1)), "artifact_file": "a.jpg"},
        {"image": Image.new("RGB", (1, 1)), "artifact_file": "a.png", "key": "b"},
        {"image": Image.new("RGB", (1, 1)), "artifact_file": None},
        {"image": Image.new("RGB", (1, 1)), "artifact_file": None, "key": "../b"},
    ],
)
def test_what_is_no_image(run: tracker.ActiveRun, arguments: dict[str, Any]) -> None:
    """Is refused, rather than scaled or cut behind the back."""
    with pytest.raises(InvalidValueError):
        tracker.log_image(**{"artifact_file": "a.png", **arguments})
    assert not run.artifact_folder.exists()


# Tables


def test_tables_of_many_runs(store: Path) -> None:
    """Rows are added to a table, and read again from all runs or some, beside columns of the runs."""
    run_ids = []
    for number in range(3):
        with tracker.start_run() as run:
            tracker.log_param("n", number)
            tracker.log_table({"x": [number, 10], "y": ["a", None]}, "tables/t.json")
            tracker.log_table(pd.DataFrame({"x": [20], "z": [0.5]}), "tables/t.json")
            run_ids.append(run.run_id)
    with tracker.start_run():
        pass
    assert json.loads((run.artifact_folder / "tables/t.json").read_text()) == {
        "columns": ["x", "y", "z"],
        "data": [[2, "a", None], [10, None, None], [20, None, 0.5]],
    }
    frame = tracker.load_table("tables/t.json", extra_columns=["run_id", "params.n"])
    assert (len(frame), list(frame.columns)) == (9, ["x", "y", "z", "run_id", "params.n"])
    assert sorted(frame[frame["run_id"] == run_ids[1]]["x"]) == [1, 10, 20]
    assert len(tracker.load_table("tables/t.json", run_ids=run_ids[:2])) == 6
    with pytest.raises(NotFoundError, match=r"has a table 'other\.json'"):
        tracker.load_table("other.json")
    with pytest.raises(InvalidValueError, match=r'Did you mean "params\.n"'):
        tracker.load_table("tables/t.json", extra_columns=["param.n"])


def test_values_of_tables(run: tracker.ActiveRun) -> None:
    """Numbers of numpy, times and lists become JSON; a single value is a row; NaN is null."""
    day = datetime.date(2026, 3, 1)
    tracker.log_table(
        {"a": np.array([1, 2]), "b": [np.float32(0.5), float("nan")], "c": [day, pd.NaT], "d": [[1], {"k": 2}]},
        "t.json",
    )
    tracker.log_table({"a": 3, "b": 1.5}, "t.json")
    assert json.loads(logged(run, "t.json"))["data"] == [
        [1, 0.5, "2026-03-01", [1]],
        [2, None, None, {"k": 2}],
        [3, 1.5, None, None],
    ]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"a": [1, 2], "b": [1]}, "t.json"),
        ({}, "t.json"),
        ([1, 2], "t.json"),
        ({"a": [float("inf")]}, "t.json"),
        ({"a": [object()]}, "t.json"),
        ({"a": [1]}, "t.csv"),
    ],
)
def test_what_is_no_table(run: tracker.ActiveRun, data: object, name: str) -> None:
    """Is refused, and nothing is written."""
    with pytest.raises(InvalidValueError):
        tracker.log_table(data, name)
    with pytest.raises(InvalidNameError):
        tracker.log_table({"a": [1]}, "../t.json")
    assert not run.artifact_folder.exists()


def test_a_file_that_is_no_table_stays(run: tracker.ActiveRun) -> None:
    """Rows are not added to something else."""
    tracker.log_dict({"columns": ["a"], "data": [[1, 2]]}, "t.json")
    tracker.log_text("no", "u.json")
    for name in ("t.json", "u.json"):
        before = logged(run, name)
        with pytest.raises(InvalidValueError, match="is no table"):
            tracker.log_table({"a": [1]}, name)
        assert logged(run, name) == before


def test_the_client_does_the_same(store: Path) -> None:
    """By the id of a run."""
    client = tracker.Client()
    experiment = client.create_experiment("x")
    run_id = client.create_run(experiment).info.run_id
    client.log_figure(run_id, Figure(figsize=(1, 1)), "f.png")
    client.log_image(run_id, np.zeros((2, 2)), key="zeros", step=1)
    client.log_table(run_id, {"a": [1]}, "t.json")
    assert [info.path for info in client.list_artifacts(run_id)] == ["f.png", "images", "t.json"]
    assert client.load_table(experiment, "t.json", extra_columns=["run_id"]).to_dict("list") == {
        "a": [1],
        "run_id": [run_id],
    }
