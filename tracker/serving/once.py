"""`tracker models predict`: the answer of a server to one file, without the server."""

from __future__ import annotations

import sys
from pathlib import Path

from tracker import _io, pyfunc
from tracker.exceptions import NotFoundError
from tracker.opening import Trust
from tracker.serving.answers import answer_bytes
from tracker.serving.parsing import CSV_TYPE, JSON_TYPE, parse

LARGEST = 1 << 31
"""Bytes of the largest file that is read."""


def predict_file(uri: str, source: str, kind: str, *, trust: Trust = False) -> bytes:
    """`{"predictions": ...}` for a file of JSON or CSV; `-` is standard input.

    Raises NotFoundError for a missing file, RequestError for one that does not fit, and what
    `tracker.pyfunc.load_model` raises.
    """
    body = _read(source)
    model = pyfunc.load_model(uri, trust=trust)
    signature = model.metadata.signature
    parsed = parse(body, CSV_TYPE if kind == "csv" else JSON_TYPE, None if signature is None else signature.inputs)
    return answer_bytes(model.predict(parsed.data, parsed.params))


def _read(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    path = Path(source).resolve()  # a link that the user typed is meant
    try:
        with _io.explained("read", path):
            return _io.read_file(path, limit=LARGEST)
    except OSError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise NotFoundError(f"There is no file {source}. Check the path.") from error
        raise
