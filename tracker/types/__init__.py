"""MLflow's data types: columns, tensors, schemas and their JSON."""

from tracker.types.kinds import AnyType, Array, DataType, Map, Object, Property
from tracker.types.params import ParamSchema, ParamSpec
from tracker.types.schema import ColSpec, Schema, TensorSpec

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "Map",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "TensorSpec",
]
