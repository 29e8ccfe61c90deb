"""Three big libraries in one process: triton, which torch brings, has to be loaded before TensorFlow."""

from __future__ import annotations

import contextlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
with contextlib.suppress(ImportError):  # torch has it on Linux only
    import triton  # noqa: F401
