"""A store in which every text is an attack, as far as the library and the files allow."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import tracker
from tracker import layout
from tracker.exceptions import TrackerError
from tracker.names import is_run_id
from tracker.reader import read_store
from tracker.schema import Change, RegisteredModelFile, VersionFile

from .corpus import payloads
from .registry import DAY, put, save_model

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
    _register(store, chosen[::6])


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


def _register(store: Path, chosen: list[str]) -> None:
    """Registered models with a payload in every field, and in every text of their files."""
    runs = list(read_store(store).runs())
    runs = [run for run in runs if is_run_id(run.file.run_id) and "'" not in run.slug]
    for number, payload in enumerate(chosen):
        run = runs[number % len(runs)]
        folder = layout.registered_model(store, f"m{number}" if number % 9 else f"<img src=x onerror=1>{number}")
        place = run.folder / layout.ARTIFACTS / "model" if number % 2 else folder / layout.MODELS / "c"
        digest = save_hostile_model(place, payload, number)
        changes = [
            Change(DAY.format(1), "stage", payload, "Production", payload, payload, payload),
            Change(DAY.format(2), "alias", payload, payload, payload, payload, payload),
            Change(payload, payload, payload, payload, payload, payload, payload),
            Change(DAY.format(3), "stage", "None", payload, payload, payload, payload),
            Change(DAY.format(4), "renamed", payload, payload, payload, payload, payload),
        ]
        file = RegisteredModelFile(
            payload, payload, {payload: payload}, {payload: "1", f"{payload} 2": payload}, [], payload, changes
        )
        put(folder / layout.REGISTERED_MODEL_FILE, file)
        for version in (1, 2, 3):
            stage = ("Production", payload, "None")[version - 1]
            path = place.relative_to(store).as_posix()
            content = VersionFile(
                version, path, digest if version < 3 else payload, payload, run.file.run_id, stage, payload,
                {payload: payload}, DAY.format(version), False, changes,
            )  # fmt: skip
            put(folder / layout.VERSIONS / f"{version}.yaml", content)


def save_hostile_model(folder: Path, payload: str, number: int) -> str:
    """A model with a payload in its signature, example, requirements, flavors and names of files; its digest."""
    safe = "".join(c if c.isalnum() or c in "-_ =;'&()`{}%$#@!~^+," else "_" for c in payload)[:60].strip() or "x"
    column = {"type": payload, "name": payload, "required": False}
    signature = {
        "inputs": json.dumps([column, {"type": "double", "name": payload, "required": True}]),
        "outputs": json.dumps([{"type": "tensor", "tensor-spec": {"dtype": payload, "shape": [-1, payload]}}]),
        "params": json.dumps([{"name": payload, "type": "string", "default": payload, "shape": None}]),
    }
    if number % 3:
        signature = {
            "inputs": json.dumps([{"type": "string", "name": payload, "required": True}]),
            "outputs": json.dumps([{"type": "long", "name": payload, "required": False}]),
            "params": json.dumps([{"name": payload, "type": "string", "default": payload, "shape": None}]),
        }
    example = {"columns": [payload, payload], "data": [[payload, 1], [{payload: payload}, None]]}
    files = {"requirements.txt": payload.encode(errors="replace"), f"f {safe}.txt": b"<svg onload='window.PWN=1'/>"}
    manifest = save_model(
        folder, signature=signature, example=example if number % 5 else {payload: {payload: [payload]}},
        serialization=payload if number % 7 else "skops", files=files, manifest=number % 4 > 1,
    )  # fmt: skip
    return manifest.digest


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
