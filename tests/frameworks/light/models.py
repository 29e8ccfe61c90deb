"""Small models of XGBoost, LightGBM and ONNX, by name, with the data that they take and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_iris

FRAME: pd.DataFrame = load_iris(as_frame=True).data
TARGET = load_iris().target
MATRIX = FRAME.to_numpy(dtype=np.float32)
WITH_HOLES = FRAME.where(FRAME > 2.0, 0.0)
"""A frame in which 0 stands for a value that is missing."""


@dataclass(frozen=True)
class Case:
    """A model and how it is used."""

    flavor: str
    """The module of tracker, or of MLflow."""
    make: Callable[[], Any]
    """Trains it, the same each time."""
    data: Any = None
    """What its pyfunc predicts on; the frame where it is None."""
    native: Callable[[Any, Any], Any] = lambda model, data: model.predict(data)
    """The predictions of the bare model, in the form that pyfunc gives."""
    options: tuple[tuple[str, Any], ...] = ()
    """More arguments of save_model."""

    @property
    def inputs(self) -> Any:
        """What it predicts on."""
        return FRAME if self.data is None else self.data


def xgb_booster() -> Any:
    """A booster that knows the names of its columns."""
    import xgboost

    return xgboost.train(
        {"objective": "multi:softprob", "num_class": 3, "seed": 0}, xgboost.DMatrix(FRAME, TARGET), num_boost_round=4
    )


def xgb_classifier() -> Any:
    """An estimator with scikit-learn's interface."""
    import xgboost

    return xgboost.XGBClassifier(n_estimators=4, random_state=0).fit(FRAME, TARGET)


def xgb_regressor() -> Any:
    """An estimator for which 0 is a hole."""
    import xgboost

    return xgboost.XGBRegressor(n_estimators=4, random_state=0, missing=0.0).fit(WITH_HOLES, TARGET)


def xgb_native(model: Any, data: Any) -> Any:
    """A booster wants its own matrix."""
    import xgboost

    return model.predict(xgboost.DMatrix(data))


def lgb_booster() -> Any:
    """A booster."""
    import lightgbm

    settings = {"objective": "multiclass", "num_class": 3, "verbose": -1, "seed": 0}
    return lightgbm.train(settings, lightgbm.Dataset(FRAME, TARGET), num_boost_round=4)


def lgb_classifier() -> Any:
    """An estimator whose classes are words, which a booster does not know."""
    import lightgbm

    words = np.array(["setosa", "versicolor", "virginica"])
    return lightgbm.LGBMClassifier(n_estimators=4, random_state=0, verbose=-1).fit(FRAME, words[TARGET])


def lgb_regressor() -> Any:
    """An estimator that stopped early."""
    import lightgbm

    model = lightgbm.LGBMRegressor(n_estimators=40, random_state=0, verbose=-1)
    stop = lightgbm.early_stopping(2, verbose=False)
    return model.fit(FRAME, TARGET, eval_X=FRAME[::2], eval_y=TARGET[::2], callbacks=[stop])


def graph() -> Any:
    """A classifier of scikit-learn as a graph with two outputs."""
    import skl2onnx
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=500).fit(MATRIX, TARGET)
    return skl2onnx.to_onnx(model, MATRIX[:1], options={"zipmap": False}, target_opset=18)


def sum_graph() -> Any:
    """A graph with two inputs, and a tensor that is large enough to lie in another file."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.linspace(0, 1, 4096, dtype=np.float32), "weights")
    nodes = [
        helper.make_node("ReduceSum", ["weights"], ["offset"], keepdims=0),
        helper.make_node("Add", ["left", "right"], ["both"]),
        helper.make_node("Add", ["both", "offset"], ["sum"]),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows"]) for name in ("left", "right")]
    outputs = [helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["rows"])]
    made = helper.make_graph(nodes, "sum", inputs, outputs, initializer=[weights])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def graph_native(model: Any, data: Any) -> Any:
    """What onnxruntime makes of it: a dict of arrays."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = data if isinstance(data, dict) else {session.get_inputs()[0].name: data}
    return dict(zip([found.name for found in session.get_outputs()], session.run(None, feed), strict=True))


PAIR = {"left": np.arange(5, dtype=np.float32), "right": np.ones(5, dtype=np.float32)}
CASES = {
    "xgboost booster": Case("xgboost", xgb_booster, native=xgb_native),
    "xgboost booster, json": Case("xgboost", xgb_booster, native=xgb_native, options=(("model_format", "json"),)),
    "xgboost classifier": Case("xgboost", xgb_classifier),
    "lightgbm booster": Case("lightgbm", lgb_booster),
    "lightgbm classifier, skops": Case("lightgbm", lgb_classifier, options=(("serialization_format", "skops"),)),
    "lightgbm classifier, cloudpickle": Case(
        "lightgbm", lgb_classifier, options=(("serialization_format", "cloudpickle"),)
    ),
    "lightgbm regressor": Case("lightgbm", lgb_regressor),
    "onnx": Case("onnx", graph, data=MATRIX, native=graph_native),
    "onnx, two files": Case(
        "onnx", sum_graph, data=PAIR, native=graph_native, options=(("save_as_external_data", True),)
    ),
}
ONLY_OURS = {"xgboost regressor with holes": Case("xgboost", xgb_regressor, data=WITH_HOLES)}
"""MLflow forgets which value is a hole, so it is no case to exchange."""
