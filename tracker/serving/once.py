"""One prediction: for a request of the server, and for a file without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tracker import pyfunc
from tracker.exceptions import InvalidValueError, NotFoundError, TrackerError
from tracker.opening import Trust
from tracker.pyfunc import PyFuncModel
from tracker.serving.answers import answer_bytes
from tracker.serving.errors import PredictionError
from tracker.serving.parsing import CSV_TYPE, JSON_TYPE, Parsed, parse


def predict(model: PyFuncModel, parsed: Parsed) -> Any:
    """The predictions of a model.

    What the model itself raises is taken for the fault of the data, as MLflow does: it becomes a PredictionError.
    """
    try:
        return model.predict(parsed.data, parsed.params)
    except TrackerError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:500].rstrip(".")
        raise PredictionError(
            f"The model could not predict from these data: {type(error).__name__}: {reason}. Compare them with its "
            "signature, if it has one; the log of a server has more."
        ) from error


def predict_file(uri: str, source: str, kind: str, *, trust: Trust = False) -> bytes:
    """`{"predictions": ...}` for a file, whose `kind` is json or csv; `-` is standard input.

    Raises NotFoundError for a missing file, RequestError for one that does not fit, and what
    `tracker.pyfunc.load_model` raises.
    """
    body = _read(source)
    model = pyfunc.load_model(uri, trust=trust)
    signature = model.metadata.signature
    parsed = parse(body, CSV_TYPE if kind == "csv" else JSON_TYPE, None if signature is None else signature.inputs)
    return answer_bytes(predict(model, parsed))


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
