"""`tracker models serve`: the application on a port of this machine."""

from __future__ import annotations

import contextlib
import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import uvicorn

from tracker import pyfunc
from tracker.exceptions import InvalidValueError
from tracker.model_uri import find_model
from tracker.models.inspection import ModelFacts, inspect_folder
from tracker.opening import Trust
from tracker.serving.app import LIMIT, make_app
from tracker.serving.examples import curl_line, example_request
from tracker.serving.page import About

GRACE = 20
"""Seconds that requests have to finish after SIGTERM or Ctrl-C."""

Say = Callable[[str], None]
"""Shows a line to the person who serves."""


def serve_model(
    uri: str,
    host: str = "127.0.0.1",
    port: int = 5000,
    *,
    trust: Trust = False,
    limit: int = LIMIT,
    say: Say | None = None,
) -> None:
    """Serve the predictions of a model until Ctrl-C or SIGTERM; requests that run then are answered first.

    Port 0 takes one that is free; `say` prints unless given. Raises InvalidValueError when the port is taken, and what
    `tracker.pyfunc.load_model` raises.
    """
    say = say or partial(print, flush=True)
    with _quiet_ending(), _bound(host, port) as bound:
        model = pyfunc.load_model(uri, trust=trust)
        about = About(uri, inspect_folder(find_model(uri).folder))
        address = _address(bound)
        config = uvicorn.Config(
            make_app(model, about, limit=limit),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
        _Server(config, lambda: say(_greeting(uri, address, about.facts))).run(sockets=[bound])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, greet: Callable[[], None]) -> None:
        super().__init__(config)
        self._greet = greet

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As the base class; once requests are taken, says so."""
        await super().startup(sockets)
        self._greet()


def _greeting(uri: str, address: str, facts: ModelFacts) -> str:
    curl = curl_line(address, example_request(facts))
    return f"Serving {uri} at {address} - Ctrl-C ends it. Try it:\n  {curl}"


@contextlib.contextmanager
def _quiet_ending() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the block without a word: uvicorn repeats the signal that ended it.

    Process 1 of a container gets SIGTERM only if there is a handler, so there is one while the model loads.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket with its address, which listens once the model is loaded. A taken port is told before that."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once only on sockets that say they are of TCP; else each answer waits 40 ms
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, port))
        except OSError as error:
            raise InvalidValueError(_no_port(error, host, port)) from error
        yield made
    finally:
        made.close()


def _no_port(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by another program. Name another one: --port {port % 65535 + 1}."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} needs more rights than you have. Name one above 1023: --port 5000."
    return f"Cannot listen on {host}, port {port}: {error.strerror}. Check --host and --port."


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
