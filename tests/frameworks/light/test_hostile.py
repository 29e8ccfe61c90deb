"""Files that lie: pickles under other names, graphs that read other files, cut files, numbers that lead nowhere."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import xgboost

import tracker
import tracker.pyfunc
from tests.frameworks.light.models import CASES, FRAME, MATRIX, graph, lgb_booster, sum_graph
from tests.frameworks.saved import foreign, rewritten
from tests.models.hostile import call
from tracker.exceptions import ModelError, UntrustedModelError
from tracker.models import xgboost_checks

SAFE = [name for name in CASES if "cloudpickle" not in name]


def place_of(name: str, tmp_path: Path, **facts: Any) -> Path:
    """A model of a case, as it would come from elsewhere."""
    case = CASES[name]
    importlib.import_module(f"tracker.{case.flavor}").save_model(case.make(), tmp_path / "model", **dict(case.options))
    return foreign(tmp_path / "model", to=tmp_path / "foreign", flavor=case.flavor, facts=facts)


def data_of(folder: Path) -> Path:
    """The file of a model itself."""
    found = [path for path in folder.glob("model.*") if path.suffix != ".data"]
    assert len(found) == 1
    return found[0]


def refusals(name: str, folder: Path, match: str | None = None) -> None:
    """Both ways of loading refuse it."""
    for module in (f"tracker.{CASES[name].flavor}", "tracker.pyfunc"):
        with pytest.raises(ModelError, match=match) as caught:
            importlib.import_module(module).load_model(folder)
        assert str(folder) in str(caught.value)


@pytest.mark.parametrize("name", SAFE)
def test_a_pickle_under_another_name_does_not_run(name: str, tmp_path: Path) -> None:
    """A pickle in the place of a model's file is no model, and nothing of it runs."""
    canary = tmp_path / "canary"
    folder = place_of(name, tmp_path)
    rewritten(data_of(folder), lambda _: call("os", "system", f"touch '{canary}'"))
    refusals(name, folder)
    assert not canary.exists()


@pytest.mark.parametrize("part", [0, 1, 100, 0.5, 0.9, 0.97, -30])
@pytest.mark.parametrize("name", SAFE)
def test_cut_files_are_refused(name: str, part: float, tmp_path: Path) -> None:
    """A file that ends too early is a ModelError wherever the cut is, and never the end of the process."""
    folder = place_of(name, tmp_path)
    rewritten(data_of(folder), lambda data: data[: int(part * len(data)) if 0 < part < 1 else int(part)])
    refusals(name, folder)


@pytest.mark.parametrize(
    "found", ["os.system", "subprocess.Popen", "xgboost.sklearn.json.loads", "xgboost.XGBModel", ""]
)
def test_an_mlmodel_names_no_class_of_its_own(found: str, tmp_path: Path) -> None:
    """The class that an XGBoost model asks for is one of seven."""
    refusals("xgboost classifier", place_of("xgboost classifier", tmp_path, model_class=found), "none of XGBoost's own")


@pytest.mark.parametrize(
    "location",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "model.onnx.data/../../canary",
        "..\\canary",
        "C:\\canary",
        "file:///etc/passwd",
        "missing.data",
        "",
        "*/_ORT_MEM_ADDR_/*",
    ],
)
def test_a_graph_reads_files_of_the_model_only(location: str, tmp_path: Path) -> None:
    """Tensors that lie elsewhere are refused before onnx or onnxruntime sees the graph."""
    (tmp_path / "canary").write_bytes(bytes(4 * 4096))
    folder = place_of("onnx, two files", tmp_path)

    def move(data: bytes) -> bytes:
        model = onnx.ModelProto.FromString(data)
        entry = next(entry for entry in model.graph.initializer[0].external_data if entry.key == "location")
        entry.value = location
        return bytes(model.SerializeToString())

    rewritten(folder / "model.onnx", move)
    refusals("onnx, two files", folder, "no file of the model")


@pytest.mark.parametrize("where", ["attribute", "subgraph", "function", "sparse"])
def test_a_graph_hides_no_file(where: str, tmp_path: Path) -> None:
    """Wherever a tensor stands in a graph, the file that it names is checked."""
    model = sum_graph()
    tensor = onnx.TensorProto(name="hidden", dims=[1], data_type=1, data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../canary")
    node = onnx.helper.make_node("Constant", [], ["hidden"])
    node.attribute.append(onnx.AttributeProto(name="value", type=onnx.AttributeProto.TENSOR, t=tensor))
    if where == "attribute":
        model.graph.node.append(node)
    elif where == "subgraph":
        inner = onnx.helper.make_graph([node], "inner", [], [])
        model.graph.node.append(onnx.helper.make_node("If", ["left"], ["out"], then_branch=inner, else_branch=inner))
    elif where == "function":
        model.functions.append(onnx.FunctionProto(name="f", domain="d", node=[node]))
    else:
        model.graph.sparse_initializer.append(onnx.SparseTensorProto(values=tensor, dims=[1]))
    folder = place_of("onnx, two files", tmp_path)
    rewritten(folder / "model.onnx", lambda _: bytes(model.SerializeToString()))
    refusals("onnx, two files", folder, "no file of the model")


def test_settings_that_reach_files_need_trust(tmp_path: Path) -> None:
    """Options that make onnxruntime write a file or load a library are left out for a model of somebody else."""
    target = tmp_path / "written.onnx"
    settings = {"extra_session_config": {"session.save_model_format": "ONNX", "ep.context_enable": "1"}}
    settings["extra_session_config"]["ep.context_file_path"] = str(target)
    folder = place_of("onnx", tmp_path, onnx_session_options=settings, providers=[["CPUExecutionProvider", {"x": "1"}]])
    model = tracker.pyfunc.load_model(folder)
    assert set(model.predict(MATRIX)) == {"label", "probabilities"}
    assert model.get_raw_model().get_providers() == ["CPUExecutionProvider"]
    assert not target.exists()


LIES: dict[str, Callable[[str], str]] = {
    "a feature that is not there": lambda text: re.sub(r"split_feature=\d+", "split_feature=100000", text, count=1),
    "a child that is not there": lambda text: re.sub(r"left_child=-?\d+", "left_child=100000", text, count=1),
    "a node that is its own child": lambda text: re.sub(r"right_child=-?\d+", "right_child=0", text, count=1),
    "a leaf that is not there": lambda text: re.sub(r"left_child=-?\d+", "left_child=-100000", text, count=1),
    "more leaves": lambda text: re.sub(r"num_leaves=\d+", "num_leaves=100000", text, count=1),
    "more trees together": lambda text: text.replace("num_tree_per_iteration=3", "num_tree_per_iteration=12"),
    "fewer classes": lambda text: text.replace("num_class:3", "num_class:9"),
    "sizes of trees": lambda text: re.sub(r"tree_sizes=\d+", "tree_sizes=99999999", text),
    "categories": lambda text: re.sub(r"decision_type=\d+", "decision_type=1", text, count=1),
    "a linear tree": lambda text: text.replace("is_linear=0", "is_linear=1", 1),
    "a line twice": lambda text: text.replace("is_linear=0", "num_leaves=1\nis_linear=0", 1),
}


@pytest.mark.parametrize("lie", LIES)
def test_trees_that_lead_nowhere_are_refused(lie: str, tmp_path: Path) -> None:
    """LightGBM would follow these numbers out of its memory; the text is checked first."""
    tracker.lightgbm.save_model(lgb_booster(), tmp_path / "model")
    folder = foreign(tmp_path / "model", to=tmp_path / "foreign", flavor="lightgbm")
    before = (folder / "model.lgb").read_text()
    after = LIES[lie](before)
    assert after != before
    grown = len(after) - len(before)
    if not lie.startswith(("sizes", "more trees", "fewer")):
        after = re.sub(r"(?<=tree_sizes=)\d+", lambda found: str(int(found[0]) + grown), after, count=1)
    (folder / "model.lgb").write_text(after)
    refusals("lightgbm booster", folder, "no LightGBM model, or a damaged one")


XGBOOST_LIES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a child that is not there": lambda tree, _, __: tree["left_children"].__setitem__(0, 100_000_000),
    "a child before the root": lambda tree, _, __: tree["left_children"].__setitem__(0, -100_000_000),
    "a node that is its own child": lambda tree, _, __: tree["left_children"].__setitem__(0, 0),
    "two ways to one node": lambda tree, _, __: tree["left_children"].__setitem__(0, tree["right_children"][0]),
    "a feature that is not there": lambda tree, _, __: tree["split_indices"].__setitem__(0, 100_000_000),
    "too few numbers": lambda tree, _, __: tree["split_conditions"].clear(),
    "more nodes": lambda tree, _, __: tree["tree_param"].update(num_nodes="100000000"),
    "a group that is not there": lambda _, model, __: model["tree_info"].__setitem__(0, 1_000_000),
    "rounds that are not there": lambda _, model, __: model["iteration_indptr"].__setitem__(-1, 1_000_000),
    "a set that is not there": lambda tree, _, __: tree.update(
        split_type=[1] * len(tree["split_type"]),
        categories=[0],
        categories_nodes=[0],
        categories_segments=[0],
        categories_sizes=[1_000_000],
    ),
    "more classes": lambda _, __, learner: learner["learner_model_param"].update(num_class="100000000"),
    "fewer features": lambda _, __, learner: learner["learner_model_param"].update(num_feature="1"),
    "a deep list": lambda _, __, learner: learner.update(attributes=json.loads("[" * 80 + "]" * 80)),
}


@pytest.mark.parametrize("lie", XGBOOST_LIES)
def test_xgboost_is_not_led_astray(lie: str, tmp_path: Path) -> None:
    """XGBoost would follow these numbers out of its memory; its file is checked first."""
    folder = place_of("xgboost booster, json", tmp_path)
    learner = json.loads((folder / "model.json").read_bytes())["learner"]
    model = learner["gradient_booster"]["model"]
    XGBOOST_LIES[lie](model["trees"][0], model, learner)
    (folder / "model.json").write_text(json.dumps({"learner": learner, "version": [3, 2, 0]}))
    refusals("xgboost booster, json", folder, "no XGBoost model, or a damaged one")


KINDS: dict[str, dict[str, Any]] = {
    "regression": {},
    "pruned": {"gamma": 5, "max_depth": 4},
    "dart": {"booster": "dart", "rate_drop": 0.5},
    "linear": {"booster": "gblinear", "objective": "binary:logistic"},
    "several trees a round": {"num_parallel_tree": 3, "subsample": 0.5},
    "quantiles": {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]},
    "categories": {"max_cat_to_onehot": 1},
}


@pytest.mark.parametrize("word", ["json", "ubj"])
@pytest.mark.parametrize("kind", KINDS)
def test_honest_models_pass(kind: str, word: str) -> None:
    """Each kind of booster passes the check, in both formats."""
    labels = np.arange(len(FRAME)) % 7 % 2
    types = ["c" if kind == "categories" else "q"] * 4
    data = xgboost.DMatrix((FRAME * 2).round(), labels, feature_types=types, enable_categorical=True)
    booster = xgboost.train({"seed": 0, **KINDS[kind]}, data, num_boost_round=5)
    xgboost_checks.check_model(bytes(booster.save_raw(word)), where="here")


def test_rarer_kinds_need_trust() -> None:
    """What is not looked into is not called damaged: it loads once somebody vouches for it."""
    data = xgboost.DMatrix(FRAME, FRAME.to_numpy()[:, :2])
    settings = {"multi_strategy": "multi_output_tree", "tree_method": "hist"}
    raw = bytes(xgboost.train(settings, data, num_boost_round=2).save_raw("ubj"))
    with pytest.raises(UntrustedModelError, match="several outputs"):
        xgboost_checks.check_model(raw, where="here")


def test_a_booster_in_a_skops_file_is_checked_as_well(tmp_path: Path) -> None:
    """The text inside an estimator's file goes the same way; in a process of its own, since it would end it."""
    program = f"""
import zipfile, json, io, tracker.lightgbm
from pathlib import Path
path = Path({str(tmp_path / "foreign" / "model.skops")!r})
old = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
with zipfile.ZipFile(path, "w") as new:
    for name in old.namelist():
        data = old.read(name)
        new.writestr(name, data.replace(b"left_child=", b"left_child=9") if name == "schema.json" else data)
tracker.lightgbm.load_model(path.parent)
"""
    place_of("lightgbm classifier, skops", tmp_path)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ModelError" in done.stderr.splitlines()[-1] and "tree 0" in done.stderr.splitlines()[-1]


def test_a_pickle_that_mlflow_did_not_label_is_seen(tmp_path: Path) -> None:
    """MLflow 2 pickles estimators of LightGBM and does not say so: without trust they are refused all the same."""
    folder = place_of("lightgbm classifier, cloudpickle", tmp_path, serialization_format=None)
    with pytest.raises(UntrustedModelError, match="pickle"):
        tracker.lightgbm.load_model(folder)


def test_graphs_are_checked_when_they_are_saved(tmp_path: Path) -> None:
    """A graph whose tensors lie in files that are not loaded is not saved, nor one that is not valid."""
    model = graph()
    model.graph.node[0].op_type = "Nonsense"
    model.graph.node[0].domain = ""
    with pytest.raises(tracker.exceptions.InvalidValueError, match="not valid"):
        tracker.onnx.save_model(model, tmp_path / "model")
