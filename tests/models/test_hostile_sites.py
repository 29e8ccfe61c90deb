"""Servers that mean harm: each is a clear error in a short time, and nothing is written outside of the cache."""

from __future__ import annotations

import gzip
import http.server
import json
import time
from pathlib import Path

import pytest

import tracker
from tests.models.sites import Answer, answering, index_of, manifest, manifest_of, send
from tracker import fetching, remote
from tracker.schema import ManifestEntry

BOMB = gzip.compress(bytes(50_000_000))


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder of its own; servers are given up after a second."""
    monkeypatch.setenv("TRACKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetching, "SILENCE", 0.5)
    monkeypatch.setattr(fetching, "PATIENCE", 1.0)
    monkeypatch.setattr(fetching, "SLOWEST", 10**9)


def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while True:
        handler.wfile.write(b" ")
        time.sleep(0.05)


def drip_headers(handler: http.server.BaseHTTPRequestHandler) -> None:
    """The same before the first byte of the body."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)


def silence(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Nothing."""
    time.sleep(20)


def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A body that does not end, of no known length."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"[" * 65536)


def cut_off(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Less than announced."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{}")


def nonsense(handler: http.server.BaseHTTPRequestHandler) -> None:
    """No HTTP at all."""
    handler.wfile.write(b"\x00\x01 nonsense\r\n\r\n")


def chunks_of_nonsense(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Chunks whose sizes are none."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"zz\r\nnonsense\r\n")


def many_headers(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A thousand headers."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n{}")


def to(address: str, status: int = 302) -> Answer:
    """A redirect."""
    return lambda handler: send(handler, b"", status, Location=address)


def packed(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A bomb: 50 MB of zeros in 50 kB, though nobody asked for packed bytes."""
    send(handler, BOMB, Content_Encoding="gzip")


HARM: dict[str, tuple[Answer | bytes, str]] = {
    "another host": (to("http://localhost:9/registry.json"), "redirects to another place, http://localhost:9"),
    "another scheme": (to("https://127.0.0.1:9/"), "redirects to another place, https://127.0.0.1:9"),
    "a file": (to("file:///etc/passwd"), "redirects to"),
    "ftp": (to("ftp://127.0.0.1/x"), "redirects to another place, ftp://"),
    "a permanent file": (to("file:///etc/passwd", 308), "redirects to"),
    "itself": (to("/models/registry.json"), "redirects to where nobody may follow"),
    "an error": (lambda handler: send(handler, b"no", 500), "answers 500"),
    "a door": (lambda handler: send(handler, b"no", 401), "answers 401"),
    "no end": (endless, "more than the"),
    "too much": (
        lambda handler: send(handler, b"{}", Content_Length=str(10**12)),
        "announces 1000000000000 bytes",
    ),
    "cut off": (cut_off, "cut off|IncompleteRead"),
    "nonsense": (nonsense, "cannot be fetched"),
    "chunks": (chunks_of_nonsense, "cannot be fetched"),
    "headers": (many_headers, "cannot be fetched"),
    "packed": (packed, "comes packed"),
    "gzip unannounced": (gzip.compress(b"{}" * 1000), "is no list of models"),
    "a drip": (drip, "too slow"),
    "a drip of headers": (drip_headers, "too slow|does not answer"),
    "silence": (silence, "too slow|does not answer"),
    "no JSON": (b"<html>", "is no list of models"),
    "a list": (b"[]", "is no list of models"),
    "depth": (b'{"schema":1,"models":{},"x":' + b"[" * 100_000, "is no list of models"),
    "other types": (index_of({"1": {"files": 5}}), "is no list of models"),
    "a newer schema": (b'{"schema":2,"models":{}}', "Install a newer tracker"),
    "files elsewhere": (index_of({"1": {"files": "https://example.org/x/"}}), "which is another place"),
    "files of this machine": (index_of({"1": {"files": "file:///etc/"}}), "which is another place"),
    "files beside": (index_of({"1": {"files": "//example.org/x/"}}), "which is another place"),
    "files above": (index_of({"1": {"files": "../../other/"}}), "which is another place|answers 404"),
}
MANIFESTS: dict[str, tuple[Answer | bytes, str]] = {
    "dots": (manifest_of({"../../out": b"x", "MLmodel": b"x"}), "empty part, . or .."),
    "encoded dots": (manifest_of({"%2e%2e/out": b"x"}), "encoded separator"),
    "absolute": (manifest_of({"/out": b"x"}), "is absolute"),
    "home": (manifest_of({"~/out": b"x"}), "is absolute"),
    "a drive": (manifest_of({"C:/out": b"x"}), "is absolute"),
    "backslashes": (manifest_of({"a\\..\\..\\out": b"x"}), "backslash"),
    "an unfinished name": (manifest_of({".new-x/MLmodel": b"x"}), "unfinished"),
    "a file as a folder": (manifest_of({"a": b"x", "a/b": b"x"}), "fetch a model into"),
    "another digest": (json.dumps({"schema": 1, "digest": "sha256:0", "files": {}}).encode(), "its own digest"),
    "no JSON": (b"\xff", "is damaged"),
    "no size": (b'{"schema":1,"digest":"","files":{"a":{"sha256":"","bytes":-1}}}', "is damaged"),
    "too many files": (
        manifest({f"f{number}": ManifestEntry("0" * 64, 0) for number in range(100_000)}),
        "100,000 files; at most 10,000",
    ),
    "too many bytes": (manifest({"a": ManifestEntry("0" * 64, 10**13)}), "at most 4,294,967,296"),
    "more than is read": (b" " * (remote.MAX_MANIFEST + 1), "announces"),
    "wrong bytes": (manifest_of({"a": b"y"}), "not what the manifest beside it says"),
    "too few bytes": (manifest_of({"a": b"xx"}), "not what the manifest beside it says"),
    "too many for a file": (manifest_of({"a": b""}), "announces 1 bytes; 0 are expected"),
    "no such file": (manifest_of({"b": b"x"}), "answers 404"),
}


def everything(folder: Path) -> set[str]:
    """What lies below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refused(tmp_path: Path, uri: str, message: str) -> None:
    """Loading fails within the limits, with this message, and nothing was written outside of the cache."""
    before, started = everything(tmp_path), time.monotonic()
    with pytest.raises(tracker.TrackerError, match=message):
        tracker.sklearn.load_model(uri)
    assert time.monotonic() - started < 15
    new = everything(tmp_path) - before
    assert {path for path in new if not path.startswith("cache")} == set()
    assert {path for path in new if Path(path).name not in ("cache", "models")} == set()


@pytest.mark.parametrize("harm", HARM)
def test_a_hostile_list(tmp_path: Path, harm: str) -> None:
    """Is a clear error in a short time, and not followed anywhere."""
    answer, message = HARM[harm]
    with answering({"/models/registry.json": answer, "/x/models/registry.json": answer}) as (address, asked):
        tracker.set_tracking_uri(address)
        refused(tmp_path, "models:/iris/1", message)
        assert len(asked) <= 7


@pytest.mark.parametrize("harm", MANIFESTS)
def test_a_hostile_manifest(tmp_path: Path, harm: str) -> None:
    """Is a clear error, and leaves nothing."""
    answer, message = MANIFESTS[harm]
    with answering({"/site/files/manifest.json": answer, "/site/files/a": b"x"}) as (address, _):
        refused(tmp_path, f"{address}site/", message)


@pytest.mark.parametrize("harm", [harm for harm, (answer, _) in HARM.items() if not isinstance(answer, bytes)])
def test_a_hostile_file(tmp_path: Path, harm: str) -> None:
    """The same while the files are fetched: nothing of the model stays."""
    entries = manifest_of({"a": b"x", "b": b"[" * 1000})
    with answering({"/site/files/manifest.json": entries, "/site/files/a": b"x", "/site/files/b": HARM[harm][0]}) as (
        address,
        _,
    ):
        refused(
            tmp_path, f"{address}site/", HARM[harm][1] + r"|announces \d+ bytes|is not what the manifest|answers 404"
        )
