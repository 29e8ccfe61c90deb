"""What is known of a model that was logged or found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tracker.models.mlmodel import Model

if TYPE_CHECKING:
    from tracker.models.signature import ModelSignature


class ModelInfo(msgspec.Struct, frozen=True):
    """A logged model: where it is and what it takes and gives.

    >>> info = tracker.sklearn.log_model(model, name="model")
    >>> tracker.sklearn.load_model(info.model_uri)
    """

    model_uri: str
    """Loads it: `runs:/<run_id>/<path>`. When the run logs another model under the same name, that of the first means
    the newer one, and the first is `runs:/<run_id>/<path>:1`."""
    artifact_path: str
    """Its folder below the artifacts of the run; numbered (`model-2`) when the run had one of this name."""
    run_id: str | None
    model: Model
    """What its MLmodel file says."""
    digest: str
    """`sha256:` and 64 hex digits over its files."""
    registered_model_version: str | None = None
    """Number of the version that was registered with it."""

    @property
    def flavors(self) -> dict[str, dict[str, Any]]:
        """Each way to load it, with what that needs to know."""
        return self.model.flavors

    @property
    def signature(self) -> ModelSignature | None:
        """What goes in and what comes out."""
        return self.model.signature

    @property
    def signature_dict(self) -> dict[str, str | None] | None:
        """The same as it stands in the MLmodel file."""
        return self.model.signature_text

    @property
    def name(self) -> str:
        """The name it was logged under."""
        return self.model.artifact_path

    @property
    def model_uuid(self) -> str | None:
        """32 hex digits that no other model has."""
        return self.model.model_uuid

    @property
    def model_id(self) -> str | None:
        """The same, under MLflow 3's name: it tells models apart. No URI takes it; `model_uri` loads the model."""
        return self.model.model_uuid

    @property
    def utc_time_created(self) -> str:
        """When it was saved."""
        return self.model.utc_time_created

    @property
    def saved_input_example_info(self) -> dict[str, Any] | None:
        """Where the input example is."""
        return self.model.saved_input_example_info

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What was given as `metadata`."""
        return self.model.metadata
