"""Artifacts in a site: what is copied under which name, what is shown, and what is not followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import tracker
from site_builder import preview
from site_builder.build import build
from site_builder.preview import read_artifacts
from site_builder.views import ArtifactRow
from tracker.reader import read_store

from .conftest import tree

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
RUNS_AS_A_PAGE = {".html", ".htm", ".xhtml", ".svg", ".xml", ".pdf", ".js", ".mjs", ".css", ".md", ".swf", ".shtml"}


def rows(folder: Path, files: dict[str, bytes]) -> dict[str, ArtifactRow]:
    """What a page shows of a run that logged these files."""
    for name, data in files.items():
        path = folder / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return {row.path: row for row in read_artifacts(folder, "runs/x/artifacts").rows}


def test_kinds(tmp_path: Path) -> None:
    """Images, text, tables and JSON are previewed; other files stay in the store."""
    found = rows(
        tmp_path,
        {
            "a.png": PNG, "b.csv": b"x,y\n1,2\n", "c.json": b'{"a": 1}', "d.txt": "grün".encode(), "e.py": b"print(1)",
            "f.pkl": b"\x80\x04\x00", "g.svg": b"<svg/>", "h.pdf": b"%PDF\0", "i.tsv": b"x\ty\n", "sub/j.log": b"line",
            "k": b"no suffix", "l.csv": b"", "m.latin1": b"gr\xfcn und so weiter",
        },
    )  # fmt: skip
    assert {name: row.preview for name, row in found.items()} == {
        "a.png": "image", "b.csv": "table", "c.json": "json", "d.txt": "text", "e.py": "text", "f.pkl": "",
        "g.svg": "image", "h.pdf": "", "i.tsv": "table", "sub/j.log": "text", "k": "text", "l.csv": "", "m.latin1": "",
    }  # fmt: skip
    assert found["f.pkl"].href is None and "kept in the store" in found["f.pkl"].note
    assert found["b.csv"].head == ("x", "y") and found["b.csv"].rows == (("1", "2"),)
    assert found["d.txt"].text == "grün"
    assert found["g.svg"].image.startswith("data:image/svg+xml;base64,")
    assert found["sub/j.log"].href == "runs/x/artifacts/sub/j.log.txt"


def test_nothing_keeps_a_name_that_a_browser_would_run(tmp_path: Path) -> None:
    """Every text that could run in the site's origin is published as .txt, whatever its case."""
    names = [f"a{suffix}" for suffix in RUNS_AS_A_PAGE] + ["b.HTML", "c.SvG", "d.html.", "e.png.html", "f.html.gz"]
    found = rows(tmp_path, dict.fromkeys(names, b"<script>1</script>"))
    assert {row.href.rpartition(".")[2] for row in found.values() if row.href} == {"txt"}
    assert all(row.href for row in found.values())


def test_names_do_not_collide_or_hide(tmp_path: Path) -> None:
    """Different files have different addresses, also where case does not count; no address begins with a dot."""
    names = ["a.html", "a.html.txt", "A.HTML.TXT", ".hidden", "dot.hidden", "x/.y/z.txt", "b c#d.txt", "ü%2e.txt"]
    names += [] if os.name == "nt" else ["q?.txt", 'r".txt', "s\n.txt", "t\\u.txt"]
    found = rows(tmp_path, dict.fromkeys(names, b"text"))
    hrefs = [row.href.lower() for row in found.values() if row.href]
    assert len(set(hrefs)) == len(names)
    assert not any(part.startswith(".") for href in hrefs for part in href.split("/"))
    assert not any(character in href for href in hrefs for character in "#? ")


def test_a_file_never_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    """A file that is published as .txt and a folder of that name both have an address."""
    files = {"model": b"text", "model.txt/a.csv": b"1,2", "model.txt/b/c": b"text", "Plots/x": b"y", "plots": b"z"}
    found = rows(tmp_path, files)
    hrefs = {name: (row.href or "").removeprefix("runs/x/artifacts/") for name, row in found.items()}
    assert hrefs == {
        "model": "model.txt", "model.txt/a.csv": "model.txt_a.csv", "model.txt/b/c": "model.txt_b_c.txt",
        "Plots/x": "Plots/x.txt", "plots": "plots.txt",
    }  # fmt: skip


def test_long_contents_are_cut(tmp_path: Path) -> None:
    """Of long texts and tables a page shows the start and says so."""
    found = rows(
        tmp_path,
        {"a.txt": b"x" * 100_000, "b.csv": b"a,b\n" + b"1,2\n" * 500, "c.csv": b",".join([b"y" * 500] * 50) + b"\n"},
    )
    assert len(found["a.txt"].text) == preview.TEXT_SHOWN and found["a.txt"].truncated
    assert len(found["b.csv"].rows) == preview.ROWS_SHOWN and found["b.csv"].truncated
    assert len(found["c.csv"].head) == preview.COLUMNS_SHOWN and len(found["c.csv"].head[0]) == preview.CELL_SHOWN


def test_large_and_many_files(tmp_path: Path) -> None:
    """A file above the limit is named and not copied; of many files the first are named and all counted."""
    (tmp_path / "artifacts").mkdir()
    with (tmp_path / "artifacts" / "a.txt").open("wb") as file:
        file.truncate(1 << 40)
    found = rows(tmp_path, {f"many/{number:04}.txt": b"x" for number in range(300)})
    assert len(found) == preview.MAX_LISTED
    assert found["a.txt"].href is None and "larger than 5 MB" in found["a.txt"].note
    assert read_artifacts(tmp_path, "x").total == 301


@pytest.mark.parametrize("data", [b'"\n' * 9000, b"\xef\xbb\xbfa,b\n", b"a\0b", b'"unclosed\n1,2', b"\r\r\n,"])
def test_odd_tables_are_no_errors(tmp_path: Path, data: bytes) -> None:
    """A broken CSV file is shown as far as it goes."""
    assert rows(tmp_path, {"a.csv": data})["a.csv"].bytes == len(data)


def test_nothing_outside_a_run_is_published(store: Path, site: Path, tmp_path: Path) -> None:
    """Links to files and folders, pipes and devices among the artifacts are not followed."""
    (tmp_path / "secret.txt").write_text("a secret")
    with tracker.start_run():
        tracker.log_text("fine", "fine.txt")
    artifacts = next(read_store(store).runs()).folder / "artifacts"
    (artifacts / "link.txt").symlink_to(tmp_path / "secret.txt")
    (artifacts / "folder").symlink_to(tmp_path)
    (artifacts / "zero.txt").symlink_to("/dev/zero")
    if hasattr(os, "mkfifo"):
        os.mkfifo(artifacts / "pipe.txt")
    build(store, site)
    files = tree(site)
    assert not any(b"a secret" in data for data in files.values())
    assert [path for path in files if "/artifacts/" in path] == [
        path for path in files if path.endswith("/artifacts/fine.txt")
    ]
