"""Where each file of a store lies. No other module spells these names."""

from __future__ import annotations

from pathlib import Path

STORE_FILE = "store.yaml"
EXPERIMENTS = "experiments"
EXPERIMENT_FILE = "experiment.yaml"
RUNS = "runs"
RUN_FILE = "run.json"
ENVIRONMENT_FILE = "environment.json"
LOG = "log"
LOG_SUFFIX = ".jsonl"
ARTIFACTS = "artifacts"
MLFLOW = "mlflow"
MODEL_LINKS_FILE = "links.json"
TRASH = "trash"
REGISTRY = "registry"
REGISTERED_MODEL_FILE = "model.yaml"
VERSIONS = "versions"
MODELS = "models"
POLICY_FILE = "policy.yaml"
MANIFEST_FILE = "manifest.json"
MLMODEL_FILE = "MLmodel"
ASIDE = ".new-"
"""Names with this beginning are not finished; readers pass over them."""


def store_file(store: Path) -> Path:
    """`store.yaml`."""
    return store / STORE_FILE


def experiments(store: Path) -> Path:
    """`experiments/`."""
    return store / EXPERIMENTS


def experiment(store: Path, slug: str) -> Path:
    """`experiments/<slug>/`."""
    return store / EXPERIMENTS / slug


def runs(store: Path, slug: str) -> Path:
    """`experiments/<slug>/runs/`."""
    return store / EXPERIMENTS / slug / RUNS


def run(store: Path, slug: str, run_id: str) -> Path:
    """`experiments/<slug>/runs/<run_id>/`."""
    return store / EXPERIMENTS / slug / RUNS / run_id


def trashed_run(store: Path, slug: str, run_id: str) -> Path:
    """`trash/<slug>/<run_id>/`."""
    return store / TRASH / slug / run_id


def log_file(run_folder: Path, writer: str) -> Path:
    """`log/<writer>.jsonl` of a run."""
    return run_folder / LOG / f"{writer}{LOG_SUFFIX}"


def mlflow_folder(run_folder: Path) -> Path:
    """`mlflow/` of a run: what MLflow's client keeps of models."""
    return run_folder / MLFLOW


def logged_model_file(run_folder: Path, model_id: str) -> Path:
    """`mlflow/<model_id>.json` of a run."""
    return run_folder / MLFLOW / f"{model_id}.json"


def trashed_experiment_file(store: Path, slug: str) -> Path:
    """`trash/<slug>/experiment.yaml`: there while the experiment is deleted."""
    return store / TRASH / slug / EXPERIMENT_FILE


def registry(store: Path) -> Path:
    """`registry/`."""
    return store / REGISTRY


def registered_model(store: Path, slug: str) -> Path:
    """`registry/<slug>/`."""
    return store / REGISTRY / slug


def model_file(store: Path, slug: str) -> Path:
    """`registry/<slug>/model.yaml`."""
    return store / REGISTRY / slug / REGISTERED_MODEL_FILE


def versions(store: Path, slug: str) -> Path:
    """`registry/<slug>/versions/`."""
    return store / REGISTRY / slug / VERSIONS


def version_file(store: Path, slug: str, version: int) -> Path:
    """`registry/<slug>/versions/<version>.yaml`."""
    return store / REGISTRY / slug / VERSIONS / f"{version}.yaml"


def copied_model(store: Path, slug: str, model_id: str) -> Path:
    """`registry/<slug>/models/<model_id>/`: a model that came from outside the store."""
    return store / REGISTRY / slug / MODELS / model_id


def trashed_model(store: Path, slug: str, deletion: str) -> Path:
    """`trash/_registry/<slug>-<deletion>/`: the underscore keeps it apart from the slugs of experiments."""
    return store / TRASH / f"_{REGISTRY}" / f"{slug}-{deletion}"


def policy_file(store: Path) -> Path:
    """`registry/policy.yaml`."""
    return store / REGISTRY / POLICY_FILE
