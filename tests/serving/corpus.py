"""Models and requests that MLflow's scoring server and ours are both asked. Knows neither of them."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
from collections.abc import Callable
from typing import Any, NamedTuple

JSON = "application/json"
CSV = "text/csv"


class Request(NamedTuple):
    """A call of /invocations."""

    name: str
    model: str
    body: str
    content_type: str = JSON


class Answer(NamedTuple):
    """What a server said."""

    status: int
    content_type: str
    body: str


def call(app: Any, method: str, path: str, content_type: str = "", body: bytes = b"", chunk: int = 65536) -> Answer:
    """Call an ASGI application without a server, handing it the body in chunks."""
    parts = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]
    incoming = [
        {"type": "http.request", "body": part, "more_body": index + 1 < len(parts)} for index, part in enumerate(parts)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0) if incoming else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"test"), (b"content-length", str(len(body)).encode())]
    if content_type:
        headers.append((b"content-type", content_type.encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("test", 1),
        "server": ("test", 80),
    }
    try:
        asyncio.run(app(scope, receive, send))
    except Exception:
        return Answer(500, "", "")  # what a server makes of an exception that the application let out
    head = dict(sent[0]["headers"])
    text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return Answer(sent[0]["status"], head.get(b"content-type", b"").decode(), text)


def echo(data: Any) -> dict[str, Any]:
    """What a model was given, exactly: the container, its types and its values."""
    import numpy as np
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        columns = {str(name): _word(data[name].dtype) for name in data.columns}
        rows = [[_value(item) for item in row] for row in data.astype(object).to_numpy().tolist()]
        return {"kind": "frame", "columns": columns, "rows": rows, "index": [str(label) for label in data.index]}
    if isinstance(data, np.ndarray):
        values = _value(data.tolist())
        return {"kind": "array", "type": _word(data.dtype), "shape": list(data.shape), "values": values}
    if isinstance(data, dict):
        return {"kind": "dict", "items": {str(key): echo(item) for key, item in data.items()}}
    if isinstance(data, list):
        return {"kind": "list", "items": [echo(item) for item in data]}
    return {"kind": type(data).__name__, "value": _value(data)}


def _word(dtype: Any) -> str:
    """The name of a type; the several ways of pandas to hold text are one."""
    return "text" if dtype.kind in "OUT" else str(dtype)


def _value(item: Any) -> Any:
    if isinstance(item, list | tuple):
        return [_value(part) for part in item]
    if isinstance(item, dict):
        return {key: _value(part) for key, part in item.items()}
    if item is None or item != item:
        return None if item is None else "NaN"
    if hasattr(item, "tolist"):
        return _value(item.tolist())
    return item if isinstance(item, int | float | str | bool) else f"{type(item).__name__} {item!r}"


def answer(kind: str) -> Any:
    """A prediction of some type."""
    import numpy as np
    import pandas as pd

    times = [pd.Timestamp("2026-03-01T10:00:00"), pd.Timestamp("2026-03-02T11:30:00.5")]
    made: dict[str, Callable[[], Any]] = {
        "frame": lambda: pd.DataFrame({"a": [1.5, float("nan")], "b": ["x", None], "n": [1, 2], "t": times}),
        "series": lambda: pd.Series([0.1, 0.2]),
        "named series": lambda: pd.Series([True, False], name="yes"),
        "floats": lambda: np.array([[0.1, float("nan")], [float("inf"), -1.0]]),
        "float32": lambda: np.array([0.1, 0.2], dtype="float32"),
        "ints": lambda: np.array([1, 2**62]),
        "texts": lambda: np.array(["ä", "<b>"]),
        "objects": lambda: np.array(["a", 1, None], dtype=object),
        "bytes": lambda: [b"\x00\xffhello", bytearray(b"x" * 60)],
        "dates": lambda: [datetime.date(2026, 3, 1), datetime.datetime(2026, 3, 1, 10), datetime.time(10, 30)],
        "stamps": lambda: [times[0], np.datetime64("2026-03-01T10:00:00")],
        "scalars": lambda: {"f": np.float32(0.5), "i": np.int64(3), "b": np.bool_(True), "a": np.arange(3)},
        "array of dates": lambda: np.array(["2026-03-01"], dtype="datetime64[s]"),
        "inside": lambda: [{"probabilities": np.array([0.25, 0.75]), "label": "yes"}],
        "none": lambda: None,
        "text": lambda: "just text",
        "number": lambda: 3,
        "unknown": lambda: [object],
    }
    return made[kind]()


ANSWERS = (
    "frame, series, named series, floats, float32, ints, texts, objects, bytes, dates, stamps, scalars, "
    "array of dates, inside, none, text, number, unknown"
).split(", ")


def predict(model: str, data: Any, params: dict[str, Any] | None) -> Any:
    """What each model of the corpus does."""
    if model == "answers":
        return answer((params or {})["kind"])
    if model == "failing":
        raise ValueError("the model does not like this")
    return [{"data": echo(data), "params": params or None}]


def _columns(**types: str) -> str:
    return json.dumps(
        [{"type": kind.rstrip("?"), "name": name, "required": "?" not in kind} for name, kind in types.items()]
    )


def _tensors(*specs: tuple[str, list[int], str | None]) -> str:
    found = [
        {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}, **({"name": name} if name else {})}
        for dtype, shape, name in specs
    ]
    return json.dumps(found)


_NESTED = [
    {"type": "array", "items": {"type": "double"}, "name": "xs", "required": True},
    {
        "type": "object",
        "properties": {"id": {"type": "long", "required": True}, "note": {"type": "string", "required": False}},
        "name": "who",
        "required": True,
    },
    {"type": "map", "values": {"type": "double"}, "name": "weights", "required": False},
]
_PARAMS = [
    {"name": "top", "type": "long", "default": 3, "shape": None},
    {"name": "scale", "type": "double", "default": 1.0, "shape": None},
    {"name": "stop", "type": "string", "default": ["."], "shape": [-1]},
]
_KIND = [{"name": "kind", "type": "string", "default": "none", "shape": None}]

SIGNATURES: dict[str, dict[str, str | None]] = {
    "plain": {},
    "failing": {},
    "answers": {"inputs": _columns(x="double"), "params": json.dumps(_KIND)},
    "columns": {"inputs": _columns(a="double", b="long", c="string", d="boolean?")},
    "small": {"inputs": _columns(f="float", i="integer")},
    "typed": {"inputs": _columns(raw="binary", at="datetime")},
    "one": {"inputs": _columns(x="double")},
    "nested": {"inputs": json.dumps(_NESTED)},
    "unnamed": {"inputs": json.dumps([{"type": "double", "required": True}] * 2)},
    "tensor": {"inputs": _tensors(("float32", [-1, 2], None))},
    "tensors": {"inputs": _tensors(("float64", [-1, 2], "x"), ("int64", [-1], "y"))},
    "params": {"inputs": _columns(x="double"), "params": json.dumps(_PARAMS)},
}
"""The signature of each model as it stands in an MLmodel file; empty for none."""


def _split(columns: list[str] | None, data: object, **more: object) -> str:
    return json.dumps({"dataframe_split": {**({"columns": columns} if columns else {}), "data": data, **more}})


def _records(*rows: object) -> str:
    return json.dumps({"dataframe_records": list(rows)})


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


ABC = ["a", "b", "c"]
GOOD = {"a": 0.5, "b": 2, "c": "x"}

_FRAMES = [
    Request("split without a signature", "plain", _split(ABC, [[0.5, 2, "x"], [1.5, 3, "y"]])),
    Request("split with an index", "plain", _split(["a"], [[1], [2]], index=[7, 9])),
    Request("split without columns", "plain", _split(None, [[1, 2], [3, 4]])),
    Request("split with null", "plain", _split(ABC, [[None, 2, None], [1, None, "y"]])),
    Request("split without rows", "columns", _split(ABC, [])),
    Request("records without a signature", "plain", _records({"a": 1, "b": "x"}, {"a": 2})),
    Request("records, empty", "plain", _records()),
    Request("split by a signature", "columns", _split([*ABC, "d"], [[1.5, 2, "x", True]])),
    Request("records by a signature", "columns", _records(GOOD, {**GOOD, "c": "ä€😀"})),
    Request("columns in another order", "columns", _split(["c", "b", "a"], [["x", 2, 1.5]])),
    Request("columns too many", "columns", _records({**GOOD, "z": 1})),
    Request("a column is missing", "columns", _records({"a": 1.5, "c": "x"})),
    Request("an optional column", "columns", _records({**GOOD, "d": False})),
    Request("text for a double", "columns", _records({**GOOD, "a": "many"})),
    Request("digits for a double", "columns", _records({**GOOD, "a": "1.25"})),
    Request("an integer for a double", "columns", _records({**GOOD, "a": 3})),
    Request("a fraction for a long", "columns", _records({**GOOD, "b": 2.5})),
    Request("a whole number with a point for a long", "columns", _records({**GOOD, "b": 2.0})),
    Request("null for a double", "columns", _records({**GOOD, "a": None})),
    Request("null for a long", "columns", _records({**GOOD, "b": None})),
    Request("a number for text", "columns", _records({**GOOD, "c": 5})),
    Request("a number for a boolean", "columns", _records({**GOOD, "d": 1})),
    Request("text for a boolean", "columns", _records({**GOOD, "d": "false"})),
    Request("null for a boolean", "columns", _records({**GOOD, "d": True}, {**GOOD, "d": None})),
    Request("null for text", "columns", _records({**GOOD, "c": None}, GOOD)),
    Request("digits for a long", "columns", _records({**GOOD, "b": "12"})),
    Request("an integer beyond a long", "columns", _records({**GOOD, "b": 2**63})),
    Request("the largest long", "columns", _records({**GOOD, "b": 2**63 - 1})),
    Request("a list for a double", "columns", _records({**GOOD, "a": [1.0]})),
    Request("infinity for a double", "columns", '{"dataframe_records": [{"a": Infinity, "b": 1, "c": "x"}]}'),
    Request("NaN as JSON does not know it", "columns", '{"dataframe_records": [{"a": NaN, "b": 1, "c": "x"}]}'),
    Request("float and integer", "small", _records({"f": 0.5, "i": 7})),
    Request("an integer too large", "small", _records({"f": 0.5, "i": 2**40})),
    Request("base64 and a date", "typed", _records({"raw": _base64(b"\x00\xff!"), "at": "2026-03-01T10:00:00"})),
    Request("a date with a zone", "typed", _records({"raw": _base64(b"x"), "at": "2026-03-01T10:00:00Z"})),
    Request("a day", "typed", _records({"raw": "", "at": "2026-03-01"})),
    Request("no date", "typed", _records({"raw": _base64(b"x"), "at": "soon"})),
    Request("base64 over several lines", "typed", _records({"raw": "AP8h\nAP8h\n", "at": "2026-03-01"})),
    Request("no base64", "typed", _records({"raw": "*", "at": "2026-03-01"})),
    Request("milliseconds for a date", "typed", _records({"raw": "", "at": 1772359200000})),
    Request("a number for base64", "typed", _records({"raw": 5, "at": "2026-03-01"})),
    Request("nested", "nested", _records({"xs": [1, 2.5], "who": {"id": 1, "note": "n"}, "weights": {"a": 0.5}})),
    Request("nested without optional ones", "nested", _records({"xs": [], "who": {"id": 1}})),
    Request("nested without a property", "nested", _records({"xs": [1.0], "who": {"note": "n"}})),
    Request("nested of another type", "nested", _records({"xs": ["x"], "who": {"id": 1}})),
    Request("split for columns without names", "unnamed", _split(None, [[1.0, 2.0], [3.0, 4.0]])),
    Request("one of two columns without names", "unnamed", _split(None, [[1.0]])),
    Request("a frame for a tensor", "tensor", _split(["p", "q"], [[1, 2], [3, 4]])),
    Request("a frame for tensors", "tensors", _records({"x": [1.0, 2.0], "y": 1}, {"x": [3.0, 4.0], "y": 2})),
]

_TENSORS = [
    Request("instances, a list", "plain", '{"instances": [1, 2, 3]}'),
    Request("instances, rows", "plain", '{"instances": [[1, 2.5], [3, 4]]}'),
    Request("instances, dicts", "plain", '{"instances": [{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3, 4]}]}'),
    Request("instances, a dict", "plain", '{"instances": {"a": [1, 2], "b": [3, 4]}}'),
    Request("instances, a dict of other lengths", "plain", '{"instances": {"a": [1, 2], "b": [3]}}'),
    Request("instances, empty", "plain", '{"instances": []}'),
    Request("instances of other lengths", "plain", '{"instances": [[1, 2], [3]]}'),
    Request("instances of a tensor", "tensor", '{"instances": [[1, 2], [3, 4]]}'),
    Request("instances of a tensor of another shape", "tensor", '{"instances": [[1, 2, 3]]}'),
    Request("instances of a tensor, text", "tensor", '{"instances": [["a", "b"]]}'),
    Request("instances of tensors", "tensors", '{"instances": [{"x": [1, 2], "y": 3}, {"x": [4, 5], "y": 6}]}'),
    Request("instances of tensors, one missing", "tensors", '{"instances": [{"x": [1, 2]}]}'),
    Request("instances by columns", "columns", json.dumps({"instances": [GOOD, {**GOOD, "a": 9.5}]})),
    Request("instances of one column", "one", '{"instances": [1.5, 2.5]}'),
    Request("instances for columns without names", "unnamed", '{"instances": [[1.5, 2.5]]}'),
    Request("inputs, a list", "plain", '{"inputs": [1, 2, 3]}'),
    Request("inputs, text", "plain", '{"inputs": "hello"}'),
    Request("inputs, texts", "plain", '{"inputs": ["hello", "you"]}'),
    Request("inputs, a number", "plain", '{"inputs": 3.5}'),
    Request("inputs, null", "plain", '{"inputs": null}'),
    Request("inputs, a dict", "plain", '{"inputs": {"a": [1, 2], "b": "x"}}'),
    Request("inputs, dicts", "plain", '{"inputs": [{"a": 1}, {"a": 2}]}'),
    Request("inputs of a tensor", "tensor", '{"inputs": [[1, 2], [3, 4]]}'),
    Request("inputs, a dict for a tensor", "tensor", '{"inputs": {"x": [[1, 2]]}}'),
    Request("inputs of tensors", "tensors", '{"inputs": {"x": [[1, 2], [3, 4]], "y": [5, 6]}}'),
    Request("inputs of columns", "columns", '{"inputs": {"a": [0.5], "b": [2], "c": ["x"]}}'),
    Request("inputs, dicts of columns", "columns", json.dumps({"inputs": [GOOD]})),
    Request("inputs, a column is missing", "columns", '{"inputs": {"a": [0.5], "c": ["x"]}}'),
    Request("inputs of another type", "columns", '{"inputs": {"a": ["many"], "b": [2], "c": ["x"]}}'),
    Request("inputs of one column", "one", '{"inputs": [1.5, 2.5]}'),
    Request("inputs, a fraction for a long", "columns", '{"inputs": {"a": [0.5], "b": [2.5], "c": ["x"]}}'),
    Request("inputs, an integer beyond an integer", "small", '{"inputs": {"f": [0.5], "i": [1099511627776]}}'),
    Request("inputs, null for a double", "one", '{"inputs": [1.5, null]}'),
    Request("inputs, scalars by column", "columns", '{"inputs": {"a": 0.5, "b": 2, "c": "x"}}'),
    Request("inputs, base64 and a date", "typed", '{"inputs": {"raw": ["AP8h"], "at": ["2026-03-01T10:00:00"]}}'),
    Request("inputs, dicts with base64", "typed", '{"inputs": [{"raw": "AP8h", "at": "2026-03-01T10:00:00"}]}'),
    Request("inputs, a fraction for an integer tensor", "tensors", '{"inputs": {"x": [[1, 2]], "y": [5.5]}}'),
    Request("inputs, a number for a column", "one", '{"inputs": 1.5}'),
    Request("inputs, nothing for a column", "one", '{"inputs": []}'),
    Request("inputs, nested", "nested", '{"inputs": [{"xs": [1.5], "who": {"id": 1}}]}'),
    Request("inputs and another key", "plain", '{"inputs": [1], "signature_name": "x"}'),
]

_PARAMETERS = [
    Request("params by default", "params", '{"inputs": [1.5]}'),
    Request("params", "params", '{"inputs": [1.5], "params": {"top": 5, "scale": 0.5, "stop": ["a", "b"]}}'),
    Request("one of the params", "params", _records({"x": 1.0})[:-1] + ', "params": {"top": 1}}'),
    Request("params, unknown", "params", '{"inputs": [1.5], "params": {"topp": 5}}'),
    Request("params of another type", "params", '{"inputs": [1.5], "params": {"top": "many"}}'),
    Request("params, an integer for a double", "params", '{"inputs": [1.5], "params": {"scale": 2}}'),
    Request("params, text for a list", "params", '{"inputs": [1.5], "params": {"stop": "a"}}'),
    Request("params that are a list", "params", '{"inputs": [1.5], "params": [1]}'),
    Request("params that are null", "params", '{"inputs": [1.5], "params": null}'),
    Request("params for a model without", "one", '{"inputs": [1.5], "params": {"top": 5}}'),
]

_TABLES = [
    Request("csv without a signature", "plain", "a,b,c\n0.5,2,x\n1.5,3,y\n", CSV),
    Request("csv by a signature", "columns", "a,b,c,d\n0.5,2,x,True\n", CSV),
    Request("csv with a charset", "columns", "a,b,c\n0.5,2,ä\n", "text/csv; charset=utf-8"),
    Request("csv with whole numbers for a double", "one", "x\n1\n2\n", CSV),
    Request("csv, a column is missing", "columns", "a,c\n0.5,x\n", CSV),
    Request("csv of another type", "columns", "a,b,c\nmany,2,x\n", CSV),
    Request("csv with a gap", "columns", "a,b,c\n,2,x\n", CSV),
    Request("csv, empty", "columns", "", CSV),
    Request("csv, only a head", "one", "x\n", CSV),
    Request("csv with base64 and a date", "typed", "raw,at\nAP8h,2026-03-01T10:00:00\n", CSV),
    Request("csv with a fraction for a long", "columns", "a,b,c\n0.5,2.5,x\n", CSV),
    Request("csv with digits for text", "columns", "a,b,c\n0.5,2,007\n", CSV),
    Request("csv for a tensor", "tensor", "p,q\n1,2\n", CSV),
    Request("csv, torn", "plain", 'a,b\n1,2\n"3,4\n', CSV),
    Request("csv, quoted", "plain", 'a,b\n"1,5","line\nbreak"\n', CSV),
]

_BROKEN = [
    Request("no JSON", "plain", '{"inputs": [1,'),
    Request("an empty body", "plain", ""),
    Request("JSON too deep", "plain", '{"inputs": ' + "[" * 5000 + "]" * 5000 + "}"),
    Request("a number too long", "plain", '{"inputs": [' + "1" * 5000 + "]}"),
    Request("a list", "plain", "[1, 2]"),
    Request("text", "plain", '"inputs"'),
    Request("null", "plain", "null"),
    Request("a dict without an input", "plain", '{"data": [1]}'),
    Request("an empty dict", "plain", "{}"),
    Request("two inputs", "plain", '{"inputs": [1], "instances": [1]}'),
    Request("split, a list", "plain", '{"dataframe_split": [1]}'),
    Request("split without data", "plain", '{"dataframe_split": {"columns": ["a"]}}'),
    Request("split with another key", "plain", '{"dataframe_split": {"data": [[1]], "names": ["a"]}}'),
    Request("split of other lengths", "plain", _split(ABC, [[1, 2]])),
    Request("records, a dict", "plain", '{"dataframe_records": {"a": [1]}}'),
    Request("records of numbers", "plain", '{"dataframe_records": [1, 2]}'),
    Request("a model that fails", "failing", '{"inputs": [1]}'),
    Request("XML", "plain", "<a/>", "application/xml"),
    Request("a form", "plain", "a=1", "application/x-www-form-urlencoded"),
    Request("another charset", "plain", '{"inputs": [1]}', "application/json; charset=latin-1"),
    Request("another parameter of the type", "plain", '{"inputs": [1]}', "application/json; format=pandas"),
    Request("capital letters in the charset", "plain", '{"inputs": [1]}', "application/json; charset=UTF-8"),
]

_ANSWERS = [
    Request(f"answers {kind}", "answers", json.dumps({"inputs": [1.5], "params": {"kind": kind}})) for kind in ANSWERS
]

REQUESTS = [*_FRAMES, *_TENSORS, *_PARAMETERS, *_TABLES, *_BROKEN, *_ANSWERS]
