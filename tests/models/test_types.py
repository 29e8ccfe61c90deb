"""Types and schemas: MLflow's names and JSON, read back as they were, and clear words for what is damaged."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.exceptions import InvalidValueError, SchemaMismatchError
from tracker.types import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    TensorSpec,
)
from tracker.types.schema import SparkMLVector

NAMES = st.text(max_size=20)
KINDS = st.recursive(
    st.sampled_from([*DataType, AnyType()]),
    lambda inner: st.one_of(
        inner.map(Array),
        inner.map(Map),
        st.lists(st.tuples(NAMES, inner, st.booleans()), min_size=1, max_size=3, unique_by=lambda each: each[0]).map(
            lambda found: Object([Property(*each) for each in found])
        ),
    ),
    max_leaves=6,
)
DTYPES = st.sampled_from("bool int8 uint64 float16 float32 float64 complex128 str bytes object datetime64[ns]".split())
SHAPES = st.lists(st.integers(-1, 5), max_size=4).map(tuple)
COLUMNS = st.lists(st.builds(ColSpec, KINDS, NAMES, st.booleans()), min_size=1, max_size=5)
UNNAMED = st.lists(st.builds(ColSpec, KINDS), min_size=1, max_size=5)
TENSORS = st.lists(st.builds(TensorSpec, DTYPES, SHAPES, NAMES), min_size=1, max_size=5)


@given(st.one_of(COLUMNS, UNNAMED, TENSORS))
def test_schemas_come_back_from_their_json(inputs: list[Any]) -> None:
    """Any schema is equal to what is read from its own JSON."""
    schema = Schema(inputs)
    assert Schema.from_json(schema.to_json()) == schema


@given(
    st.dictionaries(
        NAMES,
        st.one_of(
            st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.datetimes()
        ),
    )
)
def test_params_come_back_from_their_json(values: dict[str, Any]) -> None:
    """Params of each type, alone and in lists, are equal to what is read from their own JSON."""
    from tracker.models.inference import infer_params

    params = infer_params(values | {f"{name} list": [value, value] for name, value in values.items()})
    assert ParamSchema.from_json(params.to_json()) == params


def test_json_of_nested_columns() -> None:
    """The JSON has MLflow's keys: items of arrays, properties of objects, values of maps."""
    schema = Schema(
        [
            ColSpec(Array("string"), "tags"),
            ColSpec(Object([Property("b", "long"), Property("a", Map(AnyType()), required=False)]), "user", False),
            ColSpec(SparkMLVector(), "vector"),
        ]
    )
    assert json.loads(schema.to_json()) == [
        {"type": "array", "items": {"type": "string"}, "name": "tags", "required": True},
        {
            "type": "object",
            "properties": {
                "a": {"type": "map", "values": {"type": "any"}, "required": False},
                "b": {"type": "long", "required": True},
            },
            "name": "user",
            "required": False,
        },
        {"type": "sparkml_vector", "name": "vector", "required": True},
    ]
    assert Schema.from_json(schema.to_json()) == schema


def test_names_and_types_of_a_schema() -> None:
    """A schema tells names, types and what is required, and looks columns up by name."""
    schema = Schema([ColSpec("double", "x"), ColSpec(DataType.string, "y", required=False)])
    assert schema.input_names() == ["x", "y"]
    assert schema.required_input_names() == ["x"]
    assert schema.optional_input_names() == ["y"]
    assert schema.input_types() == [DataType.double, DataType.string]
    assert schema.input_types_dict() == {"x": DataType.double, "y": DataType.string}
    assert schema.input_dict()["y"].required is False
    assert schema.pandas_types() == [np.dtype("float64"), np.dtype(object)]
    assert schema.numpy_types() == [np.dtype("float64"), np.dtype(str)]
    assert (len(schema), schema.has_input_names(), schema.is_tensor_spec()) == (2, True, False)
    assert repr(schema) == "['x': double (required), 'y': string (optional)]"


def test_unnamed_columns_are_known_by_place() -> None:
    """Without names the places are the names, and a lookup by name says so."""
    schema = Schema([ColSpec("double"), ColSpec("long")])
    assert schema.input_names() == [0, 1]
    with pytest.raises(InvalidValueError, match="has no names"):
        schema.input_dict()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (np.dtype("float32"), "float32"),
        (np.dtype(">i4"), "int32"),
        (np.dtype("<U7"), "str"),
        (np.dtype("S3"), "bytes"),
        ("float", "float64"),
        (np.float64, "float64"),
    ],
)
def test_dtypes_of_tensors(given: Any, name: str) -> None:
    """A tensor has the dtype by numpy's name, texts and bytes without their length."""
    spec = TensorSpec(given, (-1, 2))
    assert spec.to_dict() == {"type": "tensor", "tensor-spec": {"dtype": name, "shape": (-1, 2)}}
    assert spec.type == np.dtype(name)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ColSpec("dubble"), 'Did you mean "double"'),
        (lambda: ColSpec(3), "is no type"),
        (lambda: ColSpec("long", [["a"]]), "text or a number"),
        (lambda: Schema.from_json('[{"type": "long", "name": {}}]'), "text or a number"),
        (lambda: Property(3, "long"), "must be text"),
        (lambda: Object([]), "at least one"),
        (lambda: Object([Property("a", "long"), Property("a", "long")]), "same name: a"),
        (lambda: Schema([]), "at least one column"),
        (lambda: Schema([ColSpec("long", "a"), ColSpec("long")]), "to all columns or to none"),
        (lambda: Schema([ColSpec("long", required=False)]), "may be missing needs a name"),
        (lambda: Schema([TensorSpec("int8", (1,)), TensorSpec("int8", (1,))]), "Several tensors need names"),
        (lambda: Schema([TensorSpec("int8", (1,), "a"), ColSpec("long", "b")]), "or else tensors"),
        (lambda: TensorSpec("int8", (-2,)), "A shape is"),
        (lambda: TensorSpec("rubbish", (1,)), "no dtype of numpy"),
        (lambda: TensorSpec("O,O,O,O" * 99, (1,)), "no dtype of numpy"),
        (lambda: ParamSpec("p", "binary", b""), "one value or an Object"),
        (lambda: ParamSpec("p", "long", [1], (2,)), "has the shape"),
        (lambda: ParamSpec("p", "long", 1, (-1,)), "expected a list of long, got long"),
        (lambda: ParamSpec("p", "long", "x"), 'Parameter "p": expected long, got string'),
        (lambda: ParamSchema([ParamSpec("p", "long", 1)] * 2), "same name: p"),
        (lambda: Schema.from_json("{"), "no JSON"),
        (lambda: Schema.from_json("[" * 100_000), "no JSON"),
        (lambda: Schema.from_json('{"type": "long"}'), "no list of JSON objects"),
        (lambda: Schema.from_json('[{"name": "a"}]'), "no 'type'"),
        (lambda: Schema.from_json('[{"type": 3}]'), "type is no text"),
        (lambda: Schema.from_json('[{"type": "array"}]'), "no 'items'"),
        (lambda: Schema.from_json('[{"type": "object", "properties": [1]}]'), "no JSON objects"),
        (lambda: Schema.from_json('[{"type": "tensor", "tensor-spec": {"shape": [1]}}]'), "no 'dtype'"),
        (lambda: ParamSchema.from_json('[{"name": "a", "type": "array", "items": {"type": "long"}}]'), "single values"),
    ],
)
def test_what_is_wrong_is_said(make: Any, words: str) -> None:
    """A mistake in a type, a schema or its JSON is an InvalidValueError that says which."""
    with pytest.raises(InvalidValueError, match=words):
        make()


def test_types_cannot_be_nested_without_end() -> None:
    """JSON with hundreds of arrays in each other is refused before the stack ends."""
    text = '{"type": "array", "items": ' * 200 + '{"type": "long"}' + "}" * 200
    with pytest.raises(InvalidValueError, match="levels in each other"):
        Schema.from_json(f"[{text}]")


def test_older_json_is_read() -> None:
    """`optional` of older files and `dtype` of older params mean what they meant."""
    schema = Schema.from_json('[{"type": "long", "name": "a", "optional": true}, {"type": "long", "name": "b"}]')
    assert [each.required for each in schema] == [False, True]
    assert ParamSchema.from_json('[{"name": "p", "dtype": "long", "default": 1}]').params[0].shape is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("double", 1, 1.0),
        ("double", np.float32(0.5), 0.5),
        ("long", np.int64(3), 3),
        ("string", np.str_("a"), "a"),
        ("boolean", np.bool_(True), True),
        ("long", None, None),
    ],
)
def test_params_become_values_of_python(kind: str, value: Any, expected: Any) -> None:
    """Values of numpy for a param become Python's own, and whole numbers become floats for a double."""
    fitted = ParamSpec("p", kind, value).default
    assert (fitted, type(fitted)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("long", True), ("long", 1.5), ("long", 2**70), ("double", "1"), ("boolean", 1), ("datetime", "soon")],
)
def test_params_of_another_type_are_refused(kind: str, value: Any) -> None:
    """Nothing is converted that would change."""
    with pytest.raises(SchemaMismatchError, match=f"expected {kind}"):
        ParamSpec("p", kind, value)


def test_numpy_is_not_needed_to_read_schemas() -> None:
    """Reading and writing signatures loads neither numpy nor pandas."""
    program = (
        "import sys\n"
        "from tracker.models import ModelSignature, infer_signature\n"
        "made = infer_signature([{'a': 1.5}], ['x'], {'p': [1]}).to_dict()\n"
        'made["outputs"] = \'[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1]}}]\'\n'
        "assert ModelSignature.from_dict(made).to_dict() == made\n"
        "print({'numpy', 'pandas', 'scipy'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
