"""`tracker models predict`: the answer of a server to one file, without the server."""

from __future__ import annotations

import sys
from pathlib import Path

from tracker import pyfunc
from tracker.exceptions import InvalidValueError, NotFoundError
from tracker.opening import Trust
from tracker.serving.answers import answer_bytes
from tracker.serving.parsing import CSV_TYPE, JSON_TYPE, parse


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
    """Anything that can be read, pipes too: it was named by the person who asks."""
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {source}. Check the path.") from None
    except OSError as error:
        raise InvalidValueError(f"{source} cannot be read: {error.strerror}. Check the path.") from error
