"""Signatures: what a model takes, what it gives and which parameters it knows, with MLflow's names and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.exceptions import InvalidValueError
from tracker.models.inference import infer_params, infer_schema
from tracker.types.kinds import AnyType
from tracker.types.params import ParamSchema
from tracker.types.schema import ColSpec, Schema
from tracker.warning import warn

__all__ = ["ModelSignature", "infer_signature"]


@dataclass(frozen=True, init=False)
class ModelSignature:
    """What goes into a model, what comes out, and the parameters that it takes besides.

    >>> ModelSignature(inputs=Schema([ColSpec("double", "height")]), outputs=Schema([ColSpec("string")]))
    """

    inputs: Schema | None
    outputs: Schema | None
    params: ParamSchema | None

    def __init__(
        self, inputs: Schema | None = None, outputs: Schema | None = None, params: ParamSchema | None = None
    ) -> None:
        for name, given, kind in (
            ("inputs", inputs, Schema),
            ("outputs", outputs, Schema),
            ("params", params, ParamSchema),
        ):
            if given is not None and not isinstance(given, kind):
                raise InvalidValueError(
                    f"{name} of a signature must be a {kind.__name__} of tracker.types, but it is "
                    f"{type(given).__name__}. infer_signature() makes a signature from data."
                )
            object.__setattr__(self, name, given)
        if inputs is None and outputs is None and params is None:
            raise InvalidValueError("A signature needs inputs, outputs or params; all three are missing.")

    def to_dict(self) -> dict[str, str | None]:
        """Its form in an MLmodel file: JSON texts under `inputs`, `outputs` and `params`."""
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params or None}
        return {name: None if part is None else part.to_json() for name, part in parts.items()}

    @classmethod
    def from_dict(cls, signature_dict: Mapping[str, Any]) -> ModelSignature:
        """Read that form. Raises InvalidValueError where it is damaged."""
        inputs, outputs, params = (signature_dict.get(name) for name in ("inputs", "outputs", "params"))
        return cls(
            inputs=Schema.from_json(inputs) if inputs else None,
            outputs=Schema.from_json(outputs) if outputs else None,
            params=ParamSchema.from_json(params) if params else None,
        )


def infer_signature(
    model_input: Any = None, model_output: Any = None, params: dict[str, Any] | None = None
) -> ModelSignature:
    """The signature of a model, from what goes in and what comes out.

    Data are a DataFrame or Series of pandas, an array of numpy, a dict of arrays, a sparse matrix, a list, a dict, a
    list of dicts, or one value. Where no type describes them, the type is Any, and a warning says why. `params` are
    the parameters with their defaults: single values, flat lists and dicts.

    >>> infer_signature(model_input=[{"height": 1.5, "name": "ann"}], model_output=[1]).inputs
    ['height': double (required), 'name': string (required)]

    Raises InvalidValueError when all three are missing, and for a parameter that has no type.
    """
    return ModelSignature(
        inputs=_schema(model_input, "input"),
        outputs=_schema(model_output, "output"),
        params=infer_params(params) if params else None,
    )


def _schema(data: Any, what: str) -> Schema | None:
    if data is None:
        return None
    try:
        return infer_schema(data)
    except InvalidValueError as error:
        if hasattr(type(data), "model_fields"):
            raise
        warn(f"The type of the model's {what} is Any, so nothing about it is checked: {error}")
        return Schema([ColSpec(AnyType())])
