"""What MLflow's client has and ours does not: see `tracker.missing`."""

from __future__ import annotations

from tracker.missing import KINDS, refuse, remedy

__all__ = ["KINDS", "refuse", "remedy"]
