"""`tracker serve`: files of the site and nothing else, up to date while runs arrive."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

import tracker
from site_builder.assembly import SITE_DATA
from site_builder.build import BuildResult
from site_builder.serve import _rebuild, serve
from tracker.exceptions import SiteError

from .conftest import log_run

PROGRAM = """
import sys
from site_builder.serve import serve
serve(sys.argv[1], sys.argv[2], port=0, interval=0.05)
"""


@pytest.fixture
def served(sample: Path, site: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a site that a process serves, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(sample), str(site)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found
    yield found[0], process
    process.kill()
    process.communicate()


def test_pages_data_and_new_runs(served: tuple[str, subprocess.Popen[str]], site: Path) -> None:
    """Pages and data come with their types, the site is marked as live, and a new run appears by itself."""
    address, process = served
    for path, kind in {
        "": "text/html",
        "runs/index.html": "text/html",
        SITE_DATA: "text/javascript",
        "assets/tracker.css": "text/css",
        "data/v1/manifest.json": "application/json",
    }.items():
        with urllib.request.urlopen(address + path) as answer:
            assert answer.headers.get_content_type() == kind
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with urllib.request.urlopen(address + SITE_DATA + "?1") as answer:
        assert b'"live":true' in answer.read()
    assert b'"live":false' in (site / SITE_DATA).read_bytes()
    with tracker.start_run(run_name="newcomer"):
        log_run(8)
    assert process.stdout
    assert "files written" in process.stdout.readline()
    assert "newcomer" in (site / "runs" / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    "path", ["assets/", "data", "runs/nothing/", "../store/store.yaml", "%2e%2e/store/store.yaml", "//etc/passwd"]
)
def test_nothing_else_is_served(served: tuple[str, subprocess.Popen[str]], path: str) -> None:
    """There are no listings of folders, and nothing outside the site."""
    host, port = served[0].removeprefix("http://").rstrip("/").split(":")
    connection = HTTPConnection(host, int(port))
    connection.request("GET", f"/{path}")
    answer = connection.getresponse()
    assert answer.status in (301, 404)
    assert b"schema" not in answer.read()


def test_a_port_that_is_taken_is_a_clear_error(sample: Path, site: Path) -> None:
    """When another program has the port, the error names it and a remedy, and nothing is built."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SiteError, match=rf"Port {port} .*--port {port + 1}"):
            serve(sample, site, port=port)
    with pytest.raises(SiteError, match="no port"):
        serve(sample, site, port=99_999)
    assert not site.exists()


def test_no_error_ends_the_rebuilding(tmp_path: Path) -> None:
    """A build that fails, for whatever reason, is told once and tried again."""
    outcomes: list[Exception | BuildResult] = [
        ValueError("odd"),
        ValueError("odd"),
        SiteError("The disk is full."),
        BuildResult(tmp_path, 1, 2, 3, 4, (), (), 0.1),
    ]
    stop, told = threading.Event(), list[str]()

    def again() -> BuildResult:
        outcome = outcomes.pop(0)
        if not outcomes:
            stop.set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    _rebuild(again, 0.001, stop, told.append)
    assert told == [
        "The site could not be built, and stays as it was: ValueError('odd')",
        "The disk is full.",
        "2 files written, 3 removed.",
    ]
