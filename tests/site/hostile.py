"""A store in which every text is an attack, as far as the library and the files allow."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import tracker
from tracker.exceptions import TrackerError
from tracker.reader import read_store

from .corpus import payloads

STRIDE = 150
"""Every so manieth payload is used."""


def log_hostile_runs(store: Path) -> None:
    """Log what the library takes; then write what it does not take straight into the files."""
    chosen = payloads()[::STRIDE]
    for number, payload in enumerate(chosen):
        with contextlib.suppress(TrackerError):
            if number % 10 == 0:
                tracker.set_experiment(f"{number} {payload}", description=payload, tags={payload: payload})
            log_hostile_run(payload)
    _damage(store, chosen)


def log_hostile_run(payload: str) -> None:
    """A run with a payload in each place that takes it."""
    safe = "".join(c if c.isprintable() else "?" for c in payload)[:200]
    with tracker.start_run(run_name=safe, description=payload):
        tracker.log_params({safe: payload, f"p {safe}": safe, "__proto__": 1, "constructor": payload})
        for step in range(3):
            tracker.log_metrics(
                {safe: step, f"loss/{safe}": float("nan") if step else 1.0, "__proto__": 1.0}, step=step
            )
        tracker.set_tags({safe: payload, "toString": payload})
        for name in (f"{safe.replace('/', '_')}.txt", "a.html", "a.svg", "a.csv", "a.json", "a.md", "x.js", "y.xhtml"):
            with contextlib.suppress(TrackerError, OSError):
                tracker.log_text(f"{payload}\n<svg xmlns='http://www.w3.org/2000/svg' onload='window.PWN=1'/>", name)


def _damage(store: Path, chosen: list[str]) -> None:
    """Texts that only a file can hold: hosts, commits, environments, half-broken snapshots."""
    for run, payload in zip(read_store(store).runs(), chosen, strict=False):
        file = run.folder / "run.json"
        content = json.loads(file.read_text("utf-8"))
        content["source"] = {"script": payload, "commit": payload, "branch": payload, "remote": f"javascript:{payload}"}
        content["ended_by"] = payload
        for metric in content["metrics"].values():
            metric["spark"] = payload
        file.write_text(json.dumps(content), "utf-8")
        environment = {"python": payload, "platform": payload, "command": [payload], "packages": {payload: payload}}
        (run.folder / "environment.json").write_text(json.dumps(environment), "utf-8")
    for name in ("'><script>window.PWN=1</script>", "..%2f..%2fx", "CON", '"onload=x'):
        (store / "experiments" / name.replace("/", "_") / "runs" / "<img src=x onerror=window.PWN=1>").mkdir(
            parents=True
        )
