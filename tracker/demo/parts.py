"""What the studies of the demo share."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import classification_report, confusion_matrix

import tracker

Array = NDArray[Any]


class Job(NamedTuple):
    """One piece of the demo's work, and what to call it while it runs."""

    label: str
    work: Callable[[], None]


class Data(NamedTuple):
    """A data set, split for training and validation."""

    x_train: Array
    x_val: Array
    y_train: Array
    y_val: Array


def log_predictions(truth: Array, predicted: Array, names: list[str]) -> None:
    """Log the confusion matrix as CSV, the scores of each class as JSON, and as a text for people."""
    counts = confusion_matrix(truth, predicted)
    rows = ([name, *row] for name, row in zip(names, counts, strict=True))
    tracker.log_text(as_csv(["true class", *names], rows), "confusion_matrix.csv")
    report = partial(classification_report, truth, predicted, target_names=names, zero_division=0)
    tracker.log_dict(report(output_dict=True), "scores.json")
    tracker.log_text(report(), "scores.txt")


def cross_entropy(probabilities: Array, truth: Array) -> float:
    """Mean surprise about the true classes, in nats."""
    chosen = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(chosen, 1e-15, 1)).mean())


def as_csv(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table of names and numbers, none of which needs quotes."""
    return "".join(",".join(map(str, row)) + "\n" for row in (head, *rows))


def png(grey: Array) -> bytes:
    """A grey picture (uint8, height x width) as a PNG file; https://www.w3.org/TR/png/ has the format."""
    height, width = grey.shape
    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in grey)
    chunks = (b"IHDR" + header, b"IDAT" + zlib.compress(lines), b"IEND")
    packed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
