"""Every method of MLflow's stores works or refuses with a clear text, and importing stays light."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugin.conftest import there

REFUSED = {
    "tracking": (
        "trace span assessment issue dataset scorer scoring session label_schema queue prompt mcp_ gateway guardrail "
        "endpoint secret budget"
    ).split(),
    "registry": "prompt webhook".split(),
}
"""Parts of the names of what is refused: MLflow's tools for language models, its server's gateway, its webhooks."""


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What MLflow loads of us, the methods of both stores and what becomes of each, and code that traces."""
    folder = tmp_path_factory.mktemp("contract")
    return there("contract.py", f"tracker:{folder / 'runs'}", folder=folder)


@pytest.mark.parametrize("store", ["tracking", "registry"])
def test_every_method_works_or_refuses(store: str, contract: Any) -> None:
    """None is left to MLflow's base class but those that work there; what is refused is of the kinds that we know.

    When this fails, MLflow has methods that nobody here has thought of.
    """
    found = contract[store]
    assert found["neither"] == []
    assert set(found["methods"]) == {*found["ours"], *found["refused"], *found["inherited"]}
    unknown = [name for name in found["refused"] if not any(part in name for part in REFUSED[store])]
    assert unknown == []
    assert set(found["abstract"]) <= {*found["ours"], "link_traces_to_run"}


@pytest.mark.parametrize("store", ["tracking", "registry"])
def test_refusals_say_what_to_do(store: str, contract: Any) -> None:
    """A refusal has a code of MLflow's, names the method, and says what to use instead."""
    for name, text in contract[store]["refused"].items():
        assert text.startswith(f"NOT_IMPLEMENTED: tracker has no {name}(). ")
        assert len(text) > len(f"NOT_IMPLEMENTED: tracker has no {name}(). ") + 20


def test_traced_code_runs_on(contract: Any) -> None:
    """Traces are not kept, and that does not stop the code that is traced; asking for them says what to do."""
    told = contract["traced"]
    assert told["sum"] == 3
    assert "search_traces()" in told["search"] and "log_dict()" in told["search"]
    assert "register_prompt()" in told["prompt"] and "log_text()" in told["prompt"]
    assert "CI" in told["webhook"]


def test_importing_mlflow_stays_light(contract: Any) -> None:
    """MLflow loads its plugins when it is imported; of us that is a module with three functions."""
    assert contract["loaded"] == ["tracker", "tracker.mlflow_plugin"]
