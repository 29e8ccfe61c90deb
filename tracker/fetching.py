"""Files of an address of the web, within limits: nowhere but where the caller points, no more bytes than announced, and
neither silence nor a trickle holds anybody up.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import io
import time
import urllib.request
from collections.abc import Iterator
from socket import socket
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from tracker.exceptions import InvalidValueError, ModelError, NotFoundError

SILENCE = 30.0
"""Seconds without a byte after which a server is given up."""
PATIENCE = 60.0
"""Seconds that any file may take."""
SLOWEST = 100_000
"""Bytes a second beyond that: a file may take as long as its size needs at this speed."""
_LOCAL = ("127.0.0.1", "localhost", "::1")
_GONE = (404, 410)


class Body(io.RawIOBase):
    """What a server sends: at most `limit` bytes of it, with their digest."""

    def __init__(self, address: str, answer: http.client.HTTPResponse, limit: int) -> None:
        self._address, self._answer, self._limit = address, answer, limit
        self._digest = hashlib.sha256()
        self.size = 0
        """Bytes so far."""

    @property
    def sha256(self) -> str:
        """64 hex digits over the bytes so far."""
        return self._digest.hexdigest()

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most as many; all of them without a size. ModelError when there are too many."""
        with _told(self._address):
            wanted = self._limit - self.size + 1
            data = self._answer.read(wanted if size < 0 else min(size, wanted))
        if not data and wanted and self._answer.length:
            raise ModelError(f"{self._address} was cut off after {self.size:,} bytes. Try again.")
        self.size += len(data)
        self._digest.update(data)
        if self.size > self._limit:
            raise ModelError(
                f"{self._address} has more than the {self._limit:,} bytes that are expected. It is not read."
            )
        return data


@contextlib.contextmanager
def fetch(address: str, limit: int) -> Iterator[Body]:
    """Open what lies behind an address.

    Raises NotFoundError when there is nothing, InvalidValueError for an address that is not encrypted or none, and
    ModelError for a server that sends too much, too slowly, to another host or not what was asked for.
    """
    _check_address(address)
    deadline = time.monotonic() + PATIENCE + limit / SLOWEST
    opener = urllib.request.build_opener(_SameHost, _Http(deadline), _Https(deadline))
    request = urllib.request.Request(address, headers={"User-Agent": "tracker", "Accept-Encoding": "identity"})
    with _told(address):
        answer = opener.open(request, timeout=SILENCE)
    with answer:
        encoding, length = answer.headers.get("Content-Encoding", "identity"), answer.headers.get("Content-Length", "")
        if encoding != "identity":
            raise ModelError(f"{address} comes packed ({encoding!r:.40}), which was not asked for. It is not read.")
        if length.isdecimal() and int(length[:20]) > limit:
            raise ModelError(f"{address} announces {length:.20} bytes; {limit:,} are expected. It is not read.")
        yield Body(address, answer, limit)


def fetch_bytes(address: str, limit: int) -> bytes:
    """All bytes behind an address; see fetch."""
    with fetch(address, limit) as body:
        return b"".join(iter(functools.partial(body.read, 1 << 16), b""))


def is_same_place(address: str, folder: str) -> bool:
    """Whether an address lies below that of a folder."""
    return address.startswith(folder) and "/../" not in f"{address}/"


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        host, secure, named = parts.hostname, parts.scheme == "https", parts.username is not None
    except ValueError as error:
        raise InvalidValueError(f"{address!r:.200} is no address: {error}.") from None
    if not host or named:
        raise InvalidValueError(f"{address!r:.200} is no address of a site. It begins with https:// and a host.")
    if not secure and host not in _LOCAL:
        raise InvalidValueError(f"{address!r:.200} is not encrypted, so anybody on the way can change it. Use https.")


@contextlib.contextmanager
def _told(address: str) -> Iterator[None]:
    """Say what went wrong with an address."""
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code in _GONE:
            text = f"{address} answers {error.code}. Check the address; is the model published?"
            raise NotFoundError(text) from None
        what = "redirects to where nobody may follow" if 300 <= error.code < 400 else f"answers {error.code}"
        raise ModelError(f"{address} {what}. It is not read.") from None
    except TimeoutError:
        raise ModelError(f"{address} is too slow, or does not answer. Try again later.") from None
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise ModelError(f"{address} does not answer. Try again later.") from None
        raise ModelError(f"{address} cannot be fetched: {error.reason}.") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ModelError(f"{address} cannot be fetched: {type(error).__name__}: {error!s:.200}.") from None


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only within the host and scheme that the user named."""

    max_redirections = 5

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            raise ModelError(
                f"{req.full_url} redirects to another place, {new.scheme}://{new.netloc}. Name that address if you "
                "trust it."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Http(urllib.request.HTTPHandler):
    """Opens connections whose answers have to come before a deadline."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_timed(http.client.HTTPConnection, self._deadline), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_timed(http.client.HTTPSConnection, self._deadline), req)


def _timed(kind: type[http.client.HTTPConnection], deadline: float) -> Any:
    def connect(host: str, **options: Any) -> http.client.HTTPConnection:
        connection = kind(host, **options)
        connection.response_class = functools.partial(_TimedResponse, deadline=deadline)  # type: ignore[assignment]
        return connection

    return connect


class _TimedResponse(http.client.HTTPResponse):
    """An answer whose bytes, those of its headers too, have to come before a deadline."""

    def __init__(self, sock: socket, *arguments: Any, deadline: float, **options: Any) -> None:
        super().__init__(_TimedSocket(sock, deadline), *arguments, **options)  # type: ignore[arg-type]


class _TimedSocket:
    """As much of a socket as an answer needs."""

    def __init__(self, sock: socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedFile(self._sock, self._deadline))


class _TimedFile(io.RawIOBase):
    def __init__(self, sock: socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(SILENCE, left))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
