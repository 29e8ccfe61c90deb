"""Ask MLflow about the data of inputs.py, enforcements.py and examples.py, and write its answers to signatures.json.

Run it where MLflow, pandas and scipy are installed: `python tests/models/make_signatures.py`.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import mlflow
import numpy
import pandas
from enforcements import CASES, told
from examples import EXAMPLES, without_nan
from inputs import DATA, PARAMS
from mlflow.models import infer_signature
from mlflow.models.utils import _enforce_schema, _Example
from mlflow.types import Schema

HERE = Path(__file__).parent


def answer(ask: Callable[[], Any], part: str) -> Any:
    """The JSON that MLflow gives, or the word `error`."""
    try:
        text = ask().to_dict()[part]
    except Exception:
        return "error"
    return json.loads(text)


def enforce(schema: str, make: Callable[[], Any]) -> Any:
    """What MLflow makes of data for a schema, or the word `error`."""
    data = make()
    try:
        return told(_enforce_schema(data, Schema.from_json(schema)))
    except Exception:
        return "error"


def example(make: Callable[[], Any]) -> Any:
    """What MLflow writes of an example and into its two files, or the word `error`."""
    value = make()
    try:
        made = _Example(value)
    except Exception:
        return "error"
    texts = [made.json_input_example, made.json_serving_input]
    return {"info": made.info, "files": [without_nan(json.loads(text)) for text in texts]}


def main() -> None:
    """Write the file."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    versions = {"mlflow": mlflow.__version__, "pandas": pandas.__version__, "numpy": numpy.__version__}
    data = {name: answer(lambda make=make: infer_signature(make()), "inputs") for name, make in DATA.items()}
    params = {name: answer(lambda make=make: infer_signature(params=make()), "params") for name, make in PARAMS.items()}
    enforced = {name: enforce(*case) for name, case in CASES.items()}
    examples = {name: example(make) for name, make in EXAMPLES.items()}
    parts = {"made_with": versions, "data": data, "params": params, "enforced": enforced, "examples": examples}
    text = ",\n".join(f'"{name}": {a_line_each(part)}' for name, part in parts.items())
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "signatures.json"
    path.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


def a_line_each(part: dict[str, Any]) -> str:
    """JSON with a line for each case."""
    lines = (f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in part.items())
    return "{\n" + ",\n".join(lines) + "\n}"


if __name__ == "__main__":
    main()
