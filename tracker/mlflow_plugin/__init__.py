"""MLflow's own client writes into a store: `MLFLOW_TRACKING_URI=tracker:./runs`.

MLflow finds these functions by the entry points of the package and calls them for URIs with the scheme `tracker`. They
load while MLflow is imported, so they import nothing before they are called.

    places              where `tracker:` URIs lead
    translated          errors and refusals as MLflow has them
    finding             experiments and runs, those in the trash too
    entities            ours as MLflow's
    datasets            the data sets that a run used
    model_files         mlflow/<model_id>.json: MLflow's logged models
    logged_models       the part of the tracking store for them
    model_metrics       metrics that belong to a model
    writing             the part for what a run logs
    tracking            the tracking store: experiments, runs, search
    registry            the model registry store
    artifacts           the artifact repository
"""

from __future__ import annotations

from typing import Any

SCHEME = "tracker"


def tracking_store(store_uri: str, artifact_uri: str | None = None) -> Any:
    """MLflow's tracking store in the folder that a `tracker:` URI names."""
    from tracker.mlflow_plugin.tracking import TrackingStore

    return TrackingStore(store_uri, artifact_uri)


def model_registry_store(store_uri: str, tracking_uri: str | None = None) -> Any:
    """MLflow's model registry in the folder that a `tracker:` URI names."""
    from tracker.mlflow_plugin.registry import RegistryStore

    return RegistryStore(store_uri, tracking_uri)


def artifact_repository(artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Any:
    """MLflow's access to the artifacts of a run, a logged model or a registered version."""
    from tracker.mlflow_plugin.artifacts import ArtifactRepository

    return ArtifactRepository(artifact_uri, tracking_uri, registry_uri)
