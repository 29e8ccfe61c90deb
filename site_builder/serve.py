"""`tracker serve`: the site over http on this machine, built again as runs arrive."""

from __future__ import annotations

import contextlib
import errno
import io
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from site_builder.assembly import SITE_DATA
from site_builder.build import BuildResult, Stores, build
from tracker.exceptions import SiteError, TrackerError
from tracker.foreign.table_columns import ColumnMap

TYPES = {
    "": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

Say = Callable[[str], None]
"""Shows a line to the person who serves."""


def serve(
    stores: Stores,
    out: Path | str,
    host: str = "127.0.0.1",
    port: int = 8080,
    interval: float = 2.0,
    *,
    kind: str | None = None,
    columns: ColumnMap | None = None,
    title: str | None = None,
    pages: Path | str | None = None,
    force: bool = False,
    say: Say | None = None,
) -> None:
    """Build the site, serve it until Ctrl-C, and build again as runs arrive, looking every `interval` seconds.

    Port 0 takes one that is free; `say` prints unless given. Raises SiteError when the port is taken, and what `build`
    raises.
    """
    say = say or partial(print, flush=True)
    again = partial(build, stores, out, kind=kind, columns=columns, title=title, pages=pages, force=force)
    with _listen(Path(out), host, port) as server:
        result = again()
        say(f"Serving {result.pages:,} pages at http://{host}:{server.server_port}/ - Ctrl-C ends it.")
        stop = threading.Event()
        builder = threading.Thread(target=_rebuild, args=(again, interval, stop, say), daemon=True)
        builder.start()
        try:
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever(poll_interval=0.2)
        finally:
            stop.set()
            builder.join()


def _rebuild(again: Callable[[], BuildResult], interval: float, stop: threading.Event, say: Say) -> None:
    """Builds that change nothing are not worth a word, nor is the same error twice. No error ends the loop."""
    last_error = ""
    while not stop.wait(interval):
        try:
            result = again()
        except Exception as error:
            known = isinstance(error, TrackerError)
            told = str(error) if known else f"The site could not be built, and stays as it was: {error!r}"
            if told != last_error:
                say(told)
            last_error = told
        else:
            last_error = ""
            if result.written or result.removed:
                say(f"{result.written:,} files written, {result.removed:,} removed.")


def _listen(out: Path, host: str, port: int) -> ThreadingHTTPServer:
    try:
        return _Server((host, port), partial(_Handler, directory=str(out)))
    except OSError as error:
        raise SiteError(_no_port(error, host, port)) from error
    except OverflowError as error:
        raise SiteError(f"{port} is no port. Name one between 1 and 65535, or 0 for any that is free.") from error


def _no_port(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by another program. Name another one: --port {port + 1}."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} needs more rights than you have. Name one above 1023: --port 8080."
    return f"Cannot listen on {host}, port {port}: {error.strerror}. Check --host and --port."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is nobody's error."""


class _Handler(SimpleHTTPRequestHandler):
    """Files of the site, no listings of folders, nothing kept by the browser."""

    extensions_map = TYPES
    server_version = "tracker"
    sys_version = ""

    def send_head(self) -> Any:
        """As the base class, with `live` set in `site.js`."""
        if self.path.split("?")[0] == f"/{SITE_DATA}":
            return self._send_site_data()
        return super().send_head()

    def end_headers(self) -> None:
        """With the headers that every answer has."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """There are no listings."""
        self.send_error(404, "File not found")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet: the terminal tells of builds, not of requests."""

    def _send_site_data(self) -> Any:
        try:
            data = (Path(self.directory) / SITE_DATA).read_bytes()
        except OSError:
            self.send_error(404, "File not found")
            return None
        data = data.replace(b'"live":false', b'"live":true', 1)
        self.send_response(200)
        self.send_header("Content-Type", TYPES[".js"])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return io.BytesIO(data)
