"""A server in a process of its own, and how to talk to it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

STARTS = 60.0
"""Seconds that a server may take to start on a busy machine."""


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Server(NamedTuple):
    """A running server."""

    process: subprocess.Popen[str]
    address: str
    greeting: str

    def get(self, path: str) -> Reply:
        """Ask for a path."""
        return fetch(urllib.request.Request(self.address + path))

    def predict(self, body: str | bytes, content_type: str = "application/json") -> Reply:
        """Send a body to /invocations."""
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(f"{self.address}invocations", data, {"Content-Type": content_type})
        return fetch(request)


def fetch(request: urllib.request.Request) -> Reply:
    """Send a request past any proxy; a refusal is a reply too."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return Reply(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return Reply(error.code, error.read())


@contextmanager
def serving(
    *arguments: object, command: Sequence[str] = (), folder: Path | None = None, **environment: str
) -> Iterator[Server]:
    """`tracker models serve` with arguments (or another command) until the block ends; its errors go to its stdout."""
    words = [*(command or [sys.executable, "-m", "tracker.cli", "models", "serve"]), *map(str, arguments)]
    process = subprocess.Popen(
        words,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
    )
    try:
        yield _greeted(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _greeted(process: subprocess.Popen[str]) -> Server:
    assert process.stdout
    lines = []
    until = time.monotonic() + STARTS
    while time.monotonic() < until:
        line = process.stdout.readline()
        lines.append(line)
        found = re.search(r"Serving .* at (http://\S+/)", line)
        if found:
            return Server(process, found[1], line + process.stdout.readline())
        if not line:
            break
    raise AssertionError(f"The server did not start:\n{''.join(lines)}")
