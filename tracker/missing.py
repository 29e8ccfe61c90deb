"""What MLflow has and tracker does not, with what to use instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from tracker.exceptions import InvalidValueError, did_you_mean

_PROJECT = "It is of MLflow's tools for language models, which tracker does not have. "
TRACES = _PROJECT + "Log what went in and out with log_dict() or log_table()."
_PROMPTS = _PROJECT + "Keep prompts beside your code, and log the one that was used with log_text()."
_OF_A_RUN = "A model belongs to the run that logged it: "
_LOGGED = _OF_A_RUN + "use log_model() of its flavor, then runs:/<run_id>/<name>."
_TAGS = _OF_A_RUN + "tag the run with set_tag(), or a registered version with set_model_version_tag()."
_DATASETS = "Log what tells a dataset, such as a name and a digest, with log_param() or set_tag()."
_WORKSPACES = "A workspace is a store: name its folder, MlflowClient(tracking_uri=...)."
_EXPERIMENT = "An experiment is a folder of the store: "
_SYSTEM = "System metrics are not there yet: log what you need with log_metrics()."
_NO_QUEUE = "Nothing waits in a queue, since every call hands its record over: leave it out."
_METRICS = "Compute the metrics with your library, and log them with log_metrics()."
_FLAVOR = "This flavor is not there: wrap the model in a class or function, and log it with tracker.pyfunc.log_model()."
_UNCHANGED = "A model is not changed after it was saved, since its digest would be another: "
_INFERRED = (
    "Requirements are read off each model: pip_requirements= and extra_pip_requirements= of log_model() set others."
)
MEASURED = "Let the key tell what was measured on which data, such as 'test/accuracy'."

_REMEDIES = {
    "delete_experiment": _EXPERIMENT + "delete or move that folder.",
    "restore_experiment": _EXPERIMENT + "put it back to where it was.",
    "rename_experiment": _EXPERIMENT + "change `name` in its experiment.yaml.",
    "delete_experiment_tag": _EXPERIMENT + "remove the tag from its experiment.yaml.",
    "autolog": "Autologging is not there yet: call log_params(model.get_params()), log_metrics() and log_model() after "
    "the training.",
    "set_logged_model_tags": _TAGS,
    "delete_logged_model_tag": _OF_A_RUN + "delete_tag() deletes a tag of the run.",
    "get_logged_model": _OF_A_RUN + "tracker.models.get_model_info('runs:/<run_id>/<name>') tells what it is.",
    "last_logged_model": _OF_A_RUN + "keep what log_model() returns; its model_uri loads the model.",
    "search_logged_models": _OF_A_RUN + "search_runs() finds runs, search_model_versions() registered models.",
    "create_external_model": _OF_A_RUN + "note where the model is with set_tag(), or register_model() a copy of it.",
    "import_checkpoints": "Log each checkpoint with log_artifact(), or as a model with log_model().",
    "log_model_params": _OF_A_RUN + "log its params with log_params().",
    "set_active_model": _LOGGED,
    "get_active_model_id": _LOGGED,
    "clear_active_model": _LOGGED,
    "log_input": _DATASETS,
    "log_inputs": _DATASETS,
    "data": _DATASETS,
    "log_outputs": _LOGGED,
    "log_stream": "Write the stream to a file, and use log_artifact().",
    "evaluate": _METRICS,
    "validate_evaluation_results": _METRICS,
    "make_metric": _METRICS,
    "metrics": _METRICS,
    "run": "There are no projects: start the script itself; TRACKER_URI names the store that it logs to.",
    "projects": "There are no projects: start the script itself; TRACKER_URI names the store that it logs to.",
    "doctor": "`tracker --version` tells the version of tracker.",
    "login": "There is no server to log in to: the store is a folder, which set_tracking_uri() names.",
    "flush_async_logging": _NO_QUEUE,
    "flush_artifact_async_logging": _NO_QUEUE,
    "config": "docs/configuration.md has the TRACKER_ variables.",
    "environment_variables": "docs/configuration.md has the TRACKER_ variables.",
    "context": TRACES,
    "test": TRACES,
    "search_sessions": TRACES,
    "log_expectation": TRACES,
    "log_issue": TRACES,
    "maybe_hint_tracing_skill": TRACES,
    "set_telemetry_client": "Nothing is sent anywhere: leave it out.",
    "set_signature": _UNCHANGED + "log it again with signature=.",
    "update_model_requirements": _UNCHANGED + "log it again with extra_pip_requirements=.",
    "add_libraries_to_model": _UNCHANGED + "log it again with code_paths=.",
    "predict": "Use `tracker models predict`, or tracker.pyfunc.load_model(uri).predict(data).",
    "build_docker": "Use `tracker models dockerfile`.",
    "infer_pip_requirements": _INFERRED,
    "get_default_pip_requirements": _INFERRED,
    "get_default_conda_env": _INFERRED,
    "validate_serving_input": "Use `tracker models predict`, which takes the same input.",
    "convert_input_example_to_serving_input": "log_model(input_example=) saves it as serving_input_example.json.",
    "validate_schema": "Use tracker.models.enforce.enforce_schema(data, schema).",
}
"""By name of a function, a method or a module."""
KINDS = {
    "webhook": "Nothing runs that could call: let CI react to the commit that changes the registry.",
    "workspace": _WORKSPACES,
    "mcp": _PROJECT.rstrip(),
    "trace": TRACES,
    "span": TRACES,
    "assessment": TRACES,
    "feedback": TRACES,
    "prompt": _PROMPTS,
    "dataset": _DATASETS,
    "logged_model": _LOGGED,
    "log_model_": _LOGGED,
    "system_metrics": _SYSTEM,
    "genai": TRACES,
}
"""By a part of the name."""
_FLAVORS = frozenset(
    "catboost diffusers h2o johnsnowlabs langchain llama_index openai paddle pmdarima prophet sentence_transformers "
    "spacy spark statsmodels transformers".split()
)


def refuse(instead: str, **arguments: object) -> None:
    """InvalidValueError when one of MLflow's arguments is given that has no meaning here."""
    given = " and ".join(name for name, value in arguments.items() if value is not None)
    if given:
        raise InvalidValueError(f"{given} cannot be given. {instead}")


def remedy(name: str) -> str:
    """What to use in place of something of MLflow's, after a blank; empty for a name that MLflow lacks too."""
    found = _REMEDIES.get(name) or next((text for part, text in KINDS.items() if part in name), "")
    found = found or (_FLAVOR if name in _FLAVORS else "")
    return found and f" {found}"


def getter(module: str) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module: an AttributeError that says what to use in place of what it does not have."""

    def missing(name: str) -> NoReturn:
        known = [
            key
            for key, value in vars(sys.modules[module]).items()
            if not key.startswith("_") and getattr(value, "__module__", None) == module
        ]
        raise AttributeError(f"{module} has no {name!r}.{remedy(name) or did_you_mean(name, known)}")

    return missing
