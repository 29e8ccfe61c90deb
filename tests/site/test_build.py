"""Building: what it refuses, what it survives, what it reports."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracker
from site_builder.authored import read_authored
from site_builder.build import build
from site_builder.output import MANIFEST
from tracker.exceptions import NotAStoreError, SiteError
from tracker.reader import read_store

from .conftest import cold, log_run, tree


def test_the_result_counts(sample: Path, site: Path) -> None:
    """A build reports its pages, files, bytes, largest files and problems."""
    result = build(sample, site)
    files = tree(site)
    assert result.pages == len(list(site.rglob("*.html"))) == 6 + 2 + 5
    assert result.written == len(files) - 1
    assert result.bytes == sum(map(len, files.values())) - len(files[MANIFEST])
    assert result.largest[0] == max(((path, len(data)) for path, data in files.items()), key=lambda pair: pair[1])
    assert (result.removed, result.problems) == (0, ())
    assert build(sample, site).largest == result.largest


def test_progress_is_told(sample: Path, site: Path) -> None:
    """Progress goes from nothing to all runs."""
    told: list[tuple[int, int]] = []
    build(sample, site, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 6) and told[-1] == (6, 6)


def test_an_empty_store_has_a_site(store: Path, site: Path) -> None:
    """A store without a run makes all index pages."""
    tracker.create_experiment("empty")
    build(store, site)
    assert "empty" in (site / "experiments" / "empty" / "index.html").read_text("utf-8")
    assert (site / "runs" / "index.html").is_file()


@pytest.mark.parametrize("kind", ["missing", "file", "folder"])
def test_what_is_no_store_is_refused(tmp_path: Path, site: Path, kind: str) -> None:
    """A path that holds no store is a clear error, and no site is begun."""
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("x")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(NotAStoreError, match="store"):
        build(path, site)
    assert not site.exists()


def test_a_folder_that_is_not_ours_is_refused(sample: Path, site: Path) -> None:
    """A folder with other files is only written to with force, which keeps them; an empty one is fine."""
    site.mkdir()
    build(sample, site)
    shutil.rmtree(site)
    site.mkdir()
    (site / "thesis.tex").write_text("years of work")
    with pytest.raises(SiteError, match="--force"):
        build(sample, site)
    assert tree(site) == {"thesis.tex": b"years of work"}
    build(sample, site, force=True)
    build(sample, site)
    assert (site / "thesis.tex").read_text() == "years of work" and (site / "index.html").is_file()


def test_a_file_is_no_place_for_a_site(sample: Path, site: Path) -> None:
    """A file where the site should go is a clear error."""
    site.write_text("x")
    with pytest.raises(SiteError, match="is a file"):
        build(sample, site)


@pytest.mark.parametrize("after", [0, 1, 5, 20])
def test_a_full_disk_leaves_the_site_as_it_was(
    sample: Path, site: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """When the disk fills up, the error says what to do, the old site stays whole and nothing is left beside it."""
    files = cold(sample, site)
    with tracker.start_run():
        log_run(9)
    monkeypatch.setattr(os, "write", full_after(after, os.write))
    with pytest.raises(SiteError, match=r"could not be written .*Free some space"):
        build(sample, site, full=True)
    monkeypatch.undo()
    assert tree(site) == files
    assert sorted(path.name for path in site.parent.iterdir()) == ["site", "store"]


def full_after(count: int, write: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
    """A write that fails after some calls."""
    calls = iter(range(count))

    def failing(fd: int, data: bytes) -> int:
        if next(calls, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    return failing


def test_one_run_that_cannot_be_shown_hides_nothing(sample: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When making a page fails, the run still has a page that says so, and the problems page links to it."""
    from site_builder import content

    files = cold(sample, site)
    bad = read_store(sample).experiments[0].runs[0]
    read_history = content.read_history

    def failing(folder: Path) -> Any:
        if folder == bad.folder:
            raise RecursionError("too deep")
        return read_history(folder)

    broken = site.with_name("broken")
    with monkeypatch.context() as patch:
        patch.setattr(content, "read_history", failing)
        result = build(sample, broken)
    assert [problem.run_id for problem in result.problems] == [bad.file.run_id]
    assert "too deep" in (broken / "runs" / bad.file.run_id / "index.html").read_text("utf-8")
    assert f"runs/{bad.file.run_id}/" in (broken / "problems" / "index.html").read_text("utf-8")
    assert {path for path, data in tree(broken).items() if "runs/" in path and files[path] != data} == {
        f"runs/{bad.file.run_id}/index.html",
        f"data/v1/runs/{bad.file.run_id}.js",
    } & set(files)
    build(sample, broken)
    assert tree(broken) == files


def test_damaged_runs_leave_the_pages_of_others_alone(sample: Path, site: Path) -> None:
    """Damage to one run changes no page of another run, and is listed with its file."""
    files = cold(sample, site)
    bad = read_store(sample).experiments[0].runs[0]
    mine = bad.file.run_id
    for number, damage in enumerate(
        (b"", b"{", b"\0" * 100, b'{"schema": 9}', b"[]", b'{"schema":1,"params":{"a":[1]}}')
    ):
        (bad.folder / "run.json").write_bytes(damage)
        out = site.with_name(f"damaged-{number}")
        result = build(sample, out)
        assert any(mine in problem.path for problem in result.problems)
        assert mine in (out / "problems" / "index.html").read_text("utf-8")
        others = {path: data for path, data in files.items() if path.startswith(("runs/", "data/v1/runs/"))}
        after = tree(out)
        assert {path for path, data in others.items() if after.get(path) != data} <= {
            path for path in files if mine in path or path == "runs/index.html"
        }


def test_two_runs_of_one_id_are_both_shown(sample: Path, site: Path) -> None:
    """A run that was copied into another experiment has a page of its own, and a problem tells of it."""
    run = read_store(sample).experiments[0].runs[0]
    shutil.copytree(run.folder, sample / "experiments" / "other" / "runs" / run.file.run_id)
    result = build(sample, site)
    assert len(list(site.glob("runs/*/index.html"))) == 7
    assert "has the id of another run" in [problem.message for problem in result.problems]


def test_parents_in_a_circle_are_shown(sample: Path, site: Path) -> None:
    """Runs that name each other as parents are in the table, each once."""
    first, second = list(read_store(sample).experiments[0].runs)[:2]
    for run, parent in ((first, second), (second, first)):
        content = json.loads((run.folder / "run.json").read_text())
        (run.folder / "run.json").write_text(json.dumps({**content, "parent": parent.file.run_id}))
    build(sample, site)
    page = (site / "experiments" / "digits" / "index.html").read_text("utf-8")
    table = page[page.index("<tbody") :]
    assert table.count(f'runs/{first.file.run_id}/index.html"') == 1


def test_authored_pages_are_part_of_the_site(sample: Path, site: Path) -> None:
    """Pages in the store's own folder are rendered, linked as tabs, and their images copied."""
    (sample / "pages" / "guide").mkdir(parents=True)
    (sample / "pages" / "about.md").write_text("# About us\n\n![plot](plot.png)\n")
    (sample / "pages" / "guide" / "start.md").write_text("---\ntitle: Start here\n---\n\nText.\n")
    (sample / "pages" / "plot.png").write_bytes(b"png")
    build(sample, site)
    assert "About us" in (site / "about.html").read_text("utf-8")
    assert '<a href="../guide/start.html">Guide</a>' in (site / "runs" / "index.html").read_text("utf-8")
    assert (site / "plot.png").read_bytes() == b"png"
    (sample / "pages" / "about.md").unlink()
    assert build(sample, site).removed > 0
    assert not (site / "about.html").exists()


def test_a_folder_of_pages_follows_its_index_page(tmp_path: Path) -> None:
    """Pages stand in the order in which index.md links to them, the others behind them by name."""
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide" / "index.md").write_text("[two](two.md#part), [one](one.md), [two](two.md)\n")
    for name in ("one", "two", "also"):
        (tmp_path / "guide" / f"{name}.md").write_text(f"# {name}\n")
    order = [f"guide/{name}.md" for name in ("index", "two", "one", "also")]
    assert read_authored(tmp_path).nav() == [{"Guide": order}]


def test_authored_pages_cannot_take_our_places_or_lead_outside(sample: Path, site: Path, tmp_path: Path) -> None:
    """Reserved names, links and broken pages are passed over, and the problems page says so."""
    (tmp_path / "secret.txt").write_text("secret")
    pages = sample / "pages"
    (pages / "runs").mkdir(parents=True)
    (pages / "runs" / "x.md").write_text("# Mine")
    (pages / "index.md").write_text("# Mine")
    (pages / "bad.md").write_bytes(b"\xff\xfe\x00")
    (pages / "link.txt").symlink_to(tmp_path / "secret.txt")
    (pages / "up").symlink_to(tmp_path)
    passed_over = {"runs", "index.md", "bad.md", "link.txt", "up"}
    if hasattr(os, "mkfifo"):
        os.mkfifo(pages / "pipe.md")
        passed_over.add("pipe.md")
    result = build(sample, site)
    assert {problem.path for problem in result.problems} == {f"pages/{name}" for name in passed_over}
    assert not any(b"secret" in data for data in tree(site).values())


def test_the_title_is_escaped_everywhere(sample: Path, site: Path) -> None:
    """A title with markup is text on data pages and on authored ones."""
    (sample / "pages").mkdir()
    (sample / "pages" / "about.md").write_text("# About\n")
    build(sample, site, title="<b>R&D</b>")
    for path in site.rglob("*.html"):
        page = path.read_text("utf-8")
        assert "<b>" not in page and "&lt;b&gt;R&amp;D&lt;/b&gt;" in page


def test_a_folder_of_pages_that_is_not_there_is_an_error(sample: Path, site: Path) -> None:
    """Naming a folder of pages that does not exist is a clear error."""
    with pytest.raises(SiteError, match="--pages"):
        build(sample, site, pages=site / "nowhere")


def test_a_build_with_nothing_to_do_loads_no_engine(sample: Path, site: Path) -> None:
    """Building again loads neither mkdocs nor altair nor jinja2; a new run needs jinja2 alone."""
    build(sample, site)
    assert modules_of_a_build(sample, site) == set()
    with tracker.start_run():
        log_run(7)
    assert modules_of_a_build(sample, site) == {"jinja2"}


def modules_of_a_build(store: Path, site: Path) -> set[str]:
    """Which of the large libraries a build in a fresh process loads."""
    program = (
        "import sys; from site_builder.build import build; build(sys.argv[1], sys.argv[2]);"
        "print(*{'mkdocs', 'material', 'altair', 'jinja2', 'pandas'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program, str(store), str(site)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_the_site_of_another_store_is_not_replaced_unasked(tmp_path: Path) -> None:
    """A build from another store is refused with what to do, and with force it is done."""
    for name in ("one", "two"):
        tracker.set_tracking_uri(tmp_path / name)
        with tracker.start_run(run_name=name):
            pass
    build(tmp_path / "one", tmp_path / "site")
    before = (tmp_path / "site" / "index.html").read_bytes()
    with pytest.raises(SiteError, match=r"another store.*--out.*--force"):
        build(tmp_path / "two", tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_bytes() == before
    build(tmp_path / "two", tmp_path / "site", force=True)
    assert (tmp_path / "site" / "index.html").read_bytes() != before
