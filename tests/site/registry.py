"""Registries written by hand, with models that nothing has to load."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec

import tracker
from tracker import layout
from tracker.models import digests
from tracker.reader import find_run
from tracker.schema import Change, Manifest, RegisteredModelFile, VersionFile
from tracker.yaml_files import yaml_bytes

SIGNATURE = {
    "inputs": json.dumps([{"type": "double", "name": name, "required": name != "b"} for name in ("a", "b")]),
    "outputs": json.dumps([{"type": "long", "required": True}]),
    "params": json.dumps([{"name": "top", "type": "long", "default": 3, "shape": None}]),
}
EXAMPLE: dict[str, Any] = {"columns": ["a", "b"], "data": [[1.5, 2], [3.5, None]]}
DAY = "2026-03-{:02}T09:00:00Z"


def save_model(
    folder: Path,
    *,
    serialization: str = "cloudpickle",
    signature: dict[str, Any] | None = SIGNATURE,
    example: Any = EXAMPLE,
    manifest: bool = True,
    files: dict[str, bytes] | None = None,
) -> Manifest:
    """A folder of a scikit-learn model in MLflow's format, but with bytes that are none."""
    (folder).mkdir(parents=True)
    flavors = {
        "sklearn": {"pickled_model": "model.bin", "serialization_format": serialization},
        "python_function": {"loader_module": "mlflow.sklearn", "model_path": "model.bin", "python_version": "3.11.9"},
    }
    about: dict[str, Any] = {"flavors": flavors, "utc_time_created": "2026-03-01 08:00:00.000001"}
    if signature is not None:
        about["signature"] = signature
    if example is not None:
        about["saved_input_example_info"] = {"artifact_path": "input_example.json", "type": "dataframe"}
        (folder / "input_example.json").write_text(json.dumps(example), "utf-8")
    content = {"model.bin": b"\x80model", "requirements.txt": b"scikit-learn==1.7.2\n", **(files or {})}
    for name, data in {"MLmodel": yaml_bytes(about), **content}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    found = digests.make_manifest(folder)
    if manifest:
        (folder / layout.MANIFEST_FILE).write_bytes(msgspec.json.encode(found))
    return found


def log_model(store: Path, run_id: str, name: str = "model", **options: Any) -> tuple[str, str]:
    """A model among the artifacts of a run: its path in the store, and its digest."""
    folder = find_run(store, run_id) / layout.ARTIFACTS / name
    manifest = save_model(folder, **options)
    return folder.relative_to(store).as_posix(), manifest.digest


def write_model(store: Path, name: str, slug: str = "", **fields: Any) -> Path:
    """`model.yaml` of a registered model; its folder."""
    folder = layout.registered_model(store, slug or name)
    return put(folder / layout.REGISTERED_MODEL_FILE, RegisteredModelFile(name, **fields)).parent


def write_version(folder: Path, number: int, path: str, digest: str, **fields: Any) -> Path:
    """The file of a version."""
    file = VersionFile(number, path, digest, **{"created": DAY.format(number % 28 + 1), **fields})
    return put(folder / layout.VERSIONS / f"{number}.yaml", file)


def put(path: Path, content: msgspec.Struct) -> Path:
    """Write a YAML file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(yaml_bytes(content))
    return path


def moved(day: int, before: str, after: str, reason: str = "") -> Change:
    """A change of stage."""
    return Change(DAY.format(day), "stage", before, after, by="Ada", reason=reason)


def make_registry(store: Path) -> None:
    """Three runs with a model each, registered as versions of `iris`, the second in production; and a copied model."""
    tracker.set_experiment("iris", goal={"val/accuracy": "maximize"})
    places = [log_trained(store, score) for score in (0.8, 0.9, 0.85)]
    folder = write_model(
        store, "iris", description="Which **species**? By petals.", tags={"team": "plants"},
        aliases={"champion": "2", "stable": "champion"}, created=DAY.format(1),
        history=[Change(DAY.format(9), "alias", "", "2", "champion", "Ada", "It won")],
    )  # fmt: skip
    registered = Change(DAY.format(1), "registered", by="Grace")
    histories = [
        [registered, moved(2, "None", "Production", "The first"), moved(5, "Production", "Archived", "Replaced")],
        [registered, moved(3, "None", "Staging"), moved(5, "Staging", "Production", "Better by a tenth")],
        [registered],
    ]
    for number, ((run_id, path, digest), history) in enumerate(zip(places, histories, strict=True), 1):
        stage = history[-1].to or "None"
        write_version(
            folder, number, path, digest, run_id=run_id, source=f"runs:/{run_id}/model", stage=stage, history=history
        )
    copied = write_model(store, "copied")
    place = copied / layout.MODELS / ("c" * 32)
    digest = save_model(place, serialization="skops", manifest=False).digest
    write_version(copied, 1, place.relative_to(store).as_posix(), digest, source="/home/ada/model")


def log_trained(store: Path, score: float) -> tuple[str, str, str]:
    """A run with a metric and a model: its id, and the path and the digest of the model."""
    with tracker.start_run(run_name=f"scored {score}") as run:
        tracker.log_params({"depth": 3, "rate": None})
        tracker.log_metrics({"val/accuracy": score, "val/loss": 1 - score, "seconds_total": 2.0})
    path, digest = log_model(store, run.info.run_id)
    return run.info.run_id, path, digest


def read(site: Path, path: str) -> str:
    """A page as text without tags, in one line."""
    text = re.sub(r"<[^>]+>", " ", (site / path).read_text("utf-8"))
    return " ".join(text.split())


def index(site: Path) -> dict[str, Any]:
    """`models/registry.json`."""
    found: dict[str, Any] = json.loads((site / "models" / "registry.json").read_bytes())
    return found
