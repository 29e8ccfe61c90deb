"""Registered models and versions that match a query, in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tracker.exceptions import InvalidValueError
from tracker.query import (
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    ModelVersionSource,
    RegisteredModelSource,
    compile_model_query,
    compile_version_query,
    parse_order,
)
from tracker.registry.entities import ModelVersion, RegisteredModel
from tracker.registry.reading import iter_models
from tracker.search import arrange


def search_registered_models(
    root: Path | str,
    *,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
    max_results: int | None = None,
) -> list[RegisteredModel]:
    """Registered models that match a query, by name unless `order_by` says otherwise.

    Raises QueryError, and InvalidValueError for a negative `max_results`.
    """
    matches = compile_model_query(filter_string or "")
    orders = [parse_order(item, REGISTERED_MODELS) for item in _as_list(order_by)]
    found = [model for model in (read.entity() for read in iter_models(Path(root))) if matches(model)]
    found.sort(key=lambda model: model.name)
    source = RegisteredModelSource()
    return arrange(found, orders, lambda order: source.getter(order.field))[: _limit(max_results)]


def search_model_versions(
    root: Path | str,
    *,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
    max_results: int | None = None,
) -> list[ModelVersion]:
    """Versions of all models that match a query, those that changed last first unless `order_by` says otherwise.

    Deleted ones are left out. Raises QueryError, and InvalidValueError for a negative `max_results`.
    """
    matches = compile_version_query(filter_string or "")
    orders = [parse_order(item, MODEL_VERSIONS) for item in _as_list(order_by)]
    versions = (version.entity() for model in iter_models(Path(root)) for version in model.live)
    found = [version for version in versions if matches(version)]
    found.sort(key=lambda version: (-(version.last_updated_timestamp or 0), version.name, -int(version.version)))
    source = ModelVersionSource()
    return arrange(found, orders, lambda order: source.getter(order.field))[: _limit(max_results)]


def _as_list(items: Sequence[str] | None) -> list[str]:
    return [items] if isinstance(items, str) else list(items or ())


def _limit(max_results: int | None) -> int | None:
    if max_results is not None and max_results < 0:
        raise InvalidValueError(f"max_results must be 0 or more, but it is {max_results}.")
    return max_results
