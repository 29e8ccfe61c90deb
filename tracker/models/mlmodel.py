"""The `MLmodel` file of a model's folder: MLflow's format, read forgivingly and written so that MLflow reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tracker import _io, layout, names
from tracker.exceptions import InvalidValueError, ModelError
from tracker.yaml_files import read_plain_yaml, yaml_bytes

if TYPE_CHECKING:
    from tracker.models.signature import ModelSignature
    from tracker.types import ParamSchema, Schema

MAX_MLMODEL = 8 * 1024 * 1024
"""Bytes of the largest MLmodel file that is read."""
PYFUNC = "python_function"


class Model(msgspec.Struct, frozen=True):
    """What an `MLmodel` file says. Fields of other writers that are not here are passed over.

    >>> Model.load("runs/…/artifacts/model").flavors["sklearn"]["sklearn_version"]
    '1.9.1'
    """

    flavors: dict[str, dict[str, Any]]
    """Each way to load the model, with what it needs to know."""
    artifact_path: str = ""
    """The name it was logged under. Other writers put absolute paths here, so it leads nowhere."""
    run_id: str | None = None
    utc_time_created: str = ""
    model_uuid: str | None = None
    model_id: str | None = None
    mlflow_version: str | None = None
    model_size_bytes: int | None = None
    signature_text: dict[str, str | None] | None = msgspec.field(name="signature", default=None)
    """Inputs, outputs and params, each as JSON text."""
    saved_input_example_info: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    tracker_version: str | None = None

    @property
    def signature(self) -> ModelSignature | None:
        """What goes in and what comes out; None where the model does not say. ModelError when it is damaged."""
        from tracker.models.signature import ModelSignature

        if self.signature_text is None:
            return None
        try:
            return ModelSignature.from_dict(self.signature_text)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"The signature in the {layout.MLMODEL_FILE} file is damaged: {error}.") from error

    def get_input_schema(self) -> Schema | None:
        """What goes in; None where the signature does not say."""
        return None if self.signature is None else self.signature.inputs

    def get_output_schema(self) -> Schema | None:
        """What comes out."""
        return None if self.signature is None else self.signature.outputs

    def get_params_schema(self) -> ParamSchema | None:
        """Which params predict() takes."""
        return None if self.signature is None else self.signature.params

    @property
    def own_flavors(self) -> tuple[str, ...]:
        """Names of the flavors beside python_function."""
        return tuple(name for name in self.flavors if name != PYFUNC)

    def to_yaml(self) -> bytes:
        """The bytes of the file; InvalidValueError for metadata or a configuration that it cannot hold."""
        plain = {
            key: value for key, value in msgspec.to_builtins(self, enc_hook=_plain).items() if value not in (None, "")
        }
        return yaml_bytes(dict(sorted(plain.items())))

    @classmethod
    def load(cls, folder: Path | str) -> Model:
        """Read the MLmodel file of a folder, or of the verified model behind a URI.

        Raises ModelError when there is none, or it is damaged.
        """
        if isinstance(folder, str) and names.scheme_of(folder):
            from tracker.opening import open_model

            return open_model(folder).model
        path = Path(folder) / layout.MLMODEL_FILE
        try:
            data = _io.read_file(path, limit=MAX_MLMODEL)
        except FileNotFoundError:
            raise ModelError(f"{folder} is no model: it has no {layout.MLMODEL_FILE} file.") from None
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.") from None
        return cls.parse(data, str(path))

    @classmethod
    def parse(cls, data: bytes, where: str) -> Model:
        """The same from bytes."""
        try:
            return msgspec.convert(read_plain_yaml(data), cls, strict=False)
        except (ValueError, msgspec.MsgspecError) as error:
            raise ModelError(f"{where} is damaged or hostile: {error}. Nothing of the model was opened.") from None


def _plain(value: Any) -> Any:
    """Numbers of numpy as plain ones."""
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return value.tolist()
    raise InvalidValueError(
        f"{value!r:.80} is a {type(value).__name__}, which the {layout.MLMODEL_FILE} file of a model cannot hold. "
        "metadata= and model_config= are made of texts, numbers, lists and dicts."
    )
