"""Models that somebody else saved: folders without a manifest, which this process does not know, with changed files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml


def foreign(folder: Path, *, to: Path, flavor: str, facts: Mapping[str, Any] | None = None) -> Path:
    """A copy of a model as it would come from elsewhere; `facts` replace those of its flavor."""
    shutil.copytree(folder, to)
    (to / "manifest.json").unlink()
    model = yaml.safe_load((to / "MLmodel").read_text(encoding="utf-8"))
    model["flavors"][flavor].update(facts or {})
    del model["tracker_version"]  # what MLflow saved has no manifest
    (to / "MLmodel").write_text(yaml.safe_dump(model), encoding="utf-8")
    return to


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the bytes of a file."""
    path.write_bytes(change(path.read_bytes()))


def same(left: Any, right: Any) -> bool:
    """Whether two predictions are equal: arrays, frames, or dicts of arrays."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape:
        return False
    return bool(np.array_equal(left, right) if left.dtype.kind in "OSU" else np.allclose(left, right, atol=1e-6))
