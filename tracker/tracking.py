"""The module that scripts import MlflowClient from, with the functions that MLflow keeps here too."""

from __future__ import annotations

from tracker.client import MlflowClient
from tracker.fluent import get_registry_uri, get_tracking_uri, is_tracking_uri_set, set_registry_uri, set_tracking_uri

__all__ = [
    "MlflowClient",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "set_registry_uri",
    "set_tracking_uri",
]
