"""The web application behind `tracker models serve`: MLflow's scoring protocol around one model."""

from __future__ import annotations

import functools
import json
import logging
import os
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tracker import __version__
from tracker.exceptions import InvalidValueError, TrackerError
from tracker.serving.answers import answer_bytes
from tracker.serving.errors import PredictionError, RequestError, TooLargeError
from tracker.serving.once import predict
from tracker.serving.page import POLICY, About, render_page
from tracker.serving.parsing import JSON_TYPE, parse

if TYPE_CHECKING:
    from tracker.pyfunc import PyFuncModel

LIMIT = 32 * 1024 * 1024
"""Bytes of the largest body that is read, unless told otherwise."""
THREADS = min(32, (os.cpu_count() or 1) + 4)
"""Predictions at the same time; more of them wait."""
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_log = logging.getLogger("tracker.serving")


def make_app(model: PyFuncModel, about: About, *, limit: int = LIMIT) -> Starlette:
    """An ASGI application that answers with the predictions of a model.

    Predictions are made in threads, so /ping answers meanwhile. A client gets the message of an error, never its
    traceback, which goes to the log.
    """
    signature = model.metadata.signature
    schema = None if signature is None else signature.inputs
    limiter = anyio.CapacityLimiter(THREADS)

    async def invocations(request: Request) -> Response:
        try:
            body = await _read_body(request, limit)
            work = functools.partial(_answer, model, schema, body, request.headers.get("content-type", ""))
            return await anyio.to_thread.run_sync(work, limiter=limiter)
        except TooLargeError as error:
            return _refusal(error.status, error)
        except ClientDisconnect:
            return Response(status_code=400)

    async def page(request: Request) -> Response:
        headers = {**_HEADERS, "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
        return HTMLResponse(render_page(about, str(request.base_url)), headers=headers)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/ping", _ping),
            Route("/health", _ping),
            Route("/version", _version),
            Route("/invocations", invocations, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _not_here},
    )


async def _ping(request: Request) -> Response:
    return Response("\n", media_type=JSON_TYPE, headers=_HEADERS)


async def _version(request: Request) -> Response:
    return Response(__version__, media_type=JSON_TYPE, headers=_HEADERS)


async def _not_here(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = "Ask GET /, /ping, /health or /version, or POST to /invocations."
    return _error(error.status_code, "ENDPOINT_NOT_FOUND", f"{error.detail}. {known}", error.headers)


async def _read_body(request: Request, limit: int) -> bytes:
    """The body; TooLargeError as soon as it has more than `limit` bytes, whatever its head announced."""
    told = request.headers.get("content-length", "")
    parts, size = [], 0
    if told.isdecimal() and float(told) > limit:
        raise _too_large(limit)
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"The body has more than {limit:,} bytes, the limit of this server. Send fewer rows at once, or start it with "
        "a larger --limit."
    )


def _answer(model: PyFuncModel, schema: Any, body: bytes, content_type: str) -> Response:
    """Runs in a thread, so nothing may be raised that is not turned into an answer."""
    try:
        parsed = parse(body, content_type, schema)
        predictions = predict(model, parsed)
        return Response(answer_bytes(predictions), media_type=JSON_TYPE, headers=_HEADERS)
    except RequestError as error:
        if isinstance(error, PredictionError):
            _log.error("The model raised an exception", exc_info=error.__cause__)
        return _refusal(error.status, error)
    except InvalidValueError as error:
        return _refusal(400, error)
    except TrackerError as error:
        _log.exception("A request could not be answered")
        return _error(500, error.error_code, error.message)
    except Exception:
        _log.exception("A request could not be answered")
        return _error(500, TrackerError.error_code, "The server could not answer. Its log has the reason.")


def _refusal(status: int, error: TrackerError) -> Response:
    _log.warning("refused with %d: %r", status, error.message[:300])
    return _error(status, error.error_code, error.message)


def _error(status: int, code: str, message: str, headers: Any = None) -> Response:
    body = json.dumps({"error_code": code, "message": message})
    return Response(body, status_code=status, media_type=JSON_TYPE, headers={**_HEADERS, **(headers or {})})
