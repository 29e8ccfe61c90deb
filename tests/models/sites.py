"""Web servers on the loopback: honest ones that serve a folder, and one that answers as a test says."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tracker.models.digests import digest_of, make_manifest
from tracker.schema import ManifestEntry

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]
"""Answers one request."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and tells nothing."""

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving(handler: Any) -> Iterator[str]:
    """The address of a server with this handler, while the block lasts."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def serving_folder(folder: Path) -> contextlib.AbstractContextManager[str]:
    """The address of a server of a folder."""
    return serving(functools.partial(Quiet, directory=str(folder)))


@contextlib.contextmanager
def answering(answers: dict[str, Answer | bytes]) -> Iterator[tuple[str, list[str]]]:
    """The address of a server that answers each path as it is told (404 otherwise), and the paths it was asked for."""
    asked: list[str] = []

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answers and hangs up."""
            self.close_connection = True
            asked.append(self.path)
            answer = answers.get(self.path)
            with contextlib.suppress(OSError):
                if answer is None:
                    self.send_error(404)
                elif isinstance(answer, bytes):
                    send(self, answer)
                else:
                    answer(self)

    with serving(Handler) as address:
        yield address, asked


def send(handler: http.server.BaseHTTPRequestHandler, data: bytes, status: int = 200, **headers: str) -> None:
    """An answer with these bytes; headers are named with underscores."""
    handler.send_response(status)
    for name, value in {"Content_Length": str(len(data)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def manifest_of(files: dict[str, bytes]) -> bytes:
    """The manifest of files that are given as bytes."""
    entries = {path: ManifestEntry(hashlib.sha256(data).hexdigest(), len(data)) for path, data in files.items()}
    return manifest(entries)


def manifest(entries: dict[str, ManifestEntry]) -> bytes:
    """A manifest of any entries, with a digest that fits."""
    listed = {path: {"sha256": entry.sha256, "bytes": entry.bytes} for path, entry in entries.items()}
    return json.dumps({"schema": 1, "digest": digest_of(entries), "files": listed}).encode()


def index_of(versions: dict[str, Any], name: str = "iris", **model: Any) -> bytes:
    """The list of a site with one model."""
    return json.dumps({"schema": 1, "models": {name: {"slug": name, "versions": versions, **model}}}).encode()


def make_site(folder: Path, models: dict[str, Path], **model: Any) -> Path:
    """A site made by hand, of a model `iris` whose versions are these folders."""
    versions = {}
    for number, source in models.items():
        place = f"models/iris/{number}/files/"
        shutil.copytree(source, folder / place)
        versions[number] = {"stage": "None", "digest": make_manifest(source).digest, "files": place, "deleted": False}
    for number, stage in model.pop("in_stages", {}).items():
        versions[number]["stage"] = stage
    (folder / "models" / "registry.json").write_bytes(index_of(versions, **model))
    return folder
