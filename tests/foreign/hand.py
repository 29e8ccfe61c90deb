"""Stores of MLflow's files written by hand: what old versions, other machines and accidents leave behind."""

from __future__ import annotations

from pathlib import Path

START = 1_500_000_000_000


class Mlruns:
    """Writes experiments, runs and models file by file."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str | bytes) -> Path:
        """One file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def experiment(self, key: str = "0", name: str = "Default", **fields: object) -> str:
        """An experiment as MLflow 1 wrote it."""
        self.meta(key, artifact_location=f"file:///home/eve/mlruns/{key}", experiment_id=key, name=name, **fields)
        return key

    def run(self, experiment: str, run_id: str, name: str = "", **fields: object) -> str:
        """A run as MLflow 1 wrote it."""
        given = {
            "artifact_uri": f"file:///home/eve/mlruns/{experiment}/{run_id}/artifacts",
            "end_time": START + 60_000,
            "entry_point_name": "''",
            "experiment_id": experiment,
            "name": name or "''",
            "run_uuid": run_id,
            "source_type": 4,
            "start_time": START,
            "status": 3,
            "tags": "[]",
            "user_id": "eve",
        }
        self.meta(f"{experiment}/{run_id}", **{**given, **fields})
        return f"{experiment}/{run_id}"

    def meta(self, folder: str, **fields: object) -> None:
        """A meta.yaml."""
        self.write(f"{folder}/meta.yaml", "".join(f"{key}: {value}\n" for key, value in sorted(fields.items())))

    def version(self, model: str, number: int, **fields: object) -> None:
        """A version of a registered model; the model is made when it is missing."""
        if not (self.root / "models" / model / "meta.yaml").exists():
            self.meta(f"models/{model}", creation_timestamp=START, name=model)
        given = {"creation_timestamp": START, "current_stage": "None", "name": model, "version": number}
        self.meta(f"models/{model}/version-{number}", **{**given, **fields})


def run_id(number: int) -> str:
    """Ids that differ in their last digits."""
    return f"{number:032x}"


def small(root: Path) -> Mlruns:
    """Two experiments, three runs with everything, a registered model."""
    made = Mlruns(root)
    for key in ("0", "1"):
        made.experiment(key, "Default" if key == "0" else "digits", lifecycle_stage="active", creation_time=START)
        made.write(f"{key}/tags/team", "vision")
    for number in range(3):
        run = made.run(str(number // 2), run_id(number), f"run-{number}")
        made.write(f"{run}/params/lr", f"0.{number}")
        made.write(f"{run}/metrics/loss", "".join(f"{START + step} {1 / (step + 1)} {step}\n" for step in range(4)))
        made.write(f"{run}/tags/mlflow.note.content", "A note.")
        made.write(f"{run}/artifacts/model/MLmodel", "flavors:\n  python_function: {}\n")
        made.write(f"{run}/artifacts/plot.txt", "x" * 40)
        made.meta(f"{run}/inputs/{run_id(99)}", source_id=run_id(99), source_type="DATASET", tags="{}")
    for key in ("0", "1"):
        made.meta(f"{key}/datasets/{run_id(99)}", digest="abcd1234", name="digits", source="'{}'", source_type="local")
    made.version("price", 1, run_id=run_id(0), source=f"file:///home/eve/mlruns/0/{run_id(0)}/artifacts/model")
    made.write("models/price/aliases/champion", "1")
    made.write("models/price/tags/owner", "vision")
    return made
