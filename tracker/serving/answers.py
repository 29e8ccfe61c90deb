"""Predictions as JSON, in the form that MLflow's scoring server gives them."""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any

from tracker.exceptions import ModelError


def answer_bytes(predictions: Any) -> bytes:
    """`{"predictions": ...}`: frames as records, arrays as lists, bytes as base64, times in ISO 8601.

    NaN and infinities are written as MLflow does: as the words NaN and Infinity, which Python and its kin read back.
    Raises ModelError for predictions that have no such form.
    """
    try:
        return json.dumps({"predictions": _plain(predictions)}, default=_encode).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(
            f"The model answered with {type(predictions).__name__}, which cannot be made into JSON: {error}. "
            "Let it return a DataFrame, an array, or lists, dicts and numbers."
        ) from error


def _plain(predictions: Any) -> Any:
    kind = type(predictions).__module__.partition(".")[0]
    if kind == "pandas" and hasattr(predictions, "to_frame") and hasattr(predictions, "dtype"):
        predictions = predictions.to_frame()
    if kind == "pandas" and hasattr(predictions, "to_dict"):
        return predictions.to_dict(orient="records")
    return predictions.tolist() if kind == "numpy" and hasattr(predictions, "tolist") else predictions


def _encode(value: Any) -> Any:
    """What JSON does not know, as MLflow's encoder has it."""
    import numpy as np

    if isinstance(value, bytes | bytearray):
        return base64.encodebytes(value).decode("ascii")
    if isinstance(value, datetime.date | datetime.time):  # of which datetime and pandas.Timestamp are kinds
        return value.isoformat()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"there is no form for {type(value).__name__}")
